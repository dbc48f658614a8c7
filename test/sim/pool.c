// SPDX-License-Identifier: Apache-2.0
// The chain as the relayer sees it: src/chain's pool over the simulated nodes, and one chain per
// node for the witnesses. Every question takes time, and everything else goes on meanwhile.
#include "world.h"

#include <stdio.h>
#include <string.h>

#define CALL_MS_MAX      25
#define SLOW_CALL_MS_MAX 8000
#define TIMEOUT_MS       5000
#define STALE_BLOCKS_MAX 6
#define PRUNED_BLOCKS    2
#define DELIVERED_CHANCE 6000

static struct sim_chain *of_chain(struct chain *chain)
{
    return (struct sim_chain *)chain;
}

// ---------------------------------------------------------------- asking

static bool is_up(const struct sim *sim, size_t node)
{
    return sim->now_ms >= sim->nodes[node].down_until_ms &&
           sim->now_ms >= sim->nodes[node].limited_until_ms;
}

// The pool stays with a node until it fails, but behind one address there may be many.
static bool choose_node(struct sim_chain *chain, size_t *ret_node)
{
    struct sim *sim = chain->sim;
    if (chain->node >= 0) {
        *ret_node = (size_t)chain->node;
        return is_up(sim, *ret_node);
    }
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.switch_node))
        chain->current = rng_below(&sim->rng, sim->scenario.nodes);
    for (size_t i = 0; i < sim->scenario.nodes; i++) {
        if (is_up(sim, chain->current)) {
            *ret_node = chain->current;
            return true;
        }
        chain->current = (chain->current + 1) % sim->scenario.nodes;
    }
    return false;
}

// Who stands still loses its lanes only where it has some and another relayer waits for them.
static bool may_freeze(const struct sim *sim, size_t process)
{
    bool holds = sim->scenario.processes == 1;
    for (size_t i = 0; i < sim->scenario.lanes; i++)
        holds = holds || lane_look(sim->processes[process].lanes[i].lane).held;
    return holds;
}

// The process may die here, or stand still for long; false: it is dying.
static bool stay_alive(struct sim_chain *chain)
{
    struct sim *sim = chain->sim;
    sim_count(sim, STAT_CALLS);
    if (relayers_dying(sim, chain->process))
        return false;
    if (sim->crash == CRASH_AT_CALL && --sim->crash_countdown <= 0)
        relayers_crash(sim, sim->crash_is_power_cut);
    if (relayers_dying(sim, chain->process))
        return false;
    int64_t ms = rng_between(&sim->rng, 1, CALL_MS_MAX);
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.call_slow))
        ms = rng_between(&sim->rng, 100, SLOW_CALL_MS_MAX);
    if (sim->freeze_ms > 0 && may_freeze(sim, chain->process) && rng_chance(&sim->rng, 2000)) {
        ms += sim->freeze_ms;
        sim->freeze_ms = 0;
        sim_count(sim, STAT_FREEZES);
        sim_trace(sim, "relayer %zu stands still for %d ms", chain->process, (int)ms);
    }
    world_pass(sim, ms);
    return !relayers_dying(sim, chain->process);
}

static struct node *ask(struct sim_chain *chain)
{
    struct sim *sim = chain->sim;
    size_t index;
    if (!stay_alive(chain) || !choose_node(chain, &index))
        return NULL;
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.call_fails)) {
        sim_count(sim, STAT_FAILED_CALLS);
        return NULL;
    }
    struct node *node = node_look(sim, index);
    if (node->tip != tree_tip(&sim->tree))
        sim_count(sim, STAT_LAGGING_READS);
    return node;
}

static int64_t final_of(const struct sim *sim, const struct node *node)
{
    int64_t number = tree_block(&sim->tree, node->tip)->number;
    int64_t final = sim->final_number < number ? sim->final_number : number;
    return final > 0 ? final : 0;
}

// ---------------------------------------------------------------- a node that lies in all it says

#define AHEAD_MAX 8

