// SPDX-License-Identifier: Apache-2.0
// Nodes that lie, lag, fork or answer nonsense: real HTTP servers before a real node bend its
// answers, and no single one of them ends a payout, takes it back, or has it paid twice.
#include "node_proxy.h"
#include "world.h"

#include "base/hex.h"
#include "eth/keccak.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROXIES_MAX WORLD_NODES_MAX
#define DEPTH       3

static int64_t units(int64_t whole)
{
    return whole * 1000000;
}

static void steps(struct world *world, int count)
{
    for (int i = 0; i < count; i++)
        world_step(world);
}

// Steps with time going by, so that every question is asked again.
static void long_steps(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        world->skew_ms += LANE_AGREE_MS;
        world_step(world);
    }
}

static void mine(struct world *world, int blocks)
{
    char params[32];
    snprintf(params, sizeof params, "[\"0x%x\"]", (unsigned)blocks);
    world_node(world, "anvil_mine", params);
}

// ---------------------------------------------------------------- the set-up

struct liars {
    struct world world;
    struct node_proxy *proxies[PROXIES_MAX];
    size_t count;
    int64_t job;
    json_t *stuck_at; // the head of a node that is_stuck_on_a_fork
};

// A due payout of 5 USDC to affiliate 1, before so many endpoints of which two must agree.
static void open_liars(struct liars *liars, size_t count)
{
    struct world *world = &liars->world;
    memset(liars, 0, sizeof *liars);
    world_open(world);
    world_start(world);
    world_register(world, 1, 1, false);
    world_run(world);
    world_stop(world);
    liars->count = count;
    for (size_t i = 0; i < count; i++) {
        liars->proxies[i] = proxy_start(anvil_url(world->anvil));
        world->nodes[i] = proxy_url(liars->proxies[i]);
    }
    world->nodes_count = count;
    world->witnesses_needed = count < 2 ? 1 : 2;
    world->confirmations = DEPTH;
    world_start(world);
    liars->job = world_pay(world, "p1", 1, "usdc", 50);
}

static void close_liars(struct liars *liars)
{
    world_stop(&liars->world);
    for (size_t i = 0; i < liars->count; i++)
        proxy_stop(liars->proxies[i]);
    json_decref(liars->stuck_at);
    world_close(&liars->world);
}

static void bend(struct liars *liars, size_t index, proxy_bend how)
{
    proxy_set(liars->proxies[index], how, liars);
}

static void assert_state(struct liars *liars, const char *state)
{
    assert_string_equal(world_state(&liars->world, liars->job), state);
}

// One event, one payment, in the lane's second transaction: no other nonce was ever used.
static void assert_paid_with_one_nonce(struct liars *liars)
{
    struct job job = world_job(&liars->world, liars->job);
    struct address holder = world_affiliate(1);
    assert_string_equal(job_state_text(job.state), "confirmed");
    assert_int_equal(job.tries, 1);
    assert_int_equal(world_events_of(&liars->world, &job.payout_id), 1);
    assert_int_equal(world_usdc_of(&liars->world, &holder), units(5));
    assert_int_equal(world_lane_nonce(&liars->world), 2);
    assert_int_equal(lane_look(liars->world.lane).next_nonce, 2);
}

// ---------------------------------------------------------------- ways to lie

static bool is(const char *method, const char *name)
{
    return strcmp(method, name) == 0;
}

static json_t *result_of(json_t *reply)
{
    return json_object_get(reply, "result");
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (json_is_object(object))
        json_object_set_new(object, key, json_string(text));
}

static bool calls(const char *data, const char *signature)
{
    char selector[11];
    struct hash32 hash = keccak256_text(signature);
    hex_encode(selector, (struct bytes){hash.bytes, 4});
    return data != NULL && strncmp(data, selector, 10) == 0;
}

