// SPDX-License-Identifier: Apache-2.0
// Nonces, attempts and money: leases and epochs, all-or-nothing, the life of a slot.
#include "store/fixture.h"
#include "store/slot_rows.h"

#define LEASE_MS 10000

struct world {
    struct fixture fixture;
    struct lane lane;
    int64_t jobs[3]; // payouts, queued
    struct attempt attempt;
};

static struct attempt attempt_of(uint8_t number)
{
    static uint8_t raw[4];
    struct attempt attempt;
    memset(&attempt, 0, sizeof attempt);
    memset(attempt.hash.bytes, number, sizeof attempt.hash.bytes);
    memset(raw, number, sizeof raw);
    attempt.raw = (struct bytes){raw, sizeof raw};
    assert_true(wei_parse_units(&attempt.max_fee, "340282366920938463463374607431"));
    assert_true(wei_parse_units(&attempt.max_priority_fee, "1"));
    attempt.gas_limit = 21000;
    return attempt;
}

static int set_up(void **state)
{
    static struct world only;
    struct world *world = &only;
    memset(world, 0, sizeof *world);
    struct program usdc = program_usdc("usdc");
    struct address address = wallet_of(500);
    fixture_open(&world->fixture);
    struct store_tx *tx = begin(&world->fixture);
    add_program(tx, &usdc);
    add_user(tx, 1, 100, "usdc");
    world->jobs[0] = pay(tx, "p0", 1, 1000).job_id;
    world->jobs[1] = pay(tx, "p1", 1, 2000).job_id;
    world->jobs[2] = pay(tx, "p2", 1, 3000).job_id;
    OK(lane_acquire(tx, &world->lane, &address, 7, "one", LEASE_MS));
    commit(&world->fixture);
    world->attempt = attempt_of(1);
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

// Everything the lane functions write, as one number each.
static int64_t traces_left(const struct fixture *fixture)
{
    return scan_number(fixture, "SELECT (SELECT COUNT(*) FROM slots) + (SELECT COUNT(*) FROM"
                                " attempts) + (SELECT COUNT(*) FROM slot_jobs) + (SELECT COUNT(*)"
                                " FROM history) + (SELECT COUNT(*) FROM outbox)"
                                " + (SELECT SUM(next_nonce) FROM lanes)"
                                " + (SELECT SUM(state * 100 + tries) FROM jobs)"
                                " + COALESCE((SELECT SUM(state * 100 + sends) FROM attempts), 0)"
                                " + COALESCE((SELECT SUM(state * 100) FROM slots), 0)");
}

static struct slot assign(struct world *world, struct store_tx *tx, int64_t nonce, size_t count)
{
    struct slot slot;
    OK(slot_assign(tx, &slot, &world->attempt, &world->lane, nonce, world->jobs, count,
                   &world->attempt));
    return slot;
}

static struct inclusion included(uint8_t hash, uint8_t block)
{
    struct inclusion inclusion;
    memset(&inclusion, 0, sizeof inclusion);
    memset(inclusion.transaction_hash.bytes, hash, sizeof inclusion.transaction_hash.bytes);
    memset(inclusion.block_hash.bytes, block, sizeof inclusion.block_hash.bytes);
    inclusion.block_number = block;
    inclusion.succeeded = true;
    inclusion.gas_used = 60000;
    assert_true(wei_parse_units(&inclusion.gas_price, "2000000000"));
    return inclusion;
}

static void expect_jobs(struct store_tx *tx, const struct world *world, enum job_state a,
                        enum job_state b, enum job_state c)
{
    assert_int_equal(job_now(tx, world->jobs[0]).state, a);
    assert_int_equal(job_now(tx, world->jobs[1]).state, b);
    assert_int_equal(job_now(tx, world->jobs[2]).state, c);
}

// ---- leases

static void a_lease_that_runs_keeps_others_out_and_one_that_ended_does_not(void **state)
{
    struct world *world = *state;
    struct address address = wallet_of(500);
    struct lane other;
    struct store_tx *tx = begin(&world->fixture);
    assert_int_equal(world->lane.next_nonce, 7);
    IS(lane_acquire(tx, &other, &address, 0, "two", LEASE_MS), STATUS_BUSY);
    commit(&world->fixture);
    world->fixture.now_ms += LEASE_MS;
    tx = begin(&world->fixture);
    OK(lane_acquire(tx, &other, &address, 0, "two", LEASE_MS));
    commit(&world->fixture);
    assert_int_equal(other.epoch, world->lane.epoch + 1);
    assert_int_equal(other.next_nonce, 7); // what the chain says now does not matter any more
}

static void renewing_keeps_the_lease_and_releasing_gives_it_up(void **state)
{
    struct world *world = *state;
    struct address address = wallet_of(500);
    struct lane other;
    world->fixture.now_ms += LEASE_MS - 1;
    struct store_tx *tx = begin(&world->fixture);
    OK(lane_renew(tx, &world->lane, LEASE_MS));
    commit(&world->fixture);
    world->fixture.now_ms += LEASE_MS - 1;
    tx = begin(&world->fixture);
    IS(lane_acquire(tx, &other, &address, 0, "two", LEASE_MS), STATUS_BUSY);
    OK(lane_release(tx, &world->lane));
    IS(lane_renew(tx, &world->lane, LEASE_MS), STATUS_DENIED);
    OK(lane_acquire(tx, &other, &address, 0, "two", LEASE_MS));
    commit(&world->fixture);
}

static void the_same_holder_coming_back_puts_its_former_life_out(void **state)
{
    struct world *world = *state;
    struct address address = wallet_of(500);
    struct lane again;
    struct store_tx *tx = begin(&world->fixture);
    OK(lane_acquire(tx, &again, &address, 0, "one", LEASE_MS));
    IS(lane_renew(tx, &world->lane, LEASE_MS), STATUS_DENIED);
    OK(lane_renew(tx, &again, LEASE_MS));
    commit(&world->fixture);
}

static void a_stale_epoch_is_refused_for_every_write_and_leaves_nothing(void **state)
{
    struct world *world = *state;
    struct address address = wallet_of(500);
    struct inclusion inclusion = included(1, 9);
    struct job_settlement settlement = {.job_id = world->jobs[0], .next = JOB_CONFIRMED};
    struct lane other;
    struct slot slot, refused;
    struct attempt attempt;
    int64_t attempt_id;
    struct store_tx *tx = begin(&world->fixture);
    slot = assign(world, tx, 7, 1);
    commit(&world->fixture);
    world->fixture.now_ms += LEASE_MS;
    tx = begin(&world->fixture);
    OK(lane_acquire(tx, &other, &address, 0, "two", LEASE_MS));
    commit(&world->fixture);
    int64_t before = traces_left(&world->fixture);
    tx = begin(&world->fixture);
    IS(lane_renew(tx, &world->lane, LEASE_MS), STATUS_DENIED);
    IS(lane_release(tx, &world->lane), STATUS_DENIED);
    IS(slot_assign(tx, &refused, &attempt, &world->lane, 8, world->jobs + 1, 1, &world->attempt),
       STATUS_DENIED);
    IS(attempt_add(tx, &attempt_id, &world->lane, slot.id, &world->attempt), STATUS_DENIED);
    IS(attempts_sent(tx, &world->lane, &world->attempt.id, 1), STATUS_DENIED);
    IS(slot_mined(tx, &world->lane, slot.id, &inclusion), STATUS_DENIED);
    IS(slot_unmined(tx, &world->lane, slot.id), STATUS_DENIED);
    IS(slot_final(tx, &world->lane, slot.id, &settlement, 1), STATUS_DENIED);
    IS(slot_unresolved(tx, &world->lane, slot.id, "why"), STATUS_DENIED);
    IS(slot_foreign(tx, &world->lane, slot.id, &settlement, 1), STATUS_DENIED);
    commit(&world->fixture);
    assert_int_equal(traces_left(&world->fixture), before);
}

// ---- assigning

static void assigning_binds_jobs_nonce_and_bytes_together(void **state)
{
    struct world *world = *state;
    struct slot_row *rows;
    size_t count;
    struct store_tx *tx = begin(&world->fixture);
    struct slot slot = assign(world, tx, 7, 2);
    OK(slots_unfinished(tx, &rows, &count, &world->lane, world->fixture.arena));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].slot.id, slot.id);
    assert_int_equal(rows[0].slot.nonce, 7);
    assert_int_equal(rows[0].slot.kind, SLOT_WORK);
    assert_int_equal(rows[0].attempts_count, 1);
    assert_int_equal(rows[0].attempts[0].id, world->attempt.id);
    assert_int_equal(rows[0].attempts[0].state, ATTEMPT_SIGNED);
    assert_true(hash32_equal(&rows[0].attempts[0].hash, &world->attempt.hash));
    assert_true(bytes_equal(rows[0].attempts[0].raw, world->attempt.raw));
    assert_int_equal(wei_compare(rows[0].attempts[0].max_fee, world->attempt.max_fee), 0);
    assert_int_equal(rows[0].jobs_count, 2);
    assert_int_equal(rows[0].jobs[0].id, world->jobs[0]);
    assert_int_equal(rows[0].jobs[1].id, world->jobs[1]);
    assert_int_equal(rows[0].jobs[0].slot_id, slot.id);
    assert_int_equal(rows[0].jobs[0].tries, 1);
    expect_jobs(tx, world, JOB_ASSIGNED, JOB_ASSIGNED, JOB_QUEUED);
    commit(&world->fixture);
    assert_int_equal(scan_number(&world->fixture, "SELECT next_nonce FROM lanes"), 8);
}

