// SPDX-License-Identifier: Apache-2.0
// What becomes of the jobs of a final slot.
#include "relay/plan.h"

#include <string.h>

// ---------------------------------------------------------------- how it ended

static void note_payout(struct job_ending *ending, const struct contract_event *event)
{
    switch (event->kind) {
    case EVENT_AFFILIATE_PAID:
        // The other half of a hybrid payout may be owed: that is the stronger word.
        if (ending->ending != ENDING_OWED)
            ending->ending = ENDING_DONE;
        return;
    case EVENT_PAYOUT_OWED:
        ending->ending = ENDING_OWED;
        return;
    case EVENT_PAYOUT_SKIPPED:
        ending->ending = ENDING_SKIPPED;
        ending->cause = revert_cause_of_selector(event->reason);
        return;
    case EVENT_OTHER:
    case EVENT_REFERRAL_REGISTERED:
    case EVENT_REFERRAL_SKIPPED:
    case EVENT_IDENTITY_MINTED:
        return;
    }
}

static void note_referral(struct job_ending *ending, const struct contract_event *event,
                          const struct job *job)
{
    if (!address_equal(&event->referral.referrer, &job->referrer))
        return;
    if (event->kind == EVENT_REFERRAL_REGISTERED) {
        ending->ending = ENDING_DONE;
    } else if (event->kind == EVENT_REFERRAL_SKIPPED) {
        ending->ending = ENDING_SKIPPED;
        ending->cause = revert_cause_of_selector(event->reason);
    }
}

static void note(struct job_ending *ending, const struct contract_event *event,
                 const struct job *job)
{
    if (job_kind_is_payout(job->kind)) {
        if (hash32_equal(&event->payout.payout_id, &job->payout_id))
            note_payout(ending, event);
    } else if (job->kind == JOB_REGISTER_REFERRAL) {
        if (address_equal(&event->referral.child, &job->child))
            note_referral(ending, event, job);
    } else if (event->kind == EVENT_IDENTITY_MINTED && address_equal(&event->wallet, &job->child)) {
        ending->ending = ENDING_DONE;
    }
}

void plan_endings(struct job_ending *ret_endings, const struct lane_slot *slot, size_t attempt,
                  const struct chain_receipt *receipt)
{
    enum ending start = ENDING_NOTHING;
    if (slot->attempts[attempt].filler)
        start = ENDING_FILLED;
    else if (!receipt->succeeded)
        start = ENDING_REVERTED;
    for (size_t i = 0; i < slot->jobs_count; i++)
        ret_endings[i] = (struct job_ending){start, REVERT_UNKNOWN};
    if (start != ENDING_NOTHING)
        return;
    // Events stand in the order of the batch, but a payout may have two or none: each looks for its
    // job from where the last one was found, once around.
    size_t at = 0;
    for (size_t log = 0; log < receipt->logs_count; log++) {
        // Of the contract it called, which the settings may have replaced since.
        if (!address_equal(&receipt->logs[log].address, &slot->attempts[attempt].to))
            continue;
        struct contract_event event = event_decode(&receipt->logs[log]);
        for (size_t step = 0; event.kind != EVENT_OTHER && step < slot->jobs_count; step++) {
            size_t i = (at + step) % slot->jobs_count;
            struct job_ending before = ret_endings[i];
            note(&ret_endings[i], &event, &slot->jobs[i]);
            if (memcmp(&before, &ret_endings[i], sizeof before) != 0) {
                at = i;
                break;
            }
        }
    }
}

bool plan_ending_decides(enum ending ending)
{
    return ending == ENDING_DONE || ending == ENDING_OWED;
}

// ---------------------------------------------------------------- what follows

bool plan_cause_passes(enum revert_cause cause)
{
    switch (cause) {
    case REVERT_PAUSED:
    case REVERT_DAILY_CAP:
    case REVERT_FUNDS:
    case REVERT_UNAUTHORIZED:
    case REVERT_BLACKLISTED:  // the next try goes in the form that books it as owed
    case REVERT_ALREADY_PAID: // the effect view decides; where it says no, a reorganisation did it
    case REVERT_ALREADY_MINTED:
        return true;
    case REVERT_UNKNOWN:
    case REVERT_EMPTY:
    case REVERT_ALREADY_REFERRED:
    case REVERT_PAYOUT_CAP:
    case REVERT_REFUSED:
    case REVERT_PANIC:
    case REVERT_MESSAGE:
        return false;
    }
    return false;
}

static struct job_settlement confirm(const struct job *job, enum job_outcome outcome,
                                     const char *why)
{
    return (struct job_settlement){
        .job_id = job->id,
        .next = JOB_CONFIRMED,
        .change = {.cause = "final", .why = why, .outcome = outcome},
    };
}

static struct job_settlement park(const struct job *job, const char *cause, const char *why)
{
    return (struct job_settlement){
        .job_id = job->id,
        .next = JOB_PARKED,
        .change = {.cause = cause, .why = why},
    };
}

struct settle_context {
    const struct plan_limits *limits;
    const struct plan_facts *facts;
    struct arena *arena;
};

