// SPDX-License-Identifier: Apache-2.0
// Judging the unfinished slots: the plan's verdicts, with the evidence they ask for.
#include "relay/lane_state.h"
#include "relay/proof.h"

#include "base/log.h"

static void add_change(struct step *step, enum change_verb verb, struct lane_slot *slot,
                       const struct inclusion *inclusion, struct job_settlement *settlements)
{
    step->changes[step->changes_count++] =
        (struct slot_change){verb, slot, *inclusion, settlements};
}

// ---------------------------------------------------------------- final slots

// What the contract says of the jobs whose ending does not decide, at the final block.
static enum status ask_effects(enum effect *effects, struct step *step,
                               const struct lane_slot *slot, const struct job_ending *endings)
{
    const struct lane_options *options = &step->lane->options;
    const struct job **jobs = arena_alloc_array(step->arena, slot->jobs_count, sizeof *jobs);
    enum effect *answers = arena_alloc_array(step->arena, slot->jobs_count, sizeof *answers);
    if (jobs == NULL || answers == NULL)
        return STATUS_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < slot->jobs_count; i++)
        if (!plan_ending_decides(endings[i].ending))
            jobs[count++] = &slot->jobs[i];
    struct panel panel = lane_panel(step->lane);
    enum status status = panel_effects(answers, &panel, &options->contracts, jobs, count,
                                       step->facts.final_number, step->arena);
    for (size_t i = 0, at = 0; i < slot->jobs_count && status == STATUS_OK; i++)
        if (!plan_ending_decides(endings[i].ending))
            effects[i] = answers[at++];
    return status;
}

// The reverted call, run again where it stood. A node that no longer has that state leaves the
// cause unknown.
static void ask_revert(struct settle_facts *settle, struct step *step,
                       const struct lane_attempt *attempt, const struct inclusion *inclusion)
{
    const struct lane_options *options = &step->lane->options;
    settle->out_of_gas = gas_ran_out(inclusion->gas_used, attempt->row.gas_limit);
    struct chain_call call = {.from = options->address,
                              .to = attempt->to,
                              .data = attempt->data,
                              .gas_limit = attempt->row.gas_limit};
    struct block_id parent = {BLOCK_NUMBER, inclusion->block_number - 1};
    struct call_result result = {0};
    enum status status =
        options->chain->ops->call(options->chain, &result, &call, 1, parent, step->arena);
    if (status != STATUS_OK || result.succeeded || result.rpc_class != RPC_REVERT)
        return;
    settle->revert_known = true;
    settle->revert = revert_decode(result.returned);
}

static bool some_ending(const struct job_ending *endings, size_t count, enum ending ending)
{
    for (size_t i = 0; i < count; i++)
        if (endings[i].ending == ending)
            return true;
    return false;
}

static enum status settle(struct step *step, struct lane_slot *slot, const struct track *track,
                          const struct chain_receipt *receipt)
{
    const struct lane_options *options = &step->lane->options;
    size_t count = slot->jobs_count;
    struct job_ending *endings = arena_alloc_array(step->arena, count, sizeof *endings);
    enum effect *effects = arena_alloc_array(step->arena, count, sizeof *effects);
    struct job_settlement *settlements = arena_alloc_array(step->arena, count, sizeof *settlements);
    if (endings == NULL || effects == NULL || settlements == NULL)
        return STATUS_NO_MEMORY;
    plan_endings(endings, slot, track->attempt, receipt);
    // No answer leaves them unknown: it must not keep the slots behind and new work waiting, since
    // a node without the final block's state never gives one.
    enum status status = ask_effects(effects, step, slot, endings);
    if (status == STATUS_NO_MEMORY)
        return status;
    struct settle_facts *facts = arena_alloc(step->arena, sizeof *facts);
    if (facts == NULL)
        return STATUS_NO_MEMORY;
    *facts = (struct settle_facts){.endings = endings, .effects = effects};
    if (some_ending(endings, count, ENDING_REVERTED))
        ask_revert(facts, step, &slot->attempts[track->attempt], &track->inclusion);
    if (plan_settle(settlements, slot, facts, &options->limits, &step->facts, step->arena)) {
        add_change(step, CHANGE_FINAL, slot, &track->inclusion, settlements);
        return STATUS_OK;
    }
    step->lane->settled = false;
    if (!slot->mood.settle_told)
        log_warn("final, but no node says what became of its jobs; asked again and again",
                 {"slot", LOG_INT(slot->row.id)}, {"block", LOG_INT(step->facts.final_number)});
    slot->mood.settle_told = true;
    return STATUS_OK;
}

// ---------------------------------------------------------------- unresolved slots

