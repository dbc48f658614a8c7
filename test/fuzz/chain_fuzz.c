// SPDX-License-Identifier: Apache-2.0
// What nodes say, through every typed call of the chain: nothing is believed that was not asked,
// and nothing a node says is both an answer and out of range.
#include "http_stub.h"

#include "chain/chain.h"
#include "eth/keccak.h"

#include <string.h>

#define CHAIN_ID     31337
#define ENDPOINTS    2
#define COUNT        2
#define LOGS_MAX     8192
#define SPACE_MS     10000
#define CHAIN_ID_SAY "{\"id\":1,\"result\":\"0x7a69\"}\n"

static int64_t now_ms(void *context)
{
    (void)context;
    return SPACE_MS;
}

static const struct clock still = {now_ms, now_ms, NULL};

// An answer is one of the four ways a call may end (chain.h).
static bool is_outcome(enum status status)
{
    return status == STATUS_OK || status == STATUS_UNAVAILABLE || status == STATUS_CORRUPT;
}

static void check_head(struct chain *chain, struct block_id block)
{
    struct chain_head head;
    enum status status = chain->ops->head(chain, &head, block);
    MUST(is_outcome(status));
    if (status == STATUS_OK)
        MUST(head.number >= 0 && head.timestamp_s >= 0 &&
             (block.tag != BLOCK_NUMBER || head.number == block.number));
}

static void check_receipts(struct chain *chain)
{
    static const struct hash32 hashes[COUNT] = {{{0x11}}, {{0x22}}};
    struct chain_receipt receipts[COUNT];
    enum status status = chain->ops->receipts(chain, receipts, hashes, COUNT, fuzz_arena());
    MUST(is_outcome(status));
    for (size_t i = 0; i < COUNT && status == STATUS_OK; i++) {
        MUST(hash32_equal(&receipts[i].transaction_hash, &hashes[i]));
        if (!receipts[i].found)
            continue;
        MUST(receipts[i].block_number >= 0 && receipts[i].gas_used >= 0);
        MUST(receipts[i].logs_count <= LOGS_MAX);
        for (size_t k = 0; k < receipts[i].logs_count; k++) {
            MUST(receipts[i].logs[k].topics_count <= 4);
            (void)event_decode(&receipts[i].logs[k]);
        }
    }
}

static void check_block_hashes(struct chain *chain)
{
    static const int64_t numbers[COUNT] = {5, 1000};
    struct hash32 hashes[COUNT];
    bool found[COUNT];
    MUST(is_outcome(chain->ops->block_hashes(chain, hashes, found, numbers, COUNT)));
}

static bool holds(struct bytes body, const struct hash32 *hash)
{
    for (size_t i = 0; i + 64 <= body.size; i++) {
        size_t digit = 0;
        for (; digit < 64; digit++) {
            unsigned value =
                digit % 2 ? hash->bytes[digit / 2] & 15U : (unsigned)hash->bytes[digit / 2] >> 4;
            char c = "0123456789abcdef"[value];
            if ((body.data[i + digit] | 0x20) != (c | 0x20))
                break;
        }
        if (digit == 64)
            return true;
    }
    return false;
}

// A transaction counts as accepted only where a node names its hash or says it has it already.
static void check_send(struct chain *chain, struct bytes said)
{
    static const uint8_t raw[] = {2, 3, 4};
    const struct bytes raws[COUNT] = {{raw, 1}, {raw, 3}};
    struct send_result results[COUNT];
    enum status status = chain->ops->send(chain, results, raws, COUNT, fuzz_arena());
    MUST(is_outcome(status));
    for (size_t i = 0; i < COUNT; i++) {
        struct hash32 hash = keccak256(raws[i]);
        MUST(results[i].outcome <= SEND_UNKNOWN && results[i].rpc_class <= RPC_UNKNOWN);
        MUST(fuzz_is_printable(results[i].message));
        if (results[i].outcome == SEND_ACCEPTED)
            MUST(results[i].rpc_class == RPC_ALREADY_KNOWN || holds(said, &hash));
        if (results[i].outcome == SEND_REFUSED)
            MUST(results[i].rpc_class != RPC_UNKNOWN && results[i].rpc_class != RPC_ALREADY_KNOWN);
    }
}

