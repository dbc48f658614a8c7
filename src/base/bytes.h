// SPDX-License-Identifier: Apache-2.0
// Byte strings: a borrowed view, 32-byte hashes, comparison in constant time, wiping.
#pragma once

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

// A view of bytes owned by somebody else. data may be NULL only when size is 0.
struct bytes {
    const uint8_t *data;
    size_t size;
};

// 32 bytes: a Keccak-256 or SHA-256 digest, a payout id, a transaction or block hash.
struct hash32 {
    uint8_t bytes[32];
};

// A view of a NUL-terminated text, without its NUL.
struct bytes bytes_of_text(const char *text);

bool bytes_equal(struct bytes a, struct bytes b);

// Compares in time that depends on size only; for signatures, tokens, digests of secrets.
bool bytes_equal_constant_time(const void *a, const void *b, size_t size);

bool hash32_equal(const struct hash32 *a, const struct hash32 *b);
bool hash32_is_zero(const struct hash32 *hash);

// Overwrites secret memory in a way the compiler may not remove.
void bytes_wipe(void *memory, size_t size);