static enum status prove(struct step *step, struct lane_slot *slot)
{
    const struct lane_options *options = &step->lane->options;
    slot->mood.proof_next_ms = step->facts.now_ms + LANE_PROOF_MS;
    struct proof proof;
    struct panel panel = lane_panel(step->lane);
    enum status status = proof_seek(&proof, &panel, slot, &options->address, &options->contracts,
                                    step->facts.final_number, step->arena);
    if (status != STATUS_OK || !proof.proven)
        return status; // unproven: asked again
    struct job_settlement *settlements =
        arena_alloc_array(step->arena, slot->jobs_count, sizeof *settlements);
    if (settlements == NULL)
        return STATUS_NO_MEMORY;
    plan_settle_foreign(settlements, slot, proof.effects, &step->facts);
    struct inclusion none = {0};
    add_change(step, CHANGE_FOREIGN, slot, &none, settlements);
    return STATUS_OK;
}

// ---------------------------------------------------------------- gaps

// Nonces below every slot of ours are free again: final blocks were reorganised away, or the key's
// history is another. Nothing of ours can be mined above such a gap, and filling it might put
// something between what was final: that is an operator's decision.
static void tell_gap(struct step *step)
{
    struct relay_lane *lane = step->lane;
    int64_t lowest = lane->slots.count > 0 ? lane->slots.items[0]->row.nonce : lane->row.next_nonce;
    bool gap = lane->nonce_known && lane->nonce < lowest;
    if (gap && !lane->gap_told)
        log_error("nonces below all of ours are free: a final block is gone, or this is another "
                  "chain",
                  {"lane", LOG_BYTES(lane->options.address.bytes, 20)},
                  {"chain_nonce", LOG_INT(lane->nonce)}, {"lowest_of_ours", LOG_INT(lowest)});
    lane->gap_told = gap;
}

// ---------------------------------------------------------------- all slots

static void keep_grace(struct lane_slot *slot, enum track_verdict verdict,
                       const struct plan_facts *facts)
{
    bool free = facts->nonce_known && facts->nonce <= slot->row.nonce;
    if (verdict == TRACK_USED && slot->mood.used_since_ms == 0)
        slot->mood.used_since_ms = facts->now_ms;
    else if (verdict == TRACK_MINED || verdict == TRACK_FINAL || free)
        slot->mood.used_since_ms = 0;
}

static enum status act(struct step *step, struct lane_slot *slot, const struct track *track,
                       const struct chain_receipt *receipts)
{
    struct inclusion none = {0};
    switch (track->verdict) {
    case TRACK_NOTHING:
        break;
    case TRACK_MINED:
        add_change(step, CHANGE_MINED, slot, &track->inclusion, NULL);
        break;
    case TRACK_UNMINED:
        add_change(step, CHANGE_UNMINED, slot, &none, NULL);
        break;
    case TRACK_FINAL:
        return settle(step, slot, track, &receipts[track->attempt]);
    case TRACK_USED:
        break;
    case TRACK_UNRESOLVED:
        add_change(step, CHANGE_UNRESOLVED, slot, &none, NULL);
        break;
    case TRACK_PROVE:
        return prove(step, slot);
    case TRACK_FREED:
        add_change(step, CHANGE_FREED, slot, &none, NULL);
        break;
    }
    return STATUS_OK;
}

// Asked again though the head stands still: what a lagging node may still tell.
static bool is_open_question(const struct lane_slot *slot, const struct plan_facts *facts)
{
    return slot->row.state == SLOT_OPEN && facts->nonce_known && facts->nonce > slot->row.nonce;
}

static enum status judge_all(struct step *step, struct track *tracks)
{
    const struct lane_slots *slots = &step->lane->slots;
    for (size_t i = 0; i < slots->count; i++) {
        tracks[i] = plan_track(slots->items[i], step->receipts[i], &step->facts);
        keep_grace(slots->items[i], tracks[i].verdict, &step->facts);
    }
    enum status status = agree_on_tracks(step, tracks);
    for (size_t i = 0; i < slots->count && status == STATUS_OK; i++)
        status = act(step, slots->items[i], &tracks[i], step->receipts[i]);
    return status;
}

enum status judge_slots(struct step *step)
{
    struct relay_lane *lane = step->lane;
    size_t count = lane->slots.count;
    lane->settled = true;
    tell_gap(step);
    step->changes = arena_alloc_array(step->arena, count, sizeof *step->changes);
    struct track *tracks = arena_alloc_array(step->arena, count, sizeof *tracks);
    if (step->changes == NULL || tracks == NULL)
        return STATUS_NO_MEMORY;
    enum status status = judge_all(step, tracks);
    if (status != STATUS_OK) {
        lane->settled = false;
        return status;
    }
    for (size_t i = 0; i < count; i++)
        if (is_open_question(lane->slots.items[i], &step->facts))
            lane->settled = false;
    if (step->changes_count > 0) {
        lane->settled = false; // mined now may be final at this very head
        lane->again = true;
    }
    return STATUS_OK;
}
