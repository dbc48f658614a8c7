// SPDX-License-Identifier: Apache-2.0
// The simulated disk keeps what it promised, loses what it did not, and fails where it is told to.
#include "support/sim_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX  "/sim/"
#define PATH    PREFIX "store.db"
#define CRASHES 1000

static sqlite3 *connect(void)
{
    sqlite3 *sqlite = NULL;
    assert_int_equal(sqlite3_open(PATH, &sqlite), SQLITE_OK);
    sqlite3_extended_result_codes(sqlite, 1);
    return sqlite;
}

static int run(sqlite3 *sqlite, const char *sql)
{
    return sqlite3_exec(sqlite, sql, NULL, NULL, NULL);
}

static int64_t number(sqlite3 *sqlite, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return value;
}

static void make_table(void)
{
    sqlite3 *sqlite = connect();
    assert_int_equal(run(sqlite, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                 "CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)"),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

// ---- exactly the committed transactions

struct cut {
    int64_t at;
    uint64_t seed;
};

static void cut_at(void *context, struct sim_disk *disk, enum sim_disk_operation operation,
                   int64_t total)
{
    (void)operation;
    const struct cut *cut = context;
    if (total == cut->at)
        sim_disk_crash(disk, cut->seed);
}

// Inserts until the power is gone. Row n comes with transaction n; every tenth time the log is
// moved into the main file. Returns the last one that was answered.
static int64_t insert_until_dead(struct sim_disk *disk, const char *synchronous, int64_t last)
{
    sqlite3 *sqlite = NULL;
    char sql[200];
    bool alive = sqlite3_open(PATH, &sqlite) == SQLITE_OK && run(sqlite, synchronous) == SQLITE_OK;
    while (alive && !sim_disk_is_off(disk)) {
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%lld, randomblob(%lld))",
                 (long long)last + 1, (long long)(last * 977 % 9000));
        alive = run(sqlite, sql) == SQLITE_OK;
        last += alive;
        if (alive && last % 10 == 0)
            (void)run(sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    sqlite3_close(sqlite);
    return last;
}

// How many of `crashes` lost an answered transaction; a broken database counts too. What was in
// the middle of its commit may be there or not.
static int count_losses(const char *synchronous, int crashes)
{
    struct sim_disk *disk = sim_disk_new(PREFIX);
    int losses = 0;
    make_table();
    struct sim_disk_image *empty = sim_disk_image(disk);
    for (int i = 0; i < crashes; i++) {
        sim_disk_restore(disk, empty, (uint64_t)i, true);
        int64_t last = 0;
        for (int round = 0; round < 3; round++) {
            struct cut cut = {sim_disk_count_all(disk) + 1 + (i * 131 + round * 977) % 700,
                              (uint64_t)i};
            sim_disk_set_hook(disk, cut_at, &cut);
            int64_t answered = insert_until_dead(disk, synchronous, last);
            sim_disk_set_hook(disk, NULL, NULL);
            sim_disk_start(disk);
            sqlite3 *sqlite = connect();
            last = number(sqlite, "SELECT COUNT(*) FROM t");
            losses += last < answered || last > answered + 1 ||
                      number(sqlite, "SELECT COALESCE(MAX(id), 0) FROM t") != last ||
                      number(sqlite, "SELECT COUNT(*) FROM pragma_integrity_check WHERE "
                                     "integrity_check = 'ok'") != 1;
            sqlite3_close(sqlite);
        }
    }
    sim_disk_image_free(empty);
    sim_disk_free(disk);
    return losses;
}

static void power_cuts_leave_exactly_the_answered_transactions(void **state)
{
    (void)state;
    assert_int_equal(count_losses("PRAGMA synchronous=FULL", CRASHES), 0);
}

static void without_flushes_power_cuts_do_lose_answered_transactions(void **state)
{
    (void)state;
    assert_true(count_losses("PRAGMA synchronous=OFF", CRASHES / 10) > CRASHES / 100);
}

static void a_killed_process_loses_nothing_even_unflushed(void **state)
{
    (void)state;
    struct sim_disk *disk = sim_disk_new(PREFIX);
    make_table();
    sqlite3 *sqlite = connect();
    assert_int_equal(run(sqlite, "PRAGMA synchronous=OFF; INSERT INTO t VALUES (1, NULL)"),
                     SQLITE_OK);
    sim_disk_kill(disk);
    assert_int_not_equal(run(sqlite, "INSERT INTO t VALUES (2, NULL)"), SQLITE_OK);
    sqlite3_close(sqlite);
    sim_disk_start(disk);
    sqlite = connect();
    assert_int_equal(number(sqlite, "SELECT COUNT(*) FROM t"), 1);
    sqlite3_close(sqlite);
    sim_disk_free(disk);
}

// ---- one file

static sqlite3_file *open_file(const char *name, int flags)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    assert_non_null(file);
    int result = vfs->xOpen(vfs, name, file, flags | SQLITE_OPEN_READWRITE, NULL);
    assert_int_equal(result, SQLITE_OK);
    return file;
}

static void close_file(sqlite3_file *file)
{
    file->pMethods->xClose(file);
    free(file);
}

// The first byte of each of the file's sectors after a power cut, as text; "-": no such file.
static void cut_and_look(char *ret_text, size_t size, struct sim_disk *disk, uint64_t seed)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    int there;
    sqlite3_int64 length;
    sim_disk_crash(disk, seed);
    sim_disk_start(disk);
    assert_int_equal(vfs->xAccess(vfs, PATH, SQLITE_ACCESS_READWRITE, &there), SQLITE_OK);
    snprintf(ret_text, size, "-");
    if (!there)
        return;
    sqlite3_file *file = open_file(PATH, SQLITE_OPEN_MAIN_DB);
    assert_int_equal(file->pMethods->xFileSize(file, &length), SQLITE_OK);
    size_t at = 0;
    for (; at < (size_t)length / SIM_DISK_SECTOR && at + 1 < size; at++) {
        char sector;
        assert_int_equal(
            file->pMethods->xRead(file, &sector, 1, (sqlite3_int64)at * SIM_DISK_SECTOR),
            SQLITE_OK);
        ret_text[at] = sector == '\0' ? '0' : sector;
    }
    ret_text[at] = '\0';
    close_file(file);
}

