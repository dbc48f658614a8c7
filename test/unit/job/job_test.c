// SPDX-License-Identifier: Apache-2.0
// The state tables: texts, numbers, allowed changes, the printed page.
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "job/job.h"
#include "job/slot.h"

static void every_text_parses_back_to_its_number(void **state)
{
    (void)state;
    for (int number = 1; number <= JOB_STATE_COUNT; number++) {
        enum job_state parsed;
        assert_true(job_state_parse(&parsed, job_state_text((enum job_state)number)));
        assert_int_equal(parsed, number);
    }
    for (int number = 1; number <= JOB_KIND_COUNT; number++) {
        enum job_kind parsed;
        assert_true(job_kind_parse(&parsed, job_kind_text((enum job_kind)number)));
        assert_int_equal(parsed, number);
    }
}

static void words_and_numbers_out_of_the_tables_are_refused(void **state)
{
    const char *const words[] = {"", "Queued", "queued ", "none"};
    const int64_t numbers[] = {0, -1, 10, INT64_MAX, (int64_t)UINT32_MAX + 2};
    enum job_state job_state;
    enum job_kind kind;
    enum job_outcome outcome;
    enum slot_state slot_state;
    enum slot_kind slot_kind;
    enum attempt_state attempt_state;
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_false(job_state_parse(&job_state, words[i]));
        assert_false(job_kind_parse(&kind, words[i]));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_false(job_state_from_number(&job_state, numbers[i]));
        assert_false(job_kind_from_number(&kind, numbers[i]));
        assert_false(slot_state_from_number(&slot_state, numbers[i]));
        assert_false(slot_kind_from_number(&slot_kind, numbers[i]));
        assert_false(attempt_state_from_number(&attempt_state, numbers[i]));
    }
    assert_true(job_outcome_from_number(&outcome, 0));
    assert_false(job_outcome_from_number(&outcome, 5));
    assert_false(job_outcome_from_number(&outcome, -1));
}

// The whole matrix by hand: row from, column to, in the order of the numbers.
static void the_changes_are_these_and_no_others(void **state)
{
    static const char *const matrix[JOB_STATE_COUNT] = {
        /*            q h a s m u c p x */
        /* queued */ ".XX...XXX",
        /* held */ "X.......X",
        /* assigned */ "...XXX...",
        /* sent */ "....XX...",
        /* mined */ "X..X..XX.",
        /* unresolved */ "X..XX.X..",
        /* confirmed */ ".........",
        /* parked */ "X.....X.X",
        /* cancelled */ "XX.......",
    };
    (void)state;
    for (int from = 1; from <= JOB_STATE_COUNT; from++) {
        for (int to = 1; to <= JOB_STATE_COUNT; to++) {
            bool allowed = job_change_is_allowed((enum job_state)from, (enum job_state)to);
            assert_int_equal(allowed, matrix[from - 1][to - 1] == 'X');
            assert_int_equal(job_change_why((enum job_state)from, (enum job_state)to) != NULL,
                             allowed);
        }
    }
}

static void only_confirmed_and_cancelled_are_ends(void **state)
{
    (void)state;
    for (int number = 1; number <= JOB_STATE_COUNT; number++)
        assert_int_equal(job_state_is_open((enum job_state)number),
                         number != JOB_CONFIRMED && number != JOB_CANCELLED);
}

static void payouts_are_the_two_payout_kinds(void **state)
{
    (void)state;
    assert_false(job_kind_is_payout(JOB_REGISTER_REFERRAL));
    assert_false(job_kind_is_payout(JOB_MINT_IDENTITY));
    assert_true(job_kind_is_payout(JOB_PAYOUT_USDC));
    assert_true(job_kind_is_payout(JOB_PAYOUT_HYBRID));
}

static void the_page_names_every_row_of_every_table(void **state)
{
    char *page = NULL;
    size_t size = 0;
    (void)state;
    FILE *out = open_memstream(&page, &size);
    assert_non_null(out);
    job_print_states_markdown(out);
    assert_int_equal(fclose(out), 0);
#define IN_PAGE(number, name, text, ...) assert_non_null(strstr(page, "| `" text "` |"));
    JOB_STATE_TABLE(IN_PAGE)
    JOB_KIND_TABLE(IN_PAGE)
    JOB_OUTCOME_TABLE(IN_PAGE)
    SLOT_STATE_TABLE(IN_PAGE)
    SLOT_KIND_TABLE(IN_PAGE)
    ATTEMPT_STATE_TABLE(IN_PAGE)
    assert_non_null(strstr(page, "| `mined` | `sent` | reorganisation: the receipt is gone |"));
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_parses_back_to_its_number),
        cmocka_unit_test(words_and_numbers_out_of_the_tables_are_refused),
        cmocka_unit_test(the_changes_are_these_and_no_others),
        cmocka_unit_test(only_confirmed_and_cancelled_are_ends),
        cmocka_unit_test(payouts_are_the_two_payout_kinds),
        cmocka_unit_test(the_page_names_every_row_of_every_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
