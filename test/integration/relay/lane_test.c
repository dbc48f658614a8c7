// SPDX-License-Identifier: Apache-2.0
// A lane on a real chain: what it pays, what it holds, what it parks.
#include "world.h"

#include <stdio.h>
#include <string.h>

static int64_t units(int64_t whole)
{
    return whole * 1000000;
}

// Every payout of the test is on the chain exactly once, and its affiliate has the money.
static void assert_paid_once(struct world *world, int64_t job_id, int affiliate, int64_t usdc)
{
    struct job job = world_job(world, job_id);
    struct address holder = world_affiliate(affiliate);
    assert_string_equal(job_state_text(job.state), "confirmed");
    assert_int_equal(world_events_of(world, &job.payout_id), 1);
    assert_int_equal(world_usdc_of(world, &holder), usdc);
}

static void a_payment_becomes_a_final_payout(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_start(&world);
    world_register(&world, 1, 1, true);
    int64_t job = world_pay(&world, "p1", 1, "usdc", 50);
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    struct address child = world_child(1);
    assert_int_equal(world_job(&world, job).outcome, JOB_OUTCOME_DONE);
    assert_int_equal(world_view(&world, &world.identity, "hasIdentity(address)", &child), 1);
    assert_int_equal(world_lane_nonce(&world), 3);
    world_close(&world);
}

static void waiting_payouts_share_one_transaction(void **state)
{
    (void)state;
    struct world world;
    int64_t jobs[20];
    world_open(&world);
    world_start(&world);
    for (int i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        world_register(&world, i, i, false);
        jobs[i] = world_pay(&world, key, i, i % 2 ? "hybrid" : "usdc", 10 + i);
    }
    world_run(&world);
    for (int i = 0; i < 20; i++) {
        struct job job = world_job(&world, jobs[i]);
        assert_paid_once(&world, jobs[i], i, usdc_units(job.usdc));
    }
    assert_int_equal(world_lane_nonce(&world), 2); // one of payouts, one of referrals
    world_close(&world);
}

// fault 18: batches are split by gas
static void payouts_are_split_by_size_and_window(void **state)
{
    (void)state;
    struct world world;
    int64_t jobs[10];
    world_open(&world);
    world.batch_size_max = 2;
    world.window = 2;
    world_start(&world);
    for (int i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        world_register(&world, i, i, false);
        jobs[i] = world_pay(&world, key, i, "usdc", 10);
    }
    world_run(&world);
    for (int i = 0; i < 10; i++)
        assert_paid_once(&world, jobs[i], i, units(1));
    assert_int_equal(world_lane_nonce(&world), 10);
    world_close(&world);
}

