// SPDX-License-Identifier: Apache-2.0
// What is owed back is netted from the next payouts and comes back where it should: cases by hand,
// and the balance of every payment over random orders of everything that can happen.
#include "store/netting.h"

#include "db/migrate.h"
#include "store/fixture.h"
#include "store/job_rows.h"

#include <inttypes.h>

#define AFFILIATE 100

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct program usdc = program_usdc("usdc"), hybrid = program_usdc("hybrid");
    struct program hold = program_usdc("hold"), first = program_usdc("first");
    fixture_open(fixture);
    struct store_tx *tx = begin(fixture);
    hybrid.kind = PROGRAM_HYBRID;
    hybrid.sge_rate = sge_of("2");
    hold.hold_seconds = 3600;
    first.trigger = PROGRAM_FIRST_PAYMENT;
    add_program(tx, &usdc);
    add_program(tx, &hybrid);
    add_program(tx, &hold);
    add_program(tx, &first);
    add_user(tx, 1, AFFILIATE, "usdc");
    add_user(tx, 2, AFFILIATE, "hybrid");
    add_user(tx, 3, AFFILIATE, "hold");
    add_user(tx, 4, AFFILIATE, "first");
    commit(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    free(*state);
    return 0;
}

// ---- short forms

static enum refund_outcome refund(struct store_tx *tx, const char *key, enum refund_kind kind)
{
    static int number;
    char event[24];
    enum refund_outcome outcome;
    snprintf(event, sizeof event, "evt_%d", number++);
    OK(payment_refund(tx, &outcome, PROVIDER_STRIPE, event, key, kind, &test_trace));
    return outcome;
}

static void move(struct store_tx *tx, int64_t job_id, enum job_state next)
{
    const struct job_change change = {
        .cause = "test", .outcome = next == JOB_CONFIRMED ? JOB_OUTCOME_DONE : JOB_OUTCOME_NONE};
    OK(job_set_state(tx, job_id, job_now(tx, job_id).state, next, &change));
}

// To its end, unless it was netted in whole.
static void confirm(struct store_tx *tx, int64_t job_id)
{
    if (job_now(tx, job_id).state == JOB_CONFIRMED)
        return;
    for (int next = JOB_ASSIGNED; next <= JOB_MINED; next++)
        move(tx, job_id, (enum job_state)next);
    move(tx, job_id, JOB_CONFIRMED);
}

// A payment whose payout is on the final chain, then refunded: its commission is owed back.
static void owe(struct store_tx *tx, const char *key, uint32_t child, int64_t units)
{
    confirm(tx, pay(tx, key, child, units).job_id);
    assert_int_equal(refund(tx, key, REFUND_CHARGEBACK), REFUND_RECEIVABLE);
}

static struct affiliate affiliate_now(struct store_tx *tx)
{
    struct affiliate affiliate;
    struct address wallet = wallet_of(AFFILIATE);
    OK(affiliate_by_wallet(tx, &affiliate, &wallet));
    return affiliate;
}

static void expect_open(struct store_tx *tx, int64_t usdc)
{
    assert_int_equal(usdc_units(affiliate_now(tx).usdc_receivable), usdc);
}

static void expect_job(struct store_tx *tx, int64_t job_id, enum job_state state, int64_t usdc,
                       int64_t netted)
{
    struct job job = job_now(tx, job_id);
    assert_int_equal(job.state, state);
    assert_int_equal(usdc_units(job.usdc), usdc);
    assert_int_equal(usdc_units(job.netted_usdc), netted);
}

static struct job newest_job(struct fixture *fixture, struct store_tx *tx)
{
    struct job_filter filter = {.limit = 1};
    struct job *jobs;
    size_t count;
    OK(jobs_list(tx, &jobs, &count, &filter, fixture->arena));
    assert_int_equal(count, 1);
    return jobs[0];
}

// ---- cases

