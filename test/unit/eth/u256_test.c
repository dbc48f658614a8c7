// SPDX-License-Identifier: Apache-2.0
// 256-bit numbers: texts, bytes, arithmetic at the edges, and identities on random numbers.
#include "eth/u256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MAX_DECIMAL_HEAD "11579208923731619542357098500868790785326998466564056"
#define MAX_DECIMAL      MAX_DECIMAL_HEAD "4039457584007913129639935"
#define MAX_QUANTITY     "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const struct u256 largest = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};

static struct u256 decimal(const char *text)
{
    struct u256 value;
    if (!u256_parse_decimal(&value, text))
        fail_msg("refused: %s", text);
    return value;
}

static void assert_equal(struct u256 a, struct u256 b)
{
    assert_memory_equal(a.limbs, b.limbs, sizeof a.limbs);
}

static void decimal_and_quantity_texts_name_the_same_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *decimal, *quantity;
        unsigned bits;
    } rows[] = {
        {"0", "0x0", 0},
        {"1", "0x1", 1},
        {"9", "0x9", 4},
        {"10", "0xa", 4},
        {"255", "0xff", 8},
        {"256", "0x100", 9},
        {"18446744073709551615", "0xffffffffffffffff", 64},
        {"18446744073709551616", "0x10000000000000000", 65},
        {"340282366920938463463374607431768211456", "0x100000000000000000000000000000000", 129},
        {"6277101735386680763835789423207666416102355444464034512896",
         "0x1000000000000000000000000000000000000000000000000", 193},
        {"57896044618658097711785492504343953926634992332820282019728792003956564819968",
         "0x8000000000000000000000000000000000000000000000000000000000000000", 256},
        {MAX_DECIMAL, MAX_QUANTITY, 256},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct u256 value;
        char text[U256_DECIMAL_SIZE];
        char quantity[67];
        uint8_t bytes[32];
        assert_true(u256_parse_quantity(&value, rows[i].quantity));
        assert_equal(value, decimal(rows[i].decimal));
        u256_format_decimal(text, value);
        assert_string_equal(text, rows[i].decimal);
        u256_format_quantity(quantity, value);
        assert_string_equal(quantity, rows[i].quantity);
        assert_int_equal(u256_bit_length(value), rows[i].bits);
        assert_int_equal(u256_is_zero(value), i == 0);
        u256_to_bytes(bytes, value);
        assert_equal(u256_from_bytes(bytes), value);
    }
}

static void texts_that_are_no_number_are_refused(void **state)
{
    (void)state;
    static const char *const decimals[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x1",
        "1e3",
        "a",
        "\xd9\xa1",
        "115792089237316195423570985008687907853269984665640564039457584007913129639936",
    };
    static const char *const quantities[] = {
        "",
        "0",
        "0x",
        "x1",
        "1",
        "0X1",
        "0x-1",
        "0x 1",
        "0x1 ",
        "0xg",
        "0x0x1",
        "0x0x00000000000000000000000000000000000000000000000000000000000000",
        "0xx00000000000000000000000000000000000000000000000000000000000000",
        "0x+000000000000000000000000000000000000000000000000000000000000000",
        "0x1.",
        "0x00000000000000000000000000000000000000000000000000000000000000001",
    };
    struct u256 value = {{7, 7, 7, 7}};
    for (size_t i = 0; i < sizeof decimals / sizeof decimals[0]; i++) {
        if (u256_parse_decimal(&value, decimals[i]))
            fail_msg("accepted: \"%s\"", decimals[i]);
    }
    for (size_t i = 0; i < sizeof quantities / sizeof quantities[0]; i++) {
        if (u256_parse_quantity(&value, quantities[i]))
            fail_msg("accepted: \"%s\"", quantities[i]);
    }
    assert_false(u256_parse_decimal(&value, MAX_DECIMAL "0"));
    assert_false(u256_parse_quantity(&value, MAX_QUANTITY "0"));
    assert_equal(value, (struct u256){{7, 7, 7, 7}});
    assert_true(u256_parse_quantity(&value, "0x0000F"));
    assert_equal(value, u256_from_u64(15));
}

static void bytes_are_big_endian(void **state)
{
    (void)state;
    uint8_t bytes[32];
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    struct u256 value = u256_from_bytes(bytes);
    assert_true(value.limbs[3] == UINT64_C(0x0001020304050607));
    assert_true(value.limbs[0] == UINT64_C(0x18191a1b1c1d1e1f));
}