// Each row is refused for its own reason and leaves nothing, in a group that goes on.
static void an_assignment_in_conflict_leaves_nothing_in_its_group(void **state)
{
    struct world *world = *state;
    const int64_t absent[] = {world->jobs[1], 999999}, twice[] = {world->jobs[1], world->jobs[1]},
                  taken[] = {world->jobs[1], world->jobs[0]};
    const struct {
        const char *what;
        int64_t nonce;
        const int64_t *jobs;
        size_t count;
    } rows[] = {
        {"a nonce already used", 7, world->jobs + 1, 1},
        {"a nonce that leaves a gap", 9, world->jobs + 1, 1},
        {"a job that is not there", 8, absent, 2},
        {"a job twice", 8, twice, 2},
        {"the second job assigned already", 8, taken, 2},
    };
    struct slot slot;
    struct attempt attempt;
    struct store_tx *tx = begin(&world->fixture);
    assign(world, tx, 7, 1);
    commit(&world->fixture);
    int64_t before = traces_left(&world->fixture);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].what);
        tx = begin(&world->fixture);
        IS(slot_assign(tx, &slot, &attempt, &world->lane, rows[i].nonce, rows[i].jobs,
                       rows[i].count, &world->attempt),
           STATUS_CONFLICT);
        commit(&world->fixture);
        assert_int_equal(traces_left(&world->fixture), before);
    }
    tx = begin(&world->fixture);
    IS(slot_assign(tx, &slot, &attempt, &world->lane, 8, twice, 2, &world->attempt),
       STATUS_CONFLICT);
    OK(slot_assign(tx, &slot, &attempt, &world->lane, 8, world->jobs + 1, 2, &world->attempt));
    commit(&world->fixture);
    assert_int_equal(scan_number(&world->fixture, "SELECT COUNT(*) FROM slots"), 2);
}

