// SPDX-License-Identifier: Apache-2.0
// JSON-RPC: requests written straight into the arena, replies parsed, bounded and matched by id.
#include "net/json_rpc.h"

#include "base/hex.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_DIGITS_MAX 20
// A body of empty containers costs a hundred times its size once parsed: both are bounded first.
#define JSON_CONTAINERS_MAX   131072
#define JSON_VALUES_MAX       1048576
#define ERROR_DATA_DEPTH_MAX  4
#define BACKOFF_S_MAX         86400
#define HTTP_STATUS_FINE_MIN  200
#define HTTP_STATUS_FINE_MAX  299
#define HTTP_STATUS_TEXT_SIZE 32

#define CALL_START  "{\"jsonrpc\":\"2.0\",\"id\":"
#define CALL_METHOD ",\"method\":\""
#define CALL_PARAMS "\",\"params\":"

static char *put(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

static char *put_call(char *at, const struct rpc_call *call, size_t id)
{
    char digits[ID_DIGITS_MAX + 1];
    snprintf(digits, sizeof digits, "%zu", id);
    at = put(put(at, CALL_START), digits);
    at = put(put(at, CALL_METHOD), call->method);
    at = put(put(at, CALL_PARAMS), call->params);
    return put(at, "}");
}

static size_t call_size_max(const struct rpc_call *call)
{
    return sizeof CALL_START + ID_DIGITS_MAX + sizeof CALL_METHOD + strlen(call->method) +
           sizeof CALL_PARAMS + strlen(call->params) + sizeof "},";
}

// Ids are 1..count, in order.
static bool write_body(struct bytes *ret_body, const struct rpc_call *calls, size_t count,
                       struct arena *arena)
{
    size_t size_max = sizeof "[]";
    for (size_t i = 0; i < count; i++)
        size_max += call_size_max(&calls[i]);
    char *start = arena_alloc(arena, size_max);
    if (!start)
        return false;
    char *at = start;
    if (count > 1)
        *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *at++ = ',';
        at = put_call(at, &calls[i], i + 1);
    }
    if (count > 1)
        *at++ = ']';
    *ret_body = (struct bytes){(const uint8_t *)start, (size_t)(at - start)};
    return true;
}

static bool is_bounded(struct bytes body)
{
    size_t containers = 0;
    size_t values = 0;
    for (size_t i = 0; i < body.size; i++) {
        containers += body.data[i] == '{' || body.data[i] == '[';
        values += body.data[i] == ',';
    }
    return containers <= JSON_CONTAINERS_MAX && values <= JSON_VALUES_MAX;
}

// False only when memory is out; *ret_root is NULL where the body is not JSON.
static bool parse_body(json_t **ret_root, struct bytes body)
{
    *ret_root = NULL;
    if (body.size == 0 || !is_bounded(body))
        return true;
    json_error_t error;
    return json_read(ret_root, &error, body) != STATUS_NO_MEMORY;
}

static void copy_printable(char *out, size_t capacity, const char *text)
{
    size_t i = 0;
    for (; i + 1 < capacity && text[i] != '\0'; i++)
        out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    out[i] = '\0';
}

// "0x08c3..", or the same behind a word, as in "Reverted 0x08c3..". Anything else is no data.
static bool take_hex(struct bytes *ret_data, const char *text, struct arena *arena)
{
    const char *hex = strstr(text, "0x");
    if (!hex)
        return true;
    size_t capacity = strlen(hex) / 2;
    uint8_t *decoded = arena_alloc(arena, capacity);
    if (!decoded)
        return false;
    size_t size;
    if (hex_decode_any(decoded, &size, capacity, hex) && size > 0)
        *ret_data = (struct bytes){decoded, size};
    return true;
}

// Revert data stands in error.data itself, in .data below it, or in .originalError below that.
static bool take_data(struct bytes *ret_data, const json_t *value, struct arena *arena)
{
    for (int depth = 0; depth < ERROR_DATA_DEPTH_MAX; depth++) {
        if (json_is_string(value))
            return take_hex(ret_data, json_string_value(value), arena);
        const json_t *inner = json_object_get(value, "data");
        value = inner ? inner : json_object_get(value, "originalError");
    }
    return true;
}

