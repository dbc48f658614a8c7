// SPDX-License-Identifier: Apache-2.0
// One honest node in memory, one lane, and the faults on the way to it.
#include "fault/plain_chain.h"

#include "eth/keccak.h"
#include "eth/transaction.h"

#include <stdlib.h>
#include <string.h>

#define DECODE_BYTES_MAX ((size_t)1 << 16)
#define SELECTOR_SIZE    4
#define WORD_SIZE        32
#define BASE_FEE_GWEI    "1"
#define BALANCE_GWEI     "1000000000"
#define GENESIS_S        INT64_C(1790000000)
#define BLOCK_S          12

static struct plain_chain *plain(struct chain *chain)
{
    return (struct plain_chain *)chain;
}

// ---------------------------------------------------------------- the fault

static bool fires(struct plain_chain *chain)
{
    chain->calls++;
    bool now = chain->fault != PLAIN_FINE && chain->calls >= chain->fault_from &&
               chain->calls <= chain->fault_to;
    chain->fired += now;
    return now;
}

// What becomes of a question.
static enum status fate(struct chain *base)
{
    struct plain_chain *chain = plain(base);
    if (!fires(chain))
        return STATUS_OK;
    switch (chain->fault) {
    case PLAIN_ARRIVED:
        return STATUS_CORRUPT;
    case PLAIN_NO_MEMORY:
        return STATUS_NO_MEMORY;
    case PLAIN_FINE:
    case PLAIN_UNAVAILABLE:
    case PLAIN_FORGOTTEN:
    case PLAIN_REFUSED:
        break;
    }
    return STATUS_UNAVAILABLE;
}

// ---------------------------------------------------------------- questions

static struct hash32 block_hash(int64_t number)
{
    struct hash32 hash = {{0xb1}};
    memcpy(hash.bytes + 8, &number, sizeof number);
    return hash;
}

static struct wei gwei(const char *text)
{
    struct wei amount;
    if (!wei_parse_gwei(&amount, text))
        abort();
    return amount;
}

static enum status ask_chain_id(struct chain *base, uint64_t *ret_id)
{
    enum status status = fate(base);
    if (status == STATUS_OK)
        *ret_id = 31337;
    return status;
}

static enum status ask_head(struct chain *base, struct chain_head *ret_head, struct block_id block)
{
    enum status status = fate(base);
    int64_t number = block.tag == BLOCK_NUMBER ? block.number : plain(base)->head;
    if (status == STATUS_OK)
        *ret_head = (struct chain_head){.number = number,
                                        .hash = block_hash(number),
                                        .parent = block_hash(number - 1),
                                        .timestamp_s = GENESIS_S + number * BLOCK_S,
                                        .base_fee = gwei(BASE_FEE_GWEI)};
    return status;
}

static enum status ask_fees(struct chain *base, struct chain_fees *ret_fees)
{
    enum status status = fate(base);
    if (status == STATUS_OK)
        *ret_fees = (struct chain_fees){gwei(BASE_FEE_GWEI), gwei(BASE_FEE_GWEI)};
    return status;
}

static enum status ask_nonce(struct chain *base, int64_t *ret_nonce, const struct address *address,
                             struct block_id block)
{
    (void)address;
    struct plain_chain *chain = plain(base);
    enum status status = fate(base);
    if (status != STATUS_OK)
        return status;
    *ret_nonce = chain->nonce;
    for (size_t i = 0; block.tag == BLOCK_NUMBER && i < chain->txs_count; i++)
        *ret_nonce -= chain->txs[i].block > block.number;
    return STATUS_OK;
}

static enum status ask_balance(struct chain *base, struct wei *ret_balance,
                               const struct address *address)
{
    (void)address;
    enum status status = fate(base);
    if (status == STATUS_OK)
        *ret_balance = gwei(BALANCE_GWEI);
    return status;
}

static enum status ask_code(struct chain *base, bool *ret_has_code, const struct address *address)
{
    (void)address;
    enum status status = fate(base);
    if (status == STATUS_OK)
        *ret_has_code = true;
    return status;
}

static const struct plain_tx *mined(const struct plain_chain *chain, const struct hash32 *hash)
{
    for (size_t i = 0; i < chain->txs_count; i++)
        if (chain->txs[i].block != 0 && hash32_equal(&chain->txs[i].hash, hash))
            return &chain->txs[i];
    return NULL;
}