static void a_held_job_is_claimed_only_when_it_is_due(void **state)
{
    struct world *world = *state;
    struct program held = program_usdc("held");
    struct slot slot;
    struct attempt attempt;
    struct job *due;
    size_t count;
    held.hold_seconds = 5;
    struct store_tx *tx = begin(&world->fixture);
    add_program(tx, &held);
    add_user(tx, 2, 100, "held");
    int64_t job = pay(tx, "held", 2, 1000).job_id;
    IS(slot_assign(tx, &slot, &attempt, &world->lane, 7, &job, 1, &world->attempt),
       STATUS_CONFLICT);
    commit(&world->fixture);
    world->fixture.now_ms += 5000;
    tx = begin(&world->fixture);
    OK(jobs_due(tx, &due, &count, world->fixture.now_ms, 1u << JOB_PAYOUT_USDC, 100,
                world->fixture.arena));
    assert_int_equal(count, 4);
    assert_int_equal(due[3].id, job);
    assert_int_equal(due[3].state, JOB_HELD);
    OK(slot_assign(tx, &slot, &attempt, &world->lane, 7, &job, 1, &world->attempt));
    assert_int_equal(job_now(tx, job).state, JOB_ASSIGNED);
    struct job_event *events;
    OK(job_timeline(tx, &events, &count, job, world->fixture.arena));
    assert_int_equal(count, 3);
    assert_int_equal(events[0].to, JOB_HELD);
    assert_int_equal(events[1].to, JOB_QUEUED);
    assert_int_equal(events[2].to, JOB_ASSIGNED);
    commit(&world->fixture);
}

