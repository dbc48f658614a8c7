// SPDX-License-Identifier: Apache-2.0
// The oracle: knows the whole truth, believes nothing of the relayer, checks all after each step.
// every step.
#include "world.h"

#include "store/tx.h"

#include <inttypes.h>
#include <string.h>

#define PROGRAM_HYBRID_NUMBER 1 // as load.c counts them
#define BPS_COMMISSION        1000
#define SGE_PER_USDC_UNIT     UINT64_C(2000000000000)
#define SGE_SHOWN             1000000
#define HOLD_WINDOW_MS        60000 // of the program that has one
#define HOLD_SLACK_MS         1000
#define BUMP_NUMERATOR        9
#define BUMP_DENOMINATOR      8

void oracle_start(struct sim *sim)
{
    struct oracle *oracle = &sim->oracle;
    struct oracle kept = *oracle;
    memset(oracle, 0, sizeof *oracle);
    oracle->jobs = kept.jobs;
    oracle->messages = kept.messages;
    oracle->payments = kept.payments;
    oracle->jobs.count = oracle->messages.count = oracle->payments.count = 0;
    for (size_t i = 0; i < SIM_LANES_MAX; i++) {
        oracle->nonces[i] = kept.nonces[i];
        oracle->nonces[i].count = 0;
    }
    (void)list_add(&oracle->jobs, sizeof(struct job_truth)); // ids begin at 1
}

static struct nonce_truth *nonce_of(struct sim *sim, size_t lane, int64_t nonce)
{
    struct list *nonces = &sim->oracle.nonces[lane];
    while (nonces->count <= (size_t)nonce)
        (void)list_add(nonces, sizeof(struct nonce_truth));
    return LIST_AT(nonces, struct nonce_truth, nonce);
}

static struct job_truth *job_of(struct sim *sim, int64_t id)
{
    struct list *jobs = &sim->oracle.jobs;
    while (jobs->count <= (size_t)id)
        (void)list_add(jobs, sizeof(struct job_truth));
    return LIST_AT(jobs, struct job_truth, id);
}

// ---------------------------------------------------------------- what the chain says of a job

static int32_t final_block(const struct sim *sim)
{
    int64_t number = sim->final_number > 0 ? sim->final_number : 0;
    return tree_at(&sim->tree, tree_tip(&sim->tree), number);
}

static bool is_dead(const struct sim *sim, size_t lane, int64_t nonce)
{
    return tree_block(&sim->tree, final_block(sim))->state.nonces[lane] > nonce;
}

// Its effect is on the branch of `tip`.
static bool has_effect(const struct sim *sim, const struct job_truth *job, int32_t tip)
{
    const struct tree *tree = &sim->tree;
    int32_t record;
    switch (job->kind) {
    case JOB_PAYOUT_USDC:
    case JOB_PAYOUT_HYBRID:
        return tree_count_payouts(tree, &record, tip, job->payout) > 0;
    case JOB_MINT_IDENTITY:
        return tree_mint(tree, tip, job->child) >= 0;
    case JOB_REGISTER_REFERRAL: {
        struct address referrer = affiliate_address(job->affiliate);
        record = tree_referral(tree, tip, job->child);
        return record >= 0 && address_equal(&tree_record(tree, record)->referrer, &referrer);
    }
    }
    return false;
}

// Where the job was last sent, if it was.
static bool bound_to(const struct sim *sim, const struct job_truth *job, size_t *ret_lane,
                     int64_t *ret_nonce)
{
    const struct tree *tree = &sim->tree;
    const struct child_subject *child = &tree->children[job->child];
    switch (job->kind) {
    case JOB_PAYOUT_USDC:
    case JOB_PAYOUT_HYBRID:
        *ret_lane = tree_payout(tree, job->payout)->bound_lane;
        *ret_nonce = tree_payout(tree, job->payout)->bound_nonce;
        return tree_payout(tree, job->payout)->bound;
    case JOB_MINT_IDENTITY:
        *ret_lane = child->mint_lane;
        *ret_nonce = child->mint_nonce;
        return child->mint_bound;
    case JOB_REGISTER_REFERRAL:
        *ret_lane = child->referral_lane;
        *ret_nonce = child->referral_nonce;
        return child->referral_bound;
    }
    return false;
}

