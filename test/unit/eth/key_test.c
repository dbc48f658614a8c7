// SPDX-License-Identifier: Apache-2.0
// Keys: RFC 6979 signatures, the range of secrets, what recovery refuses.
#include "eth/key.h"

#include "eth/keccak.h"
#include "eth/vectors.h"

#include <openssl/sha.h>
#include <pthread.h>

static const char order_text[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

static struct eth_key key_of(const char *hex)
{
    uint8_t secret[32];
    struct eth_key key;
    assert_true(hex_decode(secret, sizeof secret, hex));
    assert_true(eth_key_from_secret(&key, secret));
    return key;
}

static void signatures_are_those_of_rfc_6979_with_low_s(void **state)
{
    (void)state;
    json_t *root = vectors_load("rfc6979.json");
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(root, "rows"), index, row)
    {
        struct eth_key key = key_of(vector_text(row, "key"));
        struct address own = eth_key_address(&key);
        struct address signer;
        const char *message = vector_text(row, "message");
        struct hash32 digest;
        SHA256((const uint8_t *)message, strlen(message), digest.bytes);
        struct hash32 r = vector_hash(row, "r");
        struct hash32 s = vector_hash(row, "s");
        struct eth_signature signature = eth_sign(&key, &digest);
        assert_memory_equal(signature.r, r.bytes, 32);
        assert_memory_equal(signature.s, s.bytes, 32);
        assert_true(eth_recover(&signer, &signature, &digest));
        assert_true(address_equal(&signer, &own));
    }
    json_decref(root);
}

static void addresses_are_those_of_known_test_keys(void **state)
{
    (void)state;
    static const struct {
        const char *secret, *address;
    } rows[] = {
        // EIP-155's example, anvil's first two, and the key 1
        {"4646464646464646464646464646464646464646464646464646464646464646",
         "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"},
        {"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
         "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
        {"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
         "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"},
        {"0000000000000000000000000000000000000000000000000000000000000001",
         "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[ADDRESS_TEXT_SIZE];
        struct eth_key key = key_of(rows[i].secret);
        struct address address = eth_key_address(&key);
        address_format(text, &address);
        assert_string_equal(text, rows[i].address);
        eth_key_wipe(&key);
        assert_memory_equal(key.secret, (uint8_t[32]){0}, sizeof key.secret);
    }
}

static void secrets_outside_the_group_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *secret;
        bool fine;
    } rows[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", false},
        {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", true},
        {order_text, false},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t secret[32];
        struct eth_key key;
        memset(&key, 0xee, sizeof key);
        assert_true(hex_decode(secret, sizeof secret, rows[i].secret));
        assert_int_equal(eth_key_from_secret(&key, secret), rows[i].fine);
        if (!rows[i].fine)
            assert_int_equal(key.secret[0] + key.secret[31], 2 * 0xee);
    }
}

// s of the other, high form: the group order minus s.
static void make_high(uint8_t s[32])
{
    uint8_t order[32];
    int borrow = 0;
    assert_true(hex_decode(order, sizeof order, order_text));
    for (size_t i = 32; i-- > 0;) {
        int difference = order[i] - s[i] - borrow;
        borrow = difference < 0;
        s[i] = (uint8_t)(difference + 256 * borrow);
    }
}

enum spoil {
    SPOIL_NOTHING,
    SPOIL_PARITY,
    SPOIL_HIGH_S,
    SPOIL_R_ZERO,
    SPOIL_S_ZERO,
    SPOIL_R_ORDER,
    SPOIL_S_ORDER,
    SPOIL_NO_POINT
};

static void spoil(struct eth_signature *signature, enum spoil how)
{
    switch (how) {
    case SPOIL_NOTHING:
        break;
    case SPOIL_PARITY:
        signature->y_parity = 4; // the library would abort on it
        break;
    case SPOIL_HIGH_S:
        make_high(signature->s);
        signature->y_parity ^= 1;
        break;
    case SPOIL_R_ZERO:
        memset(signature->r, 0, 32);
        break;
    case SPOIL_S_ZERO:
        memset(signature->s, 0, 32);
        break;
    case SPOIL_R_ORDER:
        assert_true(hex_decode(signature->r, 32, order_text));
        break;
    case SPOIL_S_ORDER:
        assert_true(hex_decode(signature->s, 32, order_text));
        break;
    case SPOIL_NO_POINT:
        // 5 is not the x of any point of the curve.
        memset(signature->r, 0, 32);
        signature->r[31] = 5;
        break;
    }
}

static void recovery_refuses_what_no_key_can_have_signed(void **state)
{
    (void)state;
    struct eth_key key = key_of("4646464646464646464646464646464646464646464646464646464646464646");
    struct hash32 digest = keccak256_text("digest");
    struct address own = eth_key_address(&key);
    for (enum spoil how = SPOIL_NOTHING; how <= SPOIL_NO_POINT; how++) {
        struct eth_signature signature = eth_sign(&key, &digest);
        struct address signer = {{0}};
        spoil(&signature, how);
        assert_int_equal(eth_recover(&signer, &signature, &digest), how == SPOIL_NOTHING);
        assert_true(how == SPOIL_NOTHING ? address_equal(&signer, &own) : address_is_zero(&signer));
    }
}

static void another_digest_recovers_another_address(void **state)
{
    (void)state;
    struct eth_key key = key_of("4646464646464646464646464646464646464646464646464646464646464646");
    struct address own = eth_key_address(&key);
    struct address signer = {{0}};
    struct hash32 digest = keccak256_text("one");
    struct hash32 other = keccak256_text("two");
    struct eth_signature signature = eth_sign(&key, &digest);
    if (eth_recover(&signer, &signature, &other))
        assert_false(address_equal(&signer, &own));
}

#define THREADS           4
#define ROUNDS_PER_THREAD 50

static void *sign_often(void *argument)
{
    const struct eth_key *key = argument;
    struct address own = eth_key_address(key);
    for (uint8_t i = 0; i < ROUNDS_PER_THREAD; i++) {
        struct hash32 digest = keccak256((struct bytes){&i, 1});
        struct eth_signature signature = eth_sign(key, &digest);
        struct address signer;
        if (!eth_recover(&signer, &signature, &digest) || !address_equal(&signer, &own))
            return argument;
    }
    return NULL;
}

static void threads_share_the_context(void **state)
{
    (void)state;
    struct eth_key key = key_of("4646464646464646464646464646464646464646464646464646464646464646");
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &key), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_rfc_6979_with_low_s),
        cmocka_unit_test(addresses_are_those_of_known_test_keys),
        cmocka_unit_test(secrets_outside_the_group_are_refused),
        cmocka_unit_test(recovery_refuses_what_no_key_can_have_signed),
        cmocka_unit_test(another_digest_recovers_another_address),
        cmocka_unit_test(threads_share_the_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
