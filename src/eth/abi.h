// SPDX-License-Identifier: Apache-2.0
// The Solidity contract ABI, as far as Sluice speaks it: words in, words out, dynamic tails.
#pragma once

#include "base/arena.h"
#include "eth/address.h"
#include "eth/u256.h"

// Appends to an arena-backed buffer of a capacity fixed at start; an overflow is remembered and
// makes abi_finish fail.
struct abi_writer {
    uint8_t *buffer;
    size_t capacity;
    size_t size;
    bool overflow;
};

// words: how many 32-byte words will be written at most, besides the selector.
struct abi_writer abi_writer(struct arena *arena, size_t words);
// The first four bytes of keccak256("name(type,...)").
void abi_write_selector(struct abi_writer *writer, const char *signature);
void abi_write_u256(struct abi_writer *writer, struct u256 value);
void abi_write_u64(struct abi_writer *writer, uint64_t value);
void abi_write_address(struct abi_writer *writer, const struct address *address);
void abi_write_hash32(struct abi_writer *writer, const struct hash32 *hash);
void abi_write_bool(struct abi_writer *writer, bool value);
MUST_USE bool abi_finish(struct bytes *ret_data, const struct abi_writer *writer);

// Words of returned data or event data; false past the end or where the padding is not zero.
MUST_USE bool abi_read_u256(struct u256 *ret_value, struct bytes data, size_t word_index);
MUST_USE bool abi_read_u64(uint64_t *ret_value, struct bytes data, size_t word_index);
MUST_USE bool abi_read_address(struct address *ret_address, struct bytes data, size_t word_index);
MUST_USE bool abi_read_bool(bool *ret_value, struct bytes data, size_t word_index);
// A dynamic bytes/string whose offset stands at word_index; ret_value borrows from data.
MUST_USE bool abi_read_dynamic(struct bytes *ret_value, struct bytes data, size_t word_index);
