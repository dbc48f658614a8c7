// SPDX-License-Identifier: Apache-2.0
// Blocks: the head, from one endpoint or from all of them, and hashes by number.
#include "chain/client.h"

#include "chain/batch.h"
#include "chain/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define METHOD_BLOCK "eth_getBlockByNumber"

static const char *block_params(struct arena *arena, struct block_id block)
{
    char tag[WIRE_BLOCK_SIZE];
    wire_block(tag, block);
    return arena_printf(arena, "[\"%s\",false]", tag);
}

// Chains without EIP-1559 have no base fee; a pending block may have no hash yet.
static bool read_fields(struct chain_head *ret_head, const json_t *block, bool pending)
{
    struct chain_head head = {0};
    const json_t *base_fee = json_object_get(block, "baseFeePerGas");
    const json_t *hash = json_object_get(block, "hash");
    if (!wire_read_int64(&head.number, json_object_get(block, "number")) ||
        !wire_read_hash(&head.parent, json_object_get(block, "parentHash")) ||
        !wire_read_int64(&head.timestamp_s, json_object_get(block, "timestamp")))
        return false;
    if (!(pending && json_is_null(hash)) && !wire_read_hash(&head.hash, hash))
        return false;
    if (base_fee && !json_is_null(base_fee) && !wire_read_wei(&head.base_fee, base_fee))
        return false;
    *ret_head = head;
    return true;
}

// Null is "not here": a node behind, or a tag the chain does not have yet.
static enum status read_block(struct chain_head *ret_head, const struct rpc_reply *reply,
                              struct block_id block)
{
    struct chain_head head;
    if (reply->kind != RPC_RESULT || json_is_null(reply->result))
        return STATUS_UNAVAILABLE;
    if (!read_fields(&head, reply->result, block.tag == BLOCK_PENDING))
        return STATUS_CORRUPT;
    if (block.tag == BLOCK_NUMBER && head.number != block.number)
        return STATUS_CONFLICT;
    *ret_head = head;
    return STATUS_OK;
}

struct head_read {
    struct chain_head head;
    struct block_id block;
};

static enum status read_head(void *context, const struct rpc_reply *replies, size_t count)
{
    (void)count;
    struct head_read *read = context;
    return read_block(&read->head, &replies[0], read->block);
}

static enum status head_of_one(struct pool *pool, struct chain_head *ret_head,
                               const struct rpc_call *call, struct block_id block)
{
    struct head_read read = {.block = block};
    struct pool_query query = {.calls = call, .count = 1, .context = &read, .read = read_head};
    // Another endpoint in place of each that this finds out.
    for (size_t i = 0; i < pool->count; i++) {
        enum status status = pool_ask(pool, &query);
        if (status != STATUS_OK)
            return status;
        if (block.tag == BLOCK_LATEST && !pool_note_head(pool, pool->answered, read.head.number))
            continue;
        *ret_head = read.head;
        return STATUS_OK;
    }
    return STATUS_UNAVAILABLE;
}

// Books one endpoint's head and keeps it where it is the highest so far.
static enum status take_head(struct pool *pool, struct chain_head *head, struct endpoint *endpoint,
                             const struct rpc_reply *reply)
{
    struct chain_head candidate;
    struct judgement judgement = pool_judge(reply, 1);
    if (judgement.trouble == TROUBLE_TOO_LARGE)
        judgement.trouble = TROUBLE_FAILED;
    enum status status = STATUS_UNAVAILABLE;
    if (judgement.trouble == TROUBLE_NONE)
        status = read_block(&candidate, reply, (struct block_id){.tag = BLOCK_LATEST});
    if (status == STATUS_CORRUPT) {
        pool_note_malformed(pool, endpoint);
        return status;
    }
    pool_note(pool, endpoint, judgement);
    if (status != STATUS_OK)
        return status;
    if (!pool_note_head(pool, endpoint, candidate.number))
        return STATUS_UNAVAILABLE;
    if (candidate.number > head->number)
        *head = candidate;
    return STATUS_OK;
}

