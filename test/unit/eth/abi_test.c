// SPDX-License-Identifier: Apache-2.0
// ABI words: what is written, and what reading refuses.
#include "eth/abi.h"

#include "eth/vectors.h"

#define ZERO_28    "00000000000000000000000000000000000000000000000000000000"
#define ZERO_24    "000000000000000000000000000000000000000000000000"
#define ZERO_31    ZERO_28 "000000"
#define WORD(byte) ZERO_31 byte

static void words_follow_the_selector(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct address address = {{[0] = 0xaa, [19] = 0xbb}};
    struct hash32 hash = {{[0] = 0x11, [31] = 0x22}};
    struct abi_writer writer = abi_writer(arena, 5);
    struct bytes data;
    abi_write_selector(&writer, "transfer(address,uint256)");
    abi_write_address(&writer, &address);
    abi_write_u64(&writer, 0x1234);
    abi_write_hash32(&writer, &hash);
    abi_write_bool(&writer, true);
    abi_write_u256(&writer, (struct u256){{0, 0, 0, 1}});
    assert_true(abi_finish(&data, &writer));
    char text[HEX_TEXT_SIZE(4 + 5 * 32)];
    hex_encode(text, data);
    assert_string_equal(text, "0xa9059cbb"
                              "000000000000000000000000aa000000000000000000000000000000000000bb"
                              "0000000000000000000000000000000000000000000000000000000000001234"
                              "1100000000000000000000000000000000000000000000000000000000000022"
                              "0000000000000000000000000000000000000000000000000000000000000001"
                              "0000000000000001000000000000000000000000000000000000000000000000");
    abi_write_bool(&writer, false);
    assert_false(abi_finish(&data, &writer));
    arena_free(arena);
}

static void a_full_arena_fails_at_the_end_and_not_before(void **state)
{
    (void)state;
    struct arena *arena = arena_new(64);
    struct bytes data;
    struct abi_writer writer = abi_writer(arena, 100);
    abi_write_selector(&writer, "mint(address)");
    abi_write_u64(&writer, 1);
    assert_false(abi_finish(&data, &writer));
    writer = abi_writer(arena, SIZE_MAX / 16);
    assert_false(abi_finish(&data, &writer));
    arena_free(arena);
}

static void words_are_read_within_their_types_only(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool u256, u64, address, boolean;
    } rows[] = {
        {WORD("00"), true, true, true, true},
        {WORD("01"), true, true, true, true},
        {WORD("02"), true, true, true, false},
        {"000000000000000000000000000000000000000000000000ffffffffffffffff", true, true, true,
         false},
        {"0000000000000000000000000000000000000000000000010000000000000000", true, false, true,
         false},
        {"000000000000000000000000ffffffffffffffffffffffffffffffffffffffff", true, false, true,
         false},
        {"000000000000000000000001ffffffffffffffffffffffffffffffffffffffff", true, false, false,
         false},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", true, false, false,
         false},
        {ZERO_31, false, false, false, false}, // a byte short
        {"", false, false, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes data = vector_bytes(rows[i].hex);
        struct u256 wide;
        uint64_t narrow;
        struct address address;
        bool boolean;
        assert_int_equal(abi_read_u256(&wide, data, 0), rows[i].u256);
        assert_int_equal(abi_read_u64(&narrow, data, 0), rows[i].u64);
        assert_int_equal(abi_read_address(&address, data, 0), rows[i].address);
        assert_int_equal(abi_read_bool(&boolean, data, 0), rows[i].boolean);
        assert_false(abi_read_u256(&wide, data, 1));
        assert_false(abi_read_u256(&wide, data, SIZE_MAX));
        vector_free(data);
    }
}

static void dynamic_bytes_stay_inside_the_data(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *text; // NULL: refused
    } rows[] = {
        {WORD("20") WORD("03") "616263"
                               "0000000000" ZERO_24,
         "abc"},
        {WORD("20") WORD("03") "616263", "abc"}, // unpadded tail
        {WORD("20") WORD("00"), ""},
        {WORD("40") WORD("99") WORD("02") "6869", "hi"},
        {WORD("20") WORD("03") "6162", NULL}, // cut
        {WORD("20") WORD("03") "616263"
                               "0000000001",
         NULL},                                   // padding in use
        {WORD("20"), NULL},                       // no length
        {WORD("40") WORD("00"), NULL},            // offset past the end
        {WORD("1f") WORD("00") WORD("00"), NULL}, // offset between words
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0" WORD("00"), NULL},
        {"000000000000000000000000000000000000000000000000ffffffffffffffe0" WORD("00"), NULL},
        {WORD("20") "000000000000000000000000000000000000000000000000ffffffffffffffff", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes data = vector_bytes(rows[i].hex);
        struct bytes value = {NULL, 0};
        if (abi_read_dynamic(&value, data, 0) != (rows[i].text != NULL))
            fail_msg("wrong answer to row %zu", i);
        if (rows[i].text)
            assert_true(bytes_equal(value, bytes_of_text(rows[i].text)));
        vector_free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_follow_the_selector),
        cmocka_unit_test(a_full_arena_fails_at_the_end_and_not_before),
        cmocka_unit_test(words_are_read_within_their_types_only),
        cmocka_unit_test(dynamic_bytes_stay_inside_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
