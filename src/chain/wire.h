// SPDX-License-Identifier: Apache-2.0
// Values as nodes write them in JSON: strict readers, because everything a node says is untrusted.
#pragma once

#include "base/arena.h"
#include "base/money.h"
#include "chain/chain.h"

#include <jansson.h>

#define WIRE_BLOCK_SIZE 24 // "0x7fffffffffffffff" and the tags

// Each takes a JSON value that may be NULL; false on the wrong type, form or range.
MUST_USE bool wire_read_int64(int64_t *ret_value, const json_t *value);
MUST_USE bool wire_read_u64(uint64_t *ret_value, const json_t *value);
MUST_USE bool wire_read_wei(struct wei *ret_value, const json_t *value);
MUST_USE bool wire_read_bool(bool *ret_value, const json_t *value); // "0x0" or "0x1"
MUST_USE bool wire_read_hash(struct hash32 *ret_value, const json_t *value);
MUST_USE bool wire_read_address(struct address *ret_value, const json_t *value);
// As STATUS_OK, STATUS_CORRUPT or STATUS_NO_MEMORY; the bytes are in the arena.
MUST_USE enum status wire_read_data(struct bytes *ret_value, const json_t *value,
                                    struct arena *arena);

// The block parameter of a request, with quotes not included.
void wire_block(char out[WIRE_BLOCK_SIZE], struct block_id block);
