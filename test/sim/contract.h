// SPDX-License-Identifier: Apache-2.0
// What AffiliatePayout, AffiliateRegistry and SGEIdentity do, as contracts/src has it, on the
// simulated chain: call data in, effects, revert data and events out.
//
// One thing is left out on purpose in most seeds: the refusal of a payout id that is paid already.
// The relayer must not need it.
#pragma once

#include "tree.h"

struct contracts {
    struct address registry, payout, identity, usdc;
    bool refuses_duplicates;
};

#define PAYOUTS_BATCH_MAX 256

struct execution {
    struct tree *tree;
    const struct contracts *contracts;
    struct arena *arena;
    int32_t tip;               // the block it stands in, or the view an eth_call looks at
    struct chain_state *state; // changed
    bool dry;                  // leaves no records
    // Results.
    bool succeeded;
    struct bytes revert, returned;
    int64_t gas_used;
    uint8_t outcomes[PAYOUTS_BATCH_MAX]; // enum payout_outcome, of a batch that succeeded
};

// to: a contract of ours, or anything else (does nothing).
void contract_execute(struct execution *execution, const struct address *to, struct bytes data);

// The events of a transaction's inclusion, in the arena.
void contract_logs(struct event_log **ret_logs, size_t *ret_count, const struct tree *tree,
                   const struct contracts *contracts, const struct landing *inclusion,
                   struct arena *arena);

enum tx_target contract_target(const struct contracts *contracts, const struct address *to);

// Walks over the payouts, referrals or mints that call data carries.
struct contract_item {
    enum tx_target target;
    struct payout_call payout;
    struct address child, referrer;
};
typedef void contract_visit(void *context, const struct contract_item *item);
void contract_items(const struct contracts *contracts, const struct address *to, struct bytes data,
                    contract_visit *visit, void *context);
