// SPDX-License-Identifier: Apache-2.0
// What comes in: users, mints, payments, refunds, each delivered until it is answered and sometimes
// again; and an operator who pauses, resumes, retries and cancels.
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REDELIVERY_MS_MAX   8000
#define UNKNOWN_USER_MS_MAX 20000
#define OPERATOR_MS         15000
#define ANSWER_LOST_CHANCE  500
#define REPEATS_MAX         3
#define MINT_CHANCE         3000

static const char *const programs[] = {"usdc", "hybrid", "patient", "first"};
#define PROGRAMS_COUNT (sizeof programs / sizeof programs[0])

// ---------------------------------------------------------------- writing to the store

struct load_work {
    struct store_work work;
    enum status (*run)(struct store_tx *tx, struct load_work *work);
    struct sim *sim;
    size_t number; // child, payment
    bool mint, flag;
    enum user_outcome user_outcome;
    enum payment_outcome payment_outcome;
    struct payment payment;
    enum refund_outcome refund_outcome;
};

static enum status run_works(struct store_tx *tx, struct store_work **works, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct load_work *work = (struct load_work *)(void *)works[i];
        enum status status = work->run(tx, work);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

// False where nothing was answered: the process is gone, or it goes now.
static bool write_load(struct sim *sim, struct load_work *work)
{
    static const struct store_work_kind kind = {"load", run_works};
    struct store *store = relayers_store(sim);
    if (store == NULL)
        return false;
    work->work.kind = &kind;
    work->sim = sim;
    enum status status = store_write(store, &work->work);
    if (!store_is_healthy(store) && sim->broken == PROMISE_NONE)
        relayers_crash(sim, false); // a process whose disk failed ends
    if (relayers_store(sim) == NULL) {
        relayers_bury(sim);
        return false;
    }
    for (size_t i = 0; i < sim->scenario.processes; i++)
        if (sim->processes[i].store == store)
            oracle_look(sim, &sim->processes[i]);
    if (status != STATUS_OK && sim_disk_fired(sim->disk) == 0)
        sim_break(sim, PROMISE_KEPT, "a request failed: %s", status_text(status));
    return status == STATUS_OK;
}

// ---------------------------------------------------------------- users and mints

static size_t affiliate_of_child(const struct sim *sim, size_t child)
{
    return child % sim->scenario.affiliates;
}

static enum status run_user(struct store_tx *tx, struct load_work *work)
{
    struct address wallet = child_address(work->number);
    struct address referrer = affiliate_address(affiliate_of_child(work->sim, work->number));
    struct trace_id trace = {{1}};
    struct user user;
    return user_register(tx, &work->user_outcome, &user, &wallet, &referrer, NULL, work->mint,
                         &trace);
}

static enum status run_mint(struct store_tx *tx, struct load_work *work)
{
    struct address wallet = child_address(work->number);
    struct trace_id trace = {{2}};
    int64_t job_id;
    return mint_request(tx, &job_id, &work->flag, &wallet, &trace);
}

static bool deliver_user(struct sim *sim, size_t child)
{
    struct load_work work = {.run = run_user, .number = child};
    if (!write_load(sim, &work))
        return false;
    if (work.user_outcome != USER_CREATED && work.user_outcome != USER_UNCHANGED)
        sim_break(sim, PROMISE_KEPT, "user %zu is answered with outcome %d", child,
                  (int)work.user_outcome);
    return true;
}

static bool deliver_mint(struct sim *sim, size_t child)
{
    struct load_work work = {.run = run_mint, .number = child};
    return write_load(sim, &work);
}

// ---------------------------------------------------------------- payments

static struct payment_truth *payment_of(struct sim *sim, size_t number)
{
    return LIST_AT(&sim->oracle.payments, struct payment_truth, number);
}

static enum status run_payment(struct store_tx *tx, struct load_work *work)
{
    const struct payment_truth *truth = payment_of(work->sim, work->number);
    char key[24];
    snprintf(key, sizeof key, "p%zu", work->number);
    struct payment_input input = {.provider = PROVIDER_DIRECT,
                                  .payment_key = key,
                                  .child = child_address(truth->child),
                                  .program_name = programs[truth->program],
                                  .amount = truth->amount,
                                  .received_ms = store_tx_now_ms(tx)};
    return payment_accept(tx, &work->payment_outcome, &work->payment, &input);
}

static void acknowledge_payment(struct sim *sim, size_t number, const struct load_work *work)
{
    struct payment_truth *truth = payment_of(sim, number);
    bool new = work->payment_outcome == PAYMENT_NEW;
    if (truth->acknowledged && new)
        sim_break(sim, PROMISE_KEPT, "payment p%zu was acknowledged and is new again", number);
    if (truth->acknowledged && truth->id != work->payment.id)
        sim_break(sim, PROMISE_KEPT, "payment p%zu is another now", number);
    if (!truth->acknowledged)
        sim_count(sim, STAT_PAYMENTS);
    truth->acknowledged = true;
    truth->accepted = work->payment.job_id != 0;
    truth->id = work->payment.id;
    truth->job_id = work->payment.job_id;
    sim_trace(sim, "payment p%zu of child %zu is acknowledged: job %" PRId64, number, truth->child,
              truth->job_id);
}

static bool deliver_payment(struct sim *sim, size_t number)
{
    struct load_work work = {.run = run_payment, .number = number};
    if (!write_load(sim, &work) || work.payment_outcome == PAYMENT_UNKNOWN_USER)
        return false;
    if (work.payment_outcome != PAYMENT_NEW && work.payment_outcome != PAYMENT_DUPLICATE) {
        sim_break(sim, PROMISE_KEPT, "payment p%zu is answered with outcome %d", number,
                  (int)work.payment_outcome);
        return true;
    }
    if (!sim->quiet && sim->scenario.duplicates > 0 && rng_chance(&sim->rng, ANSWER_LOST_CHANCE))
        return false; // stored, but the answer did not arrive
    acknowledge_payment(sim, number, &work);
    return true;
}

static enum status run_refund(struct store_tx *tx, struct load_work *work)
{
    const struct payment_truth *truth = payment_of(work->sim, work->number);
    struct trace_id trace = {{3}};
    char key[24], event[24];
    snprintf(key, sizeof key, "p%zu", work->number);
    snprintf(event, sizeof event, "r%zu", work->number);
    return payment_refund(tx, &work->refund_outcome, PROVIDER_DIRECT, event, key, truth->refund,
                          &trace);
}

static bool deliver_refund(struct sim *sim, size_t number)
{
    struct load_work work = {.run = run_refund, .number = number};
    struct payment_truth *truth = payment_of(sim, number);
    if (!write_load(sim, &work))
        return false;
    sim_trace(sim, "refund of p%zu: outcome %d", number, (int)work.refund_outcome);
    if (truth->refund_acknowledged && work.refund_outcome != REFUND_DUPLICATE)
        sim_break(sim, PROMISE_KEPT, "the refund of p%zu is new again", number);
    if (!truth->refund_acknowledged)
        truth->refund_outcome = work.refund_outcome;
    truth->refund_acknowledged = true;
    sim_count(sim, STAT_REFUNDS);
    return true;
}

static enum status run_reversal(struct store_tx *tx, struct load_work *work)
{
    struct trace_id trace = {{4}};
    char key[24], event[24];
    snprintf(key, sizeof key, "p%zu", work->number);
    snprintf(event, sizeof event, "w%zu", work->number);
    return payment_refund(tx, &work->refund_outcome, PROVIDER_DIRECT, event, key, REFUND_REVERSED,
                          &trace);
}

static bool deliver_reversal(struct sim *sim, size_t number)
{
    struct load_work work = {.run = run_reversal, .number = number};
    if (!write_load(sim, &work))
        return false;
    sim_trace(sim, "the chargeback of p%zu is won: outcome %d", number, (int)work.refund_outcome);
    return true;
}

// ---------------------------------------------------------------- messages

static bool deliver(struct sim *sim, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_USER:
        return deliver_user(sim, message->number);
    case MESSAGE_MINT:
        return deliver_mint(sim, message->number);
    case MESSAGE_PAYMENT:
        return deliver_payment(sim, message->number);
    case MESSAGE_REFUND:
        return deliver_refund(sim, message->number);
    case MESSAGE_REVERSAL:
        return deliver_reversal(sim, message->number);
    }
    return true;
}

