// SPDX-License-Identifier: Apache-2.0
// Slots on their way: sent, mined, unmined, unresolved. All is checked first and then written, so
// that a refusal leaves nothing behind in a group that goes on.
#include "store/job_rows.h"
#include "store/rows.h"
#include "store/slot_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// ---- sending

static enum status attempt_slot(struct store_tx *tx, int64_t *ret_slot_id, const struct lane *lane,
                                int64_t attempt_id)
{
    static const struct db_statement find = {
        "slot of an attempt", "SELECT slot_id FROM attempts JOIN slots ON slots.id = slot_id"
                              " WHERE attempts.id = $1 AND slots.lane_id = $2"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, attempt_id);
    db_bind_int(query, 2, lane->id);
    int64_t slot_id = 0;
    enum status status = db_next(query);
    if (status == STATUS_OK)
        slot_id = db_int(query, "slot_id");
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_slot_id = slot_id;
    return status;
}

static enum status attempt_note_sent(struct store_tx *tx, int64_t attempt_id)
{
    static const struct db_statement update = {
        "attempt sent", "UPDATE attempts SET sent_ms = $2, sends = sends + 1,"
                        " state = CASE WHEN state = 1 THEN 2 ELSE state END WHERE id = $1"};
    static_assert(ATTEMPT_SIGNED == 1 && ATTEMPT_SENT == 2, "see the statement above");
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, attempt_id);
    db_bind_int(query, 2, tx->now_ms);
    return db_execute(query, NULL);
}

static enum status slot_note_sent(struct store_tx *tx, struct slot_jobs *jobs, int64_t slot_id)
{
    const struct job_change change = {.cause = "send"};
    jobs->count = 0;
    enum status status = slot_jobs_load(tx, jobs, slot_id);
    // A job that a retry has given another slot is none of this one's business.
    size_t kept = 0;
    for (size_t i = 0; status == STATUS_OK && i < jobs->count; i++)
        if (jobs->jobs[i].slot_id == slot_id)
            jobs->jobs[kept++] = jobs->jobs[i];
    jobs->count = kept;
    return status == STATUS_OK ? slot_jobs_move(tx, jobs, JOB_ASSIGNED, JOB_SENT, &change) : status;
}

static enum status attempts_note_sent(struct store_tx *tx, struct slot_jobs *jobs,
                                      const struct lane *lane, const int64_t *attempt_ids,
                                      size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        int64_t slot_id;
        status = attempt_note_sent(tx, attempt_ids[i]);
        if (status == STATUS_OK)
            status = attempt_slot(tx, &slot_id, lane, attempt_ids[i]);
        if (status == STATUS_OK)
            status = slot_note_sent(tx, jobs, slot_id);
    }
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

enum status attempts_sent(struct store_tx *tx, const struct lane *lane, const int64_t *attempt_ids,
                          size_t count)
{
    int64_t slot_id;
    enum status status = lane_check(tx, NULL, lane);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = attempt_slot(tx, &slot_id, lane, attempt_ids[i]);
    if (status != STATUS_OK)
        return status;
    struct slot_jobs *jobs = slot_jobs_new();
    if (jobs == NULL)
        return tx_fail(tx, STATUS_NO_MEMORY);
    status = attempts_note_sent(tx, jobs, lane, attempt_ids, count);
    free(jobs);
    return status;
}

// ---- blocks

static enum status attempt_has_hash(struct store_tx *tx, int64_t slot_id, const struct hash32 *hash)
{
    static const struct db_statement find = {
        "attempt by hash", "SELECT id FROM attempts WHERE slot_id = $1 AND hash = $2"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, slot_id);
    bind_hash(query, 2, hash);
    return db_done(query, db_next(query));
}

static enum status mined_write(struct store_tx *tx, const struct slot_jobs *jobs, int64_t slot_id,
                               const struct inclusion *inclusion)
{
    const struct job_change change = {.cause = "receipt"};
    const enum job_state from[] = {JOB_ASSIGNED, JOB_SENT, JOB_UNRESOLVED};
    enum status status = slot_row_write(tx, slot_id, SLOT_MINED, inclusion);
    if (status == STATUS_OK)
        status = attempt_rows_write(tx, slot_id, &inclusion->transaction_hash, ATTEMPT_MINED,
                                    ATTEMPT_SENT, false);
    for (size_t i = 0; status == STATUS_OK && i < sizeof from / sizeof from[0]; i++)
        status = slot_jobs_move(tx, jobs, from[i], JOB_MINED, &change);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

enum status slot_mined(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                       const struct inclusion *inclusion)
{
    struct slot slot;
    struct slot_jobs *jobs;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, SLOT_OPEN, SLOT_MINED);
    if (status != STATUS_OK)
        return status;
    status = attempt_has_hash(tx, slot_id, &inclusion->transaction_hash);
    if (status == STATUS_OK)
        status = mined_write(tx, jobs, slot_id, inclusion);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_CONFLICT;
    free(jobs);
    return status;
}

static enum status unmined_write(struct store_tx *tx, const struct slot_jobs *jobs, int64_t slot_id)
{
    const struct job_change change = {.cause = "reorganisation"};
    struct inclusion nowhere;
    memset(&nowhere, 0, sizeof nowhere);
    enum status status = slot_row_write(tx, slot_id, SLOT_OPEN, &nowhere);
    if (status == STATUS_OK)
        status = attempt_rows_write(tx, slot_id, NULL, ATTEMPT_SENT, ATTEMPT_SENT, false);
    if (status == STATUS_OK)
        status = slot_jobs_move(tx, jobs, JOB_MINED, JOB_SENT, &change);
    if (status == STATUS_OK)
        status = slot_jobs_move(tx, jobs, JOB_UNRESOLVED, JOB_SENT, &change);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

enum status slot_unmined(struct store_tx *tx, const struct lane *lane, int64_t slot_id)
{
    struct slot slot;
    struct slot_jobs *jobs;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, SLOT_MINED, SLOT_OPEN);
    if (status != STATUS_OK)
        return status;
    // An open slot has something to take back only where its jobs are unresolved.
    if (slot.state == SLOT_OPEN && (jobs->count == 0 || !slot_jobs_all_in(jobs, JOB_UNRESOLVED)))
        status = STATUS_CONFLICT;
    else
        status = unmined_write(tx, jobs, slot_id);
    free(jobs);
    return status;
}

enum status slot_unresolved(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                            const char *why)
{
    const struct job_change change = {.cause = "nonce used elsewhere", .why = why};
    struct slot slot;
    struct slot_jobs *jobs;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, SLOT_OPEN, SLOT_OPEN);
    if (status != STATUS_OK)
        return status;
    status = slot_jobs_move(tx, jobs, JOB_ASSIGNED, JOB_UNRESOLVED, &change);
    if (status == STATUS_OK)
        status = slot_jobs_move(tx, jobs, JOB_SENT, JOB_UNRESOLVED, &change);
    free(jobs);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}
