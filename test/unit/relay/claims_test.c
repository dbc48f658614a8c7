// SPDX-License-Identifier: Apache-2.0
// Lanes of one process look at disjoint jobs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/claims.h"

static void a_job_is_handed_to_one_lane(void **state)
{
    (void)state;
    struct claims *claims = claims_new(2);
    int64_t first[] = {1, 2, 3}, second[] = {2, 3, 4, 5};
    assert_int_equal(claims_take(claims, 0, first, 3), 3);
    assert_int_equal(claims_take(claims, 1, second, 4), 2);
    assert_int_equal(second[0], 4);
    assert_int_equal(second[1], 5);
    claims_free(claims);
}

static void released_jobs_go_to_others(void **state)
{
    (void)state;
    struct claims *claims = claims_new(2);
    int64_t first[] = {1, 2}, second[] = {1, 2};
    assert_int_equal(claims_take(claims, 0, first, 2), 2);
    claims_release(claims, 0);
    assert_int_equal(claims_take(claims, 1, second, 2), 2);
    claims_free(claims);
}

static void taking_again_gives_the_old_ones_back_first(void **state)
{
    (void)state;
    struct claims *claims = claims_new(2);
    int64_t first[] = {1, 2}, again[] = {2, 3}, other[] = {1};
    assert_int_equal(claims_take(claims, 0, first, 2), 2);
    assert_int_equal(claims_take(claims, 0, again, 2), 2);
    assert_int_equal(claims_take(claims, 1, other, 1), 1);
    claims_free(claims);
}

static void all_are_short_only_when_each_is(void **state)
{
    (void)state;
    struct claims *claims = claims_new(2);
    assert_false(claims_all_short(claims, 0, true));
    assert_true(claims_all_short(claims, 1, true));
    assert_false(claims_all_short(claims, 0, false));
    claims_free(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_handed_to_one_lane),
        cmocka_unit_test(released_jobs_go_to_others),
        cmocka_unit_test(taking_again_gives_the_old_ones_back_first),
        cmocka_unit_test(all_are_short_only_when_each_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
