// SPDX-License-Identifier: Apache-2.0
// The typed reads: each form of answer gives its value or its status, and nothing half-written.
#include "base/log.h"
#include "chain/node_peer.h"
#include "net/json_rpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define H1              "0x1111111111111111111111111111111111111111111111111111111111111111"
#define H2              "0x2222222222222222222222222222222222222222222222222222222222222222"
#define A1              "0x1111111111111111111111111111111111111111"
#define R(json)         "\"result\":" json
#define NO_METHOD       "\"error\":{\"code\":-32601,\"message\":\"no such method\"}"
#define REVERT                                                                                     \
    "\"error\":{\"code\":3,\"message\":\"execution reverted\","                                    \
    "\"data\":\"0x1234\"}"

static const struct address somebody = {{1}};
static const struct block_id latest = {.tag = BLOCK_LATEST};
static const struct block_id seven = {.tag = BLOCK_NUMBER, .number = 7};
static const struct block_id pending = {.tag = BLOCK_PENDING};

struct fixture {
    struct node node;
    struct node_rule rules[6];
    struct chain *chain;
    struct arena *arena;
    int64_t clock_ms;
};

static void start(struct fixture *fixture)
{
    *fixture = (struct fixture){.arena = arena_new(ARENA_BYTES_MAX)};
    node_start(&fixture->node, fixture->rules);
    fixture->chain = node_chain(&fixture->node, 1, &fixture->clock_ms);
    assert_non_null(fixture->chain);
}

static void stop(struct fixture *fixture)
{
    chain_close(fixture->chain);
    arena_free(fixture->arena);
    peer_stop(&fixture->node.peer);
}

static void start_with(struct fixture *fixture, const char *method, const char *result)
{
    start(fixture);
    fixture->rules[0] = (struct node_rule){method, result};
}

#define BLOCK(fields) R("{" fields "}")
#define FIELDS(n)     "\"number\":\"" n "\",\"parentHash\":\"" H2 "\",\"timestamp\":\"0x64\""

static void heads_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const struct block_id *block;
        enum status status;
        uint64_t base_fee;
    } rows[] = {
        {BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\",\"baseFeePerGas\":\"0x9\""), &latest, STATUS_OK,
         9},
        {BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\""), &latest, STATUS_OK, 0},
        {BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\",\"baseFeePerGas\":null"), &seven, STATUS_OK, 0},
        {BLOCK(FIELDS("0x7") ",\"hash\":null"), &pending, STATUS_OK, 0},
        {BLOCK(FIELDS("0x7") ",\"hash\":null"), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("0x8") ",\"hash\":\"" H1 "\""), &seven, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("7") ",\"hash\":\"" H1 "\""), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("0x") ",\"hash\":\"" H1 "\""), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("-0x7") ",\"hash\":\"" H1 "\""), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("0x8000000000000000") ",\"hash\":\"" H1 "\""), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("0x7") ",\"hash\":\"0x11\""), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("0x7") ",\"hash\":7"), &latest, STATUS_CORRUPT, 0},
        {BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\",\"baseFeePerGas\":9"), &latest, STATUS_CORRUPT,
         0},
        {BLOCK("\"number\":\"0x7\""), &latest, STATUS_CORRUPT, 0},
        {R("[]"), &latest, STATUS_CORRUPT, 0},
        {R("\"0x7\""), &latest, STATUS_CORRUPT, 0},
        {R("null"), &seven, STATUS_UNAVAILABLE, 0},
        {NO_METHOD, &latest, STATUS_UNAVAILABLE, 0},
        {NODE_SILENCE, &latest, STATUS_UNAVAILABLE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct chain_head head = {.number = -5};
        start_with(&f, "eth_getBlockByNumber", rows[i].answer);
        enum status status = f.chain->ops->head(f.chain, &head, *rows[i].block);
        if (status != rows[i].status)
            fail_msg("%s gives %s", rows[i].answer, status_text(status));
        assert_int_equal(head.number, status == STATUS_OK ? 7 : -5);
        if (status == STATUS_OK) {
            assert_int_equal(head.timestamp_s, 100);
            assert_int_equal((uint64_t)wei_units(head.base_fee), rows[i].base_fee);
            assert_int_equal(head.parent.bytes[0], 0x22);
        }
        stop(&f);
    }
}

