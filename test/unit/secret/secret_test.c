// SPDX-License-Identifier: Apache-2.0
// Tests of secret references: each kind, and one row per way to be refused without a leak.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "base/hex.h"
#include "secret/keystore.h"
#include "secret/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// The first account of anvil and hardhat, known to everybody.
#define DIGITS   "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
#define NO_KEY   "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define VARIABLE "SLUICE_SECRET_TEST_KEY"

static char directory[] = "/tmp/sluice-secret-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

// A reference with a prefix, a path without; each prefix has its own buffer.
static const char *in_directory(const char *prefix, const char *name)
{
    static char path[256], reference[256];
    char *out = prefix[0] == '\0' ? path : reference;
    snprintf(out, sizeof path, "%s%s/%s", prefix, directory, name);
    return out;
}

static void write_file(const char *path, const char *text, size_t size, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static enum status resolve(char ret_error[256], const char *reference, const char *passphrase)
{
    struct eth_key key = {{0}};
    uint8_t expected[32];
    ret_error[0] = '\0';
    enum status status = secret_private_key(&key, ret_error, 256, reference, passphrase);
    assert_true(hex_decode(expected, sizeof expected, DIGITS));
    if (status == STATUS_OK)
        assert_memory_equal(key.secret, expected, sizeof expected);
    else
        assert_true(ret_error[0] != '\0' && strchr(ret_error, '\n') == NULL);
    assert_null(strstr(ret_error, "ac0974"));
    return status;
}

static void raw_references_one_row_per_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *reference;
        enum status status;
        bool raw;
    } rows[] = {
        {"0x" DIGITS, STATUS_OK, true},
        {"0x" NO_KEY, STATUS_INVALID, true},
        {"0x" DIGITS "00", STATUS_INVALID, true},
        {"0xac0974", STATUS_INVALID, true},
        {"0x", STATUS_INVALID, true},
        {"0x0000000000000000000000000000000000000000000000000000000000000000", STATUS_INVALID,
         true},
        {DIGITS, STATUS_INVALID, false},
        {"", STATUS_INVALID, false},
        {"vault:secret/ac0974", STATUS_INVALID, false},
        {"FILE:/etc/ac0974", STATUS_INVALID, false},
        {" 0x" DIGITS, STATUS_INVALID, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[256];
        if (resolve(error, rows[i].reference, NULL) != rows[i].status)
            fail_msg("row %zu: %s", i, error);
        assert_int_equal(secret_is_raw(rows[i].reference), rows[i].raw);
    }
}

static void files_one_row_per_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        mode_t mode;
        enum status status;
    } rows[] = {
#define ROW(text, mode, status) {text, sizeof(text) - 1, mode, status}
        ROW("0x" DIGITS, 0600, STATUS_OK),
        ROW(DIGITS "\n", 0600, STATUS_OK),
        ROW("0x" DIGITS "\r\n", 0400, STATUS_OK),
        ROW(DIGITS "\n\n", 0600, STATUS_INVALID),
        ROW(DIGITS "\n" DIGITS "\n", 0600, STATUS_INVALID),
        ROW(DIGITS " \n", 0600, STATUS_INVALID),
        ROW(DIGITS "\0\n", 0600, STATUS_INVALID),
        ROW("", 0600, STATUS_INVALID),
        ROW("\n", 0600, STATUS_INVALID),
        ROW(NO_KEY, 0600, STATUS_INVALID),
        ROW(DIGITS DIGITS DIGITS DIGITS DIGITS, 0600, STATUS_INVALID),
        ROW(DIGITS, 0640, STATUS_DENIED),
        ROW(DIGITS, 0604, STATUS_DENIED),
        ROW(DIGITS, 0602, STATUS_DENIED),
        ROW(DIGITS, 0644, STATUS_DENIED),
#undef ROW
    };
    const char *path = in_directory("", "key");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[256];
        write_file(path, rows[i].text, rows[i].size, rows[i].mode);
        if (resolve(error, in_directory("file:", "key"), NULL) != rows[i].status)
            fail_msg("row %zu: %s", i, error);
        assert_int_equal(unlink(path), 0);
    }
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    char error[256];
    assert_int_equal(resolve(error, in_directory("file:", "none"), NULL), STATUS_NOT_FOUND);
    assert_int_equal(resolve(error, in_directory("keystore:", "none"), "x"), STATUS_NOT_FOUND);
    assert_int_equal(resolve(error, in_directory("file:", ""), NULL), STATUS_INVALID);
    assert_int_equal(resolve(error, "file:", NULL), STATUS_NOT_FOUND);
    const char *fifo = in_directory("", "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(resolve(error, in_directory("file:", "fifo"), NULL), STATUS_INVALID);
    assert_int_equal(unlink(fifo), 0);
    // A key written after the wrong prefix is not repeated as a path.
    assert_int_equal(resolve(error, "file:" DIGITS, NULL), STATUS_NOT_FOUND);
}

