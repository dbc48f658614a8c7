// SPDX-License-Identifier: Apache-2.0
// Inside the store only: jobs as rows, for the other files that make, read and change them.
#pragma once

#include "store/jobs.h"
#include "store/tx.h"

#define JOB_COLUMNS                                                                                \
    "jobs.id AS id, jobs.kind AS kind, jobs.state AS state, jobs.outcome AS outcome,"              \
    " jobs.program_id AS program_id, jobs.payment_id AS payment_id, jobs.payout_id AS payout_id,"  \
    " jobs.child AS child, jobs.referrer AS referrer, jobs.usdc AS usdc, jobs.sge AS sge,"         \
    " jobs.netted_usdc AS netted_usdc, jobs.netted_sge AS netted_sge,"                             \
    " jobs.slot_id AS slot_id, jobs.due_ms AS due_ms, jobs.tries AS tries,"                        \
    " jobs.created_ms AS created_ms, jobs.updated_ms AS updated_ms, jobs.trace AS trace,"          \
    " jobs.reason AS reason"

// The job of a row that has JOB_COLUMNS.
void job_row_read(struct job *job, struct db_query *query);

// Adds the job: id and times are set here. State is queued or held, with its due_ms.
MUST_USE enum status job_row_insert(struct store_tx *tx, struct job *job);

// job_set_state once the row is read and found as expected. slot_id is what the row holds after.
MUST_USE enum status job_row_change(struct store_tx *tx, const struct job *job, enum job_state next,
                                    const struct job_change *change, int64_t slot_id);

// Finishes a query over JOB_COLUMNS into an array in the arena.
MUST_USE enum status job_rows_collect(struct job **ret_jobs, size_t *ret_count,
                                      struct db_query *query, struct arena *arena);

// Writes kind and amounts of a cancelled job, whose amounts nothing on chain can carry.
// before: the kind it was.
MUST_USE enum status job_row_amounts(struct store_tx *tx, const struct job *job,
                                     enum job_kind before);

// What a finished or sent job tells the merchant, where anything.
MUST_USE enum status outbox_job_changed(struct store_tx *tx, const struct job *before,
                                        enum job_state next, bool sent_before);

// A job whose slot ended without its effect: cancels it and takes the receivable back where its
// payment was refunded after the signing. change: of its way out of the slot. *ret_cancelled is
// false, and nothing is written, where it was not refunded.
MUST_USE enum status refund_unpaid(struct store_tx *tx, bool *ret_cancelled, const struct job *job,
                                   const struct job_change *change);
