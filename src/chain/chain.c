// SPDX-License-Identifier: Apache-2.0
// Opens the real chain: its operations and its pool.
#include "chain/client.h"

#include <stdlib.h>

static void client_distrust(struct chain *chain, size_t endpoint, const char *why)
{
    struct pool *pool = chain_pool(chain);
    struct endpoint *liar = NULL;
    if (endpoint == CHAIN_LAST_ANSWER)
        liar = pool->answered;
    else if (endpoint < pool->count)
        liar = &pool->endpoints[endpoint];
    if (liar != NULL && endpoint_is_ready(pool, liar))
        pool_quarantine(pool, liar, why);
}

static const struct chain_ops client_ops = {
    .chain_id = client_chain_id,
    .head = client_head,
    .fees = client_fees,
    .nonce = client_nonce,
    .balance = client_balance,
    .has_code = client_has_code,
    .receipts = client_receipts,
    .block_hashes = client_block_hashes,
    .send = client_send,
    .call = client_call,
    .estimate = client_estimate,
    .distrust = client_distrust,
};

struct chain *chain_open(const struct chain_options *options)
{
    struct chain_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    if (!pool_open(&client->pool, options)) {
        free(client);
        return NULL;
    }
    client->chain.ops = &client_ops;
    return &client->chain;
}

void chain_close(struct chain *chain)
{
    if (!chain)
        return;
    pool_close(chain_pool(chain));
    free(chain);
}

size_t chain_endpoints(const struct chain *chain, struct endpoint_health *ret_health,
                       size_t capacity)
{
    const struct pool *pool = &((const struct chain_client *)chain)->pool;
    size_t count = pool->count < capacity ? pool->count : capacity;
    for (size_t i = 0; i < count; i++) {
        ret_health[i] = pool->endpoints[i].health;
        ret_health[i].healthy = endpoint_is_ready(pool, &pool->endpoints[i]);
    }
    return count;
}
