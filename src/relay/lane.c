// SPDX-License-Identifier: Apache-2.0
// The step of a lane, its lease, and how long to wait before the next.
#include "relay/lane_state.h"

#include "relay/relay_metrics.h"

#include "base/log.h"

#include <stdlib.h>

struct relay_lane *lane_open(const struct lane_options *options)
{
    struct relay_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    lane->options = *options;
    lane->quick_ms = options->poll_interval_ms;
    lane->final_number = -1;
    lane->arena = arena_new(LANE_ARENA_BYTES_MAX);
    if (lane->arena == NULL) {
        lane_close(lane);
        return NULL;
    }
    return lane;
}

void lane_close(struct relay_lane *lane)
{
    if (lane == NULL)
        return;
    lane_slots_clear(&lane->slots);
    arena_free(lane->arena);
    free(lane);
}

void lane_forget(struct relay_lane *lane)
{
    lane_slots_clear(&lane->slots);
    lane->held = false;
    lane->settled = false;
    lane->gas_refused = false;
    lane->again = true;
}

// ---------------------------------------------------------------- lease

enum lease_verb { LEASE_TAKE, LEASE_RELEASE };
struct lease_work {
    struct store_work work;
    enum lease_verb verb;
    struct relay_lane *lane;
    int64_t first_nonce;
    struct lane row;
    enum status answer;
};

static enum status lease_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct lease_work *work = (struct lease_work *)(void *)works[i];
        const struct lane_options *options = &work->lane->options;
        if (work->verb == LEASE_TAKE)
            work->answer = lane_acquire(tx, &work->row, &options->address, work->first_nonce,
                                        options->holder, LANE_LEASE_MS);
        else
            work->answer = lane_release(tx, &work->lane->row);
        if (work->answer != STATUS_OK && work->answer != STATUS_BUSY &&
            work->answer != STATUS_DENIED)
            return work->answer;
    }
    return STATUS_OK;
}

static const struct store_work_kind lease_kind = {"lane lease", lease_run};

static enum status load_slots(struct relay_lane *lane, int64_t now_ms)
{
    struct store_tx *tx;
    enum status status = store_read(&tx, lane->options.store);
    if (status != STATUS_OK)
        return status;
    struct slot_row *rows;
    size_t count;
    status = slots_unfinished(tx, &rows, &count, &lane->row, lane->arena);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct lane_slot *slot;
        status = lane_slot_new(&slot, &rows[i], &lane->options.address);
        if (status != STATUS_OK)
            break;
        slot->mood.attempt_since_ms = now_ms;
        status = lane_slots_insert(&lane->slots, slot);
        if (status != STATUS_OK)
            lane_slot_free(slot);
    }
    store_read_end(tx);
    return status;
}

static enum status take_lease(struct relay_lane *lane, int64_t now_ms)
{
    struct lease_work work = {.work = {.kind = &lease_kind}, .verb = LEASE_TAKE, .lane = lane};
    struct panel panel = lane_panel(lane);
    enum status status = panel_lowest_nonce(&work.first_nonce, &panel, &lane->options.address);
    if (status != STATUS_OK)
        return STATUS_BUSY; // the chain does not answer: later
    status = store_write(lane->options.store, &work.work);
    if (status != STATUS_OK)
        return status;
    if (work.answer != STATUS_OK)
        return STATUS_BUSY;
    lane_slots_clear(&lane->slots);
    lane->row = work.row;
    lane->renew_at_ms = now_ms + LANE_LEASE_MS / 3;
    status = load_slots(lane, now_ms);
    if (status != STATUS_OK)
        return status;
    lane->held = true;
    lane->settled = false;
    log_info("lane taken", {"lane", LOG_BYTES(lane->options.address.bytes, 20)},
             {"epoch", LOG_INT(lane->row.epoch)}, {"next_nonce", LOG_INT(lane->row.next_nonce)},
             {"unfinished", LOG_INT(lane->slots.count)});
    return STATUS_OK;
}

void lane_let_go(struct relay_lane *lane)
{
    if (!lane->held)
        return;
    struct lease_work work = {.work = {.kind = &lease_kind}, .verb = LEASE_RELEASE, .lane = lane};
    if (store_write(lane->options.store, &work.work) != STATUS_OK)
        log_warn("the lease could not be given back; it runs out by itself",
                 {"lane", LOG_BYTES(lane->options.address.bytes, 20)});
    lane_forget(lane);
}

// ---------------------------------------------------------------- the step

// The chain's troubles pass; what the store or the signer cannot do ends the lane.
static enum status look_and_judge(struct step *step)
{
    struct relay_lane *lane = step->lane;
    enum status status = look_at_head(step);
    if (status != STATUS_OK || lane->settled)
        return status;
    status = look_at_slots(step);
    if (status == STATUS_OK)
        status = judge_slots(step);
    else
        lane->settled = false;
    lane_at(lane, LANE_JUDGED);
    return status;
}

static bool has_work(const struct step *step)
{
    return step->due_count > 0 || step->lane->slots.count > 0;
}