// It left its slot: only where the slot can never do it, and has not.
static void check_let_go(struct sim *sim, const struct job_truth *job, enum job_state to)
{
    size_t lane;
    int64_t nonce;
    if (bound_to(sim, job, &lane, &nonce) && !is_dead(sim, lane, nonce))
        sim_break(sim, PROMISE_BOUND,
                  "job %" PRId64 " becomes %s while lane %zu nonce %" PRId64 " may still do it",
                  job->id, job_state_text(to), lane, nonce);
    if (to != JOB_QUEUED && has_effect(sim, job, tree_tip(&sim->tree)))
        sim_break(sim, PROMISE_FINAL, "job %" PRId64 " becomes %s but is done on the chain",
                  job->id, job_state_text(to));
}

// ---------------------------------------------------------------- changes of jobs

static void learn_job(struct sim *sim, const struct job *row)
{
    struct job_truth *job = job_of(sim, row->id);
    if (job->id != 0)
        sim_break(sim, PROMISE_STATES, "job %" PRId64 " is made twice", row->id);
    *job = (struct job_truth){.id = row->id,
                              .kind = row->kind,
                              .row_state = row->state,
                              .payout = -1,
                              .usdc = row->usdc,
                              .sge = row->sge,
                              .netted_usdc = row->netted_usdc,
                              .netted_sge = row->netted_sge,
                              .payment_id = row->payment_id};
    // From its creation, which is a while ago where the answer was lost. Wall clocks that step make
    // a window longer or shorter.
    if (row->state == JOB_HELD && sim->scenario.clock_steps == 0) {
        int64_t age_ms = clock_wall_ms(&sim->clock) - row->created_ms;
        job->held_until_ms = sim->now_ms - age_ms + HOLD_WINDOW_MS - HOLD_SLACK_MS;
    }
    (void)!child_of_address(&job->child, &row->child);
    (void)!affiliate_of_address(&job->affiliate, &row->referrer);
    if (job_kind_is_payout(row->kind)) {
        job->payout = tree_need_payout(&sim->tree, &row->payout_id);
        tree_payout(&sim->tree, job->payout)->job = (size_t)row->id;
    }
    sim_count(sim, STAT_JOBS);
}

// All of it went against what the referrer owed back: nothing is left to be paid.
static bool is_netted(const struct job_truth *job)
{
    return job_kind_is_payout(job->kind) && usdc_is_zero(job->usdc) && sge_is_zero(job->sge);
}

static void check_confirmed(struct sim *sim, const struct job_truth *job)
{
    sim_count(sim, STAT_CONFIRMED);
    if (!is_netted(job) && !has_effect(sim, job, final_block(sim)))
        sim_break(sim, PROMISE_FINAL,
                  "job %" PRId64 " is confirmed, but final block %" PRId64 " does not have it",
                  job->id, sim->final_number);
}

// Did some node refuse the job's transaction for good?
static bool was_refused(struct sim *sim, const struct job_truth *job)
{
    size_t lane;
    int64_t nonce;
    if (!bound_to(sim, job, &lane, &nonce))
        return true;
    int32_t work = nonce_of(sim, lane, nonce)->work;
    return work == 0 || tree_tx(&sim->tree, work - 1)->refusers != 0;
}

static void check_change(struct sim *sim, struct job_truth *job, enum job_state from,
                         enum job_state to, const char *why)
{
    sim_trace(sim, "  job %" PRId64 ": %s to %s (%s)", job->id, job_state_text(from),
              job_state_text(to), why);
    if (job->state == 0)
        job->state = from; // what it was made in has no row of its own
    if (job->state != from || !job_change_is_allowed(from, to))
        sim_break(sim, PROMISE_STATES, "job %" PRId64 " goes from %d to %d and was in %d", job->id,
                  (int)from, (int)to, (int)job->state);
    job->state = to;
    if (from == JOB_HELD && to == JOB_QUEUED && sim->now_ms < job->held_until_ms)
        sim_break(sim, PROMISE_STATES, "job %" PRId64 " leaves its hold window early", job->id);
    if (to == JOB_CONFIRMED)
        check_confirmed(sim, job);
    if (to == JOB_PARKED || to == JOB_CANCELLED || (to == JOB_QUEUED && from != JOB_HELD))
        check_let_go(sim, job, to);
    if (to == JOB_PARKED && strstr(why, "refused") != NULL && !was_refused(sim, job))
        sim_break(sim, PROMISE_KEPT, "job %" PRId64 " is parked as refused, and no node refused it",
                  job->id);
    if (to == JOB_PARKED && why[0] == '\0')
        sim_break(sim, PROMISE_KEPT, "job %" PRId64 " is parked without a reason", job->id);
    sim->statistics[STAT_PARKED] += to == JOB_PARKED;
    sim->statistics[STAT_CANCELLED] += to == JOB_CANCELLED;
    sim->statistics[STAT_UNRESOLVED] += to == JOB_UNRESOLVED;
    sim->statistics[STAT_PROVEN] += from == JOB_UNRESOLVED && to == JOB_QUEUED;
}

