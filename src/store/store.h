// SPDX-License-Identifier: Apache-2.0
// The durable store: opening, reading, and group commit.
//
// Writes of all threads are gathered and committed together by one writer thread: a piece of work
// waits for its own commit, never for a timer. While one commit is being flushed the next group
// forms. Reads run on connections of their own and see the last commit.
//
//   struct my_work { struct store_work work; int input; int answer; };   // work is the first
//   member static enum status my_run(struct store_tx *tx, struct store_work **works, size_t count);
//   static const struct store_work_kind my_kind = {"my work", my_run};
//   struct my_work w = {.work = {.kind = &my_kind}, .input = 1};
//   enum status status = store_write(store, &w.work);      // or store_submit() with work.done
//
// A query function of this layer takes a struct store_tx, which is either the writer's transaction
// or a read snapshot; functions that write abort on a snapshot. Domain answers (duplicate, unknown
// user) are outputs of the query function and never undo others' work; a status other than
// STATUS_OK from a query means the database failed: pass it up, and the whole group is rolled back.
// Where one piece may be to blame, each runs again in a transaction of its own (so `run` must not
// rely on running once) and only those that fail again get their status; where the engine failed
// (STATUS_IO, STATUS_BUSY, ...), every piece gets it.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "job/payout_id.h"

struct store;
struct store_tx;
struct store_work;

struct store_work_kind {
    const char *name; // for metrics and traces
    // Runs `count` pieces of this kind that stand next to each other in the group, in order. One
    // call for many, so that an engine with round trips can batch them.
    enum status (*run)(struct store_tx *tx, struct store_work **works, size_t count);
};

struct store_work {
    const struct store_work_kind *kind;
    // Called once on the writer thread after the commit (STATUS_OK: durable) or its failure.
    // May free the work. NULL only through store_write.
    void (*done)(struct store_work *work, enum status committed);
    struct store_work *next; // the store's
};

// What the store tells about itself; all since open. See store_statistics.
struct store_statistics {
    int64_t commits;
    int64_t works;           // pieces of work committed
    int64_t commit_failures; // groups rolled back
    int64_t group_size_max;  // the largest group so far
    int64_t commit_ms_total; // spent in commit (flush included)
    int64_t queued;          // waiting now
};

struct store_options {
    const char *path; // SQLite file (RELAYER_DB_PATH)
    const struct clock *clock;
    struct payout_domain domain; // contract zero: payments cannot be accepted
    bool outbox;                 // state changes also write outbound webhooks
    bool in_caller; // no threads: store_write runs and commits in the caller (simulator, console)
    bool read_only; // no writer: the console's status commands
    // Called on the writer thread after each commit that queued jobs or changed controls: wakes the
    // relayer. May be NULL.
    void (*on_jobs)(void *context);
    void *on_jobs_context;
};

// Opens an existing, migrated store. STATUS_NOT_FOUND: no file; STATUS_CONFLICT: its schema is not
// the one this binary expects (run `sluice migrate`); STATUS_CORRUPT; STATUS_IO; STATUS_BUSY.
MUST_USE enum status store_open(struct store **ret_store, const struct store_options *options);
// Waits for queued work, checkpoints, closes. Takes NULL.
void store_close(struct store *store);
// Creates the file where needed and applies every missing migration in order, each in one
// transaction. *ret_applied tells how many.
MUST_USE enum status store_migrate(int *ret_applied, const struct store_options *options);

// Hands work to the writer; never blocks on the disk. Work is refused (done is not called) with
// STATUS_LIMIT when STORE_QUEUE_WORKS_MAX pieces wait, STATUS_STOPPED after a disk failure or
// during close.
MUST_USE enum status store_submit(struct store *store, struct store_work *work);
// The same and waits for the commit; work->done stays NULL.
MUST_USE enum status store_write(struct store *store, struct store_work *work);
#define STORE_QUEUE_WORKS_MAX 65536

// A read snapshot. Any thread; blocks while STORE_READERS_MAX snapshots are open.
MUST_USE enum status store_read(struct store_tx **ret_snapshot, struct store *store);
void store_read_end(struct store_tx *snapshot);
#define STORE_READERS_MAX 8

// False after a disk failure (the fsync lesson: a failed flush is never retried, the process must
// end and be started again).
bool store_is_healthy(const struct store *store);
void store_statistics(struct store_statistics *ret_statistics, struct store *store);

// The clock and payout domain given at open.
int64_t store_tx_now_ms(const struct store_tx *tx);
const struct payout_domain *store_tx_domain(const struct store_tx *tx);
