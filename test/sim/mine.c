// SPDX-License-Identifier: Apache-2.0
// Blocks: what they hold, reorganisations of the true chain, branches that one node alone follows.
#include "world.h"

#include <string.h>

#define GWEI             UINT64_C(1000000000)
#define BASE_FEE_LOW     (4 * GWEI)
#define BASE_FEE_HIGH    (20 * GWEI)
#define BASE_FEE_SPIKE   (160 * GWEI)
#define BASE_FEE_PART    8
#define TXS_PER_LANE_MAX 16
#define LONGER_MAX       2
#define REMINED_CHANCE   6000
#define FORK_MS_MAX      60000

// ---------------------------------------------------------------- fees

static uint64_t next_base_fee(struct sim *sim, uint64_t base_fee)
{
    uint64_t step = base_fee / BASE_FEE_PART;
    if (sim->now_ms < sim->spike_until_ms)
        return base_fee + step < BASE_FEE_SPIKE ? base_fee + step : BASE_FEE_SPIKE;
    if (base_fee > BASE_FEE_HIGH)
        return base_fee - step;
    uint64_t moved = base_fee - step + rng_below(&sim->rng, 2 * step + 1);
    return moved > BASE_FEE_LOW ? moved : BASE_FEE_LOW;
}

static bool pays_base_fee(const struct tx *tx, const struct block *block)
{
    return tx->max_fee >= block->base_fee;
}

static uint64_t price_of(const struct tx *tx, const struct block *block)
{
    uint64_t wanted = block->base_fee + tx->tip;
    return wanted < tx->max_fee ? wanted : tx->max_fee;
}

// ---------------------------------------------------------------- one transaction

static struct address target_address(const struct sim *sim, const struct tx *tx)
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

// Runs it in the block. Out of gas is drawn anew in each block: another order, another cost.
static void include(struct sim *sim, int32_t block_index, int32_t tx_index)
{
    struct tx *tx = tree_tx(&sim->tree, tx_index);
    struct block *block = tree_block(&sim->tree, block_index);
    struct address to = target_address(sim, tx);
    bool starved = tx->target != TARGET_NONE && !sim->quiet &&
                   rng_chance(&sim->rng, sim->scenario.tx_out_of_gas);
    struct execution execution = {.tree = &sim->tree,
                                  .contracts = &sim->contracts,
                                  .arena = sim->arena,
                                  .tip = block_index,
                                  .state = &block->state};
    size_t first_record = sim->tree.records.count;
    arena_reset(sim->arena);
    if (starved)
        sim_count(sim, STAT_OUT_OF_GAS);
    else
        contract_execute(&execution, &to, (struct bytes){tx->data, tx->data_size});
    int64_t gas = starved ? tx->gas_limit : execution.gas_used;
    struct landing *inclusion = list_add(&sim->tree.inclusions, sizeof *inclusion);
    *inclusion = (struct landing){.tx = tx_index,
                                  .block = block_index,
                                  .next = tx->first_inclusion,
                                  .succeeded = execution.succeeded,
                                  .gas_used = gas,
                                  .gas_price = price_of(tx, block),
                                  .first_record = first_record,
                                  .records_count = sim->tree.records.count - first_record};
    tx->first_inclusion = (int32_t)sim->tree.inclusions.count - 1;
    block->state.nonces[tx->lane]++;
    if (!tx->foreign)
        block->state.balances[tx->lane] -= (uint128_t)inclusion->gas_price * (uint128_t)gas;
    if (!execution.succeeded)
        sim_count(sim, STAT_REVERTED);
    sim_trace(sim, "block %d at %d gwei takes tx %d: lane %zu nonce %d%s%s", (int)block->number,
              (int)(block->base_fee / GWEI), (int)tx_index, tx->lane, (int)tx->nonce,
              tx->foreign ? ", foreign" : "",
              execution.succeeded ? ""
              : starved           ? ", out of gas"
                                  : ", reverted");
}

static void include_foreign(struct sim *sim, int32_t block, size_t lane)
{
    struct tx tx = {.lane = lane,
                    .nonce = tree_block(&sim->tree, block)->state.nonces[lane],
                    .foreign = true,
                    .gas_limit = 21000,
                    .max_fee = UINT64_MAX / 2,
                    .target = TARGET_NONE};
    uint64_t word = rng_next(&sim->rng);
    memcpy(tx.hash.bytes, &word, sizeof word);
    tx.hash.bytes[31] = 0xff;
    struct bytes none = {0};
    include(sim, block, tree_add_tx(&sim->tree, &tx, none, none));
    sim_count(sim, STAT_FOREIGN);
}

// ---------------------------------------------------------------- filling

static int32_t best_for(struct sim *sim, const struct node *node, size_t lane,
                        const struct block *block)
{
    int32_t best = -1;
    for (size_t i = 0; i < node->pool_count; i++) {
        const struct tx *tx = tree_tx(&sim->tree, node->pool[i].tx);
        if (tx->lane == lane && tx->nonce == block->state.nonces[lane] &&
            pays_base_fee(tx, block) &&
            (best < 0 || tx->max_fee > tree_tx(&sim->tree, best)->max_fee))
            best = node->pool[i].tx;
    }
    return best;
}

static bool can_pay(const struct tx *tx, const struct block *block)
{
    return (uint128_t)tx->max_fee * (uint128_t)tx->gas_limit <= block->state.balances[tx->lane];
}

