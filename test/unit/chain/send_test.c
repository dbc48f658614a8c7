// SPDX-License-Identifier: Apache-2.0
// Sending: what each answer means, how the answers of several endpoints merge, order, batches.
#include "base/log.h"
#include "chain/batch.h"
#include "chain/node_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SEND        "eth_sendRawTransaction"
#define ERROR(text) "\"error\":{\"code\":-32000,\"message\":\"" text "\"}"

static const struct bytes raw = {(const uint8_t *)"\x02\x00\x00\x01 raw", 8};

// What a node does with a transaction.
struct behaviour {
    const char *answer;
    int status;
    bool hangs;
    bool refuses; // connections
};

#define ACCEPTS                                                                                    \
    {                                                                                              \
        .answer = NODE_ECHO_HASH                                                                   \
    }
#define SAYS(...)                                                                                  \
    {                                                                                              \
        .answer = ERROR(__VA_ARGS__)                                                               \
    }
#define HANGS                                                                                      \
    {                                                                                              \
        .hangs = true                                                                              \
    }
#define REFUSES                                                                                    \
    {                                                                                              \
        .refuses = true                                                                            \
    }
#define UNSURE                                                                                     \
    {                                                                                              \
        .answer = NODE_SILENCE                                                                     \
    }

static const struct {
    const char *name;
    struct behaviour nodes[2];
    size_t count;
    enum send_outcome outcome;
    enum rpc_class rpc_class; // SEND_REFUSED
} rows[] = {
    {"its hash", {ACCEPTS}, 1, SEND_ACCEPTED, RPC_UNKNOWN},
    {"already known", {SAYS("already known")}, 1, SEND_ACCEPTED, RPC_UNKNOWN},
    {"nonce too low", {SAYS("nonce too low")}, 1, SEND_REFUSED, RPC_NONCE_TOO_LOW},
    {"another hash", {{.answer = NODE_OTHER_HASH}}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"a number", {{.answer = "\"result\":1"}}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"null", {{.answer = "\"result\":null"}}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"a text no rule knows", {SAYS("whatever")}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"a time-out at the node", {SAYS("request timed out")}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"a revert", {SAYS("execution reverted")}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"no reply", {UNSURE}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"hangs", {HANGS}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"5xx", {{.status = 502}}, 1, SEND_UNKNOWN, RPC_UNKNOWN},
    {"429", {{.status = 429}}, 1, SEND_REFUSED, RPC_RATE_LIMITED},
    {"refuses connections", {REFUSES}, 1, SEND_REFUSED, RPC_TRANSIENT},
    {"accepted beats unknown", {HANGS, ACCEPTS}, 2, SEND_ACCEPTED, RPC_UNKNOWN},
    {"accepted beats refused", {SAYS("nonce too low"), ACCEPTS}, 2, SEND_ACCEPTED, RPC_UNKNOWN},
    {"accepted first", {ACCEPTS, SAYS("nonce too low")}, 2, SEND_ACCEPTED, RPC_UNKNOWN},
    {"unknown beats refused", {SAYS("nonce too low"), UNSURE}, 2, SEND_UNKNOWN, RPC_UNKNOWN},
    {"unknown first", {UNSURE, SAYS("nonce too low")}, 2, SEND_UNKNOWN, RPC_UNKNOWN},
    {"the safer refusal",
     {SAYS("underpriced"), SAYS("nonce too low")},
     2,
     SEND_REFUSED,
     RPC_NONCE_TOO_LOW},
    {"the safer refusal first",
     {SAYS("nonce too low"), SAYS("underpriced")},
     2,
     SEND_REFUSED,
     RPC_NONCE_TOO_LOW},
    {"a refusal beats no connection",
     {REFUSES, SAYS("underpriced")},
     2,
     SEND_REFUSED,
     RPC_UNDERPRICED},
};

static const struct node_rule no_rules[] = {{0}};

// Proves the chain of all endpoints first, so that the trouble below meets the sending itself.
static struct chain *open_checked(struct node *nodes, size_t count, int64_t *clock_ms)
{
    struct send_result result;
    struct chain *chain = node_chain(nodes, count, clock_ms);
    assert_int_equal(chain->ops->send(chain, &result, &raw, 1, NULL), STATUS_OK);
    return chain;
}

static void behave(struct node *node, struct node_rule rules[2], const struct behaviour *behaviour)
{
    rules[0] = (struct node_rule){SEND, behaviour->answer};
    rules[1] = (struct node_rule){0};
    node->rules = rules;
    node->status = behaviour->status;
    node->hangs = behaviour->hangs;
    if (behaviour->refuses)
        peer_stop(&node->peer);
}

// fault 5, 33: what is known already is sent, what has no answer counts as sent
static void each_answer_has_its_outcome_and_the_best_one_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t now_ms = 0;
        struct node nodes[2];
        struct node_rule rules[2][2];
        struct send_result result;
        for (size_t n = 0; n < rows[i].count; n++)
            node_start(&nodes[n], no_rules);
        struct chain *chain = open_checked(nodes, rows[i].count, &now_ms);
        for (size_t n = 0; n < rows[i].count; n++)
            behave(&nodes[n], rules[n], &rows[i].nodes[n]);
        assert_int_equal(chain->ops->send(chain, &result, &raw, 1, NULL), STATUS_OK);
        if (result.outcome != rows[i].outcome ||
            (result.outcome == SEND_REFUSED && result.rpc_class != rows[i].rpc_class))
            fail_msg("%s: outcome %d, %s (%s)", rows[i].name, (int)result.outcome,
                     rpc_class_text(result.rpc_class), result.message);
        chain_close(chain);
        for (size_t n = 0; n < rows[i].count; n++) {
            if (!rows[i].nodes[n].refuses)
                peer_stop(&nodes[n].peer);
        }
    }
}

