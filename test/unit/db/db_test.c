// SPDX-License-Identifier: Apache-2.0
// Connections on real SQLite files: binding, typed columns, failures that spoil, misuse that
// aborts.
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/migrate.h"

#define OK(call)           assert_string_equal(status_text(call), "ok")
#define IS(call, expected) assert_string_equal(status_text(call), status_text(expected))

struct fixture {
    char directory[64], path[96];
    struct db *db;
};

static struct db_options options_of(const struct fixture *fixture, enum db_mode mode)
{
    return (struct db_options){
        .target = fixture->path, .mode = mode, .busy_ms_max = 20, .cache_kib = 1024};
}

static int set_up(void **state)
{
    static struct fixture fixture;
    snprintf(fixture.directory, sizeof fixture.directory, "/tmp/sluice_db_XXXXXX");
    assert_non_null(mkdtemp(fixture.directory));
    snprintf(fixture.path, sizeof fixture.path, "%s/test.db", fixture.directory);
    struct db_options options = options_of(&fixture, DB_CREATE);
    OK(db_open(&fixture.db, &db_sqlite, &options));
    OK(db_begin_write(fixture.db));
    OK(db_script(fixture.db, "CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT UNIQUE,"
                             " data BLOB, n BIGINT CHECK (n < 1000))"));
    OK(db_commit(fixture.db));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    db_close(fixture->db);
    const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", fixture->path, suffixes[i]);
        (void)unlink(path);
    }
    (void)rmdir(fixture->directory);
    return 0;
}

static const struct db_statement insert = {
    "insert", "INSERT INTO t (id, word, data, n) VALUES ($1, $2, $3, $4)"};
static const struct db_statement all = {"all", "SELECT id, word, data, n FROM t ORDER BY id"};

static enum status add(struct db *db, int64_t id, const char *word, int64_t n)
{
    struct db_query *query = db_query(db, &insert);
    db_bind_int(query, 1, id);
    db_bind_text(query, 2, word);
    db_bind_blob(query, 3, bytes_of_text("\x01\x02"));
    db_bind_int(query, 4, n);
    return db_execute(query, NULL);
}

static void parameters_are_bound_by_their_number_wherever_they_stand(void **state)
{
    struct fixture *fixture = *state;
    static const struct db_statement mixed = {
        "mixed", "INSERT INTO t (id, word, n) VALUES ($3, $1, $2 + $3)"};
    struct db_query *query;
    int64_t changes;
    OK(db_begin_write(fixture->db));
    query = db_query(fixture->db, &mixed);
    db_bind_text(query, 1, "one");
    db_bind_int(query, 2, 2);
    db_bind_int(query, 3, 3);
    OK(db_execute(query, &changes));
    assert_int_equal(changes, 1);
    query = db_query(fixture->db, &all);
    OK(db_next(query));
    assert_int_equal(db_int(query, "id"), 3);
    assert_string_equal(db_text(query, "word"), "one");
    assert_int_equal(db_int(query, "n"), 5);
    assert_true(db_is_null(query, "data"));
    IS(db_next(query), STATUS_NOT_FOUND);
    OK(db_done_list(query, STATUS_NOT_FOUND));
    OK(db_commit(fixture->db));
}

static void a_column_of_another_type_is_a_fault_and_not_a_value(void **state)
{
    struct fixture *fixture = *state;
    for (int what = 0; what < 5; what++) {
        char small[2];
        uint8_t three[3];
        OK(db_begin_write(fixture->db));
        OK(add(fixture->db, 1, "one", 1));
        struct db_query *query = db_query(fixture->db, &all);
        OK(db_next(query));
        if (what == 0)
            assert_int_equal(db_int(query, "word"), 0);
        else if (what == 1)
            assert_string_equal(db_text(query, "data"), "");
        else if (what == 2)
            db_copy(query, "word", small, sizeof small);
        else if (what == 3)
            db_fill(query, "data", three, sizeof three);
        else
            db_fault(query);
        IS(db_done(query, STATUS_OK), STATUS_CORRUPT);
        IS(db_failure(fixture->db), STATUS_CORRUPT);
        IS(db_commit(fixture->db), STATUS_CORRUPT); // and rolled back
    }
    OK(db_begin_read(fixture->db));
    struct db_query *query = db_query(fixture->db, &all);
    IS(db_done(query, db_next(query)), STATUS_NOT_FOUND);
    db_rollback(fixture->db);
}