static void numbers_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum status status;
        int64_t value;
    } rows[] = {
        {R("\"0x0\""), STATUS_OK, 0},
        {R("\"0x005\""), STATUS_OK, 5},
        {R("\"0x7fffffffffffffff\""), STATUS_OK, INT64_MAX},
        {R("\"0x8000000000000000\""), STATUS_CORRUPT, 0},
        {R("\"0x10000000000000000000000000000000000000000000000000000000000000000\""),
         STATUS_CORRUPT, 0},
        {R("5"), STATUS_CORRUPT, 0},
        {R("\"5\""), STATUS_CORRUPT, 0},
        {R("\"0x\""), STATUS_CORRUPT, 0},
        {R("\"0x5 \""), STATUS_CORRUPT, 0},
        {R("\"0X5\""), STATUS_CORRUPT, 0},
        {R("\"\""), STATUS_CORRUPT, 0},
        {R("null"), STATUS_CORRUPT, 0},
        {R("true"), STATUS_CORRUPT, 0},
        {R("{}"), STATUS_CORRUPT, 0},
        {NO_METHOD, STATUS_UNAVAILABLE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        int64_t value = -1;
        start_with(&f, "eth_getTransactionCount", rows[i].answer);
        enum status status = f.chain->ops->nonce(f.chain, &value, &somebody, latest);
        if (status != rows[i].status || value != (status == STATUS_OK ? rows[i].value : -1))
            fail_msg("%s gives %s, %lld", rows[i].answer, status_text(status), (long long)value);
        stop(&f);
    }
}

static void balances_and_code_are_read(void **state)
{
    (void)state;
    struct fixture f;
    struct wei balance;
    bool has_code;
    char text[WEI_TEXT_SIZE];
    start(&f);
    f.rules[0] = (struct node_rule){"eth_getBalance", R("\"0x21e19e0c9bab2400000\"")};
    f.rules[1] = (struct node_rule){"eth_getCode", R("\"0x\"")};
    assert_int_equal(f.chain->ops->balance(f.chain, &balance, &somebody), STATUS_OK);
    wei_format_units(text, balance);
    assert_string_equal(text, "10000000000000000000000");
    assert_int_equal(f.chain->ops->has_code(f.chain, &has_code, &somebody), STATUS_OK);
    assert_false(has_code);
    f.rules[1].answer = R("\"0x60\"");
    assert_int_equal(f.chain->ops->has_code(f.chain, &has_code, &somebody), STATUS_OK);
    assert_true(has_code);
    f.rules[1].answer = R("7");
    assert_int_equal(f.chain->ops->has_code(f.chain, &has_code, &somebody), STATUS_CORRUPT);
    f.rules[0].answer = R("\"0x80000000000000000000000000000000\""); // 2^127
    assert_int_equal(f.chain->ops->balance(f.chain, &balance, &somebody), STATUS_CORRUPT);
    stop(&f);
}

#define HISTORY(base, reward, ratio)                                                               \
    R("{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":" base ",\"reward\":" reward                     \
      ",\"gasUsedRatio\":" ratio "}")
#define TIP "eth_maxPriorityFeePerGas"