static void write_sectors(sqlite3_file *file, char letter, int count)
{
    static char data[4 * SIM_DISK_SECTOR];
    memset(data, letter, sizeof data);
    assert_int_equal(file->pMethods->xWrite(file, data, count * SIM_DISK_SECTOR, 0), SQLITE_OK);
}

struct seen {
    const char *text;
    bool seen;
};

static void mark(struct seen *wanted, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        wanted[i].seen |= strcmp(wanted[i].text, text) == 0;
}

static void all_seen(const struct seen *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!wanted[i].seen)
            fail_msg("never seen: %s", wanted[i].text);
}

static void synced_content_stays_and_the_rest_is_kept_lost_or_torn(void **state)
{
    (void)state;
    struct seen wanted[] = {{"aaa", false}, {"bbb", false},  {"baa", false},
                            {"aab", false}, {"bbbc", false}, {"aaa0", false}};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        char text[16];
        struct sim_disk *disk = sim_disk_new(PREFIX);
        sqlite3_file *file = open_file(PATH, SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL);
        write_sectors(file, 'a', 3);
        assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
        write_sectors(file, 'b', 3);
        assert_int_equal(file->pMethods->xWrite(file, "c", 1, (sqlite3_int64)3 * SIM_DISK_SECTOR),
                         SQLITE_OK);
        assert_int_equal(file->pMethods->xWrite(file, "c", 1, 4 * SIM_DISK_SECTOR - 1), SQLITE_OK);
        cut_and_look(text, sizeof text, disk, seed);
        assert_null(strpbrk(text, "-")); // an own log's name is synced with it
        assert_true(strlen(text) >= 3);
        mark(wanted, sizeof wanted / sizeof wanted[0], text);
        close_file(file);
        sim_disk_free(disk);
    }
    all_seen(wanted, sizeof wanted / sizeof wanted[0]);
}

