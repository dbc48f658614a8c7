// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 over HTTP: a batch of calls in one request, matched by id, every reply checked.
#pragma once

#include "net/http_client.h"

#include <jansson.h>

struct rpc_call {
    const char *method;
    const char *params; // JSON array text, e.g. "[\"0x1\",false]"
};

enum rpc_reply_kind {
    RPC_RESULT,   // result is set (may be JSON null)
    RPC_ERROR,    // code, message, data are set
    RPC_NO_REPLY, // transport or form failed: fault says how much the server may have seen
};

#define RPC_MESSAGE_SIZE 256

struct rpc_reply {
    enum rpc_reply_kind kind;
    json_t *result; // borrowed from the batch
    int64_t code;
    char message[RPC_MESSAGE_SIZE]; // cut, printable ASCII
    struct bytes data;              // revert data found in error.data, decoded; in the arena
    const char *data_text;          // error.data where it is a text, else NULL; in the arena
    enum http_fault fault;          // RPC_NO_REPLY
    int http_status;                // 0 where there was none
    int64_t retry_after_ms;         // 0: not said
};

struct rpc_batch {
    json_t *root; // owns the results
};

#define RPC_BATCH_CALLS_MAX    512
#define RPC_RESPONSE_BYTES_MAX (16 * 1024 * 1024)

// Sends count calls (at most RPC_BATCH_CALLS_MAX) to url as one batch (one plain call when count
// is 1). A reply with a wrong or missing id, both or neither of result and error, not JSON, or
// missing from the batch is RPC_NO_REPLY with HTTP_UNKNOWN. False only when memory is out.
MUST_USE bool rpc_run(struct rpc_batch *ret_batch, struct rpc_reply *ret_replies,
                      struct http_client *client, const char *url, const struct rpc_call *calls,
                      size_t count, int64_t timeout_ms, struct arena *arena);
// The same batch to several endpoints at the same time: ret_replies[e * count + c].
MUST_USE bool rpc_run_everywhere(struct rpc_batch *ret_batches, struct rpc_reply *ret_replies,
                                 struct http_client *client, const char *const *urls,
                                 size_t urls_count, const struct rpc_call *calls, size_t count,
                                 int64_t timeout_ms, struct arena *arena);
void rpc_batch_free(struct rpc_batch *batch);
