// SPDX-License-Identifier: Apache-2.0
// Opening, group commit, snapshots, disk failure, SIGKILL: what was acknowledged is on disk.
#include "store/fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define THREADS         8
#define WRITES_EACH     40
#define KILL_ROUNDS     12
#define FULL_WRITES_MAX 100000

// ---- work that writes one audit row

struct note {
    struct store_work work;
    char text[200];
    enum status answer; // what run returns
};

static enum status note_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct note *note = (struct note *)works[i];
        enum status status = audit_append(tx, "test", "note", note->text);
        if (status == STATUS_OK)
            status = note->answer;
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static const struct store_work_kind note_kind = {"note", note_run};

static struct note note_of(int thread, int number)
{
    struct note note = {.work = {.kind = &note_kind}};
    snprintf(note.text, sizeof note.text, "%d/%d", thread, number);
    return note;
}

static void open_threaded(struct fixture *fixture)
{
    int applied;
    fixture_paths(fixture);
    fixture->options.in_caller = false;
    OK(store_migrate(&applied, &fixture->options));
    OK(store_open(&fixture->store, &fixture->options));
}

static int64_t notes_on_disk(const struct fixture *fixture)
{
    return scan_number(fixture, "SELECT COUNT(*) FROM audit");
}

// ---- opening

