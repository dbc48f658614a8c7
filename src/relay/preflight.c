// SPDX-License-Identifier: Apache-2.0
// eth_call of whole transactions, then of single jobs, then of what is final.
#include "relay/preflight.h"

struct run {
    const struct panel *panel;
    const struct address *lane;
    const struct relay_contracts *contracts;
    struct arena *arena;
    const struct job **jobs; // of all groups, in order
    struct preflight *verdicts;
    bool *ask_alone; // a batch would not pay it: see what it says on its own
    size_t jobs_count;
    struct preflight_room *room;
};

static enum status prepare(struct run *run, const struct plan_group *groups, size_t count)
{
    for (size_t g = 0; g < count; g++)
        run->jobs_count += groups[g].count;
    run->jobs = arena_alloc_array(run->arena, run->jobs_count, sizeof *run->jobs);
    run->verdicts = arena_alloc_array(run->arena, run->jobs_count, sizeof *run->verdicts);
    run->ask_alone = arena_alloc_array(run->arena, run->jobs_count, sizeof *run->ask_alone);
    if (run->jobs == NULL || run->verdicts == NULL || run->ask_alone == NULL)
        return STATUS_NO_MEMORY;
    size_t at = 0;
    for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < groups[g].count; i++)
            run->jobs[at++] = groups[g].jobs[i];
    return STATUS_OK;
}

static bool build_call(struct chain_call *ret_call, const struct run *run, enum tx_form form,
                       const struct job *const *jobs, size_t count, int64_t gas)
{
    struct chain_call call = {
        .from = *run->lane, .to = *payload_target(run->contracts, jobs[0]->kind), .gas_limit = gas};
    if (!payload_build(&call.data, form, jobs, count, run->arena))
        return false;
    *ret_call = call;
    return true;
}

// A failed call that is no revert is a node's trouble: nothing is known of the job.
static struct preflight of_failure(const struct call_result *result, struct arena *arena)
{
    if (result->rpc_class != RPC_REVERT)
        return (struct preflight){VERDICT_WAIT, NULL, arena_copy_text(arena, result->message)};
    struct revert *revert = arena_alloc(arena, sizeof *revert);
    if (revert == NULL)
        return (struct preflight){.verdict = VERDICT_WAIT};
    *revert = revert_decode(result->returned);
    return plan_preflight_revert(revert);
}

// What a reverted batch says of all its jobs at once; the rest is asked one by one.
static bool concerns_all(const struct preflight *preflight)
{
    return preflight->verdict == VERDICT_WAIT ||
           (preflight->verdict == VERDICT_HOLD && preflight->hold != plan_hold_reasons[0] &&
            preflight->hold != plan_hold_reasons[1]);
}

static void set_all(struct run *run, size_t from, size_t count, struct preflight verdict,
                    bool ask_alone)
{
    for (size_t i = from; i < from + count; i++) {
        run->verdicts[i] = verdict;
        run->ask_alone[i] = ask_alone;
    }
}

static void read_batch(struct run *run, size_t from, size_t count, struct bytes returned)
{
    struct preflight wait = {.verdict = VERDICT_WAIT, .text = "the batch call answered nonsense"};
    set_all(run, from, count, wait, false);
    enum payout_outcome *outcomes = arena_alloc_array(run->arena, count, sizeof *outcomes);
    if (outcomes == NULL || !read_payout_outcomes(outcomes, count, returned))
        return;
    for (size_t i = 0; i < count; i++) {
        run->verdicts[from + i] = (struct preflight){.verdict = VERDICT_PAYS};
        run->ask_alone[from + i] = outcomes[i] != PAYOUT_PAID;
    }
}

static void read_group(struct run *run, const struct plan_group *group, size_t from,
                       const struct call_result *result)
{
    if (result->succeeded && group->form == TX_PAY_MANY) {
        read_batch(run, from, group->count, result->returned);
        return;
    }
    if (result->succeeded) {
        set_all(run, from, group->count, (struct preflight){.verdict = VERDICT_PAYS}, false);
        return;
    }
    struct preflight verdict = of_failure(result, run->arena);
    set_all(run, from, group->count, verdict, group->count > 1 && !concerns_all(&verdict));
}

