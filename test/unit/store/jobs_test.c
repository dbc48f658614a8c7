// SPDX-License-Identifier: Apache-2.0
// The one door for a change of state, the due list, listings, users and their jobs, holds.
#include "store/fixture.h"

#include <sys/wait.h>

static int set_up(void **state)
{
    static struct fixture fixture;
    struct program usdc = program_usdc("usdc");
    fixture_open(&fixture);
    struct store_tx *tx = begin(&fixture);
    add_program(tx, &usdc);
    add_user(tx, 1, 100, "usdc");
    commit(&fixture);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    check_totals(*state);
    fixture_close(*state);
    return 0;
}

// A way from queued to each state.
static void bring_to(struct store_tx *tx, int64_t job_id, enum job_state state)
{
    static const enum job_state ways[JOB_STATE_COUNT + 1][4] = {
        [JOB_HELD] = {JOB_HELD},
        [JOB_ASSIGNED] = {JOB_ASSIGNED},
        [JOB_SENT] = {JOB_ASSIGNED, JOB_SENT},
        [JOB_MINED] = {JOB_ASSIGNED, JOB_MINED},
        [JOB_UNRESOLVED] = {JOB_ASSIGNED, JOB_UNRESOLVED},
        [JOB_CONFIRMED] = {JOB_ASSIGNED, JOB_MINED, JOB_CONFIRMED},
        [JOB_PARKED] = {JOB_PARKED},
        [JOB_CANCELLED] = {JOB_CANCELLED},
    };
    const struct job_change change = {.cause = "test"};
    enum job_state at = JOB_QUEUED;
    for (size_t i = 0; i < 4 && ways[state][i] != 0; i++) {
        OK(job_set_state(tx, job_id, at, ways[state][i], &change));
        at = ways[state][i];
    }
    assert_int_equal(job_now(tx, job_id).state, state);
}

static bool aborts(struct store_tx *tx, int64_t job_id, enum job_state from, enum job_state to)
{
    const struct job_change change = {.cause = "test"};
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr);
        signal(SIGABRT, SIG_DFL);
        _exit(job_set_state(tx, job_id, from, to, &change) == STATUS_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void every_pair_of_states_is_allowed_or_refused_as_the_table_says(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "test", .why = "because"};
    int allowed = 0;
    for (int from = 1; from <= JOB_STATE_COUNT; from++) {
        for (int to = 1; to <= JOB_STATE_COUNT; to++) {
            char key[32];
            snprintf(key, sizeof key, "%d-%d", from, to);
            struct store_tx *tx = begin(fixture);
            int64_t job_id = pay(tx, key, 1, 1000).job_id;
            bring_to(tx, job_id, (enum job_state)from);
            if (job_change_is_allowed((enum job_state)from, (enum job_state)to)) {
                allowed++;
                OK(job_set_state(tx, job_id, (enum job_state)from, (enum job_state)to, &change));
                struct job job = job_now(tx, job_id);
                assert_int_equal(job.state, to);
                assert_string_equal(job.reason, "because");
            } else {
                assert_true(aborts(tx, job_id, (enum job_state)from, (enum job_state)to));
            }
            OK(tx_commit(tx));
        }
        check_totals(fixture);
    }
    assert_int_equal(allowed, 25);
}

static void a_change_from_another_state_is_a_conflict_and_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "test"};
    struct store_tx *tx = begin(fixture);
    int64_t job_id = pay(tx, "k", 1, 1000).job_id;
    IS(job_set_state(tx, job_id, JOB_HELD, JOB_QUEUED, &change), STATUS_CONFLICT);
    IS(job_set_state(tx, 999, JOB_HELD, JOB_QUEUED, &change), STATUS_NOT_FOUND);
    commit(fixture);
    assert_int_equal(scan_number(fixture, "SELECT COUNT(*) FROM history"), 0);
}

