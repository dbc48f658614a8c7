// SPDX-License-Identifier: Apache-2.0
// One seed: its clock, its events in order, the busy part and the quiet tail.
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Once the faults have stopped, everything must have ended within this time.
#define TAIL_MS_MAX    INT64_C(7200000)
#define EVENTS_MIN     256
#define BLOCK_QUIET_MS 2000
#define EVENTS_RUN_MAX 150000 // of one seed: more is a world that spins

const char *promise_text(enum promise promise)
{
    static const char *const texts[] = {"none",
#define PROMISE_TEXT(name, text) text,
                                        PROMISE_TABLE(PROMISE_TEXT)
#undef PROMISE_TEXT
    };
    return texts[promise];
}

const char *statistic_text(enum statistic statistic)
{
    static const char *const texts[] = {
#define STATISTIC_NAME(name, text) text,
        STATISTIC_TABLE(STATISTIC_NAME)
#undef STATISTIC_NAME
    };
    return texts[statistic];
}

// ---------------------------------------------------------------- telling

void sim_trace_line(struct sim *sim, const char *format, ...)
{
    char *line = sim->trace[sim->trace_count++ % TRACE_LINES_MAX];
    int used = snprintf(line, TRACE_LINE_SIZE, "%7" PRId64 ".%03d  ", sim->now_ms / 1000,
                        (int)(sim->now_ms % 1000));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, TRACE_LINE_SIZE - (size_t)used, format, arguments);
    va_end(arguments);
    if (sim->loud)
        printf("%s\n", line);
}

void sim_break(struct sim *sim, enum promise promise, const char *format, ...)
{
    if (sim->broken != PROMISE_NONE)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->failure, sizeof sim->failure, format, arguments);
    va_end(arguments);
    sim->broken = promise;
    sim_trace(sim, "BROKEN %s", sim->failure);
}

// ---------------------------------------------------------------- clock and chance

static int64_t monotonic_ms(void *context)
{
    return ((const struct sim *)context)->now_ms + 1;
}

static int64_t wall_ms(void *context)
{
    const struct sim *sim = context;
    return WALL_START_MS + sim->now_ms + sim->wall_step_ms;
}

static void fill_random(void *context, uint8_t *out, size_t size)
{
    struct sim *sim = context;
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)rng_next(&sim->rng);
}

// ---------------------------------------------------------------- the heap of events

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct event *a, struct event *b)
{
    struct event kept = *a;
    *a = *b;
    *b = kept;
}

