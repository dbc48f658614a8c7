// SPDX-License-Identifier: Apache-2.0
// What a lane does next, given what the store and the chain say and what time it is. Pure: no I/O,
// no clock, no memory but the arena. The same code runs in production and under the simulator.
//
// One step of a lane asks, in this order:
//   plan_track   what became of each unfinished slot?            (plan_track.c)
//   plan_endings how did the jobs of a final slot end?           (plan_settle.c)
//   plan_settle  and so what becomes of them?                    (plan_settle.c)
//   plan_mend    which open slots are sent again, bumped, filled? (plan_mend.c)
//   plan_group   which due jobs would share a transaction?       (plan_assign.c)
//   plan_assign  and after the preflight, which really do?       (plan_assign.c)
//
// The rule above all others: a job that is bound to a slot leaves it only by plan_settle, which
// needs a final receipt of one of the slot's own attempts, or the proof of relay/proof.h.
#pragma once

#include "relay/fees.h"
#include "relay/payload.h"
#include "relay/room.h"
#include "relay/slots.h"

struct plan_limits {
    int64_t window;         // slots in no block, per lane
    int64_t batch_gas_max;  // of one transaction
    int64_t batch_size_max; // jobs of one transaction
    struct fee_limits fees;
    int64_t stuck_after_ms;
    int64_t retry_delay_ms, retry_delay_ms_max;
    int32_t tries_max;
};

// The contracts take no longer batch.
#define PLAN_BATCH_MAX 256
// A nonce used by nobody we know of stays a question this long: the node with the receipt may lag
// behind the node with the nonce.
#define PLAN_FOREIGN_GRACE_MS 20000
// Open transactions are sent again after so many blocks, or so much time (less where stuck_after_ms
// is short).
#define PLAN_RESEND_BLOCKS 3
#define PLAN_RESEND_MS_MAX 15000
// Pause after a refusal; doubles up to the maximum.
#define PLAN_REFUSED_MS     250
#define PLAN_REFUSED_MS_MAX 30000
// Two replacements of one slot are at least this far apart.
#define PLAN_BUMP_PAUSE_MS 1000
// No block for so long while we wait for one: nothing new is sent, nothing is bumped.
#define PLAN_STALL_MS 120000
// A payload that nodes refuse for good is given so many slots before its jobs are parked.
#define PLAN_FATAL_TRIES_MAX 2
// A job that runs out of gas in its second slot, with half as much again, is parked.
#define PLAN_GAS_TRIES_MAX 2
// So many refusals for good in a row, and no node has it, though one was thought to.
#define PLAN_FATAL_REFUSALS 8
// A held kind is tried again this often, with this many jobs.
#define PLAN_HOLD_RECHECK_MS 3000
#define PLAN_PROBE_JOBS_MAX  8

// The canonical hash of a block, as far as a node said.
struct block_fact {
    int64_t number;
    bool found;
    struct hash32 hash;
};

// What is known at this step.
struct plan_facts {
    int64_t now_ms;  // monotonic: timers
    int64_t wall_ms; // rows
    uint64_t jitter; // fresh random bits
    struct chain_head head;
    int64_t head_since_ms;  // monotonic, when the head last changed
    int64_t final_number;   // blocks up to it are final; -1: none
    bool nonce_known;       // else the chain did not say
    int64_t nonce;          // of the lane, latest state
    int64_t nonce_since_ms; // monotonic, when it last changed
    bool fees_known;
    struct chain_fees fees;
    const struct block_fact *blocks;
    size_t blocks_count;
};

const struct block_fact *plan_block(const struct plan_facts *facts, int64_t number);

// The delay before try number `tries` + 1: doubles up to the maximum, a quarter of it is jitter.
int64_t plan_retry_delay_ms(const struct plan_limits *limits, int32_t tries, uint64_t jitter);
// Different bits for each item of a step.
uint64_t plan_mix(uint64_t jitter, uint64_t item);

// ---- tracking

enum track_verdict {
    TRACK_NOTHING,    // as it was
    TRACK_MINED,      // in a canonical block, new or another than before: see inclusion
    TRACK_UNMINED,    // its block is no longer canonical, and no other has it
    TRACK_FINAL,      // mined, canonical and final: settle its jobs
    TRACK_USED,       // our nonce is used and no hash is known: the grace runs
    TRACK_UNRESOLVED, // ... and is over
    TRACK_PROVE,      // unresolved: look for proof
    TRACK_FREED,      // unresolved, but the nonce is free again
};

struct track {
    enum track_verdict verdict;
    size_t attempt; // TRACK_MINED, TRACK_FINAL: which one
    struct inclusion inclusion;
};

// receipts: one per attempt; NULL where none were asked for or no node answered.
struct track plan_track(const struct lane_slot *slot, const struct chain_receipt *receipts,
                        const struct plan_facts *facts);

// ---- settling

enum ending {
    ENDING_DONE,     // our event with our id
    ENDING_OWED,     // the contract owes it
    ENDING_SKIPPED,  // the batch passed it over: see cause
    ENDING_NOTHING,  // no trace of it in a successful transaction
    ENDING_REVERTED, // the transaction reverted
    ENDING_FILLED,   // the nonce was given up
};
struct job_ending {
    enum ending ending;
    enum revert_cause cause; // ENDING_SKIPPED
};

