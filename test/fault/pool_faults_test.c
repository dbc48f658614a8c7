// SPDX-License-Identifier: Apache-2.0
// The real pool of endpoints against nodes that go wrong at their k-th request: the answer is right
// or there is none, another node is asked, and what may have been taken is never called refused.
#include "fault/points.h"
#include "support/fail_alloc.h"
#include "unit/chain/node_peer.h"

#include "base/log.h"
#include "net/json_rpc.h"

#include <sys/socket.h>

#define H1 "0x1111111111111111111111111111111111111111111111111111111111111111"
#define BLOCK                                                                                      \
    "\"result\":{\"number\":\"0x7\",\"hash\":\"" H1 "\",\"parentHash\":\"" H1                      \
    "\",\"timestamp\":\"0x64\",\"baseFeePerGas\":\"0x9\"}"
#define ARENA_BYTES ((size_t)64 << 20)
#define TIMEOUT_MS  400
#define LATER_MS    INT64_C(4000000) // past every rest
#define ROW_OF      5                // requests that go wrong in a row
#define OVERSIZE    (RPC_RESPONSE_BYTES_MAX + 1)
#define CHUNK       "10000\r\n"
#define CHUNK_SIZE  0x10000

enum wrong {
    WRONG_RESET,
    WRONG_HALF_HEAD,
    WRONG_SILENCE,
    WRONG_RATE,
    WRONG_STATUS,
    WRONG_HTML,
    WRONG_CUT_JSON,
    WRONG_CUT_BODY,
    WRONG_ID,
    WRONG_BOTH,
    WRONG_EMPTY,
    WRONG_NESTED,
    WRONG_OVERSIZE,
    WRONG_ENDLESS,
    WRONGS,
};

static const char *const wrong_names[] = {
    [WRONG_RESET] = "reset",
    [WRONG_HALF_HEAD] = "half a head",
    [WRONG_SILENCE] = "silence",
    [WRONG_RATE] = "429 with Retry-After",
    [WRONG_STATUS] = "500",
    [WRONG_HTML] = "HTML",
    [WRONG_CUT_JSON] = "JSON cut short",
    [WRONG_CUT_BODY] = "body cut short",
    [WRONG_ID] = "another id",
    [WRONG_BOTH] = "result and error",
    [WRONG_EMPTY] = "nothing",
    [WRONG_NESTED] = "200,000 brackets",
    [WRONG_OVERSIZE] = "more than the limit",
    [WRONG_ENDLESS] = "chunks without end",
};

struct bad_node {
    struct node node; // first
    enum wrong wrong;
    int64_t requests, from, to, fired;
};

struct pool_world {
    struct bad_node bad;
    struct bad_node good;
    struct chain *chain;
    struct arena *arena;
    int64_t clock_ms;
    size_t nodes;
    bool row; // several requests in a row go wrong
    enum wrong wrong;
};

// ---------------------------------------------------------------- the nodes

static void reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

static void write_many(int fd, const char *before, const char *text, size_t size)
{
    static char data[CHUNK_SIZE];
    memset(data, text[0], sizeof data);
    for (size_t done = 0; done < size; done += sizeof data) {
        peer_write_text(fd, before);
        if (send(fd, data, sizeof data, MSG_NOSIGNAL) < 0)
            return;
        if (before[0] != '\0')
            peer_write_text(fd, "\r\n");
    }
}

// False: the connection is to be closed.
static bool go_wrong(struct tcp_peer *peer, int fd, enum wrong wrong)
{
    switch (wrong) {
    case WRONG_RESET:
        reset(fd);
        return false;
    case WRONG_HALF_HEAD:
        peer_write_text(fd, "HTTP/1.1 20");
        return false;
    case WRONG_SILENCE:
        peer_wait_for_close(peer, fd);
        return false;
    case WRONG_RATE:
        peer_respond(fd, 429, "Retry-After: 7\r\n", "{}");
        return true;
    case WRONG_STATUS:
        peer_respond(fd, 500, "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x63\"}");
        return true;
    case WRONG_HTML:
        peer_respond(fd, 200, "Content-Type: text/html\r\n", "<html>0x63</html>");
        return true;
    case WRONG_CUT_JSON:
        peer_respond(fd, 200, "", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x63");
        return true;
    case WRONG_CUT_BODY:
        peer_write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"
                            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x63\"}");
        return false;
    case WRONG_ID:
        peer_respond(fd, 200, "", "{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":\"0x63\"}");
        return true;
    case WRONG_BOTH:
        peer_respond(fd, 200, "",
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x63\","
                     "\"error\":{\"code\":-1,\"message\":\"x\"}}");
        return true;
    case WRONG_EMPTY:
        peer_respond(fd, 200, "", "");
        return true;
    case WRONG_NESTED:
        peer_write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 262144\r\n\r\n");
        write_many(fd, "", "[", 262144);
        return true;
    case WRONG_OVERSIZE:
        peer_write_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
        write_many(fd, "", " ", OVERSIZE);
        return false;
    case WRONG_ENDLESS:
        peer_write_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        write_many(fd, CHUNK, " ", (size_t)4 * OVERSIZE);
        return false;
    case WRONGS:
        break;
    }
    return false;
}

