// SPDX-License-Identifier: Apache-2.0
// An API on a real store, for the tests of this directory: prints its port and keys, then takes
// orders on standard input, one a line, each answered with "ok": park ID, revoke NAME,
// disk-full, readiness NUMBER. Ends when its input ends.
//
// usage: api_server STORE_FILE [NAME=NUMBER...]   names: key_rate failed_rate threads
#include "api/api.h"

#include "base/hex.h"
#include "base/log.h"
#include "store/access.h"
#include "store/jobs.h"

#include <nettle/sha2.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LINE_SIZE       256
#define STOP_MS_MAX     5000
#define REFUSED_COUNT   69 // five contracts and 64 lanes
#define STANDARD_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct key_work {
    struct store_work work;
    const char *name;
    unsigned scopes;
    char token[68];
};

struct revoke_work {
    struct store_work work;
    const char *name;
};

struct park_work {
    struct store_work work;
    int64_t job_id;
};

static _Atomic(enum api_readiness) readiness_now;

static enum status insert_keys(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct key_work *key = (struct key_work *)works[i];
        struct hash32 digest;
        struct sha256_ctx context;
        int64_t id;
        sha256_init(&context);
        sha256_update(&context, strlen(key->token), (const uint8_t *)key->token);
        sha256_digest(&context, sizeof digest.bytes, digest.bytes);
        enum status status = api_key_insert(tx, &id, &digest, key->name, key->scopes);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static void make_key(struct store *store, const char *name, unsigned scopes)
{
    static const struct store_work_kind kind = {"key", insert_keys};
    struct key_work key = {.work = {.kind = &kind}, .name = name, .scopes = scopes};
    uint8_t random[32];
    char hex[HEX_TEXT_SIZE(32)];
    random_fill(random_system(), random, sizeof random);
    hex_encode(hex, (struct bytes){random, sizeof random});
    snprintf(key.token, sizeof key.token, "sk_%s", hex + 2);
    if (store_write(store, &key.work) != STATUS_OK)
        abort();
    printf("%s %s\n", name, key.token);
}

static enum status park_jobs(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct park_work *park = (struct park_work *)works[i];
        struct job_change change = {.cause = "test", .why = "parked by a test"};
        enum status status = job_set_state(tx, park->job_id, JOB_QUEUED, JOB_PARKED, &change);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status revoke_keys(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool revoked = false;
        enum status status = api_key_revoke(tx, &revoked, ((struct revoke_work *)works[i])->name);
        if (status != STATUS_OK || !revoked)
            return STATUS_CORRUPT;
    }
    return STATUS_OK;
}

// Files may not grow: the same to SQLite as a full disk.
static void fill_disk(rlim_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        abort();
}

static void revoke_key(struct store *store, const char *name)
{
    static const struct store_work_kind kind = {"revoke", revoke_keys};
    struct revoke_work work = {.work = {.kind = &kind}, .name = name};
    if (store_write(store, &work.work) != STATUS_OK)
        abort();
}

static void obey(struct store *store, const char *line)
{
    static const struct store_work_kind kind = {"park", park_jobs};
    if (strncmp(line, "park ", 5) == 0) {
        struct park_work park = {.work = {.kind = &kind}, .job_id = strtoll(line + 5, NULL, 10)};
        if (store_write(store, &park.work) != STATUS_OK)
            abort();
    } else if (strncmp(line, "revoke ", 7) == 0) {
        revoke_key(store, line + 7);
    } else if (strcmp(line, "disk-full") == 0) {
        fill_disk(4096);
    } else if (strcmp(line, "disk-free") == 0) {
        fill_disk(RLIM_INFINITY);
    } else if (strncmp(line, "readiness ", 10) == 0) {
        atomic_store(&readiness_now, (enum api_readiness)strtol(line + 10, NULL, 10));
    } else {
        abort();
    }
    puts("ok");
    fflush(stdout);
}

static enum api_readiness readiness(void *context)
{
    (void)context;
    return atomic_load(&readiness_now);
}

static int64_t option(int count, char **arguments, const char *name, int64_t fallback)
{
    size_t size = strlen(name);
    for (int i = 0; i < count; i++)
        if (strncmp(arguments[i], name, size) == 0 && arguments[i][size] == '=')
            return strtoll(arguments[i] + size + 1, NULL, 10);
    return fallback;
}

static struct store *open_store(const char *path)
{
    struct store *store;
    int applied;
    struct store_options options = {.path = path, .clock = clock_system()};
    options.domain.chain_id = 31337;
    memset(options.domain.payout_contract.bytes, 0x99, 20);
    if (store_migrate(&applied, &options) != STATUS_OK || store_open(&store, &options) != STATUS_OK)
        abort();
    return store;
}

// A token, a gap, the payout contract, and more up to the last one.
static void fill_refused(struct address refused[REFUSED_COUNT])
{
    memset(refused, 0, REFUSED_COUNT * sizeof *refused);
    memset(refused[0].bytes, 0xaa, 20);
    memset(refused[2].bytes, 0x99, 20);
    memset(refused[4].bytes, 0x98, 20);
    memset(refused[REFUSED_COUNT - 1].bytes, 0x97, 20);
}

static struct api *start(struct store *store, int count, char **arguments)
{
    struct api *api;
    struct address refused[REFUSED_COUNT];
    fill_refused(refused);
    struct api_options options = {
        .store = store,
        .clock = clock_system(),
        .random = random_system(),
        .listen = "127.0.0.1:0",
        .threads = (int)option(count, arguments, "threads", 2),
        .key_rate_max = option(count, arguments, "key_rate", 1000000),
        .failed_auth_rate_max = option(count, arguments, "failed_rate", 1000000),
        .standard_secrets = STANDARD_SECRET,
        .stripe_secrets = "whsec_test_secret, whsec_next_secret",
        .coinbase_commerce_secrets = "cc_test_secret_16",
        .readiness = readiness,
        .refused = refused,
        .refused_count = REFUSED_COUNT,
    };
    if (api_start(&api, &options) != STATUS_OK)
        abort();
    return api;
}

int main(int count, char **arguments)
{
    char line[LINE_SIZE];
    if (count < 2)
        return 2;
    log_setup(LOG_WARN, LOG_FORMAT_TEXT);
    struct store *store = open_store(arguments[1]);
    struct api *api = start(store, count - 2, arguments + 2);
    make_key(store, "read", SCOPE_READ);
    make_key(store, "write", SCOPE_WRITE);
    make_key(store, "admin", SCOPE_ADMIN);
    make_key(store, "other", SCOPE_WRITE);
    printf("port %d\n", api_port(api));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, "reopen") == 0) { // what a restart does
            api_stop(api, STOP_MS_MAX);
            store_close(store);
            store = open_store(arguments[1]);
            api = start(store, count - 2, arguments + 2);
            printf("port %d\n", api_port(api));
            fflush(stdout);
        } else {
            obey(store, line);
        }
    }
    api_stop(api, STOP_MS_MAX);
    store_close(store);
    return 0;
}