// fault 46: what is owed back is netted from the next payouts, never transferred back
static void what_is_owed_back_is_netted_from_the_next_payouts_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    owe(tx, "b", 1, 500); // its payout of 50 was netted against a
    expect_open(tx, 100);
    struct job b = job_now(tx, pay(tx, "c", 1, 300).job_id);
    expect_job(tx, b.id, JOB_CONFIRMED, 0, 30);
    assert_int_equal(b.outcome, JOB_OUTCOME_NETTED);
    expect_open(tx, 70);
    commit(fixture);
    assert_int_equal(scan_number(fixture, "SELECT usdc FROM receivables WHERE id = 1"), 20);
    tx = begin(fixture);
    expect_job(tx, pay(tx, "d", 1, 1000).job_id, JOB_QUEUED, 30, 70);
    expect_open(tx, 0);
    expect_job(tx, pay(tx, "e", 1, 1000).job_id, JOB_QUEUED, 100, 0);
    struct affiliate sums = affiliate_now(tx);
    assert_int_equal(usdc_units(sums.usdc_netted), 150);
    assert_int_equal(usdc_units(sums.usdc_paid), 100);
    assert_int_equal(usdc_units(sums.usdc_pending), 130);
    assert_int_equal(usdc_units(sums.usdc_earned), 380);
    commit(fixture);
}

static void a_payout_netted_in_whole_is_final_at_once_and_told(void **state)
{
    struct fixture *fixture = *state;
    struct outbox_message *messages;
    size_t count;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    int64_t job_id = pay(tx, "b", 1, 1000).job_id;
    struct job job = job_now(tx, job_id);
    assert_int_equal(job.state, JOB_CONFIRMED);
    assert_int_equal(job.outcome, JOB_OUTCOME_NETTED);
    OK(outbox_due(tx, &messages, &count, fixture->now_ms, 10, fixture->arena));
    assert_int_equal(messages[count - 1].job.id, job_id);
    assert_string_equal(messages[count - 1].type, "payout.confirmed");
    commit(fixture);
}

static void usdc_is_netted_against_usdc_and_sge_against_sge(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 2, 1000); // 100 and 2 SGE for each
    struct affiliate sums = affiliate_now(tx);
    assert_true(sge_units(sums.sge_receivable) == (uint128_t)200000000000000u);
    expect_job(tx, pay(tx, "b", 1, 600).job_id, JOB_CONFIRMED, 0, 60); // USDC alone
    struct job job = job_now(tx, pay(tx, "c", 2, 500).job_id);         // 50 and 1e14
    assert_int_equal(job.kind, JOB_PAYOUT_USDC);
    expect_job(tx, job.id, JOB_QUEUED, 10, 40);
    assert_true(sge_is_zero(job.sge));
    assert_true(sge_units(job.netted_sge) == (uint128_t)100000000000000u);
    job = job_now(tx, pay(tx, "d", 2, 2000).job_id);
    assert_int_equal(job.kind, JOB_PAYOUT_HYBRID);
    expect_job(tx, job.id, JOB_QUEUED, 200, 0);
    assert_true(sge_units(job.sge) == (uint128_t)300000000000000u);
    sums = affiliate_now(tx);
    assert_true(sge_is_zero(sums.sge_receivable));
    commit(fixture);
}

static void a_cancelled_payout_gives_back_what_it_had_netted(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "operator"};
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    pay(tx, "b", 1, 3000);
    expect_open(tx, 0);
    assert_int_equal(refund(tx, "b", REFUND_FULL), REFUND_CANCELLED);
    expect_open(tx, 100);
    int64_t job_id = pay(tx, "c", 1, 3000).job_id;
    expect_open(tx, 0);
    OK(job_set_state(tx, job_id, JOB_QUEUED, JOB_CANCELLED, &change));
    expect_job(tx, job_id, JOB_CANCELLED, 300, 0);
    expect_open(tx, 100);
    commit(fixture);
}

static void a_netted_payout_that_is_refunded_later_owes_back_all_of_its_commission(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    confirm(tx, pay(tx, "b", 1, 3000).job_id); // pays 200
    assert_int_equal(refund(tx, "b", REFUND_FULL), REFUND_RECEIVABLE);
    expect_open(tx, 300);
    commit(fixture);
}

