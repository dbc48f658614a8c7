// SPDX-License-Identifier: Apache-2.0
// Due jobs to transactions: grouping before the preflight, deciding after it.
#include "relay/plan.h"

#include <string.h>

const char *const plan_hold_reasons[] = {
    "funds", "daily_cap", "token_paused", "contract_paused", "unauthorized", "contract_blacklisted",
    NULL};

// ---------------------------------------------------------------- grouping

enum family { FAMILY_PAYOUT, FAMILY_REFERRAL, FAMILY_MINT, FAMILY_COUNT };

static enum family family_of(enum job_kind kind)
{
    switch (kind) {
    case JOB_REGISTER_REFERRAL:
        return FAMILY_REFERRAL;
    case JOB_MINT_IDENTITY:
        return FAMILY_MINT;
    case JOB_PAYOUT_USDC:
    case JOB_PAYOUT_HYBRID:
        return FAMILY_PAYOUT;
    }
    return FAMILY_PAYOUT;
}

static enum tx_form form_of(enum family family, size_t count)
{
    static const enum tx_form forms[FAMILY_COUNT][2] = {
        {TX_PAY_ONE, TX_PAY_MANY}, {TX_REFER_ONE, TX_REFER_MANY}, {TX_MINT_ONE, TX_MINT_MANY}};
    return forms[family][count > 1];
}

static int64_t group_gas(enum tx_form form, const struct job *const *jobs, size_t count)
{
    size_t hybrid = 0;
    bool retried = false;
    for (size_t i = 0; i < count; i++) {
        hybrid += jobs[i]->kind == JOB_PAYOUT_HYBRID;
        retried = retried || jobs[i]->tries > 0;
    }
    return gas_limit(form, count - hybrid, hybrid, retried);
}

struct grouping {
    struct plan_group *groups;
    size_t count;
    size_t open[FAMILY_COUNT]; // index + 1 of the group that still takes jobs
    const struct plan_limits *limits;
    struct arena *arena;
    size_t jobs_max; // room made in each group
};

static size_t batch_max(const struct plan_limits *limits)
{
    return limits->batch_size_max < PLAN_BATCH_MAX ? (size_t)limits->batch_size_max
                                                   : PLAN_BATCH_MAX;
}

static bool fits(const struct plan_group *group, const struct job *job, enum family family,
                 const struct grouping *grouping)
{
    if (group->count >= batch_max(grouping->limits) || group->count >= grouping->jobs_max)
        return false;
    group->jobs[group->count] = job;
    return group_gas(form_of(family, group->count + 1), group->jobs, group->count + 1) <=
           grouping->limits->batch_gas_max;
}

static bool open_group(struct grouping *grouping, const struct job *job, enum family family)
{
    struct plan_group *group = &grouping->groups[grouping->count];
    size_t room = grouping->jobs_max < PLAN_BATCH_MAX ? grouping->jobs_max : PLAN_BATCH_MAX;
    group->jobs = arena_alloc_array(grouping->arena, room, sizeof *group->jobs);
    if (group->jobs == NULL)
        return false;
    group->jobs[0] = job;
    group->count = 1;
    grouping->count++;
    if (job->tries == 0)
        grouping->open[family] = grouping->count;
    return true;
}

// A job joins the newest group of its family, or opens one while slots are free. Groups so stand in
// the order of their oldest job.
static bool place(struct grouping *grouping, const struct job *job, size_t free)
{
    enum family family = family_of(job->kind);
    size_t open = grouping->open[family];
    if (job->tries == 0 && open != 0 && fits(&grouping->groups[open - 1], job, family, grouping)) {
        grouping->groups[open - 1].count++;
        return true;
    }
    return grouping->count >= free || open_group(grouping, job, family);
}

static void finish(struct plan_group *group)
{
    group->form = form_of(family_of(group->jobs[0]->kind), group->count);
    group->gas_limit = group_gas(group->form, group->jobs, group->count);
}