void load_deliver(struct sim *sim, size_t index)
{
    struct message message = *LIST_AT(&sim->oracle.messages, struct message, index);
    bool answered = deliver(sim, &message);
    struct message *place = LIST_AT(&sim->oracle.messages, struct message, index);
    place->acknowledged = place->acknowledged || answered;
    bool again = answered && !sim->quiet && place->repeats < REPEATS_MAX &&
                 rng_chance(&sim->rng, sim->scenario.duplicates);
    place->repeats += again;
    if (again)
        sim_count(sim, STAT_REDELIVERIES);
    if (again || !place->acknowledged)
        world_schedule(sim, sim->quiet ? 500 : rng_between(&sim->rng, 100, REDELIVERY_MS_MAX),
                       DO_DELIVER, (int32_t)index, 0);
}

static void add_message(struct sim *sim, enum message_kind kind, size_t number, int64_t at_ms)
{
    struct message *message = list_add(&sim->oracle.messages, sizeof *message);
    message->kind = kind;
    message->number = number;
    world_schedule(sim, at_ms, DO_DELIVER, (int32_t)sim->oracle.messages.count - 1, 0);
}

static void add_payment(struct sim *sim, size_t number)
{
    struct payment_truth *truth = list_add(&sim->oracle.payments, sizeof *truth);
    int64_t at_ms = rng_between(&sim->rng, 100, sim->scenario.busy_ms * 9 / 10);
    truth->child = rng_below(&sim->rng, sim->scenario.children);
    truth->program = rng_chance(&sim->rng, 5000) ? 0 : rng_below(&sim->rng, PROGRAMS_COUNT);
    (void)!usdc_from_units(&truth->amount, rng_between(&sim->rng, 10, 400000000));
    add_message(sim, MESSAGE_PAYMENT, number, at_ms);
    if (!rng_chance(&sim->rng, sim->scenario.refunds))
        return;
    truth = payment_of(sim, number);
    truth->refund = rng_chance(&sim->rng, 7000) ? REFUND_FULL : REFUND_CHARGEBACK;
    int64_t after = rng_between(&sim->rng, -10000, 60000);
    add_message(sim, MESSAGE_REFUND, number, at_ms + after > 0 ? at_ms + after : 1);
    after = rng_between(&sim->rng, -20000, 120000);
    if (truth->refund == REFUND_CHARGEBACK && rng_chance(&sim->rng, 5000))
        add_message(sim, MESSAGE_REVERSAL, number, at_ms + after > 0 ? at_ms + after : 1);
}