static void a_name_that_was_never_synced_may_vanish(void **state)
{
    (void)state;
    struct seen wanted[] = {{"-", false}, {"aaa", false}};
    for (uint64_t seed = 0; seed < 50; seed++) {
        char text[16];
        struct sim_disk *disk = sim_disk_new(PREFIX);
        sqlite3_file *file = open_file(PATH, SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB);
        write_sectors(file, 'a', 3);
        assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
        cut_and_look(text, sizeof text, disk, seed);
        mark(wanted, 2, text);
        close_file(file);
        sim_disk_free(disk);
    }
    all_seen(wanted, 2);
}

// What one write amounts to after a sync that failed and one that worked, over many seeds.
static void a_second_sync_brings_nothing_back(void **state)
{
    (void)state;
    struct seen wanted[] = {{"aaa", false}, {"bbb", false}};
    const struct sim_disk_fault fault = {
        .operations = 1u << SIM_DISK_SYNC, .at = 1, .result = SQLITE_IOERR_FSYNC};
    struct sim_disk *disk = sim_disk_new(PREFIX);
    sqlite3_file *first = open_file(PATH, SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL);
    write_sectors(first, 'a', 3);
    struct sim_disk_image *image = sim_disk_image(disk);
    for (uint64_t seed = 0; seed < 50; seed++) {
        char text[16];
        sim_disk_restore(disk, image, seed, false);
        sqlite3_file *file = open_file(PATH, SQLITE_OPEN_WAL);
        write_sectors(file, 'b', 3);
        sim_disk_set_fault(disk, &fault);
        assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_IOERR_FSYNC);
        assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), SQLITE_OK);
        assert_int_equal(sim_disk_fired(disk), 1);
        char letter;
        assert_int_equal(file->pMethods->xRead(file, &letter, 1, 0), SQLITE_OK);
        assert_int_equal(letter, 'b');
        cut_and_look(text, sizeof text, disk, seed);
        mark(wanted, 2, text);
        close_file(file);
    }
    all_seen(wanted, 2);
    close_file(first);
    sim_disk_image_free(image);
    sim_disk_free(disk);
}

// ---- connections beside each other

