// SPDX-License-Identifier: Apache-2.0
// Each outcome of accepting a payment, and what is stored for it.
#include "store/fixture.h"

struct world {
    struct fixture fixture;
    struct program hybrid, first, held, capped;
};

static int set_up(void **state)
{
    static struct world only;
    struct world *world = &only;
    memset(world, 0, sizeof *world);
    struct program usdc = program_usdc("usdc"), closed = program_usdc("closed");
    fixture_open(&world->fixture);
    world->hybrid = program_usdc("hybrid");
    world->hybrid.kind = PROGRAM_HYBRID;
    world->hybrid.sge_rate = sge_of("2.5");
    world->first = program_usdc("first");
    world->first.trigger = PROGRAM_FIRST_PAYMENT;
    world->held = program_usdc("held");
    world->held.hold_seconds = 60;
    world->capped = program_usdc("capped");
    world->capped.payout_max = usdc_of(50);
    closed.active = false;
    struct store_tx *tx = begin(&world->fixture);
    add_program(tx, &usdc);
    add_program(tx, &world->hybrid);
    add_program(tx, &world->first);
    add_program(tx, &world->held);
    add_program(tx, &world->capped);
    add_program(tx, &closed);
    add_user(tx, 1, 100, "usdc");
    add_user(tx, 2, 0, "usdc");
    add_user(tx, 3, 100, NULL);
    add_user(tx, 4, 101, "first");
    commit(&world->fixture);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    check_totals(&world->fixture);
    fixture_close(&world->fixture);
    return 0;
}

struct row {
    const char *what;
    const char *key;
    uint32_t child;
    const char *program; // NULL: the user's
    int64_t amount;
    enum payment_outcome outcome;
    enum payment_state state; // of a NEW or DUPLICATE
    enum job_state job;       // 0: no job
    int64_t commission;
};

// In order: each row fixes just the fault above it, or changes one thing.
static const struct row rows[] = {
    {"a stranger", "p1", 9, "usdc", 1000, PAYMENT_UNKNOWN_USER, 0, 0, 0},
    {"no program at all", "p1", 3, NULL, 1000, PAYMENT_UNKNOWN_PROGRAM, 0, 0, 0},
    {"no such program", "p1", 1, "nosuch", 1000, PAYMENT_UNKNOWN_PROGRAM, 0, 0, 0},
    {"a program not active", "p1", 1, "closed", 1000, PAYMENT_UNKNOWN_PROGRAM, 0, 0, 0},
    {"fine", "p1", 1, NULL, 1000, PAYMENT_NEW, PAYMENT_ACCEPTED, JOB_QUEUED, 100},
    {"the same again", "p1", 1, NULL, 1000, PAYMENT_DUPLICATE, PAYMENT_ACCEPTED, JOB_QUEUED, 100},
    {"the same, program named", "p1", 1, "usdc", 1000, PAYMENT_DUPLICATE, PAYMENT_ACCEPTED,
     JOB_QUEUED, 100},
    {"another amount", "p1", 1, NULL, 1001, PAYMENT_DIFFERS, 0, 0, 0},
    {"another child", "p1", 2, NULL, 1000, PAYMENT_DIFFERS, 0, 0, 0},
    {"a child unknown by now", "p1", 9, NULL, 1000, PAYMENT_DIFFERS, 0, 0, 0},
    {"another program", "p1", 1, "hybrid", 1000, PAYMENT_DIFFERS, 0, 0, 0},
    {"a program that never was", "p1", 1, "nosuch", 1000, PAYMENT_DIFFERS, 0, 0, 0},
    {"no referrer", "p2", 2, NULL, 1000, PAYMENT_NEW, PAYMENT_NO_REFERRER, 0, 0},
    {"too small to earn", "p3", 1, NULL, 9, PAYMENT_NEW, PAYMENT_NO_COMMISSION, 0, 0},
    {"just enough to earn", "p4", 1, NULL, 10, PAYMENT_NEW, PAYMENT_ACCEPTED, JOB_QUEUED, 1},
    {"the limit of a payout", "p5", 3, "capped", 501, PAYMENT_NEW, PAYMENT_ACCEPTED, JOB_QUEUED,
     50},
    {"a hold window", "p6", 3, "held", 1000, PAYMENT_NEW, PAYMENT_ACCEPTED, JOB_HELD, 100},
    {"first payment", "p7", 4, NULL, 1000, PAYMENT_NEW, PAYMENT_ACCEPTED, JOB_QUEUED, 100},
    {"second payment", "p8", 4, NULL, 1000, PAYMENT_NEW, PAYMENT_ALREADY_EARNED, 0, 0},
    {"second payment again", "p8", 4, NULL, 1000, PAYMENT_DUPLICATE, PAYMENT_ALREADY_EARNED, 0, 0},
};