static void fill(struct sim *sim, int32_t block, size_t producer)
{
    if (!sim->quiet && rng_chance(&sim->rng, sim->scenario.block_full))
        return;
    const struct node *node = &sim->nodes[producer];
    for (size_t lane = 0; lane < sim->scenario.lanes; lane++) {
        for (int i = 0; i < TXS_PER_LANE_MAX; i++) {
            int32_t tx = best_for(sim, node, lane, tree_block(&sim->tree, block));
            if (tx < 0 || !can_pay(tree_tx(&sim->tree, tx), tree_block(&sim->tree, block)))
                break;
            include(sim, block, tx);
        }
    }
}

static int32_t new_block(struct sim *sim, int32_t parent)
{
    int32_t index = tree_grow(&sim->tree, parent, sim->now_ms);
    struct block *block = tree_block(&sim->tree, index);
    block->next_base_fee = next_base_fee(sim, block->base_fee);
    return index;
}

static void settle_finality(struct sim *sim)
{
    const struct scenario *scenario = &sim->scenario;
    int64_t tip = tree_block(&sim->tree, tree_tip(&sim->tree))->number;
    int64_t final = scenario->finality_by_tag ? tip - scenario->tag_depth
                                              : sim->tree.number_max - scenario->confirmations + 1;
    if (final > sim->final_number)
        sim->final_number = final;
}

static void show(struct sim *sim, int32_t tip)
{
    tree_make_canonical(&sim->tree, tip);
    settle_finality(sim);
    sim_count(sim, STAT_BLOCKS);
    oracle_mined(sim, tip);
    nodes_hear(sim);
}

void mine_block(struct sim *sim)
{
    int32_t block = new_block(sim, tree_tip(&sim->tree));
    for (size_t lane = 0; lane < sim->scenario.lanes; lane++)
        for (; sim->foreign_wanted[lane] > 0; sim->foreign_wanted[lane]--)
            include_foreign(sim, block, lane);
    fill(sim, block, rng_below(&sim->rng, sim->scenario.nodes));
    show(sim, block);
}

// ---------------------------------------------------------------- reorganisations

// What the lost blocks held goes back to the mempools, or is gone.
static void return_txs(struct sim *sim, int32_t old_tip, int32_t ancestor)
{
    for (size_t i = 0; i < sim->tree.inclusions.count; i++) {
        const struct landing *inclusion = tree_inclusion(&sim->tree, (int32_t)i);
        int32_t block = inclusion->block;
        if (tree_block(&sim->tree, block)->number <= tree_block(&sim->tree, ancestor)->number ||
            !tree_has(&sim->tree, old_tip, block) || tree_tx(&sim->tree, inclusion->tx)->foreign)
            continue;
        sim_count(sim, STAT_UNMINED);
        bool kept = rng_chance(&sim->rng, REMINED_CHANCE);
        for (size_t n = 0; kept && n < sim->scenario.nodes; n++) {
            struct node *node = &sim->nodes[n];
            if (node->pool_count < NODE_POOL_MAX)
                node->pool[node->pool_count++] = (struct pooled){inclusion->tx, sim->now_ms};
        }
    }
}

// The highest block a branch may leave the true chain at, by at most the finality rule's depth.
static int32_t draw_ancestor(struct sim *sim)
{
    int32_t tip = tree_tip(&sim->tree);
    int64_t number = tree_block(&sim->tree, tip)->number;
    int64_t depth_max = number - sim->final_number;
    if (depth_max < 1 || number < 2)
        return -1;
    int64_t depth = rng_between(&sim->rng, 1, depth_max);
    return tree_at(&sim->tree, tip, number - depth);
}

static int32_t grow_branch(struct sim *sim, int32_t ancestor, int64_t length)
{
    int32_t tip = ancestor;
    for (int64_t i = 0; i < length; i++) {
        tip = new_block(sim, tip);
        for (size_t lane = 0; lane < sim->scenario.lanes; lane++)
            if (rng_chance(&sim->rng, sim->scenario.foreign / 4))
                include_foreign(sim, tip, lane);
        fill(sim, tip, rng_below(&sim->rng, sim->scenario.nodes));
    }
    return tip;
}

void mine_reorganise(struct sim *sim)
{
    int32_t old_tip = tree_tip(&sim->tree), ancestor = draw_ancestor(sim);
    if (ancestor < 0)
        return;
    int64_t depth =
        tree_block(&sim->tree, old_tip)->number - tree_block(&sim->tree, ancestor)->number;
    sim_trace(sim, "reorganisation: %d blocks down to block %d", (int)depth,
              (int)tree_block(&sim->tree, ancestor)->number);
    sim_count(sim, STAT_REORGS);
    sim->statistics[STAT_REORG_BLOCKS] += depth;
    return_txs(sim, old_tip, ancestor);
    int64_t length =
        depth + rng_between(&sim->rng, sim->scenario.finality_by_tag ? 0 : 1, LONGER_MAX);
    show(sim, grow_branch(sim, ancestor, length));
}

void mine_fork(struct sim *sim, size_t index)
{
    int32_t ancestor = draw_ancestor(sim);
    if (ancestor < 0)
        return;
    struct node *node = node_look(sim, index);
    int64_t depth = tree_block(&sim->tree, tree_tip(&sim->tree))->number -
                    tree_block(&sim->tree, ancestor)->number;
    int32_t tip = grow_branch(sim, ancestor, rng_between(&sim->rng, 1, depth + 1));
    settle_finality(sim);
    node->tip = tip;
    node->forked_until_ms = sim->now_ms + rng_between(&sim->rng, 1000, FORK_MS_MAX);
    sim_count(sim, STAT_FORKS);
    sim_trace(sim, "node %zu follows a branch of its own from block %d to %d", index,
              (int)tree_block(&sim->tree, ancestor)->number,
              (int)tree_block(&sim->tree, tip)->number);
}
