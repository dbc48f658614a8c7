// SPDX-License-Identifier: Apache-2.0
// RLP (Ethereum yellow paper, appendix B): canonical encoding into a bounded buffer, strict
// decoding.
#pragma once

#include "eth/u256.h"

// Encodes back to front, so that a list's length is known when its header is written: write the
// last item first. Overflow of the buffer is remembered and makes rlp_finish fail.
struct rlp_writer {
    uint8_t *buffer;
    size_t capacity;
    size_t start; // first byte in use; the encoding is buffer[start, capacity)
    bool overflow;
};

struct rlp_writer rlp_writer(uint8_t *buffer, size_t capacity);
void rlp_write_bytes(struct rlp_writer *writer, struct bytes data);
void rlp_write_u64(struct rlp_writer *writer, uint64_t value);
void rlp_write_u256(struct rlp_writer *writer, struct u256 value);
// Puts a list header in front of everything written since the mark.
size_t rlp_list_mark(const struct rlp_writer *writer);
void rlp_list_wrap(struct rlp_writer *writer, size_t mark);
// One raw byte in front (the EIP-2718 type).
void rlp_write_raw_byte(struct rlp_writer *writer, uint8_t byte);
MUST_USE bool rlp_finish(struct bytes *ret_encoding, const struct rlp_writer *writer);

// Decoding: a cursor over borrowed bytes. Non-canonical forms (long form of a short length, leading
// zeros, single byte as a string) are refused.
struct rlp_reader {
    struct bytes rest;
};
enum rlp_kind { RLP_STRING, RLP_LIST };
MUST_USE bool rlp_read(struct rlp_reader *reader, enum rlp_kind *ret_kind,
                       struct bytes *ret_payload);
MUST_USE bool rlp_read_string(struct rlp_reader *reader, struct bytes *ret_payload);
MUST_USE bool rlp_read_list(struct rlp_reader *reader, struct rlp_reader *ret_items);
MUST_USE bool rlp_read_u64(struct rlp_reader *reader, uint64_t *ret_value);
MUST_USE bool rlp_read_u256(struct rlp_reader *reader, struct u256 *ret_value);
bool rlp_at_end(const struct rlp_reader *reader);
