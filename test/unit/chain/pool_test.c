// SPDX-License-Identifier: Apache-2.0
// The endpoint pool: who is asked, who takes over, who rests and for how long, who is locked out.
#include "base/log.h"
#include "chain/node_peer.h"
#include "chain/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct address somebody = {{1}};
static const struct block_id latest = {.tag = BLOCK_LATEST};

#define NONCE "eth_getTransactionCount"
#define FIVE                                                                                       \
    {                                                                                              \
        NONCE, "\"result\":\"0x5\""                                                                \
    }
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

static const struct node_rule fine[] = {FIVE, END};

struct trouble_row {
    const char *name;
    struct node_rule rules[3];
    int status;
    const char *header;
    const char *body;
    bool hangs;
    int asked;            // calls until it rests; 0: it does not
    int64_t rest_ms;      // the first rest
    int64_t rate_limited; // of one call
};

static const struct trouble_row troubles[] = {
    {.name = "5xx", .status = 503, .asked = 1, .rest_ms = 500},
    {.name = "hangs", .hangs = true, .asked = 1, .rest_ms = 500},
    {.name = "html", .status = 200, .asked = 1, .rest_ms = 500},
    {.name = "429", .status = 429, .asked = 1, .rest_ms = 500, .rate_limited = 1},
    {.name = "429 with Retry-After",
     .status = 429,
     .header = "Retry-After: 7\r\n",
     .asked = 1,
     .rest_ms = 7000,
     .rate_limited = 1},
    {.name = "429 with a Retry-After of a week",
     .status = 429,
     .header = "Retry-After: 604800\r\n",
     .asked = 1,
     .rest_ms = ENDPOINT_CAPACITY_MS,
     .rate_limited = 1},
    {.name = "rate limit in the error",
     .rules = {{NONCE, "\"error\":{\"code\":-32005,\"message\":\"project ID request rate "
                       "exceeded\",\"data\":{\"rate\":{\"backoff_seconds\":30}}}"}},
     .asked = 1,
     .rest_ms = 30000,
     .rate_limited = 1},
    {.name = "monthly quota",
     .rules = {{NONCE, "\"error\":{\"code\":429,\"message\":\"Monthly capacity limit exceeded\"}"}},
     .asked = 1,
     .rest_ms = ENDPOINT_CAPACITY_MS,
     .rate_limited = 1},
    {.name = "daily quota",
     .rules = {{NONCE, "\"error\":{\"code\":-32005,\"message\":\"daily request count exceeded\"}"}},
     .asked = 1,
     .rest_ms = ENDPOINT_CAPACITY_MS,
     .rate_limited = 1},
    {.name = "malformed value",
     .rules = {{NONCE, "\"result\":\"five\""}},
     .asked = ENDPOINT_FAILURES_MAX,
     .rest_ms = 500},
    {.name = "no reply",
     .rules = {{NONCE, NODE_SILENCE}},
     .asked = ENDPOINT_FAILURES_MAX,
     .rest_ms = 500},
    {.name = "syncing",
     .rules = {{NONCE, "\"error\":{\"code\":-32000,\"message\":\"node is syncing\"}"}},
     .asked = ENDPOINT_BUSY_MAX,
     .rest_ms = 500},
    {.name = "another chain",
     .rules = {{"eth_chainId", "\"result\":\"0x1\""}, FIVE},
     .asked = 1,
     .rest_ms = ENDPOINT_QUARANTINE_MS},
    {.name = "another chain, said late",
     .rules = {{NONCE, "\"error\":{\"code\":-32000,\"message\":\"Wrong chainId\"}"}},
     .asked = 1,
     .rest_ms = ENDPOINT_QUARANTINE_MS},
    {.name = "a method it does not have", .rules = {END}, .asked = 0},
};

static void expect_nonce(struct chain *chain, const char *name)
{
    int64_t nonce = -1;
    enum status status = chain->ops->nonce(chain, &nonce, &somebody, latest);
    if (status != STATUS_OK || nonce != 5)
        fail_msg("%s: %s, nonce %lld", name, status_text(status), (long long)nonce);
}

static void apply(struct node *node, const struct trouble_row *row)
{
    node->rules = row->rules;
    node->status = row->status;
    node->header = row->header;
    node->body = row->body;
    node->hangs = row->hangs;
}

