// SPDX-License-Identifier: Apache-2.0
// Relayer processes: a store on the disk, lanes over it, how they die and come back.
#include "world.h"

#include "relay/relay_metrics.h"

#include <stdio.h>
#include <string.h>

#define RESTART_MS_MAX   40000
#define CRASH_CALLS_MAX  60
#define CRASH_DISK_MAX   200
#define CRASH_VISITS_MAX 4
#define POWER_CUT_CHANCE 6000
#define DEPTH_MAX        3
#define LANE_POINTS      (LANE_RECORDED + 1)

bool relayers_dying(const struct sim *sim, size_t process)
{
    return sim->processes[process].dead || sim->broken != PROMISE_NONE;
}

// The disk tells no process from another: when one dies by it, all do.
void relayers_crash(struct sim *sim, bool power_cut)
{
    bool any = false;
    for (size_t i = 0; i < sim->scenario.processes; i++) {
        any = any || (sim->processes[i].alive && !sim->processes[i].dead);
        sim->processes[i].dead = sim->processes[i].alive;
    }
    sim->crash = CRASH_NONE;
    if (!any)
        return;
    sim_count(sim, STAT_CRASHES);
    sim_trace(sim, "%s", power_cut ? "the power is cut" : "the process is killed");
    if (power_cut) {
        sim_count(sim, STAT_POWER_CUTS);
        sim_disk_crash(sim->disk, rng_next(&sim->rng));
    } else {
        sim_disk_kill(sim->disk);
    }
}

void relayers_arm_crash(struct sim *sim)
{
    sim->crash_is_power_cut = rng_chance(&sim->rng, POWER_CUT_CHANCE);
    sim->crash = (enum crash_kind)rng_between(&sim->rng, CRASH_NONE, CRASH_AT_DISK);
    sim->crash_point = (enum lane_point)rng_below(&sim->rng, LANE_POINTS);
    switch (sim->crash) {
    case CRASH_NONE:
        relayers_crash(sim, sim->crash_is_power_cut);
        return;
    case CRASH_AT_POINT:
        sim->crash_countdown = rng_between(&sim->rng, 1, CRASH_VISITS_MAX);
        return;
    case CRASH_AT_CALL:
        sim->crash_countdown = rng_between(&sim->rng, 1, CRASH_CALLS_MAX);
        return;
    case CRASH_AT_DISK:
        sim->crash_countdown = rng_between(&sim->rng, 1, CRASH_DISK_MAX);
        return;
    }
}

static void at_disk(void *context, struct sim_disk *disk, enum sim_disk_operation operation,
                    int64_t total)
{
    struct sim *sim = context;
    (void)disk;
    (void)operation;
    (void)total;
    if (sim->crash == CRASH_AT_DISK && !sim->oracle.reading && --sim->crash_countdown <= 0)
        relayers_crash(sim, sim->crash_is_power_cut);
}

static void at_point(void *context, enum lane_point point)
{
    struct sim_lane *lane = context;
    struct sim *sim = lane->chain.sim;
    if (relayers_dying(sim, lane->process))
        return;
    if (sim->crash == CRASH_AT_POINT && sim->crash_point == point && --sim->crash_countdown <= 0)
        relayers_crash(sim, sim->crash_is_power_cut);
}

// ---------------------------------------------------------------- signing

static bool is_filler(const struct transaction *transaction, const struct address *lane)
{
    return address_equal(&transaction->to, lane) && transaction->data.size == 0;
}

static uint64_t small(struct wei amount)
{
    return (uint64_t)wei_units(amount);
}

static void keep_signed(struct sim *sim, const struct sign_request *request,
                        const struct signed_transaction *made, size_t lane)
{
    const struct transaction *transaction = &request->transaction;
    struct tx tx = {.hash = made->hash,
                    .lane = lane,
                    .nonce = (int64_t)transaction->nonce,
                    .filler = is_filler(transaction, &request->lane),
                    .max_fee = small(transaction->max_fee),
                    .tip = small(transaction->max_priority_fee),
                    .gas_limit = (int64_t)transaction->gas_limit,
                    .target = contract_target(&sim->contracts, &transaction->to),
                    .signed_ms = sim->now_ms};
    if (tree_find_tx(&sim->tree, &made->hash) >= 0)
        return; // the same bytes once more
    oracle_signed(sim, tree_add_tx(&sim->tree, &tx, transaction->data, made->raw));
}

