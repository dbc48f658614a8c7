// SPDX-License-Identifier: Apache-2.0
// Tests of keystores: the published vectors, a round trip, and one row per way to be refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "base/hex.h"
#include "eth/keccak.h"
#include "secret/keystore.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG2_N 4 // cheap

static void read_vector(char out[KEYSTORE_FILE_BYTES_MAX], const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/keystore/%s", TEST_VECTORS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(out, 1, KEYSTORE_FILE_BYTES_MAX - 1, file);
    out[size] = '\0';
    fclose(file);
}

static struct eth_key test_key(void)
{
    // The first account of anvil and hardhat, known to everybody.
    uint8_t secret[32];
    struct eth_key key;
    assert_true(hex_decode(secret, sizeof secret,
                           "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"));
    assert_true(eth_key_from_secret(&key, secret));
    return key;
}

static void published_vectors_open_with_their_passphrase_only(void **state)
{
    (void)state;
    static const struct {
        const char *name, *passphrase, *address;
    } rows[] = {{"scrypt.json", "foobar", "0x7EF5A6135f1FD6a02593eEdC869c6D41D934aef8"},
                {"pbkdf2.json", "testpassword", "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"}};
    for (size_t i = 0; i < 2; i++) {
        char json[KEYSTORE_FILE_BYTES_MAX], address[ADDRESS_TEXT_SIZE];
        struct eth_key key, before;
        read_vector(json, rows[i].name);
        assert_int_equal(keystore_decrypt(&key, json, rows[i].passphrase), STATUS_OK);
        struct address owner = eth_key_address(&key);
        address_format(address, &owner);
        assert_string_equal(address, rows[i].address);
        before = key;
        assert_int_equal(keystore_decrypt(&key, json, "testpasswore"), STATUS_DENIED);
        assert_memory_equal(&key, &before, sizeof key); // untouched
    }
}

static void what_is_encrypted_decrypts(void **state)
{
    (void)state;
    static const char *const passphrases[] = {"", "a", "gr\303\274\303\237e und mehr"};
    struct eth_key key = test_key(), back;
    for (size_t i = 0; i < 3; i++) {
        char json[KEYSTORE_JSON_SIZE];
        assert_true(keystore_encrypt(json, &key, passphrases[i], LOG2_N, random_system()));
        assert_int_equal(keystore_decrypt(&back, json, passphrases[i]), STATUS_OK);
        assert_memory_equal(back.secret, key.secret, sizeof key.secret);
        assert_int_equal(keystore_decrypt(&back, json, "other"), STATUS_DENIED);
        assert_non_null(strstr(json, "\"address\":\"f39fd6e51aad88f6f4ce6ab8827279cfffb92266\""));
    }
}

static void two_keystores_of_one_key_share_no_salt_iv_or_id(void **state)
{
    (void)state;
    struct eth_key key = test_key();
    char a[KEYSTORE_JSON_SIZE], b[KEYSTORE_JSON_SIZE];
    assert_true(keystore_encrypt(a, &key, "x", LOG2_N, random_system()));
    assert_true(keystore_encrypt(b, &key, "x", LOG2_N, random_system()));
    static const char *const members[] = {"\"salt\":\"", "\"iv\":\"", "\"id\":\"", "\"mac\":\""};
    for (size_t i = 0; i < 4; i++) {
        const char *in_a = strstr(a, members[i]), *in_b = strstr(b, members[i]);
        assert_non_null(in_a);
        assert_non_null(in_b);
        assert_int_not_equal(strncmp(in_a, in_b, strlen(members[i]) + 32), 0);
    }
    assert_true(strlen(a) + 64 < KEYSTORE_JSON_SIZE); // room for the largest n
}

// The text with its first `from` replaced by `to`.
static void edit(char out[KEYSTORE_FILE_BYTES_MAX], const char *json, const char *from,
                 const char *to)
{
    const char *at = strstr(json, from);
    assert_non_null(at);
    snprintf(out, KEYSTORE_FILE_BYTES_MAX, "%.*s%s%s", (int)(at - json), json, to,
             at + strlen(from));
}

