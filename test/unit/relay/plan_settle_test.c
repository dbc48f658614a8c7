// SPDX-License-Identifier: Apache-2.0
// How jobs of a final slot end: events to endings, endings to settlements.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan_fixture.h"

#include "eth/keccak.h"

#include <stdio.h>

#define LOGS_MAX 8

struct events {
    struct event_log logs[LOGS_MAX];
    uint8_t data[LOGS_MAX][64];
    size_t count;
};

static struct hash32 topic_of_address(const struct address *address)
{
    struct hash32 topic = {{0}};
    memcpy(topic.bytes + 12, address->bytes, 20);
    return topic;
}

static struct event_log *add_log(struct events *events, const char *signature)
{
    struct event_log *log = &events->logs[events->count];
    log->address = fixture_contract;
    log->topics[0] = keccak256_text(signature);
    log->data = (struct bytes){events->data[events->count], 64};
    events->count++;
    return log;
}

static void add_payout(struct events *events, const struct job *job, const char *name)
{
    char signature[80];
    bool usdc_alone = strcmp(name, "AffiliatePaid") == 0;
    snprintf(signature, sizeof signature, "%s(bytes32,address,uint256%s)", name,
             usdc_alone ? "" : ",uint256");
    struct event_log *log = add_log(events, signature);
    log->data.size = usdc_alone ? 32 : 64;
    log->topics[1] = job->payout_id;
    log->topics[2] = topic_of_address(&job->referrer);
    log->topics_count = 3;
    events->data[events->count - 1][31] = 5;
}

static void add_skip(struct events *events, const struct job *job, const char *error)
{
    struct event_log *log = add_log(events, "PayoutSkipped(bytes32,bytes4)");
    struct hash32 selector = keccak256_text(error);
    log->topics[1] = job->payout_id;
    log->topics_count = 2;
    log->data.size = 32;
    memcpy(events->data[events->count - 1], selector.bytes, 4);
}

static void add_referral(struct events *events, const struct job *job)
{
    struct event_log *log = add_log(events, "ReferralRegistered(address,address)");
    log->topics[1] = topic_of_address(&job->child);
    log->topics[2] = topic_of_address(&job->referrer);
    log->topics_count = 3;
    log->data.size = 0;
}

static void add_mint(struct events *events, const struct job *job)
{
    struct event_log *log = add_log(events, "Transfer(address,address,uint256)");
    log->topics[2] = topic_of_address(&job->child);
    log->topics[3] = topic_of_address(&job->child);
    log->topics_count = 4;
    log->data.size = 0;
}

static void read_endings(struct job_ending *endings, struct fixture *f, struct events *events)
{
    struct chain_receipt *receipt = fixture_receipt(f, 0, 100, 100);
    receipt->logs = events->logs;
    receipt->logs_count = events->count;
    plan_endings(endings, &f->slot, 0, receipt);
}

static void a_batch_ends_differently_for_each_of_its_jobs(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending endings[FIXTURE_JOBS];
    fixture_setup(&f);
    f.slot.jobs_count = 4;
    add_payout(&events, &f.jobs[0], "AffiliatePaid");
    add_payout(&events, &f.jobs[1], "PayoutOwed");
    add_skip(&events, &f.jobs[3], "AlreadyPaid(bytes32)");
    read_endings(endings, &f, &events);
    assert_int_equal(endings[0].ending, ENDING_DONE);
    assert_int_equal(endings[1].ending, ENDING_OWED);
    assert_int_equal(endings[2].ending, ENDING_NOTHING);
    assert_int_equal(endings[3].ending, ENDING_SKIPPED);
    assert_int_equal(endings[3].cause, REVERT_ALREADY_PAID);
}

static void events_out_of_order_find_their_jobs(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending endings[FIXTURE_JOBS];
    fixture_setup(&f);
    f.slot.jobs_count = 3;
    add_payout(&events, &f.jobs[2], "AffiliatePaid");
    add_payout(&events, &f.jobs[0], "AffiliatePaid");
    add_payout(&events, &f.jobs[1], "AffiliatePaid");
    read_endings(endings, &f, &events);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(endings[i].ending, ENDING_DONE);
}