// fault 47: what was netted comes back once, under a payout id of its own; what is open is cleared
static void a_won_chargeback_gives_back_what_was_netted_for_it_once(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    int64_t first = pay(tx, "b", 1, 300).job_id; // takes 30
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_open(tx, 0);
    struct job job = newest_job(fixture, tx);
    assert_true(job.id > first);
    expect_job(tx, job.id, JOB_QUEUED, 30, 0);
    struct payment payment;
    OK(payment_by_key(tx, &payment, "a"));
    assert_int_equal(payment.state, PAYMENT_ACCEPTED);
    assert_int_equal(job.payment_id, payment.id);
    struct hash32 own = job_now(tx, payment.job_id).payout_id;
    assert_memory_not_equal(&job.payout_id, &own, sizeof own);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_WON_EARLY);
    assert_int_equal(newest_job(fixture, tx).id, job.id);
    commit(fixture);
}

static void a_second_round_counts_what_the_first_gave_back(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    pay(tx, "b", 1, 300);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    struct job once = newest_job(fixture, tx); // 30 to come back, not signed
    assert_int_equal(refund(tx, "a", REFUND_CHARGEBACK), REFUND_RECEIVABLE);
    expect_job(tx, once.id, JOB_CANCELLED, 30, 0);
    expect_open(tx, 70);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    struct job twice = newest_job(fixture, tx);
    expect_job(tx, twice.id, JOB_QUEUED, 30, 0);
    assert_memory_not_equal(&once.payout_id, &twice.payout_id, sizeof once.payout_id);
    confirm(tx, twice.id);
    assert_int_equal(refund(tx, "a", REFUND_FULL), REFUND_RECEIVABLE);
    expect_open(tx, 100);
    commit(fixture);
}

static void what_comes_back_is_itself_netted_against_other_debts(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    pay(tx, "b", 1, 300); // takes 30 of a
    int64_t owing = pay(tx, "c", 1, 2000).job_id;
    confirm(tx, owing); // took the other 70
    assert_int_equal(refund(tx, "c", REFUND_FULL), REFUND_RECEIVABLE);
    expect_open(tx, 200);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_job(tx, newest_job(fixture, tx).id, JOB_CONFIRMED, 0, 100);
    expect_open(tx, 100);
    commit(fixture);
}

static void a_revived_payout_keeps_its_id_and_is_netted_anew(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    struct job job = job_now(tx, pay(tx, "a", 1, 1000).job_id);
    assert_int_equal(refund(tx, "a", REFUND_CHARGEBACK), REFUND_CANCELLED);
    owe(tx, "b", 1, 400);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_job(tx, job.id, JOB_QUEUED, 60, 40);
    struct hash32 now = job_now(tx, job.id).payout_id;
    assert_memory_equal(&job.payout_id, &now, sizeof now);
    expect_open(tx, 0);
    commit(fixture);
}

static void what_an_operator_gave_up_is_not_revived(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "operator"};
    struct store_tx *tx = begin(fixture);
    int64_t job_id = pay(tx, "a", 1, 1000).job_id;
    OK(job_set_state(tx, job_id, JOB_QUEUED, JOB_CANCELLED, &change));
    assert_int_equal(refund(tx, "a", REFUND_CHARGEBACK), REFUND_NOTHING);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_job(tx, job_id, JOB_CANCELLED, 100, 0);
    assert_int_equal(newest_job(fixture, tx).id, job_id);
    commit(fixture);
}

static void a_referral_that_earned_meanwhile_is_not_paid_a_second_time(void **state)
{
    struct fixture *fixture = *state;
    struct payment payment;
    struct store_tx *tx = begin(fixture);
    int64_t job_id = pay(tx, "a", 4, 1000).job_id;
    assert_int_equal(refund(tx, "a", REFUND_CHARGEBACK), REFUND_CANCELLED);
    assert_int_equal(pay(tx, "b", 4, 1000).state, PAYMENT_ACCEPTED);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_job(tx, job_id, JOB_CANCELLED, 100, 0);
    OK(payment_by_key(tx, &payment, "a"));
    assert_int_equal(payment.state, PAYMENT_ALREADY_EARNED);
    assert_int_equal(refund(tx, "b", REFUND_FULL), REFUND_CANCELLED);
    commit(fixture);
}

