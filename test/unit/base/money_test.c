// SPDX-License-Identifier: Apache-2.0
// Money: exact texts, refused texts, checked arithmetic at its edges.
#include "base/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SGE_MAX ((uint128_t)-1 >> 1)

static struct usdc usdc(int64_t units)
{
    struct usdc amount;
    assert_true(usdc_from_units(&amount, units));
    return amount;
}

static struct sge sge(uint128_t units)
{
    struct sge amount;
    assert_true(sge_from_units(&amount, units));
    return amount;
}

static struct wei wei(uint128_t units)
{
    struct wei amount;
    assert_true(wei_from_units(&amount, units));
    return amount;
}

// Refused by every parser, decimal or integer.
static const char *const never_money[] = {
    "",
    " ",
    "-",
    "+",
    ".",
    "-1",
    "+1",
    " 1",
    "1 ",
    "\t1",
    "1\n",
    "1.",
    ".5",
    "1.5.",
    "1..5",
    "1.2.3",
    "1e3",
    "1E3",
    "1e-3",
    "0x10",
    "0X10",
    "0b1",
    "1_000",
    "1,000",
    "1 000",
    "1'000",
    "NaN",
    "Infinity",
    "inf",
    "null",
    "true",
    "abc",
    "1a",
    "a1",
    "00",
    "01",
    "007",
    "00.5",
    "-0",
    "1/2",
    "$1",
    "1%",
    "\xd9\xa1",      // Arabic-Indic one
    "\xef\xbc\x91",  // full-width one
    "\xe2\x88\2221", // minus sign; octal, as a hex escape would take the 1
    "1\xc2\xa0",     // no-break space
    "1\xe2\x80\x8b", // zero-width space
    "\xef\xbb\2771", // byte order mark
    "170141183460469231731687303715884105728", // 2^127
    "340282366920938463463374607431768211456", // 2^128
    "340282366920938463463374607431768211457", // 2^128 + 1
    "99999999999999999999999999999999999999999999999999999999999999999999999999999999",
};

static void texts_that_are_no_amount_are_refused_and_nothing_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof never_money / sizeof never_money[0]; i++) {
        struct usdc a = usdc(77);
        struct sge b = sge(78);
        struct wei c = wei(79);
        const char *text = never_money[i];
        if (usdc_parse(&a, text) || usdc_parse_units(&a, text) || sge_parse(&b, text) ||
            sge_parse_units(&b, text) || wei_parse_units(&c, text) || wei_parse_gwei(&c, text))
            fail_msg("accepted: \"%s\"", text);
        assert_int_equal(usdc_units(a), 77);
        assert_true(sge_units(b) == 78);
        assert_true(wei_units(c) == 79);
    }
}

static void usdc_texts_are_exact_to_six_places(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t units; // -1: refused
        const char *printed;
    } rows[] = {
        {"0", 0, "0"},
        {"0.0", 0, "0"},
        {"1", 1000000, "1"},
        {"12.50", 12500000, "12.5"},
        {"12.500000", 12500000, "12.5"},
        {"0.000001", 1, "0.000001"},
        {"100", 100000000, "100"},
        {"10.01", 10010000, "10.01"},
        {"9223372036854.775807", INT64_MAX, "9223372036854.775807"},
        {"9223372036854.775808", -1, NULL},
        {"9223372036855", -1, NULL},
        {"0.0000001", -1, NULL},
        {"12.5000000", -1, NULL},
        {"18446744073709.551616", -1, NULL},
        {"18446744073709551616", -1, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct usdc amount;
        char text[USDC_TEXT_SIZE];
        if (usdc_parse(&amount, rows[i].text) != (rows[i].units >= 0))
            fail_msg("wrong answer to \"%s\"", rows[i].text);
        if (rows[i].units < 0)
            continue;
        assert_int_equal(usdc_units(amount), rows[i].units);
        usdc_format(text, amount);
        assert_string_equal(text, rows[i].printed);
    }
}

