// SPDX-License-Identifier: Apache-2.0
// A scripted node for tests: answers JSON-RPC calls by method, with a clock the test moves.
#pragma once

#include "base/hex.h"
#include "chain/chain.h"
#include "eth/keccak.h"
#include "net/tcp_peer.h"

#include <jansson.h>

#define NODE_CHAIN_ID   31337
#define NODE_TIMEOUT_MS 2000
#define NODE_RAWS_MAX   4096
#define NODE_ECHO_HASH  "@hash"  // a rule: the Keccak hash of the raw transaction, as nodes answer
#define NODE_OTHER_HASH "@other" // a rule: another hash
#define NODE_SILENCE    "@none"  // a rule: no reply to this call

struct node_rule {
    const char *method;
    const char *answer; // "\"result\":.." or "\"error\":..", or one of the above
};

struct node {
    struct tcp_peer peer;
    const struct node_rule *rules; // up to one without a method
    int status;                    // 0: 200 and the rules
    const char *header;
    const char *body; // with a status
    bool hangs;
    size_t calls;
    size_t batch_max; // calls of the largest request
    size_t raws_count;
    uint32_t raws[NODE_RAWS_MAX]; // the first four bytes of each raw transaction, in order
};

// "0x.." of the first parameter's text.
static inline bool node_take_raw(struct node *node, char out[HEX_TEXT_SIZE(32)], const char *text)
{
    size_t capacity = strlen(text) / 2;
    uint8_t *raw = malloc(capacity);
    size_t size;
    bool ok = raw && hex_decode_any(raw, &size, capacity, text) && size >= 4;
    if (ok) {
        struct hash32 hash = keccak256((struct bytes){raw, size});
        hex_encode(out, (struct bytes){hash.bytes, sizeof hash.bytes});
        if (node->raws_count < NODE_RAWS_MAX)
            node->raws[node->raws_count++] =
                (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];
    }
    free(raw);
    return ok;
}

static inline const char *node_find(const struct node *node, const char *method)
{
    for (const struct node_rule *rule = node->rules; rule && rule->method; rule++) {
        if (strcmp(rule->method, method) == 0)
            return rule->answer;
    }
    if (strcmp(method, "eth_chainId") == 0)
        return "\"result\":\"0x7a69\"";
    return "\"error\":{\"code\":-32601,\"message\":\"the method does not exist\"}";
}

// Writes the reply to one call; nothing where the rule is silence.
static inline void node_reply(struct node *node, FILE *out, const json_t *call, bool *wrote)
{
    char hash[HEX_TEXT_SIZE(32)] = "";
    const char *answer = node_find(node, json_string_value(json_object_get(call, "method")));
    const char *first = json_string_value(json_array_get(json_object_get(call, "params"), 0));
    node->calls++;
    if (strcmp(json_string_value(json_object_get(call, "method")), "eth_sendRawTransaction") == 0 &&
        !node_take_raw(node, hash, first))
        abort();
    if (strcmp(answer, NODE_SILENCE) == 0)
        return;
    if (strcmp(answer, NODE_OTHER_HASH) == 0)
        hash[5] = hash[5] == '0' ? '1' : '0';
    fprintf(out, "%s{\"jsonrpc\":\"2.0\",\"id\":%" JSON_INTEGER_FORMAT ",", *wrote ? "," : "",
            json_integer_value(json_object_get(call, "id")));
    if (answer[0] == '@')
        fprintf(out, "\"result\":\"%s\"}", hash);
    else
        fprintf(out, "%s}", answer);
    *wrote = true;
}

static inline void node_answer(struct node *node, int fd, const char *request)
{
    char *text = NULL;
    size_t size = 0;
    bool wrote = false;
    json_t *root = json_loads(request, 0, NULL);
    FILE *out = open_memstream(&text, &size);
    if (!root || !out)
        abort();
    if (json_is_array(root)) {
        fputc('[', out);
        for (size_t i = 0; i < json_array_size(root); i++)
            node_reply(node, out, json_array_get(root, i), &wrote);
        fputc(']', out);
        if (json_array_size(root) > node->batch_max)
            node->batch_max = json_array_size(root);
    } else {
        node_reply(node, out, root, &wrote);
    }
    fclose(out);
    peer_respond(fd, 200, "Content-Type: application/json\r\n", text);
    json_decref(root);
    free(text);
}

static inline bool node_handle(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    (void)head;
    struct node *node = peer->context;
    if (node->hangs) {
        peer_wait_for_close(peer, fd);
        return false;
    }
    if (node->status != 0)
        peer_respond(fd, node->status, node->header ? node->header : "",
                     node->body ? node->body : "<html>");
    else
        node_answer(node, fd, body);
    return true;
}

static inline void node_start(struct node *node, const struct node_rule *rules)
{
    *node = (struct node){.rules = rules};
    peer_start(&node->peer, node_handle, node);
}

static inline int64_t node_clock_now(void *context)
{
    return *(int64_t *)context;
}

// The chain over several nodes; clock_ms is what its clock reads.
static inline struct chain *node_chain(struct node *nodes, size_t count, int64_t *clock_ms)
{
    static struct clock clock;
    const char *urls[CHAIN_ENDPOINTS_MAX];
    for (size_t i = 0; i < count; i++)
        urls[i] = nodes[i].peer.url;
    clock = (struct clock){node_clock_now, node_clock_now, clock_ms};
    return chain_open(&(struct chain_options){.urls = urls,
                                              .urls_count = count,
                                              .chain_id = NODE_CHAIN_ID,
                                              .timeout_ms = NODE_TIMEOUT_MS,
                                              .clock = &clock});
}