static void a_hold_window_is_waited_out(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_start(&world);
    world_register(&world, 1, 1, false);
    int64_t job = world_pay(&world, "p1", 1, "patient", 50);
    world_run_while(&world, 1u << JOB_QUEUED | 1u << JOB_MINED);
    for (int i = 0; i < 5; i++)
        world_step(&world);
    assert_string_equal(world_state(&world, job), "held");
    world.skew_ms += 60000;
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// The store is lost, the chain is not: the same payment has the same id and is not paid twice.
// fault 20: paid already is verified at the final block
static void what_the_chain_has_already_is_confirmed_without_a_transaction(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_start(&world);
    world_register(&world, 1, 1, true);
    world_pay(&world, "p1", 1, "usdc", 50);
    world_run(&world);
    int64_t nonce = world_lane_nonce(&world);
    world_stop(&world);
    struct world second = world;
    world_forget_store(&second);
    world_start(&second);
    world_register(&second, 1, 1, true);
    int64_t job = world_pay(&second, "p1", 1, "usdc", 50);
    world_run(&second);
    assert_paid_once(&second, job, 1, units(5));
    assert_int_equal(world_job(&second, job).outcome, JOB_OUTCOME_ALREADY);
    assert_int_equal(world_lane_nonce(&second), nonce);
    world_close(&second);
}

// fault 20, 52: the relayer calls it owed and does not push it again
static void a_blacklisted_affiliate_is_owed_and_stops_nobody(void **state)
{
    (void)state;
    struct world world;
    int64_t jobs[5];
    world_open(&world);
    world_start(&world);
    struct address bad = world_affiliate(2);
    world_admin_address(&world, &world.usdc, "blacklist(address)", &bad);
    for (int i = 0; i < 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        world_register(&world, i, i, false);
        jobs[i] = world_pay(&world, key, i, "usdc", 10);
    }
    world_run(&world);
    for (int i = 0; i < 5; i++)
        assert_paid_once(&world, jobs[i], i, i == 2 ? 0 : units(1));
    assert_int_equal(world_job(&world, jobs[2]).outcome, JOB_OUTCOME_OWED);
    assert_int_equal(world_job(&world, jobs[1]).outcome, JOB_OUTCOME_DONE);
    world_close(&world);
}

// Runs until the kind is held, checks that nothing was sent for it, undoes the cause and runs on.
static void assert_holds_and_resumes(struct world *world, int64_t job, const char *reason,
                                     void (*undo)(struct world *world))
{
    int64_t start_ms = clock_monotonic_ms(clock_system());
    int64_t nonce = world_lane_nonce(world);
    while (!world_is_held(world, JOB_PAYOUT_USDC, reason)) {
        world_step(world);
        assert_true(clock_monotonic_ms(clock_system()) - start_ms < WORLD_RUN_MS);
    }
    world->skew_ms += PLAN_HOLD_RECHECK_MS;
    for (int i = 0; i < 5; i++)
        world_step(world);
    assert_string_equal(world_state(world, job), "queued");
    assert_int_equal(world_lane_nonce(world), nonce);
    undo(world);
    world->skew_ms += PLAN_HOLD_RECHECK_MS;
    world_run(world);
    assert_false(world_is_held(world, JOB_PAYOUT_USDC, reason));
    assert_paid_once(world, job, 1, units(5));
}

static int64_t one_due_payout(struct world *world)
{
    world_open(world);
    world_start(world);
    world_register(world, 1, 1, false);
    world_run(world);
    return world_pay(world, "p1", 1, "usdc", 50);
}

static void unpause_contract(struct world *world)
{
    world_admin_plain(world, &world->payout, "unpause()");
}
// fault 20: a pause holds, and lets go by itself
static void a_paused_contract_holds_payouts_until_it_goes_on(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    world_admin_plain(&world, &world.payout, "pause()");
    assert_holds_and_resumes(&world, job, "contract_paused", unpause_contract);
    world_close(&world);
}

static void unpause_token(struct world *world)
{
    world_admin_plain(world, &world->usdc, "unpause()");
}
// fault 53: held without burning gas, and resumed
static void a_paused_token_holds_payouts_until_it_goes_on(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    world_admin_plain(&world, &world.usdc, "pause()");
    assert_holds_and_resumes(&world, job, "token_paused", unpause_token);
    world_close(&world);
}

static void unblacklist_contract(struct world *world)
{
    world_admin_address(world, &world->usdc, "unBlacklist(address)", &world->payout);
}

// fault 54: not one payout is booked as owed for what is no fault of its recipient
static void a_blacklisted_payout_contract_holds_payouts_until_it_is_let_off(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    world_admin_address(&world, &world.usdc, "blacklist(address)", &world.payout);
    assert_holds_and_resumes(&world, job, "contract_blacklisted", unblacklist_contract);
    world_close(&world);
}

static void set_funds(struct world *world, int64_t whole)
{
    struct abi_writer call = abi_writer(world->arena, 4);
    abi_write_selector(&call, "emergencyWithdraw(address,address,uint256)");
    abi_write_address(&call, &world->usdc);
    abi_write_address(&call, &world->admin);
    abi_write_u64(&call, (uint64_t)(world_usdc_of(world, &world->payout) - units(whole)));
    world_admin_plain(world, &world->payout, "pause()");
    world_admin(world, &world->payout, &call);
    world_admin_plain(world, &world->payout, "unpause()");
}
static void mint_funds(struct world *world)
{
    world_mint_usdc(world, 1000);
}
static void short_funds_hold_payouts_until_there_is_money(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    set_funds(&world, 4);
    assert_holds_and_resumes(&world, job, "funds", mint_funds);
    world_close(&world);
}

// The node takes no block while they are made: each trial call alone says that it pays.
static void what_is_in_flight_counts_against_the_funds(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.batch_size_max = 1;
    world_start(&world);
    world_register(&world, 1, 1, false);
    world_run(&world);
    set_funds(&world, 10);
    world_node(&world, "evm_setAutomine", "[false]");
    int64_t first = world_pay(&world, "p1", 1, "usdc", 60);
    world_run_until(&world, first, JOB_SENT);
    int64_t second = world_pay(&world, "p2", 1, "usdc", 50);
    int64_t small = world_pay(&world, "p3", 1, "usdc", 30);
    int64_t smaller = world_pay(&world, "p4", 1, "usdc", 20);
    world_run_until(&world, small, JOB_SENT);
    for (int i = 0; i < 5; i++)
        world_step(&world);
    assert_string_equal(world_state(&world, second), "queued");
    assert_string_equal(world_state(&world, smaller), "queued");
    world_node(&world, "evm_setAutomine", "[true]");
    world_node(&world, "anvil_mine", "[\"0x1\"]");
    world_run_while(&world, 1u << JOB_SENT | 1u << JOB_MINED);
    int64_t nonce = world_lane_nonce(&world);
    world.skew_ms += 60000;
    for (int i = 0; i < 5; i++)
        world_step(&world);
    assert_int_equal(world_lane_nonce(&world), nonce); // nothing was sent in vain
    mint_funds(&world);
    world.skew_ms += 60000;
    world_run(&world);
    struct address holder = world_affiliate(1);
    assert_int_equal(world_usdc_of(&world, &holder), units(6 + 5 + 3 + 2));
    assert_int_equal(world_job(&world, second).tries, 1);
    world_close(&world);
}

static void set_balance(struct world *world, const char *wei)
{
    char address[ADDRESS_TEXT_SIZE], params[120];
    address_format(address, &world->lane_address);
    snprintf(params, sizeof params, "[\"%s\",\"%s\"]", address, wei);
    world_node(world, "anvil_setBalance", params);
}
static void give_gas_money(struct world *world)
{
    set_balance(world, "0x56bc75e2d63100000");
}
// fault 17: no gas money: all wait, say what is needed, and go on by themselves
static void missing_gas_money_holds_all_until_it_comes(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    set_balance(&world, "0x3b9aca00"); // 1 gwei
    world.skew_ms += 10000;            // the lane does not read its balance all the time
    while (!world_is_held(&world, JOB_PAYOUT_USDC, "gas_money"))
        world_step(&world);
    const char *why = world_hold_why(&world, JOB_PAYOUT_USDC, "gas_money");
    if (strstr(why, " needs ") == NULL || strstr(why, " has 1") == NULL)
        fail_msg("%s", why);
    assert_holds_and_resumes(&world, job, "gas_money", give_gas_money);
    world_close(&world);
}

// The balance went between the look and the sending: the bytes are kept, and sent again.
// fault 17: a refusal for gas money fails no job
static void a_transaction_refused_for_gas_money_waits_for_it(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    set_balance(&world, "0x3e8");
    while (!world_is_held(&world, JOB_PAYOUT_USDC, "gas_money"))
        world_step(&world);
    assert_string_equal(world_state(&world, job), "assigned");
    give_gas_money(&world);
    world.skew_ms += PLAN_REFUSED_MS_MAX;
    world_run(&world);
    world_step(&world);
    assert_false(world_is_held(&world, JOB_PAYOUT_USDC, "gas_money"));
    assert_paid_once(&world, job, 1, units(5));
    assert_int_equal(world_lane_nonce(&world), 2);
    world_close(&world);
}

static void lower_base_fee(struct world *world)
{
    world_node(world, "anvil_setNextBlockBaseFeePerGas", "[\"0x3b9aca00\"]");
    world_node(world, "evm_mine", "[]");
    world_node(world, "anvil_setNextBlockBaseFeePerGas", "[\"0x3b9aca00\"]");
    world_node(world, "evm_mine", "[]");
}
// fault 13, 14: above the ceiling jobs stay queued
static void fees_above_the_ceiling_hold_all_until_they_fall(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    world_node(&world, "anvil_setNextBlockBaseFeePerGas", "[\"0x2e90edd000\"]"); // 200 gwei
    world_node(&world, "evm_mine", "[]");
    assert_holds_and_resumes(&world, job, "fee_ceiling", lower_base_fee);
    world_close(&world);
}

// fault 20: a known error that never passes parks, decoded
static void what_can_never_succeed_is_parked_with_the_decoded_reason(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world);
    int64_t large = world_pay(&world, "p2", 1, "usdc", 5000); // 500 is above the payout cap
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    assert_string_equal(world_state(&world, large), "parked");
    struct job parked = world_job(&world, large);
    if (strstr(parked.reason, "PayoutCapExceeded") == NULL)
        fail_msg("%s", parked.reason);
    assert_int_equal(world_events_of(&world, &parked.payout_id), 0);
    world_close(&world);
}

