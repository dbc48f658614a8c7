// SPDX-License-Identifier: Apache-2.0
// New slots and attempts: each function checks everything first and then writes, so that a
// refusal leaves nothing behind in a group that goes on.
#include "store/job_rows.h"
#include "store/rows.h"
#include "store/slot_rows.h"

#include <stdlib.h>
#include <string.h>

static bool ids_distinct(const int64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (ids[i] == ids[j])
                return false;
    return true;
}

// Every job is queued, or held and due.
static enum status jobs_claimable(struct store_tx *tx, struct slot_jobs *jobs,
                                  const int64_t *job_ids, size_t count)
{
    if (!ids_distinct(job_ids, count))
        return STATUS_CONFLICT;
    for (size_t i = 0; i < count; i++) {
        struct job *job = &jobs->jobs[i];
        enum status status = job_by_id(tx, job, job_ids[i]);
        if (status != STATUS_OK)
            return status == STATUS_NOT_FOUND ? STATUS_CONFLICT : status;
        if (job->state != JOB_QUEUED && !(job->state == JOB_HELD && job->due_ms <= tx->now_ms))
            return STATUS_CONFLICT;
    }
    jobs->count = count;
    return STATUS_OK;
}

static enum status slot_insert(struct store_tx *tx, struct slot *slot)
{
    static const struct db_statement insert = {
        "slot insert",
        "INSERT INTO slots (id, lane_id, nonce, kind, state, block_number, succeeded, gas_used,"
        " gas_price, created_ms) VALUES ($1, $2, $3, $4, $5, 0, 0, 0, '0', $6)"};
    enum status status = tx_new_id(tx, &slot->id, ID_SLOTS);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, slot->id);
    db_bind_int(query, 2, slot->lane_id);
    db_bind_int(query, 3, slot->nonce);
    db_bind_int(query, 4, slot->kind);
    db_bind_int(query, 5, slot->state);
    db_bind_int(query, 6, slot->created_ms);
    return db_execute(query, NULL);
}

static enum status nonce_use(struct store_tx *tx, const struct lane *lane, int64_t nonce)
{
    static const struct db_statement update = {
        "lane next nonce",
        "UPDATE lanes SET next_nonce = $3 + 1 WHERE id = $1 AND epoch = $2 AND next_nonce = $3"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, lane->id);
    db_bind_int(query, 2, lane->epoch);
    db_bind_int(query, 3, nonce);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    return status == STATUS_OK && changes != 1 ? tx_fail(tx, STATUS_CORRUPT) : status;
}

static enum status attempt_insert(struct store_tx *tx, int64_t *ret_id, int64_t slot_id,
                                  const struct attempt *attempt)
{
    static const struct db_statement insert = {
        "attempt insert",
        "INSERT INTO attempts (id, slot_id, state, hash, raw, max_fee, max_priority_fee,"
        " gas_limit, created_ms, sent_ms, sends) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0,"
        " 0)"};
    int64_t id;
    enum status status = tx_new_id(tx, &id, ID_ATTEMPTS);
    if (status != STATUS_OK)
        return status;
    char max_fee[WEI_TEXT_SIZE], priority_fee[WEI_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_int(query, 2, slot_id);
    db_bind_int(query, 3, ATTEMPT_SIGNED);
    db_bind_blob(query, 4, (struct bytes){attempt->hash.bytes, sizeof attempt->hash.bytes});
    db_bind_blob(query, 5, attempt->raw);
    bind_wei(query, 6, max_fee, attempt->max_fee);
    bind_wei(query, 7, priority_fee, attempt->max_priority_fee);
    db_bind_int(query, 8, attempt->gas_limit);
    db_bind_int(query, 9, tx->now_ms);
    status = db_execute(query, NULL);
    if (status == STATUS_OK)
        *ret_id = id;
    return status;
}

static enum status slot_job_insert(struct store_tx *tx, int64_t slot_id, int64_t position,
                                   int64_t job_id)
{
    static const struct db_statement insert = {
        "slot job insert", "INSERT INTO slot_jobs (slot_id, position, job_id) VALUES ($1, $2, $3)"};
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, slot_id);
    db_bind_int(query, 2, position);
    db_bind_int(query, 3, job_id);
    return db_execute(query, NULL);
}

