// SPDX-License-Identifier: Apache-2.0
// What chains do to a lane: reorganisations, forgotten transactions, stuck ones, used nonces.
#include "world.h"

#include "base/hex.h"
#include "store/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int64_t units(int64_t whole)
{
    return whole * 1000000;
}

static void assert_paid_once(struct world *world, int64_t job_id, int affiliate, int64_t usdc)
{
    struct job job = world_job(world, job_id);
    struct address holder = world_affiliate(affiliate);
    assert_string_equal(job_state_text(job.state), "confirmed");
    assert_int_equal(world_events_of(world, &job.payout_id), 1);
    assert_int_equal(world_usdc_of(world, &holder), usdc);
}

static void mine(struct world *world, int blocks)
{
    char params[32];
    snprintf(params, sizeof params, "[\"0x%x\"]", (unsigned)blocks);
    world_node(world, "anvil_mine", params);
}

static void steps(struct world *world, int count)
{
    for (int i = 0; i < count; i++)
        world_step(world);
}

static const struct chain_ops *whole_ops; // of a chain some of whose answers a test replaces

// A registered child and a due payout.
static int64_t one_due_payout(struct world *world, int64_t confirmations)
{
    world_open(world);
    world_start(world);
    world_register(world, 1, 1, false);
    world_run(world);
    world_stop(world);
    world->confirmations = confirmations;
    world_start(world);
    return world_pay(world, "p1", 1, "usdc", 50);
}

struct attempts {
    struct hash32 hashes[SLOT_ATTEMPTS_MAX];
    struct attempt newest;
    size_t count;
    struct slot slot;
};

static struct attempts attempts_of(struct world *world, int64_t job)
{
    struct attempts found = {.count = 0};
    struct store_tx *tx;
    struct attempt *attempts;
    OK(store_read(&tx, world->store));
    OK(job_slot(tx, &found.slot, &attempts, &found.count, job, world->arena));
    store_read_end(tx);
    for (size_t i = 0; i < found.count; i++)
        found.hashes[i] = attempts[i].hash;
    found.newest = attempts[found.count - 1];
    return found;
}

static void a_payout_is_final_only_after_its_confirmations(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 3);
    world_run_until(&world, job, JOB_MINED);
    steps(&world, 5);
    assert_string_equal(world_state(&world, job), "mined");
    mine(&world, 1);
    steps(&world, 5);
    assert_string_equal(world_state(&world, job), "mined");
    mine(&world, 1);
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// The types of all messages to the merchant about the job, by seq.
static const char *messages_of(struct world *world, int64_t job)
{
    struct store_tx *tx;
    struct outbox_message *messages;
    size_t count;
    int64_t seq = 0;
    const char *text = "";
    OK(store_read(&tx, world->store));
    OK(outbox_due(tx, &messages, &count, INT64_MAX, 1000, world->arena));
    store_read_end(tx);
    for (size_t i = 0; i < count; i++) {
        assert_true(messages[i].id > seq);
        seq = messages[i].id;
        if (messages[i].job.id == job)
            text = arena_printf(world->arena, "%s%s ", text, messages[i].type);
        assert_non_null(text);
    }
    return text;
}

// fault 24: dropped by a reorganisation: the same bytes again, and the merchant hears of it in
// order
static void
a_transaction_dropped_by_a_reorganisation_is_sent_again_with_the_same_bytes(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 4);
    world_run_until(&world, job, JOB_MINED);
    struct attempts before = attempts_of(&world, job);
    world_node(&world, "evm_setAutomine", "[false]");
    world_node(&world, "anvil_reorg", "[1, []]");
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_run_until(&world, job, JOB_SENT);
    steps(&world, 3);
    world_node(&world, "evm_setAutomine", "[true]");
    mine(&world, 1);
    world_run_until(&world, job, JOB_MINED);
    mine(&world, 3);
    world_run(&world);
    struct attempts after = attempts_of(&world, job);
    assert_int_equal(after.count, 1);
    assert_true(hash32_equal(&before.hashes[0], &after.hashes[0]));
    assert_int_equal(before.slot.nonce, after.slot.nonce);
    assert_string_equal(messages_of(&world, job), "payout.sent payout.reorged payout.confirmed ");
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// As a node that kept it in its pool across a reorganisation.
static void put_back(struct world *world, struct bytes raw)
{
    char *text = arena_alloc(world->arena, HEX_TEXT_SIZE(raw.size));
    assert_non_null(text);
    hex_encode(text, raw);
    char *params = arena_printf(world->arena, "[\"%s\"]", text);
    assert_non_null(params);
    world_node(world, "eth_sendRawTransaction", params);
}

