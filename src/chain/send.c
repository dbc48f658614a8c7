// SPDX-License-Identifier: Apache-2.0
// Sends signed transactions to every ready endpoint at once and merges what they say.
#include "chain/client.h"

#include "base/hex.h"
#include "chain/batch.h"
#include "chain/wire.h"
#include "eth/keccak.h"

#include <stdio.h>
#include <string.h>

#define RAW_PREFIX "[\""
#define RAW_SUFFIX "\"]"

struct sending {
    struct pool *pool;
    struct endpoint *endpoints[CHAIN_ENDPOINTS_MAX];
    size_t endpoints_count;
    const struct bytes *raws;
    struct send_result *results;
};

static const char *raw_params(void *context, size_t index, struct arena *arena)
{
    const struct bytes raw = ((const struct sending *)context)->raws[index];
    size_t size = sizeof RAW_PREFIX + HEX_TEXT_SIZE(raw.size) + sizeof RAW_SUFFIX;
    char *params = arena_alloc(arena, size);
    if (!params)
        return NULL;
    char *at = params + strlen(RAW_PREFIX);
    memcpy(params, RAW_PREFIX, strlen(RAW_PREFIX));
    hex_encode(at, raw);
    memcpy(at + 2 * raw.size + strlen("0x"), RAW_SUFFIX, sizeof RAW_SUFFIX);
    return params;
}

static struct send_result result_of(enum send_outcome outcome, enum rpc_class rpc_class,
                                    const char *message)
{
    struct send_result result = {.outcome = outcome, .rpc_class = rpc_class};
    snprintf(result.message, sizeof result.message, "%s", message);
    return result;
}

// A time-out at the node, an execution that reverted (some nodes mine it and then say so) and what
// no rule knows do not prove that the node dropped the transaction.
static bool settles(enum rpc_class rpc_class)
{
    return rpc_class != RPC_UNKNOWN && rpc_class != RPC_TRANSIENT && rpc_class != RPC_REVERT;
}

static struct send_result read_error(const struct rpc_reply *reply)
{
    enum rpc_class rpc_class = reply_class(reply);
    if (rpc_class == RPC_ALREADY_KNOWN)
        return result_of(SEND_ACCEPTED, rpc_class, reply->message);
    if (!settles(rpc_class))
        return result_of(SEND_UNKNOWN, rpc_class, reply->message);
    return result_of(SEND_REFUSED, rpc_class, reply->message);
}

static struct send_result read_silence(const struct rpc_reply *reply)
{
    if (reply->fault == HTTP_NOT_SENT)
        return result_of(SEND_REFUSED, RPC_TRANSIENT, reply->message);
    if (reply_class(reply) == RPC_RATE_LIMITED)
        return result_of(SEND_REFUSED, RPC_RATE_LIMITED, reply->message);
    return result_of(SEND_UNKNOWN, RPC_UNKNOWN, reply->message);
}

static struct send_result read_hash(bool *ret_lies, const struct rpc_reply *reply, struct bytes raw)
{
    struct hash32 theirs;
    struct hash32 ours = keccak256(raw);
    if (!wire_read_hash(&theirs, reply->result))
        return result_of(SEND_UNKNOWN, RPC_UNKNOWN, "malformed answer");
    if (hash32_equal(&theirs, &ours))
        return result_of(SEND_ACCEPTED, RPC_UNKNOWN, "");
    *ret_lies = true;
    return result_of(SEND_UNKNOWN, RPC_UNKNOWN, "the node returned another hash");
}

static struct send_result read_reply(bool *ret_lies, const struct rpc_reply *reply,
                                     struct bytes raw)
{
    switch (reply->kind) {
    case RPC_RESULT:
        return read_hash(ret_lies, reply, raw);
    case RPC_ERROR:
        return read_error(reply);
    case RPC_NO_REPLY:
        break;
    }
    return read_silence(reply);
}

