// SPDX-License-Identifier: Apache-2.0
// Outbound webhooks: written with the change they tell of, handed out until delivered or given up.
#include "store/outbox.h"

#include "store/job_rows.h"
#include "store/rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// outbox.state on disk. Rows are kept: their ids must never be given twice.
enum outbox_state { OUTBOX_WAITING = 1, OUTBOX_DELIVERED = 2, OUTBOX_DEAD = 3 };

static_assert(OUTBOX_WAITING == 1, "see outbox_due in migrations and the queries below");

static const char *message_type(const struct job *before, enum job_state next, bool sent_before)
{
    if (before->kind == JOB_REGISTER_REFERRAL)
        return next == JOB_CONFIRMED ? "referral.registered" : NULL;
    if (!job_kind_is_payout(before->kind))
        return NULL;
    if (next == JOB_SENT && before->state == JOB_MINED)
        return "payout.reorged";
    if (next == JOB_SENT)
        return sent_before ? NULL : "payout.sent";
    if (next == JOB_CONFIRMED)
        return "payout.confirmed";
    return next == JOB_PARKED ? "payout.parked" : NULL;
}

enum status outbox_job_changed(struct store_tx *tx, const struct job *before, enum job_state next,
                               bool sent_before)
{
    static const struct db_statement insert = {
        "outbox insert", "INSERT INTO outbox (id, type, job_id, state, due_ms, tries, created_ms,"
                         " why) VALUES ($1, $2, $3, $4, $5, 0, $5, '')"};
    const char *type = message_type(before, next, sent_before);
    int64_t id;
    if (!tx->options->outbox || type == NULL)
        return STATUS_OK;
    enum status status = tx_new_id(tx, &id, ID_OUTBOX);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_text(query, 2, type);
    db_bind_int(query, 3, before->id);
    db_bind_int(query, 4, OUTBOX_WAITING);
    db_bind_int(query, 5, tx->now_ms);
    return db_execute(query, NULL);
}

static void message_read(struct outbox_message *message, struct db_query *query)
{
    message->id = db_int(query, "message_id");
    snprintf(message->webhook_id, sizeof message->webhook_id, "msg_%016" PRIx64,
             (uint64_t)message->id);
    db_copy(query, "type", message->type, sizeof message->type);
    message->created_ms = db_int(query, "message_created_ms");
    message->tries = (int32_t)db_int(query, "message_tries");
    job_row_read(&message->job, query);
    message->inclusion.known = !db_is_null(query, "transaction_hash");
    if (!message->inclusion.known)
        return;
    row_hash(query, "transaction_hash", &message->inclusion.transaction_hash);
    message->inclusion.block_number = db_int(query, "block_number");
}

enum status outbox_due(struct store_tx *tx, struct outbox_message **ret_messages, size_t *ret_count,
                       int64_t now_ms, size_t limit, struct arena *arena)
{
    static const struct db_statement due = {
        "outbox due", "SELECT outbox.id AS message_id, outbox.type AS type,"
                      " outbox.created_ms AS message_created_ms, outbox.tries AS message_tries,"
                      " slots.transaction_hash AS transaction_hash,"
                      " slots.block_number AS block_number, " JOB_COLUMNS
                      " FROM outbox JOIN jobs ON jobs.id = outbox.job_id"
                      " LEFT JOIN slots ON slots.id = jobs.slot_id"
                      " WHERE outbox.state = 1 AND outbox.due_ms <= $1"
                      " ORDER BY outbox.due_ms, outbox.id LIMIT $2"};
    struct tx_list list = {0};
    struct db_query *query = tx_query(tx, &due);
    db_bind_int(query, 1, now_ms);
    db_bind_int(query, 2, (int64_t)limit);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct outbox_message *message = tx_list_add(&list, arena, sizeof *message);
        if (message == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        message_read(message, query);
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_messages = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}

enum status outbox_next_due_ms(struct store_tx *tx, int64_t *ret_due_ms)
{
    static const struct db_statement next = {
        "outbox next due", "SELECT due_ms FROM outbox WHERE state = 1 ORDER BY due_ms, id LIMIT 1"};
    struct db_query *query = tx_query(tx, &next);
    int64_t due_ms = INT64_MAX;
    enum status status = db_next(query);
    if (status == STATUS_OK)
        due_ms = db_int(query, "due_ms");
    status = db_done_list(query, status);
    if (status == STATUS_OK)
        *ret_due_ms = due_ms;
    return status;
}

// STATUS_CONFLICT where the message is not waiting.
static enum status message_change(struct store_tx *tx, int64_t message_id, enum outbox_state state,
                                  int64_t due_ms, int failures, const char *why)
{
    static const struct db_statement update = {
        "outbox change", "UPDATE outbox SET state = $2, due_ms = $3, tries = tries + $4, why = $5"
                         " WHERE id = $1 AND state = 1"};
    tx_require_writable(tx);
    char kept[JOB_REASON_SIZE];
    snprintf(kept, sizeof kept, "%s", why);
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, message_id);
    db_bind_int(query, 2, state);
    db_bind_int(query, 3, due_ms);
    db_bind_int(query, 4, failures);
    db_bind_text(query, 5, kept);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    return status == STATUS_OK && changes == 0 ? STATUS_CONFLICT : status;
}

enum status outbox_delivered(struct store_tx *tx, int64_t message_id)
{
    return message_change(tx, message_id, OUTBOX_DELIVERED, tx->now_ms, 0, "");
}

enum status outbox_failed(struct store_tx *tx, int64_t message_id, int64_t due_ms, bool dead,
                          const char *why)
{
    return message_change(tx, message_id, dead ? OUTBOX_DEAD : OUTBOX_WAITING, due_ms, 1,
                          why != NULL ? why : "");
}