static void opening_says_what_is_wrong(void **state)
{
    struct fixture fixture;
    int applied;
    (void)state;
    fixture_paths(&fixture);
    IS(store_open(&fixture.store, &fixture.options), STATUS_NOT_FOUND);
    FILE *file = fopen(fixture.path, "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        fputs("this is not a database\n", file);
    fclose(file);
    IS(store_open(&fixture.store, &fixture.options), STATUS_CORRUPT);
    assert_int_equal(unlink(fixture.path), 0);
    file = fopen(fixture.path, "w");
    assert_non_null(file);
    fclose(file);
    IS(store_open(&fixture.store, &fixture.options), STATUS_CONFLICT); // not migrated
    OK(store_migrate(&applied, &fixture.options));
    assert_true(applied > 0);
    OK(store_open(&fixture.store, &fixture.options));
    fixture_close(&fixture);
}

static void a_new_store_is_readable_by_its_owner_alone(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct fixture fixture;
    (void)state;
    mode_t mask = umask(0);
    fixture_open(&fixture);
    OK(tx_commit(begin(&fixture)));
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[128];
        struct stat facts;
        snprintf(path, sizeof path, "%s%s", fixture.path, suffixes[i]);
        assert_int_equal(stat(path, &facts), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
    }
    umask(mask);
    fixture_close(&fixture);
}

static void migrating_again_does_nothing_and_a_newer_schema_is_refused(void **state)
{
    struct fixture fixture;
    int applied = -1;
    (void)state;
    fixture_open(&fixture);
    OK(store_migrate(&applied, &fixture.options));
    assert_int_equal(applied, 0);
    struct store_tx *tx = begin(&fixture);
    OK(db_script(tx->db, "UPDATE meta SET value = 9999 WHERE name = 'schema_version'"));
    OK(tx_commit(tx));
    store_close(fixture.store);
    IS(store_migrate(&applied, &fixture.options), STATUS_CONFLICT);
    IS(store_open(&fixture.store, &fixture.options), STATUS_CONFLICT);
    fixture.store = NULL;
    fixture_close(&fixture);
}

static void a_read_only_store_reads_and_refuses_work(void **state)
{
    struct fixture fixture;
    struct store *console;
    struct store_tx *tx;
    struct job_counts counts;
    struct note note = note_of(0, 0);
    (void)state;
    fixture_open(&fixture);
    fixture.options.read_only = true;
    OK(store_open(&console, &fixture.options));
    OK(store_read(&tx, console));
    OK(job_counts_read(tx, &counts));
    store_read_end(tx);
    IS(store_write(console, &note.work), STATUS_STOPPED);
    store_close(console);
    fixture_close(&fixture);
}

static void the_domain_numbers_of_the_schema_are_those_of_the_tables(void **state)
{
    struct fixture fixture;
    struct store_tx *tx;
    (void)state;
    fixture_open(&fixture);
    tx = begin(&fixture);
    char sql[200];
    for (int state_number = 0; state_number <= JOB_STATE_COUNT + 1; state_number++) {
        bool known = state_number >= 1 && state_number <= JOB_STATE_COUNT;
        snprintf(sql, sizeof sql,
                 "INSERT INTO jobs VALUES (%d, 1, %d, 0, 0, NULL, x'00', NULL, 0, '0', 0, 0, 0,"
                 " 0, 0, 0, 0, NULL, '', 0, 0, '0')",
                 state_number + 1, state_number);
        IS(db_script(tx->db, sql), known ? STATUS_OK : STATUS_INVALID);
    }
    tx_rollback(tx);
    fixture_close(&fixture);
}

// ---- snapshots

static void a_snapshot_sees_the_commit_before_it_and_no_later_one(void **state)
{
    struct fixture fixture;
    struct store_tx *old, *new;
    struct hold *holds;
    size_t count;
    bool changed;
    (void)state;
    fixture_open(&fixture);
    OK(store_read(&old, fixture.store));
    OK(hold_set(begin(&fixture), &changed, JOB_PAYOUT_USDC, "paused", "?"));
    commit(&fixture);
    OK(store_read(&new, fixture.store));
    OK(holds_list(old, &holds, &count, fixture.arena));
    assert_int_equal(count, 0);
    OK(holds_list(new, &holds, &count, fixture.arena));
    assert_int_equal(count, 1);
    store_read_end(old);
    store_read_end(new);
    fixture_close(&fixture);
}

static void another_process_writing_in_between_is_noticed(void **state)
{
    struct fixture fixture;
    struct store *console;
    struct program program = program_usdc("usdc");
    (void)state;
    fixture_open(&fixture);
    add_program(begin(&fixture), &program);
    commit(&fixture);
    begin(&fixture);
    add_user(&fixture.store->tx, 1, 100, "usdc");
    commit(&fixture);
    OK(store_open(&console, &fixture.options)); // as the console would, beside the service
    OK(tx_begin_write(&console->tx));
    program.id = 1;
    program.commission_bps = 5000;
    OK(program_update(&console->tx, &program));
    add_user(&console->tx, 2, 100, "usdc");
    OK(tx_commit(&console->tx));
    store_close(console);
    struct store_tx *tx = begin(&fixture);
    struct job job = job_now(tx, pay(tx, "k", 1, 1000).job_id); // new ids, new rate, new sums
    commit(&fixture);
    assert_int_equal(usdc_units(job.usdc), 500);
    fixture_close(&fixture);
}

// ---- groups

struct writer {
    struct fixture *fixture;
    int number;
    int durable;
};

// Opening may find the index of the log locked for a moment; that says nothing about durability.
#define LOOK_BUSY_MS_MAX 10000

// Each write is looked for by a connection made after its done.
static void *write_and_look(void *context)
{
    struct writer *writer = context;
    for (int i = 0; i < WRITES_EACH; i++) {
        struct note note = note_of(writer->number, i);
        if (store_write(writer->fixture->store, &note.work) != STATUS_OK)
            return NULL;
        sqlite3 *sqlite;
        sqlite3_stmt *statement = NULL;
        if (sqlite3_open(writer->fixture->path, &sqlite) == SQLITE_OK &&
            sqlite3_busy_timeout(sqlite, LOOK_BUSY_MS_MAX) == SQLITE_OK &&
            sqlite3_prepare_v2(sqlite, "SELECT 1 FROM audit WHERE detail = ?", -1, &statement,
                               NULL) == SQLITE_OK) {
            sqlite3_bind_text(statement, 1, note.text, -1, SQLITE_STATIC);
            writer->durable += sqlite3_step(statement) == SQLITE_ROW;
        }
        sqlite3_finalize(statement);
        sqlite3_close(sqlite);
    }
    return NULL;
}

static void every_write_of_eight_threads_is_seen_once_acknowledged(void **state)
{
    struct fixture fixture;
    struct writer writers[THREADS];
    pthread_t threads[THREADS];
    struct store_statistics statistics;
    (void)state;
    open_threaded(&fixture);
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){&fixture, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, write_and_look, &writers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(writers[i].durable, WRITES_EACH);
    }
    store_statistics(&statistics, fixture.store);
    assert_int_equal(statistics.works, THREADS * WRITES_EACH);
    assert_int_equal(statistics.queued, 0);
    assert_int_equal(notes_on_disk(&fixture), THREADS * WRITES_EACH);
    fixture_close(&fixture);
}

