// SPDX-License-Identifier: Apache-2.0
// First fees and replacements: one row per outcome.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/fees.h"

#include <inttypes.h>

static struct wei wei(uint64_t units)
{
    struct wei amount;
    assert_true(wei_from_units(&amount, units));
    return amount;
}

static uint64_t units(struct wei amount)
{
    return (uint64_t)wei_units(amount);
}

struct first_row {
    const char *name;
    uint64_t base, market_tip, max_fee, max_tip;
    bool ok;
    uint64_t fee, tip;
};

static void first_fees_are_two_base_fees_and_the_tip_under_the_ceilings(void **state)
{
    (void)state;
    static const struct first_row rows[] = {
        {"plain", 100, 10, 1000, 50, true, 210, 10},
        {"tip cut to its ceiling", 100, 80, 1000, 50, true, 250, 50},
        {"fee cut to the ceiling", 100, 10, 150, 50, true, 150, 10},
        {"exactly at the ceiling", 100, 10, 110, 50, true, 110, 10},
        {"one above the ceiling waits", 101, 10, 110, 50, false, 0, 0},
        {"free chain", 0, 0, 110, 50, true, 0, 0},
        {"tip ceiling of zero", 100, 10, 1000, 0, true, 200, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct first_row *row = &rows[i];
        struct chain_fees market = {wei(row->base), wei(row->market_tip)};
        struct fee_limits limits = {wei(row->max_fee), wei(row->max_tip)};
        struct fee_pair fees = {wei(7), wei(7)};
        bool ok = fees_first(&fees, &market, &limits);
        if (ok != row->ok || units(fees.max_fee) != (ok ? row->fee : 7) ||
            units(fees.max_priority_fee) != (ok ? row->tip : 7))
            fail_msg("%s: ok %d fee %" PRIu64 " tip %" PRIu64, row->name, ok, units(fees.max_fee),
                     units(fees.max_priority_fee));
    }
}

struct bump_row {
    const char *name;
    uint64_t fee, tip, base, market_tip, tip_min, max_fee, max_tip;
    bool ok;
    uint64_t new_fee, new_tip;
};

// fault 11: both fees, an eighth, rounded up
static void bumps_grow_both_fields_by_an_eighth_rounded_up(void **state)
{
    (void)state;
    static const struct bump_row rows[] = {
        {"an eighth more", 800, 80, 1, 1, 0, 10000, 100, true, 900, 90},
        {"rounded up", 801, 81, 1, 1, 0, 10000, 100, true, 902, 92},
        {"small numbers grow at least by one", 3, 1, 0, 0, 0, 10000, 100, true, 4, 2},
        {"zero tip grows to one", 800, 0, 1, 0, 0, 10000, 100, true, 900, 1},
        {"the market asks for a larger fee", 800, 80, 1000, 1, 0, 10000, 100, true, 2090, 90},
        {"the market asks for a larger tip", 800, 80, 1, 100, 0, 10000, 100, true, 900, 100},
        {"the market's tip is cut to its ceiling", 800, 80, 1, 900, 0, 10000, 100, true, 900, 100},
        {"the rule may carry the tip past its ceiling", 800, 96, 1, 900, 0, 10000, 100, true, 900,
         108},
        {"a node's minimum tip", 800, 80, 1, 1, 300, 10000, 100, true, 900, 300},
        {"the market is cut to the ceiling", 800, 80, 6000, 1, 0, 10000, 100, true, 10000, 90},
        {"exactly at the ceiling", 800, 80, 1, 1, 0, 900, 100, true, 900, 90},
        {"one above the ceiling: no bump", 801, 80, 1, 1, 0, 901, 100, false, 0, 0},
        {"a minimum tip above the ceiling: no bump", 800, 80, 1, 1, 901, 900, 100, false, 0, 0},
        {"the fee never falls below the tip", 100, 90, 0, 0, 500, 1000, 100, true, 500, 500},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bump_row *row = &rows[i];
        struct fee_pair current = {wei(row->fee), wei(row->tip)}, next = {wei(7), wei(7)};
        struct chain_fees market = {wei(row->base), wei(row->market_tip)};
        struct fee_limits limits = {wei(row->max_fee), wei(row->max_tip)};
        bool ok = fees_bump(&next, &current, &market, wei(row->tip_min), &limits);
        if (ok != row->ok || units(next.max_fee) != (ok ? row->new_fee : 7) ||
            units(next.max_priority_fee) != (ok ? row->new_tip : 7))
            fail_msg("%s: ok %d fee %" PRIu64 " tip %" PRIu64, row->name, ok, units(next.max_fee),
                     units(next.max_priority_fee));
    }
}

// fault 11: every bump is large enough for the strictest nodes
static void every_bump_satisfies_geths_replacement_rule(void **state)
{
    (void)state;
    struct fee_limits limits = {wei(UINT64_C(1) << 60), wei(1000)};
    struct chain_fees market = {wei(5), wei(0)};
    struct fee_pair fees = {wei(1), wei(0)};
    for (int bump = 0; bump < 600; bump++) {
        struct fee_pair next;
        if (!fees_bump(&next, &fees, &market, wei(0), &limits))
            return;
        assert_true(wei_compare(next.max_fee, fees.max_fee) > 0);
        assert_true(wei_compare(next.max_priority_fee, fees.max_priority_fee) > 0);
        assert_true(wei_units(next.max_fee) * 100 >= wei_units(fees.max_fee) * 110);
        assert_true(wei_units(next.max_priority_fee) * 100 >=
                    wei_units(fees.max_priority_fee) * 110);
        assert_true(wei_compare(next.max_priority_fee, next.max_fee) <= 0);
        assert_true(wei_compare(next.max_fee, limits.max_fee) <= 0);
        fees = next;
    }
    fail_msg("the ceiling was never reached");
}

static void a_nodes_minimum_is_read_from_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        bool ok;
        uint64_t minimum;
    } rows[] = {
        {"transaction underpriced: gas tip cap 1, minimum needed 25000000000", true,
         UINT64_C(25000000000)},
        {"gas price below minimum: minimum needed 7 wei", true, 7},
        {"transaction underpriced", false, 0},
        {"minimum needed ", false, 0},
        {"minimum needed -5", false, 0},
        {"minimum needed 999999999999999999999999999999999999999999", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wei minimum = wei(0);
        if (fees_minimum_needed(&minimum, rows[i].message) != rows[i].ok ||
            units(minimum) != rows[i].minimum)
            fail_msg("%s", rows[i].message);
    }
}

static void fees_cover_the_next_block_up_to_its_base_fee(void **state)
{
    (void)state;
    struct fee_pair fees = {wei(100), wei(1)};
    struct chain_fees at = {wei(100), wei(0)}, above = {wei(101), wei(0)};
    assert_true(fees_cover(&fees, &at));
    assert_false(fees_cover(&fees, &above));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_fees_are_two_base_fees_and_the_tip_under_the_ceilings),
        cmocka_unit_test(bumps_grow_both_fields_by_an_eighth_rounded_up),
        cmocka_unit_test(every_bump_satisfies_geths_replacement_rule),
        cmocka_unit_test(a_nodes_minimum_is_read_from_its_words),
        cmocka_unit_test(fees_cover_the_next_block_up_to_its_base_fee),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