static void check_execution(struct chain *chain, bool estimate)
{
    static const uint8_t call_data[] = {1, 2, 3, 4};
    const struct chain_call calls[COUNT] = {{.data = {call_data, 4}}, {.gas_limit = 21000}};
    struct call_result results[COUNT];
    struct block_id latest = {.tag = BLOCK_LATEST};
    enum status status = estimate
                             ? chain->ops->estimate(chain, results, calls, COUNT, fuzz_arena())
                             : chain->ops->call(chain, results, calls, COUNT, latest, fuzz_arena());
    MUST(is_outcome(status));
    for (size_t i = 0; i < COUNT && status == STATUS_OK; i++) {
        MUST(!(results[i].succeeded && estimate) || results[i].gas >= 0);
        MUST(fuzz_is_printable(results[i].message));
        (void)revert_decode(results[i].returned);
    }
}

static void check_values(struct chain *chain, uint8_t which)
{
    static const struct address address = {{1}};
    struct block_id latest = {.tag = BLOCK_LATEST};
    struct chain_fees fees;
    struct wei balance;
    uint64_t chain_id;
    int64_t nonce;
    bool has_code;
    switch (which % 5) {
    case 0:
        MUST(is_outcome(chain->ops->fees(chain, &fees)));
        break;
    case 1:
        MUST(is_outcome(chain->ops->balance(chain, &balance, &address)));
        break;
    case 2:
        MUST(is_outcome(chain->ops->chain_id(chain, &chain_id)));
        break;
    case 3:
        MUST(is_outcome(chain->ops->has_code(chain, &has_code, &address)));
        break;
    case 4:
        if (chain->ops->nonce(chain, &nonce, &address, latest) == STATUS_OK)
            MUST(nonce >= 0);
        break;
    }
}

static void ask(struct chain *chain, uint8_t which, struct bytes said)
{
    switch (which % 8) {
    case 0:
        check_head(chain, (struct block_id){.tag = (enum block_tag)(which / 8 % 4)});
        break;
    case 1:
        check_head(chain, (struct block_id){.tag = BLOCK_NUMBER, .number = 5});
        break;
    case 2:
        check_receipts(chain);
        break;
    case 3:
        check_block_hashes(chain);
        break;
    case 4:
        check_send(chain, said);
        break;
    case 5:
        check_execution(chain, which / 8 % 2);
        break;
    default:
        check_values(chain, which / 8);
    }
}

// Lets every endpoint prove its chain, then asks with what the input says.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const urls[ENDPOINTS] = {"http://user:secret@a/key", "https://b/"};
    static const uint8_t hello[] = "\0\0" CHAIN_ID_SAY CHAIN_ID_SAY;
    struct fuzz_input input = fuzz_input(data, size);
    uint8_t which = fuzz_byte(&input);
    struct chain_options options = {.urls = urls,
                                    .urls_count = 1 + which / 128,
                                    .chain_id = CHAIN_ID,
                                    .timeout_ms = 1000,
                                    .clock = &still};
    struct chain *chain = chain_open(&options);
    struct endpoint_health health[ENDPOINTS];
    struct send_result results[1];
    MUST(chain);
    http_stub_set(fuzz_input(hello, sizeof hello - 1));
    MUST(chain->ops->send(chain, results, NULL, 0, fuzz_arena()) == STATUS_OK);
    http_stub_set(input);
    ask(chain, which, input.rest);
    MUST(chain_endpoints(chain, health, ENDPOINTS) == options.urls_count);
    for (size_t i = 0; i < options.urls_count; i++)
        MUST(fuzz_is_printable(health[i].why) && !strstr(health[i].name, "secret"));
    chain_close(chain);
    return 0;
}
