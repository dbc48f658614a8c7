// SPDX-License-Identifier: Apache-2.0
// New work: due jobs from the store, preflight, what to mend, and the signatures.
#include "relay/lane_state.h"

#include "base/log.h"

#include <string.h>

#define KIND_BIT(kind) (1u << (unsigned)(kind))
#define KINDS_ALL                                                                                  \
    (KIND_BIT(JOB_REGISTER_REFERRAL) | KIND_BIT(JOB_MINT_IDENTITY) | KIND_BIT(JOB_PAYOUT_USDC) |   \
     KIND_BIT(JOB_PAYOUT_HYBRID))

// ---------------------------------------------------------------- reading

// Nonces the chain has not used yet: what geth counts against an account.
static size_t in_flight(const struct relay_lane *lane)
{
    size_t count = 0;
    for (size_t i = 0; i < lane->slots.count; i++) {
        const struct lane_slot *slot = lane->slots.items[i];
        bool used = lane->nonce_known && lane->nonce > slot->row.nonce;
        count += slot->row.state == SLOT_OPEN && !used;
    }
    return count;
}

static size_t free_slots(const struct relay_lane *lane)
{
    size_t window = (size_t)lane->options.limits.window, busy = in_flight(lane);
    size_t room = LANE_SLOTS_MAX - lane->slots.count;
    size_t free = busy < window ? window - busy : 0;
    return free < room ? free : room;
}

static unsigned configured_kinds(const struct relay_contracts *contracts)
{
    unsigned kinds = 0;
    for (int kind = JOB_REGISTER_REFERRAL; kind <= JOB_PAYOUT_HYBRID; kind++)
        if (!address_is_zero(payload_target(contracts, (enum job_kind)kind)))
            kinds |= KIND_BIT(kind);
    return kinds;
}

static bool preflight_sets(const char *reason)
{
    for (const char *const *known = plan_hold_reasons; *known != NULL; known++)
        if (strcmp(*known, reason) == 0)
            return true;
    return false;
}

static bool lane_sets(const char *reason)
{
    return strcmp(reason, "gas_money") == 0 || strcmp(reason, "fee_ceiling") == 0;
}

// Kinds that are free; and held kinds whose holds are the preflight's and due for a new look.
static void split_kinds(unsigned *ret_free, unsigned *ret_probe, const struct step *step)
{
    unsigned operator_held = 0, passing_held = 0, due = 0;
    for (size_t i = 0; i < step->holds_count; i++) {
        const struct hold *hold = &step->holds[i];
        if (preflight_sets(hold->reason))
            passing_held |= KIND_BIT(hold->kind);
        else if (!lane_sets(hold->reason))
            operator_held |= KIND_BIT(hold->kind);
        if (step->facts.now_ms >= step->lane->hold_recheck_ms[hold->kind])
            due |= KIND_BIT(hold->kind);
    }
    unsigned kinds = configured_kinds(&step->lane->options.contracts) & KINDS_ALL & ~operator_held;
    *ret_free = kinds & ~passing_held;
    *ret_probe = kinds & passing_held & due;
}

static enum status read_due(struct step *step, struct store_tx *tx, size_t limit)
{
    unsigned kinds, probe;
    struct job *probed = NULL;
    size_t probed_count = 0;
    split_kinds(&kinds, &probe, step);
    enum status status = STATUS_OK;
    if (kinds != 0)
        status = jobs_due(tx, &step->due, &step->due_count, step->facts.wall_ms, kinds, limit,
                          step->arena);
    if (status == STATUS_OK && probe != 0)
        status = jobs_due(tx, &probed, &probed_count, step->facts.wall_ms, probe,
                          PLAN_PROBE_JOBS_MAX, step->arena);
    if (status != STATUS_OK || probed_count == 0)
        return status;
    struct job *both = arena_alloc_array(step->arena, step->due_count + probed_count, sizeof *both);
    if (both == NULL)
        return STATUS_NO_MEMORY;
    memcpy(both, probed, probed_count * sizeof *both);
    if (step->due_count > 0)
        memcpy(both + probed_count, step->due, step->due_count * sizeof *both);
    step->due = both;
    step->due_count += probed_count;
    for (int kind = JOB_REGISTER_REFERRAL; kind <= JOB_PAYOUT_HYBRID; kind++)
        if (probe & KIND_BIT(kind))
            step->lane->hold_recheck_ms[kind] = step->facts.now_ms + PLAN_HOLD_RECHECK_MS;
    return STATUS_OK;
}

