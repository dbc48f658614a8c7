// SPDX-License-Identifier: Apache-2.0
// The services: `sluice up` (both), `sluice api`, `sluice relay`. Start, wait for a signal, stop.
#include "cli/service.h"

#include "api/api.h"
#include "base/log.h"
#include "cli/console.h"
#include "cli/lane_keys.h"
#include "relay/relay.h"
#include "secret/secret.h"
#include "store/access.h"
#include "store/domain.h"
#include "store/lanes.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define HEALTH_CHECK_INTERVAL_S  1
#define HOUSEKEEPING_INTERVAL_MS 60000
#define PRUNED_KEYS_MAX          1000
#define LOCK_PATH_SIZE           4096
#define CONTRACTS_REFUSED        5
#define REFUSED_MAX              (CONTRACTS_REFUSED + SIGNER_LANES_MAX)

static_assert(REFUSED_MAX <= API_REFUSED_MAX, "the API takes all of them");

struct service {
    struct settings *settings;
    struct contract_addresses addresses;
    struct endpoint_list endpoints;
    struct signer *signer;
    struct store *store;
    struct wake *wake;
    struct relay *relay;
    struct api *api;
    char holder[LANE_HOLDER_SIZE];
    int lock;                   // descriptor; -1: none
    int64_t housekeeping_at_ms; // monotonic
};

static void service_stop(struct service *service)
{
    if (service->api)
        api_stop(service->api, settings_integer(service->settings, "SHUTDOWN_TIMEOUT_MS"));
    relay_stop(service->relay);
    store_close(service->store);
    wake_free(service->wake);
    signer_stop(service->signer);
    if (service->lock >= 0)
        close(service->lock);
    settings_free(service->settings);
}

static void setup_log(const struct settings *settings, bool json)
{
    enum log_level level = LOG_INFO;
    enum log_format format = LOG_FORMAT_TEXT;
    // The settings table has checked both words.
    if (log_level_parse(&level, settings_text(settings, "LOG_LEVEL")) &&
        log_format_parse(&format, settings_text(settings, "LOG_FORMAT")))
        log_setup(level, json ? LOG_FORMAT_JSON : format);
}

// Signals are taken by the main thread alone: blocked before the first thread exists.
static void block_signals(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGTERM);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