static void a_referral_to_another_is_parked_and_the_same_is_done_already(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_start(&world);
    struct address other = world_affiliate(9), same = world_affiliate(2);
    world_refer(&world, 1, &other);
    world_refer(&world, 2, &same);
    world_register(&world, 1, 1, false);
    world_register(&world, 2, 2, false);
    world_run(&world);
    assert_int_equal(world_lane_nonce(&world), 0);
    assert_string_equal(world_state(&world, world_referral_job(&world, 1)), "parked");
    struct job done = world_job(&world, world_referral_job(&world, 2));
    assert_string_equal(job_state_text(done.state), "confirmed");
    assert_int_equal(done.outcome, JOB_OUTCOME_ALREADY);
    world_close(&world);
}

// The block is too small for the transaction, which only the sending tells: its nonce is given up
// with an empty one, and the job comes back.
static void small_blocks_once_committed(void *context, enum lane_point point)
{
    struct world *world = context;
    if (point != LANE_COMMITTED || !world_is_busy(world))
        return;
    world->at = NULL;
    world_node(world, "evm_setBlockGasLimit", "[\"0x186a0\"]");
    world_node(world, "evm_mine", "[]");
}

// fault 9, 18: the nonce is filled, the job tried once more, then parked
static void a_transaction_refused_for_good_gives_its_nonce_up_and_twice_parks_its_job(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world_start(&world);
    world_register(&world, 1, 1, false);
    world_run(&world);
    world_stop(&world);
    world.at = small_blocks_once_committed;
    world.at_context = &world;
    world_start(&world);
    int64_t job = world_pay(&world, "p1", 1, "usdc", 50);
    world_run_while(&world, 1u << JOB_QUEUED);
    world_run_until(&world, job, JOB_QUEUED);
    assert_int_equal(world_lane_nonce(&world), 2); // the filler
    world_run(&world);
    struct job parked = world_job(&world, job);
    assert_string_equal(job_state_text(parked.state), "parked");
    assert_non_null(strstr(parked.reason, "gas"));
    assert_int_equal(world_events_of(&world, &parked.payout_id), 0);
    assert_int_equal(world_lane_nonce(&world), 3);
    assert_int_equal(lane_look(world.lane).open, 0);
    world_close(&world);
}