static void the_timeline_tells_creation_and_every_change(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change parked = {.cause = "revert", .why = "Paused"}, plain = {.cause = "op"};
    struct job_event *events;
    size_t count;
    struct store_tx *tx = begin(fixture);
    int64_t job_id = pay(tx, "k", 1, 1000).job_id;
    OK(job_timeline(tx, &events, &count, job_id, fixture->arena));
    assert_int_equal(count, 1);
    assert_int_equal(events[0].from, 0);
    assert_int_equal(events[0].to, JOB_QUEUED);
    OK(job_set_state(tx, job_id, JOB_QUEUED, JOB_PARKED, &parked));
    OK(job_set_state(tx, job_id, JOB_PARKED, JOB_QUEUED, &plain));
    OK(job_timeline(tx, &events, &count, job_id, fixture->arena));
    commit(fixture);
    assert_int_equal(count, 3);
    assert_int_equal(events[0].to, JOB_QUEUED);
    assert_int_equal(events[1].to, JOB_PARKED);
    assert_string_equal(events[1].cause, "revert");
    assert_string_equal(events[1].why, "Paused");
    assert_string_equal(events[2].why, job_change_why(JOB_PARKED, JOB_QUEUED));
}

static void long_reasons_are_cut_between_characters(void **state)
{
    struct fixture *fixture = *state;
    char why[JOB_REASON_SIZE + 50];
    for (size_t i = 0; i < sizeof why - 1; i += 2)
        memcpy(why + i, "\xc3\xa9", 2);
    why[0] = 'x'; // so that the cut falls inside a character
    why[1] = 'y';
    memmove(why + 1, why + 2, sizeof why - 3);
    why[sizeof why - 3] = '\0';
    const struct job_change change = {.cause = "test", .why = why};
    struct store_tx *tx = begin(fixture);
    int64_t job_id = pay(tx, "k", 1, 1000).job_id;
    OK(job_set_state(tx, job_id, JOB_QUEUED, JOB_PARKED, &change));
    struct job job = job_now(tx, job_id);
    commit(fixture);
    assert_int_equal(strlen(job.reason) % 2, 1); // one letter, then whole pairs
}

static void due_jobs_come_oldest_first_and_by_kind(void **state)
{
    struct fixture *fixture = *state;
    unsigned payouts = 1u << JOB_PAYOUT_USDC | 1u << JOB_PAYOUT_HYBRID;
    struct job *jobs;
    size_t count;
    int64_t due_ms;
    struct job job;
    struct store_tx *tx = begin(fixture);
    int64_t a = pay(tx, "a", 1, 1000).job_id, b = pay(tx, "b", 1, 1000).job_id;
    OK(job_postpone(tx, a, START_MS + 10, "later"));
    OK(job_by_id(tx, &job, a));
    assert_int_equal(job.tries, 0);
    OK(job_try_later(tx, a, START_MS + 10, "later"));
    OK(job_by_id(tx, &job, a));
    assert_int_equal(job.tries, 1);
    IS(job_postpone(tx, 999, START_MS, "?"), STATUS_CONFLICT);
    OK(jobs_due(tx, &jobs, &count, START_MS, payouts, 10, fixture->arena));
    assert_int_equal(count, 1);
    assert_int_equal(jobs[0].id, b);
    OK(jobs_due(tx, &jobs, &count, START_MS + 10, payouts, 10, fixture->arena));
    assert_int_equal(count, 2);
    assert_int_equal(jobs[1].id, a);
    assert_string_equal(jobs[1].reason, "later");
    OK(jobs_due(tx, &jobs, &count, START_MS + 10, payouts, 1, fixture->arena));
    assert_int_equal(count, 1);
    OK(jobs_next_due_ms(tx, &due_ms, payouts));
    assert_int_equal(due_ms, START_MS);
    OK(jobs_next_due_ms(tx, &due_ms, 1u << JOB_MINT_IDENTITY));
    assert_int_equal(due_ms, INT64_MAX);
    commit(fixture);
    assert_int_equal(scan_number(fixture, "SELECT COUNT(*) FROM history"), 0);
}

static void the_due_list_reads_its_partial_index_alone(void **state)
{
    struct fixture *fixture = *state;
    // The plan of the statement in jobs.c: no scan of the table, no sorting.
    sqlite3 *sqlite;
    assert_int_equal(sqlite3_open(fixture->path, &sqlite), SQLITE_OK);
    sqlite3_stmt *plan = scan_query(
        sqlite, "EXPLAIN QUERY PLAN SELECT * FROM jobs WHERE state IN (1, 2) AND due_ms <= 5"
                " AND ((1 << kind) & 8) <> 0 ORDER BY due_ms, id LIMIT 10");
    assert_int_equal(sqlite3_step(plan), SQLITE_ROW);
    assert_non_null(strstr((const char *)sqlite3_column_text(plan, 3), "jobs_due"));
    assert_int_equal(sqlite3_step(plan), SQLITE_DONE);
    sqlite3_finalize(plan);
    sqlite3_close(sqlite);
}

