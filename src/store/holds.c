// SPDX-License-Identifier: Apache-2.0
// Holds on whole kinds of jobs: one row for each reason.
#include "job/hold.h"
#include "store/jobs.h"
#include "store/rows.h"
#include "store/tx.h"

#include <assert.h>
#include <string.h>

#define FITS(text, help) static_assert(sizeof text <= HOLD_REASON_SIZE, "read back whole");
HOLD_REASON_TABLE(FITS)
#undef FITS

static enum status holds_count(struct store_tx *tx, int64_t *ret_count)
{
    static const struct db_statement count = {"holds count", "SELECT COUNT(*) AS n FROM holds"};
    struct db_query *query = tx_query(tx, &count);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        *ret_count = db_int(query, "n");
    return db_done(query, status);
}

enum status hold_set(struct store_tx *tx, bool *ret_changed, enum job_kind kind, const char *reason,
                     const char *why)
{
    static const struct db_statement insert = {
        "hold set", "INSERT INTO holds (kind, reason, why, since_ms) VALUES ($1, $2, $3, $4)"
                    " ON CONFLICT (kind, reason) DO NOTHING"};
    tx_require_writable(tx);
    if (!hold_reason_is_known(reason))
        return STATUS_INVALID;
    int64_t count = 0, changes;
    enum status status = holds_count(tx, &count);
    if (status != STATUS_OK)
        return status;
    if (count >= HOLDS_MAX)
        return STATUS_LIMIT;
    char kept[JOB_REASON_SIZE];
    size_t length = strnlen(why, sizeof kept - 1);
    memcpy(kept, why, length);
    kept[length] = '\0';
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, kind);
    db_bind_text(query, 2, reason);
    db_bind_text(query, 3, kept);
    db_bind_int(query, 4, tx->now_ms);
    status = db_execute(query, &changes);
    if (status != STATUS_OK)
        return status;
    *ret_changed = changes == 1;
    tx->wake = tx->wake || changes == 1;
    return STATUS_OK;
}

enum status hold_clear(struct store_tx *tx, bool *ret_changed, enum job_kind kind,
                       const char *reason)
{
    static const struct db_statement delete = {"hold clear",
                                               "DELETE FROM holds WHERE kind = $1 AND reason = $2"};
    tx_require_writable(tx);
    struct db_query *query = tx_query(tx, &delete);
    db_bind_int(query, 1, kind);
    db_bind_text(query, 2, reason);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    if (status != STATUS_OK)
        return status;
    *ret_changed = changes == 1;
    tx->wake = tx->wake || changes == 1;
    return STATUS_OK;
}

static void hold_read(struct hold *hold, struct db_query *query)
{
    if (!job_kind_from_number(&hold->kind, db_int(query, "kind")))
        db_fault(query);
    db_copy(query, "reason", hold->reason, sizeof hold->reason);
    db_copy(query, "why", hold->why, sizeof hold->why);
    hold->since_ms = db_int(query, "since_ms");
}

enum status holds_list(struct store_tx *tx, struct hold **ret_holds, size_t *ret_count,
                       struct arena *arena)
{
    static const struct db_statement list_all = {
        "holds", "SELECT kind, reason, why, since_ms FROM holds ORDER BY kind, reason"};
    struct tx_list list = {0};
    struct db_query *query = tx_query(tx, &list_all);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct hold *hold = tx_list_add(&list, arena, sizeof *hold);
        if (hold == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        hold_read(hold, query);
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_holds = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}
