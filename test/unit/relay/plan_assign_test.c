// SPDX-License-Identifier: Apache-2.0
// Which due jobs share a transaction, and what a preflight makes of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plan_fixture.h"

#include <stdio.h>

#define JOBS_MAX 600

static struct job jobs[JOBS_MAX];

// "u" USDC, "h" hybrid, "r" referral, "m" mint; upper case: retried.
static size_t make_jobs(const char *kinds)
{
    size_t count = strlen(kinds);
    memset(jobs, 0, sizeof jobs);
    for (size_t i = 0; i < count; i++) {
        char kind = kinds[i];
        bool retried = kind >= 'A' && kind <= 'Z';
        kind = (char)(retried ? kind + ('a' - 'A') : kind);
        jobs[i].id = (int64_t)i + 1;
        jobs[i].tries = retried;
        jobs[i].kind = kind == 'u'   ? JOB_PAYOUT_USDC
                       : kind == 'h' ? JOB_PAYOUT_HYBRID
                       : kind == 'r' ? JOB_REGISTER_REFERRAL
                                     : JOB_MINT_IDENTITY;
    }
    return count;
}

// "one:1 many:2,3" and so on, for comparing.
static void print_groups(char *out, size_t size, const struct plan_group *groups, size_t count)
{
    static const char *const names[] = {"pay", "pays", "owed", "refer", "refers", "mint", "mints"};
    size_t at = 0;
    out[0] = '\0';
    for (size_t g = 0; g < count && at < size; g++) {
        at +=
            (size_t)snprintf(out + at, size - at, "%s%s", g == 0 ? "" : " ", names[groups[g].form]);
        for (size_t i = 0; i < groups[g].count && at < size; i++)
            at += (size_t)snprintf(out + at, size - at, "%c%lld", i == 0 ? ':' : ',',
                                   (long long)groups[g].jobs[i]->id);
    }
}

static void due_jobs_share_transactions(void **state)
{
    (void)state;
    static const struct {
        const char *name, *kinds;
        size_t free;
        int64_t size_max, gas_max;
        const char *groups;
    } rows[] = {
        {"nothing due", "", 16, 200, 15000000, ""},
        {"no slot free", "uuu", 0, 200, 15000000, ""},
        {"one alone takes the single form", "u", 16, 200, 15000000, "pay:1"},
        {"two share", "uu", 16, 200, 15000000, "pays:1,2"},
        {"both payout kinds share", "uhu", 16, 200, 15000000, "pays:1,2,3"},
        {"kinds of contracts do not", "urmurm", 16, 200, 15000000, "pays:1,4 refers:2,5 mints:3,6"},
        {"oldest first when slots are short", "rum", 2, 200, 15000000, "refer:1 pay:2"},
        {"but a batch still grows", "rumrur", 2, 200, 15000000, "refers:1,4,6 pays:2,5"},
        {"batches are cut by size", "uuuuu", 16, 2, 15000000, "pays:1,2 pays:3,4 pay:5"},
        {"batches are cut by gas", "uuu", 16, 200, GAS_PAY_BATCH_BASE + 2 * GAS_PAY_BATCH_USDC,
         "pays:1,2 pay:3"},
        {"hybrids weigh more", "uhu", 16, 200,
         GAS_PAY_BATCH_BASE + GAS_PAY_BATCH_USDC + GAS_PAY_BATCH_HYBRID, "pays:1,2 pay:3"},
        {"a batch of one by size", "uu", 16, 1, 15000000, "pay:1 pay:2"},
        {"retried jobs go alone", "uUu", 16, 200, 15000000, "pays:1,3 pay:2"},
        {"retried jobs do not share among themselves", "UUr", 16, 200, 15000000,
         "pay:1 pay:2 refer:3"},
        {"more than fits is left for later", "uuuuu", 2, 2, 15000000, "pays:1,2 pays:3,4"},
    };
    struct arena *arena = arena_new(1 << 22);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture f;
        fixture_setup(&f);
        f.limits.batch_size_max = rows[i].size_max;
        f.limits.batch_gas_max = rows[i].gas_max;
        struct plan_group *groups;
        size_t count;
        assert_true(plan_group(&groups, &count, jobs, make_jobs(rows[i].kinds), rows[i].free,
                               &f.limits, arena));
        char text[200];
        print_groups(text, sizeof text, groups, count);
        if (strcmp(text, rows[i].groups) != 0)
            fail_msg("%s: %s", rows[i].name, text);
    }
    arena_free(arena);
}