// The first request holds each transaction, and behind them the view of every job whose repeated
// effect would not revert: a known referral, a minted identity in a batch.
static bool needs_view(const struct job *job)
{
    return !job_kind_is_payout(job->kind);
}

static void read_views(struct run *run, const struct call_result *results)
{
    size_t at = 0;
    for (size_t i = 0; i < run->jobs_count; i++) {
        if (!needs_view(run->jobs[i]))
            continue;
        enum effect effect = effect_read(run->jobs[i], &results[at++]);
        if (effect == EFFECT_PRESENT)
            run->verdicts[i] = (struct preflight){.verdict = VERDICT_DONE};
        else if (effect == EFFECT_OTHER)
            run->verdicts[i] =
                (struct preflight){VERDICT_PARK, NULL, "the child has another referrer"};
        if (effect == EFFECT_PRESENT || effect == EFFECT_OTHER)
            run->ask_alone[i] = false;
    }
}

static enum status ask_groups(struct run *run, const struct plan_group *groups, size_t count)
{
    size_t capacity = count + run->jobs_count + ROOM_CALLS_MAX, calls_count = count;
    struct chain_call *calls = arena_alloc_array(run->arena, capacity, sizeof *calls);
    struct call_result *results = arena_alloc_array(run->arena, capacity, sizeof *results);
    if (calls == NULL || results == NULL)
        return STATUS_NO_MEMORY;
    for (size_t g = 0; g < count; g++)
        if (!build_call(&calls[g], run, groups[g].form, groups[g].jobs, groups[g].count,
                        groups[g].gas_limit))
            return STATUS_NO_MEMORY;
    for (size_t i = 0; i < run->jobs_count; i++)
        if (needs_view(run->jobs[i]) &&
            !effect_call(&calls[calls_count++], run->contracts, run->jobs[i], run->arena))
            return STATUS_NO_MEMORY;
    size_t room_at = calls_count, room_count;
    if (!room_calls(&calls[room_at], &room_count, run->contracts, &run->room->usdc, &run->room->sge,
                    run->arena))
        return STATUS_NO_MEMORY;
    calls_count += room_count;
    struct block_id latest = {.tag = BLOCK_LATEST};
    struct chain *own = run->panel->own;
    enum status status = own->ops->call(own, results, calls, calls_count, latest, run->arena);
    if (status != STATUS_OK)
        return status;
    for (size_t g = 0, from = 0; g < count; from += groups[g].count, g++)
        read_group(run, &groups[g], from, &results[g]);
    read_views(run, results + count);
    run->room->room = room_read(results + room_at, &run->room->usdc, &run->room->sge);
    return STATUS_OK;
}

static enum tx_form single_form(enum job_kind kind)
{
    switch (kind) {
    case JOB_REGISTER_REFERRAL:
        return TX_REFER_ONE;
    case JOB_MINT_IDENTITY:
        return TX_MINT_ONE;
    case JOB_PAYOUT_USDC:
    case JOB_PAYOUT_HYBRID:
        return TX_PAY_ONE;
    }
    return TX_PAY_ONE;
}

static bool build_alone(struct chain_call *ret_call, const struct run *run, const struct job *job)
{
    enum tx_form form = single_form(job->kind);
    bool hybrid = job->kind == JOB_PAYOUT_HYBRID;
    return build_call(ret_call, run, form, &job, 1, gas_limit(form, !hybrid, hybrid, true));
}

