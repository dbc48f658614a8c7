// SPDX-License-Identifier: Apache-2.0
// Inside the store only: one transaction, the writer's caches, new ids, lists in an arena.
#pragma once

#include "db/db.h"
#include "job/program.h"
#include "store/store.h"
#include "store/totals.h"

// Tables whose ids the writer hands out.
#define ID_TABLE(X)                                                                                \
    X(ID_PROGRAMS, "programs")                                                                     \
    X(ID_USERS, "users")                                                                           \
    X(ID_AFFILIATES, "affiliates")                                                                 \
    X(ID_PAYMENTS, "payments")                                                                     \
    X(ID_EVENTS, "events")                                                                         \
    X(ID_RECEIVABLES, "receivables")                                                               \
    X(ID_NETTINGS, "nettings")                                                                     \
    X(ID_JOBS, "jobs")                                                                             \
    X(ID_HISTORY, "history")                                                                       \
    X(ID_LANES, "lanes")                                                                           \
    X(ID_SLOTS, "slots")                                                                           \
    X(ID_ATTEMPTS, "attempts")                                                                     \
    X(ID_OUTBOX, "outbox")                                                                         \
    X(ID_API_KEYS, "api_keys")                                                                     \
    X(ID_IDEMPOTENCY, "idempotency")                                                               \
    X(ID_AUDIT, "audit")

enum id_table {
#define ID_ENUM(name, table) name,
    ID_TABLE(ID_ENUM)
#undef ID_ENUM
        ID_TABLES,
};

#define PROGRAMS_CACHED_MAX 64

// What the writer remembers between groups. True as long as no other process has written: the
// engine's data version says so at the start of each group. Emptied by a rollback.
struct writer_cache {
    int64_t data_version;
    int64_t next_ids[ID_TABLES]; // 0: not known
    struct program programs[PROGRAMS_CACHED_MAX];
    size_t programs_count;
    struct totals totals;
};

struct store_tx {
    struct db *db;
    const struct store_options *options;
    struct writer_cache *cache; // NULL: a read snapshot
    int64_t now_ms;
    bool wake;           // jobs were queued or holds touched
    struct store *store; // of a read snapshot: where it goes back to
};

MUST_USE enum status tx_begin_write(struct store_tx *tx);
MUST_USE enum status tx_commit(struct store_tx *tx);
void tx_rollback(struct store_tx *tx);

// Aborts on a snapshot.
void tx_require_writable(const struct store_tx *tx);

// A query of this transaction.
struct db_query *tx_query(struct store_tx *tx, const struct db_statement *statement);

// The next id of the table: larger than every id in it.
MUST_USE enum status tx_new_id(struct store_tx *tx, int64_t *ret_id, enum id_table table);

// The id tx_new_id will give next.
MUST_USE enum status tx_next_id(struct store_tx *tx, int64_t *ret_id, enum id_table table);

// The transaction cannot be committed any more; returns the status.
enum status tx_fail(struct store_tx *tx, enum status status);

// A list that grows in an arena. Starts as all zeros.
struct tx_list {
    void *items;
    size_t count, capacity;
};
// The place for one more item, or NULL when the arena is full (STATUS_NO_MEMORY).
MUST_USE void *tx_list_add(struct tx_list *list, struct arena *arena, size_t item_size);
