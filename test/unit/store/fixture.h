// SPDX-License-Identifier: Apache-2.0
// A store in a temporary directory with a clock the test sets, and the check that the kept counts
// and sums say what a full scan says.
#pragma once

#include "store/access.h"
#include "store/engine.h"
#include "store/jobs.h"
#include "store/lanes.h"
#include "store/outbox.h"
#include "store/payments.h"
#include "store/programs.h"
#include "store/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_MS   INT64_C(1790000000000)
#define ARENA_SIZE ((size_t)64 << 20)

struct fixture {
    char directory[64], path[96];
    int64_t now_ms;
    struct clock clock;
    struct store_options options;
    struct store *store;
    struct arena *arena;   // the test's, until it ends
    struct arena *scratch; // check_totals
};

#define OK(call) assert_string_equal(status_text(call), "ok")
#define IS(call, expected)                                                                         \
    assert_string_equal(status_text(call), status_text(expected)) // the names show in failures

static inline int64_t fixture_clock(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static inline void fixture_remove(const struct fixture *fixture)
{
    const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", fixture->path, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(fixture->directory);
}

static inline void fixture_paths(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/sluice_test_XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->path, sizeof fixture->path, "%s/store.db", fixture->directory);
    fixture->now_ms = START_MS;
    fixture->clock = (struct clock){fixture_clock, fixture_clock, fixture};
    fixture->options.path = fixture->path;
    fixture->options.clock = &fixture->clock;
    fixture->options.in_caller = true;
    fixture->options.outbox = true;
    fixture->options.domain.chain_id = 31337;
    fixture->options.domain.payout_contract.bytes[0] = 0xaa;
    fixture->arena = arena_new(ARENA_SIZE);
    fixture->scratch = arena_new(ARENA_SIZE);
    assert_non_null(fixture->arena);
    assert_non_null(fixture->scratch);
}

static inline void fixture_open(struct fixture *fixture)
{
    int applied;
    fixture_paths(fixture);
    OK(store_migrate(&applied, &fixture->options));
    OK(store_open(&fixture->store, &fixture->options));
}

static inline void fixture_close(struct fixture *fixture)
{
    store_close(fixture->store);
    arena_free(fixture->arena);
    arena_free(fixture->scratch);
    fixture_remove(fixture);
}

// ---- a write transaction in the test's own hands

static inline struct store_tx *begin(struct fixture *fixture)
{
    OK(tx_begin_write(&fixture->store->tx));
    return &fixture->store->tx;
}

// ---- the full scan

struct scan {
    struct address wallet;
    struct affiliate sums;
    int64_t chain;
};

static inline sqlite3_stmt *scan_query(sqlite3 *sqlite, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    return statement;
}

static inline int64_t scan_number(const struct fixture *fixture, const char *sql)
{
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(fixture->path, &sqlite), SQLITE_OK);
    sqlite3_stmt *statement = scan_query(sqlite, sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(sqlite);
    return number;
}

static inline struct scan *scan_find(struct scan *scans, size_t *count, const void *wallet)
{
    for (size_t i = 0; i < *count; i++)
        if (memcmp(scans[i].wallet.bytes, wallet, sizeof scans[i].wallet.bytes) == 0)
            return &scans[i];
    assert_true(*count < 1000);
    struct scan *scan = &scans[(*count)++];
    memset(scan, 0, sizeof *scan);
    memcpy(scan->wallet.bytes, wallet, sizeof scan->wallet.bytes);
    return scan;
}

// Two columns of the row, from `column` on.
static inline void scan_add(struct usdc *usdc, struct sge *sge, sqlite3_stmt *row, int column)
{
    struct usdc a;
    struct sge b;
    assert_true(usdc_from_units(&a, sqlite3_column_int64(row, column)));
    assert_true(sge_parse_units(&b, (const char *)sqlite3_column_text(row, column + 1)));
    assert_true(usdc_add(usdc, *usdc, a));
    assert_true(sge_add(sge, *sge, b));
}

