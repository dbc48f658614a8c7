// SPDX-License-Identifier: Apache-2.0
// The world of lane tests.
#include "world.h"

#include "cli/artifacts.h"

#include "base/hex.h"
#include "eth/keccak.h"
#include "store/access.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define WORDS_MAX       16
#define HOLDER          "test"
#define STEP_PAUSE_MS   5

// Anvil's accounts 0 and 1 (its published mnemonic); 1 is the lane.
static const char admin_text[] = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
static const char lane_key_text[] =
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

// ---------------------------------------------------------------- the node

void world_node(struct world *world, const char *method, const char *params)
{
    json_decref(anvil_rpc(world->anvil, method, params));
}

static char *hex_of(struct world *world, struct bytes data)
{
    char *text = arena_alloc(world->arena, HEX_TEXT_SIZE(data.size));
    assert_non_null(text);
    hex_encode(text, data);
    return text;
}

static json_t *wait_for_receipt(struct world *world, const char *hash)
{
    char params[80];
    snprintf(params, sizeof params, "[\"%s\"]", hash);
    for (int i = 0; i < 2000; i++) {
        json_t *receipt = anvil_rpc(world->anvil, "eth_getTransactionReceipt", params);
        if (json_is_object(receipt))
            return receipt;
        json_decref(receipt);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    fail_msg("no receipt of %s", hash);
    return NULL;
}

// From the admin, whose key the node has. to: NULL creates. Returns the created address.
static struct address admin_send(struct world *world, const struct address *to, struct bytes data)
{
    char to_text[ADDRESS_TEXT_SIZE + 16] = "", address[ADDRESS_TEXT_SIZE];
    struct address created = {{0}};
    if (to != NULL) {
        address_format(address, to);
        snprintf(to_text, sizeof to_text, "\"to\":\"%s\",", address);
    }
    char *params =
        arena_printf(world->arena, "[{\"from\":\"%s\",%s\"gas\":\"0x989680\",\"data\":\"%s\"}]",
                     admin_text, to_text, hex_of(world, data));
    assert_non_null(params);
    json_t *hash = anvil_rpc(world->anvil, "eth_sendTransaction", params);
    json_t *receipt = wait_for_receipt(world, json_string_value(hash));
    assert_string_equal(json_string_value(json_object_get(receipt, "status")), "0x1");
    const char *contract = json_string_value(json_object_get(receipt, "contractAddress"));
    if (to == NULL)
        assert_true(hex_decode(created.bytes, sizeof created.bytes, contract));
    json_decref(hash);
    json_decref(receipt);
    return created;
}

void world_admin(struct world *world, const struct address *to, const struct abi_writer *call)
{
    struct bytes data;
    assert_true(abi_finish(&data, call));
    admin_send(world, to, data);
}

void world_admin_plain(struct world *world, const struct address *to, const char *signature)
{
    struct abi_writer call = abi_writer(world->arena, WORDS_MAX);
    abi_write_selector(&call, signature);
    world_admin(world, to, &call);
}

void world_admin_address(struct world *world, const struct address *to, const char *signature,
                         const struct address *argument)
{
    struct abi_writer call = abi_writer(world->arena, WORDS_MAX);
    abi_write_selector(&call, signature);
    abi_write_address(&call, argument);
    world_admin(world, to, &call);
}

void world_mint_usdc(struct world *world, int64_t whole)
{
    struct abi_writer call = abi_writer(world->arena, WORDS_MAX);
    abi_write_selector(&call, "mint(address,uint256)");
    abi_write_address(&call, &world->payout);
    abi_write_u64(&call, (uint64_t)whole * 1000000);
    world_admin(world, &world->usdc, &call);
}

static uint64_t quantity(json_t *value)
{
    struct u256 number;
    uint64_t small;
    assert_true(u256_parse_quantity(&number, json_string_value(value)));
    assert_true(u256_to_u64(&small, number));
    json_decref(value);
    return small;
}

int64_t world_block_number(struct world *world)
{
    return (int64_t)quantity(anvil_rpc(world->anvil, "eth_blockNumber", "[]"));
}

int64_t world_lane_nonce(struct world *world)
{
    char address[ADDRESS_TEXT_SIZE], params[80];
    address_format(address, &world->lane_address);
    snprintf(params, sizeof params, "[\"%s\",\"latest\"]", address);
    return (int64_t)quantity(anvil_rpc(world->anvil, "eth_getTransactionCount", params));
}

void world_use_nonce(struct world *world)
{
    char address[ADDRESS_TEXT_SIZE], params[300];
    address_format(address, &world->lane_address);
    snprintf(params, sizeof params,
             "[{\"from\":\"%s\",\"to\":\"%s\",\"value\":\"0x1\",\"gas\":\"0x5208\","
             "\"maxFeePerGas\":\"0x174876e800\",\"maxPriorityFeePerGas\":\"0x174876e800\","
             "\"nonce\":\"0x%" PRIx64 "\"}]",
             address, address, (uint64_t)world_lane_nonce(world));
    world_node(world, "eth_sendTransaction", params);
}

uint64_t world_view(struct world *world, const struct address *to, const char *signature,
                    const struct address *argument)
{
    char address[ADDRESS_TEXT_SIZE];
    struct bytes data;
    assert_true(call_address_view(&data, world->arena, signature, argument));
    address_format(address, to);
    char *params = arena_printf(world->arena, "[{\"to\":\"%s\",\"data\":\"%s\"},\"latest\"]",
                                address, hex_of(world, data));
    assert_non_null(params);
    return quantity(anvil_rpc(world->anvil, "eth_call", params));
}

int64_t world_usdc_of(struct world *world, const struct address *holder)
{
    return (int64_t)world_view(world, &world->usdc, "balanceOf(address)", holder);
}

static size_t logs_of(struct world *world, const char *event, const struct hash32 *id)
{
    char address[ADDRESS_TEXT_SIZE], topic_text[HEX_TEXT_SIZE(32)], id_text[HEX_TEXT_SIZE(32)];
    struct hash32 topic = keccak256_text(event);
    address_format(address, &world->payout);
    hex_encode(topic_text, (struct bytes){topic.bytes, 32});
    hex_encode(id_text, (struct bytes){id->bytes, 32});
    char *params = arena_printf(world->arena,
                                "[{\"fromBlock\":\"0x0\",\"toBlock\":\"latest\",\"address\":\"%s\","
                                "\"topics\":[\"%s\",\"%s\"]}]",
                                address, topic_text, id_text);
    assert_non_null(params);
    json_t *logs = anvil_rpc(world->anvil, "eth_getLogs", params);
    size_t count = json_array_size(logs);
    json_decref(logs);
    return count;
}

size_t world_events_of(struct world *world, const struct hash32 *payout_id)
{
    return logs_of(world, "AffiliatePaid(bytes32,address,uint256)", payout_id) +
           logs_of(world, "AffiliatePaidHybrid(bytes32,address,uint256,uint256)", payout_id) +
           logs_of(world, "PayoutOwed(bytes32,address,uint256,uint256)", payout_id);
}

// ---------------------------------------------------------------- deploying

static void grant(struct world *world, const struct address *contract, const char *role,
                  const struct address *account)
{
    struct hash32 hash = keccak256_text(role);
    struct abi_writer words = abi_writer(world->arena, WORDS_MAX);
    abi_write_selector(&words, "grantRole(bytes32,address)");
    abi_write_hash32(&words, &hash);
    abi_write_address(&words, account);
    world_admin(world, contract, &words);
}

static struct address create(struct world *world, const char *name, const struct abi_writer *words)
{
    const struct artifact *artifact = artifacts;
    while (artifact->name != NULL && strcmp(artifact->name, name) != 0)
        artifact++;
    struct bytes arguments;
    assert_non_null(artifact->name);
    assert_true(abi_finish(&arguments, words));
    uint8_t *data = arena_alloc(world->arena, artifact->code.size + arguments.size);
    assert_non_null(data);
    memcpy(data, artifact->code.data, artifact->code.size);
    memcpy(data + artifact->code.size, arguments.data, arguments.size);
    return admin_send(world, NULL, (struct bytes){data, artifact->code.size + arguments.size});
}

static void deploy_tokens(struct world *world)
{
    struct abi_writer words = abi_writer(world->arena, WORDS_MAX);
    abi_write_address(&words, &world->admin);
    world->usdc = create(world, "TestUSDC", &words);
    words = abi_writer(world->arena, WORDS_MAX);
    abi_write_address(&words, &world->admin);
    abi_write_u256(&words, u256_from_u128((uint128_t)1 << 100));
    world->sge = create(world, "SGEToken", &words);
    words = abi_writer(world->arena, WORDS_MAX);
    abi_write_address(&words, &world->admin);
    abi_write_address(&words, &world->lane_address);
    world->identity = create(world, "SGEIdentity", &words);
}

static void deploy_contracts(struct world *world)
{
    struct abi_writer words = abi_writer(world->arena, WORDS_MAX);
    abi_write_address(&words, &world->admin);
    abi_write_u64(&words, 0);
    abi_write_address(&words, &world->lane_address);
    world->registry = create(world, "AffiliateRegistry", &words);
    words = abi_writer(world->arena, WORDS_MAX);
    abi_write_address(&words, &world->usdc);
    abi_write_address(&words, &world->sge);
    abi_write_address(&words, &world->admin);
    abi_write_u64(&words, 0);
    abi_write_address(&words, &world->lane_address);
    abi_write_address(&words, &world->admin);
    abi_write_bool(&words, true);
    abi_write_u64(&words, UINT64_C(100000000));    // 100 USDC a payout
    abi_write_u64(&words, UINT64_C(100000000000)); // 100,000 USDC a day
    abi_write_u256(&words, u256_from_u128((uint128_t)1 << 90));
    abi_write_u256(&words, u256_from_u128((uint128_t)1 << 90));
    world->payout = create(world, "AffiliatePayout", &words);
    grant(world, &world->sge, "MINTER_ROLE", &world->payout);
}

// ---------------------------------------------------------------- the store

struct test_work {
    struct store_work work;
    enum status (*run)(struct store_tx *tx, void *context);
    void *context;
};

static enum status run_test_work(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct test_work *work = (struct test_work *)(void *)works[i];
        enum status status = work->run(tx, work->context);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void write_store(struct world *world, enum status (*run)(struct store_tx *, void *),
                        void *context)
{
    static const struct store_work_kind kind = {"test", run_test_work};
    struct test_work work = {.work = {.kind = &kind}, .run = run, .context = context};
    OK(store_write(world->store, &work.work));
}

static int64_t clock_of_world(void *context)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
           ((const struct world *)context)->skew_ms;
}

static int64_t wall_of_world(void *context)
{
    return clock_of_world(context) + ((const struct world *)context)->step_ms;
}

static struct store_options store_options_of(struct world *world)
{
    return (struct store_options){.path = world->path,
                                  .clock = &world->clock,
                                  .domain = {WORLD_CHAIN_ID, world->payout},
                                  .outbox = true,
                                  .in_caller = true};
}

static enum status insert_programs(struct store_tx *tx, void *context)
{
    (void)context;
    int64_t id;
    bool created;
    struct program usdc = {.name = "usdc",
                           .kind = PROGRAM_USDC,
                           .trigger = PROGRAM_EVERY_PAYMENT,
                           .commission_bps = 1000,
                           .active = true};
    struct program hybrid = usdc;
    snprintf(hybrid.name, sizeof hybrid.name, "hybrid");
    hybrid.kind = PROGRAM_HYBRID;
    assert_true(sge_parse(&hybrid.sge_rate, "2"));
    struct program patient = usdc;
    snprintf(patient.name, sizeof patient.name, "patient");
    patient.hold_seconds = 60;
    OK(program_insert(tx, &id, &created, &usdc));
    OK(program_insert(tx, &id, &created, &patient));
    return program_insert(tx, &id, &created, &hybrid);
}

static void make_store(struct world *world)
{
    snprintf(world->directory, sizeof world->directory, "/tmp/sluice_lane_XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    snprintf(world->path, sizeof world->path, "%s/store.db", world->directory);
    struct store_options options = store_options_of(world);
    int applied;
    OK(store_migrate(&applied, &options));
    OK(store_open(&world->store, &options));
    write_store(world, insert_programs, NULL);
    store_close(world->store);
    world->store = NULL;
}

static void remove_store(const struct world *world)
{
    DIR *directory = opendir(world->directory);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory != NULL)
        closedir(directory);
    (void)rmdir(world->directory);
}

void world_forget_store(struct world *world)
{
    remove_store(world);
    make_store(world);
}

// ---------------------------------------------------------------- opening

void world_open(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->source = (struct clock){wall_of_world, clock_of_world, world};
    steady_clock_init(&world->steady, &world->source);
    world->clock = world->steady.clock;
    world->confirmations = 1;
    world->window = 16;
    world->batch_size_max = 200;
    world->stuck_after_ms = 30000;
    world->tries_max = 8;
    assert_true(wei_parse_gwei(&world->max_fee, "100"));
    world->arena = arena_new(ARENA_BYTES_MAX);
    // What does not fit a block waits at this node until another transaction comes.
    static const char *const arguments[] = {"--gas-limit", "1000000000", NULL};
    world->anvil = anvil_start(arguments);
    assert_non_null(world->anvil);
    struct eth_key key;
    uint8_t secret[32];
    assert_true(hex_decode(secret, sizeof secret, lane_key_text));
    assert_true(eth_key_from_secret(&key, secret));
    world->lane_address = eth_key_address(&key);
    assert_int_equal(address_parse(&world->admin, admin_text), ADDRESS_FINE);
    deploy_tokens(world);
    deploy_contracts(world);
    world_mint_usdc(world, 1000);
    make_store(world);
}

void world_close(struct world *world)
{
    world_stop(world);
    anvil_stop(world->anvil);
    arena_free(world->arena);
    remove_store(world);
}

static enum status sign(void *context, struct signed_transaction *ret_signed,
                        const struct sign_request *requests, size_t count, struct arena *arena)
{
    return signer_sign(context, ret_signed, requests, count, arena);
}

static void start_signer(struct world *world)
{
    uint8_t secret[32];
    struct eth_key key;
    struct signer_policy policy = {.chain_id = WORLD_CHAIN_ID,
                                   .contracts = {world->registry, world->payout, world->identity},
                                   .max_fee = world->max_fee,
                                   .gas_limit_max = GAS_TRANSACTION_MAX};
    if (world->signer_denies_mints)
        policy.contracts[2] = (struct address){{0}};
    assert_true(hex_decode(secret, sizeof secret, lane_key_text));
    assert_true(eth_key_from_secret(&key, secret));
    OK(signer_start(&world->signer, &key, 1, &policy));
}

static struct lane_options lane_options_of(struct world *world)
{
    struct lane_options options = {
        .store = world->store,
        .chain = world->chain,
        .witnesses = world->witnesses,
        .witnesses_count = world->witnesses_count,
        .witnesses_needed = world->witnesses_needed,
        .signer = {sign, world->signer},
        .clock = &world->clock,
        .random = random_system(),
        .claims = world->claims,
        .holder = HOLDER,
        .address = world->lane_address,
        .chain_id = WORLD_CHAIN_ID,
        .contracts = {world->registry, world->payout, world->identity},
        .usdc = world->usdc,
        .sge = world->sge,
        .confirmations = world->confirmations,
        .finality = BLOCK_LATEST,
        .limits = {.window = world->window,
                   .batch_gas_max = 15000000,
                   .batch_size_max = world->batch_size_max,
                   .fees = {.max_fee = world->max_fee},
                   .stuck_after_ms = world->stuck_after_ms,
                   .retry_delay_ms = 100,
                   .retry_delay_ms_max = 1000,
                   .tries_max = world->tries_max},
        .poll_interval_ms = 100,
        .at = world->at,
        .at_context = world->at_context,
    };
    assert_true(wei_parse_gwei(&options.limits.fees.max_priority_fee, "2"));
    return options;
}

static struct chain *open_chain(const char *const *urls, size_t count)
{
    struct chain_options options = {.urls = urls,
                                    .urls_count = count,
                                    .chain_id = WORLD_CHAIN_ID,
                                    .timeout_ms = 10000,
                                    .clock = clock_system()};
    struct chain *chain = chain_open(&options);
    assert_non_null(chain);
    return chain;
}

static void open_chains(struct world *world)
{
    const char *urls[WORLD_NODES_MAX] = {anvil_url(world->anvil)};
    size_t count = 1;
    for (size_t i = 0; i < world->nodes_count; i++)
        urls[i] = world->nodes[i];
    if (world->nodes_count > 0)
        count = world->nodes_count;
    world->chain = open_chain(urls, count);
    if (world->second_witness != NULL)
        urls[count++] = world->second_witness;
    for (size_t i = 0; i < count; i++)
        world->witnesses[i] = open_chain(&urls[i], 1);
    world->witnesses_count = count;
}

void world_start(struct world *world)
{
    struct store_options store = store_options_of(world);
    start_signer(world);
    OK(store_open(&world->store, &store));
    open_chains(world);
    world->claims = claims_new(1);
    assert_non_null(world->claims);
    struct lane_options options = lane_options_of(world);
    world->lane = lane_open(&options);
    assert_non_null(world->lane);
}

void world_stop(struct world *world)
{
    if (world->lane == NULL)
        return;
    lane_close(world->lane);
    claims_free(world->claims);
    chain_close(world->chain);
    for (size_t i = 0; i < world->witnesses_count; i++)
        chain_close(world->witnesses[i]);
    store_close(world->store);
    signer_stop(world->signer);
    world->lane = NULL;
    world->store = NULL;
}

void world_open_store(struct world *world, void (*on_jobs)(void *context), void *context)
{
    struct store_options options = store_options_of(world);
    options.in_caller = false;
    options.on_jobs = on_jobs;
    options.on_jobs_context = context;
    OK(store_open(&world->store, &options));
}

void world_grant(struct world *world, const struct address *lane)
{
    grant(world, &world->registry, "RELAYER_ROLE", lane);
    grant(world, &world->payout, "RELAYER_ROLE", lane);
    grant(world, &world->identity, "MINTER_ROLE", lane);
}

// ---------------------------------------------------------------- users, payments, jobs

struct address world_child(int number)
{
    struct address address = {{0xc1}};
    address.bytes[18] = (uint8_t)(number >> 8);
    address.bytes[19] = (uint8_t)number;
    return address;
}

struct address world_affiliate(int number)
{
    struct address address = world_child(number);
    address.bytes[0] = 0xaf;
    return address;
}

struct registering {
    struct address child, affiliate;
    bool mint;
};

static enum status run_register(struct store_tx *tx, void *context)
{
    struct registering *r = context;
    enum user_outcome outcome;
    struct user user;
    struct trace_id trace = {{1}};
    enum status status =
        user_register(tx, &outcome, &user, &r->child, &r->affiliate, "usdc", r->mint, &trace);
    assert_int_equal(outcome, USER_CREATED);
    return status;
}

void world_register(struct world *world, int child, int affiliate, bool mint)
{
    struct registering r = {world_child(child), world_affiliate(affiliate), mint};
    write_store(world, run_register, &r);
}

int64_t world_referral_job(struct world *world, int child)
{
    struct address wallet = world_child(child);
    struct store_tx *tx;
    struct user user;
    OK(store_read(&tx, world->store));
    OK(user_by_wallet(tx, &user, &wallet));
    store_read_end(tx);
    return user.referral_job_id;
}

void world_refer(struct world *world, int child, const struct address *affiliate)
{
    struct referral_call referral = {world_child(child), *affiliate};
    struct bytes data;
    grant(world, &world->registry, "RELAYER_ROLE", &world->admin);
    assert_true(call_register_referral(&data, world->arena, &referral));
    admin_send(world, &world->registry, data);
}

struct paying {
    struct payment_input input;
    struct payment payment;
};

static enum status run_pay(struct store_tx *tx, void *context)
{
    struct paying *p = context;
    enum payment_outcome outcome;
    enum status status = payment_accept(tx, &outcome, &p->payment, &p->input);
    assert_int_equal(outcome, PAYMENT_NEW);
    return status;
}

int64_t world_pay(struct world *world, const char *key, int child, const char *program,
                  int64_t usdc)
{
    struct paying p = {.input = {.provider = PROVIDER_DIRECT,
                                 .payment_key = key,
                                 .child = world_child(child),
                                 .program_name = program,
                                 .received_ms = clock_wall_ms(&world->clock)}};
    assert_true(usdc_from_units(&p.input.amount, usdc * 1000000));
    write_store(world, run_pay, &p);
    assert_int_equal(p.payment.state, PAYMENT_ACCEPTED);
    return p.payment.job_id;
}

static enum status run_cancel(struct store_tx *tx, void *context)
{
    struct job_change change = {.cause = "operator"};
    return job_set_state(tx, *(int64_t *)context, JOB_QUEUED, JOB_CANCELLED, &change);
}

void world_cancel(struct world *world, int64_t job_id)
{
    write_store(world, run_cancel, &job_id);
}

static enum status run_retry(struct store_tx *tx, void *context)
{
    struct job_change change = {.cause = "operator", .why = "retry"};
    return job_set_state(tx, *(int64_t *)context, JOB_PARKED, JOB_QUEUED, &change);
}

void world_retry(struct world *world, int64_t job_id)
{
    write_store(world, run_retry, &job_id);
}

void world_pay_by_hand(struct world *world, int64_t job_id)
{
    struct job job = world_job(world, job_id);
    struct payout_call payout = {.payout_id = job.payout_id,
                                 .child = job.child,
                                 .referrer = job.referrer,
                                 .usdc = job.usdc,
                                 .sge = job.sge};
    struct bytes data;
    grant(world, &world->payout, "RELAYER_ROLE", &world->admin);
    assert_true(call_pay_affiliate(&data, world->arena, &payout));
    admin_send(world, &world->payout, data);
}

static enum status run_pause(struct store_tx *tx, void *context)
{
    bool changed;
    return *(bool *)context ? hold_set(tx, &changed, JOB_PAYOUT_USDC, "paused", "?")
                            : hold_clear(tx, &changed, JOB_PAYOUT_USDC, "paused");
}

void world_pause(struct world *world, bool paused)
{
    write_store(world, run_pause, &paused);
}

struct taking {
    const struct address *lane;
    const char *holder;
};

static enum status run_take(struct store_tx *tx, void *context)
{
    struct taking *taking = context;
    struct lane lane;
    return lane_acquire(tx, &lane, taking->lane, 0, taking->holder, LANE_LEASE_MS);
}

void world_take_lease(struct world *world, const char *holder)
{
    struct taking taking = {&world->lane_address, holder};
    world->skew_ms += LANE_LEASE_MS + 1;
    write_store(world, run_take, &taking);
    world->skew_ms -= LANE_LEASE_MS + 1;
}

struct job world_job(struct world *world, int64_t job_id)
{
    struct store_tx *tx;
    struct job job;
    OK(store_read(&tx, world->store));
    OK(job_by_id(tx, &job, job_id));
    store_read_end(tx);
    return job;
}

const char *world_state(struct world *world, int64_t job_id)
{
    return job_state_text(world_job(world, job_id).state);
}

const char *world_hold_why(struct world *world, enum job_kind kind, const char *reason)
{
    struct store_tx *tx;
    struct hold *holds;
    size_t count;
    const char *why = NULL;
    OK(store_read(&tx, world->store));
    OK(holds_list(tx, &holds, &count, world->arena));
    for (size_t i = 0; i < count; i++)
        if (holds[i].kind == kind && strcmp(holds[i].reason, reason) == 0)
            why = holds[i].why;
    store_read_end(tx);
    return why;
}

bool world_is_held(struct world *world, enum job_kind kind, const char *reason)
{
    return world_hold_why(world, kind, reason) != NULL;
}

static int64_t jobs_in(struct world *world, unsigned states)
{
    struct store_tx *tx;
    struct job_counts counts;
    int64_t sum = 0;
    OK(store_read(&tx, world->store));
    OK(job_counts_read(tx, &counts));
    store_read_end(tx);
    for (int kind = 1; kind <= JOB_KIND_COUNT; kind++)
        for (int state = 1; state <= JOB_STATE_COUNT; state++)
            sum += (states & (1u << state)) ? counts.counts[kind][state] : 0;
    return sum;
}

// ---------------------------------------------------------------- running

int64_t world_step(struct world *world)
{
    int64_t wait_ms = 0;
    OK(lane_step(world->lane, &wait_ms));
    return wait_ms;
}

static void pause_after(int64_t wait_ms)
{
    int64_t pause = wait_ms < STEP_PAUSE_MS ? wait_ms : STEP_PAUSE_MS;
    nanosleep(&(struct timespec){.tv_nsec = pause * 1000000}, NULL);
}

static void check_deadline(const struct world *world, int64_t start_ms)
{
    if (clock_monotonic_ms(clock_system()) - start_ms > WORLD_RUN_MS) {
        struct lane_view view = lane_look(world->lane);
        fail_msg("not done in time: open %zu mined %zu unresolved %zu", view.open, view.mined,
                 view.unresolved);
    }
}

void world_run_while(struct world *world, unsigned busy)
{
    int64_t start_ms = clock_monotonic_ms(clock_system());
    while (jobs_in(world, busy) > 0) {
        pause_after(world_step(world));
        check_deadline(world, start_ms);
    }
}

#define BUSY                                                                                       \
    (1u << JOB_QUEUED | 1u << JOB_HELD | 1u << JOB_ASSIGNED | 1u << JOB_SENT | 1u << JOB_MINED |   \
     1u << JOB_UNRESOLVED)

bool world_is_busy(struct world *world)
{
    return jobs_in(world, BUSY) > 0;
}

void world_run(struct world *world)
{
    world_run_while(world, BUSY);
}

void world_run_until(struct world *world, int64_t job_id, enum job_state state)
{
    int64_t start_ms = clock_monotonic_ms(clock_system());
    while (world_job(world, job_id).state != state) {
        pause_after(world_step(world));
        check_deadline(world, start_ms);
    }
}