static void a_filler_takes_a_nonce_without_jobs(void **state)
{
    struct world *world = *state;
    struct inclusion inclusion = included(1, 9);
    struct store_tx *tx = begin(&world->fixture);
    struct slot slot = assign(world, tx, 7, 0);
    assert_int_equal(slot.kind, SLOT_FILLER);
    OK(attempts_sent(tx, &world->lane, &world->attempt.id, 1));
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    OK(slot_final(tx, &world->lane, slot.id, NULL, 0));
    commit(&world->fixture);
    assert_int_equal(scan_number(&world->fixture, "SELECT state FROM slots"), SLOT_FINAL);
}

// ---- the life of a slot

static void a_slot_lives_through_bumps_and_reorganisations(void **state)
{
    struct world *world = *state;
    struct attempt bump = attempt_of(2), *attempts;
    struct inclusion by_first = included(1, 20), by_bump = included(2, 21),
                     foreign = included(3, 9);
    struct slot slot;
    size_t count;
    int64_t bump_id;
    struct store_tx *tx = begin(&world->fixture);
    slot = assign(world, tx, 7, 2);
    OK(attempts_sent(tx, &world->lane, &world->attempt.id, 1));
    expect_jobs(tx, world, JOB_SENT, JOB_SENT, JOB_QUEUED);
    OK(attempt_add(tx, &bump_id, &world->lane, slot.id, &bump));
    OK(attempts_sent(tx, &world->lane, &bump_id, 1));
    commit(&world->fixture);

    tx = begin(&world->fixture);
    IS(slot_mined(tx, &world->lane, slot.id, &foreign), STATUS_CONFLICT); // no hash of ours
    OK(slot_mined(tx, &world->lane, slot.id, &by_first));
    expect_jobs(tx, world, JOB_MINED, JOB_MINED, JOB_QUEUED);
    IS(attempt_add(tx, &bump_id, &world->lane, slot.id, &bump), STATUS_CONFLICT);
    OK(slot_unmined(tx, &world->lane, slot.id));
    expect_jobs(tx, world, JOB_SENT, JOB_SENT, JOB_QUEUED);
    IS(slot_unmined(tx, &world->lane, slot.id), STATUS_CONFLICT);
    OK(slot_mined(tx, &world->lane, slot.id, &by_first));
    OK(slot_mined(tx, &world->lane, slot.id, &by_bump)); // another block, the other attempt
    commit(&world->fixture);

    tx = begin(&world->fixture);
    OK(job_slot(tx, &slot, &attempts, &count, world->jobs[0], world->fixture.arena));
    assert_int_equal(slot.state, SLOT_MINED);
    assert_int_equal(slot.inclusion.block_number, 21);
    assert_true(hash32_equal(&slot.inclusion.transaction_hash, &bump.hash));
    assert_int_equal(wei_compare(slot.inclusion.gas_price, by_bump.gas_price), 0);
    assert_int_equal(count, 2);
    assert_int_equal(attempts[0].state, ATTEMPT_SENT);
    assert_int_equal(attempts[1].state, ATTEMPT_MINED);
    commit(&world->fixture);
}