static void fees_come_from_the_best_source_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *history, *tip, *block, *gas_price;
        enum status status;
        uint64_t base_fee, priority_fee;
    } rows[] = {
        {"median of the blocks that paid",
         HISTORY("[\"0x1\",\"0x2\",\"0x3\",\"0x4\",\"0x64\"]",
                 "[[\"0x9\"],[\"0x0\"],[\"0x3\"],[\"0x5\"]]", "[0.5,0,1,0.1]"),
         R("\"0x7\""), NO_METHOD, NO_METHOD, STATUS_OK, 100, 5},
        {"no block paid: the suggestion", HISTORY("[\"0x1\",\"0x64\"]", "[[\"0x9\"]]", "[0]"),
         R("\"0x7\""), NO_METHOD, NO_METHOD, STATUS_OK, 100, 7},
        {"nothing suggested", HISTORY("[\"0x1\",\"0x64\"]", "[[\"0x9\"]]", "[0]"), NO_METHOD,
         NO_METHOD, NO_METHOD, STATUS_OK, 100, 0},
        {"no history", NO_METHOD, R("\"0x7\""),
         BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\",\"baseFeePerGas\":\"0x65\""), R("\"0x99\""),
         STATUS_OK, 101, 7},
        {"a base fee of zero", HISTORY("[\"0x0\",\"0x0\"]", "[[\"0x9\"]]", "[1]"), R("\"0x7\""),
         BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\",\"baseFeePerGas\":\"0x0\""), R("\"0x99\""),
         STATUS_OK, 0, 7},
        {"before EIP-1559", HISTORY("[\"0x0\",\"0x0\"]", "[[\"0x9\"]]", "[1]"), NO_METHOD,
         BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\""), R("\"0x99\""), STATUS_OK, 0x99, 0},
        {"nothing at all", NO_METHOD, NO_METHOD, NO_METHOD, NO_METHOD, STATUS_UNAVAILABLE, 0, 0},
        {"no base fee", HISTORY("[]", "[]", "[]"), NO_METHOD, NO_METHOD, NO_METHOD, STATUS_CORRUPT,
         0, 0},
        {"odd rewards", HISTORY("[\"0x1\",\"0x64\"]", "[7]", "[1]"), NO_METHOD, NO_METHOD,
         NO_METHOD, STATUS_CORRUPT, 0, 0},
        {"odd ratios", HISTORY("[\"0x1\",\"0x64\"]", "[[\"0x9\"]]", "[\"1\"]"), NO_METHOD,
         NO_METHOD, NO_METHOD, STATUS_CORRUPT, 0, 0},
        {"fewer ratios", HISTORY("[\"0x1\",\"0x64\"]", "[[\"0x9\"]]", "[]"), NO_METHOD, NO_METHOD,
         NO_METHOD, STATUS_CORRUPT, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct chain_fees fees;
        start(&f);
        f.rules[0] = (struct node_rule){"eth_feeHistory", rows[i].history};
        f.rules[1] = (struct node_rule){TIP, rows[i].tip};
        f.rules[2] = (struct node_rule){"eth_getBlockByNumber", rows[i].block};
        f.rules[3] = (struct node_rule){"eth_gasPrice", rows[i].gas_price};
        enum status status = f.chain->ops->fees(f.chain, &fees);
        if (status != rows[i].status ||
            (status == STATUS_OK && (wei_units(fees.base_fee) != rows[i].base_fee ||
                                     wei_units(fees.priority_fee) != rows[i].priority_fee)))
            fail_msg("%s: %s", rows[i].name, status_text(status));
        stop(&f);
    }
}

#define RECEIPT(hash, status, logs)                                                                \
    R("{\"transactionHash\":\"" hash "\",\"blockHash\":\"" H2 "\",\"blockNumber\":\"0x7\","        \
      "\"status\":" status ",\"gasUsed\":\"0x5208\",\"to\":\"" A1                                  \
      "\",\"contractAddress\":null,\"effectiveGasPrice\":\"0x9\",\"logs\":" logs "}")
#define LOG(topics, data) "[{\"address\":\"" A1 "\",\"topics\":" topics ",\"data\":" data "}]"
#define FIVE_TOPICS       "[\"" H1 "\",\"" H1 "\",\"" H1 "\",\"" H1 "\",\"" H1 "\"]"

static const struct {
    const char *answer;
    enum status status;
    bool found, succeeded;
    size_t logs;
    bool healthy;
} receipt_rows[] = {
    {R("null"), STATUS_OK, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", "[]"), STATUS_OK, true, true, 0, true},
    {RECEIPT(H1, "\"0x0\"", "[]"), STATUS_OK, true, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", LOG("[\"" H2 "\"]", "\"0x1234\"")), STATUS_OK, true, true, 1, true},
    {RECEIPT(H1, "\"0x1\"", LOG("[]", "\"0x\"")), STATUS_OK, true, true, 1, true},
    {R("{\"transactionHash\":\"" H1 "\",\"blockHash\":null}"), STATUS_OK, false, false, 0, true},
    {RECEIPT(H2, "\"0x1\"", "[]"), STATUS_CORRUPT, false, false, 0, false},
    {RECEIPT(H1, "\"0x2\"", "[]"), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "true", "[]"), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "null", "[]"), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", "null"), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", "[null]"), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", LOG(FIVE_TOPICS, "\"0x\"")), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", LOG("[\"0x11\"]", "\"0x\"")), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", LOG("[]", "\"0x123\"")), STATUS_CORRUPT, false, false, 0, true},
    {RECEIPT(H1, "\"0x1\"", LOG("[]", "\"12\"")), STATUS_CORRUPT, false, false, 0, true},
    {R("{}"), STATUS_CORRUPT, false, false, 0, true},
    {R("[]"), STATUS_CORRUPT, false, false, 0, true},
    {"\"error\":{\"code\":-32000,\"message\":\"transaction indexing is in progress\"}",
     STATUS_UNAVAILABLE, false, false, 0, true},
};

