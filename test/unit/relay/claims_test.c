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

static void each_lane_sees_what_the_others_have_in_flight(void **state)
{
    (void)state;
    struct claims *claims = claims_new(3);
    struct flight two = {0}, three = {0};
    assert_true(usdc_from_units(&two.usdc, 2) && usdc_from_units(&three.usdc, 3));
    claims_set_flight(claims, 0, two);
    claims_set_flight(claims, 1, three);
    assert_int_equal(usdc_units(claims_flight_of_others(claims, 0).usdc), 3);
    assert_int_equal(usdc_units(claims_flight_of_others(claims, 1).usdc), 2);
    assert_int_equal(usdc_units(claims_flight_of_others(claims, 2).usdc), 5);
    claims_set_flight(claims, 1, (struct flight){0});
    assert_int_equal(usdc_units(claims_flight_of_others(claims, 2).usdc), 2);
    claims_free(claims);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_handed_to_one_lane),
        cmocka_unit_test(released_jobs_go_to_others),
        cmocka_unit_test(taking_again_gives_the_old_ones_back_first),
        cmocka_unit_test(all_are_short_only_when_each_is),
        cmocka_unit_test(each_lane_sees_what_the_others_have_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