struct submitted {
    struct note note;
    int *done;
    enum status status;
};

static void count_done(struct store_work *work, enum status committed)
{
    struct submitted *submitted = (struct submitted *)work;
    submitted->status = committed;
    ++*submitted->done; // the writer thread alone
}

static void closing_works_off_what_was_submitted(void **state)
{
    struct fixture fixture;
    static struct submitted submitted[3000];
    int done = 0;
    (void)state;
    open_threaded(&fixture);
    for (int i = 0; i < 3000; i++) {
        submitted[i] = (struct submitted){.note = note_of(0, i), .done = &done};
        submitted[i].note.work.done = count_done;
        OK(store_submit(fixture.store, &submitted[i].note.work));
    }
    store_close(fixture.store);
    fixture.store = NULL;
    assert_int_equal(done, 3000);
    assert_int_equal(notes_on_disk(&fixture), 3000);
    fixture_close(&fixture);
}

static void work_that_fails_takes_its_group_back_and_the_store_goes_on(void **state)
{
    struct fixture fixture;
    struct note bad = note_of(0, 0), good = note_of(0, 1);
    (void)state;
    fixture_open(&fixture);
    bad.answer = STATUS_CORRUPT;
    IS(store_write(fixture.store, &bad.work), STATUS_CORRUPT);
    assert_int_equal(notes_on_disk(&fixture), 0);
    assert_true(store_is_healthy(fixture.store));
    OK(store_write(fixture.store, &good.work));
    assert_int_equal(notes_on_disk(&fixture), 1);
    fixture_close(&fixture);
}

// Keeps the writer busy until it is let go, so that what is submitted meanwhile is one group.
struct gate {
    struct store_work work;
    sem_t open;
};

static enum status gate_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    (void)tx;
    (void)count;
    sem_t *open = &((struct gate *)works[0])->open;
    // Stays open: the gate may stand in the very group that runs again.
    return sem_wait(open) == 0 && sem_post(open) == 0 ? STATUS_OK : STATUS_IO;
}

static void gate_done(struct store_work *work, enum status committed)
{
    (void)work;
    (void)committed;
}

static void work_that_fails_does_not_take_its_neighbours_with_it(void **state)
{
    static const struct store_work_kind gate_kind = {"gate", gate_run};
    static const enum status answers[] = {STATUS_INVALID, STATUS_NOT_FOUND, STATUS_CONFLICT,
                                          STATUS_LIMIT,   STATUS_EXISTS,    STATUS_NO_MEMORY,
                                          STATUS_CORRUPT, STATUS_DENIED,    STATUS_UNSUPPORTED};
    (void)state;
    for (size_t row = 0; row < sizeof answers / sizeof answers[0]; row++) {
        struct fixture fixture;
        struct gate gate = {.work = {.kind = &gate_kind, .done = gate_done}};
        struct submitted submitted[3];
        int done = 0;
        open_threaded(&fixture);
        assert_int_equal(sem_init(&gate.open, 0, 0), 0);
        OK(store_submit(fixture.store, &gate.work));
        for (int i = 0; i < 3; i++) {
            submitted[i] = (struct submitted){.note = note_of(0, i), .done = &done};
            submitted[i].note.work.done = count_done;
            submitted[i].note.answer = i == 1 ? answers[row] : STATUS_OK;
            OK(store_submit(fixture.store, &submitted[i].note.work));
        }
        assert_int_equal(sem_post(&gate.open), 0);
        store_close(fixture.store);
        fixture.store = NULL;
        assert_int_equal(done, 3);
        OK(submitted[0].status);
        IS(submitted[1].status, answers[row]);
        OK(submitted[2].status);
        assert_int_equal(notes_on_disk(&fixture), 2);
        sem_destroy(&gate.open);
        fixture_close(&fixture);
    }
}

