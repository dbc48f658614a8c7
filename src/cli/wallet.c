// SPDX-License-Identifier: Apache-2.0
// The command `sluice keys wallet ...`: relayer keys in encrypted keystore files.
#include "cli/wallet.h"

#include "base/hex.h"
#include "base/random.h"
#include "cli/console.h"
#include "secret/keystore.h"
#include "secret/secret.h"

#include <string.h>
#include <unistd.h>

#define PASSPHRASE_BYTES_MIN 8
#define DRAWS_MAX            16 // a random secret is out of range with probability 2^-128

static const char *passphrase_of(const struct settings *settings)
{
    const char *passphrase = settings_text(settings, "KEYSTORE_PASSPHRASE");
    if (passphrase && strlen(passphrase) >= PASSPHRASE_BYTES_MIN)
        return passphrase;
    console_fail(EXIT_CONFIG,
                 "KEYSTORE_PASSPHRASE %s: set it, or KEYSTORE_PASSPHRASE_FILE to a file that "
                 "holds it (at least %d characters)",
                 passphrase ? "is too short" : "is missing", PASSPHRASE_BYTES_MIN);
    return NULL;
}

static void print_wallet(const struct arguments *arguments, const struct address *address,
                         const char *path)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(text, address);
    if (argument_json(arguments))
        print_json(json_pack("{s:s,s:s}", "address", text, "keystore", path));
    else
        printf("%s\n", text);
}

static enum exit_code save_key(const struct arguments *arguments, const struct settings *settings,
                               const struct eth_key *key)
{
    const char *path = arguments->words[0];
    const char *passphrase = passphrase_of(settings);
    char json[KEYSTORE_JSON_SIZE];
    if (!passphrase)
        return EXIT_CONFIG;
    if (!keystore_encrypt(json, key, passphrase, KEYSTORE_LOG2_N, random_system()))
        return console_fail(EXIT_SOFTWARE, "the key could not be encrypted: out of memory");
    enum status status = keystore_write(path, json);
    if (status != STATUS_OK)
        return console_fail(console_code(status), "%s: %s", path,
                            status == STATUS_EXISTS ? "exists, and a key is never overwritten"
                                                    : status_text(status));
    struct address address = eth_key_address(key);
    print_wallet(arguments, &address, path);
    return EXIT_FINE;
}

static bool draw_key(struct eth_key *ret_key)
{
    uint8_t secret[32];
    bool drawn = false;
    for (int i = 0; i < DRAWS_MAX && !drawn; i++) {
        random_fill(random_system(), secret, sizeof secret);
        drawn = eth_key_from_secret(ret_key, secret);
    }
    bytes_wipe(secret, sizeof secret);
    return drawn;
}

enum exit_code wallet_create(const struct arguments *arguments)
{
    struct settings *settings = console_settings((const char *const[]){NULL});
    struct eth_key key;
    if (!settings)
        return EXIT_CONFIG;
    enum exit_code code = draw_key(&key) ? save_key(arguments, settings, &key) : EXIT_SOFTWARE;
    eth_key_wipe(&key);
    settings_free(settings);
    return code;
}

enum exit_code wallet_import(const struct arguments *arguments)
{
    struct settings *settings = console_settings((const char *const[]){NULL});
    const char *reference = argument(arguments, "key");
    struct eth_key key;
    char error[256];
    enum exit_code code = EXIT_CONFIG;
    if (settings && !reference)
        code = console_fail(EXIT_USAGE, "--key is missing: file:PATH or env:NAME");
    else if (settings &&
             secret_private_key(&key, error, sizeof error, reference, NULL) != STATUS_OK)
        code = console_fail(EXIT_FAILED, "--key: %s", error);
    else if (settings) {
        code = save_key(arguments, settings, &key);
        eth_key_wipe(&key);
    }
    settings_free(settings);
    return code;
}

enum exit_code wallet_show(const struct arguments *arguments)
{
    struct settings *settings = console_settings((const char *const[]){NULL});
    if (!settings)
        return EXIT_CONFIG;
    const char *passphrase = passphrase_of(settings);
    enum exit_code code = EXIT_CONFIG;
    char reference[1024], error[256];
    struct eth_key key;
    snprintf(reference, sizeof reference, "keystore:%s", arguments->words[0]);
    enum status status = passphrase
                             ? secret_private_key(&key, error, sizeof error, reference, passphrase)
                             : STATUS_INVALID;
    if (passphrase && status != STATUS_OK)
        code = console_fail(console_code(status), "%s", error);
    if (status == STATUS_OK) {
        struct address address = eth_key_address(&key);
        eth_key_wipe(&key);
        print_wallet(arguments, &address, arguments->words[0]);
        code = EXIT_FINE;
    }
    settings_free(settings);
    return code;
}
