// SPDX-License-Identifier: Apache-2.0
// Jobs as rows: adding, the one door for a change of state, reading one, the due list.
#include "store/job_rows.h"
#include "store/netting.h"
#include "store/rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The partial indexes and the queries that use them have these numbers in their text.
static_assert(JOB_QUEUED == 1 && JOB_HELD == 2 && JOB_CONFIRMED == 7, "see migrations");

void job_row_read(struct job *job, struct db_query *query)
{
    job->id = db_int(query, "id");
    if (!job_kind_from_number(&job->kind, db_int(query, "kind")) ||
        !job_state_from_number(&job->state, db_int(query, "state")) ||
        !job_outcome_from_number(&job->outcome, db_int(query, "outcome")))
        db_fault(query);
    job->program_id = db_int(query, "program_id");
    job->payment_id = db_int(query, "payment_id");
    row_hash(query, "payout_id", &job->payout_id);
    row_address(query, "child", &job->child);
    row_address(query, "referrer", &job->referrer);
    job->usdc = row_usdc(query, "usdc");
    job->sge = row_sge(query, "sge");
    job->netted_usdc = row_usdc(query, "netted_usdc");
    job->netted_sge = row_sge(query, "netted_sge");
    job->slot_id = db_int(query, "slot_id");
    job->due_ms = db_int(query, "due_ms");
    job->tries = (int32_t)db_int(query, "tries");
    job->created_ms = db_int(query, "created_ms");
    job->updated_ms = db_int(query, "updated_ms");
    db_fill(query, "trace", job->trace.bytes, sizeof job->trace.bytes);
    db_copy(query, "reason", job->reason, sizeof job->reason);
}

enum status job_rows_collect(struct job **ret_jobs, size_t *ret_count, struct db_query *query,
                             struct arena *arena)
{
    struct tx_list list = {0};
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct job *job = tx_list_add(&list, arena, sizeof *job);
        if (job == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        job_row_read(job, query);
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_jobs = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}

static void job_bind(struct db_query *query, const struct job *job, int64_t previous_id,
                     char texts[2][SGE_TEXT_SIZE])
{
    db_bind_int(query, 1, job->id);
    db_bind_int(query, 2, job->kind);
    db_bind_int(query, 3, job->state);
    db_bind_int(query, 4, job->outcome);
    db_bind_int(query, 5, job->program_id);
    db_bind_int(query, 6, job->payment_id);
    bind_hash(query, 7, &job->payout_id);
    bind_address(query, 8, &job->child);
    bind_address(query, 9, &job->referrer);
    bind_usdc(query, 10, job->usdc);
    bind_sge(query, 11, texts[0], job->sge);
    db_bind_int(query, 12, job->due_ms);
    db_bind_int(query, 13, previous_id);
    db_bind_int(query, 14, job->created_ms);
    bind_trace(query, 15, job->trace.bytes);
    db_bind_text(query, 16, job->reason);
    bind_usdc(query, 17, job->netted_usdc);
    bind_sge(query, 18, texts[1], job->netted_sge);
}

enum status job_row_insert(struct store_tx *tx, struct job *job)
{
    static const struct db_statement insert = {
        "job insert",
        "INSERT INTO jobs (id, kind, state, outcome, program_id, payment_id, payout_id, child,"
        " referrer, usdc, sge, slot_id, due_ms, tries, first_sent_ms, referrer_previous_id,"
        " created_ms, updated_ms, trace, reason, netted_usdc, netted_sge) VALUES ($1, $2, $3, $4,"
        " $5, $6, $7, $8, $9, $10, $11, 0, $12, 0, 0, $13, $14, $14, $15, $16, $17, $18)"};
    job->created_ms = job->updated_ms = tx->now_ms;
    job->slot_id = 0;
    job->tries = 0;
    int64_t previous_id;
    enum status status = tx_new_id(tx, &job->id, ID_JOBS);
    if (status == STATUS_OK)
        status = totals_job_added(tx, &previous_id, job);
    if (status != STATUS_OK)
        return status;
    tx->wake = true;
    char texts[2][SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &insert);
    job_bind(query, job, previous_id, texts);
    return db_execute(query, NULL);
}

enum status job_row_amounts(struct store_tx *tx, const struct job *job, enum job_kind before)
{
    static const struct db_statement update = {
        "job amounts", "UPDATE jobs SET kind = $2, usdc = $3, sge = $4, netted_usdc = $5,"
                       " netted_sge = $6 WHERE id = $1 AND state = 9"};
    static_assert(JOB_CANCELLED == 9, "see the statement above");
    char texts[2][SGE_TEXT_SIZE];
    totals_kind_changed(tx, before, job->kind, JOB_CANCELLED);
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, job->id);
    db_bind_int(query, 2, job->kind);
    bind_usdc(query, 3, job->usdc);
    bind_sge(query, 4, texts[0], job->sge);
    bind_usdc(query, 5, job->netted_usdc);
    bind_sge(query, 6, texts[1], job->netted_sge);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    return status == STATUS_OK && changes != 1 ? tx_fail(tx, STATUS_CORRUPT) : status;
}