static enum status ask_alone(struct run *run)
{
    struct chain_call *calls = arena_alloc_array(run->arena, run->jobs_count, sizeof *calls);
    struct call_result *results = arena_alloc_array(run->arena, run->jobs_count, sizeof *results);
    if (calls == NULL || results == NULL)
        return STATUS_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < run->jobs_count; i++)
        if (run->ask_alone[i] && !build_alone(&calls[count++], run, run->jobs[i]))
            return STATUS_NO_MEMORY;
    if (count == 0)
        return STATUS_OK;
    struct block_id latest = {.tag = BLOCK_LATEST};
    struct chain *own = run->panel->own;
    enum status status = own->ops->call(own, results, calls, count, latest, run->arena);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0, at = 0; i < run->jobs_count; i++) {
        if (!run->ask_alone[i])
            continue;
        const struct call_result *result = &results[at++];
        run->verdicts[i] = (struct preflight){.verdict = VERDICT_SMALL};
        if (!result->succeeded)
            run->verdicts[i] = of_failure(result, run->arena);
    }
    return STATUS_OK;
}

// A payout of next to nothing, to the lane itself, that no rule of ours stands against.
static bool build_probe(struct chain_call *ret_call, const struct run *run, const struct job *job)
{
    struct payout_call probe = {
        .payout_id = job->payout_id, .child = job->child, .referrer = *run->lane};
    probe.payout_id.bytes[0] ^= 0xff;
    struct chain_call call = {.from = *run->lane, .to = run->contracts->payout};
    if (!usdc_from_units(&probe.usdc, 1) || !call_pay_affiliate(&call.data, run->arena, &probe))
        return false;
    *ret_call = call;
    return true;
}

// A token that refuses may refuse the payout contract or its treasury, and not the recipient: then
// nobody can be paid, and what was booked as owed could not be claimed.
static enum status ask_whom_it_refuses(struct run *run)
{
    struct chain_call call;
    struct call_result result;
    size_t first = 0;
    while (first < run->jobs_count && run->verdicts[first].verdict != VERDICT_OWED)
        first++;
    if (first == run->jobs_count)
        return STATUS_OK;
    if (!build_probe(&call, run, run->jobs[first]))
        return STATUS_NO_MEMORY;
    struct block_id latest = {.tag = BLOCK_LATEST};
    struct chain *own = run->panel->own;
    enum status status = own->ops->call(own, &result, &call, 1, latest, run->arena);
    if (status != STATUS_OK || result.succeeded)
        return status;
    struct preflight probe = of_failure(&result, run->arena);
    for (size_t i = first; i < run->jobs_count && probe.verdict == VERDICT_OWED; i++)
        if (run->verdicts[i].verdict == VERDICT_OWED)
            run->verdicts[i] = (struct preflight){VERDICT_HOLD, "contract_blacklisted", probe.text};
    return STATUS_OK;
}

// What is parked for good is so on the word of several endpoints, where there are several.
static enum status ask_panel(struct run *run)
{
    const struct panel *panel = run->panel;
    struct chain_call *calls = arena_alloc_array(run->arena, run->jobs_count, sizeof *calls);
    struct call_result *results = arena_alloc_array(run->arena, run->jobs_count, sizeof *results);
    size_t *parks = arena_alloc_array(run->arena, run->jobs_count, sizeof *parks);
    if (calls == NULL || results == NULL || parks == NULL)
        return STATUS_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < run->jobs_count; i++)
        if (run->verdicts[i].verdict == VERDICT_PARK &&
            !build_alone(&calls[count++], run, run->jobs[i]))
            return STATUS_NO_MEMORY;
    struct block_id latest = {.tag = BLOCK_LATEST};
    for (size_t w = 0; w < panel->count && count > 0; w++) {
        struct chain *witness = panel->witnesses[w];
        enum status status = witness->ops->call(witness, results, calls, count, latest, run->arena);
        if (status == STATUS_NO_MEMORY)
            return status;
        for (size_t i = 0; i < count && status == STATUS_OK; i++)
            parks[i] += !results[i].succeeded &&
                        of_failure(&results[i], run->arena).verdict == VERDICT_PARK;
    }
    for (size_t i = 0, at = 0; i < run->jobs_count; i++)
        if (run->verdicts[i].verdict == VERDICT_PARK && parks[at++] < panel->needed)
            run->verdicts[i] = (struct preflight){
                VERDICT_WAIT, NULL, "the endpoints do not agree that it would revert"};
    return STATUS_OK;
}

