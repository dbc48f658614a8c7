// SPDX-License-Identifier: Apache-2.0
// The proof that a slot's transactions can never be mined: the only way, besides a final receipt,
// in which a job leaves its slot.
//
// It holds when enough witnesses (endpoints) say at the same block, by hash, which is final for
// each of them: the lane's nonce there is past the slot's, they know a receipt for none of the
// slot's hashes, and what the contract says there of each job is the same. One witness that
// differs, and nothing is proven; those that do not answer are missed only where too few are left.
#pragma once

#include "relay/panel.h"
#include "relay/plan.h"

struct proof {
    bool proven;
    enum effect *effects; // one per job, at the final block; in the arena
};

// panel->needed below 2: all of them. STATUS_OK or STATUS_NO_MEMORY; unproven is STATUS_OK with
// proven false.
MUST_USE enum status proof_seek(struct proof *ret_proof, const struct panel *panel,
                                const struct lane_slot *slot, const struct address *lane,
                                const struct relay_contracts *contracts, int64_t final_number,
                                struct arena *arena);
