// SPDX-License-Identifier: Apache-2.0
// What became of a slot: receipts and canonical blocks in, one verdict out.
#include "relay/plan.h"

// A receipt counts only for the very transaction we signed, in a block that is canonical.
static bool receipt_counts(const struct chain_receipt *receipt, const struct lane_attempt *attempt,
                           const struct plan_facts *facts)
{
    if (!receipt->found || !hash32_equal(&receipt->transaction_hash, &attempt->row.hash) ||
        !address_equal(&receipt->to, &attempt->to))
        return false;
    const struct block_fact *block = plan_block(facts, receipt->block_number);
    return block != NULL && block->found && hash32_equal(&block->hash, &receipt->block_hash);
}

static struct track of_receipt(const struct lane_slot *slot, size_t attempt,
                               const struct chain_receipt *receipt, const struct plan_facts *facts)
{
    struct track track = {.verdict = TRACK_MINED,
                          .attempt = attempt,
                          .inclusion = {.transaction_hash = receipt->transaction_hash,
                                        .block_hash = receipt->block_hash,
                                        .block_number = receipt->block_number,
                                        .succeeded = receipt->succeeded,
                                        .gas_used = receipt->gas_used,
                                        .gas_price = receipt->gas_price}};
    const struct inclusion *known = &slot->row.inclusion;
    if (slot->row.state == SLOT_MINED && hash32_equal(&known->block_hash, &receipt->block_hash) &&
        hash32_equal(&known->transaction_hash, &receipt->transaction_hash))
        track.verdict = receipt->block_number <= facts->final_number ? TRACK_FINAL : TRACK_NOTHING;
    return track;
}

// No receipt of a mined slot counts. A missing one alone says nothing; another canonical block at
// its height does.
static enum track_verdict of_mined(const struct lane_slot *slot, const struct plan_facts *facts)
{
    const struct block_fact *block = plan_block(facts, slot->row.inclusion.block_number);
    if (block == NULL || !block->found)
        return TRACK_NOTHING;
    return hash32_equal(&block->hash, &slot->row.inclusion.block_hash) ? TRACK_NOTHING
                                                                       : TRACK_UNMINED;
}

// A receipt that a node has but that does not count yet keeps the question open.
static bool all_absent(const struct lane_slot *slot, const struct chain_receipt *receipts)
{
    for (size_t i = 0; i < slot->attempts_count; i++)
        if (receipts[i].found)
            return false;
    return true;
}

static enum track_verdict of_open(const struct lane_slot *slot,
                                  const struct chain_receipt *receipts,
                                  const struct plan_facts *facts)
{
    if (!facts->nonce_known)
        return TRACK_NOTHING;
    if (facts->nonce <= slot->row.nonce)
        return slot->mood.unresolved ? TRACK_FREED : TRACK_NOTHING;
    if (receipts == NULL || !all_absent(slot, receipts))
        return TRACK_NOTHING;
    if (slot->mood.unresolved)
        return facts->now_ms >= slot->mood.proof_next_ms ? TRACK_PROVE : TRACK_NOTHING;
    if (slot->mood.used_since_ms != 0 &&
        facts->now_ms - slot->mood.used_since_ms >= PLAN_FOREIGN_GRACE_MS)
        return TRACK_UNRESOLVED;
    return TRACK_USED;
}

struct track plan_track(const struct lane_slot *slot, const struct chain_receipt *receipts,
                        const struct plan_facts *facts)
{
    for (size_t i = 0; receipts != NULL && i < slot->attempts_count; i++)
        if (receipt_counts(&receipts[i], &slot->attempts[i], facts))
            return of_receipt(slot, i, &receipts[i], facts);
    struct track track = {.verdict = slot->row.state == SLOT_MINED
                                         ? of_mined(slot, facts)
                                         : of_open(slot, receipts, facts)};
    return track;
}