// Each row breaks one thing in a keystore that opens.
static void faults_one_row_each(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        enum status status;
    } rows[] = {
        {"\"version\":3", "\"version\":4", STATUS_UNSUPPORTED},
        {"\"version\":3", "\"version\":1", STATUS_UNSUPPORTED},
        {"\"version\":3", "\"version\":\"3\"", STATUS_CORRUPT},
        {"\"version\":3,", "", STATUS_CORRUPT},
        {"\"version\":3", "\"version\":3,\"version\":3", STATUS_CORRUPT},
        {"\"crypto\"", "\"Crypto\"", STATUS_OK},
        {"\"crypto\"", "\"CRYPTO\"", STATUS_CORRUPT},
        {"\"crypto\":{", "\"crypto\":[],\"other\":{", STATUS_CORRUPT},
        {"aes-128-ctr", "aes-128-cbc", STATUS_UNSUPPORTED},
        {"\"cipher\"", "\"zipher\"", STATUS_UNSUPPORTED},
        {"\"kdf\":\"scrypt\"", "\"kdf\":\"argon2\"", STATUS_UNSUPPORTED},
        {"\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"", STATUS_UNSUPPORTED}, // without a prf
        {"\"kdf\":\"scrypt\"", "\"kdf\":7", STATUS_UNSUPPORTED},
        {"\"kdfparams\"", "\"params\"", STATUS_CORRUPT},
        {"\"dklen\":32", "\"dklen\":64", STATUS_UNSUPPORTED},
        {"\"dklen\":32", "\"dklen\":-32", STATUS_CORRUPT},
        {"\"n\":16", "\"n\":15", STATUS_CORRUPT},
        {"\"n\":16", "\"n\":1", STATUS_CORRUPT},
        {"\"n\":16", "\"n\":0", STATUS_CORRUPT},
        {"\"n\":16", "\"n\":-16", STATUS_CORRUPT},
        {"\"n\":16", "\"n\":16.0", STATUS_CORRUPT},
        {"\"n\":16", "\"n\":8", STATUS_DENIED},                    // another derived key
        {"\"n\":16", "\"n\":1048576", STATUS_CORRUPT},             // 1 GiB
        {"\"n\":16", "\"n\":4611686018427387904", STATUS_CORRUPT}, // overflow bait
        {"\"n\":16", "\"n\":99999999999999999999", STATUS_CORRUPT},
        {"\"r\":8", "\"r\":0", STATUS_CORRUPT},
        // Past RFC 7914's bound of n by r, which OpenSSL holds to.
        {"\"n\":16,\"r\":8", "\"n\":65536,\"r\":1", STATUS_UNSUPPORTED},
        {"\"r\":8", "\"r\":4611686018427387904", STATUS_CORRUPT},
        {"\"r\":8", "\"r\":9", STATUS_DENIED},
        {"\"p\":1", "\"p\":0", STATUS_CORRUPT},
        {"\"p\":1", "\"p\":9223372036854775807", STATUS_CORRUPT},
        {"\"p\":1", "\"p\":65537", STATUS_CORRUPT}, // n * r * p past the limit
        {"\"p\":1", "\"p\":2", STATUS_DENIED},
        {"\"salt\":\"", "\"salt\":\"zz", STATUS_CORRUPT},
        {"\"salt\":\"", "\"salt\":\"00", STATUS_DENIED},
        {"\"iv\":\"", "\"iv\":\"00", STATUS_CORRUPT},
        {"\"mac\":\"", "\"mac\":\"00", STATUS_CORRUPT},
        {"\"mac\"", "\"mak\"", STATUS_CORRUPT},
        {"\"ciphertext\":\"", "\"ciphertext\":\"00", STATUS_CORRUPT},
        {"}}", "}", STATUS_CORRUPT},
        {"}}", "}}}", STATUS_CORRUPT},
    };
    struct eth_key key = test_key();
    char json[KEYSTORE_JSON_SIZE], edited[KEYSTORE_FILE_BYTES_MAX];
    assert_true(keystore_encrypt(json, &key, "x", LOG2_N, random_system()));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eth_key back = {{0}};
        edit(edited, json, rows[i].from, rows[i].to);
        enum status status = keystore_decrypt(&back, edited, "x");
        if (status != rows[i].status)
            fail_msg("row %zu: %s", i, status_text(status));
    }
}

static void pbkdf2_faults_one_row_each(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        enum status status;
    } rows[] = {
        {"\"c\": 262144", "\"c\": 1", STATUS_DENIED},
        {"\"c\": 262144", "\"c\": 0", STATUS_CORRUPT},
        {"\"c\": 262144", "\"c\": 10000001", STATUS_CORRUPT},
        {"\"c\": 262144", "\"c\": 4294967297", STATUS_CORRUPT},
        {"hmac-sha256", "hmac-sha512", STATUS_UNSUPPORTED},
    };
    char json[KEYSTORE_FILE_BYTES_MAX], edited[KEYSTORE_FILE_BYTES_MAX];
    read_vector(json, "pbkdf2.json");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct eth_key back;
        edit(edited, json, rows[i].from, rows[i].to);
        if (keystore_decrypt(&back, edited, "testpassword") != rows[i].status)
            fail_msg("row %zu", i);
    }
}