// fault 30: another hash than ours: ours counts, and the node is not believed
static void another_hash_locks_the_node_out(void **state)
{
    (void)state;
    static const struct node_rule lies[] = {{SEND, NODE_OTHER_HASH}, {0}};
    int64_t now_ms = 0;
    struct node node;
    struct endpoint_health health;
    struct send_result result;
    node_start(&node, lies);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    assert_int_equal(chain->ops->send(chain, &result, &raw, 1, NULL), STATUS_OK);
    chain_endpoints(chain, &health, 1);
    assert_false(health.healthy);
    assert_int_equal(chain->ops->send(chain, &result, &raw, 1, NULL), STATUS_OK);
    assert_int_equal(result.outcome, SEND_REFUSED); // nobody was there to send it to
    assert_int_equal(result.rpc_class, RPC_TRANSIENT);
    assert_int_equal(node.raws_count, 1);
    chain_close(chain);
    peer_stop(&node.peer);
}

#define MANY 1500

static void many_go_to_every_node_in_order_and_in_bounded_batches(void **state)
{
    (void)state;
    static const struct node_rule accepts[] = {{SEND, NODE_ECHO_HASH}, {0}};
    static uint8_t bytes[MANY][8];
    static struct bytes raws[MANY];
    static struct send_result results[MANY];
    int64_t now_ms = 0;
    struct node nodes[2];
    for (size_t i = 0; i < MANY; i++) {
        bytes[i][2] = (uint8_t)(i >> 8);
        bytes[i][3] = (uint8_t)i;
        raws[i] = (struct bytes){bytes[i], sizeof bytes[i]};
    }
    for (size_t n = 0; n < 2; n++)
        node_start(&nodes[n], accepts);
    struct chain *chain = node_chain(nodes, 2, &now_ms);
    assert_int_equal(chain->ops->send(chain, results, raws, MANY, NULL), STATUS_OK);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(results[i].outcome, SEND_ACCEPTED);
    for (size_t n = 0; n < 2; n++) {
        assert_int_equal(nodes[n].raws_count, MANY);
        assert_int_equal(nodes[n].batch_max, RPC_BATCH_CALLS_MAX);
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(nodes[n].raws[i], i);
    }
    chain_close(chain);
    for (size_t n = 0; n < 2; n++)
        peer_stop(&nodes[n].peer);
}

#define LARGE_COUNT 10
#define LARGE_BYTES 200000

static void large_ones_go_in_batches_of_bounded_bytes(void **state)
{
    (void)state;
    static const struct node_rule accepts[] = {{SEND, NODE_ECHO_HASH}, {0}};
    static uint8_t bytes[LARGE_BYTES];
    struct bytes raws[LARGE_COUNT];
    struct send_result results[LARGE_COUNT];
    int64_t now_ms = 0;
    struct node node;
    for (size_t i = 0; i < LARGE_COUNT; i++)
        raws[i] = (struct bytes){bytes, sizeof bytes};
    node_start(&node, accepts);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    assert_int_equal(chain->ops->send(chain, results, raws, LARGE_COUNT, NULL), STATUS_OK);
    for (size_t i = 0; i < LARGE_COUNT; i++)
        assert_int_equal(results[i].outcome, SEND_ACCEPTED);
    assert_true(node.batch_max <= BATCH_REQUEST_BYTES_MAX / (2 * LARGE_BYTES));
    assert_true(node.batch_max > 1);
    chain_close(chain);
    peer_stop(&node.peer);
}

// A node that fails in the middle gets no more of this send, and what it was never given does not
// count as sent.
static void what_was_never_sent_is_not_unknown(void **state)
{
    (void)state;
    static struct bytes raws[RPC_BATCH_CALLS_MAX + 1];
    static struct send_result results[RPC_BATCH_CALLS_MAX + 1];
    static const struct node_rule silent[] = {{SEND, NODE_SILENCE}, {0}};
    int64_t now_ms = 0;
    struct node node;
    for (size_t i = 0; i <= RPC_BATCH_CALLS_MAX; i++)
        raws[i] = raw;
    node_start(&node, silent);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    assert_int_equal(chain->ops->send(chain, results, raws, RPC_BATCH_CALLS_MAX + 1, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < RPC_BATCH_CALLS_MAX; i++)
        assert_int_equal(results[i].outcome, SEND_UNKNOWN);
    assert_int_equal(results[RPC_BATCH_CALLS_MAX].outcome, SEND_REFUSED);
    assert_int_equal(results[RPC_BATCH_CALLS_MAX].rpc_class, RPC_TRANSIENT);
    assert_int_equal(node.raws_count, RPC_BATCH_CALLS_MAX);
    chain_close(chain);
    peer_stop(&node.peer);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_outcome_and_the_best_one_counts),
        cmocka_unit_test(another_hash_locks_the_node_out),
        cmocka_unit_test(many_go_to_every_node_in_order_and_in_bounded_batches),
        cmocka_unit_test(large_ones_go_in_batches_of_bounded_bytes),
        cmocka_unit_test(what_was_never_sent_is_not_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
