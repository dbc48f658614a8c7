// SPDX-License-Identifier: Apache-2.0
// JSON-RPC against a peer that answers in every wrong form: each call has its own end.
#include "net/json_rpc.h"

#include "base/hex.h"
#include "net/tcp_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TIMEOUT_MS      10000
#define ARENA_BYTES_MAX ((size_t)256 << 20)

struct fixture {
    struct http_client *client;
    struct arena *arena;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->client = http_client_new();
    fixture->arena = arena_new(ARENA_BYTES_MAX);
    *state = fixture;
    return fixture->client && fixture->arena ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_client_free(fixture->client);
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

struct answer {
    int status;
    const char *header;
    const char *body;
    char seen[4096];
};

static bool answer(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    (void)head;
    struct answer *answer = peer->context;
    snprintf(answer->seen, sizeof answer->seen, "%s", body);
    peer_respond(fd, answer->status, answer->header ? answer->header : "", answer->body);
    return true;
}

static const struct rpc_call calls[] = {{"eth_chainId", "[]"}, {"eth_call", "[{\"to\":\"0x1\"}]"}};

#define FINE1 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}"
#define FINE2 "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":null}"

// One letter per call: r result, e error, n no reply.
static const struct {
    const char *name;
    size_t count;
    int status;
    const char *body;
    const char *expected;
} forms[] = {
    {"one", 1, 200, FINE1, "r"},
    {"two", 2, 200, "[" FINE1 "," FINE2 "]", "rr"},
    {"two in the other order", 2, 200, "[" FINE2 "," FINE1 "]", "rr"},
    {"one as a batch", 1, 200, "[" FINE1 "]", "n"},
    {"two as one", 2, 200, FINE1, "nn"},
    {"one is missing", 2, 200, "[" FINE2 "]", "nr"},
    {"none", 2, 200, "[]", "nn"},
    {"no body", 1, 200, "", "n"},
    {"wrong id", 1, 200, "{\"id\":2,\"result\":1}", "n"},
    {"id as text", 1, 200, "{\"id\":\"1\",\"result\":1}", "n"},
    {"id null", 1, 200, "{\"id\":null,\"result\":1}", "n"},
    {"id real", 1, 200, "{\"id\":1.0,\"result\":1}", "n"},
    {"no id", 1, 200, "{\"result\":1}", "n"},
    {"id out of range", 2, 200, "[" FINE1 ",{\"id\":3,\"result\":1},{\"id\":0,\"result\":1}]",
     "rn"},
    {"the same id twice", 2, 200, "[" FINE1 "," FINE2 "," FINE1 "]", "nr"},
    {"the same id thrice", 2, 200, "[" FINE1 "," FINE1 "," FINE1 "]", "nn"},
    {"result and error", 1, 200, "{\"id\":1,\"result\":1,\"error\":{\"code\":1}}", "n"},
    {"result and null error", 1, 200, "{\"id\":1,\"result\":1,\"error\":null}", "r"},
    {"null result and error", 1, 200, "{\"id\":1,\"result\":null,\"error\":{\"code\":1}}", "e"},
    {"neither", 1, 200, "{\"id\":1}", "n"},
    {"error is a text", 1, 200, "{\"id\":1,\"error\":\"no\"}", "n"},
    {"error of odd members", 1, 200, "{\"id\":1,\"error\":{\"code\":\"x\",\"message\":[1]}}", "e"},
    {"duplicate member", 1, 200, "{\"id\":1,\"result\":1,\"result\":2}", "n"},
    {"html", 2, 200, "<html><body>Bad gateway</body></html>", "nn"},
    {"cut off", 2, 200, "[" FINE1 ",{\"jsonrpc\":\"2.0\",\"id\":2,\"resu", "nn"},
    {"more behind it", 1, 200, FINE1 "]", "n"},
    {"a number", 1, 200, "17", "n"},
    {"odd members of the batch", 2, 200, "[1,null,[]," FINE2 "]", "nr"},
    {"not UTF-8", 1, 200, "{\"id\":1,\"result\":\"\xff\"}", "n"},
    {"a NUL in a text", 1, 200, "{\"id\":1,\"result\":\"\\u0000\"}", "n"},
    {"a result with a failing status", 1, 500, FINE1, "n"},
    {"an error with a failing status", 1, 400, "{\"id\":1,\"error\":{\"code\":-32000}}", "e"},
    {"one error for all", 2, 200, "{\"id\":null,\"error\":{\"code\":-32005,\"message\":\"no\"}}",
     "nn"},
};

static char letter(const struct rpc_reply *reply)
{
    if (reply->kind == RPC_RESULT)
        return reply->result ? 'r' : '?';
    return reply->kind == RPC_ERROR ? 'e' : 'n';
}

// fault 35: error pages, cut JSON, wrong ids, result and error both
static void each_form_of_answer_ends_each_call(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct answer given = {.status = forms[i].status, .body = forms[i].body};
        struct tcp_peer peer;
        struct rpc_batch batch;
        struct rpc_reply replies[2];
        peer_start(&peer, answer, &given);
        assert_true(rpc_run(&batch, replies, fixture->client, peer.url, calls, forms[i].count,
                            TIMEOUT_MS, fixture->arena));
        for (size_t c = 0; c < forms[i].count; c++) {
            if (letter(&replies[c]) != forms[i].expected[c])
                fail_msg("%s: call %zu ends as %c (%s)", forms[i].name, c, letter(&replies[c]),
                         replies[c].message);
            assert_int_equal(replies[c].http_status, forms[i].status);
            if (replies[c].kind == RPC_NO_REPLY)
                assert_int_equal(replies[c].fault, HTTP_UNKNOWN);
        }
        rpc_batch_free(&batch);
        arena_reset(fixture->arena);
        peer_stop(&peer);
    }
}

