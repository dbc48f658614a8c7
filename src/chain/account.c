// SPDX-License-Identifier: Apache-2.0
// Reads of one value: chain id, nonce, balance, code.
#include "chain/client.h"

#include "base/hex.h"
#include "chain/wire.h"

struct value_read {
    bool (*read)(void *ret_value, const json_t *result);
    void *value;
};

static enum status read_value(void *context, const struct rpc_reply *replies, size_t count)
{
    (void)count;
    const struct value_read *value = context;
    if (replies[0].kind != RPC_RESULT)
        return STATUS_UNAVAILABLE;
    return value->read(value->value, replies[0].result) ? STATUS_OK : STATUS_CORRUPT;
}

// params is in the scratch arena, or NULL when that is out.
static enum status ask_value(struct pool *pool, struct value_read value, const char *method,
                             const char *params, bool any_chain)
{
    if (!params)
        return STATUS_NO_MEMORY;
    struct rpc_call call = {method, params};
    return pool_ask(pool, &(struct pool_query){.calls = &call,
                                               .count = 1,
                                               .any_chain = any_chain,
                                               .context = &value,
                                               .read = read_value});
}

static const char *account_params(struct pool *pool, const struct address *address,
                                  struct block_id block)
{
    char account[HEX_TEXT_SIZE(sizeof address->bytes)];
    char tag[WIRE_BLOCK_SIZE];
    hex_encode(account, (struct bytes){address->bytes, sizeof address->bytes});
    wire_block(tag, block);
    return arena_printf(pool->scratch, "[\"%s\",\"%s\"]", account, tag);
}

static bool read_u64(void *ret_value, const json_t *result)
{
    return wire_read_u64(ret_value, result);
}

static bool read_int64(void *ret_value, const json_t *result)
{
    return wire_read_int64(ret_value, result);
}

static bool read_wei(void *ret_value, const json_t *result)
{
    return wire_read_wei(ret_value, result);
}

static bool read_has_code(void *ret_value, const json_t *result)
{
    bool *has_code = ret_value;
    const char *text = json_string_value(result);
    if (!text || text[0] != '0' || text[1] != 'x')
        return false;
    *has_code = text[2] != '\0';
    return true;
}

// Of whichever endpoint answers, so that a wrong one can be named.
enum status client_chain_id(struct chain *chain, uint64_t *ret_id)
{
    struct pool *pool = chain_pool(chain);
    if (!pool_begin(pool))
        return STATUS_NO_MEMORY;
    return ask_value(pool, (struct value_read){read_u64, ret_id}, "eth_chainId", "[]", true);
}

enum status client_nonce(struct chain *chain, int64_t *ret_nonce, const struct address *address,
                         struct block_id block)
{
    struct pool *pool = chain_pool(chain);
    if (!pool_begin(pool))
        return STATUS_NO_MEMORY;
    return ask_value(pool, (struct value_read){read_int64, ret_nonce}, "eth_getTransactionCount",
                     account_params(pool, address, block), false);
}

enum status client_balance(struct chain *chain, struct wei *ret_balance,
                           const struct address *address)
{
    struct pool *pool = chain_pool(chain);
    struct block_id latest = {.tag = BLOCK_LATEST};
    if (!pool_begin(pool))
        return STATUS_NO_MEMORY;
    return ask_value(pool, (struct value_read){read_wei, ret_balance}, "eth_getBalance",
                     account_params(pool, address, latest), false);
}

enum status client_has_code(struct chain *chain, bool *ret_has_code, const struct address *address)
{
    struct pool *pool = chain_pool(chain);
    struct block_id latest = {.tag = BLOCK_LATEST};
    if (!pool_begin(pool))
        return STATUS_NO_MEMORY;
    return ask_value(pool, (struct value_read){read_has_code, ret_has_code}, "eth_getCode",
                     account_params(pool, address, latest), false);
}
