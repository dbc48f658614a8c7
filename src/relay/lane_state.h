// SPDX-License-Identifier: Apache-2.0
// Inside of a lane, shared by the lane_*.c files only: its memory, and what one step gathers.
#pragma once

#include "relay/lane.h"
#include "relay/panel.h"
#include "relay/preflight.h"

struct relay_lane {
    struct lane_options options;
    struct arena *arena; // of the step
    bool held;
    struct lane row;
    int64_t renew_at_ms; // monotonic
    struct lane_slots slots;

    // What stays true from step to step until the head moves.
    bool head_known;
    struct chain_head head;
    int64_t head_since_ms;
    int64_t final_number;
    bool nonce_known;
    int64_t nonce, nonce_since_ms;
    int64_t ahead_since_ms; // the chain's nonce is past all of ours since then; 0: it is not
    bool ahead_told;        // and the endpoints do not agree: said once
    bool fees_known, balance_known;
    struct chain_fees fees;
    struct wei balance;
    int64_t balance_at_ms;
    bool stalled;
    int64_t foreign_at_ms; // a nonce was last proven foreign; 0: never
    bool gap_told;         // nonces below all of ours are free: said once
    bool settled;          // everything this head could tell has been told

    bool gas_refused; // a node said the lane lacks gas money
    int64_t hold_recheck_ms[JOB_KIND_COUNT + 1];
    int64_t quick_ms;   // pause while something is in flight
    int64_t trouble_ms; // pause after trouble; 0: none
    bool again;         // there is more to do at once
    enum status failed; // not STATUS_OK: the lane is at its end
};

enum change_verb {
    CHANGE_MINED,
    CHANGE_UNMINED,
    CHANGE_FINAL,
    CHANGE_UNRESOLVED,
    CHANGE_FREED,
    CHANGE_FOREIGN,
};
struct slot_change {
    enum change_verb verb;
    struct lane_slot *slot;
    struct inclusion inclusion;
    struct job_settlement *settlements; // FINAL, FOREIGN: one per job
};

// A transaction to sign: a further attempt of a slot, or the first of a new one.
struct signing {
    struct lane_slot *slot;         // NULL: a new slot
    const struct plan_group *group; // NULL: a filler
    struct fee_pair fees;
    int64_t nonce;
    struct attempt attempt; // once signed; its id once written
    struct slot new_slot;   // once written
    bool written;
};

struct step {
    struct relay_lane *lane;
    struct arena *arena;
    struct plan_facts facts;
    struct chain_receipt **receipts; // by slot index; NULL: not asked
    struct slot_change *changes;
    size_t changes_count;
    struct job *due;
    size_t due_count;
    struct hold *holds;
    size_t holds_count;
    struct assignment assignment;
    struct fee_pair first_fees;
    // Why no lane, or this one, takes anything; meaningful where it was looked at.
    bool lane_hold_known, gas_hold, fee_hold;
    const char *gas_text;     // what is needed and what is there; NULL: not said
    struct signing *signings; // bumps and fillers first, then new slots in nonce order
    size_t signings_count;
    size_t resends_count;
    struct lane_slot **resends;
    bool denied; // the lease is gone
    bool stale;  // memory and store differ: read it again
};

static inline void lane_at(const struct relay_lane *lane, enum lane_point point)
{
    if (lane->options.at != NULL)
        lane->options.at(lane->options.at_context, point);
}

// lane_look.c: chain facts into step->facts and step->receipts.
enum status look_at_head(struct step *step);
enum status look_at_slots(struct step *step);
enum status look_at_money(struct step *step);

// lane_judge.c: step->changes.
enum status judge_slots(struct step *step);

// lane_agree.c: of the verdicts that end a slot or take it back, those the witnesses do not share
// become TRACK_NOTHING.
enum status agree_on_tracks(struct step *step, struct track *tracks);
struct panel lane_panel(const struct relay_lane *lane);

// lane_work.c: step->assignment, step->signings, step->resends.
enum status work_read(struct step *step);
enum status work_assign(struct step *step);
void work_lane_hold(struct step *step);
// What the lane's open slots pay.
struct flight work_flight(const struct relay_lane *lane);
enum status work_mend(struct step *step);
enum status work_sign(struct step *step);

// lane_commit.c: the write transaction, then the same changes in memory.
enum status commit_step(struct step *step);

// lane_send.c
enum status send_step(struct step *step);

// lane.c: drops what is remembered; the next step reads it from the store again.
void lane_forget(struct relay_lane *lane);
