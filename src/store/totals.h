// SPDX-License-Identifier: Apache-2.0
// Inside the store only: counts of jobs and sums of affiliates, kept with every change.
//
// Changes gather in memory while a group runs and are written once before its commit.
#pragma once

#include "store/amounts.h"
#include "store/jobs.h"
#include "store/users.h"

#define AFFILIATES_CACHED_MAX 2048
#define AFFILIATE_SLOTS       4096 // of the hash table; a power of two

struct affiliate_entry {
    bool used;
    bool dirty;
    int64_t id; // 0: not a row yet
    int64_t last_job_id;
    struct affiliate sums; // the earned members are made on reading
};

struct totals {
    struct job_counts deltas;
    bool counts_dirty;
    size_t affiliates_count;
    struct affiliate_entry affiliates[AFFILIATE_SLOTS];
    size_t dirty_count;
    uint16_t dirty[AFFILIATES_CACHED_MAX];
};

void totals_clear(struct totals *totals);
MUST_USE enum status totals_flush(struct store_tx *tx);

// A job was added in job->state; *ret_previous_id is the referrer's job before it.
MUST_USE enum status totals_job_added(struct store_tx *tx, int64_t *ret_previous_id,
                                      const struct job *job);
// A job changes from what it was to state and outcome.
MUST_USE enum status totals_job_changed(struct store_tx *tx, const struct job *before,
                                        enum job_state state, enum job_outcome outcome);
// A job in `state` becomes one of another kind.
void totals_kind_changed(struct store_tx *tx, enum job_kind before, enum job_kind after,
                         enum job_state state);
MUST_USE enum status totals_child_added(struct store_tx *tx, const struct address *referrer);
// A receivable of the wallet: what was open of it, and what is now.
MUST_USE enum status totals_receivable_changed(struct store_tx *tx, const struct address *wallet,
                                               struct amounts before, struct amounts after);
// What is open in all. Costs no query where the wallet is in the writer's table.
MUST_USE enum status totals_receivable(struct store_tx *tx, struct amounts *ret_open,
                                       const struct address *wallet);
// The affiliate's newest job, 0 where there is none.
MUST_USE enum status totals_last_job(struct store_tx *tx, int64_t *ret_job_id,
                                     const struct address *wallet);
