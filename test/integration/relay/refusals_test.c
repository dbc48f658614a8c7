// SPDX-License-Identifier: Apache-2.0
// What nodes answer to a transaction they do not take: by client, what becomes of its slot. A real
// server before a real node refuses for a while, in the words of real clients.
#include "node_proxy.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define SEND "eth_sendRawTransaction"

static int64_t units(int64_t whole)
{
    return whole * 1000000;
}

struct refusing {
    struct world world;
    struct node_proxy *proxy;
    int64_t job;
};

// A payout of 5 USDC that is due; the node takes nothing.
static void open_refusing(struct refusing *refusing, const char *error)
{
    struct world *world = &refusing->world;
    world_open(world);
    world_start(world);
    world_register(world, 1, 1, false);
    world_run(world);
    world_stop(world);
    refusing->proxy = proxy_start(anvil_url(world->anvil));
    world->nodes[0] = proxy_url(refusing->proxy);
    world->nodes_count = 1;
    world_start(world);
    refusing->job = world_pay(world, "p1", 1, "usdc", 50);
    proxy_refuse(refusing->proxy, SEND, error);
}

static void close_refusing(struct refusing *refusing)
{
    world_stop(&refusing->world);
    proxy_stop(refusing->proxy);
    world_close(&refusing->world);
}

static size_t attempts_of(struct refusing *refusing, struct attempt *ret_newest)
{
    struct store_tx *tx;
    struct slot slot;
    struct attempt *attempts;
    size_t count = 0;
    OK(store_read(&tx, refusing->world.store));
    if (job_slot(tx, &slot, &attempts, &count, refusing->job, refusing->world.arena) != STATUS_OK)
        count = 0;
    store_read_end(tx);
    if (count > 0)
        *ret_newest = attempts[count - 1];
    return count;
}

static void steps(struct refusing *refusing, int count, int64_t pause_ms)
{
    for (int i = 0; i < count; i++) {
        refusing->world.skew_ms += pause_ms;
        world_step(&refusing->world);
    }
}

// ---------------------------------------------------------------- that pass

struct row {
    const char *error;
    bool bumps;       // higher fees follow, with the same nonce
    const char *held; // the kinds are held for this meanwhile; NULL: they are not
};

// Nothing fails, no further nonce is taken, and once the node takes it, it is paid.
static void check_passes(const struct row *row)
{
    struct refusing refusing;
    struct attempt newest = {0};
    open_refusing(&refusing, row->error);
    struct world *world = &refusing.world;
    steps(&refusing, 6, PLAN_BUMP_PAUSE_MS);
    struct job job = world_job(world, refusing.job);
    size_t attempts = attempts_of(&refusing, &newest);
    if (job.tries != 1 || job.state == JOB_PARKED || job.state == JOB_QUEUED)
        fail_msg("%s: %s, tries %d", row->error, job_state_text(job.state), (int)job.tries);
    if ((attempts > 1) != row->bumps || attempts > SLOT_ATTEMPTS_MAX)
        fail_msg("%s: %zu attempts", row->error, attempts);
    assert_int_equal(lane_look(world->lane).next_nonce, 2);
    assert_int_equal(world_lane_nonce(world), 1);
    if (row->held != NULL)
        assert_true(world_is_held(world, JOB_PAYOUT_USDC, row->held));
    proxy_refuse(refusing.proxy, SEND, NULL);
    world->skew_ms += PLAN_REFUSED_MS_MAX;
    world_run(world);
    job = world_job(world, refusing.job);
    struct address holder = world_affiliate(1);
    assert_string_equal(job_state_text(job.state), "confirmed");
    assert_int_equal(job.tries, 1);
    assert_int_equal(world_usdc_of(world, &holder), units(5));
    assert_int_equal(world_lane_nonce(world), 2);
    if (row->held != NULL) {
        steps(&refusing, 2, PLAN_HOLD_RECHECK_MS);
        assert_false(world_is_held(world, JOB_PAYOUT_USDC, row->held));
    }
    close_refusing(&refusing);
}

static void check_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_passes(&rows[i]);
}

#define SAYS(text) "{\"code\":-32000,\"message\":\"" text "\"}"
#define CHECK(...)                                                                                 \
    static const struct row rows[] = {__VA_ARGS__};                                                \
    check_all(rows, sizeof rows / sizeof rows[0])

// fault 10: order is kept, nothing fails
static void a_gap_at_the_node_is_waited_out(void **state)
{
    (void)state;
    CHECK({SAYS("nonce too high"), false, NULL}, {SAYS("NonceGap, Future nonce."), false, NULL},
          {SAYS("gapped-nonce tx from delegated accounts"), false, NULL});
}

// fault 11: both fees rise by an eighth, the nonce and the payload stay
static void a_replacement_that_is_underpriced_is_raised(void **state)
{
    (void)state;
    CHECK({SAYS("replacement transaction underpriced"), true, NULL});
}

