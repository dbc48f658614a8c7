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

struct stepping {
    int64_t wall_ms, monotonic_ms;
};

static int64_t stepping_wall(void *context)
{
    return ((struct stepping *)context)->wall_ms;
}

static int64_t stepping_monotonic(void *context)
{
    return ((struct stepping *)context)->monotonic_ms;
}

// fault 38: our own times go on through a step back, and follow a step forward
static void a_steady_clock_never_goes_back(void **state)
{
    (void)state;
    static const struct {
        int64_t wall_ms, monotonic_ms; // by how much they move
        int64_t steady_ms;             // what it reads then
    } rows[] = {
        {10, 10, 7200010},
        {-3600000, 5, 7200015}, // an hour back
        {1000, 1000, 7201015},
        {3600000, 0, 7201015},   // and forward again, to where it would have been
        {7200000, 10, 14401010}, // two hours forward
        {-1000, 0, 14401010},    // a leap second taken back
        {1000, 1000, 14402010},
    };
    struct stepping now = {7200000, 100};
    const struct clock source = {stepping_wall, stepping_monotonic, &now};
    struct steady_clock steady;
    steady_clock_init(&steady, &source);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        now.wall_ms += rows[i].wall_ms;
        now.monotonic_ms += rows[i].monotonic_ms;
        assert_int_equal(clock_wall_ms(&steady.clock), rows[i].steady_ms);
        assert_int_equal(clock_monotonic_ms(&steady.clock), now.monotonic_ms);
    }
}

static void the_steady_clock_of_the_process_starts_at_the_wall(void **state)
{
    (void)state;
    int64_t behind_ms = clock_wall_ms(clock_system());
    assert_true(clock_wall_ms(clock_steady()) >= behind_ms);
    assert_true(clock_wall_ms(clock_steady()) - behind_ms < 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_its_context_on),
        cmocka_unit_test(system_clock_is_past_2020_and_its_timer_never_goes_back),
        cmocka_unit_test(a_steady_clock_never_goes_back),
        cmocka_unit_test(the_steady_clock_of_the_process_starts_at_the_wall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
