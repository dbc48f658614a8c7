// SPDX-License-Identifier: Apache-2.0
// The simulated world: one seed's chain, nodes, disk, relayers, load and oracle, on one clock.
//
// The relayer under test is the production code: plan, fees, lanes, proof, preflight, store on a
// real SQLite over the disk of test/support/sim_disk. What is simulated behaves as badly as the
// seed says, within these assumptions, without which nobody can pay exactly once:
// - no branch that any node ever shows differs from the true chain at or below a final block:
//   reorganisations are shallower than the finality rule, and a node on a dead branch leaves it
//   before that branch's fork becomes final;
// - a node may know less than there is, and say null for what it has shown; what it says of blocks
//   at final heights it has not made up;
// - what fsync has promised is on the disk after a power cut.
#pragma once

#include "contract.h"
#include "relay/lane.h"
#include "store/payments.h"
#include "store/programs.h"
#include "store/users.h"
#include "support/sim_disk.h"

#define NODES_MAX      4
#define PROCESSES_MAX  2
#define WORLD_CHAIN_ID 7001
#define WALL_START_MS  INT64_C(1790000000000)

// What the seed decides at the start.
struct scenario {
    size_t nodes, lanes, processes;
    int64_t block_ms_min, block_ms_max;
    int64_t confirmations;
    bool finality_by_tag;
    int64_t tag_depth;
    struct plan_limits limits;
    int64_t poll_ms;
    int64_t rest_ms;         // least time between two steps of a lane that nobody wakes
    size_t witnesses_needed; // 0: the panel is off
    int liar;                // the node that makes up what it says; -1: none
    bool refuses_duplicates;
    bool outbox;
    int64_t busy_ms; // load and faults; then the quiet tail
    size_t children, affiliates, payments;
    // How often, in 10,000: per call, per block, per send, ...
    int64_t call_fails, call_slow, switch_node, receipt_lost, receipt_wrong, head_stale;
    int64_t send_times_out, send_limited, tx_forgotten, tx_out_of_gas, tx_refused, block_full;
    int64_t lag_ms_max, node_stalls, node_prunes;
    int64_t reorg, fork, foreign, halt, spike, empty_purse, empty_till, pause, blacklist, day_cap;
    int64_t crash_ms; // mean time between crashes; 0: none
    int64_t freeze, disk_faults, clock_steps;
    int64_t refunds, duplicates, operator_acts;
};

// The promises of the design that a run can break, and what is asked of a run besides.
#define PROMISE_TABLE(X)                                                                           \
    X(PROMISE_ONCE, "1: a payout id is paid at most once")                                         \
    X(PROMISE_KEPT, "2: what was acknowledged is durable and ends, or is parked with a reason")    \
    X(PROMISE_BOUND, "3: a slot is bound to its job unless its attempts are proven dead")          \
    X(PROMISE_BYTES, "4: bytes are durable before they are sent, all hashes are kept")             \
    X(PROMISE_FINAL, "5: a job is processed only at finality")                                     \
    X(PROMISE_AMOUNT, "amounts: the chain pays what the job says, the job what was earned")        \
    X(PROMISE_STATES, "states: jobs change as the table allows")                                   \
    X(PROMISE_FEES, "fees: below the ceiling, replacements an eighth higher")                      \
    X(PROMISE_GAS, "gas: none is burnt on payouts known to revert")                                \
    X(PROMISE_ALIVE, "alive: no lane ends, nothing is stuck, once the faults have stopped")

enum promise {
    PROMISE_NONE,
#define PROMISE_ENUM(name, text) name,
    PROMISE_TABLE(PROMISE_ENUM)
#undef PROMISE_ENUM
};
const char *promise_text(enum promise promise);

