// SPDX-License-Identifier: Apache-2.0
// The chain behind chain_open(), and its operations by file. Inside src/chain only.
#pragma once

#include "chain/pool.h"

struct chain_client {
    struct chain chain; // first: a chain is a client
    struct pool pool;
};

static inline struct pool *chain_pool(struct chain *chain)
{
    return &((struct chain_client *)chain)->pool;
}

// head.c
enum status client_head(struct chain *chain, struct chain_head *ret_head, struct block_id block);
enum status client_block_hashes(struct chain *chain, struct hash32 *ret_hashes, bool *ret_found,
                                const int64_t *numbers, size_t count);
// fees.c
enum status client_fees(struct chain *chain, struct chain_fees *ret_fees);
// account.c
enum status client_chain_id(struct chain *chain, uint64_t *ret_id);
enum status client_nonce(struct chain *chain, int64_t *ret_nonce, const struct address *address,
                         struct block_id block);
enum status client_balance(struct chain *chain, struct wei *ret_balance,
                           const struct address *address);
enum status client_has_code(struct chain *chain, bool *ret_has_code, const struct address *address);
// receipts.c
enum status client_receipts(struct chain *chain, struct chain_receipt *ret_receipts,
                            const struct hash32 *hashes, size_t count, struct arena *arena);
// send.c
enum status client_send(struct chain *chain, struct send_result *ret_results,
                        const struct bytes *raws, size_t count, struct arena *arena);
// execute.c
enum status client_call(struct chain *chain, struct call_result *ret_results,
                        const struct chain_call *calls, size_t count, struct block_id block,
                        struct arena *arena);
enum status client_estimate(struct chain *chain, struct call_result *ret_results,
                            const struct chain_call *calls, size_t count, struct arena *arena);