struct listing {
    struct job_filter filter;
    size_t count;
    int64_t first, last;
};

static void listings_filter_and_page_newest_first(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "test"};
    const struct trace_id trace = test_trace;
    struct address child = wallet_of(1), referrer = wallet_of(100), stranger = wallet_of(9);
    struct address middle = wallet_of(2);
    int64_t mint;
    bool created;
    struct store_tx *tx = begin(fixture); // job 1 is the referral of 1 by 100
    int64_t first = pay(tx, "0", 1, 1000).job_id;
    int64_t parked = pay(tx, "1", 1, 1000).job_id;
    OK(job_set_state(tx, parked, JOB_QUEUED, JOB_PARKED, &change));
    int64_t referral = add_user(tx, 2, 1, "usdc").referral_job_id; // child 1 refers 2
    int64_t own = pay(tx, "2", 2, 1000).job_id;
    OK(mint_request(tx, &mint, &created, &child, &trace));
    assert_true(created);
    const struct listing rows[] = {
        {{.limit = 10}, 6, mint, 1},
        {{.limit = 2}, 2, mint, own},
        {{.limit = 2, .before_id = own}, 2, referral, parked},
        {{.limit = 10, .state = JOB_PARKED}, 1, parked, parked},
        {{.limit = 10, .state = JOB_CONFIRMED}, 0, 0, 0},
        {{.limit = 10, .kind = JOB_MINT_IDENTITY}, 1, mint, mint},
        {{.limit = 10, .kind = JOB_PAYOUT_USDC, .state = JOB_QUEUED}, 2, own, first},
        {{.limit = 10, .wallet = referrer}, 3, parked, 1},
        {{.limit = 1, .wallet = referrer, .before_id = parked}, 1, first, first},
        {{.limit = 10, .wallet = referrer, .before_id = mint}, 3, parked, 1},
        {{.limit = 10, .wallet = referrer, .state = JOB_PARKED}, 1, parked, parked},
        {{.limit = 10, .wallet = child}, 6, mint, 1},
        {{.limit = 3, .wallet = child, .before_id = mint}, 3, own, parked},
        {{.limit = 10, .wallet = child, .kind = JOB_REGISTER_REFERRAL}, 2, referral, 1},
        {{.limit = 10, .wallet = middle}, 2, own, referral},
        {{.limit = 10, .wallet = stranger}, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct job *jobs;
        size_t count;
        print_message("listing %zu\n", i);
        OK(jobs_list(tx, &jobs, &count, &rows[i].filter, fixture->arena));
        assert_int_equal(count, rows[i].count);
        if (count > 0) {
            assert_int_equal(jobs[0].id, rows[i].first);
            assert_int_equal(jobs[count - 1].id, rows[i].last);
        }
    }
    struct job_filter too_long = {.limit = JOBS_PAGE_MAX + 1};
    struct job *jobs;
    size_t count;
    IS(jobs_list(tx, &jobs, &count, &too_long, fixture->arena), STATUS_INVALID);
    commit(fixture);
}

// ---- users

struct registration {
    const char *what;
    uint32_t wallet, referrer;
    const char *program;
    bool mint;
    enum user_outcome outcome;
    int jobs; // that exist afterwards
};

