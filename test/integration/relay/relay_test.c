// SPDX-License-Identifier: Apache-2.0
// The relayer as a whole: its threads, two wallets, wake-ups, and a store that others write to.
#include "relay/relay.h"

#include "world.h"

#include "base/hex.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define PAYOUTS     120
#define WAIT_MS_MAX 60000

// Accounts 1 and 2 of anvil.
static const char *const lane_keys[] = {
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"};

struct running {
    struct world world;
    struct wake *wake;
    struct relay *relay;
    const char *url;
};

static void wake_up(void *context)
{
    wake_signal(context);
}

static void start_signer(struct running *running, size_t lanes)
{
    struct eth_key keys[2];
    struct world *world = &running->world;
    for (size_t i = 0; i < lanes; i++) {
        uint8_t secret[32];
        assert_true(hex_decode(secret, sizeof secret, lane_keys[i]));
        assert_true(eth_key_from_secret(&keys[i], secret));
        struct address lane = eth_key_address(&keys[i]);
        if (i > 0)
            world_grant(world, &lane);
    }
    struct signer_policy policy = {.chain_id = WORLD_CHAIN_ID,
                                   .contracts = {world->registry, world->payout, world->identity},
                                   .max_fee = world->max_fee,
                                   .gas_limit_max = GAS_TRANSACTION_MAX};
    OK(signer_start(&world->signer, keys, lanes, &policy));
}

static struct relay_options options_of(struct running *running)
{
    const struct world *world = &running->world;
    struct relay_options options = {.store = world->store,
                                    .signer = world->signer,
                                    .wake = running->wake,
                                    .clock = clock_system(),
                                    .random = random_system(),
                                    .holder = "test",
                                    .urls = &running->url,
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
                                    .batch_size_max = 20,
                                    .max_fee = world->max_fee,
                                    .poll_interval_ms = 1000,
                                    .stuck_after_ms = 30000,
                                    .retry_delay_ms = 100,
                                    .retry_delay_ms_max = 1000,
                                    .tries_max = 8};
    assert_true(wei_parse_gwei(&options.max_priority_fee, "2"));
    return options;
}

// The signer is forked before the store has threads.
static void open_running(struct running *running, size_t lanes)
{
    world_open(&running->world);
    running->relay = NULL;
    running->url = anvil_url(running->world.anvil);
    running->wake = wake_new();
    assert_non_null(running->wake);
    start_signer(running, lanes);
    world_open_store(&running->world, wake_up, running->wake);
}

static void close_running(struct running *running)
{
    relay_stop(running->relay);
    store_close(running->world.store);
    signer_stop(running->world.signer);
    wake_free(running->wake);
    running->world.store = NULL;
    world_close(&running->world);
}

static int64_t now_ms(void)
{
    return clock_monotonic_ms(clock_system());
}

static void wait_until_done(struct running *running)
{
    int64_t start_ms = now_ms();
    while (world_is_busy(&running->world)) {
        assert_true(relay_is_healthy(running->relay));
        if (now_ms() - start_ms > WAIT_MS_MAX)
            fail_msg("not done in time");
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

static void two_wallets_share_the_work_and_pay_each_once(void **state)
{
    (void)state;
    struct running running;
    static int64_t jobs[PAYOUTS];
    open_running(&running, 2);
    struct relay_options options = options_of(&running);
    OK(relay_start(&running.relay, &options));
    for (int i = 0; i < PAYOUTS; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        world_register(&running.world, i, i, false);
        jobs[i] = world_pay(&running.world, key, i, "usdc", 10);
    }
    wait_until_done(&running);
    for (int i = 0; i < PAYOUTS; i++) {
        struct job job = world_job(&running.world, jobs[i]);
        struct address holder = world_affiliate(i);
        assert_string_equal(job_state_text(job.state), "confirmed");
        assert_int_equal(world_events_of(&running.world, &job.payout_id), 1);
        assert_int_equal(world_usdc_of(&running.world, &holder), 1000000);
    }
    close_running(&running);
}

// A wake-up, not the poll interval of a second, brings a payment to the chain.
static void a_payment_is_on_the_chain_without_waiting_for_the_poll(void **state)
{
    (void)state;
    struct running running;
    int64_t best_ms = WAIT_MS_MAX;
    open_running(&running, 1);
    struct relay_options options = options_of(&running);
    world_register(&running.world, 1, 1, false);
    OK(relay_start(&running.relay, &options));
    wait_until_done(&running);
    for (int i = 0; i < 10; i++) {
        char key[16];
        snprintf(key, sizeof key, "p%d", i);
        int64_t start_ms = now_ms();
        world_pay(&running.world, key, 1, "usdc", 10);
        wait_until_done(&running);
        int64_t took_ms = now_ms() - start_ms;
        best_ms = took_ms < best_ms ? took_ms : best_ms;
    }
    print_message("payment to final: %lld ms at best\n", (long long)best_ms);
    assert_true(best_ms < options.poll_interval_ms / 2);
    close_running(&running);
}

// fault 31: another chain at the start
static void the_start_is_refused_for_another_chain_or_a_missing_contract(void **state)
{
    (void)state;
    struct running running;
    open_running(&running, 1);
    struct relay_options right = options_of(&running), options = right;
    options.chain_id = 1;
    assert_string_equal(status_text(relay_start(&running.relay, &options)), "conflict");
    options = right;
    options.payout.bytes[0] ^= 1;
    assert_string_equal(status_text(relay_start(&running.relay, &options)), "not_found");
    assert_null(running.relay);
    close_running(&running);
}

// What is accepted while the node is away is paid once it is back.
static void a_node_that_hangs_at_the_start_only_delays_payouts(void **state)
{
    (void)state;
    struct running running;
    open_running(&running, 1);
    struct relay_options options = options_of(&running);
    options.rpc_timeout_ms = 500;
    options.poll_interval_ms = 50;
    world_register(&running.world, 1, 1, false);
    int64_t id = world_pay(&running.world, "p", 1, "usdc", 10);
    anvil_hang(running.world.anvil, true);
    OK(relay_start(&running.relay, &options));
    assert_true(relay_is_healthy(running.relay));
    assert_string_equal(job_state_text(world_job(&running.world, id).state), "queued");
    anvil_hang(running.world.anvil, false);
    wait_until_done(&running);
    assert_string_equal(job_state_text(world_job(&running.world, id).state), "confirmed");
    close_running(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_wallets_share_the_work_and_pay_each_once),
        cmocka_unit_test(a_payment_is_on_the_chain_without_waiting_for_the_poll),
        cmocka_unit_test(the_start_is_refused_for_another_chain_or_a_missing_contract),
        cmocka_unit_test(a_node_that_hangs_at_the_start_only_delays_payouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
