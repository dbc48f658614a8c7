// SPDX-License-Identifier: Apache-2.0
// Slots, attempts and a slot's jobs as rows.
#include "store/job_rows.h"
#include "store/rows.h"
#include "store/slot_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(SLOT_OPEN == 1 && SLOT_MINED == 2, "see slots_unfinished below and in migrations");

#define SLOT_COLUMNS                                                                               \
    "id, lane_id, nonce, kind, state, transaction_hash, block_hash, block_number, succeeded,"      \
    " gas_used, gas_price, created_ms"

// ---- reading

static void slot_read(struct slot *slot, struct db_query *query)
{
    slot->id = db_int(query, "id");
    slot->lane_id = db_int(query, "lane_id");
    slot->nonce = db_int(query, "nonce");
    if (!slot_kind_from_number(&slot->kind, db_int(query, "kind")) ||
        !slot_state_from_number(&slot->state, db_int(query, "state")))
        db_fault(query);
    row_hash(query, "transaction_hash", &slot->inclusion.transaction_hash);
    row_hash(query, "block_hash", &slot->inclusion.block_hash);
    slot->inclusion.block_number = db_int(query, "block_number");
    slot->inclusion.succeeded = db_int(query, "succeeded") != 0;
    slot->inclusion.gas_used = db_int(query, "gas_used");
    slot->inclusion.gas_price = row_wei(query, "gas_price");
    slot->created_ms = db_int(query, "created_ms");
}

enum status slot_row_by_id(struct store_tx *tx, struct slot *ret_slot, int64_t slot_id)
{
    static const struct db_statement find = {"slot find",
                                             "SELECT " SLOT_COLUMNS " FROM slots WHERE id = $1"};
    struct slot slot;
    memset(&slot, 0, sizeof slot);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, slot_id);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        slot_read(&slot, query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_slot = slot;
    return status;
}

static enum status attempt_read(struct attempt *attempt, struct db_query *query,
                                struct arena *arena)
{
    attempt->id = db_int(query, "id");
    attempt->slot_id = db_int(query, "slot_id");
    if (!attempt_state_from_number(&attempt->state, db_int(query, "state")))
        db_fault(query);
    row_hash(query, "hash", &attempt->hash);
    struct bytes raw = db_blob(query, "raw");
    attempt->max_fee = row_wei(query, "max_fee");
    attempt->max_priority_fee = row_wei(query, "max_priority_fee");
    attempt->gas_limit = db_int(query, "gas_limit");
    attempt->created_ms = db_int(query, "created_ms");
    attempt->sent_ms = db_int(query, "sent_ms");
    attempt->sends = (int32_t)db_int(query, "sends");
    attempt->raw = (struct bytes){arena_copy(arena, raw), raw.size};
    return attempt->raw.data == NULL && raw.size > 0 ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status attempt_rows(struct store_tx *tx, struct attempt **ret_attempts, size_t *ret_count,
                         int64_t slot_id, struct arena *arena)
{
    static const struct db_statement find = {
        "attempts of a slot", "SELECT id, slot_id, state, hash, raw, max_fee, max_priority_fee,"
                              " gas_limit, created_ms, sent_ms, sends FROM attempts"
                              " WHERE slot_id = $1 ORDER BY id"};
    struct tx_list list = {0};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, slot_id);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct attempt *attempt = tx_list_add(&list, arena, sizeof *attempt);
        status = attempt == NULL ? STATUS_NO_MEMORY : attempt_read(attempt, query, arena);
        if (status != STATUS_OK)
            break;
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_attempts = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}

// The jobs the slot's transactions carry, in their order.
static struct db_query *slot_jobs_query(struct store_tx *tx, int64_t slot_id)
{
    static const struct db_statement find = {
        "jobs of a slot", "SELECT " JOB_COLUMNS " FROM slot_jobs JOIN jobs"
                          " ON jobs.id = slot_jobs.job_id WHERE slot_jobs.slot_id = $1"
                          " ORDER BY slot_jobs.position"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, slot_id);
    return query;
}

static enum status slots_read(struct store_tx *tx, struct tx_list *list, const struct lane *lane,
                              struct arena *arena)
{
    static const struct db_statement find = {"slots unfinished",
                                             "SELECT " SLOT_COLUMNS " FROM slots WHERE lane_id = $1"
                                             " AND state IN (1, 2) ORDER BY nonce"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, lane->id);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct slot_row *row = tx_list_add(list, arena, sizeof *row);
        if (row == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        slot_read(&row->slot, query);
    }
    return db_done_list(query, status);
}

