// SPDX-License-Identifier: Apache-2.0
// Settings: the table's own order, every kind of wrong value, precedence, secrets kept silent.
#include "base/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_SIZE 512

static struct settings *load_one(char error[ERROR_SIZE], const char *pair)
{
    const char *const pairs[] = {pair, NULL};
    error[0] = '\0';
    return settings_from_pairs(error, ERROR_SIZE, pairs);
}

static void table_is_alphabetical_and_every_default_is_right(void **state)
{
    (void)state;
    size_t count;
    const struct setting *table = settings_table(&count);
    for (size_t i = 1; i < count; i++)
        assert_true(strcmp(table[i - 1].name, table[i].name) < 0);
    for (size_t i = 0; i < count; i++) {
        assert_null(strchr(table[i].help, '\n'));
        assert_true(strlen(table[i].help) > 10);
        assert_false(table[i].secret && table[i].fallback);
    }
    char error[ERROR_SIZE] = "";
    const char *const none[] = {NULL};
    struct settings *settings = settings_from_pairs(error, sizeof error, none);
    assert_string_equal(error, "");
    assert_int_equal(settings_integer(settings, "CONFIRMATIONS"), 12);
    assert_string_equal(settings_text(settings, "FINALITY"), "depth");
    assert_string_equal(settings_text(settings, "MAX_FEE_PER_GAS_GWEI"), "100");
    assert_null(settings_text(settings, "USDC_ADDRESS"));
    settings_free(settings);
    settings_free(NULL);
}

