// SPDX-License-Identifier: Apache-2.0
// The relayer's metrics and alerts.
#include "relay/relay_metrics.h"

#include "relay/lane_state.h"

#include "base/log.h"
#include "observe/metrics.h"

#define LANES_SHOWN_MAX (METRIC_LABELS_MAX - 1)

static const char *const lanes[] = {"0", "1", "2",  "3",  "4",  "5",  "6",  "7",
                                    "8", "9", "10", "11", "12", "13", "14", NULL};
static const char *const kinds[] = {"none",        "register_referral", "mint_identity",
                                    "payout_usdc", "payout_hybrid",     NULL};

#define LATENCY(object, text, what)                                                                \
    static struct metric object = {.name = (text),                                                 \
                                   .help = (what),                                                 \
                                   .type = METRIC_HISTOGRAM,                                       \
                                   .label = "kind",                                                \
                                   .label_values = kinds,                                          \
                                   .unit = 0.001,                                                  \
                                   .bounds = metric_latency_bounds_ms}
#define COUNTER(object, text, what)                                                                \
    static struct metric object = {                                                                \
        .name = (text), .help = (what), .type = METRIC_COUNTER, .unit = 1}
#define LANE_GAUGE(object, text, what, scale)                                                      \
    static struct metric object = {.name = (text),                                                 \
                                   .help = (what),                                                 \
                                   .type = METRIC_GAUGE,                                           \
                                   .label = "lane",                                                \
                                   .label_values = lanes,                                          \
                                   .unit = (scale)}

LATENCY(to_sent, "sluice_job_to_sent_seconds", "From the job's creation to its first sending.");
LATENCY(to_mined, "sluice_job_to_mined_seconds", "From the job's creation to its block.");
LATENCY(to_final, "sluice_job_to_final_seconds", "From the job's creation to its final block.");
COUNTER(bumps, "sluice_fee_bumps_total", "Transactions replaced by one with higher fees.");
COUNTER(unmined, "sluice_unmined_total", "Transactions taken out of the chain again.");
COUNTER(unresolved, "sluice_unresolved_total", "Slots whose nonce somebody else may have used.");
COUNTER(foreign, "sluice_foreign_nonces_total", "Nonces proven used by a transaction not ours.");
COUNTER(retried, "sluice_jobs_retried_total", "Jobs whose final transaction had no effect.");
COUNTER(parked, "sluice_jobs_parked_total", "Jobs that wait for an operator.");
COUNTER(holds, "sluice_holds_total", "Times that a kind of job was held.");
LANE_GAUGE(balance_gwei, "sluice_lane_balance_coins", "Gas money of the wallet, in whole coins.",
           0.000000001);
LANE_GAUGE(open_slots, "sluice_lane_open_slots", "Transactions that are in no block.", 1);
LANE_GAUGE(mined_slots, "sluice_lane_mined_slots", "Transactions that wait to be final.", 1);
LANE_GAUGE(stalled_lanes, "sluice_lane_chain_stalled",
           "1 while the chain makes no blocks and transactions wait for one.", 1);
LANE_GAUGE(unresolved_slots, "sluice_lane_unresolved_slots", "Slots that wait for proof.", 1);

#define LANE_COUNTER(object, text, what)                                                           \
    static struct metric object = {.name = (text),                                                 \
                                   .help = (what),                                                 \
                                   .type = METRIC_COUNTER,                                         \
                                   .label = "lane",                                                \
                                   .label_values = lanes,                                          \
                                   .unit = 1}
LANE_COUNTER(rpc_calls, "sluice_rpc_calls_total", "JSON-RPC calls to all endpoints.");
LANE_COUNTER(rpc_failures, "sluice_rpc_failures_total", "JSON-RPC calls that failed.");
LANE_COUNTER(rpc_limited, "sluice_rpc_rate_limited_total",
             "JSON-RPC calls refused for their rate.");

void relay_metrics_register(void)
{
    struct metric *all[] = {
        &to_sent,     &to_mined,         &to_final,  &bumps,        &unmined,      &unresolved,
        &foreign,     &retried,          &parked,    &holds,        &balance_gwei, &open_slots,
        &mined_slots, &unresolved_slots, &rpc_calls, &rpc_failures, &rpc_limited,  &stalled_lanes};
    to_sent.bounds_count = to_mined.bounds_count = to_final.bounds_count =
        metric_latency_bounds_count;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        metrics_register(all[i]);
}

static void observe(struct metric *metric, const struct job *job, int64_t wall_ms)
{
    int64_t age = wall_ms - job->created_ms;
    metric_observe(metric, (size_t)job->kind, age > 0 ? age : 0);
}

void relay_metrics_sent(const struct job *job, int64_t wall_ms)
{
    observe(&to_sent, job, wall_ms);
}