// fault 46: a program with a hold window waits it out, and a refund in it cancels
static void a_hold_window_is_waited_out_also_after_a_won_chargeback(void **state)
{
    struct fixture *fixture = *state;
    struct job *due;
    size_t count;
    struct store_tx *tx = begin(fixture);
    struct job job = job_now(tx, pay(tx, "a", 3, 1000).job_id);
    assert_int_equal(job.state, JOB_HELD);
    assert_int_equal(job.due_ms, START_MS + 3600000);
    OK(jobs_due(tx, &due, &count, START_MS + 3599999, 1u << JOB_PAYOUT_USDC, 10, fixture->arena));
    assert_int_equal(count, 0);
    OK(jobs_due(tx, &due, &count, START_MS + 3600000, 1u << JOB_PAYOUT_USDC, 10, fixture->arena));
    assert_int_equal(count, 1);
    commit(fixture);
    fixture->now_ms += 60000;
    tx = begin(fixture);
    assert_int_equal(refund(tx, "a", REFUND_CHARGEBACK), REFUND_CANCELLED);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_job(tx, job.id, JOB_HELD, 100, 0);
    assert_int_equal(job_now(tx, job.id).due_ms, START_MS + 3600000);
    assert_int_equal(refund(tx, "a", REFUND_CHARGEBACK), REFUND_CANCELLED);
    commit(fixture);
    fixture->now_ms += 3600000;
    tx = begin(fixture);
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    expect_job(tx, job.id, JOB_QUEUED, 100, 0);
    commit(fixture);
}

static void a_payout_without_effect_whose_debt_was_netted_already_is_settled(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "reverted"};
    bool cancelled;
    struct store_tx *tx = begin(fixture);
    int64_t job_id = pay(tx, "a", 1, 1000).job_id;
    for (int next = JOB_ASSIGNED; next <= JOB_MINED; next++)
        move(tx, job_id, (enum job_state)next);
    assert_int_equal(refund(tx, "a", REFUND_FULL), REFUND_RECEIVABLE);
    pay(tx, "b", 1, 300); // takes 30 for what will never have been paid
    struct job job = job_now(tx, job_id);
    OK(refund_unpaid(tx, &cancelled, &job, &change));
    assert_true(cancelled);
    expect_open(tx, 0);
    expect_job(tx, newest_job(fixture, tx).id, JOB_QUEUED, 30, 0);
    commit(fixture);
}

static void a_debt_that_comes_back_after_a_win_cancels_no_payout(void **state)
{
    struct fixture *fixture = *state;
    const struct job_change change = {.cause = "reverted"};
    bool cancelled;
    struct store_tx *tx = begin(fixture);
    owe(tx, "a", 1, 1000);
    pay(tx, "b", 1, 3000); // takes the 100 of a, pays 200
    assert_int_equal(refund(tx, "a", REFUND_REVERSED), REFUND_RESTORED);
    struct job job = newest_job(fixture, tx); // gives the 100 back
    for (int next = JOB_ASSIGNED; next <= JOB_MINED; next++)
        move(tx, job.id, (enum job_state)next);
    assert_int_equal(refund(tx, "b", REFUND_FULL), REFUND_CANCELLED);
    expect_open(tx, 100); // a stands, but got 100 too much
    job = job_now(tx, job.id);
    OK(refund_unpaid(tx, &cancelled, &job, &change));
    assert_false(cancelled);
    commit(fixture);
}

static void more_debts_than_one_payout_is_netted_against_are_left_to_the_next(void **state)
{
    struct fixture *fixture = *state;
    struct store_tx *tx = begin(fixture);
    int64_t jobs[NETTINGS_MAX + 6];
    for (int i = 0; i < NETTINGS_MAX + 6; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        jobs[i] = pay(tx, key, 1, 100).job_id;
        confirm(tx, jobs[i]);
    }
    for (int i = 0; i < NETTINGS_MAX + 6; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(refund(tx, key, REFUND_FULL), REFUND_RECEIVABLE);
    }
    expect_job(tx, pay(tx, "x", 1, 100000).job_id, JOB_QUEUED, 10000 - 10 * NETTINGS_MAX,
               10 * NETTINGS_MAX);
    expect_open(tx, 60);
    expect_job(tx, pay(tx, "y", 1, 100000).job_id, JOB_QUEUED, 10000 - 60, 60);
    expect_open(tx, 0);
    commit(fixture);
}