static enum status head_of_all(struct pool *pool, struct chain_head *ret_head,
                               const struct rpc_call *call)
{
    struct endpoint *endpoints[CHAIN_ENDPOINTS_MAX];
    struct rpc_batch batches[CHAIN_ENDPOINTS_MAX];
    struct rpc_reply *replies =
        arena_alloc_array(pool->scratch, CHAIN_ENDPOINTS_MAX, sizeof *replies);
    size_t count;
    if (!replies || !pool_ready(pool, endpoints, &count) ||
        !pool_ask_all(pool, batches, replies, endpoints, count, call, 1))
        return STATUS_NO_MEMORY;
    struct chain_head head = {.number = -1};
    enum status worst = STATUS_UNAVAILABLE;
    for (size_t i = 0; i < count; i++) {
        if (take_head(pool, &head, endpoints[i], &replies[i]) == STATUS_CORRUPT)
            worst = STATUS_CORRUPT;
        rpc_batch_free(&batches[i]);
    }
    if (head.number < 0)
        return worst;
    *ret_head = head;
    return STATUS_OK;
}

// The latest head comes from the best endpoint, and every POOL_HEADS_INTERVAL_MS from all of them:
// this is how the pool learns which one is behind and that a rested one is well.
enum status client_head(struct chain *chain, struct chain_head *ret_head, struct block_id block)
{
    struct pool *pool = chain_pool(chain);
    if (!pool_begin(pool))
        return STATUS_NO_MEMORY;
    struct rpc_call call = {METHOD_BLOCK, block_params(pool->scratch, block)};
    if (!call.params)
        return STATUS_NO_MEMORY;
    int64_t now_ms = clock_monotonic_ms(pool->clock);
    if (block.tag != BLOCK_LATEST || pool->count == 1 || now_ms < pool->heads_due_ms)
        return head_of_one(pool, ret_head, &call, block);
    pool->heads_due_ms = now_ms + POOL_HEADS_INTERVAL_MS;
    return head_of_all(pool, ret_head, &call);
}

struct hashes_read {
    const int64_t *numbers;
    struct hash32 *hashes;
    bool *found;
};

static const char *hash_params(void *context, size_t index, struct arena *arena)
{
    const struct hashes_read *read = context;
    return block_params(arena,
                        (struct block_id){.tag = BLOCK_NUMBER, .number = read->numbers[index]});
}

static enum status read_hash(void *context, size_t index, const struct rpc_reply *reply)
{
    const struct hashes_read *read = context;
    struct block_id block = {.tag = BLOCK_NUMBER, .number = read->numbers[index]};
    struct chain_head head;
    read->found[index] = false;
    if (reply->kind == RPC_RESULT && json_is_null(reply->result))
        return STATUS_OK;
    enum status status = read_block(&head, reply, block);
    if (status != STATUS_OK)
        return status;
    read->hashes[index] = head.hash;
    read->found[index] = true;
    return STATUS_OK;
}

enum status client_block_hashes(struct chain *chain, struct hash32 *ret_hashes, bool *ret_found,
                                const int64_t *numbers, size_t count)
{
    if (count == 0)
        return STATUS_OK;
    struct hashes_read read = {.numbers = numbers};
    read.hashes = calloc(count, sizeof *read.hashes);
    read.found = calloc(count, sizeof *read.found);
    enum status status = STATUS_NO_MEMORY;
    if (read.hashes && read.found)
        status = batch_ask(chain_pool(chain), &(struct batch_query){.method = METHOD_BLOCK,
                                                                    .count = count,
                                                                    .context = &read,
                                                                    .params = hash_params,
                                                                    .read = read_hash});
    if (status == STATUS_OK) {
        memcpy(ret_hashes, read.hashes, count * sizeof *ret_hashes);
        memcpy(ret_found, read.found, count * sizeof *ret_found);
    }
    free(read.hashes);
    free(read.found);
    return status;
}
