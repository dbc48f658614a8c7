// SPDX-License-Identifier: Apache-2.0
// Inside the store only: what refunds need of payments.
#pragma once

#include "store/job_rows.h"
#include "store/outside_ids.h"
#include "store/payments.h"

// *ret_refund_event_id: the refund event the payment carries, 0: none.
MUST_USE enum status payment_row_by_id(struct store_tx *tx, struct payment *ret_payment,
                                       int64_t *ret_refund_event_id, int64_t id);
// Writes state, job and refund event.
MUST_USE enum status payment_row_update(struct store_tx *tx, const struct payment *payment,
                                        int64_t refund_event_id);
struct outside_digest payment_key_digest(const char *payment_key);
struct outside_digest referral_digest(const struct hash32 *payout_id);

// What kind of refund event it was.
MUST_USE enum status event_kind(struct store_tx *tx, enum refund_kind *ret_kind, int64_t id);
// A program that pays once per referral: takes the referral for the job. True for the others.
MUST_USE enum status referral_take(struct store_tx *tx, bool *ret_taken,
                                   const struct program *program, const struct hash32 *payout_id,
                                   int64_t job_id);

// Decides what the payment earns and queues it; sets state and job_id, does not write its row.
MUST_USE enum status payment_settle(struct store_tx *tx, struct payment *payment,
                                    const struct program *program, const struct trace_id *trace);