static void requests_are_plain_json_rpc(void **state)
{
    struct fixture *fixture = *state;
    struct answer given = {.status = 200, .body = FINE1};
    struct tcp_peer peer;
    struct rpc_batch batch;
    struct rpc_reply replies[2];
    peer_start(&peer, answer, &given);
    assert_true(
        rpc_run(&batch, replies, fixture->client, peer.url, calls, 1, TIMEOUT_MS, fixture->arena));
    assert_string_equal(given.seen,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}");
    assert_string_equal(json_string_value(replies[0].result), "0x1");
    rpc_batch_free(&batch);
    assert_true(
        rpc_run(&batch, replies, fixture->client, peer.url, calls, 2, TIMEOUT_MS, fixture->arena));
    assert_string_equal(given.seen,
                        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]},"
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_call\",\"params\":[{\"to\":"
                        "\"0x1\"}]}]");
    rpc_batch_free(&batch);
    peer_stop(&peer);
}

// What is found in error.data, as hex; and the wait it asks for.
static const struct {
    const char *error;
    const char *data;
    const char *text;
    int64_t retry_after_ms;
} errors[] = {
    {"{\"code\":3,\"data\":\"0x08c379a0\"}", "0x08c379a0", "0x08c379a0", 0},
    {"{\"code\":-32015,\"data\":\"Reverted 0x08c379a0\"}", "0x08c379a0", "Reverted 0x08c379a0", 0},
    {"{\"code\":3,\"data\":{\"message\":\"m\",\"data\":\"0x12\"}}", "0x12", NULL, 0},
    {"{\"code\":3,\"data\":{\"originalError\":{\"code\":3,\"data\":\"0x1234\"}}}", "0x1234", NULL,
     0},
    {"{\"code\":3,\"data\":{\"data\":{\"data\":{\"data\":{\"data\":\"0x12\"}}}}}", "0x", NULL, 0},
    {"{\"code\":3,\"data\":\"0x\"}", "0x", "0x", 0},
    {"{\"code\":3,\"data\":\"0x123\"}", "0x", "0x123", 0},
    {"{\"code\":3,\"data\":\"0x12zz\"}", "0x", "0x12zz", 0},
    {"{\"code\":3,\"data\":\"Reverted\"}", "0x", "Reverted", 0},
    {"{\"code\":3,\"data\":17}", "0x", NULL, 0},
    {"{\"code\":3,\"data\":[\"0x12\"]}", "0x", NULL, 0},
    {"{\"code\":3,\"data\":null}", "0x", NULL, 0},
    {"{\"code\":-32005,\"data\":{\"backoff_seconds\":30}}", "0x", NULL, 30000},
    {"{\"code\":-32005,\"data\":{\"rate\":{\"backoff_seconds\":1.5}}}", "0x", NULL, 2000},
    {"{\"code\":-32005,\"data\":{\"rate\":{\"backoff_seconds\":-1}}}", "0x", NULL, 0},
    {"{\"code\":-32005,\"data\":{\"rate\":{\"backoff_seconds\":1e300}}}", "0x", NULL, 86400000},
    {"{\"code\":-32005,\"data\":{\"rate\":{\"backoff_seconds\":\"30\"}}}", "0x", NULL, 0},
};