// Accepted beats unknown beats refused; among refusals the safest class, which comes first.
static bool is_better(const struct send_result *a, const struct send_result *b)
{
    static const int ranks[] = {[SEND_ACCEPTED] = 0, [SEND_UNKNOWN] = 1, [SEND_REFUSED] = 2};
    if (a->outcome != b->outcome)
        return ranks[a->outcome] < ranks[b->outcome];
    return a->rpc_class < b->rpc_class;
}

// Merges one endpoint's answers; false where it is in trouble and gets no more of this send.
static bool take_answer(struct sending *sending, struct endpoint *endpoint, bool is_first,
                        const struct rpc_reply *replies, size_t first, size_t count)
{
    bool lies = false;
    for (size_t i = 0; i < count; i++) {
        struct send_result result = read_reply(&lies, &replies[i], sending->raws[first + i]);
        if (is_first || is_better(&result, &sending->results[first + i]))
            sending->results[first + i] = result;
    }
    struct judgement judgement = pool_judge(replies, count);
    if (judgement.trouble == TROUBLE_TOO_LARGE)
        judgement.trouble = TROUBLE_FAILED; // hashes are small
    if (lies)
        pool_quarantine(sending->pool, endpoint, "returned another hash than was sent");
    else
        pool_note(sending->pool, endpoint, judgement);
    return !lies && judgement.trouble < TROUBLE_FAILED;
}

static void take_answers(struct sending *sending, struct rpc_batch *batches,
                         const struct rpc_reply *replies, size_t first, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < sending->endpoints_count; i++) {
        struct endpoint *endpoint = sending->endpoints[i];
        if (take_answer(sending, endpoint, i == 0, replies + i * count, first, count))
            sending->endpoints[kept++] = endpoint;
        rpc_batch_free(&batches[i]);
    }
    sending->endpoints_count = kept;
}

// One batch to all. From here on what fails may have been sent.
static enum status send_batch(struct sending *sending, const struct rpc_call *calls, size_t first,
                              size_t count)
{
    struct pool *pool = sending->pool;
    struct rpc_batch batches[CHAIN_ENDPOINTS_MAX];
    size_t replies_count = sending->endpoints_count * count;
    struct rpc_reply *replies = arena_alloc_array(pool->scratch, replies_count, sizeof *replies);
    if (!replies)
        return STATUS_NO_MEMORY;
    if (!pool_ask_all(pool, batches, replies, sending->endpoints, sending->endpoints_count, calls,
                      count)) {
        for (size_t i = 0; i < count; i++)
            sending->results[first + i] = result_of(SEND_UNKNOWN, RPC_UNKNOWN, "out of memory");
        return STATUS_NO_MEMORY;
    }
    take_answers(sending, batches, replies, first, count);
    return STATUS_OK;
}

static enum status send_all(struct sending *sending, const struct batch_query *query)
{
    struct pool *pool = sending->pool;
    for (size_t first = 0; first < query->count && sending->endpoints_count > 0;) {
        size_t count;
        struct rpc_call *calls = NULL;
        if (pool_begin(pool))
            calls = arena_alloc_array(pool->scratch, RPC_BATCH_CALLS_MAX, sizeof *calls);
        if (!calls || !batch_build(calls, &count, query, first, RPC_BATCH_CALLS_MAX, pool->scratch))
            return STATUS_NO_MEMORY;
        enum status status = send_batch(sending, calls, first, count);
        if (status != STATUS_OK)
            return status;
        first += count;
    }
    return STATUS_OK;
}

enum status client_send(struct chain *chain, struct send_result *ret_results,
                        const struct bytes *raws, size_t count, struct arena *arena)
{
    (void)arena; // nothing outlives the call but ret_results
    struct sending sending = {.pool = chain_pool(chain), .raws = raws, .results = ret_results};
    struct batch_query query = {.method = "eth_sendRawTransaction",
                                .count = count,
                                .context = &sending,
                                .params = raw_params};
    for (size_t i = 0; i < count; i++)
        ret_results[i] = result_of(SEND_REFUSED, RPC_TRANSIENT, "no endpoint is ready");
    if (!pool_begin(sending.pool) ||
        !pool_ready(sending.pool, sending.endpoints, &sending.endpoints_count))
        return STATUS_NO_MEMORY;
    return send_all(&sending, &query);
}