// A payout that is brought back is netted anew.
static void learn_amounts(struct sim *sim, struct store_tx *tx, int64_t id)
{
    struct job row;
    struct job_truth *job = job_of(sim, id);
    if (job_by_id(tx, &row, id) != STATUS_OK)
        return;
    job->usdc = row.usdc;
    job->sge = row.sge;
    job->netted_usdc = row.netted_usdc;
    job->netted_sge = row.netted_sge;
}

static bool block_exists(const struct sim *sim, const struct hash32 *hash)
{
    for (size_t i = sim->tree.blocks.count; i > 0; i--)
        if (hash32_equal(&tree_block(&sim->tree, (int32_t)i - 1)->hash, hash))
            return true;
    return false;
}

// What is called mined is so by bytes of its own, in a block that some node has shown.
static void check_mined(struct sim *sim, struct store_tx *tx, int64_t id)
{
    static const struct db_statement find = {
        "sim block of job", "SELECT slots.block_hash AS hash, transaction_hash, nonce"
                            " FROM jobs JOIN slots"
                            " ON slots.id = jobs.slot_id WHERE jobs.id = $1 AND slots.state = 2"};
    struct hash32 hash = {{0}}, mined_by = {{0}};
    int64_t nonce = -1;
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, id);
    enum status status = db_next(query);
    if (status == STATUS_OK) {
        db_fill(query, "hash", hash.bytes, sizeof hash.bytes);
        db_fill(query, "transaction_hash", mined_by.bytes, sizeof mined_by.bytes);
        nonce = db_int(query, "nonce");
    }
    if (db_done(query, status) != STATUS_OK)
        return;
    int32_t index = tree_find_tx(&sim->tree, &mined_by);
    if (index < 0 || tree_tx(&sim->tree, index)->nonce != nonce)
        sim_break(sim, PROMISE_FINAL, "job %" PRId64 " is mined by another transaction", id);
    // A node that lies in all it says has blocks of its own; only finality asks others.
    if (sim->scenario.liar < 0 && !block_exists(sim, &hash))
        sim_break(sim, PROMISE_FINAL, "job %" PRId64 " is mined in a block that nobody has", id);
}

struct change_row {
    int64_t job_id;
    enum job_state from, to;
    char why[JOB_REASON_SIZE];
};