// error.data.backoff_seconds, or the same one object down, as Infura has it. Fractions round up.
static int64_t backoff_ms(const json_t *data)
{
    const json_t *value = json_object_get(data, "backoff_seconds");
    if (!value)
        value = json_object_get(json_object_get(data, "rate"), "backoff_seconds");
    int64_t seconds = json_integer_value(value);
    if (json_is_real(value) && json_real_value(value) > 0)
        seconds = json_real_value(value) < BACKOFF_S_MAX ? (int64_t)json_real_value(value) + 1
                                                         : BACKOFF_S_MAX;
    if (seconds <= 0)
        return 0;
    return (seconds < BACKOFF_S_MAX ? seconds : BACKOFF_S_MAX) * INT64_C(1000);
}

// False only when memory is out.
static bool take_error(struct rpc_reply *reply, const json_t *error, struct arena *arena)
{
    const json_t *message = json_object_get(error, "message");
    const json_t *data = json_object_get(error, "data");
    reply->code = json_integer_value(json_object_get(error, "code"));
    copy_printable(reply->message, sizeof reply->message,
                   json_is_string(message) ? json_string_value(message) : "");
    int64_t backoff = backoff_ms(data);
    if (backoff > reply->retry_after_ms)
        reply->retry_after_ms = backoff;
    if (json_is_string(data)) {
        reply->data_text = arena_copy_text(arena, json_string_value(data));
        if (!reply->data_text)
            return false;
    }
    return take_data(&reply->data, data, arena);
}

static void set_no_reply(struct rpc_reply *reply, const char *why)
{
    reply->kind = RPC_NO_REPLY;
    reply->result = NULL;
    reply->code = 0;
    copy_printable(reply->message, sizeof reply->message, why);
    reply->data = (struct bytes){0};
    reply->data_text = NULL;
}

static bool is_set(const json_t *value)
{
    return value && !json_is_null(value);
}

// False only when memory is out. Some nodes write a null beside the member that counts.
static bool take_reply(struct rpc_reply *reply, const json_t *object, struct arena *arena)
{
    json_t *result = json_object_get(object, "result");
    const json_t *error = json_object_get(object, "error");
    bool status_fine =
        reply->http_status >= HTTP_STATUS_FINE_MIN && reply->http_status <= HTTP_STATUS_FINE_MAX;
    if (is_set(error) && !is_set(result) && json_is_object(error)) {
        reply->kind = RPC_ERROR;
        return take_error(reply, error, arena);
    }
    if (result && !is_set(error) && status_fine) {
        reply->kind = RPC_RESULT;
        reply->message[0] = '\0';
        reply->result = result;
        return true;
    }
    set_no_reply(reply, "neither a result nor an error");
    return true;
}

// Sets *ret_index where the id is one we asked with.
static bool match_id(size_t *ret_index, const json_t *object, size_t count)
{
    const json_t *id = json_object_get(object, "id");
    json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 1 || (uint64_t)value > count)
        return false;
    *ret_index = (size_t)value - 1;
    return true;
}

static bool take_replies(struct rpc_reply *replies, const json_t *root, size_t count,
                         struct arena *arena)
{
    bool *seen = arena_alloc_array(arena, count, sizeof *seen);
    if (!seen)
        return false;
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *object = json_array_get(root, i);
        size_t index;
        if (!match_id(&index, object, count))
            continue;
        if (seen[index]) // two answers to one question answer nothing
            set_no_reply(&replies[index], "answered twice");
        else if (!take_reply(&replies[index], object, arena))
            return false;
        seen[index] = true;
    }
    return true;
}