static void each_registration_has_its_outcome(void **state)
{
    struct fixture *fixture = *state;
    static const struct registration rows[] = {
        {"self", 2, 2, "usdc", false, USER_SELF_REFERRAL, 1},
        {"no such program", 2, 100, "nosuch", false, USER_UNKNOWN_PROGRAM, 1},
        {"fine", 2, 100, "usdc", false, USER_CREATED, 2},
        {"again", 2, 100, "usdc", false, USER_UNCHANGED, 2},
        {"again, with a mint", 2, 100, NULL, true, USER_UNCHANGED, 3},
        {"again, minted already", 2, 100, NULL, true, USER_UNCHANGED, 3},
        {"again, naming nobody", 2, 0, NULL, false, USER_UNCHANGED, 3},
        {"another referrer", 2, 101, "usdc", false, USER_OTHER_REFERRER, 3},
        {"nobody", 3, 0, NULL, false, USER_CREATED, 3},
        {"a referrer too late", 3, 100, NULL, false, USER_OTHER_REFERRER, 3},
        {"a program too late", 3, 0, "usdc", false, USER_OTHER_PROGRAM, 3},
        {"known, no such program", 2, 100, "nosuch", false, USER_UNKNOWN_PROGRAM, 3},
        {"known, a program put to rest", 2, 100, "resting", false, USER_UNKNOWN_PROGRAM, 3},
        {"another program, with a mint", 3, 0, "other", true, USER_OTHER_PROGRAM, 3},
        {"another program", 2, 100, "other", false, USER_OTHER_PROGRAM, 3},
        {"another referrer and program", 2, 101, "other", false, USER_OTHER_REFERRER, 3},
        {"referrer and mint", 4, 100, "usdc", true, USER_CREATED, 5},
        {"its referrer in turn", 100, 2, "usdc", false, USER_REFERRAL_CYCLE, 5},
        {"its referrer in turn, no such program", 100, 2, "nosuch", false, USER_UNKNOWN_PROGRAM, 5},
        {"a ring of three: 2 <- 5", 5, 2, "usdc", false, USER_CREATED, 6},
        {"a ring of three: 5 <- 100", 100, 5, "usdc", false, USER_REFERRAL_CYCLE, 6},
        {"no ring", 100, 3, "usdc", false, USER_CREATED, 7},
    };
    struct program other = program_usdc("other"), resting = program_usdc("resting");
    resting.active = false;
    struct store_tx *setup = begin(fixture);
    add_program(setup, &other);
    add_program(setup, &resting);
    commit(fixture);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address wallet = wallet_of(rows[i].wallet), by = wallet_of(rows[i].referrer);
        enum user_outcome outcome;
        struct user user, stored;
        print_message("%s\n", rows[i].what);
        struct store_tx *tx = begin(fixture);
        OK(user_register(tx, &outcome, &user, &wallet, rows[i].referrer == 0 ? NULL : &by,
                         rows[i].program, rows[i].mint, &test_trace));
        assert_int_equal(outcome, rows[i].outcome);
        if (outcome == USER_CREATED || outcome == USER_UNCHANGED) {
            OK(user_by_wallet(tx, &stored, &wallet));
            assert_memory_equal(&stored, &user, sizeof user);
        }
        commit(fixture);
        assert_int_equal(scan_number(fixture, "SELECT COUNT(*) FROM jobs"), rows[i].jobs);
    }
}

// As the registry: what closes a ring of up to REFERRAL_DEPTH_MAX + 1 wallets is refused.
static void rings_are_seen_as_deep_as_the_registry_sees_them(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t size = 2; size <= REFERRAL_DEPTH_MAX + 2; size++) {
        const uint32_t first = 1000 * size; // refers to nobody yet; each next one to the one before
        struct address wallet = wallet_of(first), by = wallet_of(first + size - 1);
        enum user_outcome outcome;
        struct user user;
        struct store_tx *tx = begin(fixture);
        for (uint32_t i = 1; i < size; i++)
            add_user(tx, first + i, first + i - 1, "usdc");
        OK(user_register(tx, &outcome, &user, &wallet, &by, "usdc", false, &test_trace));
        print_message("a ring of %u\n", size);
        assert_int_equal(outcome,
                         size <= REFERRAL_DEPTH_MAX + 1 ? USER_REFERRAL_CYCLE : USER_CREATED);
        commit(fixture);
    }
}

static void a_mint_is_queued_once_whoever_asks(void **state)
{
    struct fixture *fixture = *state;
    struct address wallet = wallet_of(7);
    int64_t first, second;
    bool created;
    enum user_outcome outcome;
    struct user user;
    struct store_tx *tx = begin(fixture);
    OK(mint_request(tx, &first, &created, &wallet, &test_trace));
    assert_true(created);
    OK(mint_request(tx, &second, &created, &wallet, &test_trace));
    assert_false(created);
    assert_int_equal(first, second);
    OK(user_register(tx, &outcome, &user, &wallet, NULL, NULL, true, &test_trace));
    assert_int_equal(user.mint_job_id, first);
    commit(fixture);
}

