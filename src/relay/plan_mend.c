// SPDX-License-Identifier: Apache-2.0
// Open slots: which are sent again, which get higher fees, which are given up.
#include "relay/plan.h"

#include <stdio.h>
#include <string.h>

#define REFUSAL_DOUBLINGS_MAX 10

static int64_t resend_ms(const struct plan_limits *limits)
{
    int64_t half = limits->stuck_after_ms / 2;
    return half < PLAN_RESEND_MS_MAX ? half : PLAN_RESEND_MS_MAX;
}

static bool send_is_due(const struct lane_slot *slot, const struct plan_facts *facts)
{
    if (slot->mood.refusals == 0 && slot->mood.send_block > 0 &&
        facts->head.number >= slot->mood.send_block + PLAN_RESEND_BLOCKS)
        return true;
    return facts->now_ms >= slot->mood.send_next_ms;
}

// Only what can help is bumped: the next nonce in line, and whatever the base fee has outgrown.
static bool bump_is_due(const struct lane_slot *slot, const struct fee_pair *fees,
                        const struct plan_facts *facts, const struct plan_limits *limits)
{
    int64_t age = facts->now_ms - slot->mood.attempt_since_ms;
    if (slot->mood.bump_wanted && age >= PLAN_BUMP_PAUSE_MS)
        return true;
    if (age < limits->stuck_after_ms)
        return false;
    if (!fees_cover(fees, &facts->fees))
        return true;
    bool next_in_line = facts->nonce_known && facts->nonce == slot->row.nonce;
    return next_in_line && facts->now_ms - facts->nonce_since_ms >= limits->stuck_after_ms &&
           facts->now_ms - facts->head_since_ms < PLAN_STALL_MS;
}

static struct fee_pair fees_of(const struct lane_attempt *attempt)
{
    return (struct fee_pair){attempt->row.max_fee, attempt->row.max_priority_fee};
}

// Some node may hold the refused bytes after all, so the filler pays enough to replace them; at the
// ceiling it goes out with the same fees.
static struct mend fill(const struct lane_attempt *newest, const struct plan_facts *facts,
                        const struct plan_limits *limits)
{
    struct fee_pair current = fees_of(newest);
    struct mend mend = {.verb = MEND_FILL, .fees = current};
    if (facts->fees_known &&
        !fees_bump(&mend.fees, &current, &facts->fees, (struct wei){0}, &limits->fees))
        mend.fees = current;
    return mend;
}

struct mend plan_mend(const struct lane_slot *slot, const struct plan_facts *facts,
                      const struct plan_limits *limits)
{
    struct mend mend = {.verb = MEND_NOTHING};
    bool used = facts->nonce_known && facts->nonce > slot->row.nonce;
    if (slot->row.state != SLOT_OPEN || used)
        return mend;
    const struct lane_attempt *newest = lane_slot_newest(slot);
    bool room = slot->attempts_count < SLOT_ATTEMPTS_MAX;
    if (slot->mood.fatal && !newest->filler && room && !slot->mood.bump_denied)
        return fill(newest, facts, limits);
    struct fee_pair current = fees_of(newest);
    bool due = room && !slot->mood.bump_denied && facts->fees_known &&
               bump_is_due(slot, &current, facts, limits);
    if (due && fees_bump(&mend.fees, &current, &facts->fees, slot->mood.tip_min, &limits->fees)) {
        mend.verb = MEND_BUMP;
        return mend;
    }
    mend.at_ceiling = due;
    if (send_is_due(slot, facts))
        mend.verb = MEND_SEND;
    return mend;
}

static void taken(struct lane_slot *slot, const struct plan_facts *facts,
                  const struct plan_limits *limits)
{
    slot->mood.refusals = 0;
    slot->mood.bump_wanted = false;
    slot->mood.send_block = facts->head.number;
    slot->mood.send_next_ms = facts->now_ms + resend_ms(limits);
    if (!lane_slot_newest(slot)->filler)
        slot->mood.taken = true;
}

static void back_off(struct lane_slot *slot, const struct plan_facts *facts)
{
    int32_t times =
        slot->mood.refusals < REFUSAL_DOUBLINGS_MAX ? slot->mood.refusals : REFUSAL_DOUBLINGS_MAX;
    int64_t pause = (int64_t)PLAN_REFUSED_MS << times;
    if (pause > PLAN_REFUSED_MS_MAX)
        pause = PLAN_REFUSED_MS_MAX;
    uint64_t jitter = plan_mix(facts->jitter, (uint64_t)slot->row.nonce) % (uint64_t)(pause / 4);
    slot->mood.send_next_ms = facts->now_ms + pause - (int64_t)jitter;
    slot->mood.refusals++;
}

static void ask_for_bump(struct lane_slot *slot, const struct send_result *result)
{
    slot->mood.bump_wanted = true;
    struct wei minimum;
    if (fees_minimum_needed(&minimum, result->message))
        slot->mood.tip_min = minimum;
}

// Refused for good. It gives the nonce up at once only where no node may have taken it: else a copy
// may be out there that other nodes find valid. Where all go on refusing there is none.
static void refused_for_good(struct lane_slot *slot, const struct send_result *result)
{
    bool maybe_taken = slot->mood.taken && slot->mood.refusals < PLAN_FATAL_REFUSALS;
    if (maybe_taken || lane_slot_newest(slot)->filler)
        return;
    slot->mood.fatal = true;
    snprintf(slot->mood.fatal_text, sizeof slot->mood.fatal_text, "%s", result->message);
}

void plan_sent(struct lane_slot *slot, const struct send_result *result,
               const struct plan_facts *facts, const struct plan_limits *limits)
{
    if (result->outcome != SEND_REFUSED) {
        taken(slot, facts, limits);
        return;
    }
    back_off(slot, facts);
    switch (result->rpc_class) {
    case RPC_REPLACEMENT_UNDERPRICED:
    case RPC_UNDERPRICED:
        ask_for_bump(slot, result);
        return;
    case RPC_FATAL:
    case RPC_REVERT:
        refused_for_good(slot, result);
        return;
    case RPC_ALREADY_KNOWN:
    case RPC_UNKNOWN:
        taken(slot, facts, limits);
        return;
    case RPC_NONCE_TOO_LOW:      // look for our receipt: tracking does
    case RPC_NONCE_GAP:          // lower nonces go first: sends are in order
    case RPC_INSUFFICIENT_FUNDS: // the lane waits for gas money
    case RPC_WRONG_CHAIN:        // the node's fault
    case RPC_POOL_FULL:
    case RPC_RATE_LIMITED:
    case RPC_TRANSIENT:
        return;
    }
}

bool plan_stalled(const struct lane_slots *slots, const struct plan_facts *facts)
{
    if (facts->now_ms - facts->head_since_ms < PLAN_STALL_MS)
        return false;
    for (size_t i = 0; i < slots->count; i++) {
        const struct lane_slot *slot = slots->items[i];
        if (slot->row.state == SLOT_OPEN && slot->mood.refusals == 0 &&
            facts->now_ms - slot->mood.attempt_since_ms >= PLAN_STALL_MS)
            return true;
    }
    return false;
}