// Back to the queue, unless its tries are used up.
static struct job_settlement retry(const struct job *job, const char *cause, const char *why,
                                   const struct settle_context *context)
{
    if (job->tries >= context->limits->tries_max) {
        char *text = arena_printf(context->arena, "tries used up; last: %s", why);
        return park(job, cause, text != NULL ? text : why);
    }
    uint64_t jitter = plan_mix(context->facts->jitter, (uint64_t)job->id);
    int64_t delay = plan_retry_delay_ms(context->limits, job->tries, jitter);
    return (struct job_settlement){
        .job_id = job->id,
        .next = JOB_QUEUED,
        .change = {.cause = cause, .why = why, .due_ms = context->facts->wall_ms + delay},
    };
}

static struct job_settlement after_skip(const struct job *job, enum revert_cause cause,
                                        const struct settle_context *context)
{
    char *printed =
        arena_printf(context->arena, "passed over by the batch: %s", revert_cause_text(cause));
    const char *why = printed != NULL ? printed : revert_cause_text(cause);
    // A reason we do not know may be the batch's; the job's own call tells.
    if (plan_cause_passes(cause) || cause == REVERT_UNKNOWN || cause == REVERT_EMPTY)
        return retry(job, "skipped", why, context);
    return park(job, "skipped", why);
}

static struct job_settlement after_revert(const struct job *job, size_t jobs_count,
                                          const struct settle_facts *settle,
                                          const struct settle_context *context)
{
    if (settle->out_of_gas && jobs_count == 1 && job->tries >= PLAN_GAS_TRIES_MAX)
        return park(job, "out_of_gas", "it ran out of gas again, with half as much more");
    if (settle->out_of_gas)
        return retry(job, "out_of_gas", "the transaction ran out of gas", context);
    if (!settle->revert_known)
        return retry(job, "reverted", "the transaction reverted; the cause could not be read",
                     context);
    char *why = arena_printf(context->arena, "%s", settle->revert.text);
    const char *text = why != NULL ? why : revert_cause_text(settle->revert.cause);
    // What reverts a batch as a whole is not the fault of each of its jobs: they go on alone.
    if (jobs_count > 1 || plan_cause_passes(settle->revert.cause))
        return retry(job, "reverted", text, context);
    return park(job, "reverted", text);
}

static struct job_settlement after_filler(const struct lane_slot *slot, const struct job *job,
                                          const struct settle_context *context)
{
    const char *why = "the nodes refused the transaction for good; its nonce was given up";
    if (slot->mood.fatal_text[0] != '\0') {
        char *text = arena_printf(context->arena, "refused for good: %s", slot->mood.fatal_text);
        why = text != NULL ? text : why;
    }
    if (job->tries >= PLAN_FATAL_TRIES_MAX)
        return park(job, "refused", why);
    return retry(job, "refused", why, context);
}

static struct job_settlement without_effect(const struct lane_slot *slot, size_t index,
                                            const struct settle_facts *settle,
                                            const struct settle_context *context)
{
    const struct job *job = &slot->jobs[index];
    switch (settle->endings[index].ending) {
    case ENDING_SKIPPED:
        return after_skip(job, settle->endings[index].cause, context);
    case ENDING_REVERTED:
        return after_revert(job, slot->jobs_count, settle, context);
    case ENDING_FILLED:
        return after_filler(slot, job, context);
    case ENDING_NOTHING:
    case ENDING_DONE:
    case ENDING_OWED:
        break;
    }
    return park(job, "no_event", "the transaction succeeded without the event it should have");
}

bool plan_settle(struct job_settlement *ret_settlements, const struct lane_slot *slot,
                 const struct settle_facts *settle, const struct plan_limits *limits,
                 const struct plan_facts *facts, struct arena *arena)
{
    struct settle_context context = {limits, facts, arena};
    for (size_t i = 0; i < slot->jobs_count; i++)
        if (!plan_ending_decides(settle->endings[i].ending) && settle->effects[i] == EFFECT_UNKNOWN)
            return false;
    for (size_t i = 0; i < slot->jobs_count; i++) {
        const struct job *job = &slot->jobs[i];
        enum ending ending = settle->endings[i].ending;
        if (ending == ENDING_DONE)
            ret_settlements[i] = confirm(job, JOB_OUTCOME_DONE, NULL);
        else if (ending == ENDING_OWED)
            ret_settlements[i] = confirm(job, JOB_OUTCOME_OWED,
                                         "the token refused the transfer; "
                                         "the contract owes it");
        else if (settle->effects[i] == EFFECT_PRESENT)
            ret_settlements[i] = confirm(job, JOB_OUTCOME_ALREADY, "the chain had it already");
        else if (settle->effects[i] == EFFECT_OTHER)
            ret_settlements[i] = park(job, "already_referred", "the child has another referrer");
        else
            ret_settlements[i] = without_effect(slot, i, settle, &context);
    }
    return true;
}

void plan_settle_foreign(struct job_settlement *ret_settlements, const struct lane_slot *slot,
                         const enum effect *effects, const struct plan_facts *facts)
{
    for (size_t i = 0; i < slot->jobs_count; i++) {
        const struct job *job = &slot->jobs[i];
        ret_settlements[i] = confirm(job, JOB_OUTCOME_ALREADY, "proven done at a final block");
        if (effects[i] == EFFECT_PRESENT)
            continue;
        ret_settlements[i] = (struct job_settlement){
            .job_id = job->id,
            .next = JOB_QUEUED,
            .change = {.cause = "foreign_nonce",
                       .why = "a foreign transaction used the nonce; proven not done",
                       .due_ms = facts->wall_ms},
        };
    }
}