static void keystores_one_row_per_outcome(void **state)
{
    (void)state;
    struct eth_key key;
    char json[KEYSTORE_JSON_SIZE], error[256];
    assert_true(hex_decode(key.secret, sizeof key.secret, DIGITS));
    assert_true(keystore_encrypt(json, &key, "right", 4, random_system()));
    const char *path = in_directory("", "store");
    // Encrypted, so others may read it.
    write_file(path, json, strlen(json), 0644);
    const struct {
        const char *passphrase;
        enum status status;
    } rows[] = {{"right", STATUS_OK}, {"wrong", STATUS_DENIED}, {NULL, STATUS_INVALID}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(resolve(error, in_directory("keystore:", "store"), rows[i].passphrase),
                         rows[i].status);
    write_file(path, "{}", 2, 0600);
    assert_int_equal(resolve(error, in_directory("keystore:", "store"), "x"), STATUS_INVALID);
    static const char version_1[] = "{\"version\":1,\"crypto\":{}}";
    write_file(path, version_1, sizeof version_1 - 1, 0600);
    assert_int_equal(resolve(error, in_directory("keystore:", "store"), "x"), STATUS_INVALID);
    assert_non_null(strstr(error, "version 3"));
    char *huge = calloc(1, KEYSTORE_FILE_BYTES_MAX + 1);
    assert_non_null(huge);
    memset(huge, ' ', KEYSTORE_FILE_BYTES_MAX + 1);
    write_file(path, huge, KEYSTORE_FILE_BYTES_MAX + 1, 0600);
    free(huge);
    assert_int_equal(resolve(error, in_directory("keystore:", "store"), "x"), STATUS_INVALID);
    assert_int_equal(unlink(path), 0);
}

// fault 70: wiped from the environment
static void the_environment_gives_its_secret_once(void **state)
{
    (void)state;
    char error[256];
    assert_int_equal(setenv(VARIABLE, "0x" DIGITS, 1), 0);
    const char *place = getenv(VARIABLE);
    assert_int_equal(resolve(error, "env:" VARIABLE, NULL), STATUS_OK);
    assert_null(getenv(VARIABLE));
    for (size_t i = 0; i < sizeof DIGITS; i++)
        assert_int_equal(place[i], 0); // wiped where it stood, not only unset
    assert_int_equal(resolve(error, "env:" VARIABLE, NULL), STATUS_NOT_FOUND);
}

static void bad_environment_values_are_refused_and_removed_too(void **state)
{
    (void)state;
    char error[256];
    assert_int_equal(setenv(VARIABLE, DIGITS "0", 1), 0);
    assert_int_equal(resolve(error, "env:" VARIABLE, NULL), STATUS_INVALID);
    assert_null(getenv(VARIABLE));
    assert_int_equal(resolve(error, "env:", NULL), STATUS_INVALID);
    assert_int_equal(resolve(error, "env:A=B", NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_references_one_row_per_outcome),
        cmocka_unit_test(files_one_row_per_outcome),
        cmocka_unit_test(what_is_no_file_is_refused),
        cmocka_unit_test(keystores_one_row_per_outcome),
        cmocka_unit_test(the_environment_gives_its_secret_once),
        cmocka_unit_test(bad_environment_values_are_refused_and_removed_too),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