static void each_payment_has_its_outcome(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct payment_input input = {.provider = PROVIDER_STRIPE,
                                      .payment_key = row->key,
                                      .child = wallet_of(row->child),
                                      .program_name = row->program,
                                      .amount = usdc_of(row->amount),
                                      .trace = test_trace};
        enum payment_outcome outcome;
        struct payment payment;
        print_message("%s\n", row->what);
        struct store_tx *tx = begin(&world->fixture);
        OK(payment_accept(tx, &outcome, &payment, &input));
        assert_int_equal(outcome, row->outcome);
        if (row->state != 0) {
            assert_int_equal(payment.state, row->state);
            assert_int_equal(payment.job_id != 0, row->job != 0);
        }
        if (row->job != 0) {
            struct job job = job_now(tx, payment.job_id);
            assert_int_equal(job.state, row->job);
            assert_int_equal(usdc_units(job.usdc), row->commission);
            assert_int_equal(job.payment_id, payment.id);
            assert_int_equal(job.due_ms, START_MS + (row->job == JOB_HELD ? 60000 : 0));
        }
        commit(&world->fixture);
    }
    assert_int_equal(scan_number(&world->fixture, "SELECT COUNT(*) FROM payments"), 8);
    assert_int_equal(scan_number(&world->fixture, "SELECT COUNT(*) FROM jobs WHERE kind > 2"), 5);
}

static void a_hybrid_program_pays_both_tokens(void **state)
{
    struct world *world = *state;
    struct payment_input input = {.provider = PROVIDER_DIRECT,
                                  .payment_key = "h1",
                                  .child = wallet_of(1),
                                  .program_name = "hybrid",
                                  .amount = usdc_of(10000000)};
    enum payment_outcome outcome;
    struct payment payment;
    struct store_tx *tx = begin(&world->fixture);
    OK(payment_accept(tx, &outcome, &payment, &input));
    struct job job = job_now(tx, payment.job_id);
    commit(&world->fixture);
    assert_int_equal(job.kind, JOB_PAYOUT_HYBRID);
    assert_int_equal(usdc_units(job.usdc), 1000000);
    SAME_SGE(job.sge, sge_of("2.5"));
}

static void the_payout_id_is_the_published_one(void **state)
{
    struct world *world = *state;
    struct store_tx *tx = begin(&world->fixture);
    struct job every = job_now(tx, pay(tx, "k1", 1, 1000).job_id);
    struct job first = job_now(tx, pay(tx, "k2", 4, 1000).job_id);
    struct hash32 by_payment = payout_id_of_payment(store_tx_domain(tx), "usdc", "k1");
    struct hash32 by_referral =
        payout_id_of_referral(store_tx_domain(tx), "first", &first.child, &first.referrer);
    commit(&world->fixture);
    assert_true(hash32_equal(&every.payout_id, &by_payment));
    assert_true(hash32_equal(&first.payout_id, &by_referral));
}

static void a_child_that_refers_itself_never_earns(void **state)
{
    struct world *world = *state;
    // Not through the door: as if a row had come about in some other way.
    struct store_tx *tx = begin(&world->fixture);
    OK(db_script(tx->db, "UPDATE users SET referrer = wallet WHERE id = 2"));
    OK(tx_commit(tx));
    tx = begin(&world->fixture);
    struct payment payment = pay(tx, "self", 2, 1000);
    OK(db_script(tx->db, "UPDATE users SET referrer = NULL WHERE id = 2"));
    commit(&world->fixture);
    assert_int_equal(payment.state, PAYMENT_NO_REFERRER);
    assert_int_equal(payment.job_id, 0);
}

static void one_payment_many_times_in_one_group_is_one_job(void **state)
{
    struct world *world = *state;
    struct payment_input input = {.provider = PROVIDER_STRIPE,
                                  .payment_key = "again",
                                  .child = wallet_of(1),
                                  .amount = usdc_of(1000)};
    struct store_tx *tx = begin(&world->fixture);
    struct payment first = pay(tx, "again", 1, 1000);
    for (int i = 0; i < 99; i++) {
        enum payment_outcome outcome;
        struct payment payment;
        OK(payment_accept(tx, &outcome, &payment, &input));
        assert_int_equal(outcome, PAYMENT_DUPLICATE);
        assert_int_equal(payment.job_id, first.job_id);
    }
    commit(&world->fixture);
    assert_int_equal(scan_number(&world->fixture, "SELECT COUNT(*) FROM jobs WHERE kind > 2"), 1);
}

static void a_payment_is_found_by_its_key(void **state)
{
    struct world *world = *state;
    struct payment payment;
    struct store_tx *tx = begin(&world->fixture);
    struct payment stored = pay(tx, "k", 1, 1000);
    IS(payment_by_key(tx, &payment, "K"), STATUS_NOT_FOUND);
    OK(payment_by_key(tx, &payment, "k"));
    commit(&world->fixture);
    assert_memory_equal(&payment, &stored, sizeof payment);
}

static void one_random_key_for_each_accepted_payment(void **state)
{
    struct world *world = *state;
    int64_t before = scan_number(&world->fixture, "SELECT COUNT(*) FROM outside_ids");
    struct store_tx *tx = begin(&world->fixture);
    pay(tx, "r1", 1, 1000);
    pay(tx, "r2", 1, 1000);
    commit(&world->fixture);
    assert_int_equal(scan_number(&world->fixture, "SELECT COUNT(*) FROM outside_ids"), before + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_payment_has_its_outcome, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hybrid_program_pays_both_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_payout_id_is_the_published_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_child_that_refers_itself_never_earns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_payment_many_times_in_one_group_is_one_job, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_payment_is_found_by_its_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_random_key_for_each_accepted_payment, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
