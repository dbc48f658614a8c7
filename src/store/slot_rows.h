// SPDX-License-Identifier: Apache-2.0
// Inside the store only: slots and attempts as rows.
#pragma once

#include "store/lanes.h"
#include "store/tx.h"

MUST_USE enum status slot_row_by_id(struct store_tx *tx, struct slot *ret_slot, int64_t slot_id);
// Oldest first, raw bytes included.
MUST_USE enum status attempt_rows(struct store_tx *tx, struct attempt **ret_attempts,
                                  size_t *ret_count, int64_t slot_id, struct arena *arena);
// STATUS_DENIED where the lease has moved on. *ret_next_nonce may be NULL.
MUST_USE enum status lane_check(struct store_tx *tx, int64_t *ret_next_nonce,
                                const struct lane *lane);

// The jobs of one slot while it is changed. On the heap: too large for a stack, too rare to keep.
struct slot_jobs {
    struct job jobs[SLOT_JOBS_MAX];
    size_t count;
};
// Empty; free() it. NULL when memory is out.
struct slot_jobs *slot_jobs_new(void);
// Adds them in their order.
MUST_USE enum status slot_jobs_load(struct store_tx *tx, struct slot_jobs *jobs, int64_t slot_id);
// Moves every job that is in `from` to `to`; the others stay.
MUST_USE enum status slot_jobs_move(struct store_tx *tx, const struct slot_jobs *jobs,
                                    enum job_state from, enum job_state to,
                                    const struct job_change *change);
bool slot_jobs_all_in(const struct slot_jobs *jobs, enum job_state state);

// Checks the epoch, that the slot is this lane's and in one of two states, and loads its jobs; the
// caller frees them. STATUS_DENIED, STATUS_NOT_FOUND, STATUS_CONFLICT.
MUST_USE enum status slot_load(struct store_tx *tx, struct slot *ret_slot,
                               struct slot_jobs **ret_jobs, const struct lane *lane,
                               int64_t slot_id, enum slot_state one, enum slot_state other);

MUST_USE enum status slot_row_write(struct store_tx *tx, int64_t slot_id, enum slot_state state,
                                    const struct inclusion *inclusion);
// Attempts of the slot: the one with `hash` (NULL: none) takes `state`, those that were mined or
// all of them (everything) take `others`.
MUST_USE enum status attempt_rows_write(struct store_tx *tx, int64_t slot_id,
                                        const struct hash32 *hash, enum attempt_state state,
                                        enum attempt_state others, bool everything);
