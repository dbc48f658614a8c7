// SPDX-License-Identifier: Apache-2.0
// What goes wrong outside of any call: reorganisations, stalls, spikes, empty purses, crashes.
#include "world.h"

#include <sqlite3.h>

#define FAULT_MS                  4000 // between two looks at the dice
#define ENOUGH_FUNDS              UINT64_C(1000000000000)
#define ENOUGH_WEI                ((uint128_t)UINT64_C(1000000000000000000) * 20)
#define HOUR_MS                   INT64_C(3600000)
#define DISK_FAULT_OPERATIONS_MAX 300
#define SYNC_FAULTS_MAX           20 // flushes are rarer than writes
#define FREEZE_MS_MAX             90000
#define POWER_CUT_AFTER_MS_MAX    90000

// What is mended later.
enum damage {
    DAMAGE_PURSE,
    DAMAGE_TILL,
    DAMAGE_PAUSE,
    DAMAGE_TOKEN,
    DAMAGE_ROLE,
    DAMAGE_BLACKLIST,
    DAMAGE_DAY_CAP,
    DAMAGE_CLOCK,
    DAMAGES,
};

static bool dice(struct sim *sim, int64_t per_10000)
{
    return per_10000 > 0 && rng_chance(&sim->rng, per_10000);
}

static void mend_later(struct sim *sim, enum damage damage, int64_t ms_max)
{
    world_schedule(sim, rng_between(&sim->rng, 1000, ms_max), DO_MEND, (int32_t)damage, 0);
}

void faults_mend(struct sim *sim, int32_t what)
{
    struct chain_state *wanted = &sim->tree.wanted;
    switch ((enum damage)what) {
    case DAMAGE_PURSE:
        for (size_t i = 0; i < SIM_LANES_MAX; i++)
            wanted->gifts[i] += ENOUGH_WEI;
        return;
    case DAMAGE_TILL:
        wanted->funds_given += ENOUGH_FUNDS;
        return;
    case DAMAGE_PAUSE:
        wanted->paused = false;
        return;
    case DAMAGE_TOKEN:
        wanted->token_paused = false;
        return;
    case DAMAGE_ROLE:
        wanted->role_missing = false;
        return;
    case DAMAGE_BLACKLIST:
        wanted->blacklisted = 0;
        return;
    case DAMAGE_DAY_CAP:
        wanted->day_cap = ENOUGH_FUNDS;
        return;
    case DAMAGE_CLOCK:
        sim->wall_step_ms = 0;
        return;
    case DAMAGES:
        return;
    }
}

// ---------------------------------------------------------------- nodes and chain

static void shake_nodes(struct sim *sim)
{
    const struct scenario *scenario = &sim->scenario;
    size_t index = rng_below(&sim->rng, scenario->nodes);
    struct node *node = node_look(sim, index);
    if (dice(sim, scenario->fork))
        mine_fork(sim, index);
    if (dice(sim, scenario->node_stalls))
        node->stalled_until_ms = sim->now_ms + rng_between(&sim->rng, 1000, 90000);
    if (dice(sim, scenario->node_stalls / 2))
        node->down_until_ms = sim->now_ms + rng_between(&sim->rng, 1000, 40000);
    if (dice(sim, scenario->send_limited))
        node->limited_until_ms = sim->now_ms + rng_between(&sim->rng, 500, 15000);
    if (dice(sim, scenario->tx_forgotten) && node->pool_count > 0) {
        size_t at = rng_below(&sim->rng, node->pool_count);
        node->pool[at] = node->pool[--node->pool_count];
        sim_count(sim, STAT_FORGOTTEN);
    }
    if (dice(sim, scenario->tx_forgotten / 4)) {
        sim->statistics[STAT_FORGOTTEN] += (int64_t)node->pool_count;
        node->pool_count = 0; // it was started again
    }
}

static void shake_chain(struct sim *sim)
{
    const struct scenario *scenario = &sim->scenario;
    if (dice(sim, scenario->reorg))
        mine_reorganise(sim);
    if (dice(sim, scenario->foreign))
        sim->foreign_wanted[rng_below(&sim->rng, scenario->lanes)] +=
            (int)rng_between(&sim->rng, 1, 2);
    if (dice(sim, scenario->halt)) {
        sim->halted_until_ms = sim->now_ms + rng_between(&sim->rng, 20000, 300000);
        sim_count(sim, STAT_HALTS);
        sim_trace(sim, "the chain halts");
    }
    if (dice(sim, scenario->spike)) {
        sim->spike_until_ms = sim->now_ms + rng_between(&sim->rng, 20000, 200000);
        sim_count(sim, STAT_SPIKES);
        sim_trace(sim, "fees rise");
    }
    sim->market_tip = UINT64_C(100000000) + rng_below(&sim->rng, UINT64_C(3000000000));
}

// ---------------------------------------------------------------- money and contracts

// Leaves the lane with little, in the next block.
static void empty_purse(struct sim *sim)
{
    size_t lane = rng_below(&sim->rng, sim->scenario.lanes);
    struct block *tip = tree_block(&sim->tree, tree_tip(&sim->tree));
    uint128_t left = (uint128_t)rng_below(&sim->rng, 40) * UINT64_C(1000000000000000);
    if (tip->state.balances[lane] <= left)
        return;
    sim->tree.wanted.gifts[lane] -= tip->state.balances[lane] - left;
    sim_trace(sim, "lane %zu is left with little gas money", lane);
    mend_later(sim, DAMAGE_PURSE, 200000);
}