static void no_group_is_over_its_budget(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 22);
    struct fixture f;
    fixture_setup(&f);
    f.limits.batch_size_max = 500;
    make_jobs("");
    for (size_t i = 0; i < JOBS_MAX; i++) {
        jobs[i].id = (int64_t)i + 1;
        jobs[i].kind = i % 3 == 0 ? JOB_PAYOUT_HYBRID : JOB_PAYOUT_USDC;
    }
    struct plan_group *groups;
    size_t count, total = 0;
    assert_true(plan_group(&groups, &count, jobs, JOBS_MAX, 16, &f.limits, arena));
    for (size_t g = 0; g < count; g++) {
        assert_true(groups[g].gas_limit <= f.limits.batch_gas_max);
        assert_true(groups[g].count <= PLAN_BATCH_MAX);
        total += groups[g].count;
    }
    assert_int_equal(total, JOBS_MAX);
    arena_free(arena);
}

// ---------------------------------------------------------------- after the preflight

// One letter per job: P pays, O owed, D done, W wait, H held for funds, T held for a paused token,
// S small, X parks, ? nobody knows why it would revert.
static struct preflight verdict_of(char letter)
{
    switch (letter) {
    case 'P':
        return (struct preflight){VERDICT_PAYS, NULL, NULL};
    case 'O':
        return (struct preflight){VERDICT_OWED, NULL, "blacklisted"};
    case 'D':
        return (struct preflight){VERDICT_DONE, NULL, NULL};
    case 'H':
        return (struct preflight){VERDICT_HOLD, "funds", "short"};
    case 'T':
        return (struct preflight){VERDICT_HOLD, "token_paused", "paused"};
    case 'S':
        return (struct preflight){VERDICT_SMALL, NULL, NULL};
    case '?':
        return (struct preflight){VERDICT_DOUBT, NULL, "0xdeadbeef"};
    case 'X':
        return (struct preflight){VERDICT_PARK, NULL, "PayoutCapExceeded()"};
    default:
        return (struct preflight){VERDICT_WAIT, NULL, NULL};
    }
}

static void print_actions(char *out, size_t size, const struct assignment *assignment)
{
    static const char *const verbs[] = {"confirm", "park", "postpone", "later"};
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < assignment->actions_count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s:%lld", i == 0 ? "" : " ",
                               verbs[assignment->actions[i].verb],
                               (long long)assignment->actions[i].job_id);
}

static const struct {
    const char *name, *kinds, *verdicts;
    size_t free;
    const char *groups, *actions;
    const char *hold; // of USDC payouts; "-": nothing said
} decisions[] = {
    {"all pay", "uuu", "PPP", 16, "pays:1,2,3", "", ""},
    {"one pays", "u", "P", 16, "pay:1", "", ""},
    {"a bad one leaves the batch", "uuu", "PXP", 16, "pays:1,3", "park:2", ""},
    {"the last of a batch goes alone", "uuu", "DPX", 16, "pay:2", "confirm:1 park:3", ""},
    {"done already", "u", "D", 16, "", "confirm:1", ""},
    {"done but not final waits", "u", "W", 16, "", "postpone:1", "-"},
    {"blacklisted goes in the form that owes", "uuu", "POP", 16, "pays:1,3 owed:2", "", ""},
    {"as far as slots are free", "uuu", "POP", 1, "pays:1,3", "", ""},
    {"short of funds holds the kind", "uu", "HH", 16, "", "", "funds"},
    {"unless one of it can go", "uu", "HP", 16, "pay:2", "postpone:1", ""},
    {"a pause holds the kind", "uu", "TT", 16, "", "", "token_paused"},
    {"parked jobs say nothing of the kind", "uu", "XT", 16, "", "park:1", "token_paused"},
    {"the other kind goes on", "uh", "HP", 16, "pay:2", "", "funds"},
    {"what does not fit beside the others waits", "uu", "PS", 16, "pay:1", "postpone:2", ""},
    {"a revert nobody knows is tried again", "uu", "P?", 16, "pay:1", "later:2", ""},
    {"and says nothing of the kind", "uu", "?T", 16, "", "later:1", "token_paused"},
};