static void wrong_values_give_one_line_that_names_the_setting(void **state)
{
    (void)state;
    static const struct {
        const char *pair, *error; // NULL: fine
    } rows[] = {
        {"CONFIRMATIONS=1", NULL},
        {"CONFIRMATIONS=1000", NULL},
        {"CONFIRMATIONS=", NULL},
        {"CONFIRMATIONS=0",
         "CONFIRMATIONS: \"0\" is wrong; it should be a whole number from 1 to 1000"},
        {"CONFIRMATIONS=1001",
         "CONFIRMATIONS: \"1001\" is wrong; it should be a whole number from 1 to 1000"},
        {"CONFIRMATIONS=-1",
         "CONFIRMATIONS: \"-1\" is wrong; it should be a whole number from 1 to 1000"},
        {"CONFIRMATIONS=1.5",
         "CONFIRMATIONS: \"1.5\" is wrong; it should be a whole number from 1 to 1000"},
        {"CONFIRMATIONS=0x10",
         "CONFIRMATIONS: \"0x10\" is wrong; it should be a whole number from 1 to 1000"},
        {"CONFIRMATIONS=12 blocks",
         "CONFIRMATIONS: \"12 blocks\" is wrong; it should be a whole number from 1 to 1000"},
        {"CONFIRMATIONS=99999999999999999999999",
         "CONFIRMATIONS: \"99999999999999999999999\" is wrong; it should be a whole number from 1 "
         "to 1000"},
        {"FINALITY=safe", NULL},
        {"FINALITY=Safe", "FINALITY: \"Safe\" is wrong; it should be one of depth|safe|finalized"},
        {"FINALITY=saf", "FINALITY: \"saf\" is wrong; it should be one of depth|safe|finalized"},
        {"FINALITY=depth|safe",
         "FINALITY: \"depth|safe\" is wrong; it should be one of depth|safe|finalized"},
        {"USDC_ADDRESS=0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", NULL},
        {"USDC_ADDRESS=A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
         "USDC_ADDRESS: \"A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48\" is wrong; it should be an "
         "address: 0x and 40 hex digits"},
        {"USDC_ADDRESS=0x12", "USDC_ADDRESS: \"0x12\" is wrong; it should be an address: 0x and 40 "
                              "hex digits"},
        {"MAX_FEE_PER_GAS_GWEI=0.05", NULL},
        {"MAX_FEE_PER_GAS_GWEI=1000000", NULL},
        {"MAX_FEE_PER_GAS_GWEI=1000000.000000001",
         "MAX_FEE_PER_GAS_GWEI: \"1000000.000000001\" is wrong; it should be a decimal number of "
         "gwei from 0 to 1000000, at most 9 decimals"},
        {"MAX_FEE_PER_GAS_GWEI=1e2",
         "MAX_FEE_PER_GAS_GWEI: \"1e2\" is wrong; it should be a decimal number of gwei from 0 to "
         "1000000, at most 9 decimals"},
        {"OUTBOUND_WEBHOOK_URL=https://shop.example/hook?x=1", NULL},
        {"OUTBOUND_WEBHOOK_URL=https://a.example,https://b.example",
         "OUTBOUND_WEBHOOK_URL: \"https://a.example,https://b.example\" is wrong; it should be an "
         "http:// or https:// URL"},
        {"OUTBOUND_WEBHOOK_URL=ftp://a.example", "OUTBOUND_WEBHOOK_URL: \"ftp://a.example\" is "
                                                 "wrong; it should be an http:// or https:// URL"},
        {"OUTBOUND_WEBHOOK_URL=https:///path", "OUTBOUND_WEBHOOK_URL: \"https:///path\" is wrong; "
                                               "it should be an http:// or https:// URL"},
        {"ETH_RPC_HTTPS=http://127.0.0.1:8545,https://node.example/v3/key", NULL},
        {"ETH_RPC_HTTPS=https://node.example/v3/key,",
         "ETH_RPC_HTTPS: the value is wrong; it should be 1 to 16 http:// or https:// URLs, "
         "separated by commas"},
        {"ETH_RPC_HTTPS=https://node.example/v3/ key",
         "ETH_RPC_HTTPS: the value is wrong; it should be 1 to 16 http:// or https:// URLs, "
         "separated by commas"},
        {"API_LISTEN=a\nb", "API_LISTEN: the value is wrong; it should be printable text of at "
                            "most 8192 bytes"},
        {"NO_SUCH_NAME=1", "NO_SUCH_NAME: is no setting; sluice docs settings lists them"},
        {"just text", "the line has no =; it should be NAME=value"},
        {"USDC_ADDRESS_FILE=/no/such/file",
         "USDC_ADDRESS_FILE: cannot be read (No such file or directory); it should be the path of "
         "a file that holds USDC_ADDRESS"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[ERROR_SIZE];
        struct settings *settings = load_one(error, rows[i].pair);
        assert_string_equal(error, rows[i].error ? rows[i].error : "");
        assert_int_equal(settings != NULL, rows[i].error == NULL);
        settings_free(settings);
    }
}

static void a_list_of_more_urls_than_the_limit_is_refused(void **state)
{
    (void)state;
    static const char one[] = ",http://a";
    char pair[512] = "ETH_RPC_HTTPS=http://a";
    char error[ERROR_SIZE];
    size_t length = strlen(pair);
    for (int count = 1; count < 16; count++, length += sizeof one - 1)
        memcpy(pair + length, one, sizeof one);
    struct settings *settings = load_one(error, pair);
    assert_non_null(settings);
    settings_free(settings);
    memcpy(pair + length, one, sizeof one);
    assert_null(load_one(error, pair));
}

static void wrong_secrets_are_never_repeated(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    assert_null(load_one(error, "RELAYER_PRIVATE_KEY=0xsecret\x01"));
    assert_null(strstr(error, "0xsecret"));
    assert_non_null(strstr(error, "RELAYER_PRIVATE_KEY: the value is wrong"));
    assert_null(load_one(error, "ETH_RPC_HTTPS=wss://hidden"));
    assert_null(strstr(error, "hidden"));
}

static void twice_the_same_name_is_refused(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    const char *const pairs[] = {"CHAIN_ID=1", "CHAIN_ID=2", NULL};
    assert_null(settings_from_pairs(error, sizeof error, pairs));
    assert_string_equal(error, "CHAIN_ID: is given twice; it should be given once");
}

static void missing_settings_are_named_with_their_help(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    const char *const names[] = {"CONFIRMATIONS", "CHAIN_ID", NULL};
    struct settings *settings = load_one(error, "USDC_ADDRESS=");
    assert_false(settings_require(settings, error, sizeof error, names));
    assert_string_equal(error, "CHAIN_ID: is not set; it should be a whole number from 1 to "
                               "9223372036854775771 (Chain id every endpoint must report.)");
    settings_free(settings);
    settings = load_one(error, "CHAIN_ID=31337");
    assert_true(settings_require(settings, error, sizeof error, names));
    assert_int_equal(settings_integer(settings, "CHAIN_ID"), 31337);
    settings_free(settings);
}

static void write_file(char *path, const char *text)
{
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
}

static void environment_wins_over_file_and_file_over_default(void **state)
{
    (void)state;
    char error[ERROR_SIZE] = "";
    char secret[] = "/tmp/sluice-settings-test-XXXXXX";
    char file[] = "/tmp/sluice-settings-test-XXXXXX";
    char text[512];
    write_file(secret, "pass word\r\n");
    snprintf(text, sizeof text,
             "# a comment\n\n  CONFIRMATIONS = 3 \r\nCHAIN_ID=5\nKEYSTORE_PASSPHRASE_FILE=%s",
             secret);
    write_file(file, text);
    setenv("SLUICE_SETTINGS", file, 1);
    setenv("CHAIN_ID", "7", 1);
    setenv("POLL_INTERVAL_MS", "", 1);
    struct settings *settings = settings_load(error, sizeof error);
    assert_string_equal(error, "");
    assert_int_equal(settings_integer(settings, "CONFIRMATIONS"), 3);
    assert_int_equal(settings_integer(settings, "CHAIN_ID"), 7);
    assert_int_equal(settings_integer(settings, "POLL_INTERVAL_MS"), 1000);
    assert_string_equal(settings_text(settings, "KEYSTORE_PASSPHRASE"), "pass word");
    settings_free(settings);
    unlink(file);
    unlink(secret);
    assert_null(settings_load(error, sizeof error));
    assert_non_null(strstr(error, "SLUICE_SETTINGS: cannot be read (No such file"));
    unsetenv("SLUICE_SETTINGS");
    unsetenv("CHAIN_ID");
    unsetenv("POLL_INTERVAL_MS");
}

static void a_fault_in_the_file_says_which_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"CHAIN_ID=1\nTYPO=2\n", ":2: TYPO: is no setting; sluice docs settings lists them"},
        {"\n\nCHAIN_ID\n", ":3: the line has no =; it should be NAME=value"},
        {"CHAIN_ID=x\n", "CHAIN_ID: \"x\" is wrong; it should be a whole number from 1 to "
                         "9223372036854775771"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char error[ERROR_SIZE];
        char file[] = "/tmp/sluice-settings-test-XXXXXX";
        write_file(file, rows[i].text);
        setenv("SLUICE_SETTINGS", file, 1);
        assert_null(settings_load(error, sizeof error));
        unlink(file);
        assert_non_null(strstr(error, rows[i].error));
        assert_null(strchr(error, '\n'));
    }
    unsetenv("SLUICE_SETTINGS");
}

