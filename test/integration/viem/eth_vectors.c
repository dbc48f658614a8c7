// SPDX-License-Identifier: Apache-2.0
// Reads a transaction and a key per line of JSON, and writes what our code makes of them.
//
// In: type, chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gas, to, value, data, accessList,
// key, raw (the same transaction signed by somebody else). Numbers are decimal texts.
// Out: raw, hash, sender (of the key), recovered (from the other's raw), again (the other's raw
// decoded and signed anew).
#include "base/hex.h"
#include "eth/transaction.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX  65536
#define ARENA_BYTES_MAX ((size_t)4 << 20)

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static bool read_bytes(struct bytes *ret_bytes, struct arena *arena, const char *hex)
{
    size_t capacity = strlen(hex) / 2;
    uint8_t *data = arena_alloc(arena, capacity);
    if (!data || !hex_decode_any(data, &ret_bytes->size, capacity, hex))
        return false;
    ret_bytes->data = data;
    return true;
}

static bool read_u64(uint64_t *ret_value, const json_t *object, const char *name)
{
    struct u256 value;
    return u256_parse_decimal(&value, text_of(object, name)) && u256_to_u64(ret_value, value);
}

static bool read_access(struct tx_access *ret_access, struct arena *arena, const json_t *entry)
{
    const json_t *texts = json_object_get(entry, "storageKeys");
    size_t count = json_array_size(texts);
    struct hash32 *keys = arena_alloc_array(arena, count, sizeof *keys);
    if (!keys)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(texts, i));
        if (!text || !hex_decode(keys[i].bytes, sizeof keys[i].bytes, text))
            return false;
    }
    ret_access->storage_keys = keys;
    ret_access->storage_keys_count = count;
    return hex_decode(ret_access->address.bytes, sizeof ret_access->address.bytes,
                      text_of(entry, "address"));
}

static bool read_access_list(struct transaction *transaction, struct arena *arena,
                             const json_t *entries)
{
    size_t count = json_array_size(entries);
    struct tx_access *list = arena_alloc_array(arena, count, sizeof *list);
    if (!list)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_access(&list[i], arena, json_array_get(entries, i)))
            return false;
    }
    transaction->access_list = list;
    transaction->access_list_count = count;
    return true;
}

static bool read_transaction(struct transaction *ret_transaction, struct arena *arena,
                             const json_t *object)
{
    json_int_t type = json_integer_value(json_object_get(object, "type"));
    if (type < TX_LEGACY || type > TX_DYNAMIC_FEE)
        return false;
    struct transaction transaction = {
        .type = (enum tx_type)type,
        .creates_contract = json_is_null(json_object_get(object, "to")),
    };
    if (!transaction.creates_contract &&
        !hex_decode(transaction.to.bytes, sizeof transaction.to.bytes, text_of(object, "to")))
        return false;
    if (!read_u64(&transaction.chain_id, object, "chainId") ||
        !read_u64(&transaction.nonce, object, "nonce") ||
        !read_u64(&transaction.gas_limit, object, "gas") ||
        !wei_parse_units(&transaction.max_priority_fee, text_of(object, "maxPriorityFeePerGas")) ||
        !wei_parse_units(&transaction.max_fee, text_of(object, "maxFeePerGas")) ||
        !u256_parse_decimal(&transaction.value, text_of(object, "value")) ||
        !read_bytes(&transaction.data, arena, text_of(object, "data")) ||
        !read_access_list(&transaction, arena, json_object_get(object, "accessList")))
        return false;
    *ret_transaction = transaction;
    return true;
}

static void print_hex(const char *name, struct bytes data, struct arena *arena)
{
    char *text = arena_alloc(arena, HEX_TEXT_SIZE(data.size));
    if (!text)
        abort();
    hex_encode(text, data);
    printf("\"%s\":\"%s\",", name, text);
}

static bool answer(const json_t *object, struct arena *arena)
{
    uint8_t secret[32];
    struct eth_key key;
    struct transaction transaction;
    struct transaction decoded;
    struct signed_transaction ours;
    struct signed_transaction again;
    struct bytes theirs;
    struct address recovered;
    char sender_text[ADDRESS_TEXT_SIZE];
    char recovered_text[ADDRESS_TEXT_SIZE];
    if (!hex_decode(secret, sizeof secret, text_of(object, "key")) ||
        !eth_key_from_secret(&key, secret) || !read_transaction(&transaction, arena, object) ||
        !read_bytes(&theirs, arena, text_of(object, "raw")) ||
        !transaction_sign(&ours, &transaction, &key, arena) ||
        !transaction_decode(&decoded, &recovered, theirs, arena) ||
        !transaction_sign(&again, &decoded, &key, arena))
        return false;
    struct address sender = eth_key_address(&key);
    address_format(sender_text, &sender);
    address_format(recovered_text, &recovered);
    putchar('{');
    print_hex("raw", ours.raw, arena);
    print_hex("again", again.raw, arena);
    print_hex("hash", (struct bytes){ours.hash.bytes, sizeof ours.hash.bytes}, arena);
    printf("\"sender\":\"%s\",\"recovered\":\"%s\"}\n", sender_text, recovered_text);
    return true;
}

static bool answer_line(const char *line, struct arena *arena)
{
    json_t *object = json_loads(line, 0, NULL);
    bool fine = object && answer(object, arena);
    json_decref(object);
    arena_reset(arena);
    return fine;
}

int main(void)
{
    static char line[LINE_BYTES_MAX];
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    bool fine = arena != NULL;
    while (fine && fgets(line, sizeof line, stdin)) {
        fine = answer_line(line, arena);
        if (!fine)
            fprintf(stderr, "refused: %s", line);
    }
    arena_free(arena);
    return fine && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