static void empty_till(struct sim *sim)
{
    struct block *tip = tree_block(&sim->tree, tree_tip(&sim->tree));
    uint64_t left = rng_below(&sim->rng, 40000000);
    if (tip->state.funds <= left)
        return;
    sim->tree.wanted.funds_given -= tip->state.funds - left;
    sim_trace(sim, "the payout contract is left with little USDC");
    mend_later(sim, DAMAGE_TILL, 200000);
}

static void shake_contracts(struct sim *sim)
{
    const struct scenario *scenario = &sim->scenario;
    struct chain_state *wanted = &sim->tree.wanted;
    if (dice(sim, scenario->empty_purse))
        empty_purse(sim);
    if (dice(sim, scenario->empty_till))
        empty_till(sim);
    if (dice(sim, scenario->pause)) {
        wanted->paused = true;
        mend_later(sim, DAMAGE_PAUSE, 100000);
    }
    if (dice(sim, scenario->pause)) {
        wanted->token_paused = true;
        mend_later(sim, DAMAGE_TOKEN, 100000);
    }
    if (dice(sim, scenario->pause / 4)) {
        wanted->role_missing = true;
        mend_later(sim, DAMAGE_ROLE, 100000);
    }
    if (dice(sim, scenario->blacklist)) {
        wanted->blacklisted |= 1u << rng_below(&sim->rng, scenario->affiliates);
        mend_later(sim, DAMAGE_BLACKLIST, 300000);
    }
    if (dice(sim, scenario->day_cap)) {
        wanted->day_cap = rng_below(&sim->rng, 100000000);
        mend_later(sim, DAMAGE_DAY_CAP, 200000);
    }
}

// ---------------------------------------------------------------- the machine

static void break_disk(struct sim *sim)
{
    static const int results[] = {SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE, SQLITE_FULL,
                                  SQLITE_IOERR_READ};
    bool sync = rng_chance(&sim->rng, 5000);
    size_t which = sync ? 0 : 1 + rng_below(&sim->rng, sizeof results / sizeof results[0] - 1);
    struct sim_disk_fault fault = {
        .operations = which == 0   ? 1u << SIM_DISK_SYNC
                      : which == 3 ? 1u << SIM_DISK_READ
                                   : 1u << SIM_DISK_WRITE,
        .at = rng_between(&sim->rng, 1, sync ? SYNC_FAULTS_MAX : DISK_FAULT_OPERATIONS_MAX),
        .partly = which == 1 && rng_chance(&sim->rng, 5000),
        .result = results[which]};
    sim_disk_set_fault(sim->disk, &fault);
    sim_count(sim, STAT_DISK_FAULTS);
    sim_trace(sim, "an operation of the disk will fail");
    // What a failed flush has left undone shows when the power goes.
    if (sync && sim->scenario.crash_ms > 0)
        world_schedule(sim, rng_between(&sim->rng, 1000, POWER_CUT_AFTER_MS_MAX), DO_POWER_CUT, 0,
                       0);
}

static void shake_machine(struct sim *sim)
{
    const struct scenario *scenario = &sim->scenario;
    if (dice(sim, scenario->freeze))
        sim->freeze_ms = rng_between(&sim->rng, 1000, FREEZE_MS_MAX);
    if (dice(sim, scenario->disk_faults))
        break_disk(sim);
    if (dice(sim, scenario->clock_steps)) {
        sim->wall_step_ms = rng_between(&sim->rng, -HOUR_MS, HOUR_MS);
        sim_trace(sim, "the wall clock steps");
        mend_later(sim, DAMAGE_CLOCK, 200000);
    }
}

void faults_crash(struct sim *sim)
{
    if (sim->quiet)
        return;
    relayers_arm_crash(sim);
    relayers_bury(sim); // who dies between two steps
    world_schedule(sim, rng_between(&sim->rng, 1, 2 * sim->scenario.crash_ms), DO_CRASH, 0, 0);
}

void faults_cut_power(struct sim *sim)
{
    if (sim->quiet)
        return;
    relayers_crash(sim, true);
    relayers_bury(sim);
}

void faults_happen(struct sim *sim)
{
    if (sim->quiet)
        return;
    shake_nodes(sim);
    shake_chain(sim);
    shake_contracts(sim);
    shake_machine(sim);
    world_schedule(sim, rng_between(&sim->rng, 1, 2 * FAULT_MS), DO_FAULT, 0, 0);
}

void faults_start(struct sim *sim)
{
    world_schedule(sim, FAULT_MS, DO_FAULT, 0, 0);
    if (sim->scenario.crash_ms > 0)
        world_schedule(sim, rng_between(&sim->rng, 1, 2 * sim->scenario.crash_ms), DO_CRASH, 0, 0);
}

void faults_end(struct sim *sim)
{
    for (int32_t damage = 0; damage < DAMAGES; damage++)
        faults_mend(sim, damage);
    for (size_t i = 0; i < sim->scenario.nodes; i++) {
        struct node *node = node_look(sim, i);
        node->stalled_until_ms = node->down_until_ms = 0;
        node->limited_until_ms = node->forked_until_ms = 0;
        node->lag_ms = 100;
    }
    sim->halted_until_ms = sim->spike_until_ms = 0;
    sim->crash = CRASH_NONE;
    sim->freeze_ms = 0;
    sim_disk_set_fault(sim->disk, NULL);
}