// ---- stores made before netting

// The script with SQLite's words in it, as db/migrate.c has it.
static void run_migration(sqlite3 *sqlite, const char *sql)
{
    static const char *const words[][2] = {
        {"@ID@", "INTEGER PRIMARY KEY"}, {"@BYTES@", "BLOB"}, {"@CLUSTERED@", "WITHOUT ROWID"}};
    char *text = NULL, *error = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    while (*sql != '\0') {
        size_t skip = 0;
        for (size_t i = 0; i < 3 && skip == 0; i++)
            if (strncmp(sql, words[i][0], strlen(words[i][0])) == 0) {
                fputs(words[i][1], out);
                skip = strlen(words[i][0]);
            }
        if (skip == 0)
            fputc(*sql++, out);
        sql += skip;
    }
    assert_int_equal(fclose(out), 0);
    if (sqlite3_exec(sqlite, text, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s", error);
    free(text);
}

static void expect_text(sqlite3 *sqlite, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = scan_query(sqlite, sql);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), expected);
    sqlite3_finalize(statement);
}

static void an_older_store_keeps_its_outcomes_and_what_is_owed_back(void **state)
{
    static const char rows[] =
        "PRAGMA foreign_keys=ON;"
        "INSERT INTO jobs VALUES (1,4,7,2,1,1,x'01',x'02',x'aa',5,'7',0,0,0,0,0,0,0,NULL,'r');"
        "INSERT INTO history VALUES (1,1,1,2,'c','w',NULL,0);"
        "INSERT INTO affiliates VALUES (1,x'aa',1,1,0,1,0,0,5,0,12,'0','7','0');"
        "INSERT INTO affiliates VALUES (2,x'bb',1,1,0,1,0,0,5,0,12,'0','7','0');"
        "INSERT INTO receivables VALUES (1,x'aa',1,1,5,'7999999999999999999',1,1,0,0);"
        "INSERT INTO receivables VALUES (2,x'aa',2,1,6,'4000000000000000001',1,1,0,0);"
        "INSERT INTO receivables VALUES (3,x'aa',3,1,1,'12',1,1,0,0);"
        "INSERT INTO receivables VALUES (4,x'aa',4,1,9,'100',1,1,0,55);";
    sqlite3 *sqlite;
    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    run_migration(sqlite, db_migrations[0].sql);
    run_migration(sqlite, rows);
    run_migration(sqlite, db_migrations[1].sql);
    expect_text(sqlite, "SELECT outcome || ' ' || reason || netted_sge FROM jobs", "2 r0");
    expect_text(sqlite, "SELECT sge_receivable FROM affiliates WHERE id = 1",
                "12000000000000000012");
    expect_text(sqlite, "SELECT sge_receivable FROM affiliates WHERE id = 2", "0");
    expect_text(sqlite, "SELECT SUM(usdc) FROM receivables", "12");
    expect_text(sqlite, "SELECT sge FROM receivables WHERE id = 4", "0");
    assert_int_equal(sqlite3_exec(sqlite, "UPDATE jobs SET outcome = 4", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, "UPDATE jobs SET outcome = 5", NULL, NULL, NULL),
                     SQLITE_CONSTRAINT);
    sqlite3_close(sqlite);
}

// ---- random orders
//
// The test's own account says what each payment must have brought its affiliate, net of what was
// taken and is owed: its commission, nothing, or less what an operator gave up.

#define SEEDS         20
#define STEPS         200
#define PAYMENTS      12
#define CHECK_STEPS   20
#define RANDOM_ROUNDS 40 // to bring every job to its end

enum mark { CLEAN, CHARGED_BACK, REFUNDED };

struct account {
    bool arrived, given_up, won_early;
    enum mark mark;
    int64_t usdc, sge;               // the commission
    int64_t balance, balance_of_sge; // what it must come to
};