enum status slots_unfinished(struct store_tx *tx, struct slot_row **ret_slots, size_t *ret_count,
                             const struct lane *lane, struct arena *arena)
{
    struct tx_list list = {0};
    enum status status = slots_read(tx, &list, lane, arena);
    struct slot_row *rows = list.items;
    for (size_t i = 0; status == STATUS_OK && i < list.count; i++) {
        status =
            attempt_rows(tx, &rows[i].attempts, &rows[i].attempts_count, rows[i].slot.id, arena);
        if (status == STATUS_OK)
            status = job_rows_collect(&rows[i].jobs, &rows[i].jobs_count,
                                      slot_jobs_query(tx, rows[i].slot.id), arena);
    }
    if (status != STATUS_OK)
        return status;
    *ret_slots = rows;
    *ret_count = list.count;
    return STATUS_OK;
}

// ---- the jobs of one slot while it is changed

struct slot_jobs *slot_jobs_new(void)
{
    return calloc(1, sizeof(struct slot_jobs));
}

enum status slot_jobs_load(struct store_tx *tx, struct slot_jobs *jobs, int64_t slot_id)
{
    struct db_query *query = slot_jobs_query(tx, slot_id);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        if (jobs->count == SLOT_JOBS_MAX) {
            db_fault(query);
            break;
        }
        job_row_read(&jobs->jobs[jobs->count++], query);
    }
    return db_done_list(query, status);
}

enum status slot_load(struct store_tx *tx, struct slot *ret_slot, struct slot_jobs **ret_jobs,
                      const struct lane *lane, int64_t slot_id, enum slot_state one,
                      enum slot_state other)
{
    struct slot slot;
    enum status status = lane_check(tx, NULL, lane);
    if (status == STATUS_OK)
        status = slot_row_by_id(tx, &slot, slot_id);
    if (status != STATUS_OK)
        return status;
    if (slot.lane_id != lane->id)
        return STATUS_NOT_FOUND;
    if (slot.state != one && slot.state != other)
        return STATUS_CONFLICT;
    struct slot_jobs *jobs = slot_jobs_new();
    if (jobs == NULL)
        return tx_fail(tx, STATUS_NO_MEMORY);
    status = slot_jobs_load(tx, jobs, slot_id);
    if (status != STATUS_OK) {
        free(jobs);
        return status;
    }
    *ret_slot = slot;
    *ret_jobs = jobs;
    return STATUS_OK;
}

enum status slot_jobs_move(struct store_tx *tx, const struct slot_jobs *jobs, enum job_state from,
                           enum job_state to, const struct job_change *change)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < jobs->count; i++)
        if (jobs->jobs[i].state == from)
            status = job_row_change(tx, &jobs->jobs[i], to, change, jobs->jobs[i].slot_id);
    return status;
}

bool slot_jobs_all_in(const struct slot_jobs *jobs, enum job_state state)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->jobs[i].state != state)
            return false;
    return true;
}

// ---- writing

enum status slot_row_write(struct store_tx *tx, int64_t slot_id, enum slot_state state,
                           const struct inclusion *inclusion)
{
    static const struct db_statement update = {
        "slot change",
        "UPDATE slots SET state = $2, transaction_hash = $3, block_hash = $4, block_number = $5,"
        " succeeded = $6, gas_used = $7, gas_price = $8 WHERE id = $1"};
    char gas_price[WEI_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, slot_id);
    db_bind_int(query, 2, state);
    bind_hash(query, 3, &inclusion->transaction_hash);
    bind_hash(query, 4, &inclusion->block_hash);
    db_bind_int(query, 5, inclusion->block_number);
    db_bind_int(query, 6, inclusion->succeeded);
    db_bind_int(query, 7, inclusion->gas_used);
    bind_wei(query, 8, gas_price, inclusion->gas_price);
    return db_execute(query, NULL);
}

enum status attempt_rows_write(struct store_tx *tx, int64_t slot_id, const struct hash32 *hash,
                               enum attempt_state state, enum attempt_state others, bool everything)
{
    static const struct db_statement update = {
        "attempts change", "UPDATE attempts SET state = CASE WHEN hash = $2 THEN $3 ELSE $4 END"
                           " WHERE slot_id = $1 AND (hash = $2 OR state = 3 OR $5 = 1)"};
    static_assert(ATTEMPT_MINED == 3, "see the statement above");
    const uint8_t none = 0; // no hash is one byte long
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, slot_id);
    db_bind_blob(query, 2,
                 hash != NULL ? (struct bytes){hash->bytes, sizeof hash->bytes}
                              : (struct bytes){&none, sizeof none});
    db_bind_int(query, 3, state);
    db_bind_int(query, 4, others);
    db_bind_int(query, 5, everything);
    return db_execute(query, NULL);
}
