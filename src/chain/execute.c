// SPDX-License-Identifier: Apache-2.0
// eth_call and eth_estimateGas in batches; a revert is an answer and keeps its data.
#include "chain/client.h"

#include "base/hex.h"
#include "chain/batch.h"
#include "chain/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELD_SIZE 80
#define NO_BLOCK   ""

struct execution {
    const struct chain_call *calls;
    struct call_result *results;
    const char *block; // with comma and quotes, or ""
    bool estimates;
    struct arena *arena;
};

// `"name":"0x..",` or nothing where the address is zero: no sender given, or a creation.
static void address_field(char out[FIELD_SIZE], const char *name, const struct address *address)
{
    char text[HEX_TEXT_SIZE(sizeof address->bytes)];
    out[0] = '\0';
    if (address_is_zero(address))
        return;
    hex_encode(text, (struct bytes){address->bytes, sizeof address->bytes});
    snprintf(out, FIELD_SIZE, "\"%s\":\"%s\",", name, text);
}

static const char *execution_params(void *context, size_t index, struct arena *arena)
{
    const struct execution *execution = context;
    const struct chain_call *call = &execution->calls[index];
    char from[FIELD_SIZE];
    char to[FIELD_SIZE];
    char gas[FIELD_SIZE] = "";
    address_field(from, "from", &call->from);
    address_field(to, "to", &call->to);
    if (call->gas_limit > 0)
        snprintf(gas, sizeof gas, "\"gas\":\"0x%" PRIx64 "\",", (uint64_t)call->gas_limit);
    char *data = arena_alloc(arena, HEX_TEXT_SIZE(call->data.size));
    if (!data)
        return NULL;
    hex_encode(data, call->data);
    return arena_printf(arena, "[{%s%s%s\"data\":\"%s\"}%s]", from, to, gas, data,
                        execution->block);
}

static enum status read_result(struct call_result *result, const json_t *value, bool estimates,
                               struct arena *arena)
{
    result->succeeded = true;
    if (!estimates)
        return wire_read_data(&result->returned, value, arena);
    return wire_read_int64(&result->gas, value) ? STATUS_OK : STATUS_CORRUPT;
}

static enum status read_refusal(struct call_result *result, const struct rpc_reply *reply,
                                struct arena *arena)
{
    result->rpc_class = reply_class(reply);
    snprintf(result->message, sizeof result->message, "%.*s", (int)sizeof result->message - 1,
             reply->message);
    if (reply->data.size == 0)
        return STATUS_OK;
    // The reply lives in the scratch arena, which the next batch empties.
    result->returned = (struct bytes){arena_copy(arena, reply->data), reply->data.size};
    return result->returned.data ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status read_execution(void *context, size_t index, const struct rpc_reply *reply)
{
    const struct execution *execution = context;
    struct call_result *result = &execution->results[index];
    *result = (struct call_result){0};
    if (reply->kind == RPC_RESULT)
        return read_result(result, reply->result, execution->estimates, execution->arena);
    return read_refusal(result, reply, execution->arena);
}

static enum status execute(struct pool *pool, struct call_result *ret_results,
                           struct execution execution, const char *method, size_t count)
{
    execution.results = arena_alloc_array(execution.arena, count, sizeof *execution.results);
    if (!execution.results)
        return STATUS_NO_MEMORY;
    enum status status = batch_ask(pool, &(struct batch_query){.method = method,
                                                               .count = count,
                                                               .context = &execution,
                                                               .params = execution_params,
                                                               .read = read_execution});
    if (status == STATUS_OK && count > 0)
        memcpy(ret_results, execution.results, count * sizeof *ret_results);
    return status;
}

enum status client_call(struct chain *chain, struct call_result *ret_results,
                        const struct chain_call *calls, size_t count, struct block_id block,
                        struct arena *arena)
{
    char tag[WIRE_BLOCK_SIZE];
    char parameter[WIRE_BLOCK_SIZE + sizeof ",\"\""];
    wire_block(tag, block);
    snprintf(parameter, sizeof parameter, ",\"%s\"", tag);
    struct execution execution = {.calls = calls, .block = parameter, .arena = arena};
    return execute(chain_pool(chain), ret_results, execution, "eth_call", count);
}

enum status client_estimate(struct chain *chain, struct call_result *ret_results,
                            const struct chain_call *calls, size_t count, struct arena *arena)
{
    struct execution execution = {
        .calls = calls, .block = NO_BLOCK, .estimates = true, .arena = arena};
    return execute(chain_pool(chain), ret_results, execution, "eth_estimateGas", count);
}