// "Your transaction reverted, and the contract never paid."
static enum proxy_verdict says_reverted(void *context, const char *method, const json_t *params,
                                        json_t *reply)
{
    (void)context;
    static const char zero[] = "0x0000000000000000000000000000000000000000000000000000000000000000";
    const char *data = json_string_value(json_object_get(json_array_get(params, 0), "data"));
    if (is(method, "eth_getTransactionReceipt") && json_is_object(result_of(reply))) {
        set_text(result_of(reply), "status", "0x0");
        json_object_set_new(result_of(reply), "logs", json_array());
    }
    if (is(method, "eth_call") && calls(data, "referralPaid(bytes32)"))
        json_object_set_new(reply, "result", json_string(zero));
    return PROXY_ANSWER;
}

// A success at another contract.
static enum proxy_verdict says_to_another(void *context, const char *method, const json_t *params,
                                          json_t *reply)
{
    (void)context;
    (void)params;
    if (is(method, "eth_getTransactionReceipt"))
        set_text(result_of(reply), "to", "0x00000000000000000000000000000000000000ee");
    return PROXY_ANSWER;
}

// Our contract, a success, and none of its events.
static enum proxy_verdict loses_events(void *context, const char *method, const json_t *params,
                                       json_t *reply)
{
    (void)context;
    (void)params;
    if (is(method, "eth_getTransactionReceipt") && json_is_object(result_of(reply)))
        json_object_set_new(result_of(reply), "logs", json_array());
    return PROXY_ANSWER;
}

// "There is no such transaction", of all there are.
static enum proxy_verdict forgets_receipts(void *context, const char *method, const json_t *params,
                                           json_t *reply)
{
    (void)context;
    (void)params;
    if (is(method, "eth_getTransactionReceipt"))
        json_object_set_new(reply, "result", json_null());
    return PROXY_ANSWER;
}

// A fork of its own from the block of our transaction on: its hashes end in other digits.
static void bend_hash(json_t *object, const char *key)
{
    char text[80];
    const char *hash = json_string_value(json_object_get(object, key));
    if (hash == NULL || strlen(hash) != 66)
        return;
    snprintf(text, sizeof text, "%s", hash);
    memcpy(text + 2, "ffffffff", 8);
    set_text(object, key, text);
}

static enum proxy_verdict is_on_a_fork(void *context, const char *method, const json_t *params,
                                       json_t *reply)
{
    (void)context;
    (void)params;
    if (is(method, "eth_getBlockByNumber"))
        bend_hash(result_of(reply), "hash");
    if (is(method, "eth_getTransactionReceipt"))
        bend_hash(result_of(reply), "blockHash");
    return PROXY_ANSWER;
}

static enum proxy_verdict has_receipts_of_a_fork(void *context, const char *method,
                                                 const json_t *params, json_t *reply)
{
    if (is(method, "eth_getTransactionReceipt"))
        return is_on_a_fork(context, method, params, reply);
    return PROXY_ANSWER;
}

static enum proxy_verdict has_only_other_blocks(void *context, const char *method,
                                                const json_t *params, json_t *reply)
{
    if (is(method, "eth_getBlockByNumber"))
        return is_on_a_fork(context, method, params, reply);
    return forgets_receipts(context, method, params, reply);
}

static void add_to_number(json_t *object, const char *key, int64_t more)
{
    char text[32];
    const char *number = json_string_value(json_object_get(object, key));
    if (number == NULL)
        return;
    int64_t value = (int64_t)strtoull(number, NULL, 16) + more;
    snprintf(text, sizeof text, "0x%" PRIx64, (uint64_t)(value > 0 ? value : 0));
    set_text(object, key, text);
}

static bool asks_latest(const char *method, const json_t *params)
{
    const char *block = json_string_value(json_array_get(params, 0));
    return is(method, "eth_getBlockByNumber") && block != NULL && strcmp(block, "latest") == 0;
}

// Its head is 100 blocks further than the chain.
static enum proxy_verdict is_ahead_of_the_chain(void *context, const char *method,
                                                const json_t *params, json_t *reply)
{
    (void)context;
    if (asks_latest(method, params))
        add_to_number(result_of(reply), "number", 100);
    return PROXY_ANSWER;
}