// Its stories fit together: the same question gets the same lie.
enum story { STORY_TRUE, STORY_REVERTED, STORY_ABSENT, STORIES };

static bool is_lying(struct sim *sim, const struct node *node)
{
    bool lying = !sim->quiet && sim->scenario.liar == (int)(node - sim->nodes);
    if (lying)
        sim_count(sim, STAT_LIES);
    return lying;
}

static uint64_t whim(const struct sim *sim, uint64_t subject, uint64_t count)
{
    return rng_mix(sim->seed * 31 + subject) % count;
}

static bool is_forged(const struct sim *sim, int64_t number)
{
    return number > 0 && whim(sim, (uint64_t)number, 2) == 0;
}

static struct hash32 forged_hash(const struct sim *sim, int64_t number)
{
    struct hash32 hash = {{0xfa, 0x15, 0xe0}};
    uint64_t mixed = rng_mix(sim->seed ^ (uint64_t)number << 20);
    memcpy(hash.bytes + 8, &mixed, sizeof mixed);
    return hash;
}

static void forge_head(struct sim *sim, const struct node *node, struct chain_head *head)
{
    int64_t tip = tree_block(&sim->tree, node->tip)->number;
    head->number = tip + (int64_t)whim(sim, 1u << 30, AHEAD_MAX);
    if (head->number > tip || is_forged(sim, head->number))
        head->hash = forged_hash(sim, head->number);
    if (is_forged(sim, head->number - 1))
        head->parent = forged_hash(sim, head->number - 1);
}

static void forge_receipt(struct sim *sim, struct chain_receipt *receipt, const struct hash32 *hash)
{
    uint64_t subject;
    memcpy(&subject, hash->bytes, sizeof subject);
    enum story story = (enum story)whim(sim, subject, STORIES);
    // It makes up no receipt of what is not mined: one in a true block is never taken back.
    if (!receipt->found)
        return;
    if (story == STORY_ABSENT) {
        *receipt = (struct chain_receipt){.found = false};
        return;
    }
    if (story == STORY_REVERTED) {
        receipt->succeeded = false;
        receipt->logs_count = 0;
    }
    if (is_forged(sim, receipt->block_number))
        receipt->block_hash = forged_hash(sim, receipt->block_number);
}

// -1: the node has no such block.
static int32_t find_block(const struct sim *sim, const struct node *node, struct block_id block)
{
    switch (block.tag) {
    case BLOCK_LATEST:
    case BLOCK_PENDING:
        return node->tip;
    case BLOCK_SAFE:
    case BLOCK_FINALIZED:
        return tree_at(&sim->tree, node->tip, final_of(sim, node));
    case BLOCK_NUMBER:
        return tree_at(&sim->tree, node->tip, block.number);
    }
    return -1;
}

// ---------------------------------------------------------------- plain questions

static enum status sim_chain_id(struct chain *chain, uint64_t *ret_id)
{
    (void)chain;
    *ret_id = WORLD_CHAIN_ID;
    return STATUS_OK;
}

static struct wei wei_of(uint128_t amount)
{
    struct wei wei = {0};
    (void)!wei_from_units(&wei, amount);
    return wei;
}

static enum status sim_head(struct chain *chain, struct chain_head *ret_head, struct block_id id)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    int32_t index = node != NULL ? find_block(sim, node, id) : -1;
    if (index < 0)
        return STATUS_UNAVAILABLE;
    if (id.tag == BLOCK_LATEST && !sim->quiet && rng_chance(&sim->rng, sim->scenario.head_stale)) {
        int64_t number = tree_block(&sim->tree, index)->number;
        int32_t older =
            tree_at(&sim->tree, index, number - rng_between(&sim->rng, 1, STALE_BLOCKS_MAX));
        index = older >= 0 ? older : index;
    }
    const struct block *block = tree_block(&sim->tree, index);
    *ret_head = (struct chain_head){.number = block->number,
                                    .hash = block->hash,
                                    .timestamp_s = (WALL_START_MS + block->time_ms) / 1000,
                                    .base_fee = wei_of(block->base_fee)};
    if (block->parent >= 0)
        ret_head->parent = tree_block(&sim->tree, block->parent)->hash;
    if (is_lying(sim, node))
        forge_head(sim, node, ret_head);
    return STATUS_OK;
}

