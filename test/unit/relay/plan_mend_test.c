// SPDX-License-Identifier: Apache-2.0
// Sending again, bumping, giving up: one row per outcome.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan_fixture.h"

static void fresh(struct fixture *f)
{
    (void)f;
}
static void send_is_due(struct fixture *f)
{
    f->facts.now_ms = f->slot.mood.send_next_ms;
}
static void blocks_went_by(struct fixture *f)
{
    f->slot.mood.send_block = f->facts.head.number - PLAN_RESEND_BLOCKS;
}
static void blocks_went_by_but_it_was_refused(struct fixture *f)
{
    blocks_went_by(f);
    f->slot.mood.refusals = 1;
}
static void stuck(struct fixture *f)
{
    f->facts.now_ms = f->slot.mood.attempt_since_ms + f->limits.stuck_after_ms;
    f->facts.head_since_ms = f->facts.now_ms;
    f->slot.mood.send_next_ms = f->facts.now_ms + 1;
}
static void stuck_one_short(struct fixture *f)
{
    stuck(f);
    f->facts.now_ms--;
}
static void stuck_behind_another(struct fixture *f)
{
    stuck(f);
    f->facts.nonce = 4;
}
static void stuck_behind_another_and_outgrown(struct fixture *f)
{
    stuck_behind_another(f);
    f->facts.fees.base_fee = fixture_wei(801);
}
static void next_in_line_only_just(struct fixture *f)
{
    stuck(f);
    f->facts.nonce_since_ms = f->facts.now_ms - 1;
}
static void stuck_while_no_block_comes(struct fixture *f)
{
    stuck(f);
    f->facts.now_ms += PLAN_STALL_MS;
    f->slot.mood.send_next_ms = f->facts.now_ms + 1;
}
static void stuck_at_the_ceiling(struct fixture *f)
{
    stuck(f);
    f->limits.fees.max_fee = fixture_wei(899);
}
static void stuck_at_the_ceiling_and_send_due(struct fixture *f)
{
    stuck_at_the_ceiling(f);
    f->slot.mood.send_next_ms = f->facts.now_ms;
}
static void stuck_and_fees_unknown(struct fixture *f)
{
    stuck(f);
    f->facts.fees_known = false;
}
static void stuck_with_all_attempts_used(struct fixture *f)
{
    static struct lane_attempt many[SLOT_ATTEMPTS_MAX];
    stuck(f);
    for (size_t i = 0; i < SLOT_ATTEMPTS_MAX; i++)
        many[i] = f->attempts[0];
    f->slot.attempts = many;
    f->slot.attempts_count = SLOT_ATTEMPTS_MAX;
}
static void node_wants_more(struct fixture *f)
{
    f->slot.mood.bump_wanted = true;
    f->facts.now_ms = f->slot.mood.attempt_since_ms + PLAN_BUMP_PAUSE_MS;
}
static void node_wants_more_too_soon(struct fixture *f)
{
    node_wants_more(f);
    f->facts.now_ms--;
}
static void refused_for_good(struct fixture *f)
{
    f->slot.mood.fatal = true;
}
static void refused_for_good_and_filled(struct fixture *f)
{
    refused_for_good(f);
    fixture_attempt(f, 2, true);
}
static void filler_stuck(struct fixture *f)
{
    refused_for_good_and_filled(f);
    stuck(f);
}
static void mined(struct fixture *f)
{
    stuck(f);
    fixture_mined(f, 0, 100, 100);
}
static void nonce_used(struct fixture *f)
{
    stuck(f);
    f->slot.mood.send_next_ms = 0;
    f->facts.nonce = 6;
}
static void refused_by_the_signer(struct fixture *f)
{
    stuck(f);
    f->slot.mood.bump_denied = true;
}
static void after_a_restart(struct fixture *f)
{
    memset(&f->slot.mood, 0, sizeof f->slot.mood);
    f->slot.mood.attempt_since_ms = f->facts.now_ms;
}

