// SPDX-License-Identifier: Apache-2.0
// Starting and stopping the relayer: one thread per lane, one that spreads wake-ups, outbound.
#include "relay/relay.h"

#include "relay/lane.h"
#include "relay/outbound.h"
#include "relay/relay_metrics.h"
#include "relay/start_check.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What one endpoint gets to answer as a witness.
#define WITNESS_TIMEOUT_MS 3000
// The spreader looks this often whether it should end.
#define SPREAD_MS 1000

struct lane_thread {
    struct relay *relay;
    pthread_t thread;
    bool started;
    struct wake *wake;
    struct chain *chain;
    struct chain *witnesses[CHAIN_ENDPOINTS_MAX];
    size_t witnesses_count;
    struct relay_lane *lane;
    atomic_bool stalled, degraded;
};

struct relay {
    struct relay_options options;
    struct lane_thread lanes[SIGNER_LANES_MAX];
    size_t lanes_count;
    struct claims *claims;
    pthread_mutex_t signer_mutex;
    pthread_t spreader;
    bool spreading;
    bool checked; // the chain was found to be the right one at start
    struct wake *outbound_wake;
    struct outbound *outbound;
    atomic_bool stopping;
    atomic_bool healthy;
};

// ---------------------------------------------------------------- threads

// One signer serves all lanes, one exchange at a time.
static enum status sign(void *context, struct signed_transaction *ret_signed,
                        const struct sign_request *requests, size_t count, struct arena *arena)
{
    struct relay *relay = context;
    pthread_mutex_lock(&relay->signer_mutex);
    enum status status = signer_sign(relay->options.signer, ret_signed, requests, count, arena);
    pthread_mutex_unlock(&relay->signer_mutex);
    return status;
}

static void show_calls(const struct lane_thread *thread)
{
    struct endpoint_health health[CHAIN_ENDPOINTS_MAX];
    size_t count = chain_endpoints(thread->chain, health, CHAIN_ENDPOINTS_MAX);
    relay_metrics_rpc((size_t)(thread - thread->relay->lanes), health, count);
}

static void end_lane(struct lane_thread *thread, enum status status)
{
    const char *why = status == STATUS_UNAVAILABLE ? "the signer process is gone"
                      : status == STATUS_CONFLICT || status == STATUS_NOT_FOUND
                          ? "the chain is not the one of the settings"
                          : "the store failed";
    log_error("a lane stops for good", {"why", LOG_TEXT(why)},
              {"status", LOG_TEXT(status_text(status))},
              {"lane", LOG_INT(thread - thread->relay->lanes)});
    atomic_store(&thread->relay->healthy, false);
}

// A node that was away at the start is asked again; until it has answered, nothing is claimed.
static bool find_chain(struct lane_thread *thread)
{
    struct relay *relay = thread->relay;
    enum status status = relay->checked ? STATUS_OK : STATUS_UNAVAILABLE;
    while (status == STATUS_UNAVAILABLE && !atomic_load(&relay->stopping)) {
        status = start_check(&relay->options);
        if (status == STATUS_UNAVAILABLE)
            wake_wait(thread->wake, relay->options.poll_interval_ms);
    }
    if (status != STATUS_OK && status != STATUS_UNAVAILABLE)
        end_lane(thread, status);
    return status == STATUS_OK;
}

static void *run_lane(void *context)
{
    struct lane_thread *thread = context;
    struct relay *relay = thread->relay;
    if (!find_chain(thread))
        return NULL;
    while (!atomic_load(&relay->stopping)) {
        int64_t wait_ms;
        enum status status = lane_step(thread->lane, &wait_ms);
        if (status != STATUS_OK) {
            end_lane(thread, status);
            return NULL;
        }
        show_calls(thread);
        struct lane_view view = lane_look(thread->lane);
        atomic_store(&thread->stalled, view.stalled);
        atomic_store(&thread->degraded, view.degraded);
        if (wait_ms > 0)
            wake_wait(thread->wake, wait_ms);
    }
    lane_let_go(thread->lane);
    return NULL;
}

static void wake_all(struct relay *relay)
{
    for (size_t i = 0; i < relay->lanes_count; i++)
        wake_signal(relay->lanes[i].wake);
    if (relay->outbound_wake != NULL)
        wake_signal(relay->outbound_wake);
}