static enum status careless_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    (void)works;
    (void)count;
    OK(audit_append(tx, "test", "note", "half"));
    // A failure of the database that the work does not pass on.
    IS(db_script(tx->db, "INSERT INTO jobs (id) VALUES (1)"), STATUS_INVALID);
    return STATUS_OK;
}

static void a_failure_the_work_forgets_still_takes_the_group_back(void **state)
{
    static const struct store_work_kind careless = {"careless", careless_run};
    struct fixture fixture;
    struct store_work work = {.kind = &careless};
    (void)state;
    fixture_open(&fixture);
    IS(store_write(fixture.store, &work), STATUS_INVALID);
    assert_int_equal(notes_on_disk(&fixture), 0);
    fixture_close(&fixture);
}

static void count_call(void *context)
{
    ++*(int *)context;
}

static enum status hold_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    bool changed;
    (void)works;
    (void)count;
    return hold_set(tx, &changed, JOB_MINT_IDENTITY, "paused", "?");
}

static void the_relayer_is_woken_by_jobs_and_holds_only(void **state)
{
    static const struct store_work_kind hold_kind = {"hold", hold_run};
    struct fixture fixture;
    struct store_work hold = {.kind = &hold_kind};
    struct note note = note_of(0, 0);
    int calls = 0;
    (void)state;
    fixture_open(&fixture);
    store_close(fixture.store);
    fixture.options.on_jobs = count_call;
    fixture.options.on_jobs_context = &calls;
    OK(store_open(&fixture.store, &fixture.options));
    OK(store_write(fixture.store, &note.work));
    assert_int_equal(calls, 0);
    OK(store_write(fixture.store, &hold));
    assert_int_equal(calls, 1);
    OK(store_write(fixture.store, &hold)); // stood already
    assert_int_equal(calls, 1);
    fixture_close(&fixture);
}

// ---- a disk that is full

// In a child: writes until the limit bites. Exit status: 0 where everything held.
static int fill_disk(struct fixture *fixture)
{
    struct rlimit limit = {1 << 20, 1 << 20};
    int acknowledged = 0;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 10;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && acknowledged < FULL_WRITES_MAX) {
        struct note note = note_of(0, acknowledged);
        memset(note.text + 20, 'x', sizeof note.text - 21);
        status = store_write(fixture->store, &note.work);
        acknowledged += status == STATUS_OK;
    }
    if (status != STATUS_IO || store_is_healthy(fixture->store))
        return 11;
    struct note late = note_of(1, 1);
    if (store_write(fixture->store, &late.work) != STATUS_STOPPED)
        return 12;
    // What was acknowledged is there, and not one row more.
    return notes_on_disk(fixture) == acknowledged ? 0 : 13;
}

static void a_full_disk_fails_the_write_and_stops_the_store(void **state)
{
    for (int in_caller = 0; in_caller < 2; in_caller++) {
        struct fixture fixture;
        int status, applied;
        (void)state;
        fixture_paths(&fixture);
        fixture.options.in_caller = in_caller == 1;
        OK(store_migrate(&applied, &fixture.options));
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            if (store_open(&fixture.store, &fixture.options) != STATUS_OK)
                _exit(9);
            _exit(fill_disk(&fixture));
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        fixture_close(&fixture);
    }
}