static void sge_texts_are_exact_to_eighteen_places(void **state)
{
    (void)state;
    static const struct {
        const char *text, *units; // NULL: refused
        const char *printed;
    } rows[] = {
        {"0", "0", "0"},
        {"1", "1000000000000000000", "1"},
        {"0.000000000000000001", "1", "0.000000000000000001"},
        {"2.50", "2500000000000000000", "2.5"},
        {"170141183460469231731.687303715884105727", "170141183460469231731687303715884105727",
         "170141183460469231731.687303715884105727"},
        {"170141183460469231731.687303715884105728", NULL, NULL},
        {"170141183460469231732", NULL, NULL},
        {"0.0000000000000000001", NULL, NULL},
        {"1.0000000000000000000", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sge amount;
        struct sge again;
        char text[SGE_TEXT_SIZE];
        if (sge_parse(&amount, rows[i].text) != (rows[i].units != NULL))
            fail_msg("wrong answer to \"%s\"", rows[i].text);
        if (!rows[i].units)
            continue;
        sge_format_units(text, amount);
        assert_string_equal(text, rows[i].units);
        assert_true(sge_parse_units(&again, text));
        assert_int_equal(sge_compare(amount, again), 0);
        sge_format(text, amount);
        assert_string_equal(text, rows[i].printed);
    }
}

static void gwei_and_wei_texts_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *gwei, *units, *printed;
    } rows[] = {
        {"0", "0", "0"},
        {"1", "1000000000", "1"},
        {"1.5", "1500000000", "1.5"},
        {"0.000000001", "1", "0.000000001"},
        {"100.000000000", "100000000000", "100"},
        {"170141183460469231731687303715.884105727", "170141183460469231731687303715884105727",
         "170141183460469231731687303715.884105727"},
        {"170141183460469231731687303715.884105728", NULL, NULL},
        {"0.0000000001", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wei amount;
        char text[WEI_TEXT_SIZE];
        if (wei_parse_gwei(&amount, rows[i].gwei) != (rows[i].units != NULL))
            fail_msg("wrong answer to \"%s\"", rows[i].gwei);
        if (!rows[i].units)
            continue;
        wei_format_units(text, amount);
        assert_string_equal(text, rows[i].units);
        wei_format_gwei(text, amount);
        assert_string_equal(text, rows[i].printed);
    }
}

static void base_units_are_integers_only(void **state)
{
    (void)state;
    struct usdc a;
    struct sge b;
    struct wei c;
    char text[USDC_TEXT_SIZE];
    assert_true(usdc_parse_units(&a, "9223372036854775807"));
    usdc_format_units(text, a);
    assert_string_equal(text, "9223372036854775807");
    assert_false(usdc_parse_units(&a, "9223372036854775808"));
    assert_false(usdc_parse_units(&a, "1.0"));
    assert_false(sge_parse_units(&b, "1.0"));
    assert_false(wei_parse_units(&c, "0.5"));
    assert_false(usdc_from_units(&a, -1));
    assert_false(usdc_from_units(&a, INT64_MIN));
    assert_false(sge_from_units(&b, SGE_MAX + 1));
    assert_false(wei_from_units(&c, SGE_MAX + 1));
    assert_true(wei_from_units(&c, SGE_MAX));
}

static void sums_and_differences_refuse_to_leave_their_range(void **state)
{
    (void)state;
    struct usdc a = usdc(5);
    struct sge b = sge(6);
    struct wei c = wei(7);
    assert_false(usdc_add(&a, usdc(INT64_MAX), usdc(1)));
    assert_false(usdc_add(&a, usdc(INT64_MAX), usdc(INT64_MAX)));
    assert_false(usdc_subtract(&a, usdc(1), usdc(2)));
    assert_int_equal(usdc_units(a), 5);
    assert_true(usdc_add(&a, usdc(INT64_MAX - 1), usdc(1)));
    assert_int_equal(usdc_units(a), INT64_MAX);
    assert_true(usdc_subtract(&a, usdc(INT64_MAX), usdc(INT64_MAX)));
    assert_true(usdc_is_zero(a));
    assert_false(sge_add(&b, sge(SGE_MAX), sge(1)));
    assert_false(wei_add(&c, wei(SGE_MAX), wei(SGE_MAX)));
    assert_true(sge_units(b) == 6 && wei_units(c) == 7);
    assert_true(sge_add(&b, sge(SGE_MAX - 1), sge(1)));
    assert_true(wei_add(&c, wei(1), wei(SGE_MAX - 1)));
    assert_true(sge_units(b) == SGE_MAX && wei_units(c) == SGE_MAX);
    assert_false(sge_subtract(&b, sge(1), sge(2)));
    assert_true(sge_units(b) == SGE_MAX);
    assert_true(sge_subtract(&b, sge(SGE_MAX), sge(SGE_MAX)));
    assert_true(sge_is_zero(b));
}