void load_start(struct sim *sim)
{
    for (size_t i = 0; i < sim->scenario.children; i++) {
        int64_t at_ms = rng_between(&sim->rng, 1, sim->scenario.busy_ms / 3);
        add_message(sim, MESSAGE_USER, i, at_ms);
        if (rng_chance(&sim->rng, MINT_CHANCE))
            add_message(sim, MESSAGE_MINT, i, rng_between(&sim->rng, 1, sim->scenario.busy_ms));
    }
    for (size_t i = 0; i < sim->scenario.payments; i++)
        add_payment(sim, i);
    if (sim->scenario.operator_acts > 0)
        world_schedule(sim, OPERATOR_MS, DO_OPERATOR, 0, 0);
}

// ---------------------------------------------------------------- operators

static enum status run_job_change(struct store_tx *tx, struct load_work *work)
{
    struct job job;
    struct job_change change = {.cause = "operator", .why = "by the operator"};
    enum status status = job_by_id(tx, &job, (int64_t)work->number);
    if (status != STATUS_OK)
        return status;
    bool cancel = work->flag;
    bool may =
        job.state == JOB_PARKED || (cancel && (job.state == JOB_QUEUED || job.state == JOB_HELD));
    if (!may)
        return STATUS_OK;
    if (!cancel)
        sim_count(work->sim, STAT_RETRIED);
    return job_set_state(tx, job.id, job.state, cancel ? JOB_CANCELLED : JOB_QUEUED, &change);
}