// fault 23: mined again in another block: paid once, its confirmations are counted anew
static void mined_again_in_another_block_it_waits_for_all_confirmations_again(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 4);
    world_run_until(&world, job, JOB_MINED);
    struct attempts before = attempts_of(&world, job);
    mine(&world, 2);
    steps(&world, 3);
    world_node(&world, "anvil_rollback", "[3]");
    mine(&world, 1); // an empty block where it was
    put_back(&world, before.newest.raw);
    steps(&world, 5);
    struct attempts after = attempts_of(&world, job);
    assert_string_equal(world_state(&world, job), "mined");
    assert_int_equal(after.slot.inclusion.block_number, before.slot.inclusion.block_number + 1);
    assert_false(hash32_equal(&after.slot.inclusion.block_hash, &before.slot.inclusion.block_hash));
    mine(&world, 2);
    steps(&world, 5);
    assert_string_equal(world_state(&world, job), "mined");
    mine(&world, 1);
    world_run(&world);
    assert_int_equal(attempts_of(&world, job).count, 1);
    assert_paid_once(&world, job, 1, units(5));
    assert_int_equal(world_lane_nonce(&world), 2);
    world_close(&world);
}

// fault 24: a block that is rolled back, with nothing in the node's pool
static void a_rolled_back_block_loses_nothing(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 4);
    world_run_until(&world, job, JOB_MINED);
    struct attempts before = attempts_of(&world, job);
    world_node(&world, "anvil_rollback", "[1]");
    mine(&world, 2); // another block stands at its height now
    world_run_until(&world, job, JOB_SENT);
    world_run_until(&world, job, JOB_MINED);
    mine(&world, 4);
    world_run(&world);
    struct attempts after = attempts_of(&world, job);
    assert_true(hash32_equal(&before.hashes[0], &after.hashes[0]));
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// fault 16: what a node forgets is sent again, the same bytes
static void a_forgotten_transaction_is_sent_again(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    world_node(&world, "anvil_dropAllTransactions", "[]");
    mine(&world, 1);
    steps(&world, 3);
    assert_string_equal(world_state(&world, job), "sent");
    mine(&world, PLAN_RESEND_BLOCKS);
    steps(&world, 3);
    mine(&world, 1);
    world_run(&world);
    assert_int_equal(attempts_of(&world, job).count, 1);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// fault 11, 13: outgrown by the base fee: replaced with the same nonce, paid once
static void a_stuck_transaction_is_replaced_and_paid_once(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    world_node(&world, "anvil_setNextBlockBaseFeePerGas", "[\"0x4a817c800\"]"); // 20 gwei
    mine(&world, 1);
    world.skew_ms += world.stuck_after_ms;
    steps(&world, 3);
    struct attempts attempts = attempts_of(&world, job);
    assert_int_equal(attempts.count, 2);
    mine(&world, 1);
    world_run(&world);
    attempts = attempts_of(&world, job);
    assert_true(hash32_equal(&attempts.slot.inclusion.transaction_hash, &attempts.hashes[1]));
    assert_paid_once(&world, job, 1, units(5));
    assert_int_equal(world_lane_nonce(&world), 2);
    world_close(&world);
}

// fault 14: at the ceiling no fee grows, and the same bytes go out again
static void at_the_ceiling_a_stuck_transaction_keeps_its_bytes(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    world_stop(&world);
    assert_true(wei_parse_gwei(&world.max_fee, "5"));
    world_start(&world);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    world_node(&world, "anvil_setNextBlockBaseFeePerGas", "[\"0x4a817c800\"]"); // 20 gwei
    mine(&world, 1);
    for (int i = 0; i < 20; i++) {
        world.skew_ms += world.stuck_after_ms;
        world_step(&world);
    }
    assert_true(attempts_of(&world, job).count <= 8); // up to the ceiling, not past it
    world_node(&world, "anvil_setNextBlockBaseFeePerGas", "[\"0x3b9aca00\"]");
    mine(&world, 1);
    world_node(&world, "evm_setAutomine", "[true]");
    world.skew_ms += PLAN_REFUSED_MS_MAX;
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// fault 7, 8: our nonce is used and no hash of ours is known: unresolved, then proof, then a new
// nonce
static void a_foreign_transaction_at_our_nonce_is_proven_before_the_job_goes_on(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 3);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    struct attempts before = attempts_of(&world, job);
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_use_nonce(&world);
    mine(&world, 1);
    steps(&world, 5);
    assert_string_equal(world_state(&world, job), "sent"); // the grace runs
    world.skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(&world, job, JOB_UNRESOLVED);
    world.skew_ms += LANE_PROOF_MS;
    steps(&world, 3);
    assert_string_equal(world_state(&world, job), "unresolved"); // not final yet
    world_node(&world, "evm_setAutomine", "[true]");
    mine(&world, 2);
    world.skew_ms += LANE_PROOF_MS;
    assert_true(lane_look(world.lane).degraded);
    world_run_while(&world, 1u << JOB_UNRESOLVED | 1u << JOB_QUEUED);
    world_run_until(&world, job, JOB_MINED);
    assert_true(lane_look(world.lane).degraded);
    world.skew_ms += LANE_DEGRADED_MS;
    assert_false(lane_look(world.lane).degraded);
    mine(&world, 3);
    world_run(&world);
    struct attempts after = attempts_of(&world, job);
    assert_int_equal(after.slot.nonce, before.slot.nonce + 1);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// fault 7: one provider that does not answer, and nothing is proven
static void one_silent_witness_proves_nothing(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    world_stop(&world);
    world.second_witness = "http://127.0.0.1:1";
    world_start(&world);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_use_nonce(&world);
    mine(&world, 3);
    steps(&world, 2);
    world.skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(&world, job, JOB_UNRESOLVED);
    for (int i = 0; i < 5; i++) {
        world.skew_ms += LANE_PROOF_MS;
        world_step(&world);
    }
    assert_string_equal(world_state(&world, job), "unresolved");
    world_stop(&world);
    world.second_witness = anvil_url(world.anvil); // it answers again
    world_start(&world);
    world_node(&world, "evm_setAutomine", "[true]");
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

static void a_foreign_transaction_that_is_reorganised_away_gives_the_nonce_back(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 5);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    struct attempts before = attempts_of(&world, job);
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_use_nonce(&world);
    mine(&world, 1);
    steps(&world, 2);
    world.skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(&world, job, JOB_UNRESOLVED);
    world_node(&world, "anvil_reorg", "[1, []]");
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_run_until(&world, job, JOB_SENT);
    steps(&world, 3);
    mine(&world, 5);
    world_run(&world);
    struct attempts after = attempts_of(&world, job);
    assert_int_equal(after.slot.nonce, before.slot.nonce);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// fault 8: nonces used before we had work: the lane closes them and goes on behind
static void nonces_used_while_idle_are_absorbed(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    for (int64_t nonce = 1; nonce <= 2; nonce++) {
        world_use_nonce(&world);
        while (world_lane_nonce(&world) == nonce)
            usleep(1000);
    }
    steps(&world, 3);
    assert_string_equal(world_state(&world, job), "queued");
    world.skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    for (int i = 0; i < 20 && lane_look(world.lane).open > 0; i++) {
        world.skew_ms += PLAN_FOREIGN_GRACE_MS;
        world_step(&world);
    }
    assert_int_equal(lane_look(world.lane).open, 0); // proven foreign, both
    assert_int_equal(attempts_of(&world, job).slot.nonce, 3);
    world_close(&world);
}

// fault 25: after a reorganisation another transaction has our nonce: proof, and then a new one
static void a_foreign_transaction_in_our_place_after_a_reorganisation_is_proven(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 3);
    world_run_until(&world, job, JOB_MINED);
    struct attempts before = attempts_of(&world, job);
    world_node(&world, "anvil_rollback", "[1]");
    world_node(&world, "evm_setAutomine", "[false]");
    world_use_nonce(&world);
    mine(&world, 1);
    world_run_until(&world, job, JOB_SENT);
    steps(&world, 3);
    assert_string_equal(world_state(&world, job), "sent"); // the grace runs
    world.skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(&world, job, JOB_UNRESOLVED);
    mine(&world, 2);
    world_node(&world, "evm_setAutomine", "[true]");
    world.skew_ms += LANE_PROOF_MS;
    world_run_until(&world, job, JOB_MINED);
    mine(&world, 3);
    world_run(&world);
    assert_int_equal(attempts_of(&world, job).slot.nonce, before.slot.nonce + 1);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// fault 9: the node loses one in the middle: it is sent again, and those behind it follow
static void a_transaction_lost_in_the_middle_is_sent_again_and_those_behind_follow(void **state)
{
    (void)state;
    struct world world;
    int64_t first = one_due_payout(&world, 1);
    world_stop(&world);
    world.batch_size_max = 1;
    world_start(&world);
    world_node(&world, "evm_setAutomine", "[false]");
    int64_t second = world_pay(&world, "p2", 1, "usdc", 30);
    int64_t third = world_pay(&world, "p3", 1, "usdc", 20);
    world_run_until(&world, third, JOB_SENT);
    char hash[HEX_TEXT_SIZE(32)], params[HEX_TEXT_SIZE(32) + 8];
    struct attempts lost = attempts_of(&world, second);
    hex_encode(hash, (struct bytes){lost.hashes[0].bytes, 32});
    snprintf(params, sizeof params, "[\"%s\"]", hash);
    world_node(&world, "anvil_dropTransaction", params);
    mine(&world, 1);
    steps(&world, 3);
    assert_int_equal(world_lane_nonce(&world), 2); // the first only
    assert_string_equal(world_state(&world, third), "sent");
    world.skew_ms += PLAN_RESEND_MS_MAX;
    steps(&world, 2);
    mine(&world, 2);
    world_run(&world);
    assert_int_equal(world_lane_nonce(&world), 4);
    assert_int_equal(attempts_of(&world, second).count, 1);
    assert_true(hash32_equal(&attempts_of(&world, second).hashes[0], &lost.hashes[0]));
    assert_paid_once(&world, first, 1, units(10));
    assert_paid_once(&world, second, 1, units(10));
    assert_paid_once(&world, third, 1, units(10));
    world_close(&world);
}

// A block in which the token burns all gas that it is given.
static void mine_out_of_gas(struct world *world)
{
    char address[ADDRESS_TEXT_SIZE];
    address_format(address, &world->usdc);
    char *get = arena_printf(world->arena, "[\"%s\",\"latest\"]", address);
    char *burn = arena_printf(world->arena, "[\"%s\",\"0x5b600056\"]", address);
    assert_true(get != NULL && burn != NULL);
    json_t *code = anvil_rpc(world->anvil, "eth_getCode", get);
    world_node(world, "anvil_setCode", burn);
    mine(world, 1);
    char *back = arena_printf(world->arena, "[\"%s\",\"%s\"]", address, json_string_value(code));
    assert_non_null(back);
    world_node(world, "anvil_setCode", back);
    json_decref(code);
}

// fault 22: once more with half as much again, then parked
static void out_of_gas_is_tried_once_more_with_half_as_much_again(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    int64_t limit = attempts_of(&world, job).newest.gas_limit;
    mine_out_of_gas(&world);
    world_run_until(&world, job, JOB_QUEUED);
    world.skew_ms += 60000;
    world_run_until(&world, job, JOB_SENT);
    assert_int_equal(attempts_of(&world, job).newest.gas_limit, limit + limit / 2);
    mine_out_of_gas(&world);
    world_run(&world);
    struct job parked = world_job(&world, job);
    assert_string_equal(job_state_text(parked.state), "parked");
    assert_non_null(strstr(parked.reason, "gas"));
    assert_int_equal(world_events_of(&world, &parked.payout_id), 0);
    world_close(&world);
}

// A payout that was sent in vain and is parked; the automatic mining is on again.
static int64_t one_parked_payout(struct world *world)
{
    int64_t job = one_due_payout(world, 3);
    for (int i = 0; i < 2; i++) {
        world_node(world, "evm_setAutomine", "[false]");
        world->skew_ms += 60000;
        world_run_until(world, job, JOB_SENT);
        mine_out_of_gas(world);
        mine(world, 2);
        world_run_until(world, job, i == 0 ? JOB_QUEUED : JOB_PARKED);
    }
    world_node(world, "evm_setAutomine", "[true]");
    return job;
}

static void a_retry_of_what_is_unpaid_pays_it_once(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_parked_payout(&world);
    world_retry(&world, job);
    world_run_until(&world, job, JOB_MINED);
    mine(&world, 3);
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// The node's trial calls succeed whatever they pay: its final block must say that it is unpaid.
static enum status call_that_always_pays(struct chain *chain, struct call_result *ret_results,
                                         const struct chain_call *calls, size_t count,
                                         struct block_id block, struct arena *arena)
{
    enum status status = whole_ops->call(chain, ret_results, calls, count, block, arena);
    for (size_t i = 0; i < count && block.tag == BLOCK_LATEST; i++)
        ret_results[i] = (struct call_result){.succeeded = true};
    return status;
}

static void a_retry_of_what_was_paid_meanwhile_is_proven_and_sends_nothing(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_parked_payout(&world);
    int64_t nonce = world_lane_nonce(&world);
    world_pay_by_hand(&world, job);
    mine(&world, 2);
    whole_ops = world.chain->ops;
    struct chain_ops hopeful = *whole_ops;
    hopeful.call = call_that_always_pays;
    world.chain->ops = &hopeful;
    world_retry(&world, job);
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    assert_int_equal(world_job(&world, job).outcome, JOB_OUTCOME_ALREADY);
    assert_int_equal(world_lane_nonce(&world), nonce);
    world.chain->ops = whole_ops;
    world_close(&world);
}

// It passed the preflight and reverts in its block: the nonce is gone, the payout is not made.
// fault 21: mined with status 0: decoded, and again with a new nonce where the cause passes
static void a_reverted_transaction_is_tried_again_where_its_cause_passes(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, job, JOB_SENT);
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_node(&world, "evm_setAutomine", "[true]");
    world_admin_plain(&world, &world.payout, "pause()");
    world.skew_ms += PLAN_RESEND_MS_MAX; // the same bytes again, now in vain
    world_run_until(&world, job, JOB_QUEUED);
    struct job retried = world_job(&world, job);
    if (strstr(retried.reason, "EnforcedPause") == NULL)
        fail_msg("%s", retried.reason);
    assert_int_equal(world_events_of(&world, &retried.payout_id), 0);
    world_admin_plain(&world, &world.payout, "unpause()");
    world.skew_ms += 60000;
    world_run(&world);
    assert_paid_once(&world, job, 1, units(5));
    world_close(&world);
}

// A node that keeps no state as old as the final block: the head's is all it has.
static enum status call_at_head_only(struct chain *chain, struct call_result *ret_results,
                                     const struct chain_call *calls, size_t count,
                                     struct block_id block, struct arena *arena)
{
    if (block.tag == BLOCK_NUMBER)
        return STATUS_UNAVAILABLE;
    return whole_ops->call(chain, ret_results, calls, count, block, arena);
}

static void a_final_slot_nobody_can_tell_about_stops_no_other_payout(void **state)
{
    (void)state;
    struct world world;
    int64_t first = one_due_payout(&world, 1), second;
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, first, JOB_SENT);
    world_node(&world, "anvil_dropAllTransactions", "[]");
    world_node(&world, "evm_setAutomine", "[true]");
    world_admin_plain(&world, &world.payout, "pause()");
    whole_ops = world.chain->ops;
    struct chain_ops forgetful = *whole_ops;
    forgetful.call = call_at_head_only;
    world.chain->ops = &forgetful;
    world.skew_ms += PLAN_RESEND_MS_MAX; // the same bytes again, now in vain
    world_run_until(&world, first, JOB_MINED);
    world_admin_plain(&world, &world.payout, "unpause()");
    second = world_pay(&world, "p2", 1, "usdc", 30);
    world_run_until(&world, second, JOB_CONFIRMED);
    assert_string_equal(world_state(&world, first), "mined");
    world.chain->ops = whole_ops;
    world.skew_ms += 60000;
    world_run(&world);
    assert_paid_once(&world, first, 1, units(8));
    world_close(&world);
}

// fault 32: no new block for long: nothing new is sent, payments are taken, and it goes on by
// itself
static void while_the_chain_halts_payments_wait_and_go_on_by_themselves(void **state)
{
    (void)state;
    struct world world;
    int64_t first = one_due_payout(&world, 1), second;
    world_node(&world, "evm_setAutomine", "[false]");
    world_run_until(&world, first, JOB_SENT);
    steps(&world, 3);
    assert_false(lane_look(world.lane).stalled);
    world.skew_ms += PLAN_STALL_MS;
    second = world_pay(&world, "p2", 1, "usdc", 30);
    for (int i = 0; i < 5; i++) {
        world.skew_ms += 60000;
        world_step(&world);
    }
    assert_true(lane_look(world.lane).stalled);
    assert_string_equal(world_state(&world, second), "queued");
    assert_int_equal(attempts_of(&world, first).count, 1); // no higher fee helps
    world_node(&world, "evm_setAutomine", "[true]");
    mine(&world, 1);
    world_run(&world);
    steps(&world, 1);
    assert_false(lane_look(world.lane).stalled);
    assert_paid_once(&world, first, 1, units(8));
    assert_paid_once(&world, second, 1, units(8));
    world_close(&world);
}

#define HOUR_MS 3600000

// fault 38: the clock is set back, and forward again: what was due stays due, leases and timers
// hold
static void a_clock_that_steps_by_an_hour_stops_nothing(void **state)
{
    (void)state;
    struct world world;
    int64_t before = one_due_payout(&world, 2);
    world.step_ms = -HOUR_MS;
    world_run_until(&world, before, JOB_MINED);
    int64_t patient = world_pay(&world, "p2", 1, "patient", 30); // after 60 s
    steps(&world, 3);
    assert_string_equal(world_state(&world, patient), "held");
    world.step_ms = 0;
    steps(&world, 3);
    assert_string_equal(world_state(&world, patient), "held");
    world.skew_ms += 61000;
    world_run_until(&world, patient, JOB_MINED);
    world.step_ms = HOUR_MS;
    int64_t after = world_pay(&world, "p3", 1, "usdc", 20);
    world_run_until(&world, after, JOB_MINED);
    assert_true(lane_look(world.lane).held); // the lease is renewed, not lost
    world.step_ms = 0;
    int64_t last = world_pay(&world, "p4", 1, "usdc", 10);
    world_run_until(&world, last, JOB_MINED);
    mine(&world, 1);
    world_run(&world);
    assert_paid_once(&world, last, 1, units(5 + 3 + 2 + 1));
    assert_int_equal(world_lane_nonce(&world), 5);
    world_close(&world);
}

// fault 15: a node's share of an account is never asked for more than the window
static void a_lane_stays_within_its_window(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.window = 3;
    world.batch_size_max = 1;
    world_start(&world);
    world_register(&world, 1, 1, false);
    world_run(&world);
    world_node(&world, "evm_setAutomine", "[false]");
    for (int i = 0; i < 8; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        world_pay(&world, key, 1, "usdc", 10);
    }
    steps(&world, 10);
    assert_int_equal(lane_look(world.lane).open, 3);
    world_node(&world, "evm_setAutomine", "[true]");
    mine(&world, 1);
    world_run(&world);
    struct address holder = world_affiliate(1);
    assert_int_equal(world_usdc_of(&world, &holder), units(8));
    world_close(&world);
}

static void another_holder_waits_for_the_lease_and_the_first_cannot_write_past_it(void **state)
{
    (void)state;
    struct world world;
    int64_t job = one_due_payout(&world, 1);
    steps(&world, 1);
    world_take_lease(&world, "other"); // the lease ran out while we were stopped
    world.skew_ms += LANE_LEASE_MS;
    int64_t second = world_pay(&world, "p2", 1, "usdc", 30);
    int64_t nonce = world_lane_nonce(&world);
    steps(&world, 5);
    assert_string_equal(world_state(&world, second), "queued");
    assert_int_equal(world_lane_nonce(&world), nonce);
    assert_false(lane_look(world.lane).held);
    world.skew_ms += LANE_LEASE_MS;
    world_run(&world);
    assert_string_equal(world_state(&world, job), "confirmed");
    struct address holder = world_affiliate(1);
    assert_int_equal(world_usdc_of(&world, &holder), units(8));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payout_is_final_only_after_its_confirmations),
        cmocka_unit_test(
            a_transaction_dropped_by_a_reorganisation_is_sent_again_with_the_same_bytes),
        cmocka_unit_test(mined_again_in_another_block_it_waits_for_all_confirmations_again),
        cmocka_unit_test(a_rolled_back_block_loses_nothing),
        cmocka_unit_test(a_forgotten_transaction_is_sent_again),
        cmocka_unit_test(a_stuck_transaction_is_replaced_and_paid_once),
        cmocka_unit_test(at_the_ceiling_a_stuck_transaction_keeps_its_bytes),
        cmocka_unit_test(a_foreign_transaction_at_our_nonce_is_proven_before_the_job_goes_on),
        cmocka_unit_test(one_silent_witness_proves_nothing),
        cmocka_unit_test(a_foreign_transaction_that_is_reorganised_away_gives_the_nonce_back),
        cmocka_unit_test(nonces_used_while_idle_are_absorbed),
        cmocka_unit_test(a_foreign_transaction_in_our_place_after_a_reorganisation_is_proven),
        cmocka_unit_test(a_transaction_lost_in_the_middle_is_sent_again_and_those_behind_follow),
        cmocka_unit_test(out_of_gas_is_tried_once_more_with_half_as_much_again),
        cmocka_unit_test(a_retry_of_what_is_unpaid_pays_it_once),
        cmocka_unit_test(a_retry_of_what_was_paid_meanwhile_is_proven_and_sends_nothing),
        cmocka_unit_test(a_reverted_transaction_is_tried_again_where_its_cause_passes),
        cmocka_unit_test(a_final_slot_nobody_can_tell_about_stops_no_other_payout),
        cmocka_unit_test(while_the_chain_halts_payments_wait_and_go_on_by_themselves),
        cmocka_unit_test(a_clock_that_steps_by_an_hour_stops_nothing),
        cmocka_unit_test(a_lane_stays_within_its_window),
        cmocka_unit_test(another_holder_waits_for_the_lease_and_the_first_cannot_write_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