static void value_and_file_of_the_same_name_are_refused(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    char file[] = "/tmp/sluice-settings-test-XXXXXX";
    write_file(file, "keystore:/x\n");
    setenv("RELAYER_PRIVATE_KEY_FILE", file, 1);
    struct settings *settings = settings_load(error, sizeof error);
    assert_non_null(settings);
    assert_string_equal(settings_text(settings, "RELAYER_PRIVATE_KEY"), "keystore:/x");
    settings_free(settings);
    setenv("RELAYER_PRIVATE_KEY", "env:KEY", 1);
    assert_null(settings_load(error, sizeof error));
    assert_string_equal(error, "RELAYER_PRIVATE_KEY: is given twice; it should be given once");
    unsetenv("RELAYER_PRIVATE_KEY");
    unsetenv("RELAYER_PRIVATE_KEY_FILE");
    unlink(file);
}

static void a_forgotten_secret_counts_as_unset(void **state)
{
    (void)state;
    char error[256];
    static const char *const pairs[] = {"KEYSTORE_PASSPHRASE=correct horse", NULL};
    static const char *const needed[] = {"KEYSTORE_PASSPHRASE", NULL};
    struct settings *settings = settings_from_pairs(error, sizeof error, pairs);
    assert_non_null(settings);
    assert_string_equal(settings_text(settings, "KEYSTORE_PASSPHRASE"), "correct horse");
    settings_forget(settings, "KEYSTORE_PASSPHRASE");
    assert_null(settings_text(settings, "KEYSTORE_PASSPHRASE"));
    assert_false(settings_require(settings, error, sizeof error, needed));
    settings_free(settings);
}

static void printed_settings_show_no_secret(void **state)
{
    (void)state;
    char error[ERROR_SIZE];
    char *text = NULL;
    size_t size = 0;
    struct settings *settings = load_one(error, "STRIPE_WEBHOOK_SECRET=hush");
    FILE *out = open_memstream(&text, &size);
    settings_print(out, settings);
    settings_print(out, NULL);
    settings_print_markdown(out);
    fclose(out);
    settings_free(settings);
    assert_null(strstr(text, "hush"));
    assert_non_null(strstr(text, "STRIPE_WEBHOOK_SECRET              set\n"));
    assert_non_null(strstr(text, "KEYSTORE_PASSPHRASE                (not set)\n"));
    assert_non_null(strstr(text, "CONFIRMATIONS                      12\n"));
    assert_non_null(strstr(text, "| `FINALITY` | one of depth\\|safe\\|finalized | `depth` |"));
    free(text);
}

// What the caller's environment sets is not what is tested here.
static int clear_environment(void **state)
{
    (void)state;
    size_t count;
    const struct setting *table = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        char file_name[64];
        snprintf(file_name, sizeof file_name, "%s_FILE", table[i].name);
        unsetenv(table[i].name);
        unsetenv(file_name);
    }
    unsetenv("SLUICE_SETTINGS");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_alphabetical_and_every_default_is_right),
        cmocka_unit_test(wrong_values_give_one_line_that_names_the_setting),
        cmocka_unit_test(a_list_of_more_urls_than_the_limit_is_refused),
        cmocka_unit_test(wrong_secrets_are_never_repeated),
        cmocka_unit_test(twice_the_same_name_is_refused),
        cmocka_unit_test(missing_settings_are_named_with_their_help),
        cmocka_unit_test(environment_wins_over_file_and_file_over_default),
        cmocka_unit_test(a_fault_in_the_file_says_which_line),
        cmocka_unit_test(value_and_file_of_the_same_name_are_refused),
        cmocka_unit_test(a_forgotten_secret_counts_as_unset),
        cmocka_unit_test(printed_settings_show_no_secret),
    };
    return cmocka_run_group_tests(tests, clear_environment, NULL);
}
