// SPDX-License-Identifier: Apache-2.0
// Inside the store only: what affiliates owe back, and what takes it off their next payouts.
//
// For every payment, at the end of every transaction, in USDC and in SGE:
//
//     brought - taken - open = earned
//
// brought: pays + netted of its payouts that are not cancelled. taken: what other payouts netted
// against its receivable. open: what is left of that. earned: its commission while it is accepted,
// nothing once it is refunded. Summed over an affiliate's payments, where what its payouts netted
// is what its receivables were taken: what its payouts pay, less what it owes back, is what it has
// earned.
#pragma once

#include "store/amounts.h"
#include "store/payments.h"
#include "store/tx.h"

#define NETTINGS_MAX 64 // receivables that one payout is netted against; the next takes the rest

// Adds a payout: nets it against what its referrer owes back, oldest first. Where nothing is left
// to pay the job is confirmed at once, as netted. kind, state, due_ms, amounts and parties are set.
MUST_USE enum status payout_add(struct store_tx *tx, struct job *job);
// Brings back a cancelled payout under its own id, netted anew, queued or held until due_ms.
MUST_USE enum status payout_revive(struct store_tx *tx, const struct job *cancelled,
                                   int64_t due_ms);
// A payout is cancelled: what it had netted is owed back again, and the row says what it would pay
// without any netting.
MUST_USE enum status netting_undo(struct store_tx *tx, const struct job *job);

// What is open of the payment's receivable.
MUST_USE enum status receivable_open(struct store_tx *tx, struct amounts *ret_open,
                                     int64_t payment_id);
// Makes the equation above true for the payment whose jobs or state changed: what it brought too
// much becomes its receivable, what it brought too little another payout (a restitution, under a
// payout id of its own). kind and event_id: of the refund. *ret_open: what is owed back now.
MUST_USE enum status payment_level(struct store_tx *tx, struct amounts *ret_open,
                                   const struct payment *payment, enum refund_kind kind,
                                   int64_t event_id, const struct trace_id *trace);