// Just so far that for it the chain's head is final.
static enum proxy_verdict is_a_little_ahead(void *context, const char *method, const json_t *params,
                                            json_t *reply)
{
    (void)context;
    if (asks_latest(method, params))
        add_to_number(result_of(reply), "number", DEPTH - 1);
    return PROXY_ANSWER;
}

// "PayoutCapExceeded(token, amount, cap)", of every trial call that pays.
static enum proxy_verdict says_too_much(void *context, const char *method, const json_t *params,
                                        json_t *reply)
{
    (void)context;
    struct hash32 error = keccak256_text("PayoutCapExceeded(address,uint256,uint256)");
    const char *data = json_string_value(json_object_get(json_array_get(params, 0), "data"));
    char text[2 + 8 + 3 * 64 + 1];
    if (!is(method, "eth_call") ||
        !calls(data, "payAffiliateUSDC(bytes32,address,address,uint256)"))
        return PROXY_ANSWER;
    snprintf(text, sizeof text, "0x%02x%02x%02x%02x%0192d", error.bytes[0], error.bytes[1],
             error.bytes[2], error.bytes[3], 0);
    json_object_del(reply, "result");
    json_object_set_new(
        reply, "error",
        json_pack("{s:i, s:s, s:s}", "code", 3, "message", "execution reverted", "data", text));
    return PROXY_ANSWER;
}

static enum proxy_verdict hangs_up_on_all(void *context, const char *method, const json_t *params,
                                          json_t *reply)
{
    (void)context;
    (void)method;
    (void)params;
    (void)reply;
    return PROXY_CLOSE;
}

// Its pool knows the block of our transaction, its state does not.
static enum proxy_verdict lags_by_one_transaction(void *context, const char *method,
                                                  const json_t *params, json_t *reply)
{
    if (is(method, "eth_getTransactionCount"))
        json_object_set_new(reply, "result", json_string("0x1"));
    return forgets_receipts(context, method, params, reply);
}

// The fork above, and it does not go on: its head stays what it is first asked for.
static enum proxy_verdict is_stuck_on_a_fork(void *context, const char *method,
                                             const json_t *params, json_t *reply)
{
    struct liars *liars = context;
    if (asks_latest(method, params) && liars->stuck_at == NULL)
        liars->stuck_at = json_deep_copy(result_of(reply));
    if (asks_latest(method, params))
        json_object_set_new(reply, "result", json_deep_copy(liars->stuck_at));
    return is_on_a_fork(context, method, params, reply);
}

// Knows its head, and breaks off at every question about other blocks and about transactions.
static enum proxy_verdict knows_its_head_only(void *context, const char *method,
                                              const json_t *params, json_t *reply)
{
    (void)context;
    (void)reply;
    bool asks_more = is(method, "eth_getTransactionReceipt") ||
                     (is(method, "eth_getBlockByNumber") && !asks_latest(method, params));
    return asks_more ? PROXY_CLOSE : PROXY_ANSWER;
}

// Somebody has used 50 of our nonces, it says.
static enum proxy_verdict says_nonces_are_used(void *context, const char *method,
                                               const json_t *params, json_t *reply)
{
    (void)context;
    (void)params;
    if (is(method, "eth_getTransactionCount"))
        add_to_number(reply, "result", 50);
    return PROXY_ANSWER;
}

// Takes transactions, and breaks off before it says so.
static enum proxy_verdict hangs_up_on_sends(void *context, const char *method, const json_t *params,
                                            json_t *reply)
{
    (void)context;
    (void)params;
    (void)reply;
    return is(method, "eth_sendRawTransaction") ? PROXY_CLOSE : PROXY_ANSWER;
}

// ---------------------------------------------------------------- one of two lies

// fault 29: a wrong receipt of one node, of a block that is final: no retry, no second nonce
static void one_node_that_says_reverted_does_not_have_it_paid_again(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, says_reverted);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, 2 * DEPTH);
    long_steps(&liars.world, 20);
    assert_state(&liars, "mined");
    assert_int_equal(lane_look(liars.world.lane).next_nonce, 2);
    bend(&liars, 0, NULL);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 29: outvoted by two others, the node that lies goes into quarantine and stops nothing