#define STATISTIC_TABLE(X)                                                                         \
    X(SEEDS, "seeds")                                                                              \
    X(SIMULATED_MS, "simulated_ms")                                                                \
    X(STEPS, "lane_steps")                                                                         \
    X(CALLS, "chain_calls")                                                                        \
    X(BLOCKS, "blocks")                                                                            \
    X(JOBS, "jobs")                                                                                \
    X(PAYMENTS, "payments_acknowledged")                                                           \
    X(CONFIRMED, "jobs_confirmed")                                                                 \
    X(PARKED, "jobs_parked")                                                                       \
    X(CANCELLED, "jobs_cancelled")                                                                 \
    X(RETRIED, "jobs_retried_by_operator")                                                         \
    X(REFUNDS, "refunds")                                                                          \
    X(REDELIVERIES, "deliveries_repeated")                                                         \
    X(CRASHES, "crashes")                                                                          \
    X(POWER_CUTS, "of_them_power_cuts")                                                            \
    X(FREEZES, "freezes")                                                                          \
    X(LEASES_LOST, "leases_lost")                                                                  \
    X(TAKEOVERS, "lanes_taken_over")                                                               \
    X(DISK_FAULTS, "disk_faults")                                                                  \
    X(REORGS, "reorganisations")                                                                   \
    X(REORG_BLOCKS, "blocks_reorganised")                                                          \
    X(UNMINED, "transactions_unmined")                                                             \
    X(FORKS, "node_forks")                                                                         \
    X(LAGGING_READS, "lagging_reads")                                                              \
    X(LOST_RECEIPTS, "receipts_withheld")                                                          \
    X(WRONG_RECEIPTS, "receipts_falsified")                                                        \
    X(LIES, "lies_told")                                                                           \
    X(FAILED_CALLS, "calls_failed")                                                                \
    X(SENDS, "sends")                                                                              \
    X(SEND_TIMEOUTS, "sends_timed_out")                                                            \
    X(SEND_REFUSALS, "sends_refused")                                                              \
    X(FORGOTTEN, "transactions_forgotten")                                                         \
    X(BUMPS, "bumps")                                                                              \
    X(FILLERS, "fillers")                                                                          \
    X(UNRESOLVED, "slots_unresolved")                                                              \
    X(PROVEN, "proofs_found")                                                                      \
    X(FOREIGN, "foreign_nonces")                                                                   \
    X(REVERTED, "transactions_reverted")                                                           \
    X(OUT_OF_GAS, "of_them_out_of_gas")                                                            \
    X(OWED, "payouts_owed")                                                                        \
    X(HALTS, "chain_halts")                                                                        \
    X(SPIKES, "fee_spikes")                                                                        \
    X(HOLDS, "kinds_held")

enum statistic {
#define STATISTIC_ENUM(name, text) STAT_##name,
    STATISTIC_TABLE(STATISTIC_ENUM)
#undef STATISTIC_ENUM
        STATISTICS,
};
const char *statistic_text(enum statistic statistic);

// ---------------------------------------------------------------- nodes

enum client { CLIENT_GETH, CLIENT_ERIGON, CLIENT_NETHERMIND, CLIENT_BESU, CLIENTS };

struct pooled {
    int32_t tx;
    int64_t since_ms;
};

#define NODE_UPDATES_MAX 64
#define NODE_POOL_MAX    128

struct node {
    enum client client;
    int32_t tip;
    struct {
        int64_t at_ms;
        int32_t block;
    } updates[NODE_UPDATES_MAX]; // oldest first
    size_t updates_count;
    int64_t lag_ms;
    int64_t stalled_until_ms, down_until_ms, limited_until_ms, forked_until_ms;
    int32_t fork_point; // while forked
    uint64_t tip_min;   // what it takes at least
    struct pooled pool[NODE_POOL_MAX];
    size_t pool_count;
};

// ---------------------------------------------------------------- relayers

struct sim_chain {
    struct chain chain; // first
    struct sim *sim;
    size_t process;
    int node; // -1: a pool of all
    size_t current;
};

struct sim_lane {
    struct relay_lane *lane;
    struct sim_chain chain;
    struct sim_chain witnesses[NODES_MAX];
    struct chain *witness_list[NODES_MAX];
    int64_t next_ms;
    bool running; // a step of it is on the stack
    size_t process, index;
};

struct process {
    bool alive, dead; // dead: it dies, and unwinds
    struct store *store;
    struct claims *claims;
    struct sim_lane lanes[SIM_LANES_MAX];
    int64_t restart_ms;
    int64_t commits_seen;
    char holder[16];
};