static void a_final_slot_settles_each_job_its_own_way(void **state)
{
    struct world *world = *state;
    struct attempt bump = attempt_of(2), *attempts;
    struct inclusion inclusion = included(2, 30);
    struct slot slot;
    size_t count;
    int64_t bump_id;
    struct job_settlement settlements[] = {
        {world->jobs[2], JOB_PARKED, {.cause = "reverted", .why = "Blacklisted"}},
        {world->jobs[0], JOB_CONFIRMED, {.cause = "final", .outcome = JOB_OUTCOME_OWED}},
        {world->jobs[1], JOB_QUEUED, {.cause = "retry", .due_ms = START_MS + 777}},
    };
    struct store_tx *tx = begin(&world->fixture);
    slot = assign(world, tx, 7, 3);
    OK(attempt_add(tx, &bump_id, &world->lane, slot.id, &bump));
    OK(attempts_sent(tx, &world->lane, &world->attempt.id, 1));
    IS(slot_final(tx, &world->lane, slot.id, settlements, 3), STATUS_CONFLICT); // not mined
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    commit(&world->fixture);
    int64_t before = traces_left(&world->fixture);

    tx = begin(&world->fixture);
    IS(slot_final(tx, &world->lane, slot.id, settlements, 2), STATUS_CONFLICT); // one unsettled
    settlements[1].job_id = world->jobs[2];
    IS(slot_final(tx, &world->lane, slot.id, settlements, 3), STATUS_CONFLICT); // one twice
    settlements[1].job_id = world->jobs[0];
    settlements[1].next = JOB_CANCELLED;
    IS(slot_final(tx, &world->lane, slot.id, settlements, 3), STATUS_CONFLICT); // no such end
    settlements[1].next = JOB_CONFIRMED;
    commit(&world->fixture);
    assert_int_equal(traces_left(&world->fixture), before);

    tx = begin(&world->fixture);
    OK(slot_final(tx, &world->lane, slot.id, settlements, 3));
    expect_jobs(tx, world, JOB_CONFIRMED, JOB_QUEUED, JOB_PARKED);
    assert_int_equal(job_now(tx, world->jobs[0]).outcome, JOB_OUTCOME_OWED);
    assert_int_equal(job_now(tx, world->jobs[0]).slot_id, slot.id);
    assert_int_equal(job_now(tx, world->jobs[1]).slot_id, 0);
    assert_int_equal(job_now(tx, world->jobs[1]).due_ms, START_MS + 777);
    assert_string_equal(job_now(tx, world->jobs[2]).reason, "Blacklisted");
    OK(job_slot(tx, &slot, &attempts, &count, world->jobs[0], world->fixture.arena));
    assert_int_equal(slot.state, SLOT_FINAL);
    assert_int_equal(attempts[0].state, ATTEMPT_REPLACED);
    assert_int_equal(attempts[1].state, ATTEMPT_MINED);
    IS(slot_final(tx, &world->lane, slot.id, settlements, 3), STATUS_CONFLICT); // only once
    IS(slot_unmined(tx, &world->lane, slot.id), STATUS_CONFLICT);
    commit(&world->fixture);

    tx = begin(&world->fixture); // the retried job takes the next nonce
    OK(slot_assign(tx, &slot, &world->attempt, &world->lane, 8, &world->jobs[1], 1,
                   &world->attempt));
    assert_int_equal(job_now(tx, world->jobs[1]).tries, 2);
    commit(&world->fixture);
}

static void sending_a_retried_jobs_old_attempt_does_not_move_it(void **state)
{
    struct world *world = *state;
    struct inclusion inclusion = included(1, 30);
    struct job_settlement settlement = {world->jobs[0], JOB_QUEUED, {.cause = "retry"}};
    struct slot slot;
    struct attempt second = attempt_of(2);
    struct store_tx *tx = begin(&world->fixture);
    slot = assign(world, tx, 7, 1);
    int64_t first_attempt = world->attempt.id;
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    OK(slot_final(tx, &world->lane, slot.id, &settlement, 1));
    OK(slot_assign(tx, &slot, &second, &world->lane, 8, world->jobs, 1, &second));
    OK(attempts_sent(tx, &world->lane, &first_attempt, 1));
    assert_int_equal(job_now(tx, world->jobs[0]).state, JOB_ASSIGNED);
    OK(attempts_sent(tx, &world->lane, &second.id, 1));
    assert_int_equal(job_now(tx, world->jobs[0]).state, JOB_SENT);
    commit(&world->fixture);
}

