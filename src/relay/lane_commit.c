// SPDX-License-Identifier: Apache-2.0
// The one write transaction of a step, and then the same changes in memory.
//
// The lease is renewed first: where it is gone nothing of the step is written, and nothing that was
// signed in it is ever sent.
#include "relay/lane_state.h"

#include "relay/relay_metrics.h"

#include "base/log.h"

#include <string.h>

struct step_work {
    struct store_work work;
    struct step *step;
};

// ---------------------------------------------------------------- writing

static enum status write_change(struct store_tx *tx, const struct lane *row,
                                const struct slot_change *change)
{
    const struct lane_slot *slot = change->slot;
    switch (change->verb) {
    case CHANGE_MINED:
        return slot_mined(tx, row, slot->row.id, &change->inclusion);
    case CHANGE_UNMINED:
        return slot_unmined(tx, row, slot->row.id);
    case CHANGE_FINAL:
        return slot_final(tx, row, slot->row.id, change->settlements, slot->jobs_count);
    case CHANGE_UNRESOLVED:
        return slot_unresolved(tx, row, slot->row.id,
                               "our nonce is used and no hash of ours is known");
    case CHANGE_FREED:
        // A filler has no jobs to take back.
        return slot->jobs_count == 0 ? STATUS_OK : slot_unmined(tx, row, slot->row.id);
    case CHANGE_FOREIGN:
        return slot_foreign(tx, row, slot->row.id, change->settlements, slot->jobs_count);
    }
    return STATUS_OK;
}

static enum status write_job(struct store_tx *tx, const struct job_action *action)
{
    switch (action->verb) {
    case JOB_VERB_CONFIRM:
        return job_set_state(tx, action->job_id, JOB_QUEUED, JOB_CONFIRMED, &action->change);
    case JOB_VERB_PARK:
        return job_set_state(tx, action->job_id, JOB_QUEUED, JOB_PARKED, &action->change);
    case JOB_VERB_POSTPONE:
        return job_postpone(tx, action->job_id, action->change.due_ms, action->change.why);
    case JOB_VERB_TRY_LATER:
        return job_try_later(tx, action->job_id, action->change.due_ms, action->change.why);
    }
    return STATUS_OK;
}