static void a_half_owed_hybrid_is_owed(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending ending;
    fixture_setup(&f);
    f.jobs[0].kind = JOB_PAYOUT_HYBRID;
    add_payout(&events, &f.jobs[0], "AffiliatePaidHybrid");
    add_payout(&events, &f.jobs[0], "PayoutOwed");
    read_endings(&ending, &f, &events);
    assert_int_equal(ending.ending, ENDING_OWED);
}

static void an_event_of_another_contract_is_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending ending;
    fixture_setup(&f);
    add_payout(&events, &f.jobs[0], "AffiliatePaid");
    events.logs[0].address.bytes[0] = 0xdd;
    read_endings(&ending, &f, &events);
    assert_int_equal(ending.ending, ENDING_NOTHING);
}

static void
the_contract_the_transaction_called_is_believed_whatever_the_settings_say_now(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending endings[FIXTURE_JOBS];
    fixture_setup(&f);
    f.contracts.payout.bytes[0] = 0xdd; // another deployment since it was sent
    add_payout(&events, &f.jobs[0], "AffiliatePaid");
    read_endings(endings, &f, &events);
    assert_int_equal(endings[0].ending, ENDING_DONE);
}

static void an_event_of_another_payout_is_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending ending;
    fixture_setup(&f);
    add_payout(&events, &f.jobs[1], "AffiliatePaid");
    read_endings(&ending, &f, &events);
    assert_int_equal(ending.ending, ENDING_NOTHING);
}

static void referrals_and_mints_have_their_events(void **state)
{
    (void)state;
    struct fixture f;
    struct events events = {0};
    struct job_ending ending;
    fixture_setup(&f);
    f.jobs[0].kind = JOB_REGISTER_REFERRAL;
    add_referral(&events, &f.jobs[0]);
    read_endings(&ending, &f, &events);
    assert_int_equal(ending.ending, ENDING_DONE);
    f.jobs[0].kind = JOB_MINT_IDENTITY;
    events = (struct events){0};
    add_mint(&events, &f.jobs[0]);
    read_endings(&ending, &f, &events);
    assert_int_equal(ending.ending, ENDING_DONE);
}

static void a_revert_and_a_filler_say_so_of_all_jobs(void **state)
{
    (void)state;
    struct fixture f;
    struct job_ending endings[2];
    fixture_setup(&f);
    f.slot.jobs_count = 2;
    struct chain_receipt *receipt = fixture_receipt(&f, 0, 100, 100);
    receipt->succeeded = false;
    plan_endings(endings, &f.slot, 0, receipt);
    assert_int_equal(endings[1].ending, ENDING_REVERTED);
    fixture_attempt(&f, 2, true);
    plan_endings(endings, &f.slot, 1, fixture_receipt(&f, 1, 100, 100));
    assert_int_equal(endings[0].ending, ENDING_FILLED);
}

// ---------------------------------------------------------------- settlements

struct settle_row {
    const char *name;
    enum ending ending;
    enum revert_cause skipped;
    enum effect effect;
    bool out_of_gas, revert_known;
    enum revert_cause reverted;
    size_t jobs;
    int32_t tries;
    bool decided;
    enum job_state next;
    enum job_outcome outcome;
};

#define NO_REVERT false, false, REVERT_UNKNOWN

