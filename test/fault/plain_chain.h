// SPDX-License-Identifier: Apache-2.0
// A chain of one honest node that mines what it holds when told to, and the faults between it and
// the relayer: the k-th call of the relayer fails in a chosen way.
#pragma once

#include "chain/chain.h"

#define PLAIN_TXS_MAX 64

enum plain_fault {
    PLAIN_FINE,
    PLAIN_UNAVAILABLE, // no answer; a transaction did not arrive, which nobody knows
    PLAIN_ARRIVED,     // the answer makes no sense; a transaction did arrive
    PLAIN_NO_MEMORY,   // nothing was asked
    PLAIN_FORGOTTEN,   // no answer; a transaction is accepted, and forgotten
    PLAIN_REFUSED,     // no answer; a transaction is refused as "nonce too low", yet taken
};

struct plain_tx {
    struct hash32 hash;
    int64_t nonce;
    bool pays;
    struct hash32 payout_id;
    uint8_t referrer[32], usdc[32]; // words
    int64_t block;                  // 0: pending
};

struct plain_chain {
    struct chain base; // first
    struct address payout;
    int64_t head, nonce; // the lane's, mined
    struct plain_tx txs[PLAIN_TXS_MAX];
    size_t txs_count;
    // Every transaction that arrives, or would have: is it saved?
    void (*on_send)(void *context, const struct hash32 *hash);
    void *on_send_context;
    // The chain's own memory is not the relayer's: called with true before it works, then with
    // false. May be NULL.
    void (*apart)(bool begins);
    enum plain_fault fault;
    int64_t fault_from, fault_to; // calls, counted from 1 since plain_chain_arm
    int64_t calls, fired;
};

void plain_chain_init(struct plain_chain *chain, const struct address *payout);
void plain_chain_arm(struct plain_chain *chain, enum plain_fault fault, int64_t from, int64_t to);
// A block with everything that can be mined.
void plain_chain_mine(struct plain_chain *chain);
// Transactions mined that pay this id; and how many nonces were ever signed for it.
int plain_chain_paid(const struct plain_chain *chain, const struct hash32 *payout_id);
int plain_chain_nonces(const struct plain_chain *chain, const struct hash32 *payout_id);