// The pool prefers an endpoint without failures, so the second one has to be in trouble as well for
// the first to be asked again.
// fault 31, 34, 35, 36: every trouble has its rest, and the next endpoint is asked
static void trouble_fails_over_and_then_rests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        const struct trouble_row *row = &troubles[i];
        int64_t now_ms = 1000;
        struct endpoint_health health[2];
        struct node nodes[2];
        node_start(&nodes[0], NULL);
        node_start(&nodes[1], fine);
        struct chain *chain = node_chain(nodes, 2, &now_ms);
        apply(&nodes[0], row);
        expect_nonce(chain, row->name);
        assert_int_equal(chain_endpoints(chain, health, 2), 2);
        assert_int_equal(health[0].rate_limited, row->rate_limited);
        assert_true(health[1].healthy);
        assert_int_equal(health[1].failures, 0);
        nodes[1].status = 503;
        for (int asked = 1; asked < row->asked; asked++) {
            int64_t nonce;
            assert_true(health[0].healthy);
            assert_int_not_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_OK);
            chain_endpoints(chain, health, 2);
        }
        if (health[0].healthy != (row->asked == 0))
            fail_msg("%s: healthy %d (%s)", row->name, health[0].healthy, health[0].why);
        if (row->asked > 0) {
            assert_true(health[0].why[0] != '\0');
            now_ms += row->rest_ms - 1;
            chain_endpoints(chain, health, 2);
            assert_false(health[0].healthy);
            now_ms++;
            chain_endpoints(chain, health, 2);
            if (!health[0].healthy)
                fail_msg("%s: still rests after %lld ms", row->name, (long long)row->rest_ms);
        }
        chain_close(chain);
        for (size_t n = 0; n < 2; n++)
            peer_stop(&nodes[n].peer);
    }
}

// fault 34: a waiting time is obeyed
static void a_resting_endpoint_is_not_asked_and_comes_back(void **state)
{
    (void)state;
    int64_t now_ms = 0;
    int64_t nonce;
    struct node node;
    node_start(&node, fine);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    node.status = 429;
    node.header = "Retry-After: 60\r\n";
    assert_int_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_UNAVAILABLE);
    node.status = 0;
    int requests = atomic_load(&node.peer.requests);
    assert_int_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_UNAVAILABLE);
    assert_int_equal(atomic_load(&node.peer.requests), requests);
    now_ms = 60000;
    expect_nonce(chain, "after its rest");
    chain_close(chain);
    peer_stop(&node.peer);
}

static void rests_double_up_to_their_limit_and_start_anew_after_success(void **state)
{
    (void)state;
    static const int64_t rests_ms[] = {500, 1000, 2000, 4000, 8000, 15000, 15000};
    int64_t now_ms = 0;
    int64_t nonce;
    struct endpoint_health health;
    struct node node;
    node_start(&node, fine);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    for (int round = 0; round < 2; round++) {
        node.status = 503;
        // A checked endpoint has three chances before its first rest.
        for (int i = 0; round > 0 && i < ENDPOINT_FAILURES_MAX - 1; i++)
            assert_int_not_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_OK);
        for (size_t i = 0; i < sizeof rests_ms / sizeof rests_ms[0]; i++) {
            assert_int_not_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_OK);
            now_ms += rests_ms[i] - 1;
            chain_endpoints(chain, &health, 1);
            assert_false(health.healthy);
            now_ms++;
            chain_endpoints(chain, &health, 1);
            assert_true(health.healthy);
        }
        node.status = 0;
        expect_nonce(chain, "well again");
    }
    chain_close(chain);
    peer_stop(&node.peer);
}

// fault 31: a node that comes back as one of another chain is set aside
static void the_chain_is_checked_once_and_again_after_trouble(void **state)
{
    (void)state;
    static const struct node_rule moved[] = {{"eth_chainId", "\"result\":\"0x2\""}, FIVE, END};
    int64_t now_ms = 0;
    int64_t nonce;
    uint64_t chain_id;
    struct endpoint_health health;
    struct node node;
    node_start(&node, fine);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    expect_nonce(chain, "first");
    assert_int_equal(node.calls, 2);
    node.rules = moved;
    expect_nonce(chain, "second"); // not asked again
    assert_int_equal(node.calls, 3);
    node.status = 429;
    assert_int_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_UNAVAILABLE);
    node.status = 0;
    now_ms += ENDPOINT_REST_MS_MIN;
    assert_int_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_UNAVAILABLE);
    chain_endpoints(chain, &health, 1);
    assert_false(health.healthy);
    assert_string_equal(health.why, "serves chain 2, not 31337");
    // Whoever starts up can still learn what it serves.
    assert_int_equal(chain->ops->chain_id(chain, &chain_id), STATUS_OK);
    assert_int_equal(chain_id, 2);
    now_ms += ENDPOINT_QUARANTINE_MS;
    node.rules = fine;
    expect_nonce(chain, "after its quarantine");
    chain_close(chain);
    peer_stop(&node.peer);
}

#define BLOCK(number)                                                                              \
    "\"result\":{\"number\":\"" number "\",\"timestamp\":\"0x1\",\"hash\":"                        \
    "\"0x1111111111111111111111111111111111111111111111111111111111111111\",\"parentHash\":"       \
    "\"0x2222222222222222222222222222222222222222222222222222222222222222\"}"