// False at the end of the rows, and on a failure (the disk is gone).
static bool next_change(struct store_tx *tx, struct change_row *row, int64_t *id)
{
    static const struct db_statement find = {
        "sim history", "SELECT id, job_id, from_state, to_state, why FROM history WHERE id > $1"
                       " ORDER BY id LIMIT 1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, *id);
    enum status status = db_next(query);
    if (status == STATUS_OK) {
        *id = db_int(query, "id");
        row->job_id = db_int(query, "job_id");
        row->from = (enum job_state)db_int(query, "from_state");
        row->to = (enum job_state)db_int(query, "to_state");
        db_copy(query, "why", row->why, sizeof row->why);
    }
    return db_done(query, status) == STATUS_OK;
}

static bool next_job(struct store_tx *tx, int64_t *id)
{
    static const struct db_statement find = {
        "sim new jobs", "SELECT id FROM jobs WHERE id > $1 ORDER BY id LIMIT 1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, *id);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        *id = db_int(query, "id");
    return db_done(query, status) == STATUS_OK;
}

// What the relayer itself holds kinds for: a bit for each of its reasons.
static void read_holds(struct sim *sim, struct store_tx *tx)
{
    struct hold *holds;
    size_t count;
    unsigned now[JOB_KIND_COUNT + 1] = {0};
    arena_reset(sim->arena);
    if (holds_list(tx, &holds, &count, sim->arena) != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++)
        for (unsigned bit = 0; plan_hold_reasons[bit] != NULL; bit++)
            if (strcmp(plan_hold_reasons[bit], holds[i].reason) == 0)
                now[holds[i].kind] |= 1u << bit;
    for (size_t kind = 0; kind <= JOB_KIND_COUNT; kind++)
        if (now[kind] != 0 && sim->oracle.holds[kind] == 0)
            sim_count(sim, STAT_HOLDS);
    memcpy(sim->oracle.holds, now, sizeof now);
}

// Where one lane alone says so, what it takes on it holds no longer.
static void check_assigned(struct sim *sim, const struct job_truth *job)
{
    bool alone = sim->scenario.lanes == 1 && sim->scenario.processes == 1;
    if (alone && !sim->oracle.auditing && sim->oracle.holds[job->kind] != 0)
        sim_break(sim, PROMISE_KEPT, "job %" PRId64 " goes out though its kind is said to be held",
                  job->id);
}

static void read_jobs(struct sim *sim, struct store_tx *tx)
{
    struct job job;
    int64_t id = sim->oracle.job_id;
    while (sim->broken == PROMISE_NONE && next_job(tx, &id) &&
           job_by_id(tx, &job, id) == STATUS_OK) {
        learn_job(sim, &job);
        sim->oracle.job_id = id;
    }
}

static void read_history(struct sim *sim, struct store_tx *tx)
{
    struct change_row row;
    int64_t first = sim->oracle.job_id + 1;
    read_jobs(sim, tx);
    read_holds(sim, tx);
    while (sim->broken == PROMISE_NONE && next_change(tx, &row, &sim->oracle.history_id)) {
        check_change(sim, job_of(sim, row.job_id), row.from, row.to, row.why);
        // What is netted may change until a slot takes it.
        if (row.from == JOB_CANCELLED || row.from == JOB_QUEUED)
            learn_amounts(sim, tx, row.job_id);
        if (row.to == JOB_MINED)
            check_mined(sim, tx, row.job_id);
        if (row.to == JOB_ASSIGNED)
            check_assigned(sim, job_of(sim, row.job_id));
    }
    for (int64_t id = first; id <= sim->oracle.job_id; id++)
        if (job_of(sim, id)->state == 0)
            job_of(sim, id)->state = job_of(sim, id)->row_state;
}

// ---------------------------------------------------------------- attempts in the store

static uint64_t raised(uint64_t fee)
{
    return (fee * BUMP_NUMERATOR + BUMP_DENOMINATOR - 1) / BUMP_DENOMINATOR;
}

static bool same_work(const struct tx *a, const struct tx *b)
{
    return a->target == b->target && a->data_size == b->data_size &&
           memcmp(a->data, b->data, a->data_size) == 0;
}

static void check_replacement(struct sim *sim, const struct tx *old, const struct tx *tx)
{
    sim_count(sim, STAT_BUMPS);
    if (!tx->filler && !old->filler && !same_work(old, tx))
        sim_break(sim, PROMISE_BOUND, "lane %zu nonce %" PRId64 " gets other work", tx->lane,
                  tx->nonce);
    if (tx->filler && !old->filler && old->refusers == 0)
        sim_break(sim, PROMISE_KEPT,
                  "lane %zu nonce %" PRId64 " is given up, and no node refused its work", tx->lane,
                  tx->nonce);
    bool enough = tx->max_fee >= raised(old->max_fee) && tx->tip >= raised(old->tip);
    bool at_ceiling = tx->filler && tx->max_fee == old->max_fee;
    if (!enough && !at_ceiling)
        sim_break(sim, PROMISE_FEES,
                  "lane %zu nonce %" PRId64 ": %" PRIu64 "/%" PRIu64 " replaced by %" PRIu64
                  "/%" PRIu64,
                  tx->lane, tx->nonce, old->max_fee, old->tip, tx->max_fee, tx->tip);
}

static void learn_attempt(struct sim *sim, const struct hash32 *hash, struct bytes raw)
{
    int32_t index = tree_find_tx(&sim->tree, hash);
    struct tx *tx = index >= 0 ? tree_tx(&sim->tree, index) : NULL;
    sim->oracle.attempts_count++;
    if (tx == NULL || !bytes_equal(raw, (struct bytes){tx->raw, tx->raw_size})) {
        sim_break(sim, PROMISE_BYTES, "an attempt in the store is not what was signed");
        return;
    }
    struct nonce_truth *nonce = nonce_of(sim, tx->lane, tx->nonce);
    if (nonce->durable != 0)
        check_replacement(sim, tree_tx(&sim->tree, nonce->durable - 1), tx);
    nonce->durable = index + 1;
    tx->durable = true;
    sim->statistics[STAT_FILLERS] += tx->filler;
}

static bool next_attempt(struct sim *sim, struct store_tx *tx, int64_t *id)
{
    static const struct db_statement find = {
        "sim attempts", "SELECT id, hash, raw FROM attempts WHERE id > $1 ORDER BY id LIMIT 1"};
    struct db_query *query = tx_query(tx, &find);
    struct hash32 hash = {{0}};
    db_bind_int(query, 1, *id);
    enum status status = db_next(query);
    if (status == STATUS_OK) {
        *id = db_int(query, "id");
        db_fill(query, "hash", hash.bytes, sizeof hash.bytes);
        learn_attempt(sim, &hash, db_blob(query, "raw"));
    }
    return db_done(query, status) == STATUS_OK;
}

static void read_attempts(struct sim *sim, struct store_tx *tx)
{
    while (sim->broken == PROMISE_NONE && next_attempt(sim, tx, &sim->oracle.attempt_id))
        continue;
}

// False where the disk failed meanwhile. Nobody dies of the oracle's own reading.
static bool read_store(struct sim *sim, struct store *store)
{
    struct store_tx *tx;
    sim->oracle.reading = true;
    int64_t fired = sim_disk_fired(sim->disk);
    if (store_read(&tx, store) == STATUS_OK) {
        read_history(sim, tx);
        read_attempts(sim, tx);
        store_read_end(tx);
    }
    sim->oracle.reading = false;
    return sim_disk_fired(sim->disk) == fired;
}

void oracle_look(struct sim *sim, struct process *process)
{
    struct store_statistics statistics;
    if (sim->broken != PROMISE_NONE || process->store == NULL)
        return;
    store_statistics(&statistics, process->store);
    if (statistics.commits == process->commits_seen)
        return;
    if (read_store(sim, process->store))
        process->commits_seen = statistics.commits;
}

// ---------------------------------------------------------------- signing and sending

struct visit {
    struct sim *sim;
    int32_t tx;
};

static void visit_tx(struct sim *sim, int32_t index, contract_visit *visit)
{
    const struct tx *tx = tree_tx(&sim->tree, index);
    struct visit context = {sim, index};
    struct address to = tx->target == TARGET_PAYOUT     ? sim->contracts.payout
                        : tx->target == TARGET_REGISTRY ? sim->contracts.registry
                                                        : sim->contracts.identity;
    if (tx->target != TARGET_NONE)
        contract_items(&sim->contracts, &to, (struct bytes){tx->data, tx->data_size}, visit,
                       &context);
}

static void check_would_pay(void *context, const struct contract_item *item)
{
    struct sim *sim = ((const struct visit *)context)->sim;
    if (item->target != TARGET_PAYOUT)
        return;
    int32_t payout = tree_need_payout(&sim->tree, &item->payout.payout_id);
    if (!tree_payout(&sim->tree, payout)->would_pay)
        sim_break(sim, PROMISE_GAS, "a payout is signed that would revert");
}

void oracle_signed(struct sim *sim, int32_t index)
{
    struct tx *tx = tree_tx(&sim->tree, index);
    uint64_t ceiling = (uint64_t)wei_units(sim->scenario.limits.fees.max_fee);
    sim_trace(sim, "  tx %d signed: lane %zu nonce %" PRId64 "%s, %" PRIu64 " / %" PRIu64 " mwei",
              (int)index, tx->lane, tx->nonce, tx->filler ? ", filler" : "", tx->max_fee / 1000000,
              tx->tip / 1000000);
    if (tx->max_fee > ceiling || tx->tip > tx->max_fee)
        sim_break(sim, PROMISE_FEES, "a fee above the ceiling is signed");
    const struct nonce_truth *nonce = nonce_of(sim, tx->lane, tx->nonce);
    if (nonce->durable == 0) {
        visit_tx(sim, index, check_would_pay);
        if (!tx->filler && rng_chance(&sim->rng, sim->scenario.tx_refused))
            tx->refusers = (uint32_t)rng_below(&sim->rng, 1u << NODES_MAX);
    } else if (!tx->filler) {
        tx->refusers = tree_tx(&sim->tree, nonce->durable - 1)->refusers;
    }
}

struct binding {
    bool *bound;
    size_t *lane;
    int64_t *nonce;
};

static struct binding binding_of(struct tree *tree, const struct contract_item *item)
{
    size_t child = 0;
    if (item->target == TARGET_PAYOUT) {
        struct payout_subject *payout =
            tree_payout(tree, tree_need_payout(tree, &item->payout.payout_id));
        return (struct binding){&payout->bound, &payout->bound_lane, &payout->bound_nonce};
    }
    (void)!child_of_address(&child, &item->child);
    struct child_subject *subject = &tree->children[child];
    if (item->target == TARGET_IDENTITY)
        return (struct binding){&subject->mint_bound, &subject->mint_lane, &subject->mint_nonce};
    return (struct binding){&subject->referral_bound, &subject->referral_lane,
                            &subject->referral_nonce};
}

// A second nonce for the same work only where the first is spent for ever.
static void bind(void *context, const struct contract_item *item)
{
    const struct visit *visit = context;
    struct sim *sim = visit->sim;
    const struct tx *tx = tree_tx(&sim->tree, visit->tx);
    struct binding binding = binding_of(&sim->tree, item);
    bool other = *binding.bound && (*binding.lane != tx->lane || *binding.nonce != tx->nonce);
    if (other && !is_dead(sim, *binding.lane, *binding.nonce))
        sim_break(sim, PROMISE_BOUND,
                  "sent under lane %zu nonce %" PRId64 " while lane %zu nonce %" PRId64
                  " may still do it",
                  tx->lane, tx->nonce, *binding.lane, *binding.nonce);
    *binding.bound = true;
    *binding.lane = tx->lane;
    *binding.nonce = tx->nonce;
}

void oracle_sending(struct sim *sim, struct store *store, int32_t index)
{
    struct tx *tx = tree_tx(&sim->tree, index);
    bool read = tx->durable || read_store(sim, store);
    if (read && !tx->durable)
        sim_break(sim, PROMISE_BYTES, "tx %d is sent before it is in the store", (int)index);
    if (tx->sent)
        return;
    tx->sent = true;
    if (tx->filler)
        return;
    struct nonce_truth *nonce = nonce_of(sim, tx->lane, tx->nonce);
    if (nonce->work == 0)
        nonce->work = index + 1;
    else if (!same_work(tree_tx(&sim->tree, nonce->work - 1), tx))
        sim_break(sim, PROMISE_BOUND, "lane %zu nonce %" PRId64 " is sent with other work",
                  tx->lane, tx->nonce);
    visit_tx(sim, index, bind);
}

// ---------------------------------------------------------------- blocks

static void check_paid(struct sim *sim, const struct record *record, int32_t tip)
{
    int32_t found, payout = tree_find_payout(&sim->tree, &record->payout.payout_id);
    int count = tree_count_payouts(&sim->tree, &found, tip, payout);
    size_t id = tree_payout(&sim->tree, payout)->job;
    const struct job_truth *job = job_of(sim, (int64_t)id);
    struct address child = child_address(job->child), referrer = affiliate_address(job->affiliate);
    if (count > 1)
        sim_break(sim, PROMISE_ONCE, "job %zu is paid %d times", id, count);
    sim->statistics[STAT_OWED] += record->usdc_owed > 0;
    if (id == 0 || usdc_compare(job->usdc, record->payout.usdc) != 0 ||
        sge_compare(job->sge, record->payout.sge) != 0 ||
        !address_equal(&child, &record->payout.child) ||
        !address_equal(&referrer, &record->payout.referrer))
        sim_break(sim, PROMISE_AMOUNT,
                  "job %zu is paid %" PRId64 " of USDC, and its row said %" PRId64, id,
                  usdc_units(record->payout.usdc), usdc_units(job->usdc));
    if (job->state == JOB_CANCELLED)
        sim_break(sim, PROMISE_BOUND, "job %zu is cancelled and paid", id);
}

void oracle_mined(struct sim *sim, int32_t tip)
{
    struct oracle *oracle = &sim->oracle;
    for (; oracle->records_checked < sim->tree.records.count; oracle->records_checked++) {
        const struct record *record = tree_record(&sim->tree, (int32_t)oracle->records_checked);
        if (record->kind == RECORD_PAYOUT && tree_is_canonical(&sim->tree, record->block))
            check_paid(sim, record, tip);
    }
}

// ---------------------------------------------------------------- audits

static int64_t count_rows(struct store_tx *tx, const struct db_statement *count, int64_t max_id)
{
    struct db_query *query = tx_query(tx, count);
    db_bind_int(query, 1, max_id);
    enum status status = db_next(query);
    int64_t rows = status == STATUS_OK ? db_int(query, "n") : -1;
    return db_done(query, status) == STATUS_OK ? rows : -1;
}

static void audit_jobs(struct sim *sim, struct store_tx *tx)
{
    static const struct db_statement find = {"sim jobs", "SELECT id, state FROM jobs ORDER BY id"};
    size_t known = 0, found = 0;
    for (size_t id = 1; id < sim->oracle.jobs.count; id++)
        known += LIST_AT(&sim->oracle.jobs, struct job_truth, id)->id != 0;
    struct db_query *query = tx_query(tx, &find);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        const struct job_truth *job = job_of(sim, db_int(query, "id"));
        found++;
        if ((int64_t)job->state != db_int(query, "state"))
            sim_break(sim, PROMISE_STATES,
                      "job %" PRId64 " is in state %" PRId64 ", by its history in %d", job->id,
                      db_int(query, "state"), (int)job->state);
    }
    if (db_done_list(query, status) == STATUS_OK && known != found)
        sim_break(sim, PROMISE_KEPT, "%zu jobs were seen, %zu are in the store", known, found);
}

static void audit_payments(struct sim *sim, struct store_tx *tx)
{
    for (size_t i = 0; i < sim->oracle.payments.count; i++) {
        const struct payment_truth *truth = LIST_AT(&sim->oracle.payments, struct payment_truth, i);
        struct payment payment;
        if (!truth->acknowledged)
            continue;
        enum status status = payment_by_id(tx, &payment, truth->id);
        if (status == STATUS_NOT_FOUND)
            sim_break(sim, PROMISE_KEPT, "acknowledged payment p%zu is gone", i);
        // A chargeback that was won gives it its first.
        if (status == STATUS_OK && truth->job_id != 0 && payment.job_id != truth->job_id)
            sim_break(sim, PROMISE_KEPT, "acknowledged payment p%zu has another job", i);
    }
}

static void audit_attempts(struct sim *sim, struct store_tx *tx)
{
    static const struct db_statement count = {"sim attempts count",
                                              "SELECT COUNT(*) AS n FROM attempts WHERE id <= $1"};
    int64_t rows = count_rows(tx, &count, sim->oracle.attempt_id);
    if (rows >= 0 && rows != sim->oracle.attempts_count)
        sim_break(sim, PROMISE_BYTES, "%" PRId64 " attempts were durable, %" PRId64 " are there",
                  sim->oracle.attempts_count, rows);
}

// What a payment earns, worked out once more: paid, or netted against what was owed back.
static void check_earned(struct sim *sim, size_t number)
{
    const struct payment_truth *truth =
        LIST_AT(&sim->oracle.payments, struct payment_truth, number);
    if (truth->job_id == 0)
        return;
    const struct job_truth *job = job_of(sim, truth->job_id);
    int64_t usdc = usdc_units(truth->amount) * BPS_COMMISSION / 10000;
    uint128_t sge =
        truth->program == PROGRAM_HYBRID_NUMBER ? (uint128_t)usdc * SGE_PER_USDC_UNIT : 0;
    if (job->state == JOB_CANCELLED)
        return;
    if (usdc_units(job->usdc) + usdc_units(job->netted_usdc) != usdc ||
        sge_units(job->sge) + sge_units(job->netted_sge) != sge || job->child != truth->child)
        sim_break(sim, PROMISE_AMOUNT,
                  "job %" PRId64 " pays %" PRId64 " and nets %" PRId64
                  ", payment p%zu earned %" PRId64 " (SGE %" PRIu64 " and %" PRIu64 " of %" PRIu64
                  " 10^-12)",
                  job->id, usdc_units(job->usdc), usdc_units(job->netted_usdc), number, usdc,
                  (uint64_t)(sge_units(job->sge) / SGE_SHOWN),
                  (uint64_t)(sge_units(job->netted_sge) / SGE_SHOWN), (uint64_t)(sge / SGE_SHOWN));
}

struct sums {
    uint64_t paid;   // on the chain
    uint64_t parked; // still to be paid
    uint64_t earned; // by payments that stand
};

static void sum_payments(struct sums *sums, struct sim *sim, struct store_tx *tx)
{
    for (size_t i = 0; i < sim->oracle.payments.count; i++) {
        const struct payment_truth *truth = LIST_AT(&sim->oracle.payments, struct payment_truth, i);
        struct payment payment;
        size_t affiliate;
        if (payment_by_id(tx, &payment, truth->id) == STATUS_OK &&
            payment.state == PAYMENT_ACCEPTED &&
            affiliate_of_address(&affiliate, &payment.referrer))
            sums[affiliate].earned += (uint64_t)usdc_units(payment.amount) * BPS_COMMISSION / 10000;
    }
    for (size_t id = 1; id < sim->oracle.jobs.count; id++) {
        const struct job_truth *job = LIST_AT(&sim->oracle.jobs, struct job_truth, id);
        if (job->state == JOB_PARKED && job_kind_is_payout(job->kind))
            sums[job->affiliate].parked += (uint64_t)usdc_units(job->usdc);
    }
}

static void audit_affiliates(struct sim *sim, struct store_tx *tx)
{
    struct sums sums[AFFILIATES_MAX] = {0};
    for (size_t i = 0; i < sim->tree.records.count; i++) {
        const struct record *record = tree_record(&sim->tree, (int32_t)i);
        size_t affiliate;
        if (record->kind != RECORD_PAYOUT || !tree_is_canonical(&sim->tree, record->block) ||
            !affiliate_of_address(&affiliate, &record->payout.referrer))
            continue;
        sums[affiliate].paid += (uint64_t)usdc_units(record->payout.usdc);
    }
    sum_payments(sums, sim, tx);
    for (size_t i = 0; i < sim->scenario.affiliates; i++) {
        struct address wallet = affiliate_address(i);
        struct affiliate row;
        if (affiliate_by_wallet(tx, &row, &wallet) != STATUS_OK)
            memset(&row, 0, sizeof row);
        uint64_t books = (uint64_t)usdc_units(row.usdc_paid) + (uint64_t)usdc_units(row.usdc_owed);
        if (books != sums[i].paid)
            sim_break(sim, PROMISE_AMOUNT,
                      "affiliate %zu: the chain paid %" PRIu64 ", the books say %" PRIu64, i,
                      sums[i].paid, books);
        // What an operator cancelled is neither paid nor owed back.
        uint64_t owes = (uint64_t)usdc_units(row.usdc_receivable);
        if (sim->scenario.operator_acts == 0 &&
            sums[i].paid + sums[i].parked != sums[i].earned + owes)
            sim_break(sim, PROMISE_AMOUNT,
                      "affiliate %zu: earned %" PRIu64 " and owes %" PRIu64 ", but paid %" PRIu64
                      " and parked %" PRIu64,
                      i, sums[i].earned, owes, sums[i].paid, sums[i].parked);
    }
}

// A full refund that came first leaves nothing to be paid.
static void check_tombstone(struct sim *sim, size_t number)
{
    const struct payment_truth *truth =
        LIST_AT(&sim->oracle.payments, struct payment_truth, number);
    if (truth->refund_acknowledged && truth->refund_outcome == REFUND_TOMBSTONE &&
        truth->refund == REFUND_FULL && truth->job_id != 0)
        sim_break(sim, PROMISE_AMOUNT, "payment p%zu was refunded before it came, and earns",
                  number);
}

static void audit_messages(struct sim *sim)
{
    for (size_t i = 0; i < sim->oracle.messages.count; i++)
        if (!LIST_AT(&sim->oracle.messages, struct message, i)->acknowledged)
            sim_break(sim, PROMISE_ALIVE, "message %zu is never answered", i);
}

static void audit_ends(struct sim *sim)
{
    for (size_t id = 1; id < sim->oracle.jobs.count; id++) {
        const struct job_truth *job = LIST_AT(&sim->oracle.jobs, struct job_truth, id);
        bool ended = !job_state_is_open(job->state) || job->state == JOB_PARKED;
        if (job->id != 0 && !ended)
            sim_break(sim, PROMISE_ALIVE, "job %zu is still %s", id, job_state_text(job->state));
    }
}

static bool has_open_slots(const struct sim *sim)
{
    for (size_t p = 0; p < sim->scenario.processes; p++)
        for (size_t i = 0; sim->processes[p].alive && i < sim->scenario.lanes; i++) {
            struct lane_view view = lane_look(sim->processes[p].lanes[i].lane);
            if (view.open + view.mined + view.unresolved > 0)
                return true;
        }
    return false;
}

static void audit(struct sim *sim, struct store_tx *tx, bool at_end)
{
    audit_jobs(sim, tx);
    audit_payments(sim, tx);
    audit_attempts(sim, tx);
    if (at_end) {
        audit_messages(sim);
        audit_ends(sim);
        for (size_t i = 0; i < sim->oracle.payments.count; i++) {
            check_earned(sim, i);
            check_tombstone(sim, i);
        }
        audit_affiliates(sim, tx);
        if (has_open_slots(sim))
            sim_break(sim, PROMISE_ALIVE, "a lane still has open slots");
    }
}

void oracle_audit(struct sim *sim, struct process *process, bool at_end)
{
    struct store_tx *tx;
    if (sim->broken != PROMISE_NONE)
        return;
    sim_disk_set_fault(sim->disk, NULL); // one that is meant for the relayer must not meet us
    sim->oracle.auditing = true;
    (void)read_store(sim, process->store);
    sim->oracle.auditing = false;
    sim->oracle.reading = true;
    if (sim->broken == PROMISE_NONE && store_read(&tx, process->store) == STATUS_OK) {
        audit(sim, tx, at_end);
        store_read_end(tx);
    }
    sim->oracle.reading = false;
}