// fault 12: the tip that the node asks for is given; no failure is counted
static void a_price_below_the_nodes_minimum_is_raised_to_it(void **state)
{
    (void)state;
    struct refusing refusing;
    struct attempt newest = {0};
    CHECK({SAYS("transaction underpriced"), true, NULL});
    open_refusing(&refusing, SAYS("transaction gas price below minimum: gas tip cap 1, minimum "
                                  "needed 3000000000"));
    steps(&refusing, 3, PLAN_BUMP_PAUSE_MS);
    assert_true(attempts_of(&refusing, &newest) > 1);
    assert_true(wei_units(newest.max_priority_fee) >= 3000000000u);
    assert_true(wei_compare(newest.max_fee, newest.max_priority_fee) >= 0);
    close_refusing(&refusing);
}

// fault 13: the fee cap is computed anew from the base fee
static void a_fee_cap_below_the_base_fee_is_computed_anew(void **state)
{
    (void)state;
    CHECK({SAYS("max fee per gas less than block base fee: address 0x0, maxFeePerGas: 1, baseFee: "
                "7"),
           true, NULL});
}

// fault 15: a full pool is waited out with the same bytes
static void a_full_pool_is_waited_out(void **state)
{
    (void)state;
    CHECK({SAYS("txpool is full"), false, NULL}, {SAYS("account limit exceeded"), false, NULL},
          {SAYS("in-flight transaction limit reached for delegated accounts"), false, NULL},
          {SAYS("pending sub-pool is full"), false, NULL});
}

// fault 17: no job fails for gas money; all wait, say so, and go on by themselves
static void missing_gas_money_holds_and_lets_go(void **state)
{
    (void)state;
    CHECK({SAYS("insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1"),
           false, "gas_money"},
          {SAYS("failed with 220000 gas: insufficient funds for gas * price + value"), false,
           "gas_money"});
}

// fault 31: the node's fault, not the job's
static void a_node_that_speaks_of_another_chain_fails_no_job(void **state)
{
    (void)state;
    struct refusing refusing;
    struct endpoint_health health;
    open_refusing(&refusing, SAYS("invalid chain id for signer: have 1 want 31337"));
    steps(&refusing, 3, PLAN_BUMP_PAUSE_MS);
    assert_int_equal(chain_endpoints(refusing.world.chain, &health, 1), 1);
    assert_false(health.healthy);
    assert_string_equal(world_state(&refusing.world, refusing.job), "assigned");
    close_refusing(&refusing);
}

// ---------------------------------------------------------------- that do not pass

// The payload is refused, the empty transaction that gives the nonce up is not.
static void refuse_once(struct refusing *refusing, const char *error)
{
    struct attempt newest;
    proxy_refuse(refusing->proxy, SEND, error);
    for (int i = 0; i < 100 && attempts_of(refusing, &newest) < 2; i++)
        steps(refusing, 1, PLAN_REFUSED_MS_MAX);
    assert_int_equal(attempts_of(refusing, &newest), 2);
    proxy_refuse(refusing->proxy, SEND, NULL);
    refusing->world.skew_ms += PLAN_REFUSED_MS_MAX;
}

// Tried once more alone, then parked: no storm, and never higher fees for the same payload.
static void check_parks(const char *error)
{
    struct refusing refusing;
    open_refusing(&refusing, error);
    struct world *world = &refusing.world;
    refuse_once(&refusing, error);
    world_run_until(world, refusing.job, JOB_QUEUED);
    proxy_refuse(refusing.proxy, SEND, error);
    world->skew_ms += 60000;
    world_run_until(world, refusing.job, JOB_ASSIGNED);
    refuse_once(&refusing, error);
    world_run(world);
    struct job job = world_job(world, refusing.job);
    assert_string_equal(job_state_text(job.state), "parked");
    assert_non_null(strstr(job.reason, "refused for good"));
    assert_int_equal(world_events_of(world, &job.payout_id), 0);
    assert_int_equal(lane_look(world->lane).open, 0);
    close_refusing(&refusing);
}

// fault 18: alone and with more gas once, then parked; higher fees never help
static void a_gas_limit_that_no_node_takes_parks(void **state)
{
    (void)state;
    check_parks(SAYS("intrinsic gas too low: gas 20000, minimum needed 21000"));
    check_parks(SAYS("transaction gas limit too high (cap: 16777216, tx: 20000000)"));
}

// fault 19: the node's own cap on fees parks
static void a_fee_above_the_nodes_own_cap_parks(void **state)
{
    (void)state;
    check_parks(SAYS("tx fee (1.10 ether) exceeds the configured cap (1.00 ether)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_at_the_node_is_waited_out),
        cmocka_unit_test(a_replacement_that_is_underpriced_is_raised),
        cmocka_unit_test(a_price_below_the_nodes_minimum_is_raised_to_it),
        cmocka_unit_test(a_fee_cap_below_the_base_fee_is_computed_anew),
        cmocka_unit_test(a_full_pool_is_waited_out),
        cmocka_unit_test(missing_gas_money_holds_and_lets_go),
        cmocka_unit_test(a_node_that_speaks_of_another_chain_fails_no_job),
        cmocka_unit_test(a_gas_limit_that_no_node_takes_parks),
        cmocka_unit_test(a_fee_above_the_nodes_own_cap_parks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
