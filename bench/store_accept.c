// SPDX-License-Identifier: Apache-2.0
// Accepted payments per second through store_submit: distinct payments, each durable before its
// producer goes on, SQLite WAL with synchronous=FULL.
//
// store_accept [DIRECTORY [PAYMENTS [PRODUCERS [USERS [AFFILIATES]]]]]
#include "base/status.h"
#include "store/payments.h"
#include "store/programs.h"
#include "store/users.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS       2
#define PRODUCERS_MAX 1024
#define USERS_BATCH   1000
#define WARM_SHARE    10 // one tenth is not measured

struct run {
    struct store *store;
    int64_t payments, users, affiliates;
    size_t producers;
};

// One producer: has one payment outstanding.
struct producer {
    struct store_work work;
    struct feeder *feeder;
    char key[64];
    struct payment_input input;
    struct payment payment;
    struct producer *next;
    int64_t started_us;
};

// A thread that gives each of its producers the next payment when the last is durable.
struct feeder {
    pthread_mutex_t lock;
    pthread_cond_t ready_waits;
    struct producer *ready;
    const struct run *run;
    int64_t next, step, done, failed;
    int64_t latency_us_total, latency_us_max;
    size_t producers;
    struct producer list[PRODUCERS_MAX];
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void require(enum status status, const char *what)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "store_accept: %s: %s\n", what, status_text(status));
    exit(1);
}

static struct address wallet_of(uint8_t kind, int64_t number)
{
    struct address wallet = {{kind}};
    uint64_t mixed = (uint64_t)(number + 1) * 0x9E3779B97F4A7C15u;
    memcpy(wallet.bytes + 1, &mixed, sizeof mixed);
    memcpy(wallet.bytes + 12, &number, sizeof number);
    return wallet;
}

static enum status accept_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct producer *producer = (struct producer *)works[i];
        enum payment_outcome outcome;
        enum status status = payment_accept(tx, &outcome, &producer->payment, &producer->input);
        if (status != STATUS_OK)
            return status;
        if (outcome != PAYMENT_NEW || producer->payment.job_id == 0)
            return STATUS_CONFLICT;
    }
    return STATUS_OK;
}

static const struct store_work_kind accept_kind = {"payment", accept_run};

static void accept_done(struct store_work *work, enum status committed)
{
    struct producer *producer = (struct producer *)work;
    struct feeder *feeder = producer->feeder;
    int64_t latency_us = now_us() - producer->started_us;
    pthread_mutex_lock(&feeder->lock);
    feeder->done++;
    feeder->failed += committed != STATUS_OK;
    feeder->latency_us_total += latency_us;
    if (latency_us > feeder->latency_us_max)
        feeder->latency_us_max = latency_us;
    if (feeder->ready == NULL)
        pthread_cond_signal(&feeder->ready_waits);
    producer->next = feeder->ready;
    feeder->ready = producer;
    pthread_mutex_unlock(&feeder->lock);
}

static void give(struct feeder *feeder, struct producer *producer, int64_t number)
{
    const struct run *run = feeder->run;
    // Users in an order that knows no locality.
    int64_t user = (int64_t)(((uint64_t)number * 0x9E3779B97F4A7C15u >> 20) % (uint64_t)run->users);
    snprintf(producer->key, sizeof producer->key, "pi_3Mtw%016" PRIx64 "Lkdn", (uint64_t)number);
    producer->input.provider = PROVIDER_STRIPE;
    producer->input.payment_key = producer->key;
    producer->input.child = wallet_of(1, user);
    producer->input.received_ms = clock_wall_ms(clock_system());
    if (!usdc_from_units(&producer->input.amount, 49000000))
        abort();
    memset(producer->input.trace.bytes, 5, sizeof producer->input.trace.bytes);
    producer->work.kind = &accept_kind;
    producer->work.done = accept_done;
    producer->started_us = now_us();
    require(store_submit(run->store, &producer->work), "submit");
}

static void *feeder_thread(void *context)
{
    struct feeder *feeder = context;
    int64_t outstanding = 0;
    for (;;) {
        pthread_mutex_lock(&feeder->lock);
        while (feeder->ready == NULL)
            pthread_cond_wait(&feeder->ready_waits, &feeder->lock);
        struct producer *ready = feeder->ready;
        feeder->ready = NULL;
        pthread_mutex_unlock(&feeder->lock);
        for (; ready != NULL;) {
            struct producer *producer = ready;
            ready = ready->next;
            outstanding -= producer->started_us != 0;
            if (feeder->next >= feeder->run->payments) {
                if (outstanding == 0 && ready == NULL)
                    return NULL;
                continue;
            }
            give(feeder, producer, feeder->next);
            feeder->next += feeder->step;
            outstanding++;
        }
    }
}

// ---- preparing

struct users_work {
    struct store_work work;
    const struct run *run;
    int64_t from;
};

