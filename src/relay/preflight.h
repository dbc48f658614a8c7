// SPDX-License-Identifier: Apache-2.0
// Preflight: the very transactions we are about to sign, asked of the chain first with eth_call.
// No gas is burnt on what is known to revert.
#pragma once

#include "relay/panel.h"
#include "relay/plan.h"
#include "relay/room.h"

// Tokens whose room is to be known (zero: not), and what it is.
struct preflight_room {
    struct address usdc, sge;
    struct room room;
};

// One verdict per job, through the groups' jobs in order. At most four requests, each one batch:
// the transactions as they stand, and the contract's room, then on their own the payouts that a
// batch would not pay, and whom a token refuses, then at the final block, of the panel, what seems
// to be done already. What is to be parked is asked of the panel as well. Any other status: nothing
// is known.
MUST_USE enum status preflight_run(struct preflight **ret_verdicts, struct preflight_room *room,
                                   const struct panel *panel, const struct address *lane,
                                   const struct relay_contracts *contracts,
                                   const struct plan_group *groups, size_t count,
                                   int64_t final_number, struct arena *arena);