static enum status sim_fees(struct chain *chain, struct chain_fees *ret_fees)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    if (node == NULL)
        return STATUS_UNAVAILABLE;
    ret_fees->base_fee = wei_of(tree_block(&sim->tree, node->tip)->next_base_fee);
    ret_fees->priority_fee = wei_of(sim->market_tip);
    return STATUS_OK;
}

static size_t lane_of(const struct sim *sim, const struct address *address)
{
    size_t lane = 0;
    while (lane < SIM_LANES_MAX - 1 && !address_equal(&sim->lanes[lane], address))
        lane++;
    return lane;
}

static enum status sim_nonce(struct chain *chain, int64_t *ret_nonce, const struct address *address,
                             struct block_id id)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    int32_t block = node != NULL ? find_block(sim, node, id) : -1;
    if (block < 0)
        return STATUS_UNAVAILABLE;
    *ret_nonce = tree_block(&sim->tree, block)->state.nonces[lane_of(sim, address)];
    // The first nonce of a lane is believed of one node where no other answers.
    if (sim->holders[lane_of(sim, address)] != 0 && is_lying(sim, node))
        *ret_nonce += (int64_t)whim(sim, 1u << 29, 3);
    return STATUS_OK;
}

static enum status sim_balance(struct chain *chain, struct wei *ret_balance,
                               const struct address *address)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    if (node == NULL)
        return STATUS_UNAVAILABLE;
    *ret_balance = wei_of(tree_block(&sim->tree, node->tip)->state.balances[lane_of(sim, address)]);
    return STATUS_OK;
}

static enum status sim_has_code(struct chain *chain, bool *ret_has_code,
                                const struct address *address)
{
    struct sim *sim = of_chain(chain)->sim;
    *ret_has_code = contract_target(&sim->contracts, address) != TARGET_NONE;
    return STATUS_OK;
}

static enum status sim_block_hashes(struct chain *chain, struct hash32 *ret_hashes, bool *ret_found,
                                    const int64_t *numbers, size_t count)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    if (node == NULL)
        return STATUS_UNAVAILABLE;
    for (size_t i = 0; i < count; i++) {
        int32_t block = tree_at(&sim->tree, node->tip, numbers[i]);
        ret_found[i] = block >= 0;
        if (block >= 0)
            ret_hashes[i] = tree_block(&sim->tree, block)->hash;
        if (is_forged(sim, numbers[i]) && is_lying(sim, node)) {
            ret_hashes[i] = forged_hash(sim, numbers[i]);
            ret_found[i] = true;
        }
    }
    return STATUS_OK;
}

// ---------------------------------------------------------------- receipts

enum lie { LIE_HASH, LIE_BLOCK, LIE_TO, LIE_LOGS, LIES };

static void lie(struct sim *sim, struct chain_receipt *receipt)
{
    sim_count(sim, STAT_WRONG_RECEIPTS);
    switch ((enum lie)rng_below(&sim->rng, LIES)) {
    case LIE_HASH:
        receipt->transaction_hash.bytes[5] ^= 0xff;
        return;
    case LIE_BLOCK:
        receipt->block_hash.bytes[5] ^= 0xff;
        return;
    case LIE_TO:
        receipt->to.bytes[5] ^= 0xff;
        return;
    case LIE_LOGS:
        receipt->logs_count = 0;
        return;
    case LIES:
        return;
    }
}

static struct address to_of(const struct sim *sim, const struct tx *tx)
{
    switch (tx->target) {
    case TARGET_REGISTRY:
        return sim->contracts.registry;
    case TARGET_PAYOUT:
        return sim->contracts.payout;
    case TARGET_IDENTITY:
        return sim->contracts.identity;
    case TARGET_NONE:
        break;
    }
    return sim->lanes[tx->lane];
}

