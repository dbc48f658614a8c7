// SPDX-License-Identifier: Apache-2.0
// Receipts and their logs, parsed strictly: this is what "paid" is decided from.
#include "chain/client.h"

#include "base/hex.h"
#include "chain/batch.h"
#include "chain/wire.h"

#include <string.h>

#define RECEIPT_LOGS_MAX 8192

struct receipts_read {
    const struct hash32 *hashes;
    struct chain_receipt *receipts;
    struct arena *arena;
};

static enum status read_log(struct event_log *ret_log, const json_t *value, struct arena *arena)
{
    const json_t *topics = json_object_get(value, "topics");
    size_t count = json_array_size(topics);
    if (!json_is_array(topics) || count > sizeof ret_log->topics / sizeof ret_log->topics[0] ||
        !wire_read_address(&ret_log->address, json_object_get(value, "address")))
        return STATUS_CORRUPT;
    for (size_t i = 0; i < count; i++) {
        if (!wire_read_hash(&ret_log->topics[i], json_array_get(topics, i)))
            return STATUS_CORRUPT;
    }
    ret_log->topics_count = count;
    return wire_read_data(&ret_log->data, json_object_get(value, "data"), arena);
}

static enum status read_logs(struct chain_receipt *receipt, const json_t *logs, struct arena *arena)
{
    size_t count = json_array_size(logs);
    if (!json_is_array(logs) || count > RECEIPT_LOGS_MAX)
        return STATUS_CORRUPT;
    receipt->logs = arena_alloc_array(arena, count, sizeof *receipt->logs);
    if (!receipt->logs)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum status status = read_log(&receipt->logs[i], json_array_get(logs, i), arena);
        if (status != STATUS_OK)
            return status;
    }
    receipt->logs_count = count;
    return STATUS_OK;
}

// Null (no such party) leaves the zero address.
static bool read_party(struct address *ret_address, const json_t *value)
{
    return !value || json_is_null(value) || wire_read_address(ret_address, value);
}

static bool read_fields(struct chain_receipt *receipt, const json_t *value)
{
    const json_t *price = json_object_get(value, "effectiveGasPrice");
    return wire_read_hash(&receipt->block_hash, json_object_get(value, "blockHash")) &&
           wire_read_int64(&receipt->block_number, json_object_get(value, "blockNumber")) &&
           wire_read_bool(&receipt->succeeded, json_object_get(value, "status")) &&
           wire_read_int64(&receipt->gas_used, json_object_get(value, "gasUsed")) &&
           read_party(&receipt->to, json_object_get(value, "to")) &&
           read_party(&receipt->contract, json_object_get(value, "contractAddress")) &&
           (!price || json_is_null(price) || wire_read_wei(&receipt->gas_price, price));
}

// A receipt without a block (some nodes give one to a pending transaction) is none.
static enum status read_receipt(void *context, size_t index, const struct rpc_reply *reply)
{
    const struct receipts_read *read = context;
    struct chain_receipt *receipt = &read->receipts[index];
    *receipt = (struct chain_receipt){.transaction_hash = read->hashes[index]};
    if (reply->kind != RPC_RESULT)
        return STATUS_UNAVAILABLE;
    if (json_is_null(reply->result))
        return STATUS_OK;
    struct hash32 hash;
    if (!wire_read_hash(&hash, json_object_get(reply->result, "transactionHash")))
        return STATUS_CORRUPT;
    if (!hash32_equal(&hash, &read->hashes[index]))
        return STATUS_CONFLICT;
    if (json_is_null(json_object_get(reply->result, "blockHash")))
        return STATUS_OK;
    if (!read_fields(receipt, reply->result))
        return STATUS_CORRUPT;
    enum status status = read_logs(receipt, json_object_get(reply->result, "logs"), read->arena);
    receipt->found = status == STATUS_OK;
    return status;
}

static const char *receipt_params(void *context, size_t index, struct arena *arena)
{
    const struct receipts_read *read = context;
    char hash[HEX_TEXT_SIZE(sizeof read->hashes->bytes)];
    hex_encode(hash, (struct bytes){read->hashes[index].bytes, sizeof read->hashes->bytes});
    return arena_printf(arena, "[\"%s\"]", hash);
}

enum status client_receipts(struct chain *chain, struct chain_receipt *ret_receipts,
                            const struct hash32 *hashes, size_t count, struct arena *arena)
{
    struct receipts_read read = {.hashes = hashes, .arena = arena};
    read.receipts = arena_alloc_array(arena, count, sizeof *read.receipts);
    if (!read.receipts)
        return STATUS_NO_MEMORY;
    enum status status =
        batch_ask(chain_pool(chain), &(struct batch_query){.method = "eth_getTransactionReceipt",
                                                           .count = count,
                                                           .context = &read,
                                                           .params = receipt_params,
                                                           .read = read_receipt});
    if (status == STATUS_OK && count > 0)
        memcpy(ret_receipts, read.receipts, count * sizeof *ret_receipts);
    return status;
}