static const struct {
    const char *name;
    void (*change)(struct fixture *fixture);
    enum mend_verb verb;
    uint64_t fee;
} rows[] = {
    {"sent a moment ago", fresh, MEND_NOTHING, 0},
    {"time to send again", send_is_due, MEND_SEND, 0},
    {"blocks went by", blocks_went_by, MEND_SEND, 0},
    {"a refused one waits its pause out", blocks_went_by_but_it_was_refused, MEND_NOTHING, 0},
    {"after a restart the same bytes go out", after_a_restart, MEND_SEND, 0},
    {"stuck", stuck, MEND_BUMP, 900},
    {"one millisecond short of stuck", stuck_one_short, MEND_NOTHING, 0},
    {"behind another nonce a bump would not help", stuck_behind_another, MEND_NOTHING, 0},
    {"unless the base fee has outgrown it", stuck_behind_another_and_outgrown, MEND_BUMP, 1692},
    {"next in line for a moment only", next_in_line_only_just, MEND_NOTHING, 0},
    {"no block comes for anybody", stuck_while_no_block_comes, MEND_NOTHING, 0},
    {"at the ceiling there is no bump", stuck_at_the_ceiling, MEND_NOTHING, 0},
    {"but the bytes are sent again", stuck_at_the_ceiling_and_send_due, MEND_SEND, 0},
    {"without fees there is no bump", stuck_and_fees_unknown, MEND_NOTHING, 0},
    {"bumps are limited", stuck_with_all_attempts_used, MEND_NOTHING, 0},
    {"a node wants more", node_wants_more, MEND_BUMP, 900},
    {"not twice within the pause", node_wants_more_too_soon, MEND_NOTHING, 0},
    {"refused for good is filled", refused_for_good, MEND_FILL, 900},
    {"once", refused_for_good_and_filled, MEND_NOTHING, 0},
    {"a stuck filler is bumped", filler_stuck, MEND_BUMP, 900},
    {"the signer has refused it once", refused_by_the_signer, MEND_NOTHING, 0},
    {"what is mined is left alone", mined, MEND_NOTHING, 0},
    {"a used nonce is never sent", nonce_used, MEND_NOTHING, 0},
};

// fault 11, 14, 16: sent again, bumped, or left alone
static void every_remedy_has_its_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture fixture;
        fixture_setup(&fixture);
        rows[i].change(&fixture);
        struct mend mend = plan_mend(&fixture.slot, &fixture.facts, &fixture.limits);
        if (mend.verb != rows[i].verb ||
            (rows[i].fee != 0 && (uint64_t)wei_units(mend.fees.max_fee) != rows[i].fee))
            fail_msg("%s: verb %d fee %llu", rows[i].name, (int)mend.verb,
                     (unsigned long long)wei_units(mend.fees.max_fee));
    }
}

// fault 14: at the ceiling the operator hears of it, and no fee grows
static void only_the_ceiling_is_told_as_such(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct fixture *fixture);
        bool at_ceiling;
    } ceilings[] = {{stuck_at_the_ceiling, true},
                    {stuck_at_the_ceiling_and_send_due, true},
                    {stuck, false},
                    {fresh, false},
                    {stuck_with_all_attempts_used, false},
                    {refused_by_the_signer, false}};
    for (size_t i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
        struct fixture fixture;
        fixture_setup(&fixture);
        ceilings[i].change(&fixture);
        struct mend mend = plan_mend(&fixture.slot, &fixture.facts, &fixture.limits);
        assert_int_equal(mend.at_ceiling, ceilings[i].at_ceiling);
    }
}

static void a_filler_at_the_ceiling_keeps_the_fees(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    refused_for_good(&fixture);
    fixture.limits.fees.max_fee = fixture_wei(800);
    struct mend mend = plan_mend(&fixture.slot, &fixture.facts, &fixture.limits);
    assert_int_equal(mend.verb, MEND_FILL);
    assert_int_equal((uint64_t)wei_units(mend.fees.max_fee), 800);
}

// ---------------------------------------------------------------- answers of nodes

struct answer_row {
    const char *name;
    enum send_outcome outcome;
    enum rpc_class rpc_class;
    bool taken_before, filler;
    int32_t refusals;
    bool taken, bump_wanted, fatal;
};

static const struct answer_row answers[] = {
    {"accepted", SEND_ACCEPTED, RPC_UNKNOWN, false, false, 0, true, false, false},
    {"unknown counts as sent", SEND_UNKNOWN, RPC_UNKNOWN, false, false, 0, true, false, false},
    {"refused in unknown words", SEND_REFUSED, RPC_UNKNOWN, false, false, 0, true, false, false},
    {"already known", SEND_REFUSED, RPC_ALREADY_KNOWN, false, false, 0, true, false, false},
    {"nonce too low", SEND_REFUSED, RPC_NONCE_TOO_LOW, false, false, 1, false, false, false},
    {"underpriced", SEND_REFUSED, RPC_UNDERPRICED, false, false, 1, false, true, false},
    {"replacement underpriced", SEND_REFUSED, RPC_REPLACEMENT_UNDERPRICED, true, false, 1, true,
     true, false},
    {"pool full", SEND_REFUSED, RPC_POOL_FULL, false, false, 1, false, false, false},
    {"insufficient funds", SEND_REFUSED, RPC_INSUFFICIENT_FUNDS, false, false, 1, false, false,
     false},
    {"nonce gap", SEND_REFUSED, RPC_NONCE_GAP, false, false, 1, false, false, false},
    {"wrong chain", SEND_REFUSED, RPC_WRONG_CHAIN, false, false, 1, false, false, false},
    {"rate limited", SEND_REFUSED, RPC_RATE_LIMITED, false, false, 1, false, false, false},
    {"transient", SEND_REFUSED, RPC_TRANSIENT, false, false, 1, false, false, false},
    {"fatal", SEND_REFUSED, RPC_FATAL, false, false, 1, false, false, true},
    {"fatal after a node took it", SEND_REFUSED, RPC_FATAL, true, false, 1, true, false, false},
    {"a refused filler", SEND_REFUSED, RPC_FATAL, false, true, 1, false, false, false},
    {"a filler that is taken", SEND_ACCEPTED, RPC_UNKNOWN, false, true, 0, false, false, false},
};

