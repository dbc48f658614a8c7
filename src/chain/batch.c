// SPDX-License-Identifier: Apache-2.0
// Splits many calls into batches and hands each reply to its reader.
#include "chain/batch.h"

#include <string.h>

bool batch_build(struct rpc_call *ret_calls, size_t *ret_count, const struct batch_query *query,
                 size_t first, size_t calls_max, struct arena *arena)
{
    size_t bytes = 0;
    size_t count = 0;
    for (; first + count < query->count && count < calls_max; count++) {
        const char *params = query->params(query->context, first + count, arena);
        if (!params)
            return false;
        bytes += strlen(params);
        if (count > 0 && bytes > BATCH_REQUEST_BYTES_MAX)
            break;
        ret_calls[count] = (struct rpc_call){query->method, params};
    }
    *ret_count = count;
    return true;
}

struct window {
    const struct batch_query *query;
    size_t first;
};

static enum status read_window(void *context, const struct rpc_reply *replies, size_t count)
{
    const struct window *window = context;
    for (size_t i = 0; i < count; i++) {
        enum status status =
            window->query->read(window->query->context, window->first + i, &replies[i]);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// *ret_count: how many calls, from first on, were asked (also where it fails).
static enum status ask_window(struct pool *pool, size_t *ret_count, const struct batch_query *query,
                              size_t first, size_t calls_max)
{
    struct window window = {query, first};
    struct rpc_call *calls =
        pool_begin(pool) ? arena_alloc_array(pool->scratch, calls_max, sizeof *calls) : NULL;
    if (!calls || !batch_build(calls, ret_count, query, first, calls_max, pool->scratch))
        return STATUS_NO_MEMORY;
    return pool_ask(pool, &(struct pool_query){.calls = calls,
                                               .count = *ret_count,
                                               .splits = true,
                                               .context = &window,
                                               .read = read_window});
}

enum status batch_ask(struct pool *pool, const struct batch_query *query)
{
    size_t calls_max = RPC_BATCH_CALLS_MAX;
    for (size_t first = 0; first < query->count;) {
        size_t count = 0;
        enum status status = ask_window(pool, &count, query, first, calls_max);
        if (status == STATUS_LIMIT)
            calls_max = (count + 1) / 2; // a window of one never ends so
        else if (status != STATUS_OK)
            return status;
        else
            first += count;
    }
    return STATUS_OK;
}
