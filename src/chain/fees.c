// SPDX-License-Identifier: Apache-2.0
// The fee oracle: eth_feeHistory where the chain has it, simpler calls where it does not.
#include "chain/client.h"

#include "chain/wire.h"

#include <stdlib.h>

#define FEE_BLOCKS         5
#define FEE_BLOCKS_MAX     64 // that a node may answer with
#define FEE_HISTORY_PARAMS "[\"0x5\",\"latest\",[50]]"

static const struct rpc_call history_calls[] = {
    {"eth_feeHistory", FEE_HISTORY_PARAMS},
    {"eth_maxPriorityFeePerGas", "[]"},
};
static const struct rpc_call plain_calls[] = {
    {"eth_getBlockByNumber", "[\"latest\",false]"},
    {"eth_maxPriorityFeePerGas", "[]"},
    {"eth_gasPrice", "[]"},
};

static int compare_wei(const void *a, const void *b)
{
    return wei_compare(*(const struct wei *)a, *(const struct wei *)b);
}

// Blocks without a transaction paid nobody and say nothing. *ret_count may be 0.
static bool read_rewards(struct wei ret_rewards[FEE_BLOCKS_MAX], size_t *ret_count,
                         const json_t *history)
{
    const json_t *rewards = json_object_get(history, "reward");
    const json_t *ratios = json_object_get(history, "gasUsedRatio");
    size_t blocks = json_array_size(rewards);
    size_t count = 0;
    if (blocks > FEE_BLOCKS_MAX || !json_is_array(ratios))
        return false;
    for (size_t i = 0; i < blocks; i++) {
        const json_t *ratio = json_array_get(ratios, i);
        struct wei reward;
        if (!json_is_number(ratio) ||
            !wire_read_wei(&reward, json_array_get(json_array_get(rewards, i), 0)))
            return false;
        if (json_number_value(ratio) > 0.0)
            ret_rewards[count++] = reward;
    }
    *ret_count = count;
    return true;
}

static bool read_median(struct wei *ret_median, bool *ret_known, const json_t *history)
{
    struct wei rewards[FEE_BLOCKS_MAX];
    size_t count;
    if (!read_rewards(rewards, &count, history))
        return false;
    *ret_known = count > 0;
    if (count == 0)
        return true;
    qsort(rewards, count, sizeof rewards[0], compare_wei);
    *ret_median = rewards[count / 2];
    return true;
}

// The node's own suggestion; zero where it has none.
static bool read_suggestion(struct wei *ret_fee, const struct rpc_reply *reply)
{
    *ret_fee = (struct wei){0};
    return reply->kind != RPC_RESULT || wire_read_wei(ret_fee, reply->result);
}

// The last base fee is that of the block to come.
static enum status read_history(void *context, const struct rpc_reply *replies, size_t count)
{
    (void)count;
    struct chain_fees *fees = context;
    if (replies[0].kind != RPC_RESULT)
        return STATUS_UNAVAILABLE;
    const json_t *base_fees = json_object_get(replies[0].result, "baseFeePerGas");
    size_t blocks = json_array_size(base_fees);
    bool known;
    if (blocks == 0 || blocks > FEE_BLOCKS_MAX ||
        !wire_read_wei(&fees->base_fee, json_array_get(base_fees, blocks - 1)) ||
        !read_median(&fees->priority_fee, &known, replies[0].result))
        return STATUS_CORRUPT;
    if (!known && !read_suggestion(&fees->priority_fee, &replies[1]))
        return STATUS_CORRUPT;
    return STATUS_OK;
}

// A chain without EIP-1559: its gas price is all there is, and stands for the base fee.
static enum status read_gas_price(struct chain_fees *fees, const struct rpc_reply *reply)
{
    if (reply->kind != RPC_RESULT)
        return STATUS_UNAVAILABLE;
    fees->priority_fee = (struct wei){0};
    return wire_read_wei(&fees->base_fee, reply->result) ? STATUS_OK : STATUS_CORRUPT;
}

static enum status read_plain(void *context, const struct rpc_reply *replies, size_t count)
{
    (void)count;
    struct chain_fees *fees = context;
    if (replies[0].kind != RPC_RESULT || !json_is_object(replies[0].result))
        return STATUS_UNAVAILABLE;
    const json_t *base_fee = json_object_get(replies[0].result, "baseFeePerGas");
    if (!base_fee || json_is_null(base_fee))
        return read_gas_price(fees, &replies[2]);
    return wire_read_wei(&fees->base_fee, base_fee) &&
                   read_suggestion(&fees->priority_fee, &replies[1])
               ? STATUS_OK
               : STATUS_CORRUPT;
}

// A base fee of zero is also what a chain without EIP-1559 answers: the latest block tells.
enum status client_fees(struct chain *chain, struct chain_fees *ret_fees)
{
    struct pool *pool = chain_pool(chain);
    struct chain_fees fees = {0};
    if (!pool_begin(pool))
        return STATUS_NO_MEMORY;
    enum status status =
        pool_ask(pool, &(struct pool_query){.calls = history_calls,
                                            .count = sizeof history_calls / sizeof history_calls[0],
                                            .context = &fees,
                                            .read = read_history});
    if (status == STATUS_UNAVAILABLE || (status == STATUS_OK && wei_is_zero(fees.base_fee)))
        status =
            pool_ask(pool, &(struct pool_query){.calls = plain_calls,
                                                .count = sizeof plain_calls / sizeof plain_calls[0],
                                                .context = &fees,
                                                .read = read_plain});
    if (status == STATUS_OK)
        *ret_fees = fees;
    return status;
}