// Held and due goes through queued, so that the timeline tells of both.
static enum status job_claim(struct store_tx *tx, struct job *job, int64_t slot_id)
{
    const struct job_change release = {.cause = "due"};
    const struct job_change claim = {.cause = "claim", .count_try = true};
    if (job->state == JOB_HELD) {
        enum status status = job_row_change(tx, job, JOB_QUEUED, &release, 0);
        if (status != STATUS_OK)
            return status;
        job->state = JOB_QUEUED;
    }
    return job_row_change(tx, job, JOB_ASSIGNED, &claim, slot_id);
}

static enum status jobs_claim(struct store_tx *tx, struct slot_jobs *jobs, int64_t slot_id)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < jobs->count; i++) {
        status = slot_job_insert(tx, slot_id, (int64_t)i, jobs->jobs[i].id);
        if (status == STATUS_OK)
            status = job_claim(tx, &jobs->jobs[i], slot_id);
    }
    return status;
}

static enum status slot_bind(struct store_tx *tx, struct slot *ret_slot,
                             struct attempt *ret_attempt, const struct lane *lane, int64_t nonce,
                             struct slot_jobs *jobs, const struct attempt *attempt)
{
    struct slot slot;
    struct attempt first = *attempt;
    memset(&slot, 0, sizeof slot);
    slot.lane_id = lane->id;
    slot.nonce = nonce;
    slot.kind = jobs->count == 0 ? SLOT_FILLER : SLOT_WORK;
    slot.state = SLOT_OPEN;
    slot.created_ms = tx->now_ms;
    enum status status = nonce_use(tx, lane, nonce);
    if (status == STATUS_OK)
        status = slot_insert(tx, &slot);
    if (status == STATUS_OK)
        status = attempt_insert(tx, &first.id, slot.id, attempt);
    if (status == STATUS_OK)
        status = jobs_claim(tx, jobs, slot.id);
    if (status != STATUS_OK)
        return tx_fail(tx, status); // all or nothing
    first.slot_id = slot.id;
    first.state = ATTEMPT_SIGNED;
    first.created_ms = tx->now_ms;
    *ret_slot = slot;
    *ret_attempt = first;
    return STATUS_OK;
}

enum status slot_assign(struct store_tx *tx, struct slot *ret_slot, struct attempt *ret_attempt,
                        const struct lane *lane, int64_t nonce, const int64_t *job_ids,
                        size_t jobs_count, const struct attempt *attempt)
{
    int64_t next_nonce;
    enum status status = lane_check(tx, &next_nonce, lane);
    if (status != STATUS_OK)
        return status;
    if (nonce != next_nonce)
        return STATUS_CONFLICT;
    if (jobs_count > SLOT_JOBS_MAX)
        return STATUS_LIMIT;
    struct slot_jobs *jobs = slot_jobs_new();
    if (jobs == NULL)
        return tx_fail(tx, STATUS_NO_MEMORY);
    status = jobs_claimable(tx, jobs, job_ids, jobs_count);
    if (status == STATUS_OK)
        status = slot_bind(tx, ret_slot, ret_attempt, lane, nonce, jobs, attempt);
    free(jobs);
    return status;
}

enum status attempt_add(struct store_tx *tx, int64_t *ret_attempt_id, const struct lane *lane,
                        int64_t slot_id, const struct attempt *attempt)
{
    struct slot slot;
    struct slot_jobs *jobs = NULL;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, SLOT_OPEN, SLOT_OPEN);
    free(jobs);
    return status == STATUS_OK ? attempt_insert(tx, ret_attempt_id, slot_id, attempt) : status;
}