static void a_unique_rule_is_an_answer_and_another_constraint_spoils(void **state)
{
    struct fixture *fixture = *state;
    OK(db_begin_write(fixture->db));
    OK(add(fixture->db, 1, "one", 1));
    IS(add(fixture->db, 1, "two", 1), STATUS_EXISTS);
    IS(add(fixture->db, 2, "one", 1), STATUS_EXISTS);
    OK(db_failure(fixture->db));
    OK(db_commit(fixture->db));
    OK(db_begin_write(fixture->db));
    OK(add(fixture->db, 3, "three", 1));
    IS(add(fixture->db, 4, "four", 1000), STATUS_INVALID);
    IS(db_commit(fixture->db), STATUS_INVALID);
    OK(db_begin_read(fixture->db));
    struct db_query *query = db_query(fixture->db, &all);
    OK(db_next(query));
    IS(db_next(query), STATUS_NOT_FOUND); // only the first transaction's row
    OK(db_done_list(query, STATUS_NOT_FOUND));
    db_rollback(fixture->db);
}

static void sql_that_the_schema_does_not_bear_out_fails_and_is_not_the_end_of_rows(void **state)
{
    struct fixture *fixture = *state;
    static const struct db_statement wrong = {"wrong", "SELECT nothing FROM nowhere"};
    OK(db_begin_read(fixture->db));
    struct db_query *query = db_query(fixture->db, &wrong);
    IS(db_next(query), STATUS_CORRUPT);
    IS(db_done_list(query, STATUS_NOT_FOUND), STATUS_CORRUPT);
    db_rollback(fixture->db);
}

static void a_broken_page_is_an_error_and_not_the_end_of_the_rows(void **state)
{
    struct fixture *fixture = *state;
    int64_t left;
    OK(db_begin_write(fixture->db));
    for (int i = 0; i < 500; i++) {
        char word[200];
        snprintf(word, sizeof word, "%0*d", 180, i);
        OK(add(fixture->db, i, word, 1));
    }
    OK(db_commit(fixture->db));
    OK(db_checkpoint(fixture->db, &left, true));
    db_close(fixture->db);
    FILE *file = fopen(fixture->path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 4096 * 10, SEEK_SET), 0);
    for (int i = 0; i < 4096 * 4; i++)
        fputc(0xff, file);
    assert_int_equal(fclose(file), 0);
    struct db_options options = options_of(fixture, DB_WRITE);
    OK(db_open(&fixture->db, &db_sqlite, &options));
    OK(db_begin_read(fixture->db));
    struct db_query *query = db_query(fixture->db, &all);
    enum status status;
    int rows = 0;
    while ((status = db_next(query)) == STATUS_OK)
        rows++;
    IS(db_done_list(query, status), STATUS_CORRUPT);
    assert_true(rows < 500);
    db_rollback(fixture->db);
}

static void a_writer_waits_so_long_for_another_and_then_says_busy(void **state)
{
    struct fixture *fixture = *state;
    struct db *other;
    struct db_options options = options_of(fixture, DB_WRITE);
    OK(db_open(&other, &db_sqlite, &options));
    OK(db_begin_write(fixture->db));
    IS(db_begin_write(other), STATUS_BUSY);
    OK(db_begin_read(other)); // a reader need not wait
    db_rollback(other);
    db_rollback(fixture->db);
    OK(db_begin_write(other));
    db_close(other); // rolls back
}

static void a_reader_cannot_write(void **state)
{
    struct fixture *fixture = *state;
    struct db *reader;
    struct db_options options = options_of(fixture, DB_READ);
    OK(db_open(&reader, &db_sqlite, &options));
    OK(db_begin_read(reader));
    IS(add(reader, 1, "one", 1), STATUS_DENIED);
    db_close(reader);
}

