// SPDX-License-Identifier: Apache-2.0
// A lane takes payouts to their end while the chain, the disk, memory or the signer fails at any
// use: each is paid once, at one nonce, and nothing is sent that is not on disk.
#include "fault/plain_chain.h"
#include "fault/points.h"
#include "support/fail_alloc.h"
#include "support/fail_socket.h"
#include "support/sim_disk.h"
#include "unit/store/fixture.h"

#include "base/hex.h"
#include "base/log.h"
#include "relay/lane.h"

#define PAYOUTS       3
#define STEPS_MAX     600
#define STAYS_CALLS   12 // of the chain, one after the other
#define STEP_MS       400
#define STEPS_A_BLOCK 2
#define RESERVED      ((size_t)1 << 20)
#define KEY           "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

enum what { THE_CHAIN, THE_DISK, THE_POWER, THE_MEMORY, THE_SIGNER };

struct lane_world {
    struct fixture fixture;
    struct sim_disk *disk;
    struct sim_disk_image *image;
    struct plain_chain chain;
    struct eth_key key;
    struct address lane_address;
    uint64_t random;
    struct relay_lane *lane;
    struct claims *claims;
    struct signer *signer; // the real process, for its own faults
    int64_t unsaved;       // sent, but not in the store
    // The fault of the loop.
    enum what what;
    enum plain_fault chain_fault;
    struct sim_disk_fault disk_fault;
    bool stays;
    int64_t cut_at, cuts;
};

// ---------------------------------------------------------------- what the lane stands on

static void fill_random(void *context, uint8_t *out, size_t size)
{
    struct lane_world *world = context;
    for (size_t i = 0; i < size; i++) {
        world->random = world->random * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(world->random >> 56);
    }
}

static enum status sign(void *context, struct signed_transaction *ret_signed,
                        const struct sign_request *requests, size_t count, struct arena *arena)
{
    struct lane_world *world = context;
    if (world->signer != NULL)
        return signer_sign(world->signer, ret_signed, requests, count, arena);
    for (size_t i = 0; i < count; i++)
        if (!transaction_sign(&ret_signed[i], &requests[i].transaction, &world->key, arena))
            return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static void apart(bool begins)
{
    fail_alloc_count_thread(!begins);
}

// The test's own look at the store, which no fault of the loop meets.
static int64_t look(struct lane_world *world, const char *sql)
{
    sim_disk_set_aside(world->disk, true);
    int64_t number = scan_number(&world->fixture, sql);
    sim_disk_set_aside(world->disk, false);
    return number;
}

// Promise 4, seen through a connection of its own.
static void check_saved(void *context, const struct hash32 *hash)
{
    struct lane_world *world = context;
    char sql[160], hex[HEX_TEXT_SIZE(32)];
    if (sim_disk_is_off(world->disk))
        return; // the power went while it was on its way
    hex_encode(hex, (struct bytes){hash->bytes, sizeof hash->bytes});
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM attempts WHERE hash = x'%s'", hex + 2);
    world->unsaved += look(world, sql) != 1;
}

static void start_signer(struct lane_world *world)
{
    struct eth_key key = world->key; // the call wipes it
    struct signer_policy policy = {
        .chain_id = 31337, .contracts = {[1] = world->chain.payout}, .gas_limit_max = 15000000};
    assert_true(wei_parse_gwei(&policy.max_fee, "100"));
    OK(signer_start(&world->signer, &key, 1, &policy));
}

static void start(struct lane_world *world)
{
    OK(store_open(&world->fixture.store, &world->fixture.options));
    if (world->what == THE_SIGNER)
        start_signer(world);
    world->claims = claims_new(1);
    static struct random_source random;
    random = (struct random_source){fill_random, world};
    struct lane_options options = {
        .store = world->fixture.store,
        .chain = &world->chain.base,
        .signer = {sign, world},
        .clock = &world->fixture.clock,
        .random = &random,
        .claims = world->claims,
        .holder = "fault",
        .address = world->lane_address,
        .chain_id = 31337,
        .contracts = {.payout = world->chain.payout},
        .confirmations = 2,
        .finality = BLOCK_LATEST,
        .limits = {.window = 2,
                   .batch_gas_max = 15000000,
                   .batch_size_max = 1,
                   .stuck_after_ms = 60000,
                   .retry_delay_ms = 100,
                   .retry_delay_ms_max = 1000,
                   .tries_max = 20},
        .poll_interval_ms = 100,
    };
    assert_true(wei_parse_gwei(&options.limits.fees.max_fee, "50"));
    assert_true(wei_parse_gwei(&options.limits.fees.max_priority_fee, "2"));
    world->lane = lane_open(&options);
    assert_non_null(world->lane);
}

static void stop(struct lane_world *world)
{
    lane_close(world->lane);
    claims_free(world->claims);
    store_close(world->fixture.store);
    signer_stop(world->signer);
    world->signer = NULL;
    world->lane = NULL;
    world->fixture.store = NULL;
}

static void world_open(struct lane_world *world)
{
    int applied;
    struct fixture *fixture = &world->fixture;
    struct program program = program_usdc("usdc");
    uint8_t secret[32];
    memset(world, 0, sizeof *world);
    log_setup(LOG_ERROR + 1, LOG_FORMAT_TEXT);
    assert_true(hex_decode(secret, sizeof secret, KEY));
    assert_true(eth_key_from_secret(&world->key, secret));
    world->lane_address = eth_key_address(&world->key);
    fixture_paths(fixture);
    world->disk = sim_disk_new(fixture->directory);
    OK(store_migrate(&applied, &fixture->options));
    OK(store_open(&fixture->store, &fixture->options));
    struct store_tx *tx = begin(fixture);
    add_program(tx, &program);
    for (uint32_t i = 0; i < PAYOUTS; i++) {
        char key[8];
        snprintf(key, sizeof key, "p%u", i);
        add_user(tx, i + 1, i + 101, "usdc");
        pay(tx, key, i + 1, 5000000 + (int64_t)i);
    }
    OK(tx_commit(tx));
    store_close(fixture->store);
    world->image = sim_disk_image(world->disk);
    sim_disk_reserve(world->disk, RESERVED);
}

static void world_close(struct lane_world *world)
{
    sim_disk_image_free(world->image);
    sim_disk_free(world->disk);
    world->fixture.store = NULL;
    fixture_close(&world->fixture);
}

// ---------------------------------------------------------------- the run

static bool all_confirmed(struct lane_world *world)
{
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM jobs WHERE kind = %d AND state = %d",
             JOB_PAYOUT_USDC, JOB_CONFIRMED);
    return !sim_disk_is_off(world->disk) && look(world, sql) == PAYOUTS;
}