static enum status users_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    (void)count;
    const struct users_work *work = (struct users_work *)works[0];
    const struct trace_id trace = {{1}};
    for (int64_t i = work->from; i < work->from + USERS_BATCH && i < work->run->users; i++) {
        struct address wallet = wallet_of(1, i), by = wallet_of(2, i % work->run->affiliates);
        enum user_outcome outcome;
        struct user user;
        enum status status =
            user_register(tx, &outcome, &user, &wallet, &by, "bench", false, &trace);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status program_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    struct program program = {.name = "bench",
                              .kind = PROGRAM_USDC,
                              .trigger = PROGRAM_EVERY_PAYMENT,
                              .commission_bps = 1000,
                              .active = true};
    int64_t id;
    bool created;
    (void)works;
    (void)count;
    return program_insert(tx, &id, &created, &program);
}

static void prepare(const struct run *run)
{
    static const struct store_work_kind program_kind = {"program", program_run};
    static const struct store_work_kind users_kind = {"users", users_run};
    struct store_work program = {.kind = &program_kind};
    require(store_write(run->store, &program), "program");
    for (int64_t from = 0; from < run->users; from += USERS_BATCH) {
        struct users_work users = {.work = {.kind = &users_kind}, .run = run, .from = from};
        require(store_write(run->store, &users.work), "users");
    }
}

// ---- measuring

static struct feeder *feeder_new(const struct run *run, int number, size_t producers)
{
    struct feeder *feeder = calloc(1, sizeof *feeder);
    if (feeder == NULL)
        exit(1);
    pthread_mutex_init(&feeder->lock, NULL);
    pthread_cond_init(&feeder->ready_waits, NULL);
    feeder->run = run;
    feeder->next = number;
    feeder->step = THREADS;
    for (size_t i = 0; i < producers; i++) {
        feeder->list[i].feeder = feeder;
        feeder->list[i].next = feeder->ready;
        feeder->ready = &feeder->list[i];
    }
    return feeder;
}

static int64_t done_so_far(struct feeder *const *feeders)
{
    int64_t done = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_mutex_lock(&feeders[i]->lock);
        done += feeders[i]->done;
        pthread_mutex_unlock(&feeders[i]->lock);
    }
    return done;
}

static void report(const struct run *run, struct feeder *const *feeders, int64_t measured,
                   int64_t elapsed_us)
{
    struct store_statistics statistics;
    struct rusage usage;
    int64_t latency_us_total = 0, latency_us_max = 0, failed = 0;
    store_statistics(&statistics, run->store);
    getrusage(RUSAGE_SELF, &usage);
    for (int i = 0; i < THREADS; i++) {
        latency_us_total += feeders[i]->latency_us_total;
        failed += feeders[i]->failed;
        if (feeders[i]->latency_us_max > latency_us_max)
            latency_us_max = feeders[i]->latency_us_max;
    }
    printf("accepted_per_s=%" PRId64 " producers=%zu payments=%" PRId64 " failed=%" PRId64
           " mean_us=%" PRId64 " max_us=%" PRId64 " group_mean=%" PRId64 " group_max=%" PRId64
           " commit_ms=%" PRId64 " elapsed_ms=%" PRId64 " user_ms=%ld sys_ms=%ld\n",
           measured * 1000000 / elapsed_us, run->producers, run->payments, failed,
           latency_us_total / run->payments, latency_us_max,
           statistics.works / (statistics.commits + 1), statistics.group_size_max,
           statistics.commit_ms_total, elapsed_us / 1000,
           (long)(usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000),
           (long)(usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000));
}

static void measure(const struct run *run)
{
    struct feeder *feeders[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        feeders[i] = feeder_new(run, i, run->producers / THREADS);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, feeder_thread, feeders[i]) != 0)
            exit(1);
    while (done_so_far(feeders) < run->payments / WARM_SHARE)
        usleep(1000);
    int64_t warm = done_so_far(feeders), started_us = now_us();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    report(run, feeders, run->payments - warm, now_us() - started_us);
    for (int i = 0; i < THREADS; i++)
        free(feeders[i]);
}

static int64_t argument(int argc, char **argv, int index, int64_t fallback)
{
    char *end = NULL;
    if (argc <= index)
        return fallback;
    int64_t value = strtoll(argv[index], &end, 10);
    if (*end != '\0' || value < 1) {
        fprintf(stderr, "store_accept: not a positive number: %s\n", argv[index]);
        exit(2);
    }
    return value;
}

static void remove_files(const char *path)
{
    const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

int main(int argc, char **argv)
{
    char path[256];
    int applied;
    struct run run = {.payments = argument(argc, argv, 2, 400000),
                      .producers = (size_t)argument(argc, argv, 3, 64),
                      .users = argument(argc, argv, 4, 10000),
                      .affiliates = argument(argc, argv, 5, 500)};
    if (run.producers > PRODUCERS_MAX)
        run.producers = PRODUCERS_MAX;
    snprintf(path, sizeof path, "%s/store_accept.db", argc > 1 ? argv[1] : ".");
    struct store_options options = {.path = path, .clock = clock_system()};
    options.domain = (struct payout_domain){.chain_id = 31337, .payout_contract = {{1}}};
    remove_files(path);
    require(store_migrate(&applied, &options), "migrate");
    require(store_open(&run.store, &options), "open");
    prepare(&run);
    measure(&run);
    store_close(run.store);
    remove_files(path);
    return 0;
}