static void change_some_job(struct sim *sim)
{
    for (size_t id = 1; id < sim->oracle.jobs.count; id++) {
        enum job_state state = LIST_AT(&sim->oracle.jobs, struct job_truth, id)->state;
        bool retry = state == JOB_PARKED && rng_chance(&sim->rng, 6000);
        bool cancel = (state == JOB_PARKED || state == JOB_QUEUED || state == JOB_HELD) &&
                      rng_chance(&sim->rng, 300);
        struct load_work work = {.run = run_job_change, .number = id, .flag = cancel};
        if ((retry || cancel) && !write_load(sim, &work))
            return;
    }
}

static enum status run_pause(struct store_tx *tx, struct load_work *work)
{
    bool changed;
    if (work->flag)
        return hold_set(tx, &changed, JOB_PAYOUT_USDC, "paused", "by the operator");
    return hold_clear(tx, &changed, JOB_PAYOUT_USDC, "paused");
}

void load_operator(struct sim *sim)
{
    if (sim->quiet)
        return;
    if (rng_chance(&sim->rng, sim->scenario.operator_acts))
        change_some_job(sim);
    if (rng_chance(&sim->rng, sim->scenario.operator_acts / 4)) {
        struct load_work work = {.run = run_pause, .flag = rng_chance(&sim->rng, 5000)};
        (void)write_load(sim, &work);
    }
    world_schedule(sim, rng_between(&sim->rng, 1000, 2 * OPERATOR_MS), DO_OPERATOR, 0, 0);
}

// ---------------------------------------------------------------- the tail

void load_settle(struct sim *sim)
{
    sim->oracle.settled = false;
    for (size_t i = 0; i < sim->oracle.messages.count; i++)
        world_schedule(sim, 1, DO_DELIVER, (int32_t)i, 0);
}

static bool all_ended(const struct sim *sim)
{
    for (size_t id = 1; id < sim->oracle.jobs.count; id++) {
        const struct job_truth *job = LIST_AT(&sim->oracle.jobs, struct job_truth, id);
        if (job->id != 0 && job_state_is_open(job->state) && job->state != JOB_PARKED)
            return false;
    }
    for (size_t i = 0; i < sim->oracle.messages.count; i++)
        if (!LIST_AT(&sim->oracle.messages, struct message, i)->acknowledged)
            return false;
    return true;
}

static bool all_idle(const struct sim *sim)
{
    bool any = false;
    for (size_t p = 0; p < sim->scenario.processes; p++) {
        const struct process *process = &sim->processes[p];
        for (size_t i = 0; process->alive && i < sim->scenario.lanes; i++) {
            struct lane_view view = lane_look(process->lanes[i].lane);
            any = any || view.held;
            if (view.open + view.mined + view.unresolved > 0)
                return false;
        }
    }
    return any;
}

bool load_is_done(struct sim *sim)
{
    if (!sim->oracle.settled) {
        // What an operator has paused he resumes.
        struct load_work work = {.run = run_pause, .flag = false};
        sim->oracle.settled = write_load(sim, &work);
        return false;
    }
    return all_ended(sim) && all_idle(sim);
}