static void writers_exclude_each_other_and_readers_keep_their_snapshot(void **state)
{
    (void)state;
    struct sim_disk *disk = sim_disk_new(PREFIX);
    make_table();
    sqlite3 *writer = connect(), *second = connect(), *reader = connect();
    assert_int_equal(run(reader, "BEGIN"), SQLITE_OK);
    assert_int_equal(number(reader, "SELECT COUNT(*) FROM t"), 0);
    assert_int_equal(run(writer, "BEGIN IMMEDIATE; INSERT INTO t VALUES (1, NULL)"), SQLITE_OK);
    assert_int_equal(run(second, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    assert_int_equal(run(writer, "COMMIT"), SQLITE_OK);
    assert_int_equal(run(second, "INSERT INTO t VALUES (2, NULL)"), SQLITE_OK);
    assert_int_equal(number(reader, "SELECT COUNT(*) FROM t"), 0);
    assert_int_equal(run(reader, "COMMIT"), SQLITE_OK);
    assert_int_equal(number(reader, "SELECT COUNT(*) FROM t"), 2);
    assert_int_equal(sqlite3_close(writer), SQLITE_OK);
    assert_int_equal(sqlite3_close(second), SQLITE_OK);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    sim_disk_free(disk);
}

#define THREAD_ROWS 200

static void *insert_rows(void *context)
{
    sqlite3 *sqlite = connect();
    sqlite3_busy_timeout(sqlite, 60000);
    char sql[100];
    for (int i = 0; i < THREAD_ROWS; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO t VALUES (%d, NULL)", *(int *)context + i);
        while (run(sqlite, sql) == SQLITE_BUSY)
            continue;
    }
    sqlite3_close(sqlite);
    return NULL;
}

static void threads_share_a_file(void **state)
{
    (void)state;
    struct sim_disk *disk = sim_disk_new(PREFIX);
    pthread_t threads[2];
    int first[2] = {1, 1 + THREAD_ROWS};
    make_table();
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, insert_rows, &first[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    sqlite3 *sqlite = connect();
    assert_int_equal(number(sqlite, "SELECT COUNT(*) FROM t"), 2 * THREAD_ROWS);
    sqlite3_close(sqlite);
    sim_disk_free(disk);
}

// ---- told to fail

static void each_kind_of_operation_fails_as_told(void **state)
{
    (void)state;
    static const struct {
        enum sim_disk_operation operation;
        int result;
        bool partly;
        int expected;
    } rows[] = {
        {SIM_DISK_WRITE, SQLITE_FULL, true, SQLITE_FULL},
        {SIM_DISK_WRITE, SQLITE_IOERR_WRITE, false, SQLITE_IOERR_WRITE},
        {SIM_DISK_SYNC, SQLITE_IOERR_FSYNC, false, SQLITE_IOERR_FSYNC},
        {SIM_DISK_LOCK, SQLITE_BUSY, false, SQLITE_BUSY},
        {SIM_DISK_LOCK, SQLITE_IOERR_SHMLOCK, false, SQLITE_IOERR_SHMLOCK},
        {SIM_DISK_READ, SQLITE_IOERR_READ, false, SQLITE_IOERR_READ},
        {SIM_DISK_OPEN, SQLITE_CANTOPEN, false, SQLITE_CANTOPEN},
        {SIM_DISK_SIZE, SQLITE_IOERR_FSTAT, false, SQLITE_IOERR_FSTAT},
        {SIM_DISK_MAP, SQLITE_IOERR_SHMMAP, false, SQLITE_IOERR_SHMMAP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_disk *disk = sim_disk_new(PREFIX);
        make_table();
        sqlite3 *sqlite = NULL;
        assert_int_equal(sqlite3_open(PATH, &sqlite), SQLITE_OK);
        const struct sim_disk_fault fault = {.operations = 1u << rows[i].operation,
                                             .at = 1,
                                             .stays = true,
                                             .partly = rows[i].partly,
                                             .result = rows[i].result};
        sim_disk_set_fault(disk, &fault);
        assert_int_not_equal(run(sqlite, "INSERT INTO t VALUES (1, NULL)"), SQLITE_OK);
        assert_int_equal(sqlite3_extended_errcode(sqlite), rows[i].expected);
        assert_true(sim_disk_fired(disk) > 0);
        sim_disk_set_fault(disk, NULL);
        sqlite3_close(sqlite);
        sqlite = connect();
        assert_int_equal(number(sqlite, "SELECT COUNT(*) FROM t"), 0);
        sqlite3_close(sqlite);
        sim_disk_free(disk);
    }
}

// ---- the same again

static void same_seed_same_bytes(void **state)
{
    (void)state;
    struct sim_disk *disk = sim_disk_new(PREFIX);
    make_table();
    struct sim_disk_image *empty = sim_disk_image(disk);
    int64_t counts[2], rows[2], operations[2];
    for (int i = 0; i < 2; i++) {
        sim_disk_restore(disk, empty, 7, true);
        int64_t before = sim_disk_count_all(disk);
        struct cut cut = {before + 400, 7};
        sim_disk_set_hook(disk, cut_at, &cut);
        counts[i] = insert_until_dead(disk, "PRAGMA synchronous=OFF", 0);
        operations[i] = sim_disk_count_all(disk) - before;
        sim_disk_set_hook(disk, NULL, NULL);
        sim_disk_start(disk);
        sqlite3 *sqlite = connect();
        rows[i] = number(sqlite, "SELECT COALESCE(SUM(unicode(hex(filler))), -1) FROM t");
        sqlite3_close(sqlite);
    }
    assert_int_equal(counts[0], counts[1]);
    assert_int_equal(rows[0], rows[1]);
    assert_int_equal(operations[0], operations[1]);
    sim_disk_image_free(empty);
    sim_disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_leave_exactly_the_answered_transactions),
        cmocka_unit_test(without_flushes_power_cuts_do_lose_answered_transactions),
        cmocka_unit_test(a_killed_process_loses_nothing_even_unflushed),
        cmocka_unit_test(synced_content_stays_and_the_rest_is_kept_lost_or_torn),
        cmocka_unit_test(a_name_that_was_never_synced_may_vanish),
        cmocka_unit_test(a_second_sync_brings_nothing_back),
        cmocka_unit_test(writers_exclude_each_other_and_readers_keep_their_snapshot),
        cmocka_unit_test(threads_share_a_file),
        cmocka_unit_test(each_kind_of_operation_fails_as_told),
        cmocka_unit_test(same_seed_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
