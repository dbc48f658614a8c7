// SPDX-License-Identifier: Apache-2.0
// Token buckets: the burst, the refill, the wait, and what neighbours see.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/rate.h"

#define START_MS 1000000

static size_t take_all(struct rate *rate, uint64_t hash, int64_t now_ms)
{
    size_t taken = 0;
    int64_t retry_s;
    while (taken < 100000 && rate_take(rate, &retry_s, hash, now_ms))
        taken++;
    return taken;
}

static void a_full_bucket_holds_one_second_of_tokens(void **state)
{
    (void)state;
    struct rate *rate = rate_new(50);
    assert_int_equal(take_all(rate, 7, START_MS), 50);
    assert_int_equal(take_all(rate, 7, START_MS), 0);
    assert_int_equal(take_all(rate, 8, START_MS), 50);
    rate_free(rate);
}

static void tokens_flow_in_at_the_rate_and_no_more_is_kept(void **state)
{
    (void)state;
    struct rate *rate = rate_new(50);
    take_all(rate, 7, START_MS);
    assert_int_equal(take_all(rate, 7, START_MS + 19), 0);
    assert_int_equal(take_all(rate, 7, START_MS + 100), 5);
    assert_int_equal(take_all(rate, 7, START_MS + 60000), 50);
    rate_free(rate);
}

static void the_wait_is_rounded_up_to_seconds(void **state)
{
    (void)state;
    int64_t retry_s = 0;
    struct rate *rate = rate_new(1);
    assert_true(rate_take(rate, &retry_s, 1, START_MS));
    assert_false(rate_take(rate, &retry_s, 1, START_MS));
    assert_int_equal(retry_s, 1);
    assert_false(rate_has(rate, &retry_s, 1, START_MS + 999));
    assert_true(rate_has(rate, &retry_s, 1, START_MS + 1000));
    assert_true(rate_take(rate, &retry_s, 1, START_MS + 1000));
    rate_free(rate);
}

static void looking_takes_nothing(void **state)
{
    (void)state;
    int64_t retry_s;
    struct rate *rate = rate_new(1);
    for (int i = 0; i < 10; i++)
        assert_true(rate_has(rate, &retry_s, 3, START_MS));
    assert_true(rate_take(rate, &retry_s, 3, START_MS));
    rate_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_holds_one_second_of_tokens),
        cmocka_unit_test(tokens_flow_in_at_the_rate_and_no_more_is_kept),
        cmocka_unit_test(the_wait_is_rounded_up_to_seconds),
        cmocka_unit_test(looking_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
