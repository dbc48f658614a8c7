// SPDX-License-Identifier: Apache-2.0
// Commissions: shares, the cut, SGE in proportion, overflow; program names and words.
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "job/program.h"

struct row {
    const char *what;
    enum program_kind kind;
    uint32_t bps;
    const char *rate; // SGE per USDC
    int64_t payout_max, amount;
    bool fits;
    int64_t usdc;
    const char *sge; // base units
};

static const struct row rows[] = {
    {"a tenth", PROGRAM_USDC, 1000, "0", 0, 1000000, true, 100000, "0"},
    {"rounded down", PROGRAM_USDC, 1000, "0", 0, 1999, true, 199, "0"},
    {"to nothing", PROGRAM_USDC, 1, "0", 0, 9999, true, 0, "0"},
    {"everything", PROGRAM_USDC, 10000, "0", 0, INT64_MAX, true, INT64_MAX, "0"},
    {"at the limit", PROGRAM_USDC, 10000, "0", 500, 500, true, 500, "0"},
    {"cut to the limit", PROGRAM_USDC, 10000, "0", 500, 501, true, 500, "0"},
    {"a rate without hybrid", PROGRAM_USDC, 10000, "2", 0, 1000000, true, 1000000, "0"},
    {"hybrid", PROGRAM_HYBRID, 10000, "2.5", 0, 1000000, true, 1000000, "2500000000000000000"},
    {"hybrid from what is paid", PROGRAM_HYBRID, 10000, "1", 500, 1000000, true, 500,
     "500000000000000"},
    {"hybrid overflow", PROGRAM_HYBRID, 10000, "170141183460469231731", 0, INT64_MAX, false, 0,
     "0"},
};

static void each_payment_earns_what_the_program_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct program program;
        struct usdc amount, usdc;
        struct sge sge, expected;
        memset(&program, 0, sizeof program);
        program.kind = row->kind;
        program.commission_bps = row->bps;
        assert_true(sge_parse(&program.sge_rate, row->rate));
        assert_true(usdc_from_units(&program.payout_max, row->payout_max));
        assert_true(usdc_from_units(&amount, row->amount));
        assert_true(sge_parse_units(&expected, row->sge));
        print_message("%s\n", row->what);
        assert_int_equal(program_commission(&usdc, &sge, &program, amount), row->fits);
        if (!row->fits)
            continue;
        assert_int_equal(usdc_units(usdc), row->usdc);
        assert_int_equal(sge_compare(sge, expected), 0);
    }
}

static void names_are_short_and_plain(void **state)
{
    char longest[PROGRAM_NAME_SIZE + 1];
    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[PROGRAM_NAME_SIZE] = '\0';
    assert_false(program_name_is_valid(longest)); // 65
    longest[PROGRAM_NAME_SIZE - 1] = '\0';
    assert_true(program_name_is_valid(longest)); // 64
    assert_true(program_name_is_valid("launch-2026"));
    assert_false(program_name_is_valid(""));
    assert_false(program_name_is_valid("Launch"));
    assert_false(program_name_is_valid("a b"));
    assert_false(program_name_is_valid("a_b"));
}

static void words_parse_back_to_their_numbers(void **state)
{
    enum program_kind kind;
    enum program_trigger trigger;
    (void)state;
    assert_true(program_kind_parse(&kind, program_kind_text(PROGRAM_HYBRID)));
    assert_int_equal(kind, PROGRAM_HYBRID);
    assert_true(program_trigger_parse(&trigger, program_trigger_text(PROGRAM_FIRST_PAYMENT)));
    assert_int_equal(trigger, PROGRAM_FIRST_PAYMENT);
    assert_false(program_kind_parse(&kind, "both"));
    assert_false(program_trigger_parse(&trigger, ""));
    assert_false(program_kind_from_number(&kind, 3));
    assert_false(program_trigger_from_number(&trigger, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_payment_earns_what_the_program_says),
        cmocka_unit_test(names_are_short_and_plain),
        cmocka_unit_test(words_parse_back_to_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
