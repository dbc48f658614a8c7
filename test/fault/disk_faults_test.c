// SPDX-License-Identifier: Apache-2.0
// Every disk operation of the store fails once, or from then on, or is the last before the power
// goes: what was answered stays, nothing is half written, and after a failure nothing more is.
#include "fault/points.h"
#include "support/sim_disk.h"
#include "unit/store/fixture.h"

#include "store/domain.h"

#include <semaphore.h>

#define EVERY      ((1u << SIM_DISK_OPERATIONS) - 1)
#define DUTIES_MAX 32

// ---------------------------------------------------------------- what is asked of the store

enum duty_verb { ADD_PROGRAM, ADD_USER, PAY, REFUND };
struct duty {
    enum duty_verb verb;
    const char *key; // of the payment; of the refund's event with an r before it
    uint32_t child, referrer;
    int64_t base_units;
};

// A commission paid, one cancelled by a refund, one refunded before it was known.
static const struct duty duties[] = {
    {ADD_PROGRAM, NULL, 0, 0, 0}, {ADD_USER, NULL, 1, 100, 0}, {ADD_USER, NULL, 2, 100, 0},
    {PAY, "p1", 1, 0, 5000000},   {PAY, "p2", 2, 0, 7000000},  {REFUND, "p2", 0, 0, 0},
    {REFUND, "p3", 0, 0, 0},      {PAY, "p3", 1, 0, 9000000},  {PAY, "p4", 1, 0, 11000000},
};
#define DUTIES (sizeof duties / sizeof duties[0])

struct duty_work {
    struct store_work work;
    const struct duty *duty;
    enum status answered;
    bool done; // the answer came
};

static enum status run_program(struct store_tx *tx)
{
    struct program program = program_usdc("usdc");
    int64_t id;
    bool created;
    return program_insert(tx, &id, &created, &program);
}

static enum status run_user(struct store_tx *tx, const struct duty *duty)
{
    struct address wallet = wallet_of(duty->child), by = wallet_of(duty->referrer);
    enum user_outcome outcome;
    struct user user;
    return user_register(tx, &outcome, &user, &wallet, &by, "usdc", false, &test_trace);
}

static enum status run_pay(struct store_tx *tx, const struct duty *duty)
{
    struct payment_input input = {.provider = PROVIDER_STRIPE,
                                  .payment_key = duty->key,
                                  .child = wallet_of(duty->child),
                                  .amount = usdc_of(duty->base_units),
                                  .received_ms = START_MS,
                                  .trace = test_trace};
    enum payment_outcome outcome;
    struct payment payment;
    enum status status = payment_accept(tx, &outcome, &payment, &input);
    // Without its user the handler answers 4xx: not accepted, and not to be found later.
    if (status == STATUS_OK && outcome != PAYMENT_NEW && outcome != PAYMENT_DUPLICATE)
        return STATUS_NOT_FOUND;
    return status;
}

static enum status run_refund(struct store_tx *tx, const struct duty *duty)
{
    char event[16];
    enum refund_outcome outcome;
    snprintf(event, sizeof event, "r%s", duty->key);
    return payment_refund(tx, &outcome, PROVIDER_STRIPE, event, duty->key, REFUND_FULL,
                          &test_trace);
}

static enum status run_duty(struct store_tx *tx, const struct duty *duty)
{
    switch (duty->verb) {
    case ADD_PROGRAM:
        return run_program(tx);
    case ADD_USER:
        return run_user(tx, duty);
    case PAY:
        return run_pay(tx, duty);
    case REFUND:
        return run_refund(tx, duty);
    }
    return STATUS_INVALID;
}

