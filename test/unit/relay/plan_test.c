// SPDX-License-Identifier: Apache-2.0
// Delays, jitter, block facts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void the_delay_doubles_up_to_its_maximum(void **state)
{
    (void)state;
    struct plan_limits limits = {.retry_delay_ms = 1000, .retry_delay_ms_max = 60000};
    static const struct {
        int32_t tries;
        int64_t delay;
    } rows[] = {{0, 1000},  {1, 1000},  {2, 2000},   {3, 4000},         {6, 32000},
                {7, 60000}, {8, 60000}, {99, 60000}, {INT32_MAX, 60000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(plan_retry_delay_ms(&limits, rows[i].tries, 0), rows[i].delay);
}

static void the_jitter_takes_at_most_a_quarter(void **state)
{
    (void)state;
    struct plan_limits limits = {.retry_delay_ms = 1000, .retry_delay_ms_max = 60000};
    bool differs = false;
    for (uint64_t item = 0; item < 1000; item++) {
        int64_t delay = plan_retry_delay_ms(&limits, 1, plan_mix(42, item));
        assert_true(delay > 750 && delay <= 1000);
        differs = differs || delay != 1000;
    }
    assert_true(differs);
}

static void a_block_nobody_asked_for_is_not_known(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    assert_non_null(plan_block(&fixture.facts, 100));
    assert_null(plan_block(&fixture.facts, 99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_doubles_up_to_its_maximum),
        cmocka_unit_test(the_jitter_takes_at_most_a_quarter),
        cmocka_unit_test(a_block_nobody_asked_for_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