static const struct settle_row settle_rows[] = {
    {"paid", ENDING_DONE, 0, EFFECT_UNKNOWN, NO_REVERT, 1, 1, true, JOB_CONFIRMED,
     JOB_OUTCOME_DONE},
    {"owed", ENDING_OWED, 0, EFFECT_UNKNOWN, NO_REVERT, 1, 1, true, JOB_CONFIRMED,
     JOB_OUTCOME_OWED},
    {"skipped and the chain does not say", ENDING_SKIPPED, REVERT_ALREADY_PAID, EFFECT_UNKNOWN,
     NO_REVERT, 1, 1, false, 0, 0},
    {"skipped, already paid", ENDING_SKIPPED, REVERT_ALREADY_PAID, EFFECT_PRESENT, NO_REVERT, 1, 1,
     true, JOB_CONFIRMED, JOB_OUTCOME_ALREADY},
    {"skipped for the daily cap", ENDING_SKIPPED, REVERT_DAILY_CAP, EFFECT_ABSENT, NO_REVERT, 1, 1,
     true, JOB_QUEUED, 0},
    {"skipped for funds", ENDING_SKIPPED, REVERT_FUNDS, EFFECT_ABSENT, NO_REVERT, 1, 1, true,
     JOB_QUEUED, 0},
    {"skipped for an unknown reason", ENDING_SKIPPED, REVERT_UNKNOWN, EFFECT_ABSENT, NO_REVERT, 1,
     1, true, JOB_QUEUED, 0},
    {"skipped for its size", ENDING_SKIPPED, REVERT_PAYOUT_CAP, EFFECT_ABSENT, NO_REVERT, 1, 1,
     true, JOB_PARKED, 0},
    {"skipped for good", ENDING_SKIPPED, REVERT_REFUSED, EFFECT_ABSENT, NO_REVERT, 1, 1, true,
     JOB_PARKED, 0},
    {"no trace, but there", ENDING_NOTHING, 0, EFFECT_PRESENT, NO_REVERT, 1, 1, true, JOB_CONFIRMED,
     JOB_OUTCOME_ALREADY},
    {"no trace at all", ENDING_NOTHING, 0, EFFECT_ABSENT, NO_REVERT, 1, 1, true, JOB_PARKED, 0},
    {"bound to another referrer", ENDING_SKIPPED, REVERT_ALREADY_REFERRED, EFFECT_OTHER, NO_REVERT,
     1, 1, true, JOB_PARKED, 0},
    {"reverted, cause passes", ENDING_REVERTED, 0, EFFECT_ABSENT, false, true, REVERT_PAUSED, 1, 1,
     true, JOB_QUEUED, 0},
    {"reverted, cause does not pass", ENDING_REVERTED, 0, EFFECT_ABSENT, false, true,
     REVERT_PAYOUT_CAP, 1, 1, true, JOB_PARKED, 0},
    {"reverted as a batch", ENDING_REVERTED, 0, EFFECT_ABSENT, false, true, REVERT_UNKNOWN, 3, 1,
     true, JOB_QUEUED, 0},
    {"reverted, cause unreadable", ENDING_REVERTED, 0, EFFECT_ABSENT, false, false, 0, 1, 1, true,
     JOB_QUEUED, 0},
    {"reverted but paid elsewhere", ENDING_REVERTED, 0, EFFECT_PRESENT, false, true,
     REVERT_ALREADY_PAID, 1, 1, true, JOB_CONFIRMED, JOB_OUTCOME_ALREADY},
    {"reverted and the chain does not say", ENDING_REVERTED, 0, EFFECT_UNKNOWN, false, true,
     REVERT_PAUSED, 1, 1, false, 0, 0},
    {"out of gas", ENDING_REVERTED, 0, EFFECT_ABSENT, true, false, 0, 1, 1, true, JOB_QUEUED, 0},
    {"out of gas again", ENDING_REVERTED, 0, EFFECT_ABSENT, true, false, 0, 1, PLAN_GAS_TRIES_MAX,
     true, JOB_PARKED, 0},
    {"out of gas in a batch", ENDING_REVERTED, 0, EFFECT_ABSENT, true, false, 0, 3,
     PLAN_GAS_TRIES_MAX, true, JOB_QUEUED, 0},
    {"tries used up", ENDING_REVERTED, 0, EFFECT_ABSENT, false, true, REVERT_PAUSED, 1, 8, true,
     JOB_PARKED, 0},
    {"filled the first time", ENDING_FILLED, 0, EFFECT_ABSENT, NO_REVERT, 1, 1, true, JOB_QUEUED,
     0},
    {"filled again", ENDING_FILLED, 0, EFFECT_ABSENT, NO_REVERT, 1, PLAN_FATAL_TRIES_MAX, true,
     JOB_PARKED, 0},
    {"filled, yet there", ENDING_FILLED, 0, EFFECT_PRESENT, NO_REVERT, 1, 1, true, JOB_CONFIRMED,
     JOB_OUTCOME_ALREADY},
};