static inline void scan_job(struct scan *scan, sqlite3_stmt *row)
{
    struct affiliate *sums = &scan->sums;
    int64_t kind = sqlite3_column_int64(row, 0), state = sqlite3_column_int64(row, 1);
    scan->chain++;
    if (kind < JOB_PAYOUT_USDC || state == JOB_CANCELLED)
        return;
    scan_add(&sums->usdc_earned, &sums->sge_earned, row, 3);
    scan_add(&sums->usdc_earned, &sums->sge_earned, row, 5);
    scan_add(&sums->usdc_netted, &sums->sge_netted, row, 5);
    if (state == JOB_CONFIRMED) {
        sums->payouts_confirmed++;
        if (sqlite3_column_int64(row, 2) == JOB_OUTCOME_OWED)
            scan_add(&sums->usdc_owed, &sums->sge_owed, row, 3);
        else
            scan_add(&sums->usdc_paid, &sums->sge_paid, row, 3);
        return;
    }
    scan_add(&sums->usdc_pending, &sums->sge_pending, row, 3);
    if (state == JOB_PARKED)
        sums->payouts_parked++;
    else
        sums->payouts_pending++;
}

static inline void scan_affiliates(sqlite3 *sqlite, struct scan *scans, size_t *count)
{
    sqlite3_stmt *row = scan_query(
        sqlite,
        "SELECT kind, state, outcome, usdc, sge, netted_usdc, netted_sge, referrer FROM jobs"
        " WHERE referrer NOT NULL");
    while (sqlite3_step(row) == SQLITE_ROW)
        scan_job(scan_find(scans, count, sqlite3_column_blob(row, 7)), row);
    sqlite3_finalize(row);
    row = scan_query(sqlite, "SELECT referrer FROM users WHERE referrer NOT NULL");
    while (sqlite3_step(row) == SQLITE_ROW)
        scan_find(scans, count, sqlite3_column_blob(row, 0))->sums.children++;
    sqlite3_finalize(row);
    row = scan_query(sqlite, "SELECT wallet, usdc, sge FROM receivables WHERE cleared_ms = 0");
    while (sqlite3_step(row) == SQLITE_ROW) {
        struct affiliate *sums = &scan_find(scans, count, sqlite3_column_blob(row, 0))->sums;
        scan_add(&sums->usdc_receivable, &sums->sge_receivable, row, 1);
    }
    sqlite3_finalize(row);
}

#define SAME_USDC(a, b) assert_int_equal(usdc_compare((a), (b)), 0)
#define SAME_SGE(a, b)  assert_int_equal(sge_compare((a), (b)), 0)

static inline void compare_affiliate(struct store_tx *tx, const struct scan *scan)
{
    struct affiliate kept;
    const struct affiliate *sums = &scan->sums;
    OK(affiliate_by_wallet(tx, &kept, &scan->wallet));
    assert_int_equal(kept.payouts_pending, sums->payouts_pending);
    assert_int_equal(kept.payouts_confirmed, sums->payouts_confirmed);
    assert_int_equal(kept.payouts_parked, sums->payouts_parked);
    assert_int_equal(kept.children, sums->children);
    SAME_USDC(kept.usdc_earned, sums->usdc_earned);
    SAME_USDC(kept.usdc_paid, sums->usdc_paid);
    SAME_USDC(kept.usdc_owed, sums->usdc_owed);
    SAME_USDC(kept.usdc_pending, sums->usdc_pending);
    SAME_USDC(kept.usdc_receivable, sums->usdc_receivable);
    SAME_USDC(kept.usdc_netted, sums->usdc_netted);
    SAME_SGE(kept.sge_netted, sums->sge_netted);
    SAME_SGE(kept.sge_receivable, sums->sge_receivable);
    SAME_SGE(kept.sge_earned, sums->sge_earned);
    SAME_SGE(kept.sge_paid, sums->sge_paid);
    SAME_SGE(kept.sge_owed, sums->sge_owed);
    SAME_SGE(kept.sge_pending, sums->sge_pending);
}

static inline void compare_counts(sqlite3 *sqlite, struct store_tx *tx)
{
    struct job_counts kept, seen;
    memset(&seen, 0, sizeof seen);
    OK(job_counts_read(tx, &kept));
    sqlite3_stmt *row =
        scan_query(sqlite, "SELECT kind, state, COUNT(*) FROM jobs GROUP BY kind, state");
    while (sqlite3_step(row) == SQLITE_ROW)
        seen.counts[sqlite3_column_int(row, 0)][sqlite3_column_int(row, 1)] =
            sqlite3_column_int64(row, 2);
    sqlite3_finalize(row);
    assert_memory_equal(&kept, &seen, sizeof kept);
}