struct world {
    struct fixture *fixture;
    uint64_t random;
    struct account accounts[PAYMENTS];
    int64_t payment_ids[PAYMENTS];
};

static uint32_t pick(struct world *world, uint32_t below)
{
    world->random ^= world->random << 13;
    world->random ^= world->random >> 7;
    world->random ^= world->random << 17;
    return (uint32_t)((world->random >> 33) % below);
}

static void set_balance(struct account *account, bool earns)
{
    earns = earns && !account->given_up;
    account->balance = earns ? account->usdc : 0;
    account->balance_of_sge = earns ? account->sge : 0;
}

static void key_of(char key[8], uint32_t number)
{
    snprintf(key, 8, "p%" PRIu32, number);
}

static void step_pay(struct world *world, struct store_tx *tx, uint32_t number)
{
    struct account *account = &world->accounts[number];
    char key[8];
    if (account->arrived)
        return;
    key_of(key, number);
    uint32_t child = 1 + number % 3; // usdc, hybrid, hold
    account->usdc = 10 + pick(world, 500);
    account->sge = child == 2 ? account->usdc * INT64_C(2000000000000) : 0;
    account->arrived = true;
    world->payment_ids[number] = pay(tx, key, child, account->usdc * 10).id;
    set_balance(account, account->mark == CLEAN);
}

static void step_refund(struct world *world, struct store_tx *tx, uint32_t number,
                        enum refund_kind kind)
{
    struct account *account = &world->accounts[number];
    char key[8];
    key_of(key, number);
    (void)refund(tx, key, kind);
    if (kind == REFUND_REVERSED) {
        if (account->mark == CLEAN)
            account->won_early = true;
        if (account->mark == CHARGED_BACK) {
            account->mark = CLEAN;
            set_balance(account, account->arrived);
        }
        return;
    }
    if (kind == REFUND_CHARGEBACK && account->won_early) {
        account->won_early = false;
        return;
    }
    if (account->mark == CLEAN) {
        account->mark = kind == REFUND_FULL ? REFUNDED : CHARGED_BACK;
        set_balance(account, false);
    }
    if (kind == REFUND_FULL) {
        account->mark = REFUNDED;
        account->won_early = false;
    }
}

static struct account *account_of(struct world *world, const struct job *job)
{
    for (int i = 0; i < PAYMENTS; i++)
        if (world->payment_ids[i] == job->payment_id)
            return &world->accounts[i];
    fail_msg("a payout of no payment");
    abort(); // which fail_msg has done, as the compiler cannot know
}

static void give_up(struct world *world, struct store_tx *tx, const struct job *job)
{
    struct account *account = account_of(world, job);
    struct payment payment;
    const struct job_change change = {.cause = "operator"};
    account->balance -= usdc_units(job->usdc) + usdc_units(job->netted_usdc);
    account->balance_of_sge -= (int64_t)(sge_units(job->sge) + sge_units(job->netted_sge));
    OK(payment_by_id(tx, &payment, job->payment_id));
    if (payment.job_id == job->id)
        account->given_up = true;
    OK(job_set_state(tx, job->id, job->state, JOB_CANCELLED, &change));
}

// The slot ended without the effect, as slot_settle has it.
static void fail_on_chain(struct world *world, struct store_tx *tx, const struct job *job)
{
    const struct job_change change = {.cause = "reverted"};
    bool cancelled;
    OK(refund_unpaid(tx, &cancelled, job, &change));
    if (cancelled)
        set_balance(account_of(world, job), false);
    else
        move(tx, job->id, pick(world, 2) ? JOB_QUEUED : JOB_PARKED);
}

static void step_job(struct world *world, struct store_tx *tx, const struct job *job, bool to_end)
{
    uint32_t luck = to_end ? 9 : pick(world, 10);
    switch (job->state) {
    case JOB_QUEUED:
    case JOB_PARKED:
        if (luck == 0)
            give_up(world, tx, job);
        else if (job->state == JOB_QUEUED)
            move(tx, job->id, luck == 1 ? JOB_PARKED : JOB_ASSIGNED);
        else
            move(tx, job->id, JOB_QUEUED);
        return;
    case JOB_HELD:
        move(tx, job->id, JOB_QUEUED);
        return;
    case JOB_ASSIGNED:
        move(tx, job->id, JOB_SENT);
        return;
    case JOB_SENT:
        move(tx, job->id, JOB_MINED);
        return;
    case JOB_MINED:
        if (luck < 3)
            fail_on_chain(world, tx, job);
        else
            move(tx, job->id, JOB_CONFIRMED);
        return;
    case JOB_UNRESOLVED:
    case JOB_CONFIRMED:
    case JOB_CANCELLED:
        return;
    }
}

