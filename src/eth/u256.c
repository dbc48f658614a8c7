// SPDX-License-Identifier: Apache-2.0
// 256-bit numbers on GMP's mpn functions.
#include "eth/u256.h"

#include "base/hex.h"

#include <assert.h>
#include <endian.h>
#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#define LIMBS           4
#define HEX_DIGITS_MAX  64
#define HEX_LIMB_DIGITS 16

static_assert(GMP_NUMB_BITS == 64 && GMP_NAIL_BITS == 0, "GMP's limbs are ours");
static_assert(sizeof(mp_limb_t) == sizeof(uint64_t), "GMP's limbs are ours");

struct u256 u256_from_u64(uint64_t value)
{
    return (struct u256){{value, 0, 0, 0}};
}

struct u256 u256_from_u128(uint128_t value)
{
    return (struct u256){{(uint64_t)value, (uint64_t)(value >> 64), 0, 0}};
}

struct u256 u256_from_bytes(const uint8_t big_endian[32])
{
    struct u256 value;
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t limb;
        memcpy(&limb, big_endian + 8 * (LIMBS - 1 - i), 8);
        value.limbs[i] = be64toh(limb);
    }
    return value;
}

void u256_to_bytes(uint8_t out[32], struct u256 value)
{
    for (size_t i = 0; i < LIMBS; i++) {
        uint64_t limb = htobe64(value.limbs[i]);
        memcpy(out + 8 * (LIMBS - 1 - i), &limb, 8);
    }
}

bool u256_to_u64(uint64_t *ret_value, struct u256 value)
{
    if ((value.limbs[1] | value.limbs[2] | value.limbs[3]) != 0)
        return false;
    *ret_value = value.limbs[0];
    return true;
}

bool u256_to_u128(uint128_t *ret_value, struct u256 value)
{
    if ((value.limbs[2] | value.limbs[3]) != 0)
        return false;
    *ret_value = (uint128_t)value.limbs[1] << 64 | value.limbs[0];
    return true;
}

bool u256_parse_decimal(struct u256 *ret_value, const char *text)
{
    struct u256 value = {{0}};
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        if (mpn_mul_1(value.limbs, value.limbs, LIMBS, 10) != 0)
            return false;
        if (mpn_add_1(value.limbs, value.limbs, LIMBS, (mp_limb_t)(*text - '0')) != 0)
            return false;
    }
    *ret_value = value;
    return true;
}

// How many limbs are in use.
static mp_size_t limb_count(const struct u256 *value)
{
    mp_size_t count = LIMBS;
    while (count > 0 && value->limbs[count - 1] == 0)
        count--;
    return count;
}

void u256_format_decimal(char out[U256_DECIMAL_SIZE], struct u256 value)
{
    unsigned char digits[U256_DECIMAL_SIZE + 1]; // GMP may write one zero too many in front
    mp_size_t count = limb_count(&value);
    if (count == 0) {
        memcpy(out, "0", 2);
        return;
    }
    size_t length = mpn_get_str(digits, 10, value.limbs, count);
    size_t first = 0;
    while (first + 1 < length && digits[first] == 0)
        first++;
    for (size_t i = first; i < length; i++)
        *out++ = (char)('0' + digits[i]);
    *out = '\0';
}

bool u256_parse_quantity(struct u256 *ret_value, const char *text)
{
    char padded[HEX_DIGITS_MAX + 1];
    uint8_t bytes[32];
    if (text[0] != '0' || text[1] != 'x')
        return false;
    size_t length = strnlen(text + 2, HEX_DIGITS_MAX + 1);
    if (length == 0 || length > HEX_DIGITS_MAX)
        return false;
    memset(padded, '0', HEX_DIGITS_MAX - length);
    memcpy(padded + HEX_DIGITS_MAX - length, text + 2, length + 1);
    if (!hex_decode(bytes, sizeof bytes, padded))
        return false;
    *ret_value = u256_from_bytes(bytes);
    return true;
}

void u256_format_quantity(char out[67], struct u256 value)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = (u256_bit_length(value) + 3) / 4;
    if (length == 0)
        length = 1;
    *out++ = '0';
    *out++ = 'x';
    for (size_t i = length; i-- > 0;)
        *out++ = digits[value.limbs[i / HEX_LIMB_DIGITS] >> (i % HEX_LIMB_DIGITS * 4) & 15];
    *out = '\0';
}

bool u256_add(struct u256 *ret_sum, struct u256 a, struct u256 b)
{
    struct u256 sum;
    if (mpn_add_n(sum.limbs, a.limbs, b.limbs, LIMBS) != 0)
        return false;
    *ret_sum = sum;
    return true;
}

bool u256_subtract(struct u256 *ret_difference, struct u256 a, struct u256 b)
{
    struct u256 difference;
    if (mpn_sub_n(difference.limbs, a.limbs, b.limbs, LIMBS) != 0)
        return false;
    *ret_difference = difference;
    return true;
}

bool u256_multiply(struct u256 *ret_product, struct u256 a, struct u256 b)
{
    mp_limb_t product[2 * LIMBS];
    mpn_mul_n(product, a.limbs, b.limbs, LIMBS);
    if (mpn_zero_p(product + LIMBS, LIMBS) == 0)
        return false;
    memcpy(ret_product->limbs, product, sizeof ret_product->limbs);
    return true;
}

struct u256 u256_divide(struct u256 *ret_remainder, struct u256 a, struct u256 b)
{
    struct u256 quotient = {{0}};
    struct u256 remainder = {{0}};
    mp_size_t count = limb_count(&b);
    if (count == 0)
        abort();
    mpn_tdiv_qr(quotient.limbs, remainder.limbs, 0, a.limbs, LIMBS, b.limbs, count);
    *ret_remainder = remainder;
    return quotient;
}

int u256_compare(struct u256 a, struct u256 b)
{
    int order = mpn_cmp(a.limbs, b.limbs, LIMBS);
    return (order > 0) - (order < 0);
}

bool u256_is_zero(struct u256 value)
{
    return limb_count(&value) == 0;
}

unsigned u256_bit_length(struct u256 value)
{
    mp_size_t count = limb_count(&value);
    if (count == 0)
        return 0;
    return (unsigned)count * 64 - (unsigned)__builtin_clzll(value.limbs[count - 1]);
}
