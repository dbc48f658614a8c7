// SPDX-License-Identifier: Apache-2.0
// Sending what is durable, and recording that it was sent.
#include "relay/lane_state.h"

#include "relay/relay_metrics.h"

#include "base/log.h"

struct sent_work {
    struct store_work work;
    const struct lane *row;
    const int64_t *ids;
    size_t count;
    bool denied;
};

static enum status run(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sent_work *work = (struct sent_work *)(void *)works[i];
        enum status status = attempts_sent(tx, work->row, work->ids, work->count);
        work->denied = status == STATUS_DENIED;
        if (status != STATUS_OK && !work->denied)
            return status;
    }
    return STATUS_OK;
}

static enum status record(struct step *step, const int64_t *ids, size_t count)
{
    static const struct store_work_kind kind = {"attempts sent", run};
    struct relay_lane *lane = step->lane;
    struct sent_work work = {
        .work = {.kind = &kind}, .row = &lane->row, .ids = ids, .count = count};
    enum status status = store_write(lane->options.store, &work.work);
    if (status != STATUS_OK)
        return status;
    if (work.denied)
        lane_forget(lane);
    return STATUS_OK;
}

static bool wants_send(const struct step *step, const struct lane_slot *slot)
{
    for (size_t i = 0; i < step->resends_count; i++)
        if (step->resends[i] == slot)
            return true;
    return slot->row.state == SLOT_OPEN && slot->mood.send_next_ms == 0 && !slot->mood.unresolved;
}

// In nonce order: a node must not see a gap.
static size_t gather(struct lane_slot **ret_slots, struct bytes *ret_raws, const struct step *step)
{
    const struct relay_lane *lane = step->lane;
    size_t count = 0;
    for (size_t i = 0; i < lane->slots.count; i++) {
        struct lane_slot *slot = lane->slots.items[i];
        bool used = lane->nonce_known && lane->nonce > slot->row.nonce;
        if (used || !wants_send(step, slot))
            continue;
        ret_slots[count] = slot;
        ret_raws[count++] = lane_slot_newest(slot)->row.raw;
    }
    return count;
}

static void log_refusal(const struct lane_slot *slot, const struct send_result *result)
{
    if (slot->mood.refusals != 1)
        return; // said once; it is tried again with growing pauses
    log_warn("nodes refused a transaction", {"class", LOG_TEXT(rpc_class_text(result->rpc_class))},
             {"message", LOG_TEXT(result->message)}, {"slot", LOG_INT(slot->row.id)},
             {"nonce", LOG_INT(slot->row.nonce)},
             {"tx", LOG_HASH(&lane_slot_newest(slot)->row.hash)});
}

// True where the attempt's first sending is news to the store.
static bool note(struct step *step, struct lane_slot *slot, const struct send_result *result)
{
    struct relay_lane *lane = step->lane;
    struct lane_attempt *newest = lane_slot_newest(slot);
    plan_sent(slot, result, &step->facts, &lane->options.limits);
    bool took = result->outcome != SEND_REFUSED || result->rpc_class == RPC_ALREADY_KNOWN ||
                result->rpc_class == RPC_UNKNOWN;
    if (!took) {
        log_refusal(slot, result);
        if (result->rpc_class == RPC_INSUFFICIENT_FUNDS)
            lane->gas_refused = true;
        if (result->rpc_class == RPC_NONCE_TOO_LOW)
            lane->settled = false; // look for our receipt
        return false;
    }
    lane->gas_refused = false;
    if (newest->row.state != ATTEMPT_SIGNED)
        return false;
    newest->row.state = ATTEMPT_SENT;
    for (size_t i = 0; i < slot->jobs_count; i++) {
        if (slot->jobs[i].state == JOB_ASSIGNED)
            relay_metrics_sent(&slot->jobs[i], step->facts.wall_ms);
        slot->jobs[i].state = JOB_SENT;
    }
    return true;
}

enum status send_step(struct step *step)
{
    struct relay_lane *lane = step->lane;
    size_t most = lane->slots.count;
    struct lane_slot **slots = arena_alloc_array(step->arena, most, sizeof *slots);
    struct bytes *raws = arena_alloc_array(step->arena, most, sizeof *raws);
    struct send_result *results = arena_alloc_array(step->arena, most, sizeof *results);
    int64_t *ids = arena_alloc_array(step->arena, most, sizeof *ids);
    if (slots == NULL || raws == NULL || results == NULL || ids == NULL)
        return STATUS_NO_MEMORY;
    size_t count = gather(slots, raws, step);
    if (count == 0)
        return STATUS_OK;
    struct chain *chain = lane->options.chain;
    enum status status = chain->ops->send(chain, results, raws, count, step->arena);
    if (status != STATUS_OK)
        return status;
    lane_at(lane, LANE_SENT);
    lane->quick_ms = LANE_QUICK_MS_MIN;
    lane->settled = false;
    size_t news = 0;
    for (size_t i = 0; i < count; i++)
        if (note(step, slots[i], &results[i]))
            ids[news++] = lane_slot_newest(slots[i])->row.id;
    if (news == 0)
        return STATUS_OK;
    status = record(step, ids, news);
    lane_at(lane, LANE_RECORDED);
    return status;
}
