// SPDX-License-Identifier: Apache-2.0
// Addresses: the EIP-55 list, one row per fault, contract addresses.
#include "eth/address.h"

#include "eth/vectors.h"

#include <ctype.h>

static void published_checksums_are_printed_and_accepted(void **state)
{
    (void)state;
    json_t *root = vectors_load("eip55.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct address address;
        char text[ADDRESS_TEXT_SIZE];
        assert_int_equal(address_parse(&address, json_string_value(row)), ADDRESS_FINE);
        address_format(text, &address);
        assert_string_equal(text, json_string_value(row));
        for (char *at = text + 2; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        assert_int_equal(address_parse(&address, text), ADDRESS_FINE);
        for (char *at = text + 2; *at; at++)
            *at = (char)toupper((unsigned char)*at);
        assert_int_equal(address_parse(&address, text), ADDRESS_FINE);
    }
    json_decref(root);
}

static void each_fault_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum address_fault fault;
    } rows[] = {
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ADDRESS_FINE},
        {"0x0000000000000000000000000000000000000001", ADDRESS_FINE},
        {"", ADDRESS_LENGTH},
        {"0x", ADDRESS_LENGTH},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", ADDRESS_LENGTH},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0", ADDRESS_LENGTH},
        {"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ADDRESS_LENGTH},
        {" 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ADDRESS_LENGTH},
        {"0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ADDRESS_DIGITS},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", ADDRESS_DIGITS},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe ", ADDRESS_DIGITS},
        {"005aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ADDRESS_DIGITS},
        {"0x0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", ADDRESS_DIGITS},
        {"0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", ADDRESS_CHECKSUM},
        {"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", ADDRESS_CHECKSUM},
        {"0x5AaEB6053f3e94c9B9a09F33669435e7eF1bEaED", ADDRESS_CHECKSUM},
        {"0x0000000000000000000000000000000000000000", ADDRESS_ZERO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address;
        memset(&address, 0xee, sizeof address);
        if (address_parse(&address, rows[i].text) != rows[i].fault)
            fail_msg("wrong answer to \"%s\"", rows[i].text);
        if (rows[i].fault != ADDRESS_FINE)
            assert_int_equal(address.bytes[0] + address.bytes[19], 2 * 0xee);
    }
}

static void contract_addresses_follow_creator_and_nonce(void **state)
{
    (void)state;
    // The first ones are in wide use as examples; the later ones were computed with viem.
    static const struct {
        const char *creator;
        uint64_t nonce;
        const char *created;
    } rows[] = {
        {"0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", 0,
         "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"},
        {"0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", 1,
         "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8"},
        {"0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", 2,
         "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", 0,
         "0x5FbDB2315678afecb367f032d93F642f64180aa3"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", UINT64_C(127),
         "0x5fc748f1FEb28d7b76fa1c6B07D8ba2d5535177c"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", UINT64_C(128),
         "0xB82008565FdC7e44609fA118A4a681E92581e680"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", UINT64_C(255),
         "0x01E21d7B8c39dc4C764c19b308Bd8b14B1ba139E"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", UINT64_C(256),
         "0x3C1Cb427D20F15563aDa8C249E71db76d7183B6c"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", UINT64_C(65536),
         "0x8b73289dC76eeFAC19923eEab5C59314AA981d01"},
        {"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", UINT64_C(18446744073709551615),
         "0x350ef3784Ec5fA5437ec3D67B57057bA6B9B0E86"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address creator;
        struct address expected;
        assert_int_equal(address_parse(&creator, rows[i].creator), ADDRESS_FINE);
        assert_int_equal(address_parse(&expected, rows[i].created), ADDRESS_FINE);
        struct address created = address_of_contract(&creator, rows[i].nonce);
        assert_true(address_equal(&created, &expected));
    }
}

static void equality_and_zero(void **state)
{
    (void)state;
    struct address a = {{0}};
    struct address b = {{0}};
    assert_true(address_is_zero(&a) && address_equal(&a, &b));
    b.bytes[19] = 1;
    assert_false(address_is_zero(&b));
    assert_false(address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_checksums_are_printed_and_accepted),
        cmocka_unit_test(each_fault_is_named),
        cmocka_unit_test(contract_addresses_follow_creator_and_nonce),
        cmocka_unit_test(equality_and_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