static void check_settlement(const struct settle_row *row, struct arena *arena)
{
    struct fixture f;
    fixture_setup(&f);
    f.slot.jobs_count = row->jobs;
    struct job_ending endings[FIXTURE_JOBS];
    enum effect effects[FIXTURE_JOBS];
    for (size_t i = 0; i < FIXTURE_JOBS; i++) {
        f.jobs[i].tries = row->tries;
        endings[i] = (struct job_ending){row->ending, row->skipped};
        effects[i] = row->effect;
    }
    struct settle_facts settle = {
        endings, effects, row->out_of_gas, row->revert_known, {row->reverted, {0}, "Words()"}};
    struct job_settlement made[FIXTURE_JOBS] = {0};
    bool decided = plan_settle(made, &f.slot, &settle, &f.limits, &f.facts, arena);
    if (decided != row->decided)
        fail_msg("%s: decided %d", row->name, decided);
    for (size_t i = 0; decided && i < row->jobs; i++) {
        bool later = made[i].next != JOB_QUEUED || made[i].change.due_ms > f.facts.wall_ms;
        bool told = made[i].next == JOB_CONFIRMED || made[i].change.why != NULL;
        if (made[i].next != row->next || made[i].change.outcome != row->outcome ||
            made[i].job_id != f.jobs[i].id || !later || !told ||
            !job_change_is_allowed(JOB_MINED, made[i].next))
            fail_msg("%s: next %s", row->name, job_state_text(made[i].next));
    }
}

// fault 21, 22: status 0 is tried again where the cause passes; out of gas once more, then parked
static void every_ending_has_its_settlement(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof settle_rows / sizeof settle_rows[0]; i++)
        check_settlement(&settle_rows[i], arena);
    arena_free(arena);
}

static void the_foreign_proof_requeues_or_confirms(void **state)
{
    (void)state;
    struct fixture f;
    fixture_setup(&f);
    f.slot.jobs_count = 2;
    enum effect effects[] = {EFFECT_ABSENT, EFFECT_PRESENT};
    struct job_settlement made[2];
    plan_settle_foreign(made, &f.slot, effects, &f.facts);
    assert_int_equal(made[0].next, JOB_QUEUED);
    assert_int_equal(made[1].next, JOB_CONFIRMED);
    assert_int_equal(made[1].change.outcome, JOB_OUTCOME_ALREADY);
    for (size_t i = 0; i < 2; i++)
        assert_true(job_change_is_allowed(JOB_UNRESOLVED, made[i].next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_ends_differently_for_each_of_its_jobs),
        cmocka_unit_test(events_out_of_order_find_their_jobs),
        cmocka_unit_test(a_half_owed_hybrid_is_owed),
        cmocka_unit_test(an_event_of_another_contract_is_nothing),
        cmocka_unit_test(
            the_contract_the_transaction_called_is_believed_whatever_the_settings_say_now),
        cmocka_unit_test(an_event_of_another_payout_is_nothing),
        cmocka_unit_test(referrals_and_mints_have_their_events),
        cmocka_unit_test(a_revert_and_a_filler_say_so_of_all_jobs),
        cmocka_unit_test(every_ending_has_its_settlement),
        cmocka_unit_test(the_foreign_proof_requeues_or_confirms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