// A node that mixes up its answers gives another transaction's receipt.
static int32_t mixed_up(struct sim *sim, int32_t tx)
{
    if (tx < 0 || sim->quiet || !rng_chance(&sim->rng, sim->scenario.receipt_wrong))
        return tx;
    int32_t other = (int32_t)rng_below(&sim->rng, sim->tree.txs.count);
    if (tree_tx(&sim->tree, other)->target != tree_tx(&sim->tree, tx)->target)
        return tx;
    sim->statistics[STAT_WRONG_RECEIPTS] += other != tx;
    return other;
}

static struct chain_receipt receipt_of(struct sim *sim, const struct node *node,
                                       const struct hash32 *hash, struct arena *arena)
{
    struct chain_receipt receipt = {.found = false};
    int32_t tx = mixed_up(sim, tree_find_tx(&sim->tree, hash));
    int32_t index = tx >= 0 ? tree_find_inclusion(&sim->tree, node->tip, tx) : -1;
    if (index < 0)
        return receipt;
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.receipt_lost)) {
        sim_count(sim, STAT_LOST_RECEIPTS);
        return receipt;
    }
    const struct landing *inclusion = tree_inclusion(&sim->tree, index);
    const struct block *block = tree_block(&sim->tree, inclusion->block);
    receipt = (struct chain_receipt){.found = true,
                                     .transaction_hash = tree_tx(&sim->tree, tx)->hash,
                                     .block_hash = block->hash,
                                     .block_number = block->number,
                                     .succeeded = inclusion->succeeded,
                                     .to = to_of(sim, tree_tx(&sim->tree, tx)),
                                     .gas_used = inclusion->gas_used,
                                     .gas_price = wei_of(inclusion->gas_price)};
    contract_logs(&receipt.logs, &receipt.logs_count, &sim->tree, &sim->contracts, inclusion,
                  arena);
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.receipt_wrong))
        lie(sim, &receipt);
    return receipt;
}

static enum status sim_receipts(struct chain *chain, struct chain_receipt *ret_receipts,
                                const struct hash32 *hashes, size_t count, struct arena *arena)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    if (node == NULL)
        return STATUS_UNAVAILABLE;
    for (size_t i = 0; i < count; i++) {
        ret_receipts[i] = receipt_of(sim, node, &hashes[i], arena);
        if (is_lying(sim, node))
            forge_receipt(sim, &ret_receipts[i], &hashes[i]);
    }
    return STATUS_OK;
}

// ---------------------------------------------------------------- calls

struct called {
    const struct execution *execution;
    size_t count;
};

// The batch form books what the token refuses: that is no waste.
static void note_would_pay(void *context, const struct contract_item *item)
{
    struct called *called = context;
    const struct execution *execution = called->execution;
    size_t affiliate, index = called->count++;
    if (item->target != TARGET_PAYOUT)
        return;
    int32_t payout = tree_need_payout(execution->tree, &item->payout.payout_id);
    bool refused = affiliate_of_address(&affiliate, &item->payout.referrer) &&
                   (execution->state->blacklisted >> affiliate & 1) != 0;
    tree_payout(execution->tree, payout)->would_pay =
        refused || (execution->succeeded && execution->outcomes[index] == PAYOUT_PAID);
}

static void word_revert(struct call_result *result, const struct node *node)
{
    static const struct {
        int64_t code;
        const char *text;
    } words[CLIENTS] = {[CLIENT_GETH] = {3, "execution reverted"},
                        [CLIENT_ERIGON] = {3, "execution reverted"},
                        [CLIENT_NETHERMIND] = {-32015, "VM execution error."},
                        [CLIENT_BESU] = {-32000, "Execution reverted"}};
    snprintf(result->message, sizeof result->message, "%s", words[node->client].text);
    result->rpc_class = rpc_classify(words[node->client].code, result->message, result->returned);
}