// Of the jobs read, those no other lane is looking at.
static enum status claim(struct step *step)
{
    int64_t *ids = arena_alloc_array(step->arena, step->due_count, sizeof *ids);
    if (ids == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < step->due_count; i++)
        ids[i] = step->due[i].id;
    const struct lane_options *options = &step->lane->options;
    size_t taken = claims_take(options->claims, options->index, ids, step->due_count);
    size_t at = 0;
    for (size_t i = 0; i < step->due_count && at < taken; i++)
        if (step->due[i].id == ids[at])
            step->due[at++] = step->due[i];
    step->due_count = at;
    return STATUS_OK;
}

enum status work_read(struct step *step)
{
    struct relay_lane *lane = step->lane;
    // What was refused is mined after all, in older bytes: nothing is left whose sending could tell
    // that there is money again.
    if (in_flight(lane) == 0)
        lane->gas_refused = false;
    size_t free = free_slots(lane);
    size_t limit = free * (size_t)lane->options.limits.batch_size_max;
    struct store_tx *tx;
    enum status status = store_read(&tx, lane->options.store);
    if (status != STATUS_OK)
        return status;
    status = holds_list(tx, &step->holds, &step->holds_count, step->arena);
    if (status == STATUS_OK && free > 0)
        status = read_due(step, tx, limit < LANE_DUE_MAX ? limit : LANE_DUE_MAX);
    store_read_end(tx);
    return status == STATUS_OK && step->due_count > 0 ? claim(step) : status;
}

// ---------------------------------------------------------------- assigning

struct flight work_flight(const struct relay_lane *lane)
{
    struct flight flight = {0};
    for (size_t i = 0; i < lane->slots.count; i++) {
        const struct lane_slot *slot = lane->slots.items[i];
        for (size_t j = 0; j < slot->jobs_count && slot->row.state == SLOT_OPEN; j++) {
            const struct job *job = &slot->jobs[j];
            flight_add_jobs(&flight, &job, 1);
        }
    }
    return flight;
}

// Tells the other lanes what may come, and returns what is in flight before it, of all lanes.
static struct flight announce(const struct relay_lane *lane, const struct plan_group *groups,
                              size_t count)
{
    const struct lane_options *options = &lane->options;
    struct flight flight = work_flight(lane), coming = flight;
    for (size_t g = 0; g < count; g++)
        flight_add_jobs(&coming, groups[g].jobs, groups[g].count);
    claims_set_flight(options->claims, options->index, coming);
    struct flight others = claims_flight_of_others(options->claims, options->index);
    flight_add(&flight, &others);
    return flight;
}