static void settled(const struct lane_slot *slot, const struct job_settlement *settlement,
                    const struct job *job, int64_t wall_ms)
{
    const char *why = settlement->change.why != NULL ? settlement->change.why : "";
    if (settlement->next == JOB_CONFIRMED) {
        observe(&to_final, job, wall_ms);
        log_info("job confirmed", {"job", LOG_INT(job->id)},
                 {"kind", LOG_TEXT(job_kind_text(job->kind))},
                 {"outcome", LOG_TEXT(job_outcome_text(settlement->change.outcome))},
                 {"tx", LOG_HASH(&slot->row.inclusion.transaction_hash)});
    } else if (settlement->next == JOB_PARKED) {
        metric_add(&parked, 0, 1);
        log_error("job parked", {"job", LOG_INT(job->id)}, {"why", LOG_TEXT(why)},
                  {"slot", LOG_INT(slot->row.id)});
    } else {
        metric_add(&retried, 0, 1);
        log_warn("job goes back to the queue", {"job", LOG_INT(job->id)}, {"why", LOG_TEXT(why)},
                 {"tries", LOG_INT(job->tries)}, {"slot", LOG_INT(slot->row.id)});
    }
}

static void log_slot(const char *message, const struct lane_slot *slot)
{
    log_warn(message, {"slot", LOG_INT(slot->row.id)}, {"nonce", LOG_INT(slot->row.nonce)},
             {"jobs", LOG_INT(slot->jobs_count)});
}

void relay_metrics_change(const struct slot_change *change, int64_t wall_ms)
{
    const struct lane_slot *slot = change->slot;
    switch (change->verb) {
    case CHANGE_MINED:
        for (size_t i = 0; i < slot->jobs_count; i++)
            observe(&to_mined, &slot->jobs[i], wall_ms);
        return;
    case CHANGE_UNMINED:
        metric_add(&unmined, 0, 1);
        log_slot("reorganisation: a transaction left the chain and is sent again", slot);
        return;
    case CHANGE_UNRESOLVED:
        metric_add(&unresolved, 0, 1);
        log_error("unresolved: our nonce is used and no hash of ours is known",
                  {"slot", LOG_INT(slot->row.id)}, {"nonce", LOG_INT(slot->row.nonce)},
                  {"jobs", LOG_INT(slot->jobs_count)});
        return;
    case CHANGE_FREED:
        log_slot("the foreign transaction left the chain; ours is sent again", slot);
        return;
    case CHANGE_FOREIGN:
        metric_add(&foreign, 0, 1);
        log_slot("proven: a foreign transaction used our nonce", slot);
        break;
    case CHANGE_FINAL:
        break;
    }
    for (size_t i = 0; i < slot->jobs_count; i++)
        settled(slot, &change->settlements[i], &slot->jobs[i], wall_ms);
}

void relay_metrics_action(const struct job_action *action)
{
    if (action->verb != JOB_VERB_PARK)
        return;
    metric_add(&parked, 0, 1);
    log_error("job parked", {"job", LOG_INT(action->job_id)},
              {"why", LOG_TEXT(action->change.why)});
}

void relay_metrics_hold(enum job_kind kind, const char *reason, bool held, const char *why)
{
    if (!held) {
        log_info("hold released", {"kind", LOG_TEXT(job_kind_text(kind))},
                 {"reason", LOG_TEXT(reason)});
        return;
    }
    metric_add(&holds, 0, 1);
    log_warn("jobs held", {"kind", LOG_TEXT(job_kind_text(kind))}, {"reason", LOG_TEXT(reason)},
             {"why", LOG_TEXT(why)});
}

void relay_metrics_bump(void)
{
    metric_add(&bumps, 0, 1);
}

void relay_metrics_stall(size_t lane, bool stalled, int64_t head)
{
    if (lane < LANES_SHOWN_MAX)
        metric_set(&stalled_lanes, lane, stalled);
    if (stalled)
        log_error("the chain makes no blocks; nothing new is sent until it does",
                  {"lane", LOG_INT(lane)}, {"head", LOG_INT(head)});
    else
        log_info("the chain makes blocks again", {"lane", LOG_INT(lane)}, {"head", LOG_INT(head)});
}

void relay_metrics_balance(size_t lane, struct wei balance)
{
    if (lane < LANES_SHOWN_MAX)
        metric_set(&balance_gwei, lane, (int64_t)(wei_units(balance) / 1000000000));
}

void relay_metrics_slots(size_t lane, const struct lane_slots *slots)
{
    if (lane >= LANES_SHOWN_MAX)
        return;
    int64_t open = 0, lost = 0;
    for (size_t i = 0; i < slots->count; i++) {
        open += slots->items[i]->row.state == SLOT_OPEN;
        lost += slots->items[i]->mood.unresolved;
    }
    metric_set(&open_slots, lane, open);
    metric_set(&mined_slots, lane, (int64_t)slots->count - open);
    metric_set(&unresolved_slots, lane, lost);
}

void relay_metrics_rpc(size_t lane, const struct endpoint_health *health, size_t count)
{
    int64_t calls = 0, failures = 0, limited = 0;
    if (lane >= LANES_SHOWN_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        calls += health[i].calls;
        failures += health[i].failures;
        limited += health[i].rate_limited;
    }
    metric_set(&rpc_calls, lane, calls);
    metric_set(&rpc_failures, lane, failures);
    metric_set(&rpc_limited, lane, limited);
}