// ---- SIGKILL

// In a child: four threads write; each acknowledged number goes down the pipe.
struct killed {
    struct fixture *fixture;
    int number, pipe;
};

static void *write_until_killed(void *context)
{
    const struct killed *killed = context;
    for (int i = 0;; i++) {
        struct note note = note_of(killed->number, i);
        if (store_write(killed->fixture->store, &note.work) != STATUS_OK)
            _exit(1);
        int32_t told[2] = {killed->number, i};
        if (write(killed->pipe, told, sizeof told) != (ssize_t)sizeof told)
            _exit(2);
    }
}

static void child_main(struct fixture *fixture, int pipe_end)
{
    struct killed killed[4];
    pthread_t threads[4];
    if (store_open(&fixture->store, &fixture->options) != STATUS_OK)
        _exit(3);
    for (int i = 0; i < 4; i++) {
        killed[i] = (struct killed){fixture, i, pipe_end};
        if (pthread_create(&threads[i], NULL, write_until_killed, &killed[i]) != 0)
            _exit(4);
    }
    for (;;)
        pause();
}

static void check_acknowledged(const struct fixture *fixture, int pipe_end)
{
    sqlite3 *sqlite;
    int32_t told[2];
    assert_int_equal(sqlite3_open(fixture->path, &sqlite), SQLITE_OK);
    sqlite3_stmt *statement = scan_query(sqlite, "SELECT 1 FROM audit WHERE detail = ?");
    while (read(pipe_end, told, sizeof told) == (ssize_t)sizeof told) {
        struct note note = note_of(told[0], told[1]);
        sqlite3_bind_text(statement, 1, note.text, -1, SQLITE_STATIC);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    sqlite3_close(sqlite);
}

static void what_was_acknowledged_survives_sigkill(void **state)
{
    (void)state;
    for (int round = 0; round < KILL_ROUNDS; round++) {
        struct fixture fixture;
        int ends[2], status, applied;
        int32_t first[2];
        fixture_paths(&fixture);
        fixture.options.in_caller = false;
        OK(store_migrate(&applied, &fixture.options));
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            child_main(&fixture, ends[1]);
        close(ends[1]);
        assert_int_equal(read(ends[0], first, sizeof first), sizeof first);
        usleep((useconds_t)(round * 3777 % 20000)); // somewhere else each time
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        check_acknowledged(&fixture, ends[0]);
        close(ends[0]);
        OK(store_open(&fixture.store, &fixture.options));
        fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_says_what_is_wrong),
        cmocka_unit_test(a_new_store_is_readable_by_its_owner_alone),
        cmocka_unit_test(migrating_again_does_nothing_and_a_newer_schema_is_refused),
        cmocka_unit_test(a_read_only_store_reads_and_refuses_work),
        cmocka_unit_test(the_domain_numbers_of_the_schema_are_those_of_the_tables),
        cmocka_unit_test(a_snapshot_sees_the_commit_before_it_and_no_later_one),
        cmocka_unit_test(another_process_writing_in_between_is_noticed),
        cmocka_unit_test(every_write_of_eight_threads_is_seen_once_acknowledged),
        cmocka_unit_test(closing_works_off_what_was_submitted),
        cmocka_unit_test(work_that_fails_takes_its_group_back_and_the_store_goes_on),
        cmocka_unit_test(work_that_fails_does_not_take_its_neighbours_with_it),
        cmocka_unit_test(a_failure_the_work_forgets_still_takes_the_group_back),
        cmocka_unit_test(the_relayer_is_woken_by_jobs_and_holds_only),
        cmocka_unit_test(a_full_disk_fails_the_write_and_stops_the_store),
        cmocka_unit_test(what_was_acknowledged_survives_sigkill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