void world_schedule(struct sim *sim, int64_t delay_ms, enum event_verb verb, int32_t a, int32_t b)
{
    if (sim->events_count == sim->events_capacity) {
        sim->events_capacity = sim->events_capacity > 0 ? sim->events_capacity * 2 : EVENTS_MIN;
        sim->events = realloc(sim->events, sim->events_capacity * sizeof sim->events[0]);
        if (sim->events == NULL)
            abort();
    }
    size_t at = sim->events_count++;
    sim->events[at] = (struct event){sim->now_ms + (delay_ms > 0 ? delay_ms : 0),
                                     sim->events_order++, verb, a, b};
    while (at > 0 && is_before(&sim->events[at], &sim->events[(at - 1) / 2])) {
        swap(&sim->events[at], &sim->events[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static struct event take_event(struct sim *sim)
{
    struct event first = sim->events[0];
    sim->events[0] = sim->events[--sim->events_count];
    for (size_t at = 0, child; (child = 2 * at + 1) < sim->events_count; at = child) {
        if (child + 1 < sim->events_count &&
            is_before(&sim->events[child + 1], &sim->events[child]))
            child++;
        if (is_before(&sim->events[at], &sim->events[child]))
            break;
        swap(&sim->events[at], &sim->events[child]);
    }
    return first;
}

// ---------------------------------------------------------------- events

static void next_block(struct sim *sim)
{
    const struct scenario *scenario = &sim->scenario;
    int64_t delay = sim->quiet
                        ? BLOCK_QUIET_MS
                        : rng_between(&sim->rng, scenario->block_ms_min, scenario->block_ms_max);
    if (sim->now_ms >= sim->halted_until_ms)
        mine_block(sim);
    world_schedule(sim, delay, DO_BLOCK, 0, 0);
}

static void run_event(struct sim *sim, const struct event *event)
{
    switch (event->verb) {
    case DO_BLOCK:
        next_block(sim);
        return;
    case DO_GOSSIP:
        node_gossip(sim, (size_t)event->a, event->b);
        return;
    case DO_DELIVER:
        load_deliver(sim, (size_t)event->a);
        return;
    case DO_OPERATOR:
        load_operator(sim);
        return;
    case DO_FAULT:
        faults_happen(sim);
        return;
    case DO_MEND:
        faults_mend(sim, event->a);
        return;
    case DO_CRASH:
        faults_crash(sim);
        return;
    case DO_POWER_CUT:
        faults_cut_power(sim);
        return;
    case DO_RESTART:
        relayers_restart(sim, (size_t)event->a);
        return;
    }
}

static bool somebody_unwinds(const struct sim *sim)
{
    bool unwinds = sim->broken != PROMISE_NONE;
    for (size_t i = 0; i < sim->scenario.processes; i++)
        unwinds = unwinds || sim->processes[i].dead;
    return unwinds;
}

// The next thing that happens, where it does by `until_ms`.
static bool happen(struct sim *sim, int64_t until_ms)
{
    struct sim_lane *lane = NULL;
    int64_t step_ms = relayers_next_ms(sim, &lane);
    int64_t event_ms = sim->events_count > 0 ? sim->events[0].at_ms : INT64_MAX;
    int64_t next_ms = step_ms < event_ms ? step_ms : event_ms;
    if (next_ms > until_ms)
        return false;
    if (++sim->happened > EVENTS_RUN_MAX)
        sim_break(sim, PROMISE_ALIVE, "the world spins at %" PRId64 " ms", sim->now_ms);
    if (next_ms > sim->now_ms)
        sim->now_ms = next_ms;
    if (step_ms < event_ms) {
        relayers_step(sim, lane);
    } else {
        struct event event = take_event(sim);
        run_event(sim, &event);
    }
    return true;
}

void world_pass(struct sim *sim, int64_t ms)
{
    int64_t until_ms = sim->now_ms + ms;
    while (!somebody_unwinds(sim) && happen(sim, until_ms))
        continue;
    if (sim->now_ms < until_ms && !somebody_unwinds(sim))
        sim->now_ms = until_ms;
}

// ---------------------------------------------------------------- one seed

static void make_contracts(struct sim *sim)
{
    sim->contracts = (struct contracts){.registry = {{0x01, 1}},
                                        .payout = {{0x02, 1}},
                                        .identity = {{0x03, 1}},
                                        .usdc = {{0x04, 1}},
                                        .refuses_duplicates = sim->scenario.refuses_duplicates};
}

static void make_chain(struct sim *sim)
{
    struct chain_state *wanted = &sim->tree.wanted;
    memset(wanted, 0, sizeof *wanted);
    wanted->funds_given = UINT64_C(1000000000000);
    wanted->day_cap = UINT64_C(1000000000000);
    wanted->payout_cap = UINT64_C(500000000);
    for (size_t i = 0; i < SIM_LANES_MAX; i++)
        wanted->gifts[i] = (uint128_t)UINT64_C(1000000000000000000) * 20;
    tree_start(&sim->tree, rng_next(&sim->rng));
    sim->final_number = 0;
    sim->market_tip = UINT64_C(1000000000);
    sim->spike_until_ms = sim->halted_until_ms = 0;
    memset(sim->foreign_wanted, 0, sizeof sim->foreign_wanted);
    nodes_start(sim);
}

static void start(struct sim *sim, uint64_t seed)
{
    sim->seed = seed;
    sim->rng = (struct rng){.state = rng_mix(seed + 1)};
    sim->now_ms = sim->wall_step_ms = 0;
    sim->quiet = false;
    sim->clock = (struct clock){wall_ms, monotonic_ms, sim};
    sim->random = (struct random_source){fill_random, sim};
    sim->broken = PROMISE_NONE;
    sim->digest = seed;
    sim->trace_count = 0;
    sim->events_count = 0;
    sim->happened = 0;
    sim->crash = CRASH_NONE;
    sim->freeze_ms = 0;
    sim->depth = 0;
    memset(sim->holders, 0, sizeof sim->holders);
    scenario_draw(&sim->scenario, &sim->rng);
    make_contracts(sim);
    make_chain(sim);
    oracle_start(sim);
    sim_disk_set_hook(sim->disk, NULL, NULL);
    sim_disk_set_fault(sim->disk, NULL);
    sim_disk_restore(sim->disk, sim->image, seed, true);
    sim_disk_set_clock(&sim->clock);
    world_schedule(sim, 1, DO_BLOCK, 0, 0);
    relayers_start(sim);
    load_start(sim);
    faults_start(sim);
}

static void run_until(struct sim *sim, int64_t until_ms)
{
    while (sim->broken == PROMISE_NONE && happen(sim, until_ms))
        continue;
    if (sim->broken == PROMISE_NONE && sim->now_ms < until_ms)
        sim->now_ms = until_ms;
}

static void run_tail(struct sim *sim)
{
    int64_t end_ms = sim->now_ms + TAIL_MS_MAX;
    sim->quiet = true;
    sim_trace(sim, "the faults stop");
    faults_end(sim);
    load_settle(sim);
    while (sim->broken == PROMISE_NONE && !load_is_done(sim) && sim->now_ms < end_ms)
        run_until(sim, sim->now_ms + BLOCK_QUIET_MS);
    bool any = false;
    for (size_t i = 0; i < sim->scenario.processes && sim->broken == PROMISE_NONE; i++) {
        if (!sim->processes[i].alive || sim->processes[i].dead)
            continue;
        any = true;
        oracle_audit(sim, &sim->processes[i], true);
    }
    if (!any)
        sim_break(sim, PROMISE_ALIVE, "no relayer is alive at the end");
}

bool world_run(struct sim *sim, uint64_t seed)
{
    start(sim, seed);
    run_until(sim, sim->scenario.busy_ms);
    if (sim->broken == PROMISE_NONE)
        run_tail(sim);
    sim_disk_set_hook(sim->disk, NULL, NULL);
    relayers_stop(sim);
    sim_count(sim, STAT_SEEDS);
    sim->statistics[STAT_SIMULATED_MS] += sim->now_ms;
    return sim->broken == PROMISE_NONE;
}