static enum status run_works(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = run_duty(tx, ((struct duty_work *)(void *)works[i])->duty);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static const struct store_work_kind duty_kind = {"duty", run_works};

// ---------------------------------------------------------------- the world

struct disk_world {
    struct fixture fixture;
    struct sim_disk *disk;
    struct sim_disk_image *nothing, *migrated;
    struct duty_work works[DUTIES];
    char clean[1000]; // what a run without faults leaves
    // The fault of this loop.
    struct sim_disk_fault fault;
    bool cuts; // the power goes at the k-th operation instead
    int64_t cut_at, cuts_done;
    void (*scenario)(struct disk_world *world);
    bool from_nothing; // the scenario migrates
};

static void cut(void *context, struct sim_disk *disk, enum sim_disk_operation operation,
                int64_t total)
{
    (void)operation;
    struct disk_world *world = context;
    if (total != world->cut_at)
        return;
    sim_disk_crash(disk, (uint64_t)total);
    world->cuts_done++;
}

static void world_open(struct disk_world *world)
{
    int applied;
    struct fixture *fixture = &world->fixture;
    memset(world, 0, sizeof *world);
    fixture_paths(fixture);
    world->disk = sim_disk_new(fixture->directory);
    world->nothing = sim_disk_image(world->disk);
    OK(store_migrate(&applied, &fixture->options));
    world->migrated = sim_disk_image(world->disk);
}

static void world_close(struct disk_world *world)
{
    sim_disk_image_free(world->nothing);
    sim_disk_image_free(world->migrated);
    sim_disk_free(world->disk);
    world->fixture.store = NULL;
    fixture_close(&world->fixture);
}

// ---------------------------------------------------------------- scenarios

static bool open_store(struct disk_world *world)
{
    world->fixture.store = NULL;
    return store_open(&world->fixture.store, &world->fixture.options) == STATUS_OK;
}

static void ask(struct disk_world *world, size_t i)
{
    struct duty_work *work = &world->works[i];
    *work = (struct duty_work){.work = {.kind = &duty_kind}, .duty = &duties[i]};
    work->answered = store_write(world->fixture.store, &work->work);
    work->done = true;
}

static void accept_and_refund(struct disk_world *world)
{
    if (!open_store(world))
        return;
    for (size_t i = 0; i < DUTIES; i++)
        ask(world, i);
    store_close(world->fixture.store);
}

// The log moves into the main file between two payments.
static void checkpoint_between(struct disk_world *world)
{
    if (!open_store(world))
        return;
    for (size_t i = 0; i < DUTIES; i++) {
        world->fixture.store->log_pages = i % 3 == 2 ? CHECKPOINT_LOG_PAGES : 0;
        ask(world, i);
    }
    store_close(world->fixture.store);
}

static void migrate_first(struct disk_world *world)
{
    int applied;
    if (store_migrate(&applied, &world->fixture.options) != STATUS_OK || !open_store(world))
        return;
    ask(world, 0);
    store_close(world->fixture.store);
}

// ---- a group: all duties in one commit, and those behind them in the next

struct gate {
    struct store_work work;
    sem_t entered, go, left;
};

static enum status run_gate(struct store_tx *tx, struct store_work **works, size_t count)
{
    (void)tx;
    (void)count;
    struct gate *gate = (struct gate *)(void *)works[0];
    sem_post(&gate->entered);
    while (sem_wait(&gate->go) != 0)
        continue;
    return STATUS_OK;
}

static void gate_done(struct store_work *work, enum status committed)
{
    (void)committed;
    sem_post(&((struct gate *)(void *)work)->left);
}

static void duty_done(struct store_work *work, enum status committed)
{
    struct duty_work *duty = (struct duty_work *)(void *)work;
    duty->answered = committed;
    duty->done = true;
}

static void group_commit(struct disk_world *world)
{
    static const struct store_work_kind gate_kind = {"gate", run_gate};
    struct gate gate = {.work = {.kind = &gate_kind, .done = gate_done}};
    world->fixture.options.in_caller = false;
    bool open = open_store(world);
    world->fixture.options.in_caller = true;
    if (!open)
        return;
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.go, 0, 0);
    sem_init(&gate.left, 0, 0);
    OK(store_submit(world->fixture.store, &gate.work));
    // Where even the gate's transaction cannot begin, it leaves without having been entered.
    while (sem_trywait(&gate.entered) != 0 && sem_trywait(&gate.left) != 0)
        usleep(50);
    for (size_t i = 0; i < DUTIES; i++) {
        struct duty_work *work = &world->works[i];
        *work =
            (struct duty_work){.work = {.kind = &duty_kind, .done = duty_done}, .duty = &duties[i]};
        work->answered = store_submit(world->fixture.store, &work->work);
        work->done = work->answered != STATUS_OK;
    }
    sem_post(&gate.go);
    store_close(world->fixture.store); // works off what waits
    for (size_t i = 0; i < DUTIES; i++)
        assert_true(world->works[i].done);
    sem_destroy(&gate.entered);
    sem_destroy(&gate.go);
    sem_destroy(&gate.left);
}