enum crash_kind { CRASH_NONE, CRASH_AT_POINT, CRASH_AT_CALL, CRASH_AT_DISK };

// ---------------------------------------------------------------- events

enum event_verb {
    DO_BLOCK,
    DO_GOSSIP,   // node, transaction
    DO_DELIVER,  // a message to the API
    DO_OPERATOR, // an operator looks around
    DO_FAULT,    // something goes wrong
    DO_MEND,     // what an earlier fault broke is well again
    DO_CRASH,
    DO_RESTART, // process
    DO_POWER_CUT,
};

struct event {
    int64_t at_ms;
    uint64_t order;
    enum event_verb verb;
    int32_t a, b;
};

// ---------------------------------------------------------------- the oracle's memory

struct job_truth {
    int64_t id; // 0: unused place
    enum job_kind kind;
    enum job_state state;     // 0: not known yet
    enum job_state row_state; // when it was first seen
    int32_t payout;           // its subject
    size_t child, affiliate;
    struct usdc usdc, netted_usdc;
    struct sge sge, netted_sge;
    int64_t payment_id;
    int64_t held_until_ms; // 0: no hold window that is known
};

// A message to the API: delivered until it is answered, and sometimes again.
enum message_kind {
    MESSAGE_USER,
    MESSAGE_MINT,
    MESSAGE_PAYMENT,
    MESSAGE_REFUND,
    MESSAGE_REVERSAL, // a chargeback is won
};
struct message {
    enum message_kind kind;
    size_t number; // of the payment or child
    bool acknowledged;
    int repeats;
};

struct payment_truth {
    size_t child, program;
    struct usdc amount;
    bool acknowledged, accepted;
    int64_t id, job_id;
    enum refund_kind refund;
    bool refund_acknowledged;
    enum refund_outcome refund_outcome;
};

// What was sent under one nonce.
struct nonce_truth {
    int32_t work;    // the first transaction with work that was sent, + 1; 0: none
    int32_t durable; // the newest attempt in the store, + 1; 0: none
};

struct oracle {
    struct list jobs;                       // struct job_truth by job id
    struct list messages;                   // struct message
    struct list payments;                   // struct payment_truth
    struct list nonces[SIM_LANES_MAX];      // struct nonce_truth
    int64_t job_id, history_id, attempt_id; // seen so far
    int64_t attempts_count;
    size_t records_checked;
    bool reading;                       // the oracle itself uses the disk
    bool auditing;                      // after a restart: when its rows were written is not known
    bool settled;                       // the tail: what an operator holds is free again
    unsigned holds[JOB_KIND_COUNT + 1]; // of the preflight and the lanes: bits by reason
    bool owes[AFFILIATES_MAX];          // a refund came too late once
};

// ---------------------------------------------------------------- the world

#define TRACE_LINES_MAX 64
#define TRACE_LINE_SIZE 200

struct sim {
    uint64_t seed;
    struct rng rng;
    int64_t now_ms, wall_step_ms;
    bool quiet; // the tail: no new faults
    struct scenario scenario;
    struct clock clock;
    struct random_source random;

    struct tree tree;
    struct contracts contracts;
    struct node nodes[NODES_MAX];
    int64_t final_number; // no block at or below it is ever replaced
    uint64_t market_tip;
    int64_t spike_until_ms, halted_until_ms;
    int foreign_wanted[SIM_LANES_MAX];
    struct eth_key keys[SIM_LANES_MAX];
    struct address lanes[SIM_LANES_MAX];

    struct event *events; // a heap
    size_t events_count, events_capacity;
    uint64_t events_order;
    int64_t happened; // events and steps so far

    struct sim_disk *disk;
    const struct sim_disk_image *image;
    const char *path;
    struct process processes[PROCESSES_MAX];
    enum crash_kind crash;
    int64_t crash_countdown;
    enum lane_point crash_point;
    bool crash_is_power_cut;
    int64_t freeze_ms;             // waits for the next chance
    size_t depth;                  // of steps on the stack
    size_t holders[SIM_LANES_MAX]; // the process that last had the lane, + 1; 0: none