static void note_trouble(struct relay_lane *lane, enum status status)
{
    int64_t doubled = lane->trouble_ms == 0 ? LANE_TROUBLE_MS : lane->trouble_ms * 2;
    lane->trouble_ms = doubled < LANE_TROUBLE_MS_MAX ? doubled : LANE_TROUBLE_MS_MAX;
    if (lane->trouble_ms == LANE_TROUBLE_MS)
        log_warn("the chain does not answer", {"status", LOG_TEXT(status_text(status))});
}

// Looks, judges, takes, signs; what the chain does not say now it may say later.
static enum status ask_chain(struct step *step)
{
    enum status head = look_and_judge(step);
    if (!step->lane->head_known)
        return head;
    enum status money = look_at_money(step);
    enum status assign = STATUS_OK;
    if (head == STATUS_OK && money == STATUS_OK)
        assign = work_assign(step);
    if (head != STATUS_OK)
        return head;
    return money != STATUS_OK ? money : assign;
}

static enum status write_and_send(struct step *step)
{
    enum status status = work_mend(step);
    if (status == STATUS_OK)
        status = work_sign(step);
    if (status != STATUS_OK)
        return status;
    lane_at(step->lane, LANE_SIGNED);
    status = commit_step(step);
    if (status != STATUS_OK)
        return status;
    lane_at(step->lane, LANE_COMMITTED);
    return step->stale ? STATUS_OK : send_step(step);
}

// Without a look at the head nothing is known of it, and it stays as it was.
static void note_stall(struct step *step)
{
    struct relay_lane *lane = step->lane;
    bool stalled = lane->slots.count > 0 && lane->stalled;
    if (step->facts.head_since_ms != 0)
        stalled = plan_stalled(&lane->slots, &step->facts);
    if (stalled != lane->stalled)
        relay_metrics_stall(lane->options.index, stalled, step->facts.head.number);
    lane->stalled = stalled;
}

static enum status run_step(struct step *step)
{
    struct relay_lane *lane = step->lane;
    enum status status = work_read(step);
    if (status != STATUS_OK)
        return status;
    lane_at(lane, LANE_CLAIMED);
    enum status chain = has_work(step) ? ask_chain(step) : STATUS_OK;
    if (chain != STATUS_OK)
        note_trouble(lane, chain);
    else
        lane->trouble_ms = 0;
    note_stall(step);
    work_lane_hold(step);
    return write_and_send(step);
}

static int64_t wait_ms(struct relay_lane *lane)
{
    int64_t poll = lane->options.poll_interval_ms;
    if (lane->trouble_ms > 0)
        return lane->trouble_ms;
    if (lane->again)
        return 0;
    if (lane_slots_open(&lane->slots) == 0 && lane->settled)
        return poll;
    int64_t wait = lane->quick_ms < poll ? lane->quick_ms : poll;
    lane->quick_ms = wait + wait / 2 + 1;
    return wait;
}

enum status lane_step(struct relay_lane *lane, int64_t *ret_wait_ms)
{
    const struct lane_options *options = &lane->options;
    struct step step = {.lane = lane, .arena = lane->arena};
    arena_reset(lane->arena);
    lane->again = false;
    step.facts.now_ms = clock_monotonic_ms(options->clock);
    step.facts.wall_ms = clock_wall_ms(options->clock);
    random_fill(options->random, &step.facts.jitter, sizeof step.facts.jitter);
    enum status status = lane->held ? STATUS_OK : take_lease(lane, step.facts.now_ms);
    if (status == STATUS_OK)
        status = run_step(&step);
    claims_release(options->claims, options->index);
    claims_set_flight(options->claims, options->index, work_flight(lane));
    relay_metrics_slots(options->index, &lane->slots);
    if (status == STATUS_NO_MEMORY || status == STATUS_BUSY || status == STATUS_LIMIT ||
        status == STATUS_TIMEOUT) {
        if (status != STATUS_BUSY)
            log_warn("a lane's step was given up", {"status", LOG_TEXT(status_text(status))});
        *ret_wait_ms = options->poll_interval_ms;
        return STATUS_OK;
    }
    if (status == STATUS_OK)
        *ret_wait_ms = wait_ms(lane);
    return status;
}

struct lane_view lane_look(const struct relay_lane *lane)
{
    struct lane_view view = {
        .held = lane->held, .next_nonce = lane->row.next_nonce, .stalled = lane->stalled};
    for (size_t i = 0; i < lane->slots.count; i++) {
        const struct lane_slot *slot = lane->slots.items[i];
        view.open += slot->row.state == SLOT_OPEN;
        view.mined += slot->row.state == SLOT_MINED;
        view.unresolved += slot->mood.unresolved;
    }
    int64_t ago_ms = clock_monotonic_ms(lane->options.clock) - lane->foreign_at_ms;
    view.degraded = view.unresolved > 0 || (lane->foreign_at_ms != 0 && ago_ms < LANE_DEGRADED_MS);
    return view;
}