static void every_verdict_has_its_consequence(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 22);
    for (size_t i = 0; i < sizeof decisions / sizeof decisions[0]; i++) {
        struct fixture f;
        fixture_setup(&f);
        struct plan_group *groups;
        size_t count, jobs_count = make_jobs(decisions[i].kinds);
        assert_true(plan_group(&groups, &count, jobs, jobs_count, 16, &f.limits, arena));
        struct preflight verdicts[8];
        for (size_t j = 0; j < jobs_count; j++)
            verdicts[j] = verdict_of(decisions[i].verdicts[j]);
        struct assignment made;
        assert_true(plan_assign(&made, groups, count, verdicts, decisions[i].free, &f.facts,
                                &f.limits, arena));
        char text[200], actions[200];
        print_groups(text, sizeof text, made.groups, made.groups_count);
        print_actions(actions, sizeof actions, &made);
        const char *hold = "-";
        for (size_t h = 0; h < made.holds_count; h++)
            if (made.holds[h].kind == JOB_PAYOUT_USDC)
                hold = made.holds[h].set == NULL ? "" : made.holds[h].set;
        if (strcmp(text, decisions[i].groups) != 0 || strcmp(actions, decisions[i].actions) != 0 ||
            strcmp(hold, decisions[i].hold) != 0)
            fail_msg("%s: groups [%s] actions [%s] hold [%s]", decisions[i].name, text, actions,
                     hold);
    }
    arena_free(arena);
}

// fault 20: an unknown revert is tried again with growing pauses, and the last try parks it
static void a_revert_nobody_knows_parks_with_the_last_try(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct fixture f;
    fixture_setup(&f);
    int64_t last_ms = 0;
    size_t count = make_jobs("u");
    const struct job *pointer = &jobs[0];
    const struct plan_group group = {.jobs = &pointer, .count = count};
    const struct preflight doubt = verdict_of('?');
    for (jobs[0].tries = 0; jobs[0].tries < f.limits.tries_max; jobs[0].tries++) {
        struct assignment made;
        assert_true(plan_assign(&made, &group, 1, &doubt, 16, &f.facts, &f.limits, arena));
        assert_int_equal(made.actions_count, 1);
        const struct job_action *action = &made.actions[0];
        bool last = jobs[0].tries + 1 == f.limits.tries_max;
        assert_int_equal(action->verb, last ? JOB_VERB_PARK : JOB_VERB_TRY_LATER);
        assert_string_equal(action->change.why, "0xdeadbeef");
        if (!last && jobs[0].tries < 5)
            assert_true(action->change.due_ms > last_ms);
        last_ms = action->change.due_ms;
    }
    arena_free(arena);
}