static void a_foreign_nonce_is_settled_only_by_proof(void **state)
{
    struct world *world = *state;
    struct slot slot;
    struct attempt *attempts;
    size_t count;
    struct job_settlement settlements[] = {
        {world->jobs[0], JOB_QUEUED, {.cause = "proof"}},
        {world->jobs[1], JOB_CONFIRMED, {.cause = "proof", .outcome = JOB_OUTCOME_ALREADY}},
    };
    struct store_tx *tx = begin(&world->fixture);
    slot = assign(world, tx, 7, 2);
    OK(attempts_sent(tx, &world->lane, &world->attempt.id, 1));
    IS(slot_foreign(tx, &world->lane, slot.id, settlements, 2), STATUS_CONFLICT);
    OK(slot_unresolved(tx, &world->lane, slot.id, "nonce 7 is spent"));
    expect_jobs(tx, world, JOB_UNRESOLVED, JOB_UNRESOLVED, JOB_QUEUED);
    OK(slot_unmined(tx, &world->lane, slot.id)); // the other transaction was reorganised away
    expect_jobs(tx, world, JOB_SENT, JOB_SENT, JOB_QUEUED);
    OK(slot_unresolved(tx, &world->lane, slot.id, "nonce 7 is spent"));
    commit(&world->fixture);
    tx = begin(&world->fixture);
    settlements[0].next = JOB_PARKED; // no proof leads there
    IS(slot_foreign(tx, &world->lane, slot.id, settlements, 2), STATUS_CONFLICT);
    settlements[0].next = JOB_QUEUED;
    OK(slot_foreign(tx, &world->lane, slot.id, settlements, 2));
    expect_jobs(tx, world, JOB_QUEUED, JOB_CONFIRMED, JOB_QUEUED);
    OK(attempt_rows(tx, &attempts, &count, slot.id, world->fixture.arena));
    assert_int_equal(attempts[0].state, ATTEMPT_DROPPED);
    commit(&world->fixture);
    assert_int_equal(scan_number(&world->fixture, "SELECT state FROM slots"), SLOT_FOREIGN);
}

static void refund(struct store_tx *tx, const char *event, const char *key)
{
    enum refund_outcome outcome;
    OK(payment_refund(tx, &outcome, PROVIDER_STRIPE, event, key, REFUND_FULL, &test_trace));
    assert_int_equal(outcome, REFUND_RECEIVABLE);
}

static int64_t receivable(struct store_tx *tx)
{
    struct affiliate affiliate;
    struct address wallet = wallet_of(100);
    OK(affiliate_by_wallet(tx, &affiliate, &wallet));
    return usdc_units(affiliate.usdc_receivable);
}

static void a_payout_refunded_while_signed_is_cancelled_where_it_comes_to_nothing(void **state)
{
    struct world *world = *state;
    struct inclusion inclusion = included(1, 30);
    struct job_settlement settlements[] = {
        {world->jobs[0], JOB_QUEUED, {.cause = "reverted"}},
        {world->jobs[1], JOB_PARKED, {.cause = "reverted"}},
        {world->jobs[2], JOB_CONFIRMED, {.cause = "final", .outcome = JOB_OUTCOME_DONE}},
    };
    struct store_tx *tx = begin(&world->fixture);
    struct slot slot = assign(world, tx, 7, 3);
    refund(tx, "e0", "p0");
    refund(tx, "e1", "p1");
    refund(tx, "e2", "p2");
    assert_int_equal(receivable(tx), 600);
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    OK(slot_final(tx, &world->lane, slot.id, settlements, 3));
    expect_jobs(tx, world, JOB_CANCELLED, JOB_CANCELLED, JOB_CONFIRMED);
    assert_int_equal(receivable(tx), 300); // only what was paid is owed back
    commit(&world->fixture);
}

static void a_payout_refunded_while_unresolved_is_cancelled_where_it_is_proven_unpaid(void **state)
{
    struct world *world = *state;
    struct job_settlement settlement = {world->jobs[0], JOB_QUEUED, {.cause = "proof"}};
    struct store_tx *tx = begin(&world->fixture);
    struct slot slot = assign(world, tx, 7, 1);
    OK(slot_unresolved(tx, &world->lane, slot.id, "?"));
    refund(tx, "e0", "p0");
    OK(slot_foreign(tx, &world->lane, slot.id, &settlement, 1));
    assert_int_equal(job_now(tx, world->jobs[0]).state, JOB_CANCELLED);
    assert_int_equal(receivable(tx), 0);
    commit(&world->fixture);
}

static void an_unresolved_slot_may_turn_up_in_a_block_after_all(void **state)
{
    struct world *world = *state;
    struct inclusion inclusion = included(1, 30);
    struct store_tx *tx = begin(&world->fixture);
    struct slot slot = assign(world, tx, 7, 1);
    OK(slot_unresolved(tx, &world->lane, slot.id, "?"));
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    assert_int_equal(job_now(tx, world->jobs[0]).state, JOB_MINED);
    commit(&world->fixture);
}