static size_t payouts(struct world *world, struct store_tx *tx, struct job **ret_jobs)
{
    struct job_filter filter = {.wallet = wallet_of(AFFILIATE), .limit = JOBS_PAGE_MAX};
    struct job *jobs;
    size_t count, kept = 0;
    OK(jobs_list(tx, &jobs, &count, &filter, world->fixture->arena));
    assert_true(count < JOBS_PAGE_MAX);
    for (size_t i = 0; i < count; i++)
        if (job_kind_is_payout(jobs[i].kind))
            jobs[kept++] = jobs[i];
    *ret_jobs = jobs;
    return kept;
}

static void step(struct world *world, struct store_tx *tx)
{
    uint32_t number = pick(world, PAYMENTS), what = pick(world, 20);
    struct job *jobs;
    if (what < 4)
        step_pay(world, tx, number);
    else if (what < 5)
        step_refund(world, tx, number, REFUND_FULL);
    else if (what < 8)
        step_refund(world, tx, number, REFUND_CHARGEBACK);
    else if (what < 11)
        step_refund(world, tx, number, REFUND_REVERSED);
    else {
        size_t count = payouts(world, tx, &jobs);
        if (count > 0)
            step_job(world, tx, &jobs[pick(world, (uint32_t)count)], false);
    }
}

// What the payment brought, less what was taken for it and is owed back; of one token.
static int64_t balance_of(const struct world *world, const char *token, int64_t payment_id)
{
    char sql[640];
    snprintf(sql, sizeof sql,
             "SELECT (SELECT COALESCE(SUM(CAST(%s AS INTEGER)+CAST(netted_%s AS INTEGER)),0)"
             " FROM jobs WHERE state<>9 AND payment_id=%" PRId64 ")-(SELECT COALESCE(SUM("
             "CAST(%s AS INTEGER)+CAST(netted_%s AS INTEGER)),0) FROM receivables"
             " WHERE payment_id=%" PRId64 ")",
             token, token, payment_id, token, token, payment_id);
    return scan_number(world->fixture, sql);
}

static void check_balances(const struct world *world)
{
    for (int i = 0; i < PAYMENTS; i++) {
        const struct account *account = &world->accounts[i];
        int64_t id = world->payment_ids[i];
        if (!account->arrived)
            continue;
        assert_int_equal(balance_of(world, "usdc", id), account->balance);
        assert_int_equal(balance_of(world, "sge", id), account->balance_of_sge);
    }
}

static void check_zero(const struct world *world, const char *sql)
{
    if (scan_number(world->fixture, sql) != 0)
        fail_msg("%s", sql);
}