static void two_honest_nodes_outvote_the_one_that_says_reverted(void **state)
{
    (void)state;
    struct liars liars;
    struct endpoint_health health[PROXIES_MAX];
    open_liars(&liars, 3);
    bend(&liars, 0, says_reverted);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, 2 * DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    assert_int_equal(chain_endpoints(liars.world.chain, health, PROXIES_MAX), 3);
    assert_false(health[0].healthy);
    assert_true(health[1].healthy && health[2].healthy);
    close_liars(&liars);
}

// fault 29: a receipt to another contract: the node is not believed, the next one is asked
static void a_receipt_to_another_contract_sets_the_node_aside(void **state)
{
    (void)state;
    struct liars liars;
    struct endpoint_health health[PROXIES_MAX];
    open_liars(&liars, 2);
    bend(&liars, 0, says_to_another);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    assert_int_equal(chain_endpoints(liars.world.chain, health, PROXIES_MAX), 2);
    assert_false(health[0].healthy);
    bend(&liars, 0, NULL);
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 29: without our event nothing is called paid, and nothing is paid again
static void a_receipt_without_our_event_is_not_paid_and_not_tried_again(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, loses_events);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, 2 * DEPTH);
    long_steps(&liars.world, 10);
    assert_state(&liars, "mined");
    bend(&liars, 0, NULL);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 27: a receipt whose block is not the canonical one at its height is ignored
static void a_receipt_in_a_block_that_is_not_canonical_is_ignored(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 1);
    bend(&liars, 0, has_receipts_of_a_fork);
    world_run_until(&liars.world, liars.job, JOB_SENT);
    mine(&liars.world, 2 * DEPTH);
    steps(&liars.world, 10);
    assert_state(&liars, "sent");
    liars.world.skew_ms += 2 * PLAN_FOREIGN_GRACE_MS; // such a receipt keeps the question open
    steps(&liars.world, 10);
    assert_state(&liars, "sent");
    bend(&liars, 0, NULL);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 27: a node on a fork of its own confirms nothing
static void a_node_on_a_fork_of_its_own_confirms_nothing(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, is_on_a_fork);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, 2 * DEPTH);
    long_steps(&liars.world, 20);
    assert_state(&liars, "mined");
    bend(&liars, 0, NULL);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 26, 27: one node's block is not final by another's head, also where one is believed; found