static bool fill_receipt(struct chain_receipt *receipt, const struct plain_chain *chain,
                         const struct plain_tx *tx, struct arena *arena)
{
    *receipt = (struct chain_receipt){.found = true,
                                      .transaction_hash = tx->hash,
                                      .block_hash = block_hash(tx->block),
                                      .block_number = tx->block,
                                      .succeeded = true,
                                      .to = chain->payout,
                                      .gas_used = 60000,
                                      .gas_price = gwei(BASE_FEE_GWEI)};
    if (!tx->pays)
        return true;
    struct event_log *log = arena_alloc(arena, sizeof *log);
    if (log == NULL)
        return false;
    *log = (struct event_log){
        .address = chain->payout,
        .topics = {keccak256_text("AffiliatePaid(bytes32,address,uint256)"), tx->payout_id},
        .topics_count = 3,
        .data = {tx->usdc, WORD_SIZE}};
    memcpy(log->topics[2].bytes, tx->referrer, WORD_SIZE);
    receipt->logs = log;
    receipt->logs_count = 1;
    return true;
}

static enum status ask_receipts(struct chain *base, struct chain_receipt *ret_receipts,
                                const struct hash32 *hashes, size_t count, struct arena *arena)
{
    const struct plain_chain *chain = plain(base);
    enum status status = fate(base);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct plain_tx *tx = mined(chain, &hashes[i]);
        ret_receipts[i] = (struct chain_receipt){.found = false};
        if (tx != NULL && !fill_receipt(&ret_receipts[i], chain, tx, arena))
            return STATUS_NO_MEMORY;
    }
    return status;
}

static enum status ask_block_hashes(struct chain *base, struct hash32 *ret_hashes, bool *ret_found,
                                    const int64_t *numbers, size_t count)
{
    enum status status = fate(base);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        ret_found[i] = numbers[i] >= 0 && numbers[i] <= plain(base)->head;
        ret_hashes[i] = block_hash(numbers[i]);
    }
    return status;
}

// Every payment would succeed that was not made; a view says whether it was.
static enum status ask_call(struct chain *base, struct call_result *ret_results,
                            const struct chain_call *calls, size_t count, struct block_id block,
                            struct arena *arena)
{
    (void)block;
    static const uint8_t yes[WORD_SIZE] = {[WORD_SIZE - 1] = 1}, no[WORD_SIZE];
    (void)arena;
    enum status status = fate(base);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct hash32 id = {{0}};
        memcpy(id.bytes, calls[i].data.data + SELECTOR_SIZE, WORD_SIZE);
        bool paid = plain_chain_paid(plain(base), &id) > 0;
        bool is_view = calls[i].data.size == SELECTOR_SIZE + WORD_SIZE;
        ret_results[i] = (struct call_result){.succeeded = is_view || !paid,
                                              .returned = {paid ? yes : no, WORD_SIZE},
                                              .rpc_class = paid ? RPC_REVERT : RPC_UNKNOWN};
    }
    return status;
}

static enum status ask_estimate(struct chain *base, struct call_result *ret_results,
                                const struct chain_call *calls, size_t count, struct arena *arena)
{
    (void)ret_results;
    (void)calls;
    (void)count;
    (void)arena;
    return fate(base) == STATUS_OK ? STATUS_CORRUPT : STATUS_UNAVAILABLE;
}

// ---------------------------------------------------------------- sending

static void read_tx(struct plain_tx *tx, struct bytes raw)
{
    struct arena *arena = arena_new(DECODE_BYTES_MAX);
    struct transaction transaction;
    struct address sender;
    if (arena == NULL || !transaction_decode(&transaction, &sender, raw, arena))
        abort();
    *tx = (struct plain_tx){.hash = keccak256(raw),
                            .nonce = (int64_t)transaction.nonce,
                            .pays = transaction.data.size == SELECTOR_SIZE + 4 * WORD_SIZE};
    if (tx->pays) {
        const uint8_t *words = transaction.data.data + SELECTOR_SIZE;
        memcpy(tx->payout_id.bytes, words, WORD_SIZE);
        memcpy(tx->referrer, words + 2 * WORD_SIZE, WORD_SIZE);
        memcpy(tx->usdc, words + 3 * WORD_SIZE, WORD_SIZE);
    }
    arena_free(arena);
}

