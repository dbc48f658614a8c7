// SPDX-License-Identifier: Apache-2.0
// One witness after the other is asked; all must say the same.
#include "relay/proof.h"

#include <string.h>

struct seeking {
    const struct panel *panel;
    const struct lane_slot *slot;
    const struct address *lane;
    const struct relay_contracts *contracts;
    int64_t final_number;
    struct arena *arena;
    const struct job **jobs;
    enum effect *effects; // what the first witness said
    struct hash32 final_hash;
};

// The nonce is used at the final block, and by none of our hashes.
static enum status nonce_is_foreign(bool *ret_foreign, struct chain *witness,
                                    const struct seeking *seeking)
{
    const struct lane_slot *slot = seeking->slot;
    struct block_id final = {BLOCK_NUMBER, seeking->final_number};
    int64_t nonce;
    enum status status = witness->ops->nonce(witness, &nonce, seeking->lane, final);
    if (status != STATUS_OK)
        return status;
    struct hash32 *hashes = arena_alloc_array(seeking->arena, slot->attempts_count, sizeof *hashes);
    struct chain_receipt *receipts =
        arena_alloc_array(seeking->arena, slot->attempts_count, sizeof *receipts);
    if (hashes == NULL || receipts == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < slot->attempts_count; i++)
        hashes[i] = slot->attempts[i].row.hash;
    status =
        witness->ops->receipts(witness, receipts, hashes, slot->attempts_count, seeking->arena);
    if (status != STATUS_OK)
        return status;
    bool foreign = nonce > slot->row.nonce;
    for (size_t i = 0; i < slot->attempts_count; i++)
        foreign = foreign && !receipts[i].found;
    *ret_foreign = foreign;
    return STATUS_OK;
}

static bool effects_settled(const enum effect *effects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (effects[i] == EFFECT_UNKNOWN)
            return false;
    return true;
}

static enum status final_hash(struct hash32 *ret_hash, bool *ret_found, struct chain *witness,
                              int64_t number)
{
    struct hash32 hash = {0};
    bool found = false;
    enum status status = witness->ops->block_hashes(witness, &hash, &found, &number, 1);
    if (status != STATUS_OK)
        return status;
    *ret_hash = hash;
    *ret_found = found;
    return STATUS_OK;
}

// Each witness by its own head: one that is ahead must not make a block final for the others.
static enum status is_final(bool *ret_final, struct chain *witness, const struct seeking *seeking)
{
    int64_t final;
    enum status status = panel_final(&final, witness, seeking->panel);
    if (status == STATUS_OK)
        *ret_final = seeking->final_number <= final;
    return status;
}

// The block's hash is read first and last: a witness whose chain moved in between does not count.
static enum status ask(bool *ret_agrees, struct chain *witness, struct seeking *seeking, bool first)
{
    struct block_id final = {BLOCK_NUMBER, seeking->final_number};
    size_t count = seeking->slot->jobs_count;
    struct hash32 before = {0}, after = {0};
    bool final_too = false, found = false, found_after = false, foreign = false;
    *ret_agrees = false;
    enum status status = is_final(&final_too, witness, seeking);
    if (status != STATUS_OK || !final_too)
        return status;
    status = final_hash(&before, &found, witness, seeking->final_number);
    if (status != STATUS_OK || !found)
        return status;
    status = nonce_is_foreign(&foreign, witness, seeking);
    if (status != STATUS_OK || !foreign)
        return status;
    enum effect *effects = arena_alloc_array(seeking->arena, count, sizeof *effects);
    if (effects == NULL && count > 0)
        return STATUS_NO_MEMORY;
    status = effects_ask(effects, witness, seeking->contracts, seeking->jobs, count, final,
                         seeking->arena);
    if (status != STATUS_OK || !effects_settled(effects, count))
        return status;
    status = final_hash(&after, &found_after, witness, seeking->final_number);
    if (status != STATUS_OK || !found_after || !hash32_equal(&before, &after))
        return status;
    if (first) {
        seeking->effects = effects;
        seeking->final_hash = after;
    }
    *ret_agrees = hash32_equal(&seeking->final_hash, &after) &&
                  (count == 0 || memcmp(seeking->effects, effects, count * sizeof *effects) == 0);
    return STATUS_OK;
}

enum status proof_seek(struct proof *ret_proof, const struct panel *panel,
                       const struct lane_slot *slot, const struct address *lane,
                       const struct relay_contracts *contracts, int64_t final_number,
                       struct arena *arena)
{
    struct seeking seeking = {.panel = panel,
                              .slot = slot,
                              .lane = lane,
                              .contracts = contracts,
                              .final_number = final_number,
                              .arena = arena};
    seeking.jobs = arena_alloc_array(arena, slot->jobs_count, sizeof *seeking.jobs);
    if (seeking.jobs == NULL && slot->jobs_count > 0)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < slot->jobs_count; i++)
        seeking.jobs[i] = &slot->jobs[i];
    size_t enough = panel->needed < 2 ? panel->count : panel->needed, agreed = 0;
    bool denied = false;
    for (size_t i = 0; i < panel->count && final_number >= 0 && !denied; i++) {
        bool agrees;
        enum status status = ask(&agrees, panel->witnesses[i], &seeking, agreed == 0);
        if (status == STATUS_NO_MEMORY)
            return status;
        agreed += status == STATUS_OK && agrees;
        denied = status == STATUS_OK && !agrees;
    }
    *ret_proof = (struct proof){.proven = !denied && agreed > 0 && agreed >= enough,
                                .effects = seeking.effects};
    return STATUS_OK;
}
