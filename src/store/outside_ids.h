// SPDX-License-Identifier: Apache-2.0
// Inside the store only: ids given by others, each used once for ever.
//
// The index holds half a SHA-256; who finds an id compares the full text in the row it names.
#pragma once

#include "store/tx.h"

// What an id stands for: half of its digest's input, and the meaning of its ref. On disk.
enum outside_kind {
    OUTSIDE_PAYMENT = 1,   // a payment key; ref: payments.id
    OUTSIDE_EVENT = 2,     // provider and event id; ref: events.id
    OUTSIDE_REFERRAL = 3,  // payout id of a first-payment program; ref: jobs.id
    OUTSIDE_MINT = 4,      // a wallet; ref: jobs.id
    OUTSIDE_TOMBSTONE = 5, // stands at a payment key's digest; ref: events.id of its refund
};

struct outside_digest {
    uint8_t bytes[16];
};

// kind: how the digest is made, so never OUTSIDE_TOMBSTONE.
struct outside_digest outside_digest(enum outside_kind kind, struct bytes id);

// STATUS_NOT_FOUND where it is new.
MUST_USE enum status outside_id_find(struct store_tx *tx, enum outside_kind *ret_kind,
                                     int64_t *ret_ref, const struct outside_digest *digest);
// *ret_inserted is false where the digest stood already.
MUST_USE enum status outside_id_insert(struct store_tx *tx, bool *ret_inserted,
                                       const struct outside_digest *digest, enum outside_kind kind,
                                       int64_t ref);
MUST_USE enum status outside_id_update(struct store_tx *tx, const struct outside_digest *digest,
                                       enum outside_kind kind, int64_t ref);
MUST_USE enum status outside_id_delete(struct store_tx *tx, const struct outside_digest *digest);