// fault 29, 36: another hash is a lie; a node that indexes does not say that nothing is there
static void receipts_are_read_strictly(void **state)
{
    (void)state;
    struct hash32 hash;
    memset(&hash, 0x11, sizeof hash);
    for (size_t i = 0; i < sizeof receipt_rows / sizeof receipt_rows[0]; i++) {
        struct fixture f;
        struct chain_receipt receipt = {.gas_used = -5};
        struct endpoint_health health;
        start_with(&f, "eth_getTransactionReceipt", receipt_rows[i].answer);
        enum status status = f.chain->ops->receipts(f.chain, &receipt, &hash, 1, f.arena);
        chain_endpoints(f.chain, &health, 1);
        if (status != receipt_rows[i].status || health.healthy != receipt_rows[i].healthy)
            fail_msg("%s gives %s (%s)", receipt_rows[i].answer, status_text(status), health.why);
        if (status != STATUS_OK)
            assert_int_equal(receipt.gas_used, -5);
        if (status == STATUS_OK) {
            assert_int_equal(receipt.found, receipt_rows[i].found);
            assert_true(hash32_equal(&receipt.transaction_hash, &hash));
        }
        if (status == STATUS_OK && receipt.found) {
            assert_int_equal(receipt.succeeded, receipt_rows[i].succeeded);
            assert_int_equal(receipt.block_number, 7);
            assert_int_equal(receipt.gas_used, 21000);
            assert_int_equal(receipt.logs_count, receipt_rows[i].logs);
            assert_int_equal(receipt.to.bytes[19], 0x11);
            assert_true(address_is_zero(&receipt.contract));
            assert_int_equal((uint64_t)wei_units(receipt.gas_price), 9);
        }
        stop(&f);
    }
}

static void the_values_of_a_log_are_kept(void **state)
{
    (void)state;
    struct fixture f;
    struct hash32 hash;
    struct chain_receipt receipt;
    memset(&hash, 0x11, sizeof hash);
    start_with(&f, "eth_getTransactionReceipt",
               RECEIPT(H1, "\"0x1\"", LOG("[\"" H2 "\",\"" H1 "\"]", "\"0x1234\"")));
    assert_int_equal(f.chain->ops->receipts(f.chain, &receipt, &hash, 1, f.arena), STATUS_OK);
    const struct event_log *log = &receipt.logs[0];
    assert_int_equal(log->topics_count, 2);
    assert_int_equal(log->topics[0].bytes[31], 0x22);
    assert_int_equal(log->topics[1].bytes[0], 0x11);
    assert_int_equal(log->address.bytes[0], 0x11);
    assert_true(bytes_equal(log->data, (struct bytes){(const uint8_t *)"\x12\x34", 2}));
    stop(&f);
}