// by test/model
static void a_fail_over_does_not_mix_one_nodes_block_with_anothers_head(void **state)
{
    (void)state;
    struct liars liars;
    struct world *world = &liars.world;
    open_liars(&liars, 2);
    world_stop(world);
    world->witnesses_needed = 1;
    world_start(world);
    bend(&liars, 0, is_on_a_fork);
    world_run_until(world, liars.job, JOB_MINED);
    bend(&liars, 0, is_stuck_on_a_fork);
    world_step(world);
    bend(&liars, 1, knows_its_head_only);
    mine(world, 2 * DEPTH);
    world_stop(world);
    world_start(world); // asks both for their heads: the other one's is higher
    long_steps(world, 20);
    assert_state(&liars, "mined");
    bend(&liars, 0, NULL);
    bend(&liars, 1, NULL);
    for (int i = 0; i < 200 && world_is_busy(world); i++) {
        long_steps(world, 1);
        usleep(20000); // endpoints rest in real time
    }
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 28: a head that no other node has confirms nothing
static void a_head_that_no_other_node_has_confirms_nothing(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, is_ahead_of_the_chain);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    long_steps(&liars.world, 20);
    assert_state(&liars, "mined");
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 26, 28: what was mined goes back on the word of two nodes, not of one
static void nothing_moves_back_on_the_word_of_one_node(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    bend(&liars, 0, forgets_receipts); // null after having been seen
    mine(&liars.world, 1);
    long_steps(&liars.world, 10);
    assert_state(&liars, "mined");
    bend(&liars, 0, has_only_other_blocks);
    mine(&liars.world, 1);
    long_steps(&liars.world, 10);
    assert_state(&liars, "mined");
    bend(&liars, 1, has_only_other_blocks);
    world_run_until(&liars.world, liars.job, JOB_SENT);
    bend(&liars, 0, NULL);
    bend(&liars, 1, NULL);
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 7, 26: a node without our receipt and a node with the new nonce are no proof together
static void a_lagging_receipt_beside_a_fresh_nonce_does_not_have_it_paid_again(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, forgets_receipts);
    world_run_until(&liars.world, liars.job, JOB_SENT);
    mine(&liars.world, 2 * DEPTH);
    steps(&liars.world, 5);
    liars.world.skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(&liars.world, liars.job, JOB_UNRESOLVED);
    for (int i = 0; i < 10; i++) {
        liars.world.skew_ms += LANE_PROOF_MS;
        world_step(&liars.world);
    }
    assert_state(&liars, "unresolved");
    assert_int_equal(lane_look(liars.world.lane).next_nonce, 2);
    bend(&liars, 0, NULL);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 20: no job is parked on the word of one node that it would revert
static void one_node_that_says_it_would_revert_parks_nothing(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, says_too_much);
    for (int i = 0; i < 5; i++) {
        liars.world.skew_ms += 60000;
        world_step(&liars.world);
    }
    assert_state(&liars, "queued");
    bend(&liars, 0, NULL);
    liars.world.skew_ms += 60000;
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 8, 28: what is final for one node that is ahead proves nothing; found by test/model
static void a_head_that_is_ahead_does_not_prove_a_foreign_nonce_too_early(void **state)
{
    (void)state;
    struct liars liars;
    struct world *world = &liars.world;
    open_liars(&liars, 2);
    bend(&liars, 0, is_a_little_ahead);
    world_node(world, "evm_setAutomine", "[false]");
    world_run_until(world, liars.job, JOB_SENT);
    world_node(world, "anvil_dropAllTransactions", "[]");
    world_use_nonce(world);
    mine(world, 1);
    steps(world, 5);
    world->skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(world, liars.job, JOB_UNRESOLVED);
    for (int i = 0; i < 10; i++) {
        world->skew_ms += LANE_PROOF_MS;
        world_step(world);
    }
    assert_state(&liars, "unresolved");
    bend(&liars, 0, NULL);
    world_node(world, "anvil_reorg", "[1, []]"); // and so the nonce is ours after all
    world_node(world, "anvil_dropAllTransactions", "[]");
    world_node(world, "evm_setAutomine", "[true]");
    world_run_until(world, liars.job, JOB_MINED);
    mine(world, DEPTH);
    world_run(world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 7: enough endpoints prove it, though one is silent
static void a_silent_endpoint_does_not_hold_up_the_proof_of_the_others(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 3);
    struct world *world = &liars.world;
    world_node(world, "evm_setAutomine", "[false]");
    world_run_until(world, liars.job, JOB_SENT);
    world_node(world, "anvil_dropAllTransactions", "[]");
    world_use_nonce(world);
    mine(world, 2 * DEPTH);
    steps(world, 3);
    world->skew_ms += PLAN_FOREIGN_GRACE_MS;
    world_run_until(world, liars.job, JOB_UNRESOLVED);
    bend(&liars, 1, hangs_up_on_all);
    bend(&liars, 2, hangs_up_on_all);
    for (int i = 0; i < 3; i++) {
        world->skew_ms += LANE_PROOF_MS;
        world_step(world);
    }
    assert_state(&liars, "unresolved"); // one is not enough
    bend(&liars, 1, NULL);
    world->skew_ms += LANE_PROOF_MS;
    world_node(world, "evm_setAutomine", "[true]");
    for (int i = 0; i < 200 && world_job(world, liars.job).state == JOB_UNRESOLVED; i++) {
        world->skew_ms += LANE_PROOF_MS;
        world_step(world);
        usleep(20000); // its endpoint rests in real time
    }
    world_run_until(world, liars.job, JOB_MINED);
    mine(world, DEPTH);
    world_run(world);
    assert_int_equal(world_lane_nonce(world), 3);
    struct address holder = world_affiliate(1);
    assert_int_equal(world_usdc_of(world, &holder), units(5));
    close_liars(&liars);
}

// fault 6: "nonce too low" beside a receipt that only comes later: looked for, never sent anew
static void a_nonce_too_low_leads_to_the_receipt(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 1);
    bend(&liars, 0, lags_by_one_transaction);
    for (int i = 0; i < 10; i++) {
        liars.world.skew_ms += PLAN_RESEND_MS_MAX;
        world_step(&liars.world);
    }
    assert_true(proxy_calls(liars.proxies[0], "eth_sendRawTransaction") > 2); // refused again
    assert_state(&liars, "sent");
    bend(&liars, 0, NULL);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 8: nonces that one node calls used are neither skipped nor closed
static void nonces_that_one_node_calls_used_are_not_skipped(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    bend(&liars, 0, says_nonces_are_used);
    for (int i = 0; i < 5; i++) {
        liars.world.skew_ms += PLAN_FOREIGN_GRACE_MS;
        world_step(&liars.world);
    }
    assert_state(&liars, "queued");
    assert_int_equal(lane_look(liars.world.lane).next_nonce, 1);
    assert_int_equal(world_lane_nonce(&liars.world), 1);
    bend(&liars, 0, NULL);
    mine(&liars.world, 1); // with a new head the nonce is read again
    world_run_until(&liars.world, liars.job, JOB_MINED);
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

// fault 8: a new store begins where the lowest answer says, and leaves no gap
static void a_new_store_does_not_begin_where_one_node_says(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 2);
    struct world *world = &liars.world;
    world_stop(world);
    world_forget_store(world);
    bend(&liars, 0, says_nonces_are_used);
    world_start(world);
    world_step(world);
    assert_true(lane_look(world->lane).held);
    assert_int_equal(lane_look(world->lane).next_nonce, 1);
    close_liars(&liars);
}

// fault 33: no answer to a send counts as sent
static void a_send_without_an_answer_counts_as_sent(void **state)
{
    (void)state;
    struct liars liars;
    open_liars(&liars, 1);
    bend(&liars, 0, hangs_up_on_sends);
    world_run_until(&liars.world, liars.job, JOB_MINED);
    bend(&liars, 0, NULL);
    mine(&liars.world, DEPTH);
    world_run(&liars.world);
    assert_paid_with_one_nonce(&liars);
    close_liars(&liars);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node_that_says_reverted_does_not_have_it_paid_again),
        cmocka_unit_test(two_honest_nodes_outvote_the_one_that_says_reverted),
        cmocka_unit_test(a_receipt_to_another_contract_sets_the_node_aside),
        cmocka_unit_test(a_receipt_without_our_event_is_not_paid_and_not_tried_again),
        cmocka_unit_test(a_receipt_in_a_block_that_is_not_canonical_is_ignored),
        cmocka_unit_test(a_node_on_a_fork_of_its_own_confirms_nothing),
        cmocka_unit_test(a_fail_over_does_not_mix_one_nodes_block_with_anothers_head),
        cmocka_unit_test(a_head_that_no_other_node_has_confirms_nothing),
        cmocka_unit_test(nothing_moves_back_on_the_word_of_one_node),
        cmocka_unit_test(a_lagging_receipt_beside_a_fresh_nonce_does_not_have_it_paid_again),
        cmocka_unit_test(a_head_that_is_ahead_does_not_prove_a_foreign_nonce_too_early),
        cmocka_unit_test(one_node_that_says_it_would_revert_parks_nothing),
        cmocka_unit_test(a_silent_endpoint_does_not_hold_up_the_proof_of_the_others),
        cmocka_unit_test(a_nonce_too_low_leads_to_the_receipt),
        cmocka_unit_test(nonces_that_one_node_calls_used_are_not_skipped),
        cmocka_unit_test(a_new_store_does_not_begin_where_one_node_says),
        cmocka_unit_test(a_send_without_an_answer_counts_as_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
