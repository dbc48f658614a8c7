// SPDX-License-Identifier: Apache-2.0
// Refunds and chargebacks in every order, each step one row.
#include "store/fixture.h"

#define EVENTS_MAX 4

// What happens to the payout before a step.
enum progress { STAY, ASSIGN, SEND, CONFIRM, PARK };

struct step {
    char what; // p: the payment arrives; f, c, r: full refund, chargeback, reversal; -: nothing
    enum progress progress;
    int outcome; // of the refund, or the payment's state
    enum job_state job;
    int64_t receivable;
};

struct row {
    const char *name;
    struct step steps[EVENTS_MAX];
};

static const struct row rows[] = {
    {"before the payment",
     {{'f', STAY, REFUND_TOMBSTONE, 0, 0},
      {'p', STAY, PAYMENT_REFUNDED, 0, 0},
      {'f', STAY, REFUND_NOTHING, 0, 0}}},
    {"while queued",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'f', STAY, REFUND_CANCELLED, JOB_CANCELLED, 0},
      {'f', STAY, REFUND_NOTHING, JOB_CANCELLED, 0},
      {'r', STAY, REFUND_NOTHING, JOB_CANCELLED, 0}}},
    {"while parked",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'f', PARK, REFUND_CANCELLED, JOB_CANCELLED, 0}}},
    {"after signing",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'f', ASSIGN, REFUND_RECEIVABLE, JOB_ASSIGNED, 100},
      {'f', STAY, REFUND_NOTHING, JOB_ASSIGNED, 100},
      {'r', STAY, REFUND_NOTHING, JOB_ASSIGNED, 100}}},
    {"after sending",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0}, {'c', SEND, REFUND_RECEIVABLE, JOB_SENT, 100}}},
    {"after the end",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', CONFIRM, REFUND_RECEIVABLE, JOB_CONFIRMED, 100},
      {'r', STAY, REFUND_RESTORED, JOB_CONFIRMED, 0},
      {'r', STAY, REFUND_WON_EARLY, JOB_CONFIRMED, 0}}},
    {"charged back, won, charged back again",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', ASSIGN, REFUND_RECEIVABLE, JOB_ASSIGNED, 100},
      {'r', STAY, REFUND_RESTORED, JOB_ASSIGNED, 0},
      {'c', STAY, REFUND_RECEIVABLE, JOB_ASSIGNED, 100}}},
    {"a full refund outweighs a won chargeback",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', ASSIGN, REFUND_RECEIVABLE, JOB_ASSIGNED, 100},
      {'f', STAY, REFUND_NOTHING, JOB_ASSIGNED, 100},
      {'r', STAY, REFUND_NOTHING, JOB_ASSIGNED, 100}}},
    {"chargeback won before the payment arrives",
     {{'c', STAY, REFUND_TOMBSTONE, 0, 0},
      {'r', STAY, REFUND_RESTORED, 0, 0},
      {'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0}}},
    {"chargeback won after the payment was set aside",
     {{'c', STAY, REFUND_TOMBSTONE, 0, 0},
      {'p', STAY, PAYMENT_REFUNDED, 0, 0},
      {'r', STAY, REFUND_RESTORED, JOB_QUEUED, 0},
      {'r', STAY, REFUND_WON_EARLY, JOB_QUEUED, 0}}},
    {"charged back before it was signed, won",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', STAY, REFUND_CANCELLED, JOB_CANCELLED, 0},
      {'r', STAY, REFUND_RESTORED, JOB_QUEUED, 0},
      {'c', SEND, REFUND_RECEIVABLE, JOB_SENT, 100}}},
    {"charged back while parked, won",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', PARK, REFUND_CANCELLED, JOB_CANCELLED, 0},
      {'r', STAY, REFUND_RESTORED, JOB_QUEUED, 0}}},
    {"charged back, refunded in full, then won: stays cancelled",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', STAY, REFUND_CANCELLED, JOB_CANCELLED, 0},
      {'f', STAY, REFUND_NOTHING, JOB_CANCELLED, 0},
      {'r', STAY, REFUND_NOTHING, JOB_CANCELLED, 0}}},
    {"won before it was charged back",
     {{'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'r', STAY, REFUND_WON_EARLY, JOB_QUEUED, 0},
      {'c', STAY, REFUND_VOID, JOB_QUEUED, 0},
      {'c', STAY, REFUND_CANCELLED, JOB_CANCELLED, 0}}},
    {"won, charged back, and only then the payment",
     {{'r', STAY, REFUND_WON_EARLY, 0, 0},
      {'c', STAY, REFUND_VOID, 0, 0},
      {'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', CONFIRM, REFUND_RECEIVABLE, JOB_CONFIRMED, 100}}},
    {"won, the payment, charged back",
     {{'r', STAY, REFUND_WON_EARLY, 0, 0},
      {'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0},
      {'c', SEND, REFUND_VOID, JOB_SENT, 0},
      {'f', STAY, REFUND_RECEIVABLE, JOB_SENT, 100}}},
    {"won early, refunded in full all the same",
     {{'r', STAY, REFUND_WON_EARLY, 0, 0},
      {'f', STAY, REFUND_TOMBSTONE, 0, 0},
      {'p', STAY, PAYMENT_REFUNDED, 0, 0},
      {'c', STAY, REFUND_NOTHING, 0, 0}}},
    {"refunded in full before the payment, then a reversal",
     {{'c', STAY, REFUND_TOMBSTONE, 0, 0},
      {'f', STAY, REFUND_TOMBSTONE, 0, 0},
      {'r', STAY, REFUND_NOTHING, 0, 0},
      {'p', STAY, PAYMENT_REFUNDED, 0, 0}}},
    {"a reversal of nothing",
     {{'r', STAY, REFUND_WON_EARLY, 0, 0},
      {'r', STAY, REFUND_WON_EARLY, 0, 0},
      {'p', STAY, PAYMENT_ACCEPTED, JOB_QUEUED, 0}}},
};

static void advance(struct store_tx *tx, int64_t job_id, enum progress progress)
{
    const struct job_change change = {.cause = "test"};
    const struct job_change done = {.cause = "test", .outcome = JOB_OUTCOME_DONE};
    if (progress == PARK)
        OK(job_set_state(tx, job_id, JOB_QUEUED, JOB_PARKED, &change));
    if (progress != ASSIGN && progress != SEND && progress != CONFIRM)
        return;
    OK(job_set_state(tx, job_id, JOB_QUEUED, JOB_ASSIGNED, &change));
    if (progress == ASSIGN)
        return;
    OK(job_set_state(tx, job_id, JOB_ASSIGNED, JOB_SENT, &change));
    if (progress == SEND)
        return;
    OK(job_set_state(tx, job_id, JOB_SENT, JOB_MINED, &change));
    OK(job_set_state(tx, job_id, JOB_MINED, JOB_CONFIRMED, &done));
}

static enum refund_kind kind_of(char what)
{
    return what == 'f' ? REFUND_FULL : what == 'c' ? REFUND_CHARGEBACK : REFUND_REVERSED;
}

static void check_affiliate(struct store_tx *tx, int64_t receivable)
{
    struct affiliate affiliate;
    struct address wallet = wallet_of(100);
    OK(affiliate_by_wallet(tx, &affiliate, &wallet));
    assert_int_equal(usdc_units(affiliate.usdc_receivable), receivable);
}

static void run_step(struct fixture *fixture, const struct step *step, int number)
{
    struct payment payment;
    struct store_tx *tx = begin(fixture);
    if (step->what == 'p') {
        payment = pay(tx, "key", 1, 1000);
        assert_int_equal(payment.state, step->outcome);
    } else {
        char event[16];
        enum refund_outcome outcome;
        snprintf(event, sizeof event, "evt_%d", number);
        if (step->progress != STAY) {
            OK(payment_by_key(tx, &payment, "key"));
            advance(tx, payment.job_id, step->progress);
        }
        OK(payment_refund(tx, &outcome, PROVIDER_STRIPE, event, "key", kind_of(step->what),
                          &test_trace));
        assert_int_equal(outcome, step->outcome);
        OK(payment_refund(tx, &outcome, PROVIDER_STRIPE, event, "key", kind_of(step->what),
                          &test_trace));
        assert_int_equal(outcome, REFUND_DUPLICATE);
    }
    if (step->job != 0) {
        OK(payment_by_key(tx, &payment, "key"));
        assert_int_equal(job_now(tx, payment.job_id).state, step->job);
    }
    check_affiliate(tx, step->receivable);
    commit(fixture);
}

// fault 45: a refund or chargeback before its payment
// fault 46: cancelled before the signing, owed back after it
// fault 47: a chargeback that was won, also before it came
static void refunds_in_every_order_end_as_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        struct program program = program_usdc("usdc");
        print_message("%s\n", rows[i].name);
        fixture_open(&fixture);
        struct store_tx *tx = begin(&fixture);
        add_program(tx, &program);
        add_user(tx, 1, 100, "usdc");
        commit(&fixture);
        for (int step = 0; step < EVENTS_MAX && rows[i].steps[step].what != 0; step++)
            run_step(&fixture, &rows[i].steps[step], step);
        fixture_close(&fixture);
    }
}