bool plan_group(struct plan_group **ret_groups, size_t *ret_count, const struct job *jobs,
                size_t jobs_count, size_t free, const struct plan_limits *limits,
                struct arena *arena)
{
    size_t room = free < jobs_count ? free : jobs_count;
    struct grouping grouping = {.limits = limits, .arena = arena, .jobs_max = jobs_count};
    grouping.groups = arena_alloc_array(arena, room, sizeof *grouping.groups);
    if (room > 0 && grouping.groups == NULL)
        return false;
    for (size_t i = 0; i < jobs_count && room > 0; i++)
        if (!place(&grouping, &jobs[i], room))
            return false;
    for (size_t i = 0; i < grouping.count; i++)
        finish(&grouping.groups[i]);
    *ret_groups = grouping.groups;
    *ret_count = grouping.count;
    return true;
}

// ---------------------------------------------------------------- what a revert means

struct preflight plan_preflight_revert(const struct revert *revert)
{
    const char *text = revert->text;
    switch (revert->cause) {
    case REVERT_ALREADY_PAID:
    case REVERT_ALREADY_MINTED:
        return (struct preflight){VERDICT_DONE, NULL, text};
    case REVERT_PAUSED:
        // Our contract says EnforcedPause(), a token says it in words.
        return (struct preflight){
            VERDICT_HOLD,
            strstr(text, "EnforcedPause") != NULL ? "contract_paused" : "token_paused", text};
    case REVERT_BLACKLISTED:
        return (struct preflight){VERDICT_OWED, NULL, text};
    case REVERT_DAILY_CAP:
        return (struct preflight){VERDICT_HOLD, "daily_cap", text};
    case REVERT_FUNDS:
        return (struct preflight){VERDICT_HOLD, "funds", text};
    case REVERT_UNAUTHORIZED:
        return (struct preflight){VERDICT_HOLD, "unauthorized", text};
    case REVERT_ALREADY_REFERRED:
    case REVERT_PAYOUT_CAP:
    case REVERT_REFUSED:
        return (struct preflight){VERDICT_PARK, NULL, text};
    case REVERT_UNKNOWN:
    case REVERT_EMPTY:
    case REVERT_PANIC:
    case REVERT_MESSAGE:
        break;
    }
    return (struct preflight){VERDICT_DOUBT, NULL, text};
}

// ---------------------------------------------------------------- room

void plan_fit(struct preflight *verdicts, const struct plan_group *groups, size_t count,
              struct room *room)
{
    size_t at = 0;
    for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < groups[g].count; i++, at++) {
            bool pays =
                verdicts[at].verdict == VERDICT_PAYS || verdicts[at].verdict == VERDICT_OWED;
            if (pays && job_kind_is_payout(groups[g].jobs[i]->kind) &&
                !room_take(room, groups[g].jobs[i]))
                verdicts[at] = (struct preflight){.verdict = VERDICT_SMALL};
        }
}

// ---------------------------------------------------------------- deciding

struct deciding {
    struct assignment *assignment;
    size_t free;
    const struct plan_facts *facts;
    const struct plan_limits *limits;
    struct arena *arena;
};

static struct hold_action *hold_of(struct assignment *assignment, enum job_kind kind)
{
    for (size_t i = 0; i < assignment->holds_count; i++)
        if (assignment->holds[i].kind == kind)
            return &assignment->holds[i];
    return NULL;
}

// A kind is held only where nothing of it can go now: one payout that is too large for the funds
// must not stop the small ones behind it.
static void note_kind(struct assignment *assignment, bool passes[JOB_KIND_COUNT + 1],
                      const struct job *job, const struct preflight *verdict)
{
    bool speaks = verdict->verdict != VERDICT_WAIT && verdict->verdict != VERDICT_PARK &&
                  verdict->verdict != VERDICT_DOUBT;
    struct hold_action *hold = hold_of(assignment, job->kind);
    if (hold == NULL && speaks) {
        hold = &assignment->holds[assignment->holds_count++];
        *hold = (struct hold_action){.kind = job->kind};
    }
    if (verdict->verdict == VERDICT_HOLD && hold->set == NULL && !passes[job->kind]) {
        hold->set = verdict->hold;
        hold->why = verdict->text;
    } else if (speaks && verdict->verdict != VERDICT_HOLD) {
        passes[job->kind] = true;
        hold->set = NULL;
    }
}