static void texts_that_are_no_keystore_are_corrupt(void **state)
{
    (void)state;
    char *huge = malloc(KEYSTORE_FILE_BYTES_MAX + 2);
    assert_non_null(huge);
    memset(huge, ' ', KEYSTORE_FILE_BYTES_MAX + 1);
    huge[KEYSTORE_FILE_BYTES_MAX + 1] = '\0';
    char deep[4096];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    const char *const texts[] = {"",         "{}",
                                 "[]",       "null",
                                 "\"\"",     "{\"version\":3}",
                                 "not json", "{\"version\":3,\"crypto\":null}",
                                 huge,       deep};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct eth_key key;
        assert_int_equal(keystore_decrypt(&key, texts[i], "x"), STATUS_CORRUPT);
    }
    free(huge);
}

// Reads the hex member of a keystore we wrote.
static char *hex_member(uint8_t *ret_bytes, size_t size, char *json, const char *name)
{
    char start[32], text[128];
    snprintf(start, sizeof start, "\"%s\":\"", name);
    char *at = strstr(json, start);
    assert_non_null(at);
    at += strlen(start);
    snprintf(text, sizeof text, "%.*s", (int)(2 * size), at);
    assert_true(hex_decode(ret_bytes, size, text));
    return at;
}

static void write_hex(char *at, const uint8_t *data, size_t size)
{
    char text[HEX_TEXT_SIZE(32)];
    hex_encode(text, (struct bytes){data, size});
    memcpy(at, text + 2, 2 * size);
}

// In CTR mode a ciphertext can be turned into one of zero, which is no key; the MAC is made anew.
static void a_keystore_of_no_valid_key_is_corrupt(void **state)
{
    (void)state;
    struct eth_key key = test_key(), back;
    char json[KEYSTORE_JSON_SIZE];
    uint8_t salt[32], derived[32], body[48], mac[32];
    assert_true(keystore_encrypt(json, &key, "x", LOG2_N, random_system()));
    hex_member(salt, sizeof salt, json, "salt");
    assert_int_equal(EVP_PBE_scrypt("x", 1, salt, sizeof salt, 1 << LOG2_N, 8, 1, 1 << 20, derived,
                                    sizeof derived),
                     1);
    memcpy(body, derived + 16, 16);
    char *ciphertext = hex_member(body + 16, 32, json, "ciphertext");
    char *mac_text = hex_member(mac, sizeof mac, json, "mac");
    struct hash32 made = keccak256((struct bytes){body, sizeof body});
    assert_memory_equal(made.bytes, mac, sizeof mac);
    for (size_t i = 0; i < 32; i++)
        body[16 + i] ^= key.secret[i];
    made = keccak256((struct bytes){body, sizeof body});
    write_hex(ciphertext, body + 16, 32);
    write_hex(mac_text, made.bytes, sizeof made.bytes);
    assert_int_equal(keystore_decrypt(&back, json, "x"), STATUS_CORRUPT);
}

static void files_are_private_whole_and_never_replaced(void **state)
{
    (void)state;
    char directory[] = "/tmp/sluice-keystore-XXXXXX", path[128], text[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/key.json", directory);
    assert_int_equal(keystore_write(path, "first\n"), STATUS_OK);
    assert_int_equal(keystore_write(path, "second\n"), STATUS_EXISTS);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(facts.st_nlink, 1);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "first\n");
    fclose(file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0); // nothing else was left in it
    assert_int_equal(keystore_write(path, "x"), STATUS_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_open_with_their_passphrase_only),
        cmocka_unit_test(what_is_encrypted_decrypts),
        cmocka_unit_test(two_keystores_of_one_key_share_no_salt_iv_or_id),
        cmocka_unit_test(faults_one_row_each),
        cmocka_unit_test(pbkdf2_faults_one_row_each),
        cmocka_unit_test(texts_that_are_no_keystore_are_corrupt),
        cmocka_unit_test(a_keystore_of_no_valid_key_is_corrupt),
        cmocka_unit_test(files_are_private_whole_and_never_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