static void narrow_integers_convert_exactly_or_not_at_all(void **state)
{
    (void)state;
    const uint128_t wide = (uint128_t)UINT64_MAX << 64 | 5;
    uint64_t small = 1;
    uint128_t medium = 2;
    assert_true(u256_to_u64(&small, u256_from_u64(UINT64_MAX)));
    assert_true(small == UINT64_MAX);
    assert_true(u256_to_u128(&medium, u256_from_u128(wide)));
    assert_true(medium == wide);
    for (size_t limb = 1; limb < 4; limb++) {
        struct u256 value = {{0}};
        value.limbs[limb] = 1;
        assert_false(u256_to_u64(&small, value));
        if (limb > 1)
            assert_false(u256_to_u128(&medium, value));
    }
    assert_true(small == UINT64_MAX && medium == wide);
}

static void arithmetic_refuses_to_leave_256_bits(void **state)
{
    (void)state;
    const struct u256 one = u256_from_u64(1);
    const struct u256 half = {{0, 0, 1, 0}}; // 2^128
    struct u256 value = {{7, 7, 7, 7}};
    assert_false(u256_add(&value, largest, one));
    assert_false(u256_subtract(&value, u256_from_u64(0), one));
    assert_false(u256_multiply(&value, half, half));
    assert_false(u256_multiply(&value, largest, u256_from_u64(2)));
    assert_equal(value, (struct u256){{7, 7, 7, 7}});
    assert_true(u256_subtract(&value, largest, one));
    assert_true(u256_add(&value, value, one));
    assert_equal(value, largest);
    assert_true(u256_multiply(&value, half, u256_from_u128(~(uint128_t)0)));
    assert_equal(value, (struct u256){{0, 0, UINT64_MAX, UINT64_MAX}});
    assert_true(u256_multiply(&value, largest, one));
    assert_equal(value, largest);
}

static void division_gives_quotient_and_remainder(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *quotient, *remainder;
    } rows[] = {
        {"0", "1", "0", "0"},
        {"7", "2", "3", "1"},
        {"1", MAX_DECIMAL, "0", "1"},
        {MAX_DECIMAL, "1", MAX_DECIMAL, "0"},
        {MAX_DECIMAL, MAX_DECIMAL, "1", "0"},
        {MAX_DECIMAL, "10",
         "11579208923731619542357098500868790785326998466564056403945758400791312963993", "5"},
        {MAX_DECIMAL, "18446744073709551616",
         "6277101735386680763835789423207666416102355444464034512895", "18446744073709551615"},
        {MAX_DECIMAL, "340282366920938463463374607431768211457",
         "340282366920938463463374607431768211455", "0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct u256 remainder;
        struct u256 quotient = u256_divide(&remainder, decimal(rows[i].a), decimal(rows[i].b));
        assert_equal(quotient, decimal(rows[i].quotient));
        assert_equal(remainder, decimal(rows[i].remainder));
    }
}

static void comparison_looks_at_the_highest_difference(void **state)
{
    (void)state;
    const struct u256 low = {{UINT64_MAX, 0, 0, 0}};
    const struct u256 high = {{0, 0, 0, 1}};
    assert_int_equal(u256_compare(low, high), -1);
    assert_int_equal(u256_compare(high, low), 1);
    assert_int_equal(u256_compare(high, high), 0);
}

// xorshift: the same numbers in every run.
static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static struct u256 some_number(uint64_t *seed)
{
    struct u256 value = {{0}};
    size_t limbs = next(seed) % 5;
    for (size_t i = 0; i < limbs; i++)
        value.limbs[i] = next(seed) >> next(seed) % 64;
    return value;
}

static void quotient_times_divisor_plus_remainder_is_the_dividend(void **state)
{
    (void)state;
    uint64_t seed = 0x5106ce5eed;
    for (int i = 0; i < 20000; i++) {
        struct u256 a = some_number(&seed);
        struct u256 b = some_number(&seed);
        struct u256 remainder;
        struct u256 product;
        struct u256 sum;
        if (u256_is_zero(b))
            continue;
        struct u256 quotient = u256_divide(&remainder, a, b);
        assert_true(u256_compare(remainder, b) < 0);
        assert_true(u256_multiply(&product, quotient, b));
        assert_true(u256_add(&sum, product, remainder));
        assert_equal(sum, a);
        char text[U256_DECIMAL_SIZE];
        u256_format_decimal(text, a);
        assert_equal(decimal(text), a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_and_quantity_texts_name_the_same_numbers),
        cmocka_unit_test(texts_that_are_no_number_are_refused),
        cmocka_unit_test(bytes_are_big_endian),
        cmocka_unit_test(narrow_integers_convert_exactly_or_not_at_all),
        cmocka_unit_test(arithmetic_refuses_to_leave_256_bits),
        cmocka_unit_test(division_gives_quotient_and_remainder),
        cmocka_unit_test(comparison_looks_at_the_highest_difference),
        cmocka_unit_test(quotient_times_divisor_plus_remainder_is_the_dividend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