// How the slot's mined attempt ended for each of its jobs; ret_endings has jobs_count members.
void plan_endings(struct job_ending *ret_endings, const struct lane_slot *slot, size_t attempt,
                  const struct chain_receipt *receipt);
// Does the ending alone decide, or must the chain be asked whether the effect is there?
bool plan_ending_decides(enum ending ending);

// What else is known of a final slot. effects: one per job, at the final block; members whose
// ending decides are not read. revert: the reverted call run again at the parent block;
// revert_known is false where no node could.
struct settle_facts {
    const struct job_ending *endings;
    const enum effect *effects;
    bool out_of_gas;
    bool revert_known;
    struct revert revert;
};
// False where it cannot be decided yet (an effect is unknown): nothing is written then. Texts in
// the arena; ret_settlements has jobs_count members.
MUST_USE bool plan_settle(struct job_settlement *ret_settlements, const struct lane_slot *slot,
                          const struct settle_facts *settle, const struct plan_limits *limits,
                          const struct plan_facts *facts, struct arena *arena);
// After the proof that no attempt of the slot can ever be mined: all effects are known.
void plan_settle_foreign(struct job_settlement *ret_settlements, const struct lane_slot *slot,
                         const enum effect *effects, const struct plan_facts *facts);

// ---- mending

enum mend_verb {
    MEND_NOTHING,
    MEND_SEND, // the newest bytes, again
    MEND_BUMP, // the newest payload with these fees
    MEND_FILL, // give the nonce up: a self-transfer with these fees
};
struct mend {
    enum mend_verb verb;
    struct fee_pair fees;
    bool at_ceiling; // higher fees are due and not allowed: an alert
};
struct mend plan_mend(const struct lane_slot *slot, const struct plan_facts *facts,
                      const struct plan_limits *limits);
// What a node's answer to the slot's newest attempt changes.
void plan_sent(struct lane_slot *slot, const struct send_result *result,
               const struct plan_facts *facts, const struct plan_limits *limits);
// No block for long while slots wait for one.
bool plan_stalled(const struct lane_slots *slots, const struct plan_facts *facts);

// ---- assigning

struct plan_group {
    enum tx_form form;
    const struct job **jobs;
    size_t count;
    int64_t gas_limit;
};

// Due jobs (oldest first) as transactions, at most `free`, oldest first. Jobs whose earlier slot
// came to nothing go alone. False only when the arena is full.
MUST_USE bool plan_group(struct plan_group **ret_groups, size_t *ret_count, const struct job *jobs,
                         size_t jobs_count, size_t free, const struct plan_limits *limits,
                         struct arena *arena);

enum verdict {
    VERDICT_WAIT,  // nothing certain, or not final yet: look again later
    VERDICT_PAYS,  // it would succeed
    VERDICT_OWED,  // the token refuses the recipient: only the batch form books it
    VERDICT_DONE,  // the final chain has the effect
    VERDICT_HOLD,  // the cause concerns the kind and may pass: see hold
    VERDICT_SMALL, // it would succeed alone, but not together with what goes before it
    VERDICT_DOUBT, // it would revert, nobody knows why: tried again, and parked in the end
    VERDICT_PARK,  // it will never succeed: see text
};
struct preflight {
    enum verdict verdict;
    const char *hold; // reason of a hold: "funds", "daily_cap", ...
    const char *text; // what the chain said; may be NULL
};

// What a decoded revert of a single call means. text borrows from revert.
struct preflight plan_preflight_revert(const struct revert *revert);
// May the cause pass by itself?
bool plan_cause_passes(enum revert_cause cause);

// Reasons of holds that the preflight sets and clears, NULL-terminated.
extern const char *const plan_hold_reasons[];

enum job_verb { JOB_VERB_CONFIRM, JOB_VERB_PARK, JOB_VERB_POSTPONE, JOB_VERB_TRY_LATER };
struct job_action {
    enum job_verb verb;
    int64_t job_id;
    struct job_change change;
};
struct hold_action {
    enum job_kind kind;
    const char *set; // the reason to hold for; NULL: no hold of ours stays
    const char *why;
};
struct assignment {
    struct plan_group *groups; // to be signed, in order
    size_t groups_count;
    struct job_action *actions;
    size_t actions_count;
    struct hold_action holds[JOB_KIND_COUNT];
    size_t holds_count;
};

// What would pay by itself, but not beside what is in flight and what goes before it, waits.
void plan_fit(struct preflight *verdicts, const struct plan_group *groups, size_t count,
              struct room *room);

// groups as plan_group gave them; verdicts run through the groups' jobs in order. At most `free`
// groups come out. False only when the arena is full.
MUST_USE bool plan_assign(struct assignment *ret_assignment, const struct plan_group *groups,
                          size_t count, const struct preflight *verdicts, size_t free,
                          const struct plan_facts *facts, const struct plan_limits *limits,
                          struct arena *arena);

// What one group and the open slots may cost at most; false only on overflow.
MUST_USE bool plan_gas_needed(struct wei *ret_cost, const struct plan_group *group,
                              const struct fee_pair *fees, const struct lane_slots *slots);
// How many of the groups the lane's balance can pay for, beside what its open slots may cost.
size_t plan_affordable(const struct plan_group *groups, size_t count, const struct fee_pair *fees,
                       struct wei balance, const struct lane_slots *slots);