    struct oracle oracle;
    struct arena *arena; // of one question or one check
    int64_t statistics[STATISTICS];

    enum promise broken;
    char failure[400];
    bool verbose, loud; // loud: each line is printed at once
    uint64_t digest;    // of everything that happened: two runs of a seed must agree
    char trace[TRACE_LINES_MAX][TRACE_LINE_SIZE];
    size_t trace_count;
};

// The first violation stands; the run ends.
void sim_break(struct sim *sim, enum promise promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sim_trace_line(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A line of the story; formatted only when somebody reads it, but always part of the digest.
#define sim_trace(sim, ...)                                                                        \
    do {                                                                                           \
        (sim)->digest = rng_mix((sim)->digest + (uint64_t)(sim)->now_ms * 31 + __LINE__);          \
        if ((sim)->verbose)                                                                        \
            sim_trace_line((sim), __VA_ARGS__);                                                    \
    } while (0)

static inline void sim_count(struct sim *sim, enum statistic statistic)
{
    sim->statistics[statistic]++;
}

// scenario.c
void scenario_draw(struct scenario *scenario, struct rng *rng);

// world.c: time and events.
void world_schedule(struct sim *sim, int64_t delay_ms, enum event_verb verb, int32_t a, int32_t b);
// Time passes, and what happens in it happens (also other lanes' steps).
void world_pass(struct sim *sim, int64_t ms);
// One seed from start to end; true where no promise was broken.
bool world_run(struct sim *sim, uint64_t seed);

// nodes.c: what nodes know and take.
void nodes_start(struct sim *sim);
// Brings the node's view to the present time; every question begins with it.
struct node *node_look(struct sim *sim, size_t index);
// The true chain has a new tip: the nodes will hear of it.
void nodes_hear(struct sim *sim);
void node_gossip(struct sim *sim, size_t index, int32_t tx);
// What a node says to eth_sendRawTransaction; "" where it takes it. `code` is the JSON-RPC error's.
void node_take(char ret_message[160], int64_t *ret_code, struct sim *sim, size_t index, int32_t tx);

// mine.c: blocks.
void mine_block(struct sim *sim);
void mine_reorganise(struct sim *sim);
void mine_fork(struct sim *sim, size_t index);

// pool.c: struct chain, as the relayer sees it.
void sim_chain_start(struct sim_chain *chain, struct sim *sim, size_t process, int node);

// relayers.c: processes with their stores and lanes; crashes.
void relayers_start(struct sim *sim);
void relayers_stop(struct sim *sim);
int64_t relayers_next_ms(const struct sim *sim, struct sim_lane **ret_lane);
void relayers_step(struct sim *sim, struct sim_lane *lane);
void relayers_restart(struct sim *sim, size_t number);
void relayers_crash(struct sim *sim, bool power_cut);
void relayers_arm_crash(struct sim *sim);
// Buries who is dead and has come back from its last step.
void relayers_bury(struct sim *sim);
bool relayers_dying(const struct sim *sim, size_t process);
// The store the API writes to; NULL while there is none.
struct store *relayers_store(struct sim *sim);

// load.c: what comes in through the API and from operators.
void load_start(struct sim *sim);
void load_deliver(struct sim *sim, size_t index);
void load_operator(struct sim *sim);
void load_settle(struct sim *sim); // the tail: everything is delivered once more
bool load_is_done(struct sim *sim);

// faults.c: what goes wrong outside of any call.
void faults_start(struct sim *sim);
void faults_happen(struct sim *sim);
void faults_crash(struct sim *sim);
void faults_cut_power(struct sim *sim);
void faults_mend(struct sim *sim, int32_t what);
void faults_end(struct sim *sim);

// oracle.c: the checks.
void oracle_start(struct sim *sim);
void oracle_signed(struct sim *sim, int32_t index);
void oracle_sending(struct sim *sim, struct store *store, int32_t index);
void oracle_mined(struct sim *sim, int32_t tip);
// After anything that may have written: reads what is new in the store.
void oracle_look(struct sim *sim, struct process *process);
// After a restart, and at the end: all that was promised is there.
void oracle_audit(struct sim *sim, struct process *process, bool at_end);