struct cancelling {
    struct world *world;
    int64_t job;
    bool done;
};

static void cancel_when_signed(void *context, enum lane_point point)
{
    struct cancelling *cancelling = context;
    if (point != LANE_SIGNED || cancelling->job == 0 || cancelling->done)
        return;
    cancelling->done = true;
    world_cancel(cancelling->world, cancelling->job);
}

static void what_the_signer_refuses_stops_nothing_else(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.signer_denies_mints = true;
    world_start(&world);
    world_register(&world, 1, 1, true); // the mint is refused
    int64_t job = world_pay(&world, "p1", 1, "usdc", 50);
    world_run_until(&world, job, JOB_CONFIRMED);
    world_run_until(&world, world_referral_job(&world, 1), JOB_CONFIRMED);
    struct address holder = world_affiliate(1);
    assert_int_equal(world_usdc_of(&world, &holder), 5000000);
    assert_true(world_is_busy(&world)); // the mint waits and says why
    world_stop(&world);
    world.signer_denies_mints = false;
    world.skew_ms += 60000;
    world_start(&world);
    world_run(&world);
    world_close(&world);
}

static void a_job_cancelled_in_the_middle_of_a_step_is_not_paid(void **state)
{
    (void)state;
    struct world world;
    struct cancelling cancelling = {&world, 0, false};
    world_open(&world);
    world.at = cancel_when_signed;
    world.at_context = &cancelling;
    world_start(&world);
    world_register(&world, 1, 1, false);
    world_run(&world);
    int64_t nonce = world_lane_nonce(&world);
    cancelling.job = world_pay(&world, "p1", 1, "usdc", 50);
    int64_t other = world_pay(&world, "p2", 1, "usdc", 30);
    world_run(&world);
    assert_true(cancelling.done);
    assert_string_equal(world_state(&world, cancelling.job), "cancelled");
    assert_paid_once(&world, other, 1, units(3));
    assert_int_equal(world_lane_nonce(&world), nonce + 1);
    world_close(&world);
}

