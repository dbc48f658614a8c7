// SPDX-License-Identifier: Apache-2.0
// From jobs to call data, and the view that tells whether a job's effect is on the chain. Pure.
#pragma once

#include "base/arena.h"
#include "chain/chain.h"
#include "job/job.h"
#include "relay/gas.h"

struct relay_contracts {
    struct address registry, payout, identity; // zero: not in use
};

// Where a job's effect happens.
const struct address *payload_target(const struct relay_contracts *contracts, enum job_kind kind);

// The call data of one transaction for these jobs, in the arena. False only when the arena is full.
MUST_USE bool payload_build(struct bytes *ret_data, enum tx_form form,
                            const struct job *const *jobs, size_t count, struct arena *arena);

// What a view says about a job's effect.
enum effect {
    EFFECT_UNKNOWN, // the view did not answer
    EFFECT_ABSENT,
    EFFECT_PRESENT,
    EFFECT_OTHER, // the child is bound to another referrer
};

// referralPaid(id), referrerOf(child) or hasIdentity(wallet). False only when the arena is full.
MUST_USE bool effect_call(struct chain_call *ret_call, const struct relay_contracts *contracts,
                          const struct job *job, struct arena *arena);
enum effect effect_read(const struct job *job, const struct call_result *result);
// Asks for many jobs in one batch at one block; EFFECT_UNKNOWN where nothing was answered.
MUST_USE enum status effects_ask(enum effect *ret_effects, struct chain *chain,
                                 const struct relay_contracts *contracts,
                                 const struct job *const *jobs, size_t count, struct block_id block,
                                 struct arena *arena);
