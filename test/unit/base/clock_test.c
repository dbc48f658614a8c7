// SPDX-License-Identifier: Apache-2.0
// Clocks: the system's, and one passed in.
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int64_t wall(void *context)
{
    return *(int64_t *)context;
}

static int64_t monotonic(void *context)
{
    return *(int64_t *)context / 2;
}

static void passes_its_context_on(void **state)
{
    (void)state;
    int64_t now = 1000;
    const struct clock clock = {wall, monotonic, &now};
    assert_int_equal(clock_wall_ms(&clock), 1000);
    assert_int_equal(clock_monotonic_ms(&clock), 500);
    now = 4;
    assert_int_equal(clock_monotonic_ms(&clock), 2);
}

static void system_clock_is_past_2020_and_its_timer_never_goes_back(void **state)
{
    (void)state;
    const struct clock *clock = clock_system();
    assert_true(clock_wall_ms(clock) > INT64_C(1577836800000));
    int64_t before = clock_monotonic_ms(clock);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_ms(clock);
        assert_true(now >= before);
        before = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_its_context_on),
        cmocka_unit_test(system_clock_is_past_2020_and_its_timer_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