static void act(struct deciding *deciding, enum job_verb verb, const struct job *job,
                const char *cause, const char *why, int64_t delay_ms)
{
    struct assignment *assignment = deciding->assignment;
    assignment->actions[assignment->actions_count++] = (struct job_action){
        .verb = verb,
        .job_id = job->id,
        .change = {.cause = cause,
                   .why = why,
                   .due_ms = deciding->facts->wall_ms + delay_ms,
                   .outcome = verb == JOB_VERB_CONFIRM ? JOB_OUTCOME_ALREADY : JOB_OUTCOME_NONE},
    };
}

static int64_t recheck_ms(const struct deciding *deciding, const struct job *job)
{
    uint64_t jitter = plan_mix(deciding->facts->jitter, (uint64_t)job->id);
    return PLAN_HOLD_RECHECK_MS - (int64_t)(jitter % (PLAN_HOLD_RECHECK_MS / 4));
}

// One node said so, and it may be the node: the last try parks.
static void doubt(struct deciding *deciding, const struct job *job, const char *why)
{
    int64_t retry = plan_retry_delay_ms(deciding->limits, job->tries + 1,
                                        plan_mix(deciding->facts->jitter, (uint64_t)job->id));
    if (job->tries + 1 < deciding->limits->tries_max)
        act(deciding, JOB_VERB_TRY_LATER, job, "preflight", why, retry);
    else
        act(deciding, JOB_VERB_PARK, job, "preflight", why, 0);
}

// Jobs that do not go now.
static void turn_away(struct deciding *deciding, const struct job *job,
                      const struct preflight *verdict)
{
    const struct hold_action *hold = hold_of(deciding->assignment, job->kind);
    int64_t retry = plan_retry_delay_ms(deciding->limits, 1,
                                        plan_mix(deciding->facts->jitter, (uint64_t)job->id));
    switch (verdict->verdict) {
    case VERDICT_DONE:
        act(deciding, JOB_VERB_CONFIRM, job, "preflight", "the chain had it already", 0);
        return;
    case VERDICT_PARK:
        act(deciding, JOB_VERB_PARK, job, "preflight",
            verdict->text != NULL ? verdict->text : "it would revert", 0);
        return;
    case VERDICT_DOUBT:
        doubt(deciding, job, verdict->text != NULL ? verdict->text : "it would revert");
        return;
    case VERDICT_HOLD:
        if (hold == NULL || hold->set == NULL)
            act(deciding, JOB_VERB_POSTPONE, job, "preflight", verdict->text,
                recheck_ms(deciding, job));
        return;
    case VERDICT_WAIT:
        act(deciding, JOB_VERB_POSTPONE, job, "preflight",
            verdict->text != NULL ? verdict->text : "the chain did not say", retry);
        return;
    case VERDICT_SMALL:
        act(deciding, JOB_VERB_POSTPONE, job, "preflight", "waits for what goes before it", retry);
        return;
    case VERDICT_PAYS:
    case VERDICT_OWED:
        return;
    }
}

// The jobs of the group that pay stay together; one that is left alone takes the single form.
static bool keep_group(struct deciding *deciding, const struct plan_group *group,
                       const struct preflight *verdicts)
{
    struct plan_group kept = {
        .jobs = arena_alloc_array(deciding->arena, group->count, sizeof *kept.jobs)};
    if (kept.jobs == NULL)
        return false;
    for (size_t i = 0; i < group->count; i++)
        if (verdicts[i].verdict == VERDICT_PAYS)
            kept.jobs[kept.count++] = group->jobs[i];
    struct assignment *assignment = deciding->assignment;
    if (kept.count == 0 || assignment->groups_count >= deciding->free)
        return true;
    finish(&kept);
    assignment->groups[assignment->groups_count++] = kept;
    return true;
}

