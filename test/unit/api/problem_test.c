// SPDX-License-Identifier: Apache-2.0
// The table of problems: complete, unique, of sensible status.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/problem.h"

#include <string.h>

static void every_problem_has_code_title_hint_and_an_error_status(void **state)
{
    (void)state;
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        const struct problem_facts *facts = problem_facts((enum problem)i);
        assert_int_equal(strspn(facts->code, "abcdefghijklmnopqrstuvwxyz0123456789_"),
                         strlen(facts->code));
        assert_true(strlen(facts->title) > 0 && strlen(facts->hint) > 0);
        assert_true(facts->status >= 400 && facts->status <= 503);
    }
}

static void no_code_stands_twice(void **state)
{
    (void)state;
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++)
        for (int j = i + 1; j < PROBLEM_COUNT; j++)
            assert_string_not_equal(problem_facts((enum problem)i)->code,
                                    problem_facts((enum problem)j)->code);
}

static void counting_one_leaves_the_others(void **state)
{
    (void)state;
    problem_count(PROBLEM_NOT_JSON);
    problem_count(PROBLEM_NOT_JSON);
    assert_int_equal(problem_counted(PROBLEM_NOT_JSON), 2);
    assert_int_equal(problem_counted(PROBLEM_NOT_UTF8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_has_code_title_hint_and_an_error_status),
        cmocka_unit_test(no_code_stands_twice),
        cmocka_unit_test(counting_one_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
