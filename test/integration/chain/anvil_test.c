// SPDX-License-Identifier: Apache-2.0
// The chain client against a real node: what it reads, sends, and how the node's refusals class.
#include "anvil.h"
#include "base/hex.h"
#include "base/log.h"
#include "chain/chain.h"
#include "eth/transaction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_ID        31337
#define TRANSFER_GAS    21000
#define ARENA_BYTES_MAX ((size_t)64 << 20)
// The first account of every anvil.
#define KEY_HEX "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

static const struct block_id latest = {.tag = BLOCK_LATEST};
static const struct block_id pending = {.tag = BLOCK_PENDING};
static const struct block_id finalized = {.tag = BLOCK_FINALIZED};
static const struct address receiver = {{0xbe, 0xef}};

struct fixture {
    struct anvil *anvil;
    struct chain *chain;
    struct arena *arena;
    struct eth_key key;
    struct address sender;
};

static int set_up(void **state)
{
    static const char *const arguments[] = {"--no-mining", "--order", "fifo", NULL};
    struct fixture *f = calloc(1, sizeof *f);
    uint8_t secret[32];
    *state = f;
    if (!f)
        return -1;
    f->anvil = anvil_start(arguments);
    f->arena = arena_new(ARENA_BYTES_MAX);
    if (!f->anvil || !f->arena || !hex_decode(secret, sizeof secret, KEY_HEX) ||
        !eth_key_from_secret(&f->key, secret))
        return -1;
    const char *url = anvil_url(f->anvil);
    f->sender = eth_key_address(&f->key);
    f->chain = chain_open(&(struct chain_options){.urls = &url,
                                                  .urls_count = 1,
                                                  .chain_id = CHAIN_ID,
                                                  .timeout_ms = 10000,
                                                  .clock = clock_system()});
    return f->chain ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    chain_close(f->chain);
    arena_free(f->arena);
    anvil_stop(f->anvil);
    free(f);
    return 0;
}

static void mine(struct fixture *f)
{
    json_decref(anvil_rpc(f->anvil, "evm_mine", "[]"));
}

static struct wei gwei(const char *text)
{
    struct wei amount;
    assert_true(wei_parse_gwei(&amount, text));
    return amount;
}

static struct transaction transfer(uint64_t nonce, const char *tip, const char *fee)
{
    return (struct transaction){.type = TX_DYNAMIC_FEE,
                                .chain_id = CHAIN_ID,
                                .nonce = nonce,
                                .max_priority_fee = gwei(tip),
                                .max_fee = gwei(fee),
                                .gas_limit = TRANSFER_GAS,
                                .to = receiver,
                                .value = u256_from_u64(1)};
}

static struct signed_transaction sign(struct fixture *f, struct transaction transaction)
{
    struct signed_transaction out;
    assert_true(transaction_sign(&out, &transaction, &f->key, f->arena));
    return out;
}

static struct send_result send(struct fixture *f, struct transaction transaction)
{
    struct send_result result;
    struct signed_transaction out = sign(f, transaction);
    assert_int_equal(f->chain->ops->send(f->chain, &result, &out.raw, 1, f->arena), STATUS_OK);
    return result;
}

static int64_t nonce_at(struct fixture *f, struct block_id block)
{
    int64_t nonce;
    assert_int_equal(f->chain->ops->nonce(f->chain, &nonce, &f->sender, block), STATUS_OK);
    return nonce;
}

static void reads_what_a_new_chain_is(void **state)
{
    struct fixture *f = *state;
    const struct chain_ops *ops = f->chain->ops;
    uint64_t id;
    struct chain_head head;
    struct chain_fees fees;
    struct wei balance;
    char text[WEI_TEXT_SIZE];
    bool has_code;
    assert_int_equal(ops->chain_id(f->chain, &id), STATUS_OK);
    assert_int_equal(id, CHAIN_ID);
    assert_int_equal(ops->head(f->chain, &head, latest), STATUS_OK);
    assert_int_equal(head.number, 0);
    assert_false(wei_is_zero(head.base_fee));
    assert_int_equal(ops->head(f->chain, &head, finalized), STATUS_OK);
    assert_int_equal(head.number, 0);
    assert_int_equal(ops->head(f->chain, &head, pending), STATUS_OK);
    assert_int_equal(head.number, 1);
    assert_int_equal(ops->head(f->chain, &head, (struct block_id){BLOCK_NUMBER, 99}),
                     STATUS_UNAVAILABLE);
    assert_int_equal(ops->fees(f->chain, &fees), STATUS_OK);
    assert_false(wei_is_zero(fees.base_fee));
    assert_int_equal(ops->balance(f->chain, &balance, &f->sender), STATUS_OK);
    wei_format_gwei(text, balance);
    assert_string_equal(text, "10000000000000");
    assert_int_equal(ops->has_code(f->chain, &has_code, &f->sender), STATUS_OK);
    assert_false(has_code);
}