static void the_version_changes_with_anothers_commit_only(void **state)
{
    struct fixture *fixture = *state;
    struct db *other;
    struct db_options options = options_of(fixture, DB_WRITE);
    int64_t first, second, third;
    OK(db_open(&other, &db_sqlite, &options));
    OK(db_begin_write(fixture->db));
    OK(db_data_version(fixture->db, &first));
    OK(add(fixture->db, 1, "one", 1));
    OK(db_commit(fixture->db));
    OK(db_begin_write(fixture->db));
    OK(db_data_version(fixture->db, &second));
    OK(db_commit(fixture->db));
    OK(db_begin_write(other));
    OK(add(other, 2, "two", 1));
    OK(db_commit(other));
    OK(db_begin_write(fixture->db));
    OK(db_data_version(fixture->db, &third));
    OK(db_commit(fixture->db));
    assert_int_equal(first, second);
    assert_int_not_equal(second, third);
    db_close(other);
}

// ---- misuse

static void outside_a_transaction(struct db *db)
{
    (void)db_query(db, &all);
}

static void a_parameter_not_given(struct db *db)
{
    OK(db_begin_write(db));
    struct db_query *query = db_query(db, &insert);
    db_bind_int(query, 1, 1);
    (void)!db_execute(query, NULL);
}

static void a_query_not_finished(struct db *db)
{
    OK(db_begin_write(db));
    OK(add(db, 1, "one", 1));
    (void)!db_next(db_query(db, &all));
    (void)!db_commit(db);
}

static void a_column_that_is_not_there(struct db *db)
{
    OK(db_begin_write(db));
    OK(add(db, 1, "one", 1));
    struct db_query *query = db_query(db, &all);
    (void)!db_next(query);
    (void)db_int(query, "nothing");
}

static void a_transaction_in_a_transaction(struct db *db)
{
    (void)!db_begin_read(db);
    (void)!db_begin_write(db);
}

static void misuse_aborts(void **state)
{
    struct fixture *fixture = *state;
    void (*const misuses[])(struct db * db) = {outside_a_transaction, a_parameter_not_given,
                                               a_query_not_finished, a_column_that_is_not_there,
                                               a_transaction_in_a_transaction};
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(1);
            signal(SIGABRT, SIG_DFL);
            misuses[i](fixture->db);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
    }
}

// ---- migrations

static void migrations_are_numbered_without_gaps(void **state)
{
    (void)state;
    for (size_t i = 0; i < db_migrations_count; i++)
        assert_int_equal(db_migrations[i].number, i + 1);
    assert_int_equal(db_schema_latest(), db_migrations_count);
}

static void migrating_is_done_once(void **state)
{
    struct fixture *fixture = *state;
    int applied;
    int64_t version;
    OK(db_migrate(fixture->db, &applied));
    assert_int_equal(applied, db_migrations_count);
    OK(db_migrate(fixture->db, &applied));
    assert_int_equal(applied, 0);
    OK(db_begin_read(fixture->db));
    OK(db_schema_version(fixture->db, &version));
    db_rollback(fixture->db);
    assert_int_equal(version, db_schema_latest());
}

static void a_schema_of_the_future_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    int applied = -1;
    OK(db_migrate(fixture->db, &applied));
    OK(db_begin_write(fixture->db));
    OK(db_script(fixture->db, "UPDATE meta SET value = value + 1"));
    OK(db_commit(fixture->db));
    IS(db_migrate(fixture->db, &applied), STATUS_CONFLICT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_are_bound_by_their_number_wherever_they_stand),
        TEST(a_column_of_another_type_is_a_fault_and_not_a_value),
        TEST(a_unique_rule_is_an_answer_and_another_constraint_spoils),
        TEST(sql_that_the_schema_does_not_bear_out_fails_and_is_not_the_end_of_rows),
        TEST(a_broken_page_is_an_error_and_not_the_end_of_the_rows),
        TEST(a_writer_waits_so_long_for_another_and_then_says_busy),
        TEST(a_reader_cannot_write),
        TEST(the_version_changes_with_anothers_commit_only),
        TEST(misuse_aborts),
        TEST(migrations_are_numbered_without_gaps),
        TEST(migrating_is_done_once),
        TEST(a_schema_of_the_future_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
