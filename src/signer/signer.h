// SPDX-License-Identifier: Apache-2.0
// The signer: a child process that holds the keys and signs only what its policy allows.
//
// It is forked before any thread exists and speaks a closed set of messages over a socket pair:
// the lane addresses, and "sign this". It knows the chain id, our contracts and selectors, and the
// fee ceilings; it refuses everything else, whatever the relayer asks. Its memory is locked, not
// dumpable, and wiped at the end; it dies with its parent.
#pragma once

#include "eth/transaction.h"

struct signer_policy {
    uint64_t chain_id;
    // Registry, payout, identity, in this order (each is called with its own selectors only); zero:
    // not in use.
    struct address contracts[4];
    struct wei max_fee; // per gas
    int64_t gas_limit_max;
};

#define SIGNER_LANES_MAX 64

struct signer;

// Forks the child with the keys and wipes them here, also on failure. From the main thread: the
// child dies with the thread that made it. STATUS_IO, STATUS_NO_MEMORY.
MUST_USE enum status signer_start(struct signer **ret_signer, struct eth_key *keys, size_t count,
                                  const struct signer_policy *policy);
// Ends the child and waits for it. Takes NULL.
void signer_stop(struct signer *signer);

size_t signer_lanes(const struct signer *signer, struct address ret_addresses[SIGNER_LANES_MAX]);

struct sign_request {
    struct address lane;
    struct transaction transaction; // TX_DYNAMIC_FEE, or TX_LEGACY where the chain has no 1559
};
// Signs count transactions in one exchange. Results in the arena. A filler is a transaction of
// value 0 without data to the lane itself. STATUS_DENIED: the policy refuses one of them, nothing
// is signed (the child logs which and why); STATUS_UNAVAILABLE: the child is gone (the relayer must
// end); STATUS_NO_MEMORY: the arena is full. Any thread; count is at most SIGN_REQUESTS_MAX.
MUST_USE enum status signer_sign(struct signer *signer, struct signed_transaction *ret_signed,
                                 const struct sign_request *requests, size_t count,
                                 struct arena *arena);
#define SIGN_REQUESTS_MAX 1024