// A payout that had a slot before, whoever sends it again, is first proven unpaid at the final
// block.
static enum status ask_unpaid(struct run *run, int64_t final_number)
{
    const struct job **jobs = arena_alloc_array(run->arena, run->jobs_count, sizeof *jobs);
    struct preflight **verdicts = arena_alloc_array(run->arena, run->jobs_count, sizeof *verdicts);
    enum effect *effects = arena_alloc_array(run->arena, run->jobs_count, sizeof *effects);
    if (jobs == NULL || verdicts == NULL || effects == NULL)
        return STATUS_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < run->jobs_count; i++) {
        enum verdict verdict = run->verdicts[i].verdict;
        if ((verdict != VERDICT_PAYS && verdict != VERDICT_OWED) || run->jobs[i]->tries == 0 ||
            !job_kind_is_payout(run->jobs[i]->kind))
            continue;
        jobs[count] = run->jobs[i];
        verdicts[count++] = &run->verdicts[i];
    }
    enum status status = STATUS_OK;
    if (count > 0 && final_number >= 0)
        status = panel_effects(effects, run->panel, run->contracts, jobs, count, final_number,
                               run->arena);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (effects[i] == EFFECT_PRESENT)
            *verdicts[i] = (struct preflight){.verdict = VERDICT_DONE};
        else if (effects[i] != EFFECT_ABSENT)
            *verdicts[i] =
                (struct preflight){VERDICT_WAIT, NULL, "not proven unpaid at a final block yet"};
    }
    return status;
}

// Done only where the final block says so; until then it waits.
static enum status ask_final(struct run *run, int64_t final_number)
{
    const struct job **jobs = arena_alloc_array(run->arena, run->jobs_count, sizeof *jobs);
    enum effect *effects = arena_alloc_array(run->arena, run->jobs_count, sizeof *effects);
    if (jobs == NULL || effects == NULL)
        return STATUS_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < run->jobs_count; i++)
        if (run->verdicts[i].verdict == VERDICT_DONE)
            jobs[count++] = run->jobs[i];
    enum status status = STATUS_OK;
    if (count > 0 && final_number >= 0)
        status = panel_effects(effects, run->panel, run->contracts, jobs, count, final_number,
                               run->arena);
    if (status != STATUS_OK)
        return status;
    // No answer leaves them unknown: these jobs wait, and the others go.
    for (size_t i = 0, at = 0; i < run->jobs_count; i++)
        if (run->verdicts[i].verdict == VERDICT_DONE && effects[at++] != EFFECT_PRESENT)
            run->verdicts[i] =
                (struct preflight){VERDICT_WAIT, NULL, "done on the chain, but not final yet"};
    return STATUS_OK;
}

enum status preflight_run(struct preflight **ret_verdicts, struct preflight_room *room,
                          const struct panel *panel, const struct address *lane,
                          const struct relay_contracts *contracts, const struct plan_group *groups,
                          size_t count, int64_t final_number, struct arena *arena)
{
    struct run run = {
        .room = room, .panel = panel, .lane = lane, .contracts = contracts, .arena = arena};
    enum status status = prepare(&run, groups, count);
    if (status == STATUS_OK)
        status = ask_groups(&run, groups, count);
    if (status == STATUS_OK)
        status = ask_alone(&run);
    if (status == STATUS_OK)
        status = ask_whom_it_refuses(&run);
    if (status == STATUS_OK && !panel_is_off(panel))
        status = ask_panel(&run);
    if (status == STATUS_OK)
        status = ask_unpaid(&run, final_number);
    if (status == STATUS_OK)
        status = ask_final(&run, final_number);
    if (status == STATUS_OK)
        *ret_verdicts = run.verdicts;
    return status;
}
