// SPDX-License-Identifier: Apache-2.0
// Jobs as rows: the one door for a change of state, the due list, listings, the timeline.
#pragma once

#include "job/job.h"
#include "job/slot.h"
#include "store/store.h"

// What a change carries besides the states. Zero members leave the row as it is.
struct job_change {
    const char *cause; // machine name: "claim", "receipt", "refund", "operator", ...
    const char *why;   // one line for people, kept in job.reason; NULL: the change table's text
    int64_t due_ms;    // next due time; 0: now
    bool count_try;    // tries + 1
    enum job_outcome outcome;
};

// The one door. Checks that the row is in `expected` and that the change is a row of
// JOB_CHANGE_TABLE, writes it, appends history, keeps the counts, writes the outbound webhook.
// STATUS_CONFLICT: the row is in another state (nothing written). An illegal change aborts.
MUST_USE enum status job_set_state(struct store_tx *tx, int64_t job_id, enum job_state expected,
                                   enum job_state next, const struct job_change *change);
// Stays in its state (queued or held) but moves due_ms and says why; no history row.
MUST_USE enum status job_postpone(struct store_tx *tx, int64_t job_id, int64_t due_ms,
                                  const char *why);
// The same, and counts a try.
MUST_USE enum status job_try_later(struct store_tx *tx, int64_t job_id, int64_t due_ms,
                                   const char *why);

// Queued and held jobs with due_ms <= now_ms, oldest first, at most limit, in the arena. Costs the
// same however many jobs have finished. kinds is a bit set: 1 << enum job_kind.
MUST_USE enum status jobs_due(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count,
                              int64_t now_ms, unsigned kinds, size_t limit, struct arena *arena);
// The earliest due_ms among queued and held jobs of those kinds; INT64_MAX where there is none.
MUST_USE enum status jobs_next_due_ms(struct store_tx *tx, int64_t *ret_due_ms, unsigned kinds);

MUST_USE enum status job_by_id(struct store_tx *tx, struct job *ret_job, int64_t job_id);

struct job_filter {
    enum job_state state;  // 0: any
    enum job_kind kind;    // 0: any
    struct address wallet; // child or referrer; zero: any
    int64_t before_id;     // page: ids below this; 0: from the newest
    size_t limit;          // 1..JOBS_PAGE_MAX
};
#define JOBS_PAGE_MAX 200
// Newest first.
MUST_USE enum status jobs_list(struct store_tx *tx, struct job **ret_jobs, size_t *ret_count,
                               const struct job_filter *filter, struct arena *arena);

struct job_event {
    enum job_state from; // 0: creation
    enum job_state to;
    const char *cause;
    const char *why;
    int64_t at_ms;
};
#define JOB_EVENTS_MAX 500
// Oldest first.
MUST_USE enum status job_timeline(struct store_tx *tx, struct job_event **ret_events,
                                  size_t *ret_count, int64_t job_id, struct arena *arena);
// The job's slot with its attempts (oldest first); STATUS_NOT_FOUND where it has none.
MUST_USE enum status job_slot(struct store_tx *tx, struct slot *ret_slot,
                              struct attempt **ret_attempts, size_t *ret_count, int64_t job_id,
                              struct arena *arena);

// counts[kind][state], kept row by row, so that reading them costs nothing.
struct job_counts {
    int64_t counts[JOB_KIND_COUNT + 1][JOB_STATE_COUNT + 1];
};
MUST_USE enum status job_counts_read(struct store_tx *tx, struct job_counts *ret_counts);

// Holds on whole kinds: one row each, not one per job. reason is a machine name of job/hold.h;
// a kind may have several.
#define HOLD_REASON_SIZE 24
struct hold {
    enum job_kind kind;
    char reason[HOLD_REASON_SIZE];
    char why[JOB_REASON_SIZE];
    int64_t since_ms;
};
#define HOLDS_MAX 64
// *ret_changed is false where the hold stood (or was gone) already. STATUS_INVALID: no such reason.
MUST_USE enum status hold_set(struct store_tx *tx, bool *ret_changed, enum job_kind kind,
                              const char *reason, const char *why);
MUST_USE enum status hold_clear(struct store_tx *tx, bool *ret_changed, enum job_kind kind,
                                const char *reason);
MUST_USE enum status holds_list(struct store_tx *tx, struct hold **ret_holds, size_t *ret_count,
                                struct arena *arena);
