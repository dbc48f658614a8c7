// SPDX-License-Identifier: Apache-2.0
// Tests of wake-ups: counted until waited for, from any thread and from a signal handler.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "base/clock.h"
#include "queue/wake.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

// Far past anything a loaded machine does, so that only a lost wake-up reaches it.
#define TIMEOUT_MS_MAX 60000

static int64_t waited_ms(struct wake *wake, int64_t timeout_ms)
{
    int64_t start_ms = clock_monotonic_ms(clock_system());
    wake_wait(wake, timeout_ms);
    return clock_monotonic_ms(clock_system()) - start_ms;
}

static void a_wait_without_a_signal_ends_at_its_timeout(void **state)
{
    struct wake *wake = *state;
    assert_true(waited_ms(wake, 30) >= 29);
    assert_true(waited_ms(wake, 0) < TIMEOUT_MS_MAX);
    assert_true(waited_ms(wake, -5) < TIMEOUT_MS_MAX);
}

static void a_signal_before_the_wait_ends_it_at_once(void **state)
{
    struct wake *wake = *state;
    wake_signal(wake);
    assert_true(waited_ms(wake, TIMEOUT_MS_MAX) < TIMEOUT_MS_MAX);
}

static void many_signals_make_one_wake_up(void **state)
{
    struct wake *wake = *state;
    for (int i = 0; i < 1000; i++)
        wake_signal(wake);
    assert_true(waited_ms(wake, TIMEOUT_MS_MAX) < TIMEOUT_MS_MAX);
    assert_true(waited_ms(wake, 20) >= 19);
}

static void *signal_later(void *context)
{
    usleep(20000);
    wake_signal(context);
    return NULL;
}

static void a_signal_from_another_thread_ends_the_wait(void **state)
{
    struct wake *wake = *state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, signal_later, wake), 0);
    assert_true(waited_ms(wake, TIMEOUT_MS_MAX) < TIMEOUT_MS_MAX);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static struct wake *handler_wake;

static void wake_handler(int number)
{
    (void)number;
    wake_signal(handler_wake);
}

static void ignore_handler(int number)
{
    (void)number;
}

struct interruption {
    pthread_t target;
    int number;
};

static void *interrupt_later(void *context)
{
    const struct interruption *interruption = context;
    usleep(20000);
    pthread_kill(interruption->target, interruption->number);
    return NULL;
}

static int64_t waited_through_signal_ms(struct wake *wake, void (*handler)(int), int64_t timeout_ms)
{
    struct sigaction action = {.sa_handler = handler};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    struct interruption interruption = {pthread_self(), SIGUSR1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_later, &interruption), 0);
    int64_t ms = waited_ms(wake, timeout_ms);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return ms;
}

static void a_signal_from_a_handler_ends_the_wait(void **state)
{
    handler_wake = *state;
    assert_true(waited_through_signal_ms(*state, wake_handler, TIMEOUT_MS_MAX) < TIMEOUT_MS_MAX);
}

static void an_interruption_alone_does_not_end_the_wait(void **state)
{
    assert_true(waited_through_signal_ms(*state, ignore_handler, 200) >= 199);
}

static int set_up(void **state)
{
    *state = wake_new();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    wake_free(*state);
    wake_free(NULL);
    return 0;
}

#define WAKE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WAKE_TEST(a_wait_without_a_signal_ends_at_its_timeout),
        WAKE_TEST(a_signal_before_the_wait_ends_it_at_once),
        WAKE_TEST(many_signals_make_one_wake_up),
        WAKE_TEST(a_signal_from_another_thread_ends_the_wait),
        WAKE_TEST(a_signal_from_a_handler_ends_the_wait),
        WAKE_TEST(an_interruption_alone_does_not_end_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