static void the_store_itself_refuses_a_nonce_twice(void **state)
{
    struct world *world = *state;
    struct store_tx *tx = begin(&world->fixture);
    assign(world, tx, 7, 1);
    commit(&world->fixture);
    tx = begin(&world->fixture);
    IS(db_script(tx->db, "INSERT INTO slots (id, lane_id, nonce, kind, state, block_number,"
                         " succeeded, gas_used, gas_price, created_ms)"
                         " VALUES (99, 1, 7, 1, 1, 0, 0, 0, '0', 0)"),
       STATUS_EXISTS);
    tx_rollback(tx);
}

// fault 24: sent, taken back by a reorganisation, final: by growing ids
static void the_merchant_is_told_of_the_first_sending_each_step_back_and_the_end(void **state)
{
    struct world *world = *state;
    struct inclusion inclusion = included(1, 30);
    struct job_settlement settlement = {
        world->jobs[0], JOB_CONFIRMED, {.cause = "final", .outcome = JOB_OUTCOME_DONE}};
    struct outbox_message *messages;
    size_t count;
    struct store_tx *tx = begin(&world->fixture);
    struct slot slot = assign(world, tx, 7, 1);
    OK(attempts_sent(tx, &world->lane, &world->attempt.id, 1));
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    OK(slot_unmined(tx, &world->lane, slot.id));
    OK(slot_mined(tx, &world->lane, slot.id, &inclusion));
    OK(slot_final(tx, &world->lane, slot.id, &settlement, 1));
    OK(outbox_due(tx, &messages, &count, world->fixture.now_ms, 10, world->fixture.arena));
    assert_int_equal(count, 3);
    assert_string_equal(messages[0].type, "payout.sent");
    assert_string_equal(messages[0].webhook_id, "msg_0000000000000001");
    assert_string_equal(messages[1].type, "payout.reorged");
    assert_string_equal(messages[2].type, "payout.confirmed");
    assert_true(messages[0].id < messages[1].id && messages[1].id < messages[2].id);
    assert_int_equal(messages[2].job.id, world->jobs[0]);
    assert_true(messages[2].inclusion.known);
    assert_int_equal(messages[2].inclusion.block_number, 30);
    OK(outbox_delivered(tx, messages[0].id));
    IS(outbox_delivered(tx, messages[0].id), STATUS_CONFLICT);
    OK(outbox_delivered(tx, messages[1].id));
    OK(outbox_failed(tx, messages[2].id, world->fixture.now_ms + 5, false, "503"));
    int64_t due_ms;
    OK(outbox_next_due_ms(tx, &due_ms));
    assert_int_equal(due_ms, world->fixture.now_ms + 5);
    OK(outbox_due(tx, &messages, &count, world->fixture.now_ms + 5, 10, world->fixture.arena));
    assert_int_equal(count, 1);
    assert_int_equal(messages[0].tries, 1);
    OK(outbox_failed(tx, messages[0].id, 0, true, "gone"));
    OK(outbox_next_due_ms(tx, &due_ms));
    assert_int_equal(due_ms, INT64_MAX);
    commit(&world->fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lease_that_runs_keeps_others_out_and_one_that_ended_does_not),
        TEST(renewing_keeps_the_lease_and_releasing_gives_it_up),
        TEST(the_same_holder_coming_back_puts_its_former_life_out),
        TEST(a_stale_epoch_is_refused_for_every_write_and_leaves_nothing),
        TEST(assigning_binds_jobs_nonce_and_bytes_together),
        TEST(an_assignment_in_conflict_leaves_nothing_in_its_group),
        TEST(a_held_job_is_claimed_only_when_it_is_due),
        TEST(a_filler_takes_a_nonce_without_jobs),
        TEST(a_slot_lives_through_bumps_and_reorganisations),
        TEST(a_final_slot_settles_each_job_its_own_way),
        TEST(sending_a_retried_jobs_old_attempt_does_not_move_it),
        TEST(a_foreign_nonce_is_settled_only_by_proof),
        TEST(a_payout_refunded_while_signed_is_cancelled_where_it_comes_to_nothing),
        TEST(a_payout_refunded_while_unresolved_is_cancelled_where_it_is_proven_unpaid),
        TEST(an_unresolved_slot_may_turn_up_in_a_block_after_all),
        TEST(the_store_itself_refuses_a_nonce_twice),
        TEST(the_merchant_is_told_of_the_first_sending_each_step_back_and_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
