// SPDX-License-Identifier: Apache-2.0
// Slots and attempts: each function checks everything first and then writes, so that a refusal
// leaves nothing behind in a group that goes on.
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

struct slot_jobs {
    struct job jobs[SLOT_JOBS_MAX];
    size_t count;
};

// On the heap: too large for a stack, too rare to keep.
static struct slot_jobs *slot_jobs_new(void)
{
    return calloc(1, sizeof(struct slot_jobs));
}

static enum status slot_jobs_load(struct store_tx *tx, struct slot_jobs *jobs, int64_t slot_id)
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

// Checks the epoch, that the slot is this lane's and in one of two states, and loads its jobs.
static enum status slot_load(struct store_tx *tx, struct slot *ret_slot,
                             struct slot_jobs **ret_jobs, const struct lane *lane, int64_t slot_id,
                             enum slot_state one, enum slot_state other)
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

// Moves every job that is in `from` to `to`; the others stay.
static enum status jobs_move(struct store_tx *tx, const struct slot_jobs *jobs, enum job_state from,
                             enum job_state to, const struct job_change *change)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < jobs->count; i++)
        if (jobs->jobs[i].state == from)
            status = job_row_change(tx, &jobs->jobs[i], to, change, jobs->jobs[i].slot_id);
    return status;
}

static bool jobs_all_in(const struct slot_jobs *jobs, enum job_state state)
{
    for (size_t i = 0; i < jobs->count; i++)
        if (jobs->jobs[i].state != state)
            return false;
    return true;
}

// ---- assigning

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
    return status == STATUS_OK ? jobs_move(tx, jobs, JOB_ASSIGNED, JOB_SENT, &change) : status;
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

static enum status slot_write(struct store_tx *tx, int64_t slot_id, enum slot_state state,
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

static enum status attempt_has_hash(struct store_tx *tx, int64_t slot_id, const struct hash32 *hash)
{
    static const struct db_statement find = {
        "attempt by hash", "SELECT id FROM attempts WHERE slot_id = $1 AND hash = $2"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, slot_id);
    bind_hash(query, 2, hash);
    return db_done(query, db_next(query));
}

// Attempts of the slot: the one with `hash` (NULL: none) takes `state`, those that were mined or
// all of them (everything) take `others`.
static enum status attempts_write(struct store_tx *tx, int64_t slot_id, const struct hash32 *hash,
                                  enum attempt_state state, enum attempt_state others,
                                  bool everything)
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

static enum status mined_write(struct store_tx *tx, const struct slot_jobs *jobs, int64_t slot_id,
                               const struct inclusion *inclusion)
{
    const struct job_change change = {.cause = "receipt"};
    const enum job_state from[] = {JOB_ASSIGNED, JOB_SENT, JOB_UNRESOLVED};
    enum status status = slot_write(tx, slot_id, SLOT_MINED, inclusion);
    if (status == STATUS_OK)
        status = attempts_write(tx, slot_id, &inclusion->transaction_hash, ATTEMPT_MINED,
                                ATTEMPT_SENT, false);
    for (size_t i = 0; status == STATUS_OK && i < sizeof from / sizeof from[0]; i++)
        status = jobs_move(tx, jobs, from[i], JOB_MINED, &change);
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
    enum status status = slot_write(tx, slot_id, SLOT_OPEN, &nowhere);
    if (status == STATUS_OK)
        status = attempts_write(tx, slot_id, NULL, ATTEMPT_SENT, ATTEMPT_SENT, false);
    if (status == STATUS_OK)
        status = jobs_move(tx, jobs, JOB_MINED, JOB_SENT, &change);
    if (status == STATUS_OK)
        status = jobs_move(tx, jobs, JOB_UNRESOLVED, JOB_SENT, &change);
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
    if (slot.state == SLOT_OPEN && (jobs->count == 0 || !jobs_all_in(jobs, JOB_UNRESOLVED)))
        status = STATUS_CONFLICT;
    else
        status = unmined_write(tx, jobs, slot_id);
    free(jobs);
    return status;
}

// ---- ends

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
    if (jobs->count != count || !jobs_all_in(jobs, state))
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

static enum status final_write(struct store_tx *tx, const struct slot *slot,
                               const struct slot_jobs *jobs,
                               const struct job_settlement *settlements, size_t count)
{
    enum status status = slot_write(tx, slot->id, SLOT_FINAL, &slot->inclusion);
    if (status == STATUS_OK)
        status = attempts_write(tx, slot->id, &slot->inclusion.transaction_hash, ATTEMPT_MINED,
                                ATTEMPT_REPLACED, true);
    if (status == STATUS_OK)
        status = jobs_settle(tx, jobs, settlements, count);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

enum status slot_final(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                       const struct job_settlement *settlements, size_t count)
{
    struct slot slot;
    struct slot_jobs *jobs;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, SLOT_MINED, SLOT_MINED);
    if (status != STATUS_OK)
        return status;
    status = settlements_fit(jobs, JOB_MINED, settlements, count)
                 ? final_write(tx, &slot, jobs, settlements, count)
                 : STATUS_CONFLICT;
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
    status = jobs_move(tx, jobs, JOB_ASSIGNED, JOB_UNRESOLVED, &change);
    if (status == STATUS_OK)
        status = jobs_move(tx, jobs, JOB_SENT, JOB_UNRESOLVED, &change);
    free(jobs);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

static enum status foreign_write(struct store_tx *tx, const struct slot *slot,
                                 const struct slot_jobs *jobs,
                                 const struct job_settlement *settlements, size_t count)
{
    enum status status = slot_write(tx, slot->id, SLOT_FOREIGN, &slot->inclusion);
    if (status == STATUS_OK)
        status = attempts_write(tx, slot->id, NULL, ATTEMPT_DROPPED, ATTEMPT_DROPPED, true);
    if (status == STATUS_OK)
        status = jobs_settle(tx, jobs, settlements, count);
    return status == STATUS_OK ? status : tx_fail(tx, status);
}

enum status slot_foreign(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                         const struct job_settlement *settlements, size_t count)
{
    struct slot slot;
    struct slot_jobs *jobs;
    enum status status = slot_load(tx, &slot, &jobs, lane, slot_id, SLOT_OPEN, SLOT_OPEN);
    if (status != STATUS_OK)
        return status;
    status = settlements_fit(jobs, JOB_UNRESOLVED, settlements, count)
                 ? foreign_write(tx, &slot, jobs, settlements, count)
                 : STATUS_CONFLICT;
    free(jobs);
    return status;
}