static void block_hashes_tell_what_is_there(void **state)
{
    (void)state;
    static const int64_t numbers[] = {7};
    static const struct {
        const char *answer;
        enum status status;
        bool found;
    } rows[] = {
        {BLOCK(FIELDS("0x7") ",\"hash\":\"" H1 "\""), STATUS_OK, true},
        {R("null"), STATUS_OK, false},
        {BLOCK(FIELDS("0x8") ",\"hash\":\"" H1 "\""), STATUS_CORRUPT, false},
        {NO_METHOD, STATUS_UNAVAILABLE, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct hash32 hash = {{0}};
        bool found = false;
        start_with(&f, "eth_getBlockByNumber", rows[i].answer);
        assert_int_equal(f.chain->ops->block_hashes(f.chain, &hash, &found, numbers, 1),
                         rows[i].status);
        assert_int_equal(found, rows[i].found);
        assert_int_equal(hash.bytes[0], rows[i].found ? 0x11 : 0);
        assert_int_equal(f.chain->ops->block_hashes(f.chain, &hash, &found, numbers, 0), STATUS_OK);
        stop(&f);
    }
}

static void calls_keep_what_was_returned_and_why_they_failed(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum status status;
        bool succeeded;
        const char *returned;
        enum rpc_class rpc_class;
    } rows[] = {
        {R("\"0xabcd\""), STATUS_OK, true, "0xabcd", RPC_UNKNOWN},
        {R("\"0x\""), STATUS_OK, true, "0x", RPC_UNKNOWN},
        {REVERT, STATUS_OK, false, "0x1234", RPC_REVERT},
        {"\"error\":{\"code\":-32015,\"message\":\"VM execution error.\",\"data\":\"Reverted "
         "0x5678\"}",
         STATUS_OK, false, "0x5678", RPC_REVERT},
        {"\"error\":{\"code\":-32000,\"message\":\"insufficient funds for gas * price + value\"}",
         STATUS_OK, false, "0x", RPC_INSUFFICIENT_FUNDS},
        {NO_METHOD, STATUS_OK, false, "0x", RPC_UNKNOWN},
        {R("null"), STATUS_CORRUPT, false, "", RPC_UNKNOWN},
        {R("\"abcd\""), STATUS_CORRUPT, false, "", RPC_UNKNOWN},
        {R("\"0xabc\""), STATUS_CORRUPT, false, "", RPC_UNKNOWN},
        {"\"error\":{\"code\":-32000,\"message\":\"header not found\"}", STATUS_UNAVAILABLE, false,
         "", RPC_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        struct call_result result;
        struct chain_call call = {.from = somebody, .to = somebody, .gas_limit = 100000};
        char hex[64];
        start_with(&f, "eth_call", rows[i].answer);
        enum status status =
            f.chain->ops->call(f.chain, &result, &call, 1, (struct block_id){0}, f.arena);
        if (status != rows[i].status)
            fail_msg("%s gives %s", rows[i].answer, status_text(status));
        if (status == STATUS_OK) {
            assert_int_equal(result.succeeded, rows[i].succeeded);
            hex_encode(hex, result.returned);
            assert_string_equal(hex, rows[i].returned);
            if (!result.succeeded)
                assert_int_equal(result.rpc_class, rows[i].rpc_class);
        }
        stop(&f);
    }
}

static void estimates_are_gas_or_a_reason(void **state)
{
    (void)state;
    struct fixture f;
    struct call_result results[2];
    struct chain_call calls[2] = {{.from = somebody, .to = somebody}, {.from = somebody}};
    start_with(&f, "eth_estimateGas", R("\"0x5208\""));
    assert_int_equal(f.chain->ops->estimate(f.chain, results, calls, 2, f.arena), STATUS_OK);
    assert_true(results[1].succeeded);
    assert_int_equal(results[1].gas, 21000);
    f.rules[0].answer = REVERT;
    assert_int_equal(f.chain->ops->estimate(f.chain, results, calls, 2, f.arena), STATUS_OK);
    assert_false(results[0].succeeded);
    assert_int_equal(results[0].rpc_class, RPC_REVERT);
    assert_int_equal(results[0].returned.size, 2);
    f.rules[0].answer = R("\"0x8000000000000000\"");
    assert_int_equal(f.chain->ops->estimate(f.chain, results, calls, 2, f.arena), STATUS_CORRUPT);
    assert_int_equal(results[0].rpc_class, RPC_REVERT); // untouched
    stop(&f);
}

// A node whose answer to many is over the limit, but not to fewer.
static bool answer_large_receipts(struct tcp_peer *peer, int fd, const char *head, const char *body)
{
    (void)head;
    (void)peer;
    json_t *root = json_loads(body, 0, NULL);
    if (json_is_object(root)) {
        peer_respond(fd, 200, "", "{\"id\":1,\"result\":\"0x7a69\"}");
        json_decref(root);
        return true;
    }
    static char padding[1 << 20];
    memset(padding, ' ', sizeof padding);
    size_t count = json_array_size(root);
    json_decref(root);
    peer_write_text(fd, "HTTP/1.1 200 OK\r\n\r\n[");
    for (size_t i = 0; i < count; i++) {
        char reply[64];
        snprintf(reply, sizeof reply, "%s{\"id\":%zu,\"result\":null}", i > 0 ? "," : "", i + 1);
        peer_write_text(fd, reply);
        peer_write(fd, padding, sizeof padding);
    }
    peer_write_text(fd, "]");
    return false;
}

#define MANY_RECEIPTS 40

static void an_answer_over_the_limit_is_asked_for_in_smaller_parts(void **state)
{
    (void)state;
    struct node node = {0};
    struct hash32 hashes[MANY_RECEIPTS];
    struct chain_receipt receipts[MANY_RECEIPTS];
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    int64_t now_ms = 0;
    memset(hashes, 0x11, sizeof hashes);
    memset(receipts, 0xff, sizeof receipts);
    peer_start(&node.peer, answer_large_receipts, NULL);
    struct chain *chain = chain_open(
        &(struct chain_options){.urls = (const char *[]){node.peer.url},
                                .urls_count = 1,
                                .chain_id = NODE_CHAIN_ID,
                                .timeout_ms = 20000,
                                .clock = &(struct clock){node_clock_now, node_clock_now, &now_ms}});
    assert_int_equal(chain->ops->receipts(chain, receipts, hashes, MANY_RECEIPTS, arena),
                     STATUS_OK);
    for (size_t i = 0; i < MANY_RECEIPTS; i++)
        assert_false(receipts[i].found);
    chain_close(chain);
    arena_free(arena);
    peer_stop(&node.peer);
}

// fault 35: a body over the limit, where what was asked for cannot be made smaller
static void an_endless_answer_about_fees_is_one_endpoints_trouble(void **state)
{
    (void)state;
    static const struct node_rule fine[] = {
        {"eth_feeHistory", "\"result\":{\"baseFeePerGas\":[\"0x7\"],\"gasUsedRatio\":[0.5],"
                           "\"reward\":[[\"0x3\"]]}"},
        {NULL, NULL}};
    static const char start[] = "\"result\":\"";
    struct node nodes[2];
    struct chain_fees fees;
    int64_t clock_ms = 1000;
    char *endless = malloc(RPC_RESPONSE_BYTES_MAX + sizeof start + 1);
    assert_non_null(endless);
    memset(endless, 'x', RPC_RESPONSE_BYTES_MAX + sizeof start);
    memcpy(endless, start, sizeof start - 1);
    endless[RPC_RESPONSE_BYTES_MAX + sizeof start - 1] = '"';
    endless[RPC_RESPONSE_BYTES_MAX + sizeof start] = '\0';
    const struct node_rule rules[] = {{"eth_feeHistory", endless}, {NULL, NULL}};
    node_start(&nodes[0], rules);
    node_start(&nodes[1], fine);

    struct chain *chain = node_chain(nodes, 2, &clock_ms);
    assert_int_equal(chain->ops->fees(chain, &fees), STATUS_OK);
    assert_true(wei_units(fees.base_fee) == 7);
    chain_close(chain);

    chain = node_chain(nodes, 1, &clock_ms);
    assert_int_equal(chain->ops->fees(chain, &fees), STATUS_CORRUPT);
    chain_close(chain);
    peer_stop(&nodes[0].peer);
    peer_stop(&nodes[1].peer);
    free(endless);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_strictly),
        cmocka_unit_test(numbers_are_read_strictly),
        cmocka_unit_test(balances_and_code_are_read),
        cmocka_unit_test(an_endless_answer_about_fees_is_one_endpoints_trouble),
        cmocka_unit_test(fees_come_from_the_best_source_there_is),
        cmocka_unit_test(receipts_are_read_strictly),
        cmocka_unit_test(the_values_of_a_log_are_kept),
        cmocka_unit_test(block_hashes_tell_what_is_there),
        cmocka_unit_test(calls_keep_what_was_returned_and_why_they_failed),
        cmocka_unit_test(estimates_are_gas_or_a_reason),
        cmocka_unit_test(an_answer_over_the_limit_is_asked_for_in_smaller_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