static enum status preflight_groups(struct step *step, const struct plan_group *groups,
                                    size_t count, size_t free)
{
    const struct lane_options *options = &step->lane->options;
    struct preflight *verdicts;
    struct preflight_room asked = {.usdc = options->usdc, .sge = options->sge};
    struct panel panel = lane_panel(step->lane);
    struct flight flight = announce(step->lane, groups, count);
    enum status status =
        preflight_run(&verdicts, &asked, &panel, &options->address, &options->contracts, groups,
                      count, step->facts.final_number, step->arena);
    if (status != STATUS_OK)
        return status;
    room_use(&asked.room, &flight);
    plan_fit(verdicts, groups, count, &asked.room);
    if (!plan_assign(&step->assignment, groups, count, verdicts, free, &step->facts,
                     &options->limits, step->arena))
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

static void hold_lane(struct step *step, bool dear, bool poor)
{
    const struct lane_options *options = &step->lane->options;
    step->lane_hold_known = true;
    step->fee_hold = dear;
    step->gas_hold = claims_all_short(options->claims, options->index, poor);
}

// For the operator: how much the wallet lacks.
static void say_gas_needed(struct step *step, const struct plan_group *group)
{
    const struct relay_lane *lane = step->lane;
    char need[WEI_TEXT_SIZE], have[WEI_TEXT_SIZE], address[ADDRESS_TEXT_SIZE];
    struct wei cost;
    if (!plan_gas_needed(&cost, group, &step->first_fees, &lane->slots))
        return;
    wei_format_gwei(need, cost);
    wei_format_gwei(have, lane->balance);
    address_format(address, &lane->options.address);
    step->gas_text = arena_printf(step->arena, "%s needs %s gwei for the next transaction, has %s",
                                  address, need, have);
}

enum status work_assign(struct step *step)
{
    struct relay_lane *lane = step->lane;
    const struct plan_limits *limits = &lane->options.limits;
    if (step->due_count == 0 || plan_stalled(&lane->slots, &step->facts) ||
        (lane->nonce_known && lane->nonce > lane->row.next_nonce))
        return STATUS_OK; // the foreign nonces come first
    if (!fees_first(&step->first_fees, &lane->fees, &limits->fees)) {
        hold_lane(step, true, false);
        return STATUS_OK;
    }
    size_t free = free_slots(lane), count;
    struct plan_group *groups;
    if (!plan_group(&groups, &count, step->due, step->due_count, free, limits, step->arena))
        return STATUS_NO_MEMORY;
    size_t paid = lane->gas_refused ? 0
                                    : plan_affordable(groups, count, &step->first_fees,
                                                      lane->balance, &lane->slots);
    hold_lane(step, false, paid == 0);
    if (paid == 0 && count > 0)
        say_gas_needed(step, &groups[0]);
    if (paid == 0)
        return STATUS_OK;
    return preflight_groups(step, groups, paid, paid < count ? paid : free);
}

// Where no due job made it known: a node's refusal says it, and no refusal and nothing due unsays
// it.
void work_lane_hold(struct step *step)
{
    if (step->lane_hold_known)
        return;
    if (step->lane->gas_refused)
        hold_lane(step, false, true);
    else if (step->due_count == 0 && free_slots(step->lane) > 0)
        hold_lane(step, false, false);
}

// ---------------------------------------------------------------- mending

static bool has_change(const struct step *step, const struct lane_slot *slot)
{
    for (size_t i = 0; i < step->changes_count; i++)
        if (step->changes[i].slot == slot)
            return true;
    return false;
}

static void mend(struct step *step, struct lane_slot *slot)
{
    struct mend mend = plan_mend(slot, &step->facts, &step->lane->options.limits);
    if (mend.at_ceiling && !slot->mood.ceiling_told)
        log_error("at the fee ceiling: the same transaction is sent again until fees fall",
                  {"slot", LOG_INT(slot->row.id)}, {"nonce", LOG_INT(slot->row.nonce)},
                  {"jobs", LOG_INT(slot->jobs_count)});
    slot->mood.ceiling_told = mend.at_ceiling;
    switch (mend.verb) {
    case MEND_NOTHING:
        return;
    case MEND_SEND:
        step->resends[step->resends_count++] = slot;
        return;
    case MEND_BUMP:
    case MEND_FILL:
        step->signings[step->signings_count++] =
            (struct signing){.slot = slot, .fees = mend.fees, .nonce = slot->row.nonce};
        // What gets new bytes is sent below with them.
        slot->mood.bump_wanted = false;
        return;
    }
}

// Nonces that were used without us get empty slots, so that they are proven foreign like any other
// and ours go on behind them.
static void absorb(struct step *step)
{
    struct relay_lane *lane = step->lane;
    if (!lane->nonce_known || lane->nonce <= lane->row.next_nonce) {
        lane->ahead_since_ms = 0;
        lane->ahead_told = false;
        return;
    }
    if (lane->ahead_since_ms == 0)
        lane->ahead_since_ms = step->facts.now_ms;
    // Not on one answer of one node.
    if (step->facts.now_ms - lane->ahead_since_ms < PLAN_FOREIGN_GRACE_MS)
        return;
    struct fee_pair fees;
    struct panel panel = lane_panel(lane);
    if (!panel_nonce_is_used(&panel, &lane->options.address, lane->row.next_nonce)) {
        if (!lane->ahead_told)
            log_error("the endpoints do not agree on the next nonce; nothing new is sent",
                      {"lane", LOG_BYTES(lane->options.address.bytes, 20)},
                      {"ours", LOG_INT(lane->row.next_nonce)}, {"chain", LOG_INT(lane->nonce)});
        lane->ahead_told = true;
        lane->ahead_since_ms = step->facts.now_ms; // asked again after as long
        return;
    }
    if (!lane->fees_known || !fees_first(&fees, &lane->fees, &lane->options.limits.fees))
        return;
    int64_t last = lane->row.next_nonce + LANE_ABSORB_MAX;
    for (int64_t nonce = lane->row.next_nonce; nonce < lane->nonce && nonce < last; nonce++)
        step->signings[step->signings_count++] = (struct signing){.fees = fees, .nonce = nonce};
}

static void add_new_slots(struct step *step)
{
    int64_t nonce = step->lane->row.next_nonce;
    for (size_t g = 0; g < step->assignment.groups_count; g++)
        step->signings[step->signings_count++] =
            (struct signing){.group = &step->assignment.groups[g],
                             .fees = step->first_fees,
                             .nonce = nonce + (int64_t)g};
}

enum status work_mend(struct step *step)
{
    struct relay_lane *lane = step->lane;
    size_t most = lane->slots.count + LANE_ABSORB_MAX + step->assignment.groups_count;
    step->signings = arena_alloc_array(step->arena, most, sizeof *step->signings);
    step->resends = arena_alloc_array(step->arena, lane->slots.count, sizeof *step->resends);
    if (step->signings == NULL || step->resends == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < lane->slots.count; i++)
        if (!has_change(step, lane->slots.items[i]))
            mend(step, lane->slots.items[i]);
    if (lane->slots.count + LANE_ABSORB_MAX <= LANE_SLOTS_MAX)
        absorb(step);
    add_new_slots(step);
    return STATUS_OK;
}

// ---------------------------------------------------------------- signing

static bool payload(struct transaction *transaction, const struct signing *signing,
                    const struct lane_options *options, bool fill, struct arena *arena)
{
    if (signing->group != NULL) {
        const struct plan_group *group = signing->group;
        transaction->to = *payload_target(&options->contracts, group->jobs[0]->kind);
        transaction->gas_limit = (uint64_t)group->gas_limit;
        return payload_build(&transaction->data, group->form, group->jobs, group->count, arena);
    }
    if (signing->slot != NULL && !fill) {
        const struct lane_attempt *newest = lane_slot_newest(signing->slot);
        transaction->to = newest->to;
        transaction->data = newest->data;
        transaction->gas_limit = (uint64_t)newest->row.gas_limit;
        return true;
    }
    transaction->to = options->address;
    transaction->gas_limit = GAS_SELF_TRANSFER;
    return true;
}

static bool make_request(struct sign_request *ret_request, const struct signing *signing,
                         const struct lane_options *options, struct arena *arena)
{
    struct sign_request request = {
        .lane = options->address,
        .transaction = {.type = TX_DYNAMIC_FEE,
                        .chain_id = options->chain_id,
                        .nonce = (uint64_t)signing->nonce,
                        .max_priority_fee = signing->fees.max_priority_fee,
                        .max_fee = signing->fees.max_fee},
    };
    // A slot that nodes refuse for good is filled; any other further attempt keeps its payload.
    bool fill = signing->slot != NULL && signing->slot->mood.fatal;
    if (!payload(&request.transaction, signing, options, fill, arena))
        return false;
    *ret_request = request;
    return true;
}

static void keep(struct signing *signing, const struct sign_request *request,
                 const struct signed_transaction *signed_one, int64_t wall_ms)
{
    signing->attempt = (struct attempt){
        .state = ATTEMPT_SIGNED,
        .hash = signed_one->hash,
        .raw = signed_one->raw,
        .max_fee = request->transaction.max_fee,
        .max_priority_fee = request->transaction.max_priority_fee,
        .gas_limit = (int64_t)request->transaction.gas_limit,
        .created_ms = wall_ms,
    };
}

// Signs `count` of the step's signings in one exchange with the signer.
static enum status sign_batch(struct step *step, struct signing *signings, size_t count)
{
    const struct lane_options *options = &step->lane->options;
    struct sign_request *requests = arena_alloc_array(step->arena, count, sizeof *requests);
    struct signed_transaction *made = arena_alloc_array(step->arena, count, sizeof *made);
    if (requests == NULL || made == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!make_request(&requests[i], &signings[i], options, step->arena))
            return STATUS_NO_MEMORY;
    enum status status =
        options->signer.sign(options->signer.context, made, requests, count, step->arena);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        keep(&signings[i], &requests[i], &made[i], step->facts.wall_ms);
    return STATUS_OK;
}

// The alert; and the jobs, which stay queued and say why, make room for those behind them.
static void turn_away_denied(struct step *step, const struct signing *signing)
{
    struct assignment *assignment = &step->assignment;
    const char *why = "the signer's policy refuses its transaction";
    size_t count = signing->group != NULL ? signing->group->count : 0;
    log_error("the signer's policy refuses a transaction of this lane",
              {"lane", LOG_BYTES(step->lane->options.address.bytes, 20)},
              {"nonce", LOG_INT(signing->nonce)}, {"jobs", LOG_INT(count)});
    if (signing->slot != NULL)
        signing->slot->mood.bump_denied = true; // the policy stands: not asked again
    // There is room: an action for each job of all groups, and these have none yet.
    for (size_t i = 0; i < count; i++)
        assignment->actions[assignment->actions_count++] = (struct job_action){
            .verb = JOB_VERB_POSTPONE,
            .job_id = signing->group->jobs[i]->id,
            .change = {.why = why,
                       .due_ms =
                           step->facts.wall_ms + step->lane->options.limits.retry_delay_ms_max},
        };
}

// One refusal refuses its whole batch: each alone, so that the others go on. A new slot takes the
// nonce of the refused one before it.
static enum status sign_each(struct step *step)
{
    int64_t nonce = step->lane->row.next_nonce;
    size_t kept = 0;
    for (size_t i = 0; i < step->signings_count; i++) {
        struct signing signing = step->signings[i];
        bool is_new = signing.slot == NULL;
        if (is_new)
            signing.nonce = nonce;
        enum status status = sign_batch(step, &signing, 1);
        if (status == STATUS_DENIED) {
            turn_away_denied(step, &signing);
            continue;
        }
        if (status != STATUS_OK)
            return status;
        nonce += is_new;
        step->signings[kept++] = signing;
    }
    step->signings_count = kept;
    return STATUS_OK;
}

enum status work_sign(struct step *step)
{
    if (step->signings_count == 0)
        return STATUS_OK;
    if (step->signings_count > SIGN_REQUESTS_MAX)
        step->signings_count = SIGN_REQUESTS_MAX; // the rest is for the next step
    enum status status = sign_batch(step, step->signings, step->signings_count);
    return status == STATUS_DENIED ? sign_each(step) : status;
}
