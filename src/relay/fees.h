// SPDX-License-Identifier: Apache-2.0
// Fees of a transaction: the first ones, and those of a replacement. Pure.
//
// Two ceilings. limits.max_fee is hard: nothing signed ever exceeds it. limits.max_priority_fee
// bounds what we ask for on our own account; only the replacement rule, which wants both fields to
// grow, may carry a tip past it, since a transaction that started at the ceiling could otherwise
// never be replaced when the base fee rises.
#pragma once

#include "base/money.h"
#include "chain/chain.h"

struct fee_limits {
    struct wei max_fee;          // per gas
    struct wei max_priority_fee; // per gas
};

struct fee_pair {
    struct wei max_fee;
    struct wei max_priority_fee;
};

// Replacement: both fields grow by at least an eighth, rounded up (geth and others ask for 10 %).
#define FEE_BUMP_NUMERATOR   9
#define FEE_BUMP_DENOMINATOR 8

// Two base fees and the tip, cut to the ceiling: good for six full blocks in a row. False where the
// next block's base fee and the tip together are above the ceiling: wait.
MUST_USE bool fees_first(struct fee_pair *ret_fees, const struct chain_fees *market,
                         const struct fee_limits *limits);

// The fees of a replacement: an eighth more than `current` on both fields, or what the market asks
// if that is more, or tip_min (what a node said it wants; zero: nothing said). False where the
// least allowed replacement is above the ceiling: send the old bytes again instead.
MUST_USE bool fees_bump(struct fee_pair *ret_fees, const struct fee_pair *current,
                        const struct chain_fees *market, struct wei tip_min,
                        const struct fee_limits *limits);

// Can these fees be taken into the next block?
bool fees_cover(const struct fee_pair *fees, const struct chain_fees *market);

// "... minimum needed 25000000000": what an underpriced refusal asks for. False where it says
// nothing of the kind.
MUST_USE bool fees_minimum_needed(struct wei *ret_minimum, const char *message);