static bool handle(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    struct bad_node *bad = peer->context;
    fail_alloc_count_thread(false);
    bad->requests++;
    if (bad->requests < bad->from || bad->requests > bad->to)
        return node_handle(peer, fd, head, body);
    bad->fired++;
    return go_wrong(peer, fd, bad->wrong);
}

static void start_node(struct bad_node *bad)
{
    static const struct node_rule rules[] = {
        {"eth_getBlockByNumber", BLOCK},
        {"eth_getTransactionCount", "\"result\":\"0x5\""},
        {"eth_getBalance", "\"result\":\"0x21e19e0c9bab2400000\""},
        {"eth_getTransactionReceipt", "\"result\":null"},
        {"eth_call", "\"result\":\"0x1234\""},
        {"eth_sendRawTransaction", NODE_ECHO_HASH},
        {NULL, NULL},
    };
    *bad = (struct bad_node){.from = INT64_MAX};
    bad->node.rules = rules;
    peer_start(&bad->node.peer, handle, bad);
}

static void world_open(struct pool_world *world, size_t nodes)
{
    static struct clock clock;
    memset(world, 0, sizeof *world);
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    world->nodes = nodes;
    world->arena = arena_new(ARENA_BYTES);
    start_node(&world->bad);
    start_node(&world->good);
    clock = (struct clock){node_clock_now, node_clock_now, &world->clock_ms};
    const char *urls[] = {world->bad.node.peer.url, world->good.node.peer.url};
    world->chain = chain_open(&(struct chain_options){.urls = urls,
                                                      .urls_count = nodes,
                                                      .chain_id = NODE_CHAIN_ID,
                                                      .timeout_ms = TIMEOUT_MS,
                                                      .clock = &clock});
    assert_non_null(world->chain);
    assert_non_null(world->arena);
}

static void world_close(struct pool_world *world)
{
    chain_close(world->chain);
    arena_free(world->arena);
    peer_stop(&world->bad.node.peer);
    peer_stop(&world->good.node.peer);
}

// ---------------------------------------------------------------- what the lane asks

static const struct address somebody = {{1}};
static const struct block_id latest = {.tag = BLOCK_LATEST};

static enum status ask_head(struct pool_world *world)
{
    struct chain_head head;
    enum status status = world->chain->ops->head(world->chain, &head, latest);
    if (status == STATUS_OK) {
        assert_int_equal(head.number, 7);
        assert_int_equal(head.timestamp_s, 0x64);
        assert_int_equal(head.hash.bytes[31], 0x11);
    }
    return status;
}

static enum status ask_nonce(struct pool_world *world)
{
    int64_t nonce;
    enum status status = world->chain->ops->nonce(world->chain, &nonce, &somebody, latest);
    if (status == STATUS_OK)
        assert_int_equal(nonce, 5);
    return status;
}

static enum status ask_balance(struct pool_world *world)
{
    struct wei balance, expected;
    enum status status = world->chain->ops->balance(world->chain, &balance, &somebody);
    assert_true(wei_parse_gwei(&expected, "10000000000000"));
    if (status == STATUS_OK)
        assert_int_equal(wei_compare(balance, expected), 0);
    return status;
}

static enum status ask_receipts(struct pool_world *world)
{
    const struct hash32 hashes[2] = {{{1}}, {{2}}};
    struct chain_receipt receipts[2];
    enum status status =
        world->chain->ops->receipts(world->chain, receipts, hashes, 2, world->arena);
    if (status == STATUS_OK)
        assert_false(receipts[0].found || receipts[1].found);
    return status;
}

static enum status ask_call(struct pool_world *world)
{
    static const uint8_t data[] = {1, 2, 3, 4};
    const struct chain_call call = {.to = somebody, .data = {data, sizeof data}};
    struct call_result result;
    enum status status =
        world->chain->ops->call(world->chain, &result, &call, 1, latest, world->arena);
    // A node's trouble may come out as a failed call, never as another value or as a revert.
    if (status == STATUS_OK && result.succeeded) {
        assert_int_equal(result.returned.size, 2);
        assert_int_equal(result.returned.data[0], 0x12);
    } else if (status == STATUS_OK) {
        assert_int_not_equal(result.rpc_class, RPC_REVERT);
        return STATUS_UNAVAILABLE;
    }
    return status;
}

