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