static bool book_owed(struct deciding *deciding, const struct job *job)
{
    struct assignment *assignment = deciding->assignment;
    if (assignment->groups_count >= deciding->free)
        return true;
    struct plan_group group = {.form = TX_PAY_OWED, .count = 1};
    group.jobs = arena_alloc_array(deciding->arena, 1, sizeof *group.jobs);
    if (group.jobs == NULL)
        return false;
    group.jobs[0] = job;
    group.gas_limit = group_gas(TX_PAY_OWED, group.jobs, 1);
    assignment->groups[assignment->groups_count++] = group;
    return true;
}

static bool decide_group(struct deciding *deciding, const struct plan_group *group,
                         const struct preflight *verdicts)
{
    if (!keep_group(deciding, group, verdicts))
        return false;
    for (size_t i = 0; i < group->count; i++) {
        turn_away(deciding, group->jobs[i], &verdicts[i]);
        if (verdicts[i].verdict == VERDICT_OWED && !book_owed(deciding, group->jobs[i]))
            return false;
    }
    return true;
}

bool plan_assign(struct assignment *ret_assignment, const struct plan_group *groups, size_t count,
                 const struct preflight *verdicts, size_t free, const struct plan_facts *facts,
                 const struct plan_limits *limits, struct arena *arena)
{
    struct assignment assignment = {0};
    struct deciding deciding = {&assignment, free, facts, limits, arena};
    bool passes[JOB_KIND_COUNT + 1] = {false};
    size_t jobs = 0;
    for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < groups[g].count; i++, jobs++)
            note_kind(&assignment, passes, groups[g].jobs[i], &verdicts[jobs]);
    assignment.groups = arena_alloc_array(arena, free, sizeof *assignment.groups);
    assignment.actions = arena_alloc_array(arena, jobs, sizeof *assignment.actions);
    if ((free > 0 && assignment.groups == NULL) || (jobs > 0 && assignment.actions == NULL))
        return false;
    for (size_t g = 0, at = 0; g < count; at += groups[g].count, g++)
        if (!decide_group(&deciding, &groups[g], &verdicts[at]))
            return false;
    *ret_assignment = assignment;
    return true;
}

// ---------------------------------------------------------------- gas money

static bool add_cost(struct wei *sum, struct wei max_fee, int64_t gas)
{
    struct wei cost;
    return wei_scale_up(&cost, max_fee, (uint32_t)gas, 1) && wei_add(sum, *sum, cost);
}

static bool open_cost(struct wei *ret_cost, const struct lane_slots *slots)
{
    struct wei spent = {0};
    for (size_t i = 0; i < slots->count; i++) {
        const struct attempt *newest = &lane_slot_newest(slots->items[i])->row;
        if (slots->items[i]->row.state == SLOT_OPEN &&
            !add_cost(&spent, newest->max_fee, newest->gas_limit))
            return false;
    }
    *ret_cost = spent;
    return true;
}

bool plan_gas_needed(struct wei *ret_cost, const struct plan_group *group,
                     const struct fee_pair *fees, const struct lane_slots *slots)
{
    return open_cost(ret_cost, slots) && add_cost(ret_cost, fees->max_fee, group->gas_limit);
}

size_t plan_affordable(const struct plan_group *groups, size_t count, const struct fee_pair *fees,
                       struct wei balance, const struct lane_slots *slots)
{
    struct wei spent;
    if (!open_cost(&spent, slots))
        return 0;
    for (size_t i = 0; i < count; i++)
        if (!add_cost(&spent, fees->max_fee, groups[i].gas_limit) ||
            wei_compare(spent, balance) > 0)
            return i;
    return count;
}
