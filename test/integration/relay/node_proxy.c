// SPDX-License-Identifier: Apache-2.0
// The proxy: forwards each request as it came, and bends the replies.
#include "node_proxy.h"

#include "net/http_client.h"
#include "net/tcp_peer.h"

#include <stdlib.h>
#include <string.h>

#define FORWARD_MS_MAX    30000
#define FORWARD_BYTES_MAX ((size_t)16 << 20)
#define METHODS_MAX       32
#define METHOD_NAME_SIZE  48

struct node_proxy {
    struct tcp_peer peer;
    char node[64];
    struct http_client *http;
    struct arena *arena;
    pthread_mutex_t mutex; // what follows
    proxy_bend bend;
    void *context;
    char refused[METHOD_NAME_SIZE]; // "": none
    json_t *error;
    char methods[METHODS_MAX][METHOD_NAME_SIZE];
    size_t counts[METHODS_MAX];
};

static void count_call(struct node_proxy *proxy, const char *method)
{
    for (size_t i = 0; i < METHODS_MAX; i++) {
        if (proxy->methods[i][0] == '\0')
            snprintf(proxy->methods[i], METHOD_NAME_SIZE, "%s", method);
        if (strcmp(proxy->methods[i], method) == 0) {
            proxy->counts[i]++;
            return;
        }
    }
}

static enum proxy_verdict bend_one(struct node_proxy *proxy, const json_t *call, json_t *reply)
{
    const char *method = json_string_value(json_object_get(call, "method"));
    count_call(proxy, method);
    if (strcmp(method, proxy->refused) == 0) {
        json_object_del(reply, "result");
        json_object_set(reply, "error", proxy->error);
    }
    if (proxy->bend == NULL)
        return PROXY_ANSWER;
    return proxy->bend(proxy->context, method, json_object_get(call, "params"), reply);
}

static json_t *reply_to(json_t *replies, const json_t *call)
{
    if (!json_is_array(replies))
        return replies;
    for (size_t i = 0; i < json_array_size(replies); i++)
        if (json_equal(json_object_get(json_array_get(replies, i), "id"),
                       json_object_get(call, "id")))
            return json_array_get(replies, i);
    return NULL;
}

static enum proxy_verdict bend_all(struct node_proxy *proxy, json_t *calls, json_t *replies)
{
    enum proxy_verdict verdict = PROXY_ANSWER;
    size_t count = json_is_array(calls) ? json_array_size(calls) : 1;
    pthread_mutex_lock(&proxy->mutex);
    for (size_t i = 0; i < count; i++) {
        json_t *call = json_is_array(calls) ? json_array_get(calls, i) : calls;
        json_t *reply = reply_to(replies, call);
        if (reply != NULL && bend_one(proxy, call, reply) == PROXY_CLOSE)
            verdict = PROXY_CLOSE;
    }
    pthread_mutex_unlock(&proxy->mutex);
    return verdict;
}

static json_t *forward(struct node_proxy *proxy, const char *body)
{
    struct http_response response;
    struct http_request request = {.url = proxy->node,
                                   .content_type = "application/json",
                                   .body = {(const uint8_t *)body, strlen(body)},
                                   .timeout_ms = FORWARD_MS_MAX,
                                   .response_bytes_max = FORWARD_BYTES_MAX};
    arena_reset(proxy->arena);
    if (!http_client_run(proxy->http, &response, &request, 1, proxy->arena) ||
        response.fault != HTTP_FINE)
        return NULL;
    return json_loadb((const char *)response.body.data, response.body.size, 0, NULL);
}

// What the node is asked in place of refused calls does nothing.
static char *forwarded(struct node_proxy *proxy, const json_t *calls)
{
    json_t *copy = json_deep_copy(calls);
    size_t count = json_is_array(copy) ? json_array_size(copy) : 1;
    pthread_mutex_lock(&proxy->mutex);
    for (size_t i = 0; i < count; i++) {
        json_t *call = json_is_array(copy) ? json_array_get(copy, i) : copy;
        const char *method = json_string_value(json_object_get(call, "method"));
        if (method == NULL || strcmp(method, proxy->refused) != 0)
            continue;
        json_object_set_new(call, "method", json_string("eth_chainId"));
        json_object_set_new(call, "params", json_array());
    }
    pthread_mutex_unlock(&proxy->mutex);
    char *text = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    if (text == NULL)
        abort();
    return text;
}

static bool handle(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    (void)head;
    struct node_proxy *proxy = peer->context;
    json_t *calls = json_loads(body, 0, NULL);
    char *request = forwarded(proxy, calls);
    json_t *replies = forward(proxy, request);
    free(request);
    bool answers =
        calls != NULL && replies != NULL && bend_all(proxy, calls, replies) == PROXY_ANSWER;
    if (answers) {
        char *text = json_dumps(replies, JSON_COMPACT);
        if (text == NULL)
            abort();
        peer_respond(fd, 200, "Content-Type: application/json\r\n", text);
        free(text);
    }
    json_decref(calls);
    json_decref(replies);
    return answers;
}

struct node_proxy *proxy_start(const char *url)
{
    struct node_proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL)
        abort();
    snprintf(proxy->node, sizeof proxy->node, "%s", url);
    proxy->http = http_client_new();
    proxy->arena = arena_new(2 * FORWARD_BYTES_MAX);
    if (proxy->http == NULL || proxy->arena == NULL)
        abort();
    pthread_mutex_init(&proxy->mutex, NULL);
    peer_start(&proxy->peer, handle, proxy);
    return proxy;
}

void proxy_stop(struct node_proxy *proxy)
{
    peer_stop(&proxy->peer);
    pthread_mutex_destroy(&proxy->mutex);
    json_decref(proxy->error);
    arena_free(proxy->arena);
    http_client_free(proxy->http);
    free(proxy);
}

const char *proxy_url(const struct node_proxy *proxy)
{
    return proxy->peer.url;
}

void proxy_set(struct node_proxy *proxy, proxy_bend bend, void *context)
{
    pthread_mutex_lock(&proxy->mutex);
    proxy->bend = bend;
    proxy->context = context;
    pthread_mutex_unlock(&proxy->mutex);
}

void proxy_refuse(struct node_proxy *proxy, const char *method, const char *error)
{
    pthread_mutex_lock(&proxy->mutex);
    json_decref(proxy->error);
    proxy->error = error == NULL ? NULL : json_loads(error, 0, NULL);
    snprintf(proxy->refused, METHOD_NAME_SIZE, "%s", error == NULL ? "" : method);
    pthread_mutex_unlock(&proxy->mutex);
}

size_t proxy_calls(struct node_proxy *proxy, const char *method)
{
    size_t count = 0;
    pthread_mutex_lock(&proxy->mutex);
    for (size_t i = 0; i < METHODS_MAX; i++)
        if (strcmp(proxy->methods[i], method) == 0)
            count = proxy->counts[i];
    pthread_mutex_unlock(&proxy->mutex);
    return count;
}
