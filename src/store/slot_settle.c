// SPDX-License-Identifier: Apache-2.0
// The end of a slot and of its jobs. All is checked first and then written, so that a
// refusal leaves nothing behind in a group that goes on.
#include "store/job_rows.h"
#include "store/rows.h"
#include "store/slot_rows.h"

#include <stdlib.h>

static const struct job_settlement *settlement_of(const struct job_settlement *settlements,
                                                  size_t count, int64_t job_id)
{
    for (size_t i = 0; i < count; i++)
        if (settlements[i].job_id == job_id)
            return &settlements[i];
    return NULL;
}

// Every job of the slot is in `state` and has one settlement that may follow; nothing else is
// settled.
static bool settlements_fit(const struct slot_jobs *jobs, enum job_state state,
                            const struct job_settlement *settlements, size_t count)
{
    if (jobs->count != count || !slot_jobs_all_in(jobs, state))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct job_settlement *settlement =
            settlement_of(settlements, count, jobs->jobs[i].id);
        if (settlement == NULL || !job_change_is_allowed(state, settlement->next) ||
            (settlement->next != JOB_CONFIRMED && settlement->next != JOB_QUEUED &&
             settlement->next != JOB_PARKED))
            return false;
    }
    return true;
}

static enum status job_settle(struct store_tx *tx, const struct job *job,
                              const struct job_settlement *settlement)
{
    bool cancelled = false;
    enum status status = STATUS_OK;
    if (settlement->next != JOB_CONFIRMED)
        status = refund_unpaid(tx, &cancelled, job, &settlement->change);
    if (status != STATUS_OK || cancelled)
        return status;
    return job_row_change(tx, job, settlement->next, &settlement->change,
                          settlement->next == JOB_QUEUED ? 0 : job->slot_id);
}

static enum status jobs_settle(struct store_tx *tx, const struct slot_jobs *jobs,
                               const struct job_settlement *settlements, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < jobs->count; i++) {
        const struct job *job = &jobs->jobs[i];
        const struct job_settlement *settlement = settlement_of(settlements, count, job->id);
        if (settlement != NULL)
            status = job_settle(tx, job, settlement);
    }
    return status;
}

// How a slot ends: from which state, in which, and what its jobs were and its attempts become.
struct slot_end {
    enum slot_state from, to;
    enum job_state jobs;
    bool carried; // one attempt is on chain for good
    enum attempt_state others;
};

static enum status end_write(struct store_tx *tx, const struct slot *slot,
                             const struct slot_end *end, const struct slot_jobs *jobs,
                             const struct job_settlement *settlements, size_t count)
{
    const struct hash32 *carrier = end->carried ? &slot->inclusion.transaction_hash : NULL;
    enum status status = slot_row_write(tx, slot->id, end->to, &slot->inclusion);
    if (status == STATUS_OK)
        status = attempt_rows_write(tx, slot->id, carrier, ATTEMPT_MINED, end->others, true);
    if (status == STATUS_OK)
        status = jobs_settle(tx, jobs, settlements, count);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

static enum status slot_end(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                            const struct slot_end *end, const struct job_settlement *settlements,
                            size_t count)
{
    struct slot slot;
    struct slot_jobs *jobs;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, end->from, end->from);
    if (status != STATUS_OK)
        return status;
    status = settlements_fit(jobs, end->jobs, settlements, count)
                 ? end_write(tx, &slot, end, jobs, settlements, count)
                 : STATUS_CONFLICT;
    free(jobs);
    return status;
}

enum status slot_final(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                       const struct job_settlement *settlements, size_t count)
{
    static const struct slot_end end = {SLOT_MINED, SLOT_FINAL, JOB_MINED, true, ATTEMPT_REPLACED};
    return slot_end(tx, lane, slot_id, &end, settlements, count);
}

enum status slot_foreign(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                         const struct job_settlement *settlements, size_t count)
{
    static const struct slot_end end = {SLOT_OPEN, SLOT_FOREIGN, JOB_UNRESOLVED, false,
                                        ATTEMPT_DROPPED};
    return slot_end(tx, lane, slot_id, &end, settlements, count);
}