// Keeps secrets out of core dumps and other users' debuggers.
static void harden_process(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static enum exit_code start_signer(struct service *service)
{
    struct eth_key keys[SIGNER_LANES_MAX];
    size_t count = 0;
    struct wei max_fee;
    char error[LANE_KEYS_ERROR_SIZE];
    const char *references = settings_text(service->settings, "RELAYER_PRIVATE_KEY");
    if (!lane_keys_read(keys, &count, error, service->settings))
        return console_fail(EXIT_CONFIG, "%s", error);
    if (references && secret_is_raw(references))
        log_warn("a raw private key is for development only",
                 {"setting", LOG_TEXT("RELAYER_PRIVATE_KEY")});
    if (!wei_parse_gwei(&max_fee, settings_text(service->settings, "MAX_FEE_PER_GAS_GWEI")))
        return console_fail(EXIT_CONFIG, "MAX_FEE_PER_GAS_GWEI is not an amount in gwei");
    struct signer_policy policy = {
        .chain_id = (uint64_t)settings_integer(service->settings, "CHAIN_ID"),
        .contracts = {service->addresses.registry, service->addresses.payout,
                      service->addresses.identity},
        .max_fee = max_fee,
        .gas_limit_max = settings_integer(service->settings, "BATCH_GAS_MAX"),
    };
    enum status status = signer_start(&service->signer, keys, count, &policy);
    bytes_wipe(keys, sizeof keys);
    settings_forget(service->settings, "KEYSTORE_PASSPHRASE");
    settings_forget(service->settings, "RELAYER_PRIVATE_KEY");
    if (status != STATUS_OK)
        return console_fail(console_code(status), "the signer did not start: %s",
                            status_text(status));
    return EXIT_FINE;
}

static void wake_relay(void *context)
{
    wake_signal(context);
}

static enum exit_code start_store(struct service *service, bool migrate)
{
    struct store_options options = console_store_options(service->settings, &service->addresses);
    options.on_jobs = service->wake ? wake_relay : NULL;
    options.on_jobs_context = service->wake;
    int applied = 0;
    enum status status = migrate ? store_migrate(&applied, &options) : STATUS_OK;
    if (status == STATUS_OK)
        status = store_open(&service->store, &options);
    if (status != STATUS_OK)
        return console_store_failure(status, options.path);
    return EXIT_FINE;
}

static enum status bind_domain(struct store_tx *tx, void *context)
{
    return domain_bind(tx, context, false);
}

static enum exit_code check_domain(struct service *service)
{
    enum domain_outcome outcome;
    enum status status = console_run(service->store, bind_domain, &outcome);
    const char *path = settings_text(service->settings, "RELAYER_DB_PATH");
    if (status != STATUS_OK)
        return console_store_failure(status, path);
    if (outcome == DOMAIN_OTHER)
        return console_fail(
            EXIT_CONFIG,
            "AFFILIATE_PAYOUT_ADDRESS, CHAIN_ID: the store at %s belongs to another "
            "contract or chain; sluice migrate --move takes it over once no payout "
            "is open",
            path);
    return EXIT_FINE;
}

static enum block_tag finality_tag(const struct settings *settings)
{
    const char *text = settings_text(settings, "FINALITY");
    if (strcmp(text, "safe") == 0)
        return BLOCK_SAFE;
    return strcmp(text, "finalized") == 0 ? BLOCK_FINALIZED : BLOCK_LATEST;
}

// 0 is in the settings what suits most: two of several.
static size_t finality_endpoints(const struct settings *settings, size_t endpoints)
{
    int64_t asked = settings_integer(settings, "FINALITY_ENDPOINTS");
    if (asked > 0)
        return (size_t)asked;
    return endpoints < 2 ? 1 : 2;
}

static enum exit_code start_relay(struct service *service)
{
    const struct settings *s = service->settings;
    struct wei max_fee, max_priority_fee;
    if (!wei_parse_gwei(&max_fee, settings_text(s, "MAX_FEE_PER_GAS_GWEI")) ||
        !wei_parse_gwei(&max_priority_fee, settings_text(s, "MAX_PRIORITY_FEE_PER_GAS_GWEI")))
        return console_fail(EXIT_CONFIG, "a fee ceiling is not an amount in gwei");
    struct relay_options options = {
        .store = service->store,
        .signer = service->signer,
        .wake = service->wake,
        .clock = clock_steady(),
        .random = random_system(),
        .holder = service->holder,
        .urls = service->endpoints.urls,
        .urls_count = service->endpoints.count,
        .rpc_timeout_ms = settings_integer(s, "RPC_TIMEOUT_MS"),
        .chain_id = (uint64_t)settings_integer(s, "CHAIN_ID"),
        .registry = service->addresses.registry,
        .payout = service->addresses.payout,
        .identity = service->addresses.identity,
        .usdc = service->addresses.usdc,
        .sge = service->addresses.sge,
        .confirmations = settings_integer(s, "CONFIRMATIONS"),
        .finality = finality_tag(s),
        .finality_endpoints = finality_endpoints(s, service->endpoints.count),
        .window = settings_integer(s, "LANE_WINDOW"),
        .batch_gas_max = settings_integer(s, "BATCH_GAS_MAX"),
        .batch_size_max = settings_integer(s, "BATCH_SIZE_MAX"),
        .max_fee = max_fee,
        .max_priority_fee = max_priority_fee,
        .poll_interval_ms = settings_integer(s, "POLL_INTERVAL_MS"),
        .stuck_after_ms = settings_integer(s, "STUCK_AFTER_MS"),
        .retry_delay_ms = settings_integer(s, "RETRY_DELAY_MS"),
        .retry_delay_ms_max = settings_integer(s, "RETRY_DELAY_MS_MAX"),
        .tries_max = settings_integer(s, "JOB_TRIES_MAX"),
        .outbound_url = settings_text(s, "OUTBOUND_WEBHOOK_URL"),
        .outbound_secret = settings_text(s, "OUTBOUND_WEBHOOK_SECRET"),
    };
    if (options.finality_endpoints > options.urls_count)
        return console_fail(EXIT_CONFIG, "FINALITY_ENDPOINTS: more than ETH_RPC_HTTPS names");
    enum status status = relay_start(&service->relay, &options);
    if (status == STATUS_CONFLICT)
        return console_fail(EXIT_CONFIG, "CHAIN_ID: an endpoint of ETH_RPC_HTTPS serves another "
                                         "chain");
    if (status == STATUS_NOT_FOUND)
        return console_fail(EXIT_CONFIG,
                            "AFFILIATE_PAYOUT_ADDRESS, AFFILIATE_REGISTRY_ADDRESS or "
                            "SGE_IDENTITY_ADDRESS: there is no contract at one of them");
    if (status == STATUS_INVALID)
        return console_fail(EXIT_CONFIG, "OUTBOUND_WEBHOOK_SECRET: must be whsec_ and base64 of 24 "
                                         "to 64 bytes where OUTBOUND_WEBHOOK_URL is set");
    if (status != STATUS_OK)
        return console_fail(console_code(status), "the relayer did not start: %s",
                            status_text(status));
    return EXIT_FINE;
}

static enum api_readiness readiness(void *context)
{
    const struct service *service = context;
    if (!service->relay)
        return API_READY;
    if (!relay_is_healthy(service->relay))
        return API_RELAY_STOPPED;
    if (relay_is_stalled(service->relay))
        return API_CHAIN_STALLED;
    return relay_is_degraded(service->relay) ? API_DEGRADED : API_READY;
}

// What is never a user's wallet: the tokens, our contracts, and our lanes where they are known.
static size_t refused_list(const struct service *service, struct address ret_refused[REFUSED_MAX])
{
    const struct contract_addresses *addresses = &service->addresses;
    const struct address contracts[CONTRACTS_REFUSED] = {addresses->usdc, addresses->sge,
                                                         addresses->payout, addresses->registry,
                                                         addresses->identity};
    memcpy(ret_refused, contracts, sizeof contracts);
    size_t lanes =
        service->signer ? signer_lanes(service->signer, ret_refused + CONTRACTS_REFUSED) : 0;
    return CONTRACTS_REFUSED + lanes;
}

static enum exit_code start_api(struct service *service)
{
    const struct settings *s = service->settings;
    struct address refused[REFUSED_MAX];
    struct api_options options = {
        .store = service->store,
        .clock = clock_system(),
        .random = random_system(),
        .listen = settings_text(s, "API_LISTEN"),
        .threads = (int)settings_integer(s, "API_THREADS"),
        .key_rate_max = settings_integer(s, "API_KEY_RATE_MAX"),
        .failed_auth_rate_max = settings_integer(s, "API_FAILED_AUTH_RATE_MAX"),
        .standard_secrets = settings_text(s, "STANDARD_WEBHOOK_SECRET"),
        .stripe_secrets = settings_text(s, "STRIPE_WEBHOOK_SECRET"),
        .coinbase_commerce_secrets = settings_text(s, "COINBASE_COMMERCE_WEBHOOK_SECRET"),
        .refused = refused,
        .refused_count = refused_list(service, refused),
        .readiness = readiness,
        .readiness_context = service,
    };
    enum status status = api_start(&service->api, &options);
    if (status != STATUS_OK)
        return console_fail(status == STATUS_INVALID ? EXIT_CONFIG : console_code(status),
                            "the API did not start: %s%s", status_text(status),
                            status == STATUS_BUSY ? " (API_LISTEN: the port is taken)" : "");
    log_info("the API listens", {"address", LOG_TEXT(options.listen)},
             {"port", LOG_INT(api_port(service->api))});
    return EXIT_FINE;
}

static enum status prune(struct store_tx *tx, void *context)
{
    return idempotency_prune(tx, context, IDEMPOTENCY_KEPT_MS, PRUNED_KEYS_MAX);
}

// Forgets old idempotency keys, a bounded number at a time.
static void keep_house(struct service *service)
{
    size_t pruned = 0;
    int64_t now_ms = clock_monotonic_ms(clock_system());
    if (!service->api || now_ms < service->housekeeping_at_ms)
        return;
    service->housekeeping_at_ms = now_ms + HOUSEKEEPING_INTERVAL_MS;
    enum status status = console_run(service->store, prune, &pruned);
    if (status != STATUS_OK)
        log_warn("old idempotency keys stay for now", {"status", LOG_TEXT(status_text(status))});
    if (pruned == PRUNED_KEYS_MAX)
        service->housekeeping_at_ms = now_ms; // there are more
}

static bool is_healthy(const struct service *service)
{
    return store_is_healthy(service->store) &&
           (!service->relay || relay_is_healthy(service->relay));
}

static enum exit_code wait_for_end(struct service *service, const sigset_t *signals)
{
    const struct timespec interval = {.tv_sec = HEALTH_CHECK_INTERVAL_S};
    for (;;) {
        int received = sigtimedwait(signals, NULL, &interval);
        if (received == SIGTERM || received == SIGINT || received == SIGHUP) {
            log_info("stopping", {"signal", LOG_INT(received)});
            return EXIT_FINE;
        }
        if (received < 0 && errno != EAGAIN && errno != EINTR)
            return EXIT_SOFTWARE;
        keep_house(service);
        if (!is_healthy(service)) {
            log_error("ending, so that a supervisor starts it again: the store or a lane failed",
                      {"store", LOG_TEXT(store_is_healthy(service->store) ? "fine" : "failed")});
            return EXIT_SOFTWARE;
        }
    }
}

// The holder of the lanes' leases is the machine. The lock on the store makes sure that only one
// process of it relays, so the next one takes a dead one's lanes over at once and need not wait for
// its leases to run out. The kernel gives the lock back however the process ends. It stands beside
// the store itself, whichever link leads there.
static enum exit_code lock_store(struct service *service)
{
    char path[LOCK_PATH_SIZE];
    const char *store = settings_text(service->settings, "RELAYER_DB_PATH");
    char *file = realpath(store, NULL);
    if (!file)
        return console_fail(EXIT_IO, "%s: %s", store, strerror(errno));
    int length = snprintf(path, sizeof path, "%s.relay", file);
    free(file);
    if (length >= (int)sizeof path)
        return console_fail(EXIT_CONFIG, "RELAYER_DB_PATH is too long");
    service->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (service->lock < 0)
        return console_fail(EXIT_IO, "%s: %s", path, strerror(errno));
    if (flock(service->lock, LOCK_EX | LOCK_NB) != 0)
        return console_fail(EXIT_AGAIN, "another relayer works on the store at %s", store);
    if (gethostname(service->holder, sizeof service->holder - 1) != 0)
        snprintf(service->holder, sizeof service->holder, "this machine");
    return EXIT_FINE;
}

static enum exit_code start_parts(struct service *service, bool with_api, bool with_relay)
{
    enum exit_code code = EXIT_FINE;
    // The signer forks first: before threads, connections and anything else it should not inherit.
    if (with_relay)
        code = start_signer(service);
    if (code == EXIT_FINE && with_relay && !(service->wake = wake_new()))
        code = console_fail(EXIT_SOFTWARE, "no event descriptor for wake-ups");
    if (code == EXIT_FINE)
        code = start_store(service, with_api && with_relay);
    if (code == EXIT_FINE)
        code = check_domain(service);
    if (code == EXIT_FINE && with_relay)
        code = lock_store(service);
    if (code == EXIT_FINE && with_relay)
        code = start_relay(service);
    if (code == EXIT_FINE && with_api)
        code = start_api(service);
    return code;
}

static enum exit_code run_service(bool with_api, bool with_relay, bool json)
{
    static const char *const needed[] = {"ETH_RPC_HTTPS", "CHAIN_ID", "AFFILIATE_PAYOUT_ADDRESS",
                                         "AFFILIATE_REGISTRY_ADDRESS", NULL};
    static const char *const needed_by_api[] = {"CHAIN_ID", "AFFILIATE_PAYOUT_ADDRESS", NULL};
    struct service service = {.lock = -1};
    sigset_t signals;
    harden_process();
    service.settings = console_settings(with_relay ? needed : needed_by_api);
    if (!service.settings)
        return EXIT_CONFIG;
    setup_log(service.settings, json);
    block_signals(&signals);
    enum exit_code code = EXIT_CONFIG;
    if (console_addresses(&service.addresses, service.settings) &&
        (!with_relay || console_endpoints(&service.endpoints, service.settings)))
        code = start_parts(&service, with_api, with_relay);
    if (code == EXIT_FINE)
        code = wait_for_end(&service, &signals);
    service_stop(&service);
    return code;
}

enum exit_code service_up(const struct arguments *arguments)
{
    return run_service(true, true, argument_json(arguments));
}

enum exit_code service_api(const struct arguments *arguments)
{
    return run_service(true, false, argument_json(arguments));
}

enum exit_code service_relay(const struct arguments *arguments)
{
    return run_service(false, true, argument_json(arguments));
}