// fault 5, 6, 10, 12, 15, 17, 18: what an answer changes, and what it does not
static void every_answer_has_its_consequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer_row *row = &answers[i];
        struct fixture fixture;
        fixture_setup(&fixture);
        fixture.slot.mood.taken = row->taken_before;
        if (row->filler)
            fixture_attempt(&fixture, 2, true);
        struct send_result result = {row->outcome, row->rpc_class, "words"};
        plan_sent(&fixture.slot, &result, &fixture.facts, &fixture.limits);
        const struct slot_mood *mood = &fixture.slot.mood;
        if (mood->refusals != row->refusals || mood->taken != row->taken ||
            mood->bump_wanted != row->bump_wanted || mood->fatal != row->fatal ||
            mood->send_next_ms <= fixture.facts.now_ms)
            fail_msg("%s: refusals %d taken %d bump %d fatal %d next %lld", row->name,
                     mood->refusals, mood->taken, mood->bump_wanted, mood->fatal,
                     (long long)mood->send_next_ms);
    }
}

// A timeout looked like a taker, but every node refuses the payload: the lane must not stand still.
static void a_payload_that_all_go_on_refusing_is_given_up(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    struct send_result unknown = {SEND_UNKNOWN, RPC_UNKNOWN, "timeout"};
    struct send_result fatal = {SEND_REFUSED, RPC_FATAL, "exceeds block gas limit"};
    plan_sent(&fixture.slot, &unknown, &fixture.facts, &fixture.limits);
    for (int i = 1; i < PLAN_FATAL_REFUSALS; i++) {
        plan_sent(&fixture.slot, &fatal, &fixture.facts, &fixture.limits);
        assert_false(fixture.slot.mood.fatal);
    }
    plan_sent(&fixture.slot, &fatal, &fixture.facts, &fixture.limits);
    assert_true(fixture.slot.mood.fatal);
    assert_string_equal(fixture.slot.mood.fatal_text, "exceeds block gas limit");
}

// fault 15: the pauses grow, with jitter, up to a limit
static void refusals_pause_longer_and_longer(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    struct send_result full = {SEND_REFUSED, RPC_POOL_FULL, "txpool is full"};
    int64_t pause = 0;
    for (int i = 0; i < 20; i++) {
        plan_sent(&fixture.slot, &full, &fixture.facts, &fixture.limits);
        int64_t next = fixture.slot.mood.send_next_ms - fixture.facts.now_ms;
        assert_true(next <= PLAN_REFUSED_MS_MAX);
        assert_true(next > pause || next > PLAN_REFUSED_MS_MAX * 3 / 4);
        pause = next;
    }
}

// fault 12: the tip that the node names
static void an_underpriced_answer_names_the_tip(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    struct send_result result = {SEND_REFUSED, RPC_UNDERPRICED,
                                 "gas tip cap 80, minimum needed 500"};
    plan_sent(&fixture.slot, &result, &fixture.facts, &fixture.limits);
    fixture.facts.now_ms = fixture.slot.mood.attempt_since_ms + PLAN_BUMP_PAUSE_MS;
    struct mend mend = plan_mend(&fixture.slot, &fixture.facts, &fixture.limits);
    assert_int_equal(mend.verb, MEND_BUMP);
    assert_int_equal((uint64_t)wei_units(mend.fees.max_priority_fee), 500);
}

// fault 32: no block for long, while something waits for one
static void a_chain_stalls_only_while_something_waits_for_a_block(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_setup(&fixture);
    struct lane_slot *items[] = {&fixture.slot};
    struct lane_slots none = {0}, one = {items, 1};
    fixture.facts.now_ms = fixture.facts.head_since_ms + PLAN_STALL_MS;
    assert_false(plan_stalled(&none, &fixture.facts));
    assert_true(plan_stalled(&one, &fixture.facts));
    fixture.slot.mood.attempt_since_ms = fixture.facts.now_ms - 1;
    assert_false(plan_stalled(&one, &fixture.facts));
    fixture.slot.mood.attempt_since_ms = 0;
    fixture.facts.head_since_ms++;
    assert_false(plan_stalled(&one, &fixture.facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_remedy_has_its_cause),
        cmocka_unit_test(only_the_ceiling_is_told_as_such),
        cmocka_unit_test(a_filler_at_the_ceiling_keeps_the_fees),
        cmocka_unit_test(every_answer_has_its_consequence),
        cmocka_unit_test(a_payload_that_all_go_on_refusing_is_given_up),
        cmocka_unit_test(refusals_pause_longer_and_longer),
        cmocka_unit_test(an_underpriced_answer_names_the_tip),
        cmocka_unit_test(a_chain_stalls_only_while_something_waits_for_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