// ---- programs, holds

static void programs_are_kept_and_changed(void **state)
{
    struct fixture *fixture = *state;
    struct program program = program_usdc("big"), read, *list;
    bool created;
    int64_t id, again;
    size_t count;
    program.kind = PROGRAM_HYBRID;
    program.sge_rate = sge_of("0.000000000000000001");
    program.payout_max = usdc_of(INT64_MAX);
    struct store_tx *tx = begin(fixture);
    id = add_program(tx, &program);
    OK(program_insert(tx, &again, &created, &program));
    assert_false(created);
    assert_int_equal(again, id);
    program.id = id;
    program.commission_bps = 10000;
    program.active = false;
    OK(program_update(tx, &program));
    OK(program_by_id(tx, &read, id));
    assert_int_equal(read.commission_bps, 10000);
    assert_false(read.active);
    SAME_SGE(read.sge_rate, program.sge_rate);
    SAME_USDC(read.payout_max, program.payout_max);
    program.id = 99;
    IS(program_update(tx, &program), STATUS_NOT_FOUND);
    IS(program_by_name(tx, &read, "nosuch"), STATUS_NOT_FOUND);
    program.sge_rate = sge_of("100000000000"); // what it pays may not fit
    program.payout_max = usdc_of(0);
    IS(program_update(tx, &program), STATUS_INVALID);
    OK(program_list(tx, &list, &count, fixture->arena));
    assert_int_equal(count, 2);
    assert_string_equal(list[0].name, "big");
    commit(fixture);
}

static void a_changed_program_applies_to_the_next_payment(void **state)
{
    struct fixture *fixture = *state;
    struct program program;
    struct store_tx *tx = begin(fixture);
    pay(tx, "a", 1, 1000);
    OK(program_by_name(tx, &program, "usdc"));
    program.commission_bps = 2000;
    OK(program_update(tx, &program));
    struct job job = job_now(tx, pay(tx, "b", 1, 1000).job_id);
    commit(fixture);
    assert_int_equal(usdc_units(job.usdc), 200);
}

static void holds_stand_until_cleared(void **state)
{
    struct fixture *fixture = *state;
    struct hold *holds;
    size_t count;
    bool changed;
    struct store_tx *tx = begin(fixture);
    OK(hold_set(tx, &changed, JOB_PAYOUT_USDC, "paused", "by hand"));
    assert_true(changed);
    IS(hold_set(tx, &changed, JOB_PAYOUT_USDC, "mood", "no such reason"), STATUS_INVALID);
    OK(hold_set(tx, &changed, JOB_PAYOUT_USDC, "paused", "again"));
    assert_false(changed);
    OK(hold_set(tx, &changed, JOB_PAYOUT_USDC, "funds", "no USDC"));
    OK(holds_list(tx, &holds, &count, fixture->arena));
    assert_int_equal(count, 2);
    assert_string_equal(holds[1].why, "by hand");
    OK(hold_clear(tx, &changed, JOB_PAYOUT_USDC, "paused"));
    assert_true(changed);
    OK(hold_clear(tx, &changed, JOB_PAYOUT_USDC, "paused"));
    assert_false(changed);
    commit(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_pair_of_states_is_allowed_or_refused_as_the_table_says),
        TEST(a_change_from_another_state_is_a_conflict_and_writes_nothing),
        TEST(the_timeline_tells_creation_and_every_change),
        TEST(long_reasons_are_cut_between_characters),
        TEST(due_jobs_come_oldest_first_and_by_kind),
        TEST(the_due_list_reads_its_partial_index_alone),
        TEST(listings_filter_and_page_newest_first),
        TEST(each_registration_has_its_outcome),
        TEST(rings_are_seen_as_deep_as_the_registry_sees_them),
        TEST(a_mint_is_queued_once_whoever_asks),
        TEST(programs_are_kept_and_changed),
        TEST(a_changed_program_applies_to_the_next_payment),
        TEST(holds_stand_until_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