static enum send_outcome take(struct plain_chain *chain, const struct plain_tx *tx,
                              enum rpc_class *ret_class)
{
    for (size_t i = 0; i < chain->txs_count; i++) {
        if (!hash32_equal(&chain->txs[i].hash, &tx->hash))
            continue;
        *ret_class = RPC_NONCE_TOO_LOW;
        return chain->txs[i].block == 0 ? SEND_ACCEPTED : SEND_REFUSED;
    }
    if (tx->nonce < chain->nonce) {
        *ret_class = RPC_NONCE_TOO_LOW;
        return SEND_REFUSED;
    }
    if (chain->txs_count == PLAIN_TXS_MAX)
        abort();
    chain->txs[chain->txs_count++] = *tx;
    return SEND_ACCEPTED;
}

static struct send_result send_one(struct plain_chain *chain, struct bytes raw, bool fault)
{
    struct send_result result = {.outcome = SEND_UNKNOWN, .rpc_class = RPC_UNKNOWN};
    struct plain_tx tx;
    read_tx(&tx, raw);
    chain->on_send(chain->on_send_context, &tx.hash);
    if (fault && chain->fault == PLAIN_UNAVAILABLE)
        return result;
    if (fault && chain->fault == PLAIN_FORGOTTEN) {
        result.outcome = SEND_ACCEPTED;
        return result;
    }
    result.outcome = take(chain, &tx, &result.rpc_class);
    if (fault && chain->fault == PLAIN_ARRIVED)
        result.outcome = SEND_UNKNOWN;
    if (fault && chain->fault == PLAIN_REFUSED) {
        result.outcome = SEND_REFUSED;
        result.rpc_class = RPC_NONCE_TOO_LOW;
    }
    return result;
}

static enum status take_all(struct chain *base, struct send_result *ret_results,
                            const struct bytes *raws, size_t count, struct arena *arena)
{
    (void)arena;
    struct plain_chain *chain = plain(base);
    bool fault = fires(chain);
    if (fault && chain->fault == PLAIN_NO_MEMORY)
        return STATUS_NO_MEMORY;
    if (chain->apart != NULL)
        chain->apart(true);
    for (size_t i = 0; i < count; i++)
        ret_results[i] = send_one(chain, raws[i], fault);
    if (chain->apart != NULL)
        chain->apart(false);
    return STATUS_OK;
}

// ---------------------------------------------------------------- the chain

void plain_chain_init(struct plain_chain *chain, const struct address *payout)
{
    static const struct chain_ops ops = {
        .chain_id = ask_chain_id,
        .head = ask_head,
        .fees = ask_fees,
        .nonce = ask_nonce,
        .balance = ask_balance,
        .has_code = ask_code,
        .receipts = ask_receipts,
        .block_hashes = ask_block_hashes,
        .send = take_all,
        .call = ask_call,
        .estimate = ask_estimate,
    };
    memset(chain, 0, sizeof *chain);
    chain->base.ops = &ops;
    chain->payout = *payout;
    chain->head = 100;
}

void plain_chain_arm(struct plain_chain *chain, enum plain_fault fault, int64_t from, int64_t to)
{
    chain->fault = fault;
    chain->fault_from = from;
    chain->fault_to = to;
    chain->calls = chain->fired = 0;
}

void plain_chain_mine(struct plain_chain *chain)
{
    chain->head++;
    for (size_t i = 0; i < chain->txs_count; i++) {
        struct plain_tx *tx = &chain->txs[i];
        if (tx->block != 0 || tx->nonce != chain->nonce)
            continue;
        tx->block = chain->head;
        chain->nonce++;
        i = SIZE_MAX; // from the start again, for the next nonce
    }
}

int plain_chain_paid(const struct plain_chain *chain, const struct hash32 *payout_id)
{
    int count = 0;
    for (size_t i = 0; i < chain->txs_count; i++)
        count += chain->txs[i].block != 0 && chain->txs[i].pays &&
                 hash32_equal(&chain->txs[i].payout_id, payout_id);
    return count;
}

int plain_chain_nonces(const struct plain_chain *chain, const struct hash32 *payout_id)
{
    int count = 0;
    int64_t last = -1;
    for (size_t i = 0; i < chain->txs_count; i++) {
        const struct plain_tx *tx = &chain->txs[i];
        if (!tx->pays || !hash32_equal(&tx->payout_id, payout_id) || tx->nonce == last)
            continue;
        last = tx->nonce;
        count++;
    }
    return count;
}
