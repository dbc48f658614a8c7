// SPDX-License-Identifier: Apache-2.0
// Endpoint pool: asks the best endpoint first and goes on to the next; checks each one's chain.
#include "chain/pool.h"

#include "chain/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Scheme, host and port of a URL: what stands before and after carries user information and keys.
static void name_endpoint(char out[sizeof((struct endpoint_health *)0)->name], const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *host = scheme_end ? scheme_end + 3 : url;
    size_t authority = strcspn(host, "/?#");
    for (size_t i = authority; i > 0; i--) {
        if (host[i - 1] == '@') {
            host += i;
            authority -= i;
            break;
        }
    }
    snprintf(out, sizeof((struct endpoint_health *)0)->name, "%.*s%.*s",
             scheme_end ? (int)(scheme_end + 3 - url) : 0, url, (int)authority, host);
}

bool pool_open(struct pool *ret_pool, const struct chain_options *options)
{
    if (options->urls_count == 0 || options->urls_count > CHAIN_ENDPOINTS_MAX)
        abort();
    struct pool pool = {.clock = options->clock,
                        .timeout_ms = options->timeout_ms,
                        .chain_id = options->chain_id,
                        .count = options->urls_count,
                        .heads_due_ms = INT64_MIN};
    pool.http = http_client_new();
    pool.scratch = arena_new(POOL_SCRATCH_BYTES_MAX);
    bool ok = pool.http && pool.scratch;
    for (size_t i = 0; i < pool.count && ok; i++) {
        struct endpoint *endpoint = &pool.endpoints[i];
        endpoint->url = strdup(options->urls[i]);
        endpoint->resting_until_ms = INT64_MIN;
        endpoint->health.head_number = -1;
        name_endpoint(endpoint->health.name, options->urls[i]);
        ok = endpoint->url;
    }
    if (!ok) {
        pool_close(&pool);
        return false;
    }
    *ret_pool = pool;
    return true;
}

void pool_close(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (pool->endpoints[i].url)
            bytes_wipe(pool->endpoints[i].url, strlen(pool->endpoints[i].url));
        free(pool->endpoints[i].url);
    }
    arena_free(pool->scratch);
    http_client_free(pool->http);
}

// What one huge answer took is not kept.
bool pool_begin(struct pool *pool)
{
    if (pool->scratch && arena_used(pool->scratch) <= POOL_SCRATCH_KEPT_BYTES) {
        arena_reset(pool->scratch);
        return true;
    }
    arena_free(pool->scratch);
    pool->scratch = arena_new(POOL_SCRATCH_BYTES_MAX);
    return pool->scratch;
}

// True where a is to be asked before b; the operator's order decides between equals.
static bool is_better(const struct endpoint *a, const struct endpoint *b)
{
    bool a_fine = a->failures_in_row == 0;
    bool b_fine = b->failures_in_row == 0;
    if (a_fine != b_fine)
        return a_fine;
    return a->health.head_number > b->health.head_number;
}

// Stable insertion sort: at most CHAIN_ENDPOINTS_MAX members.
static size_t order(struct pool *pool, struct endpoint *ret_endpoints[CHAIN_ENDPOINTS_MAX],
                    bool resting_too)
{
    size_t count = 0;
    for (size_t i = 0; i < pool->count; i++) {
        struct endpoint *endpoint = &pool->endpoints[i];
        if (!resting_too && !endpoint_is_ready(pool, endpoint))
            continue;
        size_t at = count++;
        for (; at > 0 && is_better(endpoint, ret_endpoints[at - 1]); at--)
            ret_endpoints[at] = ret_endpoints[at - 1];
        ret_endpoints[at] = endpoint;
    }
    return count;
}

bool pool_ask_all(struct pool *pool, struct rpc_batch *ret_batches, struct rpc_reply *ret_replies,
                  struct endpoint *const *endpoints, size_t endpoints_count,
                  const struct rpc_call *calls, size_t calls_count)
{
    const char *urls[CHAIN_ENDPOINTS_MAX];
    for (size_t i = 0; i < endpoints_count; i++) {
        urls[i] = endpoints[i]->url;
        endpoints[i]->health.calls++;
    }
    return rpc_run_everywhere(ret_batches, ret_replies, pool->http, urls, endpoints_count, calls,
                              calls_count, pool->timeout_ms, pool->scratch);
}

static void take_chain_id(struct pool *pool, struct endpoint *endpoint,
                          const struct rpc_reply *reply)
{
    uint64_t chain_id;
    char why[sizeof endpoint->health.why];
    struct judgement judgement = pool_judge(reply, 1);
    if (judgement.trouble != TROUBLE_NONE) {
        pool_note(pool, endpoint, judgement);
    } else if (reply->kind != RPC_RESULT || !wire_read_u64(&chain_id, reply->result)) {
        pool_note_malformed(pool, endpoint);
    } else if (chain_id != pool->chain_id) {
        snprintf(why, sizeof why, "serves chain %" PRIu64 ", not %" PRIu64, chain_id,
                 pool->chain_id);
        pool_quarantine(pool, endpoint, why);
    } else {
        endpoint->checked = true;
    }
}

