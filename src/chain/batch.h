// SPDX-License-Identifier: Apache-2.0
// Many calls of one method, in JSON-RPC batches bounded by count and bytes. Inside src/chain only.
#pragma once

#include "chain/pool.h"

#define BATCH_REQUEST_BYTES_MAX ((size_t)1 << 20) // nodes and providers refuse bodies of a few MB

struct batch_query {
    const char *method;
    size_t count;
    void *context;
    // The JSON array of parameters of call number `index`, in the arena; NULL: memory is out.
    const char *(*params)(void *context, size_t index, struct arena *arena);
    // As pool_query.read, for one reply.
    enum status (*read)(void *context, size_t index, const struct rpc_reply *reply);
};

// Fills ret_calls with the calls from `first` on, as many as fit a batch of at most calls_max; at
// least one. False when memory is out.
MUST_USE bool batch_build(struct rpc_call *ret_calls, size_t *ret_count,
                          const struct batch_query *query, size_t first, size_t calls_max,
                          struct arena *arena);

// Reads all of it. A batch whose answer is too large is halved and asked again.
enum status batch_ask(struct pool *pool, const struct batch_query *query);
