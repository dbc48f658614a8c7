// SPDX-License-Identifier: Apache-2.0
// The chain as the relayer sees it: typed calls through a pool of RPC endpoints.
//
// An interface, so that the simulator can stand in for it. Every call has four ways to end:
// STATUS_OK; STATUS_UNAVAILABLE (no endpoint answered: nothing is known); STATUS_CORRUPT (what came
// makes no sense: nothing is known); STATUS_NO_MEMORY. "Not known" is never "not there": absence
// (a null receipt) is STATUS_OK with `found` false, and is one node's word.
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "chain/rpc_error.h"
#include "eth/contracts.h"

struct chain_head {
    int64_t number;
    struct hash32 hash;
    struct hash32 parent;
    int64_t timestamp_s;
    struct wei base_fee;
};

enum block_tag { BLOCK_LATEST, BLOCK_SAFE, BLOCK_FINALIZED, BLOCK_PENDING, BLOCK_NUMBER };
struct block_id {
    enum block_tag tag;
    int64_t number; // BLOCK_NUMBER
};

struct chain_receipt {
    bool found; // false: the asked node does not have it
    struct hash32 transaction_hash;
    struct hash32 block_hash;
    int64_t block_number;
    bool succeeded;
    struct address to;       // zero for a creation
    struct address contract; // created
    int64_t gas_used;
    struct wei gas_price;
    struct event_log *logs; // in the arena
    size_t logs_count;
};

struct chain_fees {
    struct wei base_fee;     // of the next block
    struct wei priority_fee; // median of what recent blocks' cheap half paid
};

// One endpoint's answer to a transaction, or the best over several (accepted beats refused,
// unknown beats refused).
enum send_outcome {
    SEND_ACCEPTED, // a node returned our hash, or already knows it
    SEND_REFUSED,  // every node that answered refused it: see rpc_class
    SEND_UNKNOWN,  // no answer that settles it: counts as sent
};
struct send_result {
    enum send_outcome outcome;
    enum rpc_class rpc_class; // SEND_REFUSED
    char message[160];        // the node's text, printable ASCII
};

struct chain_call {
    struct address from;
    struct address to;
    struct bytes data;
    int64_t gas_limit; // 0: the node's own
};
struct call_result {
    bool succeeded;
    struct bytes returned;    // or revert data; in the arena
    enum rpc_class rpc_class; // where it failed
    char message[160];
    int64_t gas; // chain_estimate only
};

#define CHAIN_LAST_ANSWER SIZE_MAX

struct chain;
struct chain_ops {
    enum status (*chain_id)(struct chain *chain, uint64_t *ret_id);
    enum status (*head)(struct chain *chain, struct chain_head *ret_head, struct block_id block);
    enum status (*fees)(struct chain *chain, struct chain_fees *ret_fees);
    enum status (*nonce)(struct chain *chain, int64_t *ret_nonce, const struct address *address,
                         struct block_id block);
    enum status (*balance)(struct chain *chain, struct wei *ret_balance,
                           const struct address *address);
    enum status (*has_code)(struct chain *chain, bool *ret_has_code, const struct address *address);
    // Receipts in one batch; ret_receipts has count members.
    enum status (*receipts)(struct chain *chain, struct chain_receipt *ret_receipts,
                            const struct hash32 *hashes, size_t count, struct arena *arena);
    // The hashes of blocks by number, in one batch: is a receipt's block canonical? found[i] false
    // where the node has no such block.
    enum status (*block_hashes)(struct chain *chain, struct hash32 *ret_hashes, bool *ret_found,
                                const int64_t *numbers, size_t count);
    // Sends signed transactions, in order, to every healthy endpoint at once.
    // Always sets every result: a transport failure is SEND_UNKNOWN (or SEND_REFUSED with
    // RPC_TRANSIENT where the request provably never left).
    enum status (*send)(struct chain *chain, struct send_result *ret_results,
                        const struct bytes *raws, size_t count, struct arena *arena);
    enum status (*call)(struct chain *chain, struct call_result *ret_results,
                        const struct chain_call *calls, size_t count, struct block_id block,
                        struct arena *arena);
    enum status (*estimate)(struct chain *chain, struct call_result *ret_results,
                            const struct chain_call *calls, size_t count, struct arena *arena);
    // The endpoint of this index (CHAIN_LAST_ANSWER: whose answer was taken last) said what cannot
    // be: it is not asked for a while. May be NULL.
    void (*distrust)(struct chain *chain, size_t endpoint, const char *why);
};

struct chain {
    const struct chain_ops *ops;
};

// The real one. Not thread-safe: each thread opens its own.
struct chain_options {
    const char *const *urls;
    size_t urls_count; // 1..CHAIN_ENDPOINTS_MAX
    uint64_t chain_id; // endpoints that serve another chain are quarantined
    int64_t timeout_ms;
    const struct clock *clock;
};
#define CHAIN_ENDPOINTS_MAX 16

// Per endpoint, for doctor, status and metrics. The name is scheme and host only: paths and user
// information carry keys.
struct endpoint_health {
    char name[96];
    bool healthy;
    int64_t calls, failures, rate_limited;
    int64_t latency_ms_last;
    int64_t head_number;
    char why[96]; // of the last failure
};

// NULL only when memory is out. Opens no connection yet.
struct chain *chain_open(const struct chain_options *options);
void chain_close(struct chain *chain);
// The pool's endpoints; only for a chain made by chain_open.
size_t chain_endpoints(const struct chain *chain, struct endpoint_health *ret_health,
                       size_t capacity);