// Asks those not yet checked for their chain id, all at once. False only when memory is out.
static bool check_chain(struct pool *pool, struct endpoint *const *endpoints, size_t count)
{
    static const struct rpc_call call = {"eth_chainId", "[]"};
    struct endpoint *unchecked[CHAIN_ENDPOINTS_MAX];
    struct rpc_batch batches[CHAIN_ENDPOINTS_MAX];
    size_t unchecked_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!endpoints[i]->checked)
            unchecked[unchecked_count++] = endpoints[i];
    }
    if (unchecked_count == 0)
        return true;
    struct rpc_reply *replies = arena_alloc_array(pool->scratch, unchecked_count, sizeof *replies);
    int64_t timeout_ms = pool->timeout_ms;
    if (pool->timeout_ms > ENDPOINT_PROBE_MS_MAX)
        pool->timeout_ms = ENDPOINT_PROBE_MS_MAX; // a dead one must not hold up the living
    bool ok = replies && pool_ask_all(pool, batches, replies, unchecked, unchecked_count, &call, 1);
    pool->timeout_ms = timeout_ms;
    for (size_t i = 0; i < unchecked_count && ok; i++) {
        take_chain_id(pool, unchecked[i], &replies[i]);
        rpc_batch_free(&batches[i]);
    }
    return ok;
}

bool pool_ready(struct pool *pool, struct endpoint *ret_endpoints[CHAIN_ENDPOINTS_MAX],
                size_t *ret_count)
{
    struct endpoint *ready[CHAIN_ENDPOINTS_MAX];
    size_t ready_count = order(pool, ready, false);
    if (!check_chain(pool, ready, ready_count))
        return false;
    size_t count = 0;
    for (size_t i = 0; i < ready_count; i++) {
        if (ready[i]->checked)
            ret_endpoints[count++] = ready[i];
    }
    *ret_count = count;
    return true;
}

// Books what the reader made of a good answer, and passes its verdict on.
static enum status settle(struct pool *pool, struct endpoint *endpoint, enum status status)
{
    if (status == STATUS_CORRUPT)
        pool_note_malformed(pool, endpoint);
    else if (status == STATUS_CONFLICT)
        pool_quarantine(pool, endpoint, "answered something that was not asked");
    else
        pool_note(pool, endpoint, (struct judgement){0});
    if (status == STATUS_OK)
        pool->answered = endpoint;
    return status == STATUS_CONFLICT ? STATUS_CORRUPT : status;
}

static enum status ask_one(struct pool *pool, struct endpoint *endpoint,
                           const struct pool_query *query, struct rpc_reply *replies)
{
    struct rpc_batch batch;
    int64_t start_ms = clock_monotonic_ms(pool->clock);
    if (!pool_ask_all(pool, &batch, replies, &endpoint, 1, query->calls, query->count))
        return STATUS_NO_MEMORY;
    endpoint->health.latency_ms_last = clock_monotonic_ms(pool->clock) - start_ms;
    struct judgement judgement = pool_judge(replies, query->count);
    enum status status = STATUS_UNAVAILABLE;
    if (judgement.trouble == TROUBLE_NONE)
        status = settle(pool, endpoint, query->read(query->context, replies, query->count));
    else if (judgement.trouble == TROUBLE_TOO_LARGE && query->splits && query->count > 1)
        status = STATUS_LIMIT;
    else if (judgement.trouble == TROUBLE_TOO_LARGE)
        status = settle(pool, endpoint, STATUS_CORRUPT);
    else
        pool_note(pool, endpoint, judgement);
    rpc_batch_free(&batch);
    return status;
}

enum status pool_ask(struct pool *pool, const struct pool_query *query)
{
    struct endpoint *endpoints[CHAIN_ENDPOINTS_MAX];
    size_t count = order(pool, endpoints, false);
    if (count == 0 && query->any_chain)
        count = order(pool, endpoints, true);
    struct rpc_reply *replies = arena_alloc_array(pool->scratch, query->count, sizeof *replies);
    enum status worst = STATUS_UNAVAILABLE;
    if (!replies)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (!query->any_chain) {
            if (!check_chain(pool, &endpoints[i], 1))
                return STATUS_NO_MEMORY;
            if (!endpoints[i]->checked)
                continue;
        }
        enum status status = ask_one(pool, endpoints[i], query, replies);
        if (status == STATUS_CORRUPT)
            worst = STATUS_CORRUPT;
        else if (status != STATUS_UNAVAILABLE)
            return status;
    }
    return worst;
}