static void the_endpoint_with_the_highest_head_is_asked_first(void **state)
{
    (void)state;
    static const struct node_rule low[] = {
        {"eth_getBlockByNumber", BLOCK("0x10")}, {NONCE, "\"result\":\"0x4\""}, END};
    static const struct node_rule high[] = {{"eth_getBlockByNumber", BLOCK("0x11")}, FIVE, END};
    int64_t now_ms = 0;
    int64_t nonce;
    struct chain_head head;
    struct endpoint_health health[2];
    struct node nodes[2];
    node_start(&nodes[0], low);
    node_start(&nodes[1], high);
    struct chain *chain = node_chain(nodes, 2, &now_ms);
    assert_int_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_OK);
    assert_int_equal(nonce, 4); // nothing known yet: the operator's order
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    assert_int_equal(head.number, 0x11);
    expect_nonce(chain, "highest head");
    chain_endpoints(chain, health, 2);
    assert_int_equal(health[0].head_number, 0x10);
    assert_int_equal(health[1].head_number, 0x11);
    // Both at the same head: the operator's order again, at the next time all are asked.
    nodes[0].rules = (const struct node_rule[]){
        {"eth_getBlockByNumber", BLOCK("0x11")}, {NONCE, "\"result\":\"0x4\""}, END};
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    expect_nonce(chain, "not asked yet");
    now_ms += POOL_HEADS_INTERVAL_MS;
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    assert_int_equal(chain->ops->nonce(chain, &nonce, &somebody, latest), STATUS_OK);
    assert_int_equal(nonce, 4);
    chain_close(chain);
    for (size_t i = 0; i < 2; i++)
        peer_stop(&nodes[i].peer);
}

// fault 28: a head that goes back far is of another history
static void a_node_whose_head_goes_back_far_is_set_aside(void **state)
{
    (void)state;
    static const struct node_rule young[] = {{"eth_getBlockByNumber", BLOCK("0x100")}, FIVE, END};
    static const struct node_rule behind[] = {{"eth_getBlockByNumber", BLOCK("0xc0")}, FIVE, END};
    static const struct node_rule old[] = {{"eth_getBlockByNumber", BLOCK("0x7f")}, FIVE, END};
    int64_t now_ms = 0;
    struct chain_head head;
    struct endpoint_health health[2];
    struct node nodes[2];
    node_start(&nodes[0], young);
    node_start(&nodes[1], young);
    struct chain *chain = node_chain(nodes, 2, &now_ms);
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    nodes[0].rules = behind; // 64 blocks: a deep reorganisation
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    assert_int_equal(head.number, 0xc0);
    nodes[0].rules = old; // 65 more
    now_ms += POOL_HEADS_INTERVAL_MS;
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    assert_int_equal(head.number, 0x100);
    assert_int_equal(chain_endpoints(chain, health, 2), 2);
    assert_false(health[0].healthy);
    assert_true(health[1].healthy);
    nodes[1].rules = old; // asked alone, between two rounds
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_UNAVAILABLE);
    now_ms += ENDPOINT_QUARANTINE_MS; // whoever still says so then is believed
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    assert_int_equal(head.number, 0x7f);
    chain_close(chain);
    for (size_t i = 0; i < 2; i++)
        peer_stop(&nodes[i].peer);
}

static void the_head_of_a_single_endpoint_is_known(void **state)
{
    (void)state;
    static const struct node_rule rules[] = {{"eth_getBlockByNumber", BLOCK("0x10")}, END};
    int64_t now_ms = 0;
    struct chain_head head;
    struct endpoint_health health;
    struct node node;
    node_start(&node, rules);
    struct chain *chain = node_chain(&node, 1, &now_ms);
    chain_endpoints(chain, &health, 1);
    assert_int_equal(health.head_number, -1);
    assert_int_equal(chain->ops->head(chain, &head, latest), STATUS_OK);
    chain_endpoints(chain, &health, 1);
    assert_int_equal(health.head_number, 0x10);
    assert_int_equal(health.failures, 0);
    chain_close(chain);
    peer_stop(&node.peer);
}

static void names_hold_scheme_and_host_only(void **state)
{
    (void)state;
    static const struct {
        const char *url, *name;
    } names[] = {
        {"https://mainnet.infura.io/v3/0123456789abcdef", "https://mainnet.infura.io"},
        {"https://user:hunter2@rpc.example:8545/key?key=1", "https://rpc.example:8545"},
        {"https://user:p@ss@rpc.example#x", "https://rpc.example"},
        {"http://127.0.0.1:8545", "http://127.0.0.1:8545"},
        {"rpc.example/key", "rpc.example"},
        {"https://rpc.example?key=1@x", "https://rpc.example"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct endpoint_health health;
        struct chain *chain = chain_open(&(struct chain_options){
            .urls = &names[i].url, .urls_count = 1, .timeout_ms = 1, .clock = clock_system()});
        assert_int_equal(chain_endpoints(chain, &health, 1), 1);
        assert_string_equal(health.name, names[i].name);
        chain_close(chain);
    }
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_fails_over_and_then_rests),
        cmocka_unit_test(a_resting_endpoint_is_not_asked_and_comes_back),
        cmocka_unit_test(rests_double_up_to_their_limit_and_start_anew_after_success),
        cmocka_unit_test(the_chain_is_checked_once_and_again_after_trouble),
        cmocka_unit_test(the_endpoint_with_the_highest_head_is_asked_first),
        cmocka_unit_test(a_node_whose_head_goes_back_far_is_set_aside),
        cmocka_unit_test(the_head_of_a_single_endpoint_is_known),
        cmocka_unit_test(names_hold_scheme_and_host_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
