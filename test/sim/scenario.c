// SPDX-License-Identifier: Apache-2.0
// What a seed's world is like. Every kind of trouble is absent from many seeds: some bugs show only
// where another trouble does not hide them.
#include "world.h"

#include <string.h>

#define GWEI UINT64_C(1000000000)

static struct wei gwei(uint64_t amount)
{
    struct wei wei = {0};
    (void)!wei_from_units(&wei, (uint128_t)amount * GWEI);
    return wei;
}

// 0 in half of the seeds, else up to max.
static int64_t perhaps(struct rng *rng, int64_t max)
{
    return rng_chance(rng, 5000) ? 0 : rng_between(rng, 1, max);
}

static void draw_chain(struct scenario *scenario, struct rng *rng)
{
    static const int64_t depths[] = {1, 2, 2, 3, 3, 4, 6, 12};
    scenario->nodes = (size_t)rng_between(rng, 1, NODES_MAX);
    scenario->block_ms_min = rng_between(rng, 1000, 8000);
    scenario->block_ms_max = rng_between(rng, scenario->block_ms_min, 12000);
    scenario->confirmations = depths[rng_below(rng, sizeof depths / sizeof depths[0])];
    scenario->finality_by_tag = rng_chance(rng, 2500);
    scenario->tag_depth = rng_between(rng, 2, 12);
    scenario->refuses_duplicates = rng_chance(rng, 3000);
    scenario->witnesses_needed = scenario->nodes >= 2 && rng_chance(rng, 7500) ? 2 : 0;
    scenario->liar = -1;
    if (scenario->witnesses_needed > 0 && rng_chance(rng, 4000))
        scenario->liar = (int)rng_below(rng, scenario->nodes);
}

static void draw_limits(struct scenario *scenario, struct rng *rng)
{
    static const int64_t batches[] = {1, 1, 2, 3, 8, 200};
    struct plan_limits *limits = &scenario->limits;
    limits->window = rng_chance(rng, 4000) ? rng_between(rng, 1, 4) : 16;
    limits->batch_gas_max = 15000000;
    limits->batch_size_max = batches[rng_below(rng, sizeof batches / sizeof batches[0])];
    limits->fees.max_fee = gwei((uint64_t)rng_between(rng, 30, 120));
    limits->fees.max_priority_fee = gwei((uint64_t)rng_between(rng, 2, 5));
    limits->stuck_after_ms = rng_between(rng, 3000, 40000);
    limits->retry_delay_ms = rng_between(rng, 200, 3000);
    limits->retry_delay_ms_max = 60000;
    limits->tries_max = (int32_t)rng_between(rng, 3, 8);
    scenario->poll_ms = rng_between(rng, 500, 10000);
    scenario->rest_ms = rng_chance(rng, 1000) ? 1 : rng_between(rng, 50, 2500);
}

static void draw_load(struct scenario *scenario, struct rng *rng)
{
    bool heavy = rng_chance(rng, 100);
    scenario->children = (size_t)(heavy ? rng_between(rng, 40, 100) : rng_between(rng, 1, 6));
    scenario->affiliates = (size_t)rng_between(rng, 1, heavy ? AFFILIATES_MAX : 5);
    scenario->payments = (size_t)(heavy ? rng_between(rng, 160, 300) : rng_between(rng, 2, 10));
    bool longer = heavy || rng_chance(rng, 1000);
    scenario->busy_ms = rng_between(rng, 20000, longer ? 600000 : 110000);
    scenario->outbox = rng_chance(rng, 5000);
    scenario->refunds = perhaps(rng, 4000);
    scenario->duplicates = perhaps(rng, 5000);
    scenario->operator_acts = perhaps(rng, 8000);
}

static void draw_calls(struct scenario *scenario, struct rng *rng)
{
    scenario->call_fails = perhaps(rng, 600);
    scenario->call_slow = perhaps(rng, 300);
    scenario->switch_node = rng_chance(rng, 3000) ? 0 : rng_between(rng, 1, 10000);
    scenario->receipt_lost = perhaps(rng, 2000);
    scenario->receipt_wrong = perhaps(rng, 500);
    scenario->head_stale = perhaps(rng, 500);
    scenario->send_times_out = perhaps(rng, 3000);
    scenario->send_limited = perhaps(rng, 2000);
    scenario->tx_forgotten = perhaps(rng, 2000);
    scenario->tx_out_of_gas = perhaps(rng, 800);
    scenario->tx_refused = rng_chance(rng, 1000) ? rng_between(rng, 1, 1500) : 0;
    scenario->block_full = perhaps(rng, 5000);
}

static void draw_world(struct scenario *scenario, struct rng *rng)
{
    scenario->lag_ms_max = rng_chance(rng, 3000) ? 200 : rng_between(rng, 200, 30000);
    scenario->node_stalls = perhaps(rng, 3000);
    scenario->node_prunes = perhaps(rng, 3000);
    scenario->reorg = perhaps(rng, 1500);
    scenario->fork = perhaps(rng, 3000);
    scenario->foreign = perhaps(rng, 2500);
    scenario->halt = perhaps(rng, 400);
    scenario->spike = perhaps(rng, 1500);
    scenario->empty_purse = perhaps(rng, 1500);
    scenario->empty_till = perhaps(rng, 1500);
    scenario->pause = perhaps(rng, 1500);
    scenario->blacklist = perhaps(rng, 1500);
    scenario->day_cap = perhaps(rng, 800);
    scenario->crash_ms = rng_chance(rng, 4000) ? 0 : rng_between(rng, 10000, 120000);
    scenario->freeze = perhaps(rng, scenario->processes > 1 ? 6000 : 2000);
    scenario->disk_faults = rng_chance(rng, 1500) ? rng_between(rng, 1, 4000) : 0;
    scenario->clock_steps = rng_chance(rng, 1500) ? rng_between(rng, 1, 1000) : 0;
}

void scenario_draw(struct scenario *scenario, struct rng *rng)
{
    memset(scenario, 0, sizeof *scenario);
    scenario->lanes = rng_chance(rng, 6500) ? 1 : (size_t)rng_between(rng, 2, SIM_LANES_MAX);
    scenario->processes = rng_chance(rng, 2500) ? 2 : 1;
    draw_chain(scenario, rng);
    draw_limits(scenario, rng);
    draw_load(scenario, rng);
    draw_calls(scenario, rng);
    draw_world(scenario, rng);
}
