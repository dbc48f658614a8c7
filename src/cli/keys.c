// SPDX-License-Identifier: Apache-2.0
// API keys from the console: create, list, revoke. A key is shown once; only its digest is stored.
#include "cli/keys.h"

#include "base/hex.h"
#include "base/random.h"
#include "cli/console.h"
#include "cli/when.h"
#include "store/access.h"

#include <openssl/sha.h>
#include <string.h>

#define KEY_RANDOM_BYTES 32
#define KEY_PREFIX       "sk_"

struct created_key {
    const char *name;
    unsigned scopes;
    struct hash32 digest;
    int64_t id;
};

static const struct {
    const char *name;
    enum scope scope;
} scope_names[] = {{"read", SCOPE_READ}, {"write", SCOPE_WRITE}, {"admin", SCOPE_ADMIN}};
#define SCOPES (sizeof scope_names / sizeof scope_names[0])

static bool parse_scopes(unsigned *ret_scopes, const char *text)
{
    unsigned scopes = 0;
    while (*text) {
        size_t length = strcspn(text, ",");
        unsigned found = 0;
        for (size_t i = 0; i < SCOPES; i++)
            if (strlen(scope_names[i].name) == length &&
                strncmp(scope_names[i].name, text, length) == 0)
                found = (unsigned)scope_names[i].scope;
        if (!found)
            return false;
        scopes |= found;
        text += length + (text[length] == ',');
    }
    *ret_scopes = scopes;
    return scopes != 0;
}

static void format_scopes(char *out, size_t size, unsigned scopes)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < SCOPES && used < size; i++)
        if (scopes & (unsigned)scope_names[i].scope)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "",
                                     scope_names[i].name);
}

static enum status insert_key(struct store_tx *tx, void *context)
{
    struct created_key *key = context;
    enum status status = api_key_insert(tx, &key->id, &key->digest, key->name, key->scopes);
    if (status == STATUS_OK)
        status = audit_append(tx, console_actor(), "keys.create", key->name);
    return status;
}

static void make_key(char ret_text[sizeof KEY_PREFIX + 2 * (size_t)KEY_RANDOM_BYTES],
                     struct hash32 *ret_digest)
{
    uint8_t random[KEY_RANDOM_BYTES];
    char hex[HEX_TEXT_SIZE(KEY_RANDOM_BYTES)];
    random_fill(random_system(), random, sizeof random);
    hex_encode(hex, (struct bytes){random, sizeof random});
    snprintf(ret_text, sizeof KEY_PREFIX + 2 * (size_t)KEY_RANDOM_BYTES, KEY_PREFIX "%s", hex + 2);
    SHA256((const uint8_t *)ret_text, strlen(ret_text), ret_digest->bytes);
    bytes_wipe(random, sizeof random);
    bytes_wipe(hex, sizeof hex);
}

static void print_created(const struct arguments *arguments, const struct created_key *created,
                          const char *text)
{
    if (argument_json(arguments))
        print_json(json_pack("{s:I,s:s,s:s}", "id", (json_int_t)created->id, "name", created->name,
                             "key", text));
    else
        printf("%s\n(shown once: keep it; sluice keys revoke %s takes it back)\n", text,
               created->name);
}

enum exit_code keys_create(const struct arguments *arguments)
{
    struct created_key created = {.name = arguments->words[0]};
    const char *scopes = argument(arguments, "scopes");
    struct console console;
    if (!parse_scopes(&created.scopes, scopes ? scopes : "write,read"))
        return console_fail(EXIT_USAGE, "--scopes takes read, write and admin, with commas");
    if (strlen(created.name) >= API_KEY_NAME_SIZE || !created.name[0])
        return console_fail(EXIT_USAGE, "a key's name has 1 to %d characters",
                            API_KEY_NAME_SIZE - 1);
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    char text[sizeof KEY_PREFIX + 2 * (size_t)KEY_RANDOM_BYTES];
    make_key(text, &created.digest);
    enum exit_code code = console_write(&console, "the key was not stored", insert_key, &created);
    if (code == EXIT_FINE)
        print_created(arguments, &created, text);
    bytes_wipe(text, sizeof text);
    return console_close(&console, code);
}

struct listed_keys {
    struct api_key *keys;
    size_t count;
    struct arena *arena;
};

static enum status list_keys(struct store_tx *tx, void *context)
{
    struct listed_keys *listed = context;
    return api_key_list(tx, &listed->keys, &listed->count, listed->arena);
}

static void print_keys_json(const struct listed_keys *listed)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < listed->count; i++) {
        const struct api_key *key = &listed->keys[i];
        char scopes[32];
        format_scopes(scopes, sizeof scopes, key->scopes);
        json_array_append_new(rows, json_pack("{s:I,s:s,s:s,s:I,s:I}", "id", (json_int_t)key->id,
                                              "name", key->name, "scopes", scopes, "created_ms",
                                              (json_int_t)key->created_ms, "revoked_ms",
                                              (json_int_t)key->revoked_ms));
    }
    print_json(rows);
}

static void print_keys(const struct listed_keys *listed)
{
    static const char *const headings[] = {"ID", "NAME", "SCOPES", "CREATED", "REVOKED"};
    struct table *table = table_new(headings, 5);
    for (size_t i = 0; i < listed->count; i++) {
        const struct api_key *key = &listed->keys[i];
        char id[24], scopes[32], created[WHEN_SIZE], revoked[WHEN_SIZE];
        snprintf(id, sizeof id, "%lld", (long long)key->id);
        format_scopes(scopes, sizeof scopes, key->scopes);
        when_format(created, key->created_ms);
        when_format(revoked, key->revoked_ms);
        table_row(table, key->revoked_ms ? TONE_DIM : TONE_PLAIN,
                  (const char *const[]){id, key->name, scopes, created, revoked});
    }
    table_print(table, stdout);
}

enum exit_code keys_list(const struct arguments *arguments)
{
    struct console console;
    if (!console_open(&console, CONSOLE_READS))
        return console.code;
    struct listed_keys listed = {.arena = console.arena};
    enum exit_code code = console_read(&console, "the keys cannot be read", list_keys, &listed);
    if (code == EXIT_FINE && argument_json(arguments))
        print_keys_json(&listed);
    else if (code == EXIT_FINE)
        print_keys(&listed);
    return console_close(&console, code);
}

struct revocation {
    const char *name_or_id;
    bool revoked;
};

static enum status revoke_key(struct store_tx *tx, void *context)
{
    struct revocation *revocation = context;
    enum status status = api_key_revoke(tx, &revocation->revoked, revocation->name_or_id);
    if (status == STATUS_OK && revocation->revoked)
        status = audit_append(tx, console_actor(), "keys.revoke", revocation->name_or_id);
    return status;
}

enum exit_code keys_revoke(const struct arguments *arguments)
{
    struct revocation revocation = {.name_or_id = arguments->words[0]};
    struct console console;
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    enum exit_code code =
        console_write(&console, "the key was not revoked", revoke_key, &revocation);
    if (code == EXIT_FINE && !revocation.revoked)
        code = console_fail(EXIT_FAILED, "no key in force is called %s", revocation.name_or_id);
    else if (code == EXIT_FINE && argument_json(arguments))
        print_json(json_pack("{s:s}", "revoked", revocation.name_or_id));
    else if (code == EXIT_FINE)
        printf("revoked %s; API servers notice within seconds\n", revocation.name_or_id);
    return console_close(&console, code);
}
