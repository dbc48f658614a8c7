// SPDX-License-Identifier: Apache-2.0
// How fast the relayer is on a node that mines at once: the time from a stored payment to its block
// and to final, one at a time; and the rate at which a queue of payouts drains. One line each.
#include "relay/relay.h"

#include "world.h"

#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SINGLES 200
#define QUEUE   5000
#define USERS   1000

static const char lane_key[] = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

static void wake_up(void *context)
{
    wake_signal(context);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void start_signer(struct world *world)
{
    struct eth_key key;
    uint8_t secret[32];
    struct signer_policy policy = {.chain_id = WORLD_CHAIN_ID,
                                   .contracts = {world->registry, world->payout, world->identity},
                                   .max_fee = world->max_fee,
                                   .gas_limit_max = GAS_TRANSACTION_MAX};
    assert_true(hex_decode(secret, sizeof secret, lane_key));
    assert_true(eth_key_from_secret(&key, secret));
    OK(signer_start(&world->signer, &key, 1, &policy));
}

static struct relay *start_relay(struct world *world, struct wake *wake, const char *const *url)
{
    struct relay_options options = {.store = world->store,
                                    .signer = world->signer,
                                    .wake = wake,
                                    .clock = clock_system(),
                                    .random = random_system(),
                                    .holder = "rate",
                                    .urls = url,
                                    .urls_count = 1,
                                    .rpc_timeout_ms = 10000,
                                    .chain_id = WORLD_CHAIN_ID,
                                    .registry = world->registry,
                                    .payout = world->payout,
                                    .identity = world->identity,
                                    .confirmations = 1,
                                    .finality = BLOCK_LATEST,
                                    .window = 16,
                                    .batch_gas_max = 15000000,
                                    .batch_size_max = 200,
                                    .max_fee = world->max_fee,
                                    .poll_interval_ms = 1000,
                                    .stuck_after_ms = 30000,
                                    .retry_delay_ms = 1000,
                                    .retry_delay_ms_max = 60000,
                                    .tries_max = 8};
    struct relay *relay;
    assert_true(wei_parse_gwei(&options.max_priority_fee, "2"));
    OK(relay_start(&relay, &options));
    return relay;
}

static void wait_until_done(struct world *world)
{
    while (world_is_busy(world))
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void measure_singles(struct world *world)
{
    static int64_t mined_us[SINGLES], final_us[SINGLES];
    for (int i = 0; i < SINGLES; i++) {
        char key[16];
        snprintf(key, sizeof key, "s%d", i);
        int64_t block = world_block_number(world), start_us = now_us();
        world_pay(world, key, 1, "usdc", 1);
        while (world_block_number(world) == block)
            ;
        mined_us[i] = now_us() - start_us;
        wait_until_done(world);
        final_us[i] = now_us() - start_us;
    }
    qsort(mined_us, SINGLES, sizeof mined_us[0], compare);
    qsort(final_us, SINGLES, sizeof final_us[0], compare);
    printf("one payment at a time: mined after %lld us (median) and %lld us (99 %%), final after "
           "%lld us and %lld us\n",
           (long long)mined_us[SINGLES / 2], (long long)mined_us[SINGLES * 99 / 100],
           (long long)final_us[SINGLES / 2], (long long)final_us[SINGLES * 99 / 100]);
}

int main(void)
{
    struct world world;
    world_open(&world);
    world_mint_usdc(&world, 100000);
    const char *url = anvil_url(world.anvil);
    struct wake *wake = wake_new();
    start_signer(&world);
    world_open_store(&world, wake_up, wake);
    for (int i = 0; i < USERS; i++)
        world_register(&world, i, i, false);
    struct relay *relay = start_relay(&world, wake, &url);
    wait_until_done(&world);
    measure_singles(&world);
    relay_stop(relay);
    for (int i = 0; i < QUEUE; i++) {
        char key[16];
        snprintf(key, sizeof key, "q%d", i);
        world_pay(&world, key, i % USERS, "usdc", 1);
    }
    int64_t start_us = now_us(), nonce = world_lane_nonce(&world);
    relay = start_relay(&world, wake, &url);
    wait_until_done(&world);
    int64_t took_us = now_us() - start_us;
    printf("a queue of %d payouts: %lld us, %lld payouts/s, %lld transactions\n", QUEUE,
           (long long)took_us, (long long)(INT64_C(1000000) * QUEUE / took_us),
           (long long)(world_lane_nonce(&world) - nonce));
    relay_stop(relay);
    store_close(world.store);
    signer_stop(world.signer);
    wake_free(wake);
    world.store = NULL;
    world_close(&world);
    return 0;
}