static enum status counted_step(struct lane_world *world, int64_t *ret_wait_ms)
{
    fail_alloc_count_thread(true);
    enum status status = lane_step(world->lane, ret_wait_ms);
    fail_alloc_count_thread(false);
    return status;
}

// Steps until all is paid and final. False: the lane came to its end, as a process would.
static bool run_lane(struct lane_world *world)
{
    for (int i = 0; i < STEPS_MAX; i++) {
        int64_t wait_ms = 0;
        if (counted_step(world, &wait_ms) != STATUS_OK)
            return false;
        world->fixture.now_ms += wait_ms > STEP_MS ? wait_ms : STEP_MS;
        if (i % STEPS_A_BLOCK == 0)
            plain_chain_mine(&world->chain);
        if (lane_look(world->lane).open + lane_look(world->lane).mined == 0 && all_confirmed(world))
            return true;
    }
    struct lane_view view = lane_look(world->lane);
    fail_msg("not done: held %d, open %zu, mined %zu, unresolved %zu, next nonce %lld", view.held,
             view.open, view.mined, view.unresolved, (long long)view.next_nonce);
    return false;
}

static void cut(void *context, struct sim_disk *disk, enum sim_disk_operation operation,
                int64_t total)
{
    (void)operation;
    struct lane_world *world = context;
    if (total != world->cut_at)
        return;
    sim_disk_crash(disk, (uint64_t)total);
    world->cuts++;
}

static void arm(struct lane_world *world, int64_t k)
{
    struct sim_disk_fault fault = world->disk_fault;
    switch (world->what) {
    case THE_CHAIN:
        plain_chain_arm(&world->chain, world->chain_fault, k, world->stays ? k + STAYS_CALLS : k);
        return;
    case THE_DISK:
        fault.at = k;
        sim_disk_set_fault(world->disk, &fault);
        return;
    case THE_POWER:
        world->cuts = 0;
        world->cut_at = sim_disk_count_all(world->disk) + k;
        sim_disk_set_hook(world->disk, cut, world);
        return;
    case THE_MEMORY:
        fail_alloc_arm(k, false);
        return;
    case THE_SIGNER:
        fail_socket_arm(k);
        return;
    }
}

static bool disarm(struct lane_world *world)
{
    switch (world->what) {
    case THE_CHAIN:
        return world->chain.fired > 0;
    case THE_DISK: {
        bool fired = sim_disk_fired(world->disk) > 0;
        sim_disk_set_fault(world->disk, NULL);
        return fired;
    }
    case THE_POWER:
        sim_disk_set_hook(world->disk, NULL, NULL);
        return world->cuts > 0;
    case THE_MEMORY:
        return fail_alloc_disarm() > 0;
    case THE_SIGNER:
        return fail_socket_disarm() > 0;
    }
    return false;
}

