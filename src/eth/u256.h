// SPDX-License-Identifier: Apache-2.0
// 256-bit unsigned integers on GMP's low-level functions; every operation that can overflow says
// so.
#pragma once

#include "base/bytes.h"
#include "base/money.h"

struct u256 {
    uint64_t limbs[4]; // least significant first
};

#define U256_DECIMAL_SIZE 79 // 78 digits + NUL

struct u256 u256_from_u64(uint64_t value);
struct u256 u256_from_u128(uint128_t value);
struct u256 u256_from_bytes(const uint8_t big_endian[32]);
void u256_to_bytes(uint8_t out[32], struct u256 value);
// False when the value does not fit.
MUST_USE bool u256_to_u64(uint64_t *ret_value, struct u256 value);
MUST_USE bool u256_to_u128(uint128_t *ret_value, struct u256 value);

// Decimal digits only; false on anything else or overflow.
MUST_USE bool u256_parse_decimal(struct u256 *ret_value, const char *text);
void u256_format_decimal(char out[U256_DECIMAL_SIZE], struct u256 value);

// JSON-RPC quantities: "0x" + 1..64 digits. Leading zeros are accepted on input (some nodes send
// them), never written.
MUST_USE bool u256_parse_quantity(struct u256 *ret_value, const char *text);
void u256_format_quantity(char out[67], struct u256 value);

MUST_USE bool u256_add(struct u256 *ret_sum, struct u256 a, struct u256 b);
MUST_USE bool u256_subtract(struct u256 *ret_difference, struct u256 a, struct u256 b);
MUST_USE bool u256_multiply(struct u256 *ret_product, struct u256 a, struct u256 b);
// Quotient and remainder; b is not zero.
struct u256 u256_divide(struct u256 *ret_remainder, struct u256 a, struct u256 b);

int u256_compare(struct u256 a, struct u256 b);
bool u256_is_zero(struct u256 value);
unsigned u256_bit_length(struct u256 value);