// Counts, sums and chains against a scan of every row, on connections of their own.
static inline void check_totals(struct fixture *fixture)
{
    static struct scan scans[1000];
    size_t count = 0;
    sqlite3 *sqlite;
    struct store_tx *tx;
    assert_int_equal(sqlite3_open(fixture->path, &sqlite), SQLITE_OK);
    OK(store_read(&tx, fixture->store));
    compare_counts(sqlite, tx);
    scan_affiliates(sqlite, scans, &count);
    for (size_t i = 0; i < count; i++) {
        struct job_filter filter = {.wallet = scans[i].wallet, .limit = JOBS_PAGE_MAX};
        struct job *jobs;
        size_t listed, as_referrer = 0;
        compare_affiliate(tx, &scans[i]);
        OK(jobs_list(tx, &jobs, &listed, &filter, fixture->scratch));
        for (size_t j = 0; j < listed; j++)
            as_referrer += address_equal(&jobs[j].referrer, &scans[i].wallet);
        if (listed < JOBS_PAGE_MAX)
            assert_int_equal(as_referrer, scans[i].chain);
    }
    sqlite3_stmt *row = scan_query(sqlite, "SELECT COUNT(*) FROM affiliates");
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(row, 0), count);
    sqlite3_finalize(row);
    store_read_end(tx);
    sqlite3_close(sqlite);
    arena_reset(fixture->scratch);
}

static inline void commit(struct fixture *fixture)
{
    OK(tx_commit(&fixture->store->tx));
    check_totals(fixture);
}

// ---- things to begin with

static inline struct address wallet_of(uint32_t number)
{
    struct address wallet = {{0x10}};
    for (int i = 0; i < 4; i++)
        wallet.bytes[19 - i] = (uint8_t)(number >> (8 * i));
    return wallet;
}

static inline struct usdc usdc_of(int64_t units)
{
    struct usdc amount;
    assert_true(usdc_from_units(&amount, units));
    return amount;
}

static inline struct sge sge_of(const char *text)
{
    struct sge amount;
    assert_true(sge_parse(&amount, text));
    return amount;
}

static const struct trace_id test_trace = {{7, 7, 7}};

// 10 % in USDC on every payment, under the name given.
static inline struct program program_usdc(const char *name)
{
    struct program program;
    memset(&program, 0, sizeof program);
    snprintf(program.name, sizeof program.name, "%s", name);
    program.kind = PROGRAM_USDC;
    program.trigger = PROGRAM_EVERY_PAYMENT;
    program.commission_bps = 1000;
    program.active = true;
    return program;
}

static inline int64_t add_program(struct store_tx *tx, const struct program *program)
{
    int64_t id;
    bool created;
    OK(program_insert(tx, &id, &created, program));
    assert_true(created);
    return id;
}

// referrer 0: none
static inline struct user add_user(struct store_tx *tx, uint32_t child, uint32_t referrer,
                                   const char *program)
{
    struct address wallet = wallet_of(child), by = wallet_of(referrer);
    enum user_outcome outcome;
    struct user user;
    OK(user_register(tx, &outcome, &user, &wallet, referrer == 0 ? NULL : &by, program, false,
                     &test_trace));
    assert_int_equal(outcome, USER_CREATED);
    return user;
}

static inline struct payment pay(struct store_tx *tx, const char *key, uint32_t child,
                                 int64_t units)
{
    struct payment_input input = {.provider = PROVIDER_STRIPE,
                                  .payment_key = key,
                                  .child = wallet_of(child),
                                  .amount = usdc_of(units),
                                  .received_ms = START_MS,
                                  .trace = test_trace};
    enum payment_outcome outcome;
    struct payment payment;
    OK(payment_accept(tx, &outcome, &payment, &input));
    assert_int_equal(outcome, PAYMENT_NEW);
    return payment;
}

static inline struct job job_now(struct store_tx *tx, int64_t id)
{
    struct job job;
    OK(job_by_id(tx, &job, id));
    return job;
}
