// SPDX-License-Identifier: Apache-2.0
// JSON-RPC bodies: a result is taken only from the one reply that has our id, and nothing a node
// says leaves its bounds.
#include "http_stub.h"

#include "net/json_rpc.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_MAX      4
#define BACKOFF_MS_MAX INT64_C(86400000)

// How many objects of the body have that id, and the last of them.
static size_t count_id(const json_t **ret_object, const json_t *root, size_t id, size_t count)
{
    size_t found = 0;
    size_t size = json_is_array(root) ? json_array_size(root) : 1;
    for (size_t i = 0; i < size; i++) {
        const json_t *object = json_is_array(root) ? json_array_get(root, i) : root;
        const json_t *value = json_object_get(object, "id");
        if (!json_is_integer(value) || json_integer_value(value) != (json_int_t)id)
            continue;
        found++;
        *ret_object = object;
    }
    return json_is_array(root) == (count > 1) ? found : 0;
}

static void check_reply(const struct rpc_reply *reply, const json_t *root, size_t id, size_t count)
{
    const json_t *object = NULL;
    MUST(memchr(reply->message, '\0', sizeof reply->message) && fuzz_is_printable(reply->message));
    MUST(reply->retry_after_ms >= 0 && reply->retry_after_ms <= BACKOFF_MS_MAX);
    if (reply->kind == RPC_NO_REPLY) {
        MUST(!reply->result);
        return;
    }
    MUST(count_id(&object, root, id, count) == 1);
    const json_t *error = json_object_get(object, "error");
    if (reply->kind == RPC_RESULT) {
        MUST(reply->http_status >= 200 && reply->http_status <= 299);
        MUST(reply->result && reply->result == json_object_get(object, "result"));
        MUST(!error || json_is_null(error));
    } else {
        MUST(json_is_object(error));
        MUST(reply->code == json_integer_value(json_object_get(error, "code")));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rpc_call calls[CALLS_MAX] = {
        {"eth_chainId", "[]"}, {"a", "[]"}, {"b", "[1]"}, {"c", "[]"}};
    struct fuzz_input input = fuzz_input(data, size);
    size_t count = 1 + fuzz_byte(&input) % CALLS_MAX;
    struct rpc_batch batch;
    struct rpc_reply replies[CALLS_MAX];
    http_stub_set(input);
    MUST(rpc_run(&batch, replies, NULL, "http://node", calls, count, 1000, fuzz_arena()));
    for (size_t i = 0; i < count; i++)
        check_reply(&replies[i], batch.root, i + 1, count);
    rpc_batch_free(&batch);
    return 0;
}