static void cannot_say(struct call_result *result, const char *text)
{
    struct bytes none = {0};
    snprintf(result->message, sizeof result->message, "%s", text);
    result->rpc_class = rpc_classify(-32000, text, none);
}

static struct call_result call_one(struct sim *sim, const struct node *node,
                                   const struct chain_call *call, struct block_id id,
                                   struct arena *arena)
{
    struct call_result result = {.succeeded = false};
    int32_t block = find_block(sim, node, id);
    if (block < 0) {
        cannot_say(&result, "header not found");
        return result;
    }
    bool old = id.tag == BLOCK_NUMBER &&
               id.number + PRUNED_BLOCKS < tree_block(&sim->tree, node->tip)->number;
    if (old && !sim->quiet && rng_chance(&sim->rng, sim->scenario.node_prunes)) {
        cannot_say(&result, "missing trie node 5d5d (path ) state 0x5d is not available");
        return result;
    }
    // The liar says of the past that nothing was ever done.
    if (id.tag == BLOCK_NUMBER && is_lying(sim, node))
        block = tree_at(&sim->tree, node->tip, 0);
    struct chain_state state = tree_block(&sim->tree, block)->state;
    struct execution execution = {.tree = &sim->tree,
                                  .contracts = &sim->contracts,
                                  .arena = arena,
                                  .tip = block,
                                  .state = &state,
                                  .dry = true};
    contract_execute(&execution, &call->to, call->data);
    result.succeeded = execution.succeeded;
    result.returned = execution.succeeded ? execution.returned : execution.revert;
    if (!execution.succeeded)
        word_revert(&result, node);
    struct called called = {&execution, 0};
    if (id.tag == BLOCK_LATEST)
        contract_items(&sim->contracts, &call->to, call->data, note_would_pay, &called);
    return result;
}

static enum status sim_call(struct chain *chain, struct call_result *ret_results,
                            const struct chain_call *calls, size_t count, struct block_id block,
                            struct arena *arena)
{
    struct sim *sim = of_chain(chain)->sim;
    const struct node *node = ask(of_chain(chain));
    if (node == NULL)
        return STATUS_UNAVAILABLE;
    for (size_t i = 0; i < count; i++)
        ret_results[i] = call_one(sim, node, &calls[i], block, arena);
    return STATUS_OK;
}

static enum status sim_estimate(struct chain *chain, struct call_result *ret_results,
                                const struct chain_call *calls, size_t count, struct arena *arena)
{
    (void)chain;
    (void)ret_results;
    (void)calls;
    (void)count;
    (void)arena;
    return STATUS_UNAVAILABLE;
}

// ---------------------------------------------------------------- sending

static struct send_result result_of(enum send_outcome outcome, enum rpc_class rpc_class,
                                    const char *message)
{
    struct send_result result = {.outcome = outcome, .rpc_class = rpc_class};
    snprintf(result.message, sizeof result.message, "%s", message);
    return result;
}

// As src/chain/send.c reads an answer.
static struct send_result read_answer(const char *message, int64_t code)
{
    struct bytes none = {0};
    if (message[0] == '\0')
        return result_of(SEND_ACCEPTED, RPC_UNKNOWN, "");
    enum rpc_class rpc_class = rpc_classify(code, message, none);
    if (rpc_class == RPC_ALREADY_KNOWN)
        return result_of(SEND_ACCEPTED, rpc_class, message);
    if (rpc_class == RPC_UNKNOWN || rpc_class == RPC_TRANSIENT || rpc_class == RPC_REVERT)
        return result_of(SEND_UNKNOWN, rpc_class, message);
    return result_of(SEND_REFUSED, rpc_class, message);
}