// fault 20: every custom error maps to what is done
static void every_revert_has_its_verdict(void **state)
{
    (void)state;
    static const struct {
        enum revert_cause cause;
        const char *text;
        enum verdict verdict;
        const char *hold;
    } rows[] = {
        {REVERT_ALREADY_PAID, "AlreadyPaid(0x01)", VERDICT_DONE, NULL},
        {REVERT_ALREADY_MINTED, "AlreadyMinted(0x01)", VERDICT_DONE, NULL},
        {REVERT_PAUSED, "EnforcedPause()", VERDICT_HOLD, "contract_paused"},
        {REVERT_PAUSED, "Pausable: paused", VERDICT_HOLD, "token_paused"},
        {REVERT_DAILY_CAP, "DailyCapExceeded()", VERDICT_HOLD, "daily_cap"},
        {REVERT_FUNDS, "InsufficientFunds()", VERDICT_HOLD, "funds"},
        {REVERT_UNAUTHORIZED, "AccessControlUnauthorizedAccount()", VERDICT_HOLD, "unauthorized"},
        {REVERT_BLACKLISTED, "Blacklistable: account is blacklisted", VERDICT_OWED, NULL},
        {REVERT_PAYOUT_CAP, "PayoutCapExceeded()", VERDICT_PARK, NULL},
        {REVERT_REFUSED, "SelfReferral()", VERDICT_PARK, NULL},
        {REVERT_ALREADY_REFERRED, "AlreadyReferred()", VERDICT_PARK, NULL},
        {REVERT_UNKNOWN, "0xdeadbeef", VERDICT_DOUBT, NULL},
        {REVERT_EMPTY, "", VERDICT_DOUBT, NULL},
        {REVERT_PANIC, "Panic(0x11)", VERDICT_DOUBT, NULL},
        {REVERT_MESSAGE, "something else", VERDICT_DOUBT, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct revert revert = {.cause = rows[i].cause};
        snprintf(revert.text, sizeof revert.text, "%s", rows[i].text);
        struct preflight preflight = plan_preflight_revert(&revert);
        assert_int_equal(preflight.verdict, rows[i].verdict);
        if (rows[i].hold == NULL)
            assert_null(preflight.hold);
        else
            assert_string_equal(preflight.hold, rows[i].hold);
    }
}

// Groups of one or more jobs of so many USDC each, before a room of 10 USDC.
static void what_does_not_fit_beside_the_others_waits(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t usdc[4], flight;
        const char *before, *after;
    } rows[] = {
        {"all fit", {2, 3, 5}, 0, "PPP", "PPP"},
        {"one too many", {2, 3, 6}, 0, "PPP", "PPS"},
        {"a smaller one behind goes", {2, 9, 8}, 0, "PPP", "PSP"},
        {"what is in flight counts", {2, 3, 5}, 6, "PPP", "PSS"},
        {"in flight is more than there is", {1, 1, 1}, 11, "PPP", "SSS"},
        {"what is owed counts too", {6, 5, 4}, 0, "OPP", "OSP"},
        {"what does not go takes nothing", {9, 9, 9}, 0, "XHP", "XHP"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct preflight verdicts[3];
        const struct job *pointers[3];
        struct room room = room_unlimited();
        struct flight flight = {0};
        size_t count = make_jobs("uuu");
        assert_true(usdc_from_units(&room.left.usdc, 10));
        assert_true(usdc_from_units(&flight.usdc, rows[i].flight));
        for (size_t j = 0; j < count; j++) {
            assert_true(usdc_from_units(&jobs[j].usdc, rows[i].usdc[j]));
            verdicts[j] = verdict_of(rows[i].before[j]);
            pointers[j] = &jobs[j];
        }
        const struct plan_group groups[] = {{.jobs = pointers, .count = 2},
                                            {.jobs = pointers + 2, .count = 1}};
        room_use(&room, &flight);
        plan_fit(verdicts, groups, 2, &room);
        for (size_t j = 0; j < count; j++)
            if (verdicts[j].verdict != verdict_of(rows[i].after[j]).verdict)
                fail_msg("%s: job %zu", rows[i].name, j);
    }
}

static void the_balance_pays_for_so_many(void **state)
{
    (void)state;
    struct fixture f;
    fixture_setup(&f);
    struct lane_slot *items[] = {&f.slot};
    struct lane_slots none = {0}, one = {items, 1}; // its slot may cost 80,000,000
    struct plan_group groups[] = {{.gas_limit = 100000}, {.gas_limit = 200000}};
    struct fee_pair fees = {fixture_wei(100), fixture_wei(1)};
    static const struct {
        uint64_t balance;
        bool with_slot;
        size_t affordable;
    } rows[] = {{0, false, 0},        {9999999, false, 0},  {10000000, false, 1},
                {29999999, false, 1}, {30000000, false, 2}, {89999999, true, 0},
                {90000000, true, 1},  {110000000, true, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(plan_affordable(groups, 2, &fees, fixture_wei(rows[i].balance),
                                         rows[i].with_slot ? &one : &none),
                         rows[i].affordable);
    struct wei cost;
    assert_true(plan_gas_needed(&cost, &groups[0], &fees, &one));
    assert_int_equal(wei_units(cost), 90000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_jobs_share_transactions),
        cmocka_unit_test(no_group_is_over_its_budget),
        cmocka_unit_test(every_verdict_has_its_consequence),
        cmocka_unit_test(every_revert_has_its_verdict),
        cmocka_unit_test(a_revert_nobody_knows_parks_with_the_last_try),
        cmocka_unit_test(what_does_not_fit_beside_the_others_waits),
        cmocka_unit_test(the_balance_pays_for_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