// ---------------------------------------------------------------- invariants

// After a disk failure nothing is answered OK any more, whatever the disk does then.
static void assert_stopped_for_good(const struct disk_world *world)
{
    bool failed = false;
    for (size_t i = 0; i < DUTIES; i++) {
        const struct duty_work *work = &world->works[i];
        if (failed && work->done)
            assert_string_not_equal(status_text(work->answered), "ok");
        failed = failed || (work->done && work->answered == STATUS_IO);
    }
}

static void assert_answered_is_there(struct disk_world *world)
{
    struct store_tx *tx;
    OK(store_read(&tx, world->fixture.store));
    for (size_t i = 0; i < DUTIES; i++) {
        const struct duty_work *work = &world->works[i];
        struct payment payment;
        if (!work->done || work->answered != STATUS_OK || work->duty->verb != PAY)
            continue;
        OK(payment_by_key(tx, &payment, work->duty->key));
        struct job job;
        if (payment.job_id != 0)
            OK(job_by_id(tx, &job, payment.job_id));
    }
    store_read_end(tx);
}

// Rows, states and sums, as text; the same for every run that has done all duties once.
static void describe(char *ret_text, size_t size, struct disk_world *world)
{
    static const char *const sums[] = {
        "SELECT COUNT(*) FROM programs",
        "SELECT COUNT(*) FROM users",
        "SELECT COUNT(*) FROM payments",
        "SELECT COUNT(*) FROM events",
        "SELECT COUNT(*) FROM outside_ids",
        "SELECT COUNT(*) FROM history",
        "SELECT COUNT(*) FROM outbox",
        "SELECT COUNT(*) FROM jobs",
        "SELECT SUM(state * id) FROM payments",
        "SELECT SUM(kind * 100 + state) FROM jobs",
        "SELECT COALESCE(SUM(usdc), 0) FROM jobs",
        "SELECT COUNT(*) FROM sqlite_schema",
        "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'",
    };
    size_t at = 0;
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
        at += (size_t)snprintf(ret_text + at, size - at, "%lld ",
                               (long long)scan_number(&world->fixture, sums[i]));
}

// The next process: what was answered is there, nothing is half there, and everything asked again
// ends as if nothing had ever failed.
static void assert_next_process_goes_on(struct disk_world *world, char *ret_text, size_t size)
{
    int applied;
    if (world->from_nothing)
        OK(store_migrate(&applied, &world->fixture.options));
    OK(store_open(&world->fixture.store, &world->fixture.options));
    assert_answered_is_there(world);
    check_totals(&world->fixture);
    for (size_t i = 0; i < DUTIES; i++) {
        ask(world, i);
        OK(world->works[i].answered);
    }
    check_totals(&world->fixture);
    store_close(world->fixture.store);
    describe(ret_text, size, world);
}

static void arm(struct disk_world *world, int64_t k)
{
    world->cuts_done = 0;
    world->cut_at = sim_disk_count_all(world->disk) + k;
    if (world->cuts) {
        sim_disk_set_hook(world->disk, cut, world);
        return;
    }
    struct sim_disk_fault fault = world->fault;
    fault.at = k;
    sim_disk_set_fault(world->disk, &fault);
}

// Then the power goes, so that nothing lives on that was only said to be written.
static bool disarm(struct disk_world *world, int64_t k)
{
    bool fired = world->cuts ? world->cuts_done > 0 : sim_disk_fired(world->disk) > 0;
    sim_disk_set_hook(world->disk, NULL, NULL);
    sim_disk_set_fault(world->disk, NULL);
    if (!sim_disk_is_off(world->disk))
        sim_disk_crash(world->disk, (uint64_t)k);
    sim_disk_start(world->disk);
    return fired;
}

static bool run_point(void *context, int64_t k)
{
    struct disk_world *world = context;
    char now[1000];
    memset(world->works, 0, sizeof world->works);
    sim_disk_restore(world->disk, world->from_nothing ? world->nothing : world->migrated,
                     (uint64_t)k, false);
    if (k > 0)
        arm(world, k);
    world->scenario(world);
    bool fired = k > 0 && disarm(world, k);
    assert_stopped_for_good(world);
    assert_next_process_goes_on(world, now, sizeof now);
    if (k == 0)
        memcpy(world->clean, now, sizeof now);
    else
        assert_string_equal(now, world->clean);
    return fired;
}