static struct send_result send_to(struct sim *sim, size_t node, int32_t tx)
{
    char message[160];
    int64_t code = 0;
    if (!is_up(sim, node))
        return result_of(SEND_REFUSED, RPC_TRANSIENT, "connection refused");
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.send_limited))
        return result_of(SEND_REFUSED, RPC_RATE_LIMITED, "too many requests");
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.send_times_out)) {
        sim_count(sim, STAT_SEND_TIMEOUTS);
        if (rng_chance(&sim->rng, DELIVERED_CHANCE))
            node_take(message, &code, sim, node, tx);
        return result_of(SEND_UNKNOWN, RPC_UNKNOWN, "timeout");
    }
    node_take(message, &code, sim, node, tx);
    return read_answer(message, code);
}

// Accepted beats unknown beats refused; among refusals the safest class.
static bool is_better(const struct send_result *a, const struct send_result *b)
{
    static const int ranks[] = {[SEND_ACCEPTED] = 0, [SEND_UNKNOWN] = 1, [SEND_REFUSED] = 2};
    if (a->outcome != b->outcome)
        return ranks[a->outcome] < ranks[b->outcome];
    return a->rpc_class < b->rpc_class;
}

static void send_one(struct sim *sim, struct send_result *ret_result, int32_t tx)
{
    *ret_result = result_of(SEND_REFUSED, RPC_TRANSIENT, "no endpoint is ready");
    for (size_t node = 0; node < sim->scenario.nodes; node++) {
        struct send_result result = send_to(sim, node, tx);
        if (node == 0 || is_better(&result, ret_result))
            *ret_result = result;
    }
    if (ret_result->outcome == SEND_REFUSED)
        sim_count(sim, STAT_SEND_REFUSALS);
    sim_trace(sim, "  tx %d sent: %s %s", (int)tx,
              ret_result->outcome == SEND_ACCEPTED  ? "accepted"
              : ret_result->outcome == SEND_UNKNOWN ? "unknown"
                                                    : "refused",
              ret_result->message);
}

static enum status sim_send(struct chain *chain, struct send_result *ret_results,
                            const struct bytes *raws, size_t count, struct arena *arena)
{
    struct sim_chain *pool = of_chain(chain);
    struct sim *sim = pool->sim;
    (void)arena;
    for (size_t i = 0; i < count; i++)
        ret_results[i] = result_of(SEND_UNKNOWN, RPC_UNKNOWN, "timeout");
    bool alive = stay_alive(pool);
    // Who dies here may have sent some of them.
    for (size_t i = 0; i < count && !relayers_dying(sim, pool->process); i++) {
        int32_t tx = tree_find_raw(&sim->tree, raws[i]);
        if (tx < 0) {
            sim_break(sim, PROMISE_BYTES, "bytes are sent that were never signed");
            return STATUS_OK;
        }
        sim_count(sim, STAT_SENDS);
        oracle_sending(sim, sim->processes[pool->process].store, tx);
        send_one(sim, &ret_results[i], tx);
        if (sim->crash == CRASH_AT_CALL && --sim->crash_countdown <= 0)
            relayers_crash(sim, sim->crash_is_power_cut);
    }
    if (!sim->quiet && alive && rng_chance(&sim->rng, sim->scenario.send_times_out / 4))
        world_pass(sim, TIMEOUT_MS);
    return STATUS_OK;
}

// The pool turns to the next node.
static void sim_distrust(struct chain *chain, size_t endpoint, const char *why)
{
    struct sim_chain *pool = of_chain(chain);
    (void)why;
    if (endpoint == CHAIN_LAST_ANSWER || endpoint == pool->current)
        pool->current = (pool->current + 1) % pool->sim->scenario.nodes;
}

void sim_chain_start(struct sim_chain *chain, struct sim *sim, size_t process, int node)
{
    static const struct chain_ops ops = {
        .chain_id = sim_chain_id,
        .head = sim_head,
        .fees = sim_fees,
        .nonce = sim_nonce,
        .balance = sim_balance,
        .has_code = sim_has_code,
        .receipts = sim_receipts,
        .block_hashes = sim_block_hashes,
        .send = sim_send,
        .call = sim_call,
        .estimate = sim_estimate,
        .distrust = sim_distrust,
    };
    *chain = (struct sim_chain){.chain = {&ops}, .sim = sim, .process = process, .node = node};
}
