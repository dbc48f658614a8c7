// SPDX-License-Identifier: Apache-2.0
// A store belongs to one chain and payout contract, and moves only when no payout is open.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include "store/domain.h"
#include "store/jobs.h"

static enum domain_outcome bind_to(struct fixture *fixture, uint64_t chain_id, uint8_t contract,
                                   bool move)
{
    enum domain_outcome outcome;
    fixture->options.domain.chain_id = chain_id;
    memset(fixture->options.domain.payout_contract.bytes, contract, 20);
    store_close(fixture->store);
    fixture->store = NULL;
    OK(store_open(&fixture->store, &fixture->options));
    struct store_tx *tx = begin(fixture);
    OK(domain_bind(tx, &outcome, move));
    commit(fixture);
    return outcome;
}

static void a_store_keeps_the_contract_it_was_first_used_with(void **state)
{
    struct fixture fixture;
    (void)state;
    fixture_open(&fixture);
    assert_int_equal(bind_to(&fixture, 1, 0x11, false), DOMAIN_BOUND);
    assert_int_equal(bind_to(&fixture, 1, 0x11, false), DOMAIN_BOUND);
    assert_int_equal(bind_to(&fixture, 1, 0x22, false), DOMAIN_OTHER);
    assert_int_equal(bind_to(&fixture, 2, 0x11, false), DOMAIN_OTHER);
    assert_int_equal(bind_to(&fixture, 1, 0x22, true), DOMAIN_BOUND);
    assert_int_equal(bind_to(&fixture, 1, 0x22, false), DOMAIN_BOUND);
    fixture_close(&fixture);
}

static void a_store_with_an_open_payout_does_not_move(void **state)
{
    struct fixture fixture;
    struct job_change change = {.cause = "operator"};
    (void)state;
    fixture_open(&fixture);
    assert_int_equal(bind_to(&fixture, 1, 0x11, false), DOMAIN_BOUND);
    struct store_tx *tx = begin(&fixture);
    struct program program = program_usdc("usdc");
    add_program(tx, &program);
    add_user(tx, 1, 100, "usdc");
    int64_t job = pay(tx, "k", 1, 1000).job_id;
    commit(&fixture);
    assert_int_equal(bind_to(&fixture, 1, 0x22, true), DOMAIN_OPEN_JOBS);
    assert_int_equal(bind_to(&fixture, 1, 0x11, false), DOMAIN_BOUND);
    tx = begin(&fixture);
    OK(job_set_state(tx, job, JOB_QUEUED, JOB_CANCELLED, &change));
    commit(&fixture);
    assert_int_equal(bind_to(&fixture, 1, 0x22, true), DOMAIN_BOUND);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_keeps_the_contract_it_was_first_used_with),
        cmocka_unit_test(a_store_with_an_open_payout_does_not_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