// One error for the whole request, under no id of ours. It settles no call, but its code and text
// say how to treat the endpoint.
static bool take_whole_error(struct rpc_reply *replies, const json_t *error, size_t count,
                             struct arena *arena)
{
    if (!json_is_object(error))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (!take_error(&replies[i], error, arena))
            return false;
    }
    return true;
}

static bool take_root(struct rpc_reply *replies, const json_t *root, size_t count,
                      struct arena *arena)
{
    size_t index;
    if (json_is_array(root))
        return count == 1 || take_replies(replies, root, count, arena);
    if (count == 1 && match_id(&index, root, count))
        return take_reply(replies, root, arena);
    return take_whole_error(replies, json_object_get(root, "error"), count, arena);
}

static void set_defaults(struct rpc_reply *replies, size_t count,
                         const struct http_response *response)
{
    char status[HTTP_STATUS_TEXT_SIZE];
    snprintf(status, sizeof status, "HTTP status %d", response->status);
    bool fine = response->fault == HTTP_FINE;
    bool status_fine =
        response->status >= HTTP_STATUS_FINE_MIN && response->status <= HTTP_STATUS_FINE_MAX;
    const char *why = !fine ? response->error : status_fine ? "no such reply" : status;
    for (size_t i = 0; i < count; i++) {
        replies[i] = (struct rpc_reply){.fault = fine ? HTTP_UNKNOWN : response->fault,
                                        .http_status = response->status,
                                        .retry_after_ms = response->retry_after_ms};
        set_no_reply(&replies[i], why);
    }
}

static bool read_response(struct rpc_batch *ret_batch, struct rpc_reply *ret_replies, size_t count,
                          const struct http_response *response, struct arena *arena)
{
    set_defaults(ret_replies, count, response);
    if (response->fault != HTTP_FINE)
        return true;
    return parse_body(&ret_batch->root, response->body) &&
           take_root(ret_replies, ret_batch->root, count, arena);
}

static const char *const json_headers[] = {"Accept: application/json", NULL};

static struct http_request request_to(const char *url, struct bytes body, int64_t timeout_ms)
{
    return (struct http_request){.url = url,
                                 .content_type = "application/json",
                                 .body = body,
                                 .headers = json_headers,
                                 .timeout_ms = timeout_ms,
                                 .response_bytes_max = RPC_RESPONSE_BYTES_MAX};
}

bool rpc_run_everywhere(struct rpc_batch *ret_batches, struct rpc_reply *ret_replies,
                        struct http_client *client, const char *const *urls, size_t urls_count,
                        const struct rpc_call *calls, size_t count, int64_t timeout_ms,
                        struct arena *arena)
{
    if (count == 0 || count > RPC_BATCH_CALLS_MAX)
        abort();
    struct bytes body;
    struct http_request *requests = arena_alloc_array(arena, urls_count, sizeof *requests);
    struct http_response *responses = arena_alloc_array(arena, urls_count, sizeof *responses);
    if (!requests || !responses || !write_body(&body, calls, count, arena))
        return false;
    for (size_t i = 0; i < urls_count; i++) {
        requests[i] = request_to(urls[i], body, timeout_ms);
        ret_batches[i] = (struct rpc_batch){0};
    }
    bool ok = http_client_run(client, responses, requests, urls_count, arena);
    for (size_t i = 0; i < urls_count && ok; i++)
        ok = read_response(&ret_batches[i], ret_replies + i * count, count, &responses[i], arena);
    for (size_t i = 0; i < urls_count && !ok; i++)
        rpc_batch_free(&ret_batches[i]);
    return ok;
}

bool rpc_run(struct rpc_batch *ret_batch, struct rpc_reply *ret_replies, struct http_client *client,
             const char *url, const struct rpc_call *calls, size_t count, int64_t timeout_ms,
             struct arena *arena)
{
    return rpc_run_everywhere(ret_batch, ret_replies, client, &url, 1, calls, count, timeout_ms,
                              arena);
}

void rpc_batch_free(struct rpc_batch *batch)
{
    if (!batch)
        return;
    json_decref(batch->root);
    batch->root = NULL;
}