// ---------------------------------------------------------------- the loops

struct way {
    const char *name;
    struct sim_disk_fault fault;
    int64_t stride;
};

#define ON(operation) (1u << (operation))

static const struct way way_table[] = {
    {"write fails once", {ON(SIM_DISK_WRITE), 0, false, false, SQLITE_IOERR_WRITE}, 11},
    {"write fails from then on", {ON(SIM_DISK_WRITE), 0, true, true, SQLITE_IOERR_WRITE}, 11},
    {"disk full once", {ON(SIM_DISK_WRITE), 0, false, true, SQLITE_FULL}, 11},
    {"disk full from then on", {ON(SIM_DISK_WRITE), 0, true, true, SQLITE_FULL}, 11},
    {"sync fails once", {ON(SIM_DISK_SYNC), 0, false, false, SQLITE_IOERR_FSYNC}, 2},
    {"sync fails from then on", {ON(SIM_DISK_SYNC), 0, true, false, SQLITE_IOERR_FSYNC}, 2},
    {"read fails once", {ON(SIM_DISK_READ), 0, false, true, SQLITE_IOERR_READ}, 7},
    {"read fails from then on", {ON(SIM_DISK_READ), 0, true, false, SQLITE_IOERR_READ}, 7},
    {"open fails once", {ON(SIM_DISK_OPEN), 0, false, false, SQLITE_CANTOPEN}, 1},
    {"open fails from then on", {ON(SIM_DISK_OPEN), 0, true, false, SQLITE_CANTOPEN}, 1},
    {"size fails once", {ON(SIM_DISK_SIZE), 0, false, false, SQLITE_IOERR_FSTAT}, 3},
    {"lock busy once", {ON(SIM_DISK_LOCK), 0, false, false, SQLITE_BUSY}, 9},
    {"lock busy from then on", {ON(SIM_DISK_LOCK), 0, true, false, SQLITE_BUSY}, 9},
    {"lock fails once", {ON(SIM_DISK_LOCK), 0, false, false, SQLITE_IOERR_LOCK}, 9},
    {"map fails once", {ON(SIM_DISK_MAP), 0, false, false, SQLITE_IOERR_SHMMAP}, 1},
    {"delete or truncate fails once",
     {ON(SIM_DISK_DELETE) | ON(SIM_DISK_TRUNCATE), 0, false, false, SQLITE_IOERR_DELETE},
     1},
    {"anything fails once", {EVERY, 0, false, false, SQLITE_IOERR}, 31},
};

static void loop(void (*scenario)(struct disk_world *), const char *name, bool from_nothing)
{
    struct disk_world world;
    world_open(&world);
    world.scenario = scenario;
    world.from_nothing = from_nothing;
    assert_false(run_point(&world, 0));
    for (size_t i = 0; i < sizeof way_table / sizeof way_table[0]; i++) {
        const struct way *way = &way_table[i];
        world.fault = way->fault;
        points_loop(name, way->name, way->stride * (from_nothing ? 7 : 2), run_point, &world);
    }
    world.cuts = true;
    points_loop(name, "power cut", from_nothing ? 49 : 37, run_point, &world);
    world_close(&world);
}

// fault 49, 63, 64: the disk fails under a payment or a refund; row and job come together or not
static void accepting_survives_every_disk_failure(void **state)
{
    (void)state;
    loop(accept_and_refund, "accept, refund", false);
}

// fault 63: the disk fails under several works in one commit
static void a_group_survives_every_disk_failure(void **state)
{
    (void)state;
    loop(group_commit, "group commit", false);
}

// fault 63: the disk fails while the log is moved into the main file
static void checkpoints_survive_every_disk_failure(void **state)
{
    (void)state;
    loop(checkpoint_between, "checkpoint", false);
}

// fault 63: the disk fails while the schema is made
static void migrating_survives_every_disk_failure(void **state)
{
    (void)state;
    loop(migrate_first, "migrate", true);
}

// ---------------------------------------------------------------- after a failed flush