static void error_data_is_found_in_every_known_place(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        char body[512];
        char hex[64];
        struct answer given = {.status = 200, .body = body};
        struct tcp_peer peer;
        struct rpc_batch batch;
        struct rpc_reply reply;
        snprintf(body, sizeof body, "{\"id\":1,\"error\":%s}", errors[i].error);
        peer_start(&peer, answer, &given);
        assert_true(rpc_run(&batch, &reply, fixture->client, peer.url, calls, 1, TIMEOUT_MS,
                            fixture->arena));
        rpc_batch_free(&batch); // what is kept of an error does not hang on the tree
        assert_int_equal(reply.kind, RPC_ERROR);
        hex_encode(hex, reply.data);
        assert_string_equal(hex, errors[i].data);
        assert_true(!errors[i].text == !reply.data_text);
        if (errors[i].text)
            assert_string_equal(reply.data_text, errors[i].text);
        assert_int_equal(reply.retry_after_ms, errors[i].retry_after_ms);
        peer_stop(&peer);
    }
}

static void a_message_is_cut_and_made_printable(void **state)
{
    struct fixture *fixture = *state;
    char body[2048];
    char tail[1001] = "";
    memset(tail, 'x', sizeof tail - 1);
    snprintf(body, sizeof body,
             "{\"id\":1,\"error\":{\"code\":-5,\"message\":\"a\\n\\u001b[31m\xc3\xa4 %s\"}}", tail);
    struct answer given = {.status = 200, .body = body};
    struct tcp_peer peer;
    struct rpc_batch batch;
    struct rpc_reply reply;
    peer_start(&peer, answer, &given);
    assert_true(
        rpc_run(&batch, &reply, fixture->client, peer.url, calls, 1, TIMEOUT_MS, fixture->arena));
    assert_int_equal(reply.code, -5);
    assert_int_equal(strlen(reply.message), RPC_MESSAGE_SIZE - 1);
    assert_memory_equal(reply.message, "a??[31m?? xxx", 13);
    rpc_batch_free(&batch);
    peer_stop(&peer);
}

// fault 34: the waiting time is found wherever a node puts it
static void a_refusal_of_the_whole_says_how_long_to_wait(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *header;
        const char *body;
        int64_t retry_after_ms;
        int64_t code;
    } cases[] = {
        {"Retry-After: 3\r\n", "slow down", 3000, 0},
        {"Retry-After: 3\r\n",
         "{\"id\":null,\"error\":{\"code\":-32005,\"message\":\"m\",\"data\":{\"rate\":"
         "{\"backoff_seconds\":9}}}}",
         9000, -32005},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct answer given = {429, cases[i].header, cases[i].body, ""};
        struct tcp_peer peer;
        struct rpc_batch batch;
        struct rpc_reply replies[2];
        peer_start(&peer, answer, &given);
        assert_true(rpc_run(&batch, replies, fixture->client, peer.url, calls, 2, TIMEOUT_MS,
                            fixture->arena));
        for (size_t c = 0; c < 2; c++) {
            assert_int_equal(replies[c].kind, RPC_NO_REPLY);
            assert_int_equal(replies[c].http_status, 429);
            assert_int_equal(replies[c].code, cases[i].code);
            assert_int_equal(replies[c].retry_after_ms, cases[i].retry_after_ms);
        }
        rpc_batch_free(&batch);
        peer_stop(&peer);
    }
}