static void assert_paid_once(struct lane_world *world)
{
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(world->fixture.path, &sqlite), SQLITE_OK);
    sqlite3_stmt *row = scan_query(sqlite, "SELECT payout_id FROM jobs WHERE payout_id NOT NULL");
    int payouts = 0;
    while (sqlite3_step(row) == SQLITE_ROW) {
        struct hash32 id;
        assert_int_equal(sqlite3_column_bytes(row, 0), sizeof id.bytes);
        memcpy(id.bytes, sqlite3_column_blob(row, 0), sizeof id.bytes);
        if (hash32_is_zero(&id))
            continue;
        payouts++;
        assert_int_equal(plain_chain_paid(&world->chain, &id), 1);
        assert_int_equal(plain_chain_nonces(&world->chain, &id), 1);
    }
    sqlite3_finalize(row);
    sqlite3_close(sqlite);
    assert_int_equal(payouts, PAYOUTS);
    assert_int_equal(world->chain.nonce, PAYOUTS);
    assert_int_equal(world->unsaved, 0);
}

static bool run_point(void *context, int64_t k)
{
    struct lane_world *world = context;
    struct address payout = world->fixture.options.domain.payout_contract;
    world->random = (uint64_t)k;
    world->fixture.now_ms = START_MS;
    world->unsaved = 0;
    sim_disk_restore(world->disk, world->image, (uint64_t)k, false);
    plain_chain_init(&world->chain, &payout);
    world->chain.on_send = check_saved;
    world->chain.on_send_context = world;
    world->chain.apart = apart;
    start(world);
    if (k > 0)
        arm(world, k);
    bool done = run_lane(world);
    bool fired = k > 0 && disarm(world);
    if (!done) {
        // Chain and memory trouble pass by themselves; all else may end the process.
        assert_true(world->what != THE_CHAIN && world->what != THE_MEMORY);
        sim_disk_crash(world->disk, (uint64_t)k);
        stop(world);
        sim_disk_start(world->disk);
        start(world);
        assert_true(run_lane(world));
    }
    stop(world);
    assert_paid_once(world);
    return fired;
}

// ---------------------------------------------------------------- the loops

// fault 33: an answer that is lost, false or late at any call of the chain, or a row of them
static void a_lane_survives_every_chain_failure(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum plain_fault fault;
    } ways[] = {
        {"no answer", PLAIN_UNAVAILABLE},     {"nonsense, but it arrived", PLAIN_ARRIVED},
        {"no memory", PLAIN_NO_MEMORY},       {"accepted and forgotten", PLAIN_FORGOTTEN},
        {"refused but taken", PLAIN_REFUSED},
    };
    struct lane_world world;
    world_open(&world);
    world.what = THE_CHAIN;
    assert_false(run_point(&world, 0));
    for (size_t i = 0; i < 2 * (sizeof ways / sizeof ways[0]); i++) {
        char name[64];
        world.chain_fault = ways[i / 2].fault;
        world.stays = i % 2 == 1;
        snprintf(name, sizeof name, "%s%s", ways[i / 2].name, world.stays ? ", 13 calls" : "");
        points_loop("lane, chain", name, 5, run_point, &world);
    }
    world_close(&world);
}

// fault 1, 2, 3, 4, 63: the disk fails, or the power goes, at any operation of a payout's whole way
static void a_lane_survives_every_disk_failure(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct sim_disk_fault fault;
    } ways[] = {
        {"sync fails once", {1u << SIM_DISK_SYNC, 0, false, false, SQLITE_IOERR_FSYNC}},
        {"write fails once", {1u << SIM_DISK_WRITE, 0, false, true, SQLITE_IOERR_WRITE}},
        {"disk full from then on", {1u << SIM_DISK_WRITE, 0, true, true, SQLITE_FULL}},
        {"read fails once", {1u << SIM_DISK_READ, 0, false, false, SQLITE_IOERR_READ}},
        {"lock busy once", {1u << SIM_DISK_LOCK, 0, false, false, SQLITE_BUSY}},
    };
    struct lane_world world;
    world_open(&world);
    world.what = THE_DISK;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        world.disk_fault = ways[i].fault;
        points_loop("lane, disk", ways[i].name, 13, run_point, &world);
    }
    world.what = THE_POWER;
    points_loop("lane, disk", "power cut", 29, run_point, &world);
    world_close(&world);
}

// fault 69: memory fails at any allocation of a payout's whole way
static void a_lane_survives_every_allocation_that_fails(void **state)
{
    (void)state;
    struct lane_world world;
    world_open(&world);
    world.what = THE_MEMORY;
    points_loop("lane, memory", "allocation fails once", 53, run_point, &world);
    world_close(&world);
}

// fault 2: the socket to the signer breaks at any message; what is signed and not on disk is unsent
static void a_lane_survives_a_signer_that_dies_at_any_message(void **state)
{
    (void)state;
    struct lane_world world;
    world_open(&world);
    world.what = THE_SIGNER;
    points_loop("lane, signer", "socket breaks", 1, run_point, &world);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_survives_every_chain_failure),
        cmocka_unit_test(a_lane_survives_every_disk_failure),
        cmocka_unit_test(a_lane_survives_every_allocation_that_fails),
        cmocka_unit_test(a_lane_survives_a_signer_that_dies_at_any_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