static void fee_bumps_round_up(void **state)
{
    (void)state;
    static const struct {
        uint64_t amount;
        uint32_t numerator, denominator;
        uint64_t result;
    } rows[] = {
        {8, 1125, 1000, 9},
        {9, 1125, 1000, 11}, // 10.125
        {1, 1125, 1000, 2},
        {0, 1125, 1000, 0},
        {1000, 1125, 1000, 1125},
        {7, 0, 3, 0},
        {7, 1, 1, 7},
        {10, 1, 3, 4},
        {UINT64_MAX, UINT32_MAX, UINT32_MAX, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wei amount;
        assert_true(
            wei_scale_up(&amount, wei(rows[i].amount), rows[i].numerator, rows[i].denominator));
        assert_true(wei_units(amount) == rows[i].result);
    }
    struct wei amount = wei(1);
    struct wei edge;
    assert_false(wei_scale_up(&amount, wei(SGE_MAX), 1125, 1000));
    assert_false(wei_scale_up(&amount, wei(SGE_MAX), UINT32_MAX, 1));
    assert_int_equal((uint64_t)wei_units(amount), 1);
    // The product of the whole part fits, the rest carries it over the end.
    assert_true(wei_parse_units(&edge, "169971212248221010720966337378505600127"));
    assert_false(wei_scale_up(&amount, edge, 1001, 1000));
    assert_true(wei_scale_up(&amount, wei(SGE_MAX), UINT32_MAX, UINT32_MAX));
    assert_true(wei_units(amount) == SGE_MAX);
}

static void commissions_round_down(void **state)
{
    (void)state;
    static const struct {
        int64_t amount;
        uint32_t bps;
        int64_t share;
    } rows[] = {
        {100000000, 2500, 25000000},
        {1, 9999, 0},
        {10000, 1, 1},
        {9999, 1, 0},
        {0, 10000, 0},
        {INT64_MAX, 10000, INT64_MAX},
        {INT64_MAX, 0, 0},
        {3, 5000, 1},
        {INT64_MAX, 9999, INT64_C(9222449699651090329)},
    };
    struct usdc share;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(usdc_share(&share, usdc(rows[i].amount), rows[i].bps));
        assert_int_equal(usdc_units(share), rows[i].share);
    }
    assert_false(usdc_share(&share, usdc(1), BPS_PER_WHOLE + 1));
}

static void sge_for_an_amount_is_exact_and_rounds_down(void **state)
{
    (void)state;
    struct sge rate;
    struct sge amount;
    char text[SGE_TEXT_SIZE];
    assert_true(sge_parse(&rate, "2.5"));
    assert_true(sge_for_usdc(&amount, usdc(12500000), rate));
    sge_format(text, amount);
    assert_string_equal(text, "31.25");
    assert_true(sge_for_usdc(&amount, usdc(1), sge(999999)));
    assert_true(sge_is_zero(amount));
    assert_true(sge_for_usdc(&amount, usdc(3), sge(1999999)));
    assert_true(sge_units(amount) == 5);
    assert_true(sge_for_usdc(&amount, usdc(INT64_MAX), sge(0)));
    assert_true(sge_is_zero(amount));
    assert_true(sge_for_usdc(&amount, usdc(1000000), sge(SGE_MAX)));
    assert_true(sge_units(amount) == SGE_MAX);
    assert_false(sge_for_usdc(&amount, usdc(1000001), sge(SGE_MAX)));
    assert_false(sge_for_usdc(&amount, usdc(INT64_MAX), sge(SGE_MAX)));
    // The product of the whole part fits, the rest carries it over the end.
    assert_false(sge_for_usdc(&amount, usdc(1000003), sge(SGE_MAX / 1000003 * 1000000 + 999999)));
}

static void amounts_compare(void **state)
{
    (void)state;
    assert_int_equal(usdc_compare(usdc(1), usdc(2)), -1);
    assert_int_equal(usdc_compare(usdc(2), usdc(2)), 0);
    assert_int_equal(usdc_compare(usdc(INT64_MAX), usdc(2)), 1);
    assert_int_equal(sge_compare(sge(1), sge(SGE_MAX)), -1);
    assert_int_equal(sge_compare(sge((uint128_t)1 << 64), sge(1)), 1);
    assert_int_equal(wei_compare(wei(0), wei(0)), 0);
    assert_int_equal(wei_compare(wei(1), wei((uint128_t)1 << 64)), -1);
    assert_int_equal(wei_compare(wei(2), wei(1)), 1);
    assert_true(usdc_is_zero(usdc(0)) && sge_is_zero(sge(0)) && wei_is_zero(wei(0)));
    assert_false(usdc_is_zero(usdc(1)) || sge_is_zero(sge(1)) || wei_is_zero(wei(1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_no_amount_are_refused_and_nothing_is_written),
        cmocka_unit_test(usdc_texts_are_exact_to_six_places),
        cmocka_unit_test(sge_texts_are_exact_to_eighteen_places),
        cmocka_unit_test(gwei_and_wei_texts_are_exact),
        cmocka_unit_test(base_units_are_integers_only),
        cmocka_unit_test(sums_and_differences_refuse_to_leave_their_range),
        cmocka_unit_test(fee_bumps_round_up),
        cmocka_unit_test(commissions_round_down),
        cmocka_unit_test(sge_for_an_amount_is_exact_and_rounds_down),
        cmocka_unit_test(amounts_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