static void pause_when_signed(void *context, enum lane_point point)
{
    struct cancelling *pausing = context;
    if (point != LANE_SIGNED || pausing->job == 0 || pausing->done)
        return;
    pausing->done = true;
    world_pause(pausing->world, true);
}

static void a_pause_in_the_middle_of_a_step_is_obeyed_by_it(void **state)
{
    (void)state;
    struct world world;
    struct cancelling pausing = {&world, 0, false};
    world_open(&world);
    world.at = pause_when_signed;
    world.at_context = &pausing;
    world_start(&world);
    world_register(&world, 1, 1, false);
    world_run(&world);
    int64_t nonce = world_lane_nonce(&world);
    pausing.job = world_pay(&world, "p1", 1, "usdc", 50);
    for (int i = 0; i < 20; i++)
        world_step(&world);
    assert_true(pausing.done);
    assert_string_equal(world_state(&world, pausing.job), "queued");
    assert_int_equal(world_lane_nonce(&world), nonce);
    world_pause(&world, false);
    world_run(&world);
    assert_paid_once(&world, pausing.job, 1, units(5));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payment_becomes_a_final_payout),
        cmocka_unit_test(waiting_payouts_share_one_transaction),
        cmocka_unit_test(payouts_are_split_by_size_and_window),
        cmocka_unit_test(a_hold_window_is_waited_out),
        cmocka_unit_test(what_the_chain_has_already_is_confirmed_without_a_transaction),
        cmocka_unit_test(a_blacklisted_affiliate_is_owed_and_stops_nobody),
        cmocka_unit_test(a_paused_contract_holds_payouts_until_it_goes_on),
        cmocka_unit_test(a_blacklisted_payout_contract_holds_payouts_until_it_is_let_off),
        cmocka_unit_test(a_paused_token_holds_payouts_until_it_goes_on),
        cmocka_unit_test(short_funds_hold_payouts_until_there_is_money),
        cmocka_unit_test(what_is_in_flight_counts_against_the_funds),
        cmocka_unit_test(missing_gas_money_holds_all_until_it_comes),
        cmocka_unit_test(a_transaction_refused_for_gas_money_waits_for_it),
        cmocka_unit_test(fees_above_the_ceiling_hold_all_until_they_fall),
        cmocka_unit_test(what_can_never_succeed_is_parked_with_the_decoded_reason),
        cmocka_unit_test(a_referral_to_another_is_parked_and_the_same_is_done_already),
        cmocka_unit_test(a_transaction_refused_for_good_gives_its_nonce_up_and_twice_parks_its_job),
        cmocka_unit_test(what_the_signer_refuses_stops_nothing_else),
        cmocka_unit_test(a_job_cancelled_in_the_middle_of_a_step_is_not_paid),
        cmocka_unit_test(a_pause_in_the_middle_of_a_step_is_obeyed_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