static void a_transfer_is_sent_mined_and_found(void **state)
{
    struct fixture *f = *state;
    const struct chain_ops *ops = f->chain->ops;
    struct signed_transaction sent = sign(f, transfer(0, "1", "10"));
    struct hash32 hashes[2] = {sent.hash, {{1}}};
    struct chain_receipt receipts[2];
    struct send_result result;
    assert_int_equal(ops->send(f->chain, &result, &sent.raw, 1, f->arena), STATUS_OK);
    assert_int_equal(result.outcome, SEND_ACCEPTED);
    assert_int_equal(ops->receipts(f->chain, receipts, hashes, 2, f->arena), STATUS_OK);
    assert_false(receipts[0].found);
    assert_int_equal(nonce_at(f, latest), 0);
    assert_int_equal(nonce_at(f, pending), 1);
    mine(f);
    assert_int_equal(ops->receipts(f->chain, receipts, hashes, 2, f->arena), STATUS_OK);
    assert_true(receipts[0].found);
    assert_true(receipts[0].succeeded);
    assert_int_equal(receipts[0].block_number, 1);
    assert_int_equal(receipts[0].gas_used, TRANSFER_GAS);
    assert_true(address_equal(&receipts[0].to, &receiver));
    assert_false(receipts[1].found);
    int64_t numbers[] = {1, 0, 7};
    struct hash32 blocks[3];
    bool found[3];
    struct chain_head head;
    assert_int_equal(ops->block_hashes(f->chain, blocks, found, numbers, 3), STATUS_OK);
    assert_true(found[0] && found[1] && !found[2]);
    assert_true(hash32_equal(&blocks[0], &receipts[0].block_hash));
    assert_int_equal(ops->head(f->chain, &head, latest), STATUS_OK);
    assert_true(hash32_equal(&head.hash, &blocks[0]));
    assert_true(hash32_equal(&head.parent, &blocks[1]));
    assert_int_equal(nonce_at(f, latest), 1);
}

// fault 5, 6, 10, 11, 12, 17: in a real node's words
static void refusals_of_a_real_node_have_their_class(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(send(f, transfer(0, "2", "10")).outcome, SEND_ACCEPTED);
    mine(f);
    assert_int_equal(send(f, transfer(1, "2", "10")).outcome, SEND_ACCEPTED);
    struct transaction dear = transfer(2, "1", "10");
    assert_true(u256_parse_decimal(&dear.value, "99000000000000000000000"));
    struct transaction foreign = transfer(2, "1", "10");
    foreign.chain_id = 1;
    struct transaction little_gas = transfer(2, "1", "10");
    little_gas.gas_limit = 20000;
    const struct {
        const char *name;
        struct transaction transaction;
        enum send_outcome outcome;
        enum rpc_class rpc_class;
    } rows[] = {
        {"the very same", transfer(1, "2", "10"), SEND_ACCEPTED, RPC_ALREADY_KNOWN},
        {"a used nonce", transfer(0, "2", "11"), SEND_REFUSED, RPC_NONCE_TOO_LOW},
        {"a small bump", transfer(1, "2.1", "10"), SEND_REFUSED, RPC_REPLACEMENT_UNDERPRICED},
        {"a large value", dear, SEND_REFUSED, RPC_INSUFFICIENT_FUNDS},
        {"little gas", little_gas, SEND_REFUSED, RPC_FATAL},
        {"a bump of an eighth", transfer(1, "2.25", "11.25"), SEND_ACCEPTED, RPC_UNKNOWN},
        {"a gap", transfer(5, "2", "10"), SEND_ACCEPTED, RPC_UNKNOWN},
        {"another chain", foreign, SEND_REFUSED, RPC_WRONG_CHAIN}, // last: locks the node out
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct send_result result = send(f, rows[i].transaction);
        if (result.outcome != rows[i].outcome ||
            (result.outcome == SEND_REFUSED && result.rpc_class != rows[i].rpc_class))
            fail_msg("%s: outcome %d, %s (%s)", rows[i].name, (int)result.outcome,
                     rpc_class_text(result.rpc_class), result.message);
    }
}

// Init code that reverts at once with 0x12345678.
static const uint8_t reverting[] = {0x63, 0x12, 0x34, 0x56, 0x78, 0x60, 0xe0, 0x1b,
                                    0x60, 0x00, 0x52, 0x60, 0x04, 0x60, 0x00, 0xfd};

static void estimates_and_calls_keep_revert_data(void **state)
{
    struct fixture *f = *state;
    struct chain_call calls[] = {
        {.from = f->sender, .to = receiver},
        {.from = f->sender, .data = {reverting, sizeof reverting}},
    };
    struct call_result results[2];
    for (int i = 0; i < 2; i++) {
        enum status status =
            i == 0 ? f->chain->ops->estimate(f->chain, results, calls, 2, f->arena)
                   : f->chain->ops->call(f->chain, results, calls, 2, latest, f->arena);
        assert_int_equal(status, STATUS_OK);
        assert_true(results[0].succeeded);
        assert_false(results[1].succeeded);
        assert_int_equal(results[1].rpc_class, RPC_REVERT);
        assert_true(bytes_equal(results[1].returned,
                                (struct bytes){(const uint8_t *)"\x12\x34\x56\x78", 4}));
    }
    assert_int_equal(f->chain->ops->estimate(f->chain, results, calls, 1, f->arena), STATUS_OK);
    assert_int_equal(results[0].gas, TRANSFER_GAS);
}

// fault 31: another chain, later
static void a_node_of_another_chain_is_not_used(void **state)
{
    struct fixture *f = *state;
    const char *url = anvil_url(f->anvil);
    struct endpoint_health health;
    int64_t nonce;
    uint64_t id;
    struct chain *chain = chain_open(&(struct chain_options){.urls = &url,
                                                             .urls_count = 1,
                                                             .chain_id = 1,
                                                             .timeout_ms = 10000,
                                                             .clock = clock_system()});
    assert_int_equal(chain->ops->nonce(chain, &nonce, &f->sender, latest), STATUS_UNAVAILABLE);
    assert_int_equal(chain->ops->chain_id(chain, &id), STATUS_OK);
    assert_int_equal(id, CHAIN_ID);
    assert_int_equal(chain_endpoints(chain, &health, 1), 1);
    assert_false(health.healthy);
    chain_close(chain);
}

int main(void)
{
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_a_new_chain_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_transfer_is_sent_mined_and_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals_of_a_real_node_have_their_class, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(estimates_and_calls_keep_revert_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_node_of_another_chain_is_not_used, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
