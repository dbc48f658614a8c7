// SPDX-License-Identifier: Apache-2.0
// Measures sending: presigned transfers through chain->send to a real node, in batches of 500.
//
// usage: send_rate [TRANSACTIONS]
#include "anvil.h"
#include "base/hex.h"
#include "chain/chain.h"
#include "eth/transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define CHAIN_ID             31337
#define TRANSACTIONS_DEFAULT 40000
#define TRANSACTIONS_MAX     1000000
#define BATCH                500
#define SENDERS              8 // anvil's accounts: a node's pool is slower with all in one queue
#define ARENA_BYTES_MAX      ((size_t)2 << 30)

// The accounts of every anvil.
static const char *const keys[SENDERS] = {
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
    "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
    "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
};

static int64_t cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static bool sign_all(struct bytes *raws, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t secret[32];
        struct eth_key key;
        struct signed_transaction out;
        struct transaction transaction = {.type = TX_DYNAMIC_FEE,
                                          .chain_id = CHAIN_ID,
                                          .nonce = i / SENDERS,
                                          .gas_limit = 21000,
                                          .to = {{0xbe, 0xef}}};
        if (!hex_decode(secret, sizeof secret, keys[i % SENDERS]) ||
            !eth_key_from_secret(&key, secret) ||
            !wei_parse_gwei(&transaction.max_priority_fee, "1") ||
            !wei_parse_gwei(&transaction.max_fee, "100") ||
            !transaction_sign(&out, &transaction, &key, arena))
            return false;
        raws[i] = out.raw;
    }
    return true;
}

static size_t send_all(struct chain *chain, const struct bytes *raws, size_t count)
{
    struct send_result results[BATCH];
    size_t accepted = 0;
    for (size_t first = 0; first < count; first += BATCH) {
        size_t size = count - first < BATCH ? count - first : BATCH;
        if (chain->ops->send(chain, results, raws + first, size, NULL) != STATUS_OK)
            return accepted;
        for (size_t i = 0; i < size; i++)
            accepted += results[i].outcome == SEND_ACCEPTED;
        if (results[0].outcome != SEND_ACCEPTED)
            fprintf(stderr, "not accepted: %s\n", results[0].message);
    }
    return accepted;
}

static int measure(struct chain *chain, size_t count, struct arena *arena)
{
    struct bytes *raws = arena_alloc_array(arena, count, sizeof *raws);
    int64_t start_us = cpu_us();
    if (!raws || !sign_all(raws, count, arena))
        return 1;
    int64_t signed_us = cpu_us();
    int64_t start_ms = clock_monotonic_ms(clock_system());
    size_t accepted = send_all(chain, raws, count);
    int64_t took_ms = clock_monotonic_ms(clock_system()) - start_ms;
    int64_t sent_us = cpu_us();
    printf("%zu of %zu accepted in %" PRId64 " ms: %" PRId64 "/s\n", accepted, count, took_ms,
           took_ms > 0 ? (int64_t)accepted * 1000 / took_ms : 0);
    printf("our CPU per transaction: sending %" PRId64 " ns, signing %" PRId64 " ns\n",
           (sent_us - signed_us) * 1000 / (int64_t)count,
           (signed_us - start_us) * 1000 / (int64_t)count);
    return accepted == count ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const char *const arguments[] = {"-b",      "1",    "--gas-limit", "3000000000",
                                            "--order", "fifo", NULL};
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : TRANSACTIONS_DEFAULT;
    struct anvil *anvil = anvil_start(arguments);
    struct arena *arena = arena_new(ARENA_BYTES_MAX);
    if (!anvil || !arena || count == 0 || count > TRANSACTIONS_MAX)
        return 2;
    const char *url = anvil_url(anvil);
    struct chain *chain = chain_open(&(struct chain_options){.urls = &url,
                                                             .urls_count = 1,
                                                             .chain_id = CHAIN_ID,
                                                             .timeout_ms = 30000,
                                                             .clock = clock_system()});
    int code = chain ? measure(chain, count, arena) : 2;
    chain_close(chain);
    arena_free(arena);
    anvil_stop(anvil);
    return code;
}
