// SPDX-License-Identifier: Apache-2.0
// Strict readers of the values in nodes' replies.
#include "chain/wire.h"

#include "base/hex.h"
#include "eth/u256.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The text of "0x..", or NULL.
static const char *hex_text(const json_t *value)
{
    const char *text = json_is_string(value) ? json_string_value(value) : NULL;
    return text && text[0] == '0' && text[1] == 'x' ? text : NULL;
}

static bool read_quantity(struct u256 *ret_value, const json_t *value)
{
    const char *text = hex_text(value);
    return text && u256_parse_quantity(ret_value, text);
}

bool wire_read_u64(uint64_t *ret_value, const json_t *value)
{
    struct u256 number;
    return read_quantity(&number, value) && u256_to_u64(ret_value, number);
}

bool wire_read_int64(int64_t *ret_value, const json_t *value)
{
    uint64_t number;
    if (!wire_read_u64(&number, value) || number > INT64_MAX)
        return false;
    *ret_value = (int64_t)number;
    return true;
}

bool wire_read_wei(struct wei *ret_value, const json_t *value)
{
    struct u256 number;
    uint128_t units;
    return read_quantity(&number, value) && u256_to_u128(&units, number) &&
           wei_from_units(ret_value, units);
}

bool wire_read_bool(bool *ret_value, const json_t *value)
{
    uint64_t number;
    if (!wire_read_u64(&number, value) || number > 1)
        return false;
    *ret_value = number == 1;
    return true;
}

bool wire_read_hash(struct hash32 *ret_value, const json_t *value)
{
    const char *text = hex_text(value);
    return text && hex_decode(ret_value->bytes, sizeof ret_value->bytes, text);
}

bool wire_read_address(struct address *ret_value, const json_t *value)
{
    const char *text = hex_text(value);
    return text && hex_decode(ret_value->bytes, sizeof ret_value->bytes, text);
}

enum status wire_read_data(struct bytes *ret_value, const json_t *value, struct arena *arena)
{
    const char *text = hex_text(value);
    if (!text)
        return STATUS_CORRUPT;
    size_t capacity = json_string_length(value) / 2;
    uint8_t *decoded = arena_alloc(arena, capacity);
    if (!decoded)
        return STATUS_NO_MEMORY;
    size_t size;
    if (!hex_decode_any(decoded, &size, capacity, text))
        return STATUS_CORRUPT;
    *ret_value = (struct bytes){decoded, size};
    return STATUS_OK;
}

void wire_block(char out[WIRE_BLOCK_SIZE], struct block_id block)
{
    static const char *const tags[] = {
        [BLOCK_LATEST] = "latest",
        [BLOCK_SAFE] = "safe",
        [BLOCK_FINALIZED] = "finalized",
        [BLOCK_PENDING] = "pending",
    };
    if (block.tag != BLOCK_NUMBER) {
        snprintf(out, WIRE_BLOCK_SIZE, "%s", tags[block.tag]);
        return;
    }
    if (block.number < 0)
        abort();
    snprintf(out, WIRE_BLOCK_SIZE, "0x%" PRIx64, (uint64_t)block.number);
}