// Bodies that are cheap to send and dear to parse.
// fault 35: what swells when parsed
static void bodies_that_swell_when_parsed_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const char *const units[] = {"{},", "[],", "0,", "["};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t size = 6 << 20;
        char *body = malloc(size + 1);
        assert_non_null(body);
        body[0] = '[';
        for (size_t at = 1; at < size; at++)
            body[at] = units[i][(at - 1) % strlen(units[i])];
        body[size - 1] = ']';
        body[size] = '\0';
        struct answer given = {.status = 200, .body = body};
        struct tcp_peer peer;
        struct rpc_batch batch;
        struct rpc_reply reply;
        peer_start(&peer, answer, &given);
        assert_true(rpc_run(&batch, &reply, fixture->client, peer.url, calls, 1, TIMEOUT_MS,
                            fixture->arena));
        assert_int_equal(reply.kind, RPC_NO_REPLY);
        assert_int_equal(reply.fault, HTTP_UNKNOWN);
        assert_null(batch.root);
        rpc_batch_free(&batch);
        arena_reset(fixture->arena);
        peer_stop(&peer);
        free(body);
    }
}

static bool flood(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    (void)peer;
    (void)head;
    (void)body;
    static char block[65536];
    memset(block, ' ', sizeof block);
    peer_write_text(fd, "HTTP/1.1 200 OK\r\n\r\n");
    for (size_t sent = 0; sent < RPC_RESPONSE_BYTES_MAX + sizeof block; sent += sizeof block)
        peer_write(fd, block, sizeof block);
    return false;
}

static void a_body_over_the_limit_is_too_large_and_memory_out_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct tcp_peer peer;
    struct rpc_batch batch;
    struct rpc_reply reply;
    peer_start(&peer, flood, NULL);
    assert_true(
        rpc_run(&batch, &reply, fixture->client, peer.url, calls, 1, 10000, fixture->arena));
    assert_int_equal(reply.kind, RPC_NO_REPLY);
    assert_int_equal(reply.fault, HTTP_TOO_LARGE);
    rpc_batch_free(&batch);
    struct arena *small = arena_new(64);
    assert_false(rpc_run(&batch, &reply, fixture->client, peer.url, calls, 1, TIMEOUT_MS, small));
    arena_free(small);
    peer_stop(&peer);
}

static void several_endpoints_answer_the_same_batch(void **state)
{
    struct fixture *fixture = *state;
    struct answer given[2] = {{.status = 200, .body = "[" FINE1 "," FINE2 "]"},
                              {.status = 503, .body = "<html>"}};
    struct tcp_peer peers[2];
    struct rpc_batch batches[3];
    struct rpc_reply replies[6];
    char refused[64];
    int fd = peer_bind(refused);
    for (size_t i = 0; i < 2; i++)
        peer_start(&peers[i], answer, &given[i]);
    const char *urls[] = {peers[0].url, refused, peers[1].url};
    assert_true(rpc_run_everywhere(batches, replies, fixture->client, urls, 3, calls, 2, TIMEOUT_MS,
                                   fixture->arena));
    for (size_t c = 0; c < 2; c++) {
        assert_int_equal(replies[c].kind, RPC_RESULT);
        assert_int_equal(replies[2 + c].kind, RPC_NO_REPLY);
        assert_int_equal(replies[2 + c].fault, HTTP_NOT_SENT);
        assert_int_equal(replies[2 + c].http_status, 0);
        assert_int_equal(replies[4 + c].kind, RPC_NO_REPLY);
        assert_int_equal(replies[4 + c].fault, HTTP_UNKNOWN);
        assert_int_equal(replies[4 + c].http_status, 503);
    }
    for (size_t i = 0; i < 3; i++)
        rpc_batch_free(&batches[i]);
    for (size_t i = 0; i < 2; i++)
        peer_stop(&peers[i]);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_form_of_answer_ends_each_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_are_plain_json_rpc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(error_data_is_found_in_every_known_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_message_is_cut_and_made_printable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_of_the_whole_says_how_long_to_wait, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bodies_that_swell_when_parsed_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_body_over_the_limit_is_too_large_and_memory_out_is_said,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_endpoints_answer_the_same_batch, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