enum status job_by_id(struct store_tx *tx, struct job *ret_job, int64_t job_id)
{
    static const struct db_statement find = {"job find",
                                             "SELECT " JOB_COLUMNS " FROM jobs WHERE id = $1"};
    struct job job;
    memset(&job, 0, sizeof job);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, job_id);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        job_row_read(&job, query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_job = job;
    return status;
}

// Cuts text to what job.reason holds, never inside a UTF-8 sequence.
static void reason_copy(char out[JOB_REASON_SIZE], const char *text)
{
    size_t length = strnlen(text, JOB_REASON_SIZE);
    if (length == JOB_REASON_SIZE) {
        length = JOB_REASON_SIZE - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    memcpy(out, text, length);
    out[length] = '\0';
}

static enum status history_append(struct store_tx *tx, const struct job *before,
                                  enum job_state next, const char *cause, const char *why)
{
    static const struct db_statement insert = {
        "history insert", "INSERT INTO history (id, job_id, from_state, to_state, cause, why,"
                          " trace, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
    int64_t id;
    enum status status = tx_new_id(tx, &id, ID_HISTORY);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_int(query, 2, before->id);
    db_bind_int(query, 3, before->state);
    db_bind_int(query, 4, next);
    db_bind_text(query, 5, cause);
    db_bind_text(query, 6, why);
    bind_trace(query, 7, before->trace.bytes);
    db_bind_int(query, 8, tx->now_ms);
    return db_execute(query, NULL);
}

static enum status job_write(struct store_tx *tx, const struct job *after, bool *ret_sent_before)
{
    static const struct db_statement sent = {"job first sent",
                                             "SELECT first_sent_ms FROM jobs WHERE id = $1"};
    static const struct db_statement update = {
        "job change",
        "UPDATE jobs SET state = $2, outcome = $3, slot_id = $4, due_ms = $5, tries = $6,"
        " updated_ms = $7, reason = $8, first_sent_ms = CASE WHEN $2 = 4 AND first_sent_ms = 0"
        " THEN $7 ELSE first_sent_ms END WHERE id = $1"};
    static_assert(JOB_SENT == 4, "see the statement above");
    struct db_query *query = tx_query(tx, &sent);
    db_bind_int(query, 1, after->id);
    enum status status = db_next(query);
    bool sent_before = status == STATUS_OK && db_int(query, "first_sent_ms") != 0;
    status = db_done(query, status);
    if (status != STATUS_OK)
        return status;
    query = tx_query(tx, &update);
    db_bind_int(query, 1, after->id);
    db_bind_int(query, 2, after->state);
    db_bind_int(query, 3, after->outcome);
    db_bind_int(query, 4, after->slot_id);
    db_bind_int(query, 5, after->due_ms);
    db_bind_int(query, 6, after->tries);
    db_bind_int(query, 7, after->updated_ms);
    db_bind_text(query, 8, after->reason);
    *ret_sent_before = sent_before;
    return db_execute(query, NULL);
}

static void require_allowed(enum job_state from, enum job_state to)
{
    if (job_change_is_allowed(from, to))
        return;
    fprintf(stderr, "store: a job may not go from %s to %s\n", job_state_text(from),
            job_state_text(to));
    abort();
}

static struct job job_after(const struct store_tx *tx, const struct job *before,
                            enum job_state next, const struct job_change *change, int64_t slot_id)
{
    struct job after = *before;
    after.state = next;
    if (change->outcome != JOB_OUTCOME_NONE)
        after.outcome = change->outcome;
    after.slot_id = slot_id;
    after.due_ms = change->due_ms != 0 ? change->due_ms : tx->now_ms;
    after.tries += change->count_try ? 1 : 0;
    after.updated_ms = tx->now_ms;
    reason_copy(after.reason,
                change->why != NULL ? change->why : job_change_why(before->state, next));
    return after;
}

enum status job_row_change(struct store_tx *tx, const struct job *job, enum job_state next,
                           const struct job_change *change, int64_t slot_id)
{
    tx_require_writable(tx);
    require_allowed(job->state, next);
    struct job after = job_after(tx, job, next, change, slot_id);
    bool sent_before;
    enum status status = job_write(tx, &after, &sent_before);
    if (status == STATUS_OK)
        status = totals_job_changed(tx, job, after.state, after.outcome);
    if (status == STATUS_OK)
        status =
            history_append(tx, job, next, change->cause != NULL ? change->cause : "", after.reason);
    if (status == STATUS_OK)
        status = outbox_job_changed(tx, job, next, sent_before);
    if (status == STATUS_OK && next == JOB_CANCELLED)
        status = netting_undo(tx, job);
    if (next == JOB_QUEUED || next == JOB_HELD)
        tx->wake = true;
    return status;
}

enum status job_set_state(struct store_tx *tx, int64_t job_id, enum job_state expected,
                          enum job_state next, const struct job_change *change)
{
    tx_require_writable(tx);
    require_allowed(expected, next);
    struct job job;
    enum status status = job_by_id(tx, &job, job_id);
    if (status != STATUS_OK)
        return status;
    if (job.state != expected)
        return STATUS_CONFLICT;
    // A job that waits again is bound to no slot; slot_jobs still knows the old one.
    int64_t slot_id = next == JOB_QUEUED || next == JOB_HELD ? 0 : job.slot_id;
    return job_row_change(tx, &job, next, change, slot_id);
}

static enum status postpone(struct store_tx *tx, int64_t job_id, int64_t due_ms, const char *why,
                            int64_t tries)
{
    static const struct db_statement update = {
        "job postpone", "UPDATE jobs SET due_ms = $2, reason = $3, updated_ms = $4,"
                        " tries = tries + $5 WHERE id = $1 AND state IN (1, 2)"};
    tx_require_writable(tx);
    char reason[JOB_REASON_SIZE];
    reason_copy(reason, why);
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, job_id);
    db_bind_int(query, 2, due_ms);
    db_bind_text(query, 3, reason);
    db_bind_int(query, 4, tx->now_ms);
    db_bind_int(query, 5, tries);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    return status == STATUS_OK && changes == 0 ? STATUS_CONFLICT : status;
}

enum status job_postpone(struct store_tx *tx, int64_t job_id, int64_t due_ms, const char *why)
{
    return postpone(tx, job_id, due_ms, why, 0);
}

enum status job_try_later(struct store_tx *tx, int64_t job_id, int64_t due_ms, const char *why)
{
    return postpone(tx, job_id, due_ms, why, 1);
}

enum status jobs_due(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count, int64_t now_ms,
                     unsigned kinds, size_t limit, struct arena *arena)
{
    static const struct db_statement due = {
        "jobs due", "SELECT " JOB_COLUMNS " FROM jobs WHERE state IN (1, 2) AND due_ms <= $1"
                    " AND ((1 << kind) & $2) <> 0 ORDER BY due_ms, id LIMIT $3"};
    struct db_query *query = tx_query(tx, &due);
    db_bind_int(query, 1, now_ms);
    db_bind_int(query, 2, kinds);
    db_bind_int(query, 3, (int64_t)limit);
    return job_rows_collect(ret_jobs, ret_count, query, arena);
}

enum status jobs_next_due_ms(struct store_tx *tx, int64_t *ret_due_ms, unsigned kinds)
{
    static const struct db_statement next = {
        "jobs next due", "SELECT due_ms FROM jobs WHERE state IN (1, 2)"
                         " AND ((1 << kind) & $1) <> 0 ORDER BY due_ms, id LIMIT 1"};
    struct db_query *query = tx_query(tx, &next);
    db_bind_int(query, 1, kinds);
    int64_t due_ms = INT64_MAX;
    enum status status = db_next(query);
    if (status == STATUS_OK)
        due_ms = db_int(query, "due_ms");
    status = db_done_list(query, status);
    if (status == STATUS_OK)
        *ret_due_ms = due_ms;
    return status;
}