// 429 says it was not taken; all else is said of what never left, for the chain's id was not
// proven.
static void fail_unless_never_left(const struct pool_world *world, const struct send_result *result)
{
    if (result->rpc_class == RPC_TRANSIENT ||
        (world->wrong == WRONG_RATE && result->rpc_class == RPC_RATE_LIMITED))
        return;
    fail_msg("%s: refused as %s: %s", wrong_names[world->wrong], rpc_class_text(result->rpc_class),
             result->message);
}

// What a node may have read is not called refused, unless it said so itself (429).
static enum status ask_send(struct pool_world *world)
{
    static const uint8_t raw[] = {2, 7, 1, 8, 2, 8};
    const struct bytes raws[] = {{raw, sizeof raw}};
    struct send_result result;
    uint64_t seen = world->bad.node.raws_count + world->good.node.raws_count;
    int64_t fired = world->bad.fired;
    enum status status = world->chain->ops->send(world->chain, &result, raws, 1, world->arena);
    if (status != STATUS_OK)
        return status;
    bool arrived = world->bad.node.raws_count + world->good.node.raws_count > seen;
    if (arrived)
        assert_int_not_equal(result.outcome, SEND_REFUSED);
    else
        assert_int_not_equal(result.outcome, SEND_ACCEPTED);
    if (world->bad.fired > fired && result.outcome == SEND_REFUSED)
        fail_unless_never_left(world, &result);
    return arrived ? STATUS_OK : STATUS_UNAVAILABLE;
}

static enum status (*const questions[])(struct pool_world *) = {
    ask_head, ask_nonce, ask_balance, ask_receipts, ask_call, ask_send, ask_head, ask_send,
};
#define QUESTIONS (sizeof questions / sizeof questions[0])

static void assert_known_end(enum status status)
{
    assert_true(status == STATUS_OK || status == STATUS_UNAVAILABLE || status == STATUS_CORRUPT ||
                status == STATUS_NO_MEMORY);
}

// Once the trouble is over and the endpoint has rested, all is well again.
static void assert_recovers(struct pool_world *world)
{
    world->bad.from = INT64_MAX;
    world->clock_ms += LATER_MS;
    for (size_t i = 0; i < QUESTIONS; i++)
        assert_string_equal(status_text(questions[i](world)), "ok");
}

static bool run_point(void *context, int64_t k)
{
    const struct pool_world *loop = context;
    struct pool_world world;
    world_open(&world, loop->nodes);
    world.wrong = world.bad.wrong = loop->wrong;
    world.bad.from = k;
    world.bad.to = loop->row ? k + ROW_OF : k;
    for (size_t i = 0; i < QUESTIONS; i++) {
        enum status status = questions[i](&world);
        assert_known_end(status);
        if (world.nodes > 1)
            assert_string_equal(status_text(status), "ok"); // the other node was asked
    }
    bool fired = world.bad.fired > 0;
    assert_recovers(&world);
    world_close(&world);
    return fired;
}

static bool is_slow(enum wrong wrong)
{
    return wrong == WRONG_SILENCE || wrong == WRONG_OVERSIZE || wrong == WRONG_ENDLESS;
}

static void loop(size_t nodes, bool row, const char *scenario)
{
    for (int wrong = 0; wrong < WRONGS; wrong++) {
        struct pool_world world = {.nodes = nodes, .row = row, .wrong = (enum wrong)wrong};
        points_loop(scenario, wrong_names[wrong], is_slow(world.wrong) ? STRIDE_SLOW : 4, run_point,
                    &world);
    }
}

// fault 33, 34, 35: at any request; another endpoint is there
static void another_endpoint_answers_whatever_one_does(void **state)
{
    (void)state;
    loop(2, false, "two endpoints");
}

// fault 33, 34, 35: at any request and those that follow; nothing else to ask
static void a_single_endpoint_gives_the_right_answer_or_none(void **state)
{
    (void)state;
    loop(1, false, "one endpoint");
    loop(1, true, "one, for a while");
}

// ---------------------------------------------------------------- memory

static bool run_memory_point(void *context, int64_t k)
{
    struct pool_world *world = context;
    arena_reset(world->arena);
    fail_alloc_count_thread(true);
    fail_alloc_arm(k, false);
    for (size_t i = 0; i < QUESTIONS; i++)
        assert_known_end(questions[i](world));
    bool fired = fail_alloc_disarm() > 0;
    fail_alloc_count_thread(false);
    assert_recovers(world);
    return fired;
}

// fault 69: memory fails while a node is asked and its reply is read
static void no_allocation_that_fails_changes_an_answer(void **state)
{
    (void)state;
    struct pool_world world;
    world_open(&world, 1);
    assert_recovers(&world);
    points_loop("one endpoint", "allocation fails once", 19, run_memory_point, &world);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_endpoint_answers_whatever_one_does),
        cmocka_unit_test(a_single_endpoint_gives_the_right_answer_or_none),
        cmocka_unit_test(no_allocation_that_fails_changes_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