static enum status sign(void *context, struct signed_transaction *ret_signed,
                        const struct sign_request *requests, size_t count, struct arena *arena)
{
    struct sim_lane *lane = context;
    struct sim *sim = lane->chain.sim;
    if (relayers_dying(sim, lane->process))
        return STATUS_UNAVAILABLE;
    for (size_t i = 0; i < count; i++) {
        if (!transaction_sign(&ret_signed[i], &requests[i].transaction, &sim->keys[lane->index],
                              arena))
            return STATUS_NO_MEMORY;
        keep_signed(sim, &requests[i], &ret_signed[i], lane->index);
    }
    return STATUS_OK;
}

// ---------------------------------------------------------------- a life

static void on_jobs(void *context)
{
    struct sim *sim = context;
    for (size_t p = 0; p < sim->scenario.processes; p++)
        for (size_t i = 0; i < sim->scenario.lanes; i++)
            sim->processes[p].lanes[i].next_ms = sim->now_ms;
}

static struct store_options store_options_of(struct sim *sim)
{
    return (struct store_options){.path = sim->path,
                                  .clock = &sim->clock,
                                  .domain = {WORLD_CHAIN_ID, sim->contracts.payout},
                                  .outbox = sim->scenario.outbox,
                                  .in_caller = true,
                                  .on_jobs = on_jobs,
                                  .on_jobs_context = sim};
}

static struct lane_options lane_options_of(struct sim *sim, struct process *process,
                                           struct sim_lane *lane)
{
    const struct scenario *scenario = &sim->scenario;
    return (struct lane_options){
        .store = process->store,
        .chain = &lane->chain.chain,
        .witnesses = lane->witness_list,
        .witnesses_count = scenario->nodes,
        .witnesses_needed = scenario->witnesses_needed,
        .signer = {sign, lane},
        .clock = &sim->clock,
        .random = &sim->random,
        .claims = process->claims,
        .index = lane->index,
        .holder = process->holder,
        .address = sim->lanes[lane->index],
        .chain_id = WORLD_CHAIN_ID,
        .contracts = {sim->contracts.registry, sim->contracts.payout, sim->contracts.identity},
        .confirmations = scenario->confirmations,
        .finality = scenario->finality_by_tag ? BLOCK_FINALIZED : BLOCK_LATEST,
        .limits = scenario->limits,
        .poll_interval_ms = scenario->poll_ms,
        .at = at_point,
        .at_context = lane,
    };
}

static void open_lane(struct sim *sim, size_t number, size_t index)
{
    struct process *process = &sim->processes[number];
    struct sim_lane *lane = &process->lanes[index];
    lane->process = number;
    lane->index = index;
    lane->next_ms = sim->now_ms;
    sim_chain_start(&lane->chain, sim, number, -1);
    for (size_t i = 0; i < sim->scenario.nodes; i++) {
        sim_chain_start(&lane->witnesses[i], sim, number, (int)i);
        lane->witness_list[i] = &lane->witnesses[i].chain;
    }
    struct lane_options options = lane_options_of(sim, process, lane);
    lane->lane = lane_open(&options);
}

static void bury(struct sim *sim, size_t number)
{
    struct process *process = &sim->processes[number];
    for (size_t i = 0; i < sim->scenario.lanes; i++) {
        lane_close(process->lanes[i].lane);
        process->lanes[i].lane = NULL;
    }
    store_close(process->store);
    claims_free(process->claims);
    process->store = NULL;
    process->claims = NULL;
    process->alive = process->dead = false;
    if (sim_disk_fired(sim->disk) > 0)
        sim_disk_set_fault(sim->disk, NULL);
    int64_t delay = sim->quiet ? 1000 : rng_between(&sim->rng, 100, RESTART_MS_MAX);
    world_schedule(sim, delay, DO_RESTART, (int32_t)number, 0);
}

static bool is_running(const struct sim *sim, size_t number)
{
    for (size_t i = 0; i < sim->scenario.lanes; i++)
        if (sim->processes[number].lanes[i].running)
            return true;
    return false;
}

// Those that are dead and whose last step has come back.
void relayers_bury(struct sim *sim)
{
    for (size_t i = 0; i < sim->scenario.processes; i++)
        if (sim->processes[i].dead && !is_running(sim, i))
            bury(sim, i);
}

