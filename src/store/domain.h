// SPDX-License-Identifier: Apache-2.0
// Which chain and payout contract a store's payouts belong to.
//
// What is paid is asked of the contract in the settings. With another contract, or another chain,
// under the same rows the answer would be "unpaid" for what the old one has paid: so a store is
// bound to its first contract, and moves only when no payout is open.
#pragma once

#include "store/store.h"

enum domain_outcome {
    DOMAIN_BOUND,     // now, or before to this very contract
    DOMAIN_OTHER,     // the store belongs to another contract or chain
    DOMAIN_OPEN_JOBS, // it cannot move: payouts of the old contract have not ended
};

// Binds the store to the domain given at open. move: also away from another one.
MUST_USE enum status domain_bind(struct store_tx *tx, enum domain_outcome *ret_outcome, bool move);