static void events_of_two_providers_are_two_events(void **state)
{
    struct fixture fixture;
    enum refund_outcome outcome;
    (void)state;
    fixture_open(&fixture);
    struct store_tx *tx = begin(&fixture);
    OK(payment_refund(tx, &outcome, PROVIDER_STRIPE, "e", "k1", REFUND_FULL, &test_trace));
    assert_int_equal(outcome, REFUND_TOMBSTONE);
    OK(payment_refund(tx, &outcome, PROVIDER_STANDARD, "e", "k2", REFUND_FULL, &test_trace));
    assert_int_equal(outcome, REFUND_TOMBSTONE);
    OK(payment_refund(tx, &outcome, PROVIDER_STANDARD, "e", "k2", REFUND_FULL, &test_trace));
    assert_int_equal(outcome, REFUND_DUPLICATE);
    commit(&fixture);
    fixture_close(&fixture);
}

static void a_cancelled_first_payment_lets_the_next_one_earn(void **state)
{
    struct fixture fixture;
    struct program program = program_usdc("first");
    enum refund_outcome outcome;
    (void)state;
    program.trigger = PROGRAM_FIRST_PAYMENT;
    fixture_open(&fixture);
    struct store_tx *tx = begin(&fixture);
    add_program(tx, &program);
    add_user(tx, 1, 100, "first");
    assert_int_equal(pay(tx, "a", 1, 1000).state, PAYMENT_ACCEPTED);
    assert_int_equal(pay(tx, "b", 1, 1000).state, PAYMENT_ALREADY_EARNED);
    OK(payment_refund(tx, &outcome, PROVIDER_STRIPE, "e", "a", REFUND_FULL, &test_trace));
    assert_int_equal(outcome, REFUND_CANCELLED);
    assert_int_equal(pay(tx, "c", 1, 1000).state, PAYMENT_ACCEPTED);
    assert_int_equal(pay(tx, "d", 1, 1000).state, PAYMENT_ALREADY_EARNED);
    commit(&fixture);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refunds_in_every_order_end_as_they_should),
        cmocka_unit_test(events_of_two_providers_are_two_events),
        cmocka_unit_test(a_cancelled_first_payment_lets_the_next_one_earn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