void relayers_restart(struct sim *sim, size_t number)
{
    struct process *process = &sim->processes[number];
    struct store_options options = store_options_of(sim);
    if (process->alive)
        return;
    memset(process, 0, sizeof *process);
    process->alive = true;
    sim_disk_start(sim->disk);
    snprintf(process->holder, sizeof process->holder, "relayer %zu", number);
    sim_trace(sim, "relayer %zu starts", number);
    enum status status = store_open(&process->store, &options);
    if (status == STATUS_OK) {
        process->claims = claims_new(sim->scenario.lanes);
        for (size_t i = 0; i < sim->scenario.lanes; i++)
            open_lane(sim, number, i);
        oracle_audit(sim, process, false);
    } else if (!process->dead && sim_disk_fired(sim->disk) == 0) {
        sim_break(sim, PROMISE_KEPT, "the store does not open any more: %s", status_text(status));
    } else {
        process->dead = true;
    }
    relayers_bury(sim);
}

void relayers_start(struct sim *sim)
{
    sim_disk_set_hook(sim->disk, at_disk, sim);
    for (size_t i = 0; i < PROCESSES_MAX; i++)
        memset(&sim->processes[i], 0, sizeof sim->processes[i]);
    for (size_t i = 0; i < sim->scenario.processes; i++)
        relayers_restart(sim, i);
}

void relayers_stop(struct sim *sim)
{
    for (size_t i = 0; i < PROCESSES_MAX; i++) {
        struct process *process = &sim->processes[i];
        for (size_t j = 0; j < SIM_LANES_MAX; j++)
            lane_close(process->lanes[j].lane);
        store_close(process->store);
        claims_free(process->claims);
        memset(process, 0, sizeof *process);
    }
}

struct store *relayers_store(struct sim *sim)
{
    for (size_t i = 0; i < sim->scenario.processes; i++)
        if (sim->processes[i].alive && !sim->processes[i].dead)
            return sim->processes[i].store;
    return NULL;
}

// ---------------------------------------------------------------- steps

int64_t relayers_next_ms(const struct sim *sim, struct sim_lane **ret_lane)
{
    int64_t next = INT64_MAX;
    if (sim->depth >= DEPTH_MAX)
        return next;
    for (size_t p = 0; p < sim->scenario.processes; p++) {
        const struct process *process = &sim->processes[p];
        for (size_t i = 0; process->alive && !process->dead && i < sim->scenario.lanes; i++) {
            const struct sim_lane *lane = &process->lanes[i];
            if (!lane->running && lane->next_ms < next) {
                next = lane->next_ms;
                *ret_lane = (struct sim_lane *)(uintptr_t)lane;
            }
        }
    }
    return next;
}

// A lane ends for good only when its store or its signer fails.
static void ended(struct sim *sim, struct sim_lane *lane, enum status status)
{
    sim_trace(sim, "relayer %zu lane %zu ends: %s", lane->process, lane->index,
              status_text(status));
    if (!relayers_dying(sim, lane->process) && sim_disk_fired(sim->disk) == 0)
        sim_break(sim, PROMISE_ALIVE, "a lane ended: %s", status_text(status));
    relayers_crash(sim, false);
}

// Whose lane it is now; who had it may not know yet.
static void note_holder(struct sim *sim, const struct sim_lane *lane, bool held_before)
{
    size_t *holder = &sim->holders[lane->index];
    bool holds = lane_look(lane->lane).held, other = *holder != lane->process + 1;
    if (held_before && !holds && other)
        sim_count(sim, STAT_LEASES_LOST);
    if (!holds || held_before)
        return;
    if (*holder != 0 && other) {
        sim_count(sim, STAT_TAKEOVERS);
        sim_trace(sim, "relayer %zu takes lane %zu over", lane->process, lane->index);
    }
    *holder = lane->process + 1;
}

void relayers_step(struct sim *sim, struct sim_lane *lane)
{
    int64_t wait_ms = 0;
    bool held = lane_look(lane->lane).held;
    lane->next_ms = INT64_MAX;
    lane->running = true;
    sim->depth++;
    sim_count(sim, STAT_STEPS);
    enum status status = lane_step(lane->lane, &wait_ms);
    sim->depth--;
    lane->running = false;
    if (status != STATUS_OK && !sim->processes[lane->process].dead)
        ended(sim, lane, status);
    bool woken = lane->next_ms != INT64_MAX;
    int64_t rest = wait_ms > 0 && wait_ms < sim->scenario.rest_ms ? sim->scenario.rest_ms : wait_ms;
    lane->next_ms = sim->now_ms + (woken || rest < 1 ? 1 : rest);
    note_holder(sim, lane, held);
    if (!sim->processes[lane->process].dead)
        oracle_look(sim, &sim->processes[lane->process]);
    relayers_bury(sim);
}