static void check_rows(const struct world *world)
{
    static const char *const none[] = {
        "SELECT COUNT(*) FROM receivables WHERE usdc<0 OR sge LIKE '-%' OR"
        " (cleared_ms=0)<>(usdc>0 OR sge<>'0')",
        "SELECT COUNT(*) FROM jobs WHERE state<>9 AND kind>2 AND netted_usdc<>(SELECT"
        " COALESCE(SUM(usdc),0) FROM nettings WHERE job_id=jobs.id AND undone_ms=0)",
        "SELECT COUNT(*) FROM receivables WHERE netted_usdc<>(SELECT COALESCE(SUM(usdc),0)"
        " FROM nettings WHERE receivable_id=receivables.id AND undone_ms=0)",
        "SELECT COUNT(*) FROM receivables WHERE CAST(netted_sge AS INTEGER)<>(SELECT"
        " COALESCE(SUM(CAST(sge AS INTEGER)),0) FROM nettings"
        " WHERE receivable_id=receivables.id AND undone_ms=0)",
        "SELECT COUNT(*) FROM nettings JOIN jobs ON jobs.id=job_id WHERE undone_ms=0 AND state=9",
        "SELECT COUNT(*)-COUNT(DISTINCT payout_id) FROM jobs WHERE kind>2", // one id, one payout
        "SELECT COUNT(*) FROM jobs WHERE kind>2 AND usdc=0 AND sge='0' AND"
        " NOT (state=7 AND outcome=4)",
        "SELECT COUNT(*) FROM jobs WHERE outcome=4 AND (state<>7 OR usdc>0 OR sge<>'0')",
        "SELECT COUNT(*) FROM jobs WHERE kind=3 AND sge<>'0'",
        // What payouts pay less what is owed back is what the payments brought, less what was
        // taken for them: nothing is made or lost on the way between payments.
        "SELECT (SELECT COALESCE(SUM(netted_usdc),0) FROM jobs WHERE state<>9)"
        "-(SELECT COALESCE(SUM(netted_usdc),0) FROM receivables)",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        check_zero(world, none[i]);
}

static void check(struct world *world)
{
    commit(world->fixture);
    check_rows(world);
    check_balances(world);
}

// Every payout reaches an end, and what is owed back then is netted from a large one.
static void bring_to_rest(struct world *world)
{
    struct fixture *fixture = world->fixture;
    struct store_tx *tx = begin(fixture);
    struct job *jobs;
    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        size_t count = payouts(world, tx, &jobs);
        for (size_t i = 0; i < count; i++)
            step_job(world, tx, &jobs[i], true);
    }
    check(world);
    check_zero(world, "SELECT COUNT(*) FROM jobs WHERE kind>2 AND state NOT IN (7, 9)");
    tx = begin(fixture);
    pay(tx, "large", 2, 1000000);
    struct affiliate sums = affiliate_now(tx);
    assert_true(usdc_is_zero(sums.usdc_receivable) && sge_is_zero(sums.sge_receivable));
    commit(fixture);
    check_rows(world);
}

// fault 45, 46, 47: payments, refunds, chargebacks, wins, failures and cancels in any order
static void every_payment_balances_in_every_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world world = {.random = seed * UINT64_C(0x9E3779B97F4A7C15)};
        void *fixture;
        print_message("seed %" PRIu64 "\n", seed);
        assert_int_equal(set_up(&fixture), 0);
        world.fixture = fixture;
        struct store_tx *tx = begin(world.fixture);
        for (int i = 1; i <= STEPS; i++) {
            step(&world, tx);
            if (i % CHECK_STEPS == 0) {
                check(&world);
                arena_reset(world.fixture->arena);
                tx = begin(world.fixture);
            }
        }
        tx_rollback(tx);
        bring_to_rest(&world);
        tear_down(&fixture);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_owed_back_is_netted_from_the_next_payouts_oldest_first),
        TEST(a_payout_netted_in_whole_is_final_at_once_and_told),
        TEST(usdc_is_netted_against_usdc_and_sge_against_sge),
        TEST(a_cancelled_payout_gives_back_what_it_had_netted),
        TEST(a_netted_payout_that_is_refunded_later_owes_back_all_of_its_commission),
        TEST(a_won_chargeback_gives_back_what_was_netted_for_it_once),
        TEST(a_second_round_counts_what_the_first_gave_back),
        TEST(what_comes_back_is_itself_netted_against_other_debts),
        TEST(a_revived_payout_keeps_its_id_and_is_netted_anew),
        TEST(what_an_operator_gave_up_is_not_revived),
        TEST(a_referral_that_earned_meanwhile_is_not_paid_a_second_time),
        TEST(a_hold_window_is_waited_out_also_after_a_won_chargeback),
        TEST(a_payout_without_effect_whose_debt_was_netted_already_is_settled),
        TEST(a_debt_that_comes_back_after_a_win_cancels_no_payout),
        TEST(more_debts_than_one_payout_is_netted_against_are_left_to_the_next),
        cmocka_unit_test(an_older_store_keeps_its_outcomes_and_what_is_owed_back),
        cmocka_unit_test(every_payment_balances_in_every_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