// The first process ends at a flush that failed. What it wrote for it can still be read, and is
// gone when the power goes: what the next process answers must not stand on it.
static bool next_process_answers_for_good(struct disk_world *world, int64_t k)
{
    struct sim_disk_fault fault = {
        .operations = 1u << SIM_DISK_SYNC, .at = k, .result = SQLITE_IOERR_FSYNC};
    sim_disk_restore(world->disk, world->migrated, (uint64_t)k, true);
    memset(world->works, 0, sizeof world->works);
    OK(store_open(&world->fixture.store, &world->fixture.options));
    sim_disk_set_fault(world->disk, &fault);
    for (size_t i = 0; i < DUTIES; i++)
        ask(world, i);
    bool fired = sim_disk_fired(world->disk) > 0;
    sim_disk_set_fault(world->disk, NULL);
    sim_disk_kill(world->disk);
    store_close(world->fixture.store);
    sim_disk_start(world->disk);
    OK(store_open(&world->fixture.store, &world->fixture.options));
    for (size_t i = 0; i < DUTIES; i++) {
        ask(world, i);
        OK(world->works[i].answered);
    }
    sim_disk_crash(world->disk, (uint64_t)k);
    store_close(world->fixture.store);
    sim_disk_start(world->disk);
    OK(store_open(&world->fixture.store, &world->fixture.options));
    assert_answered_is_there(world);
    store_close(world->fixture.store);
    return fired;
}

static void what_is_answered_after_a_failed_flush_and_a_restart_outlives_the_power(void **state)
{
    (void)state;
    struct disk_world world;
    world_open(&world);
    world.fixture.options.in_caller = true;
    int64_t k = 1;
    while (next_process_answers_for_good(&world, k))
        k++;
    assert_true(k > (int64_t)DUTIES / 2);
    world_close(&world);
}

static int64_t payments_count(struct store *store)
{
    static const struct db_statement count = {"payments count",
                                              "SELECT COUNT(*) AS n FROM payments"};
    struct store_tx *tx;
    OK(store_read(&tx, store));
    struct db_query *query = tx_query(tx, &count);
    OK(db_next(query));
    int64_t rows = db_int(query, "n");
    OK(db_done(query, STATUS_OK));
    store_read_end(tx);
    return rows;
}

// What the process that comes after one whose flush failed has shown, before it writes anything.
static bool next_process_shows_what_stays(struct disk_world *world, int64_t k)
{
    struct sim_disk_fault fault = {
        .operations = 1u << SIM_DISK_SYNC, .at = k, .result = SQLITE_IOERR_FSYNC};
    sim_disk_restore(world->disk, world->migrated, (uint64_t)k, true);
    memset(world->works, 0, sizeof world->works);
    OK(store_open(&world->fixture.store, &world->fixture.options));
    sim_disk_set_fault(world->disk, &fault);
    for (size_t i = 0; i < DUTIES; i++)
        ask(world, i);
    bool fired = sim_disk_fired(world->disk) > 0;
    sim_disk_set_fault(world->disk, NULL);
    sim_disk_kill(world->disk);
    store_close(world->fixture.store);
    sim_disk_start(world->disk);
    OK(store_open(&world->fixture.store, &world->fixture.options));
    int64_t shown = payments_count(world->fixture.store);
    sim_disk_crash(world->disk, (uint64_t)k);
    store_close(world->fixture.store);
    sim_disk_start(world->disk);
    OK(store_open(&world->fixture.store, &world->fixture.options));
    assert_int_equal(payments_count(world->fixture.store), shown);
    store_close(world->fixture.store);
    return fired;
}

// fault 63: a flush fails, the next process shows what it wrote, and the power goes
static void what_is_shown_after_a_failed_flush_and_a_restart_outlives_the_power(void **state)
{
    (void)state;
    struct disk_world world;
    world_open(&world);
    world.fixture.options.in_caller = true;
    int64_t k = 1;
    while (next_process_shows_what_stays(&world, k))
        k++;
    assert_true(k > (int64_t)DUTIES / 2);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepting_survives_every_disk_failure),
        cmocka_unit_test(a_group_survives_every_disk_failure),
        cmocka_unit_test(checkpoints_survive_every_disk_failure),
        cmocka_unit_test(migrating_survives_every_disk_failure),
        cmocka_unit_test(what_is_answered_after_a_failed_flush_and_a_restart_outlives_the_power),
        cmocka_unit_test(what_is_shown_after_a_failed_flush_and_a_restart_outlives_the_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