// A wake-up reaches one waiter only; here it reaches all.
static void *spread(void *context)
{
    struct relay *relay = context;
    while (!atomic_load(&relay->stopping)) {
        wake_wait(relay->options.wake, SPREAD_MS);
        wake_all(relay);
    }
    return NULL;
}

// ---------------------------------------------------------------- holds at start

struct contracts_work {
    struct store_work work;
    struct relay_contracts contracts;
};

static enum status write_contract_holds(struct store_tx *tx,
                                        const struct relay_contracts *contracts)
{
    for (int kind = JOB_REGISTER_REFERRAL; kind <= JOB_PAYOUT_HYBRID; kind++) {
        bool changed;
        const struct address *target = payload_target(contracts, (enum job_kind)kind);
        enum status status = address_is_zero(target)
                                 ? hold_set(tx, &changed, (enum job_kind)kind, "no_contract",
                                            "the address of its contract is not among the settings")
                                 : hold_clear(tx, &changed, (enum job_kind)kind, "no_contract");
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status run_contract_holds(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct contracts_work *work = (struct contracts_work *)(void *)works[i];
        enum status status = write_contract_holds(tx, &work->contracts);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status hold_unconfigured(const struct relay_options *options)
{
    static const struct store_work_kind kind = {"contract holds", run_contract_holds};
    struct contracts_work work = {
        .work = {.kind = &kind},
        .contracts = {options->registry, options->payout, options->identity}};
    return store_write(options->store, &work.work);
}

// ---------------------------------------------------------------- starting

static struct lane_options lane_options_of(struct relay *relay, struct lane_thread *thread,
                                           size_t index, const struct address *address)
{
    const struct relay_options *options = &relay->options;
    return (struct lane_options){
        .store = options->store,
        .chain = thread->chain,
        .witnesses = thread->witnesses,
        .witnesses_count = thread->witnesses_count,
        .witnesses_needed = options->finality_endpoints,
        .signer = {sign, relay},
        .clock = options->clock,
        .random = options->random,
        .claims = relay->claims,
        .index = index,
        .holder = options->holder,
        .address = *address,
        .chain_id = options->chain_id,
        .contracts = {options->registry, options->payout, options->identity},
        .usdc = options->usdc,
        .sge = options->sge,
        .confirmations = options->confirmations,
        .finality = options->finality,
        .limits = {.window = options->window,
                   .batch_gas_max = options->batch_gas_max,
                   .batch_size_max = options->batch_size_max,
                   .fees = {options->max_fee, options->max_priority_fee},
                   .stuck_after_ms = options->stuck_after_ms,
                   .retry_delay_ms = options->retry_delay_ms,
                   .retry_delay_ms_max = options->retry_delay_ms_max,
                   .tries_max = (int32_t)options->tries_max},
        .poll_interval_ms = options->poll_interval_ms,
    };
}

// One witness per endpoint; a single endpoint is its own. One that hangs costs little.
static bool open_witnesses(struct lane_thread *thread, const struct relay_options *options)
{
    for (size_t i = 0; i < options->urls_count && i < CHAIN_ENDPOINTS_MAX; i++) {
        struct relay_options hasty = *options;
        if (hasty.rpc_timeout_ms > WITNESS_TIMEOUT_MS)
            hasty.rpc_timeout_ms = WITNESS_TIMEOUT_MS;
        struct chain *witness = start_open_chain(&hasty, &options->urls[i], 1);
        if (witness == NULL)
            return false;
        thread->witnesses[thread->witnesses_count++] = witness;
    }
    return true;
}

static enum status prepare_lane(struct relay *relay, size_t index, const struct address *address)
{
    struct lane_thread *thread = &relay->lanes[index];
    thread->relay = relay;
    relay->lanes_count = index + 1;
    thread->wake = wake_new();
    thread->chain =
        start_open_chain(&relay->options, relay->options.urls, relay->options.urls_count);
    if (thread->wake == NULL || thread->chain == NULL || !open_witnesses(thread, &relay->options))
        return STATUS_NO_MEMORY;
    struct lane_options options = lane_options_of(relay, thread, index, address);
    thread->lane = lane_open(&options);
    return thread->lane != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status prepare_lanes(struct relay *relay)
{
    struct address addresses[SIGNER_LANES_MAX];
    size_t count = signer_lanes(relay->options.signer, addresses);
    relay->claims = claims_new(count);
    if (relay->claims == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        enum status status = prepare_lane(relay, i, &addresses[i]);
        if (status != STATUS_OK)
            return status;
    }
    return count > 0 ? STATUS_OK : STATUS_INVALID;
}

static enum status start_outbound(struct relay *relay)
{
    const struct relay_options *options = &relay->options;
    if (options->outbound_url == NULL)
        return STATUS_OK;
    relay->outbound_wake = wake_new();
    if (relay->outbound_wake == NULL)
        return STATUS_NO_MEMORY;
    struct outbound_options outbound = {.store = options->store,
                                        .wake = relay->outbound_wake,
                                        .clock = options->clock,
                                        .stamp_clock = clock_system(),
                                        .random = options->random,
                                        .url = options->outbound_url,
                                        .secret = options->outbound_secret,
                                        .poll_interval_ms = options->poll_interval_ms};
    return outbound_start(&relay->outbound, &outbound);
}

static enum status start_threads(struct relay *relay)
{
    relay->spreading = pthread_create(&relay->spreader, NULL, spread, relay) == 0;
    if (!relay->spreading)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < relay->lanes_count; i++) {
        struct lane_thread *thread = &relay->lanes[i];
        thread->started = pthread_create(&thread->thread, NULL, run_lane, thread) == 0;
        if (!thread->started)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

enum status relay_start(struct relay **ret_relay, const struct relay_options *options)
{
    enum status status = start_check(options);
    if (status != STATUS_OK && status != STATUS_UNAVAILABLE)
        return status;
    bool checked = status == STATUS_OK;
    if (!checked)
        log_warn("no endpoint answers; payouts wait until one does",
                 {"endpoints", LOG_INT(options->urls_count)});
    struct relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL)
        return STATUS_NO_MEMORY;
    relay->options = *options;
    pthread_mutex_init(&relay->signer_mutex, NULL);
    atomic_store(&relay->healthy, true);
    relay->checked = checked;
    relay_metrics_register();
    status = prepare_lanes(relay);
    if (status == STATUS_OK)
        status = hold_unconfigured(options);
    if (status == STATUS_OK)
        status = start_outbound(relay);
    if (status == STATUS_OK)
        status = start_threads(relay);
    if (status != STATUS_OK) {
        relay_stop(relay);
        return status;
    }
    *ret_relay = relay;
    return STATUS_OK;
}

// ---------------------------------------------------------------- stopping

static void free_lane(struct lane_thread *thread)
{
    lane_close(thread->lane);
    for (size_t i = 0; i < thread->witnesses_count; i++)
        chain_close(thread->witnesses[i]);
    chain_close(thread->chain);
    wake_free(thread->wake);
}

void relay_stop(struct relay *relay)
{
    if (relay == NULL)
        return;
    atomic_store(&relay->stopping, true);
    wake_signal(relay->options.wake);
    wake_all(relay);
    if (relay->spreading)
        pthread_join(relay->spreader, NULL);
    for (size_t i = 0; i < relay->lanes_count; i++)
        if (relay->lanes[i].started)
            pthread_join(relay->lanes[i].thread, NULL);
    if (relay->outbound != NULL)
        outbound_stop(relay->outbound);
    for (size_t i = 0; i < relay->lanes_count; i++)
        free_lane(&relay->lanes[i]);
    wake_free(relay->outbound_wake);
    claims_free(relay->claims);
    pthread_mutex_destroy(&relay->signer_mutex);
    free(relay);
}

bool relay_is_healthy(const struct relay *relay)
{
    return atomic_load(&relay->healthy);
}

bool relay_is_stalled(const struct relay *relay)
{
    for (size_t i = 0; i < relay->lanes_count; i++)
        if (atomic_load(&relay->lanes[i].stalled))
            return true;
    return false;
}

bool relay_is_degraded(const struct relay *relay)
{
    for (size_t i = 0; i < relay->lanes_count; i++)
        if (atomic_load(&relay->lanes[i].degraded))
            return true;
    return false;
}