// A job that was cancelled or taken meanwhile is no failure: it is simply not ours to change.
static enum status unless_gone(enum status status)
{
    return status == STATUS_CONFLICT || status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

// The hold window of these has passed.
static enum status release_held(struct store_tx *tx, const struct step *step)
{
    struct job_change change = {.cause = "window"};
    for (size_t i = 0; i < step->due_count; i++) {
        if (step->due[i].state != JOB_HELD)
            continue;
        enum status status =
            unless_gone(job_set_state(tx, step->due[i].id, JOB_HELD, JOB_QUEUED, &change));
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool is_held_for(const struct step *step, enum job_kind kind, const char *reason)
{
    for (size_t i = 0; i < step->holds_count; i++)
        if (step->holds[i].kind == kind && strcmp(step->holds[i].reason, reason) == 0)
            return true;
    return false;
}

static enum status write_hold(struct store_tx *tx, const struct step *step, enum job_kind kind,
                              const char *reason, bool held, const char *why)
{
    if (is_held_for(step, kind, reason) == held)
        return STATUS_OK;
    bool changed = false;
    const char *text = why != NULL ? why : reason;
    enum status status =
        held ? hold_set(tx, &changed, kind, reason, text) : hold_clear(tx, &changed, kind, reason);
    if (status == STATUS_OK && changed)
        relay_metrics_hold(kind, reason, held, text);
    return status;
}

// Of the reasons the preflight knows, the one it names stands and the others go.
static enum status write_preflight_holds(struct store_tx *tx, const struct step *step)
{
    for (size_t i = 0; i < step->assignment.holds_count; i++) {
        const struct hold_action *hold = &step->assignment.holds[i];
        for (const char *const *reason = plan_hold_reasons; *reason != NULL; reason++) {
            bool held = hold->set != NULL && strcmp(hold->set, *reason) == 0;
            enum status status = write_hold(tx, step, hold->kind, *reason, held, hold->why);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}

static enum status write_lane_holds(struct store_tx *tx, const struct step *step)
{
    if (!step->lane_hold_known)
        return STATUS_OK;
    for (int kind = JOB_REGISTER_REFERRAL; kind <= JOB_PAYOUT_HYBRID; kind++) {
        enum status status = write_hold(
            tx, step, (enum job_kind)kind, "gas_money", step->gas_hold,
            step->gas_text != NULL ? step->gas_text : "the relayer's wallets lack gas money");
        if (status == STATUS_OK)
            status = write_hold(tx, step, (enum job_kind)kind, "fee_ceiling", step->fee_hold,
                                "the chain's fees are above MAX_FEE_PER_GAS_GWEI");
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// Kinds that an operator has paused, as this transaction sees it: who was told "paused" sees
// nothing assigned afterwards, however long this step has waited for the chain. Bits 1 << enum
// job_kind.
static enum status read_paused(struct store_tx *tx, const struct step *step, unsigned *ret_kinds)
{
    struct hold *holds;
    size_t count;
    unsigned kinds = 0;
    enum status status = holds_list(tx, &holds, &count, step->arena);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        if (strcmp(holds[i].reason, "paused") == 0)
            kinds |= 1u << (unsigned)holds[i].kind;
    if (status == STATUS_OK)
        *ret_kinds = kinds;
    return status;
}

static bool is_paused(const struct signing *signing, unsigned kinds)
{
    for (size_t i = 0; signing->group != NULL && i < signing->group->count; i++)
        if ((kinds & 1u << (unsigned)signing->group->jobs[i]->kind) != 0)
            return true;
    return false;
}

static enum status write_new_slot(struct store_tx *tx, struct step *step, struct signing *signing)
{
    int64_t ids[PLAN_BATCH_MAX];
    size_t count = signing->group != NULL ? signing->group->count : 0;
    for (size_t i = 0; i < count; i++)
        ids[i] = signing->group->jobs[i]->id;
    return slot_assign(tx, &signing->new_slot, &signing->attempt, &step->lane->row, signing->nonce,
                       ids, count, &signing->attempt);
}

// A job that was cancelled or paused since it was read makes its slot impossible, and with it the
// nonces behind: nothing of those is written, and their bytes are forgotten unsent.
static enum status write_signings(struct store_tx *tx, struct step *step)
{
    bool broken = false;
    unsigned paused = 0;
    enum status read = step->signings_count > 0 ? read_paused(tx, step, &paused) : STATUS_OK;
    if (read != STATUS_OK)
        return read;
    for (size_t i = 0; i < step->signings_count; i++) {
        struct signing *signing = &step->signings[i];
        signing->written = false;
        broken = broken || (signing->slot == NULL && is_paused(signing, paused));
        if (signing->slot == NULL && broken)
            continue;
        enum status status = signing->slot != NULL
                                 ? attempt_add(tx, &signing->attempt.id, &step->lane->row,
                                               signing->slot->row.id, &signing->attempt)
                                 : write_new_slot(tx, step, signing);
        signing->written = status == STATUS_OK;
        broken = broken || (signing->slot == NULL && status == STATUS_CONFLICT);
        if (status != STATUS_OK && status != STATUS_CONFLICT)
            return status;
    }
    step->lane->again = step->lane->again || broken;
    return STATUS_OK;
}

static enum status write_all(struct store_tx *tx, struct step *step)
{
    const struct lane *row = &step->lane->row;
    enum status status = lane_renew(tx, row, LANE_LEASE_MS);
    for (size_t i = 0; i < step->changes_count && status == STATUS_OK; i++)
        status = write_change(tx, row, &step->changes[i]);
    if (status == STATUS_OK)
        status = release_held(tx, step);
    for (size_t i = 0; i < step->assignment.actions_count && status == STATUS_OK; i++)
        status = unless_gone(write_job(tx, &step->assignment.actions[i]));
    if (status == STATUS_OK)
        status = write_preflight_holds(tx, step);
    if (status == STATUS_OK)
        status = write_lane_holds(tx, step);
    if (status == STATUS_OK)
        status = write_signings(tx, step);
    return status;
}

// What the store refuses is this lane's alone and undoes nobody else's work. Refused for the lease,
// nothing was written; refused for a state, what stands before it was, and all of it is read again.
static enum status write_step(struct store_tx *tx, struct step *step)
{
    enum status status = write_all(tx, step);
    step->denied = status == STATUS_DENIED;
    step->stale = status == STATUS_CONFLICT || status == STATUS_NOT_FOUND;
    return step->denied || step->stale ? STATUS_OK : status;
}

static enum status run(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = write_step(tx, ((struct step_work *)(void *)works[i])->step);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// ---------------------------------------------------------------- memory

static void set_jobs(struct lane_slot *slot, enum job_state state)
{
    for (size_t i = 0; i < slot->jobs_count; i++)
        slot->jobs[i].state = state;
}

static void remember_change(struct relay_lane *lane, const struct slot_change *change)
{
    struct lane_slot *slot = change->slot;
    switch (change->verb) {
    case CHANGE_MINED:
        slot->row.state = SLOT_MINED;
        slot->row.inclusion = change->inclusion;
        slot->mood.unresolved = false;
        set_jobs(slot, JOB_MINED);
        return;
    case CHANGE_UNMINED:
        slot->row.state = SLOT_OPEN;
        slot->mood.send_next_ms = 0;
        set_jobs(slot, JOB_SENT);
        return;
    case CHANGE_UNRESOLVED:
        slot->mood.unresolved = true;
        set_jobs(slot, JOB_UNRESOLVED);
        return;
    case CHANGE_FREED:
        slot->mood.unresolved = false;
        slot->mood.send_next_ms = 0;
        set_jobs(slot, JOB_SENT);
        return;
    case CHANGE_FOREIGN:
        lane->foreign_at_ms = clock_monotonic_ms(lane->options.clock);
        lane_slots_remove(&lane->slots, slot->row.id);
        return;
    case CHANGE_FINAL:
        lane_slots_remove(&lane->slots, slot->row.id);
        return;
    }
}

static enum status remember_new_slot(struct relay_lane *lane, const struct signing *signing,
                                     struct arena *arena, int64_t now_ms)
{
    size_t count = signing->group != NULL ? signing->group->count : 0;
    struct attempt attempt = signing->attempt;
    struct slot_row row = {.slot = signing->new_slot, .attempts = &attempt, .attempts_count = 1};
    row.jobs = arena_alloc_array(arena, count, sizeof *row.jobs);
    if (row.jobs == NULL)
        return STATUS_NO_MEMORY;
    row.jobs_count = count;
    for (size_t i = 0; i < count; i++) {
        row.jobs[i] = *signing->group->jobs[i];
        row.jobs[i].state = JOB_ASSIGNED;
        row.jobs[i].slot_id = signing->new_slot.id;
        row.jobs[i].tries++;
    }
    struct lane_slot *slot;
    enum status status = lane_slot_new(&slot, &row, &lane->options.address);
    if (status != STATUS_OK)
        return status;
    slot->mood.attempt_since_ms = now_ms;
    status = lane_slots_insert(&lane->slots, slot);
    if (status != STATUS_OK) {
        lane_slot_free(slot);
        return status;
    }
    lane->row.next_nonce = signing->nonce + 1;
    return STATUS_OK;
}

static enum status remember_signing(struct step *step, const struct signing *signing)
{
    struct relay_lane *lane = step->lane;
    if (!signing->written)
        return STATUS_OK;
    if (signing->slot == NULL)
        return remember_new_slot(lane, signing, step->arena, step->facts.now_ms);
    signing->slot->mood.attempt_since_ms = step->facts.now_ms;
    signing->slot->mood.send_next_ms = 0;
    relay_metrics_bump();
    return lane_slot_add_attempt(signing->slot, &signing->attempt, &lane->options.address);
}

static enum status remember(struct step *step)
{
    struct relay_lane *lane = step->lane;
    for (size_t i = 0; i < step->changes_count; i++) {
        relay_metrics_change(&step->changes[i], step->facts.wall_ms);
        remember_change(lane, &step->changes[i]);
    }
    for (size_t i = 0; i < step->assignment.actions_count; i++)
        relay_metrics_action(&step->assignment.actions[i]);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < step->signings_count && status == STATUS_OK; i++)
        status = remember_signing(step, &step->signings[i]);
    return status;
}

// ---------------------------------------------------------------- the step

static bool has_released(const struct step *step)
{
    for (size_t i = 0; i < step->due_count; i++)
        if (step->due[i].state == JOB_HELD)
            return true;
    return false;
}

static bool lane_hold_changes(const struct step *step)
{
    return step->lane_hold_known &&
           (is_held_for(step, JOB_PAYOUT_USDC, "gas_money") != step->gas_hold ||
            is_held_for(step, JOB_PAYOUT_USDC, "fee_ceiling") != step->fee_hold);
}

static bool preflight_holds_change(const struct step *step)
{
    for (size_t i = 0; i < step->assignment.holds_count; i++) {
        const struct hold_action *hold = &step->assignment.holds[i];
        for (const char *const *reason = plan_hold_reasons; *reason != NULL; reason++)
            if (is_held_for(step, hold->kind, *reason) !=
                (hold->set != NULL && strcmp(hold->set, *reason) == 0))
                return true;
    }
    return false;
}

static bool is_empty(const struct step *step)
{
    return step->changes_count == 0 && step->signings_count == 0 &&
           step->assignment.actions_count == 0 && !has_released(step) && !lane_hold_changes(step) &&
           !preflight_holds_change(step) && step->facts.now_ms < step->lane->renew_at_ms;
}

enum status commit_step(struct step *step)
{
    static const struct store_work_kind kind = {"lane step", run};
    struct relay_lane *lane = step->lane;
    if (is_empty(step))
        return STATUS_OK;
    struct step_work work = {.work = {.kind = &kind}, .step = step};
    enum status status = store_write(lane->options.store, &work.work);
    if (status != STATUS_OK)
        return status;
    if (step->denied)
        log_warn("lease lost: another relayer holds this lane",
                 {"lane", LOG_BYTES(lane->options.address.bytes, 20)});
    if (step->stale)
        log_warn("memory and store differ; reading the lane again",
                 {"lane", LOG_BYTES(lane->options.address.bytes, 20)});
    lane->renew_at_ms = step->facts.now_ms + LANE_LEASE_MS / 3;
    // All of it is durable: what cannot be kept in memory is read again.
    if (step->denied || step->stale || remember(step) != STATUS_OK) {
        step->stale = true;
        lane_forget(lane);
    }
    return STATUS_OK;
}
