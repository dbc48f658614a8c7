// SPDX-License-Identifier: Apache-2.0
// A lane's unfinished slots in memory: the rows, and what is known only while we run.
#pragma once

#include "relay/gas.h"
#include "store/lanes.h"

// Replacements of one slot; past it the last bytes are only sent again.
#define SLOT_ATTEMPTS_MAX 40

#define SLOT_FATAL_TEXT_SIZE 160

struct lane_attempt {
    struct attempt row; // raw bytes in the slot's arena
    // Decoded from the bytes, so that a restart knows as much as before.
    struct address to;
    struct bytes data;
    bool filler; // a self-transfer that gives the nonce up
};

// What a restart may forget. Times are monotonic milliseconds; 0: never.
struct slot_mood {
    int64_t attempt_since_ms; // the newest attempt exists since then
    int64_t send_next_ms;     // not sent again before
    int64_t send_block;       // head when it was last taken
    int32_t refusals;         // in a row
    bool taken;               // some node took a work attempt, or may have
    bool bump_wanted;         // a node asked for more
    bool bump_denied;         // the signer's policy refuses a further attempt: said once
    bool ceiling_told;        // no higher fees are allowed: said once
    struct wei tip_min;       // what it asked for; zero: did not say
    bool fatal;               // the payload can never be accepted
    char fatal_text[SLOT_FATAL_TEXT_SIZE];
    int64_t used_since_ms; // our nonce is used, and no hash of ours is known
    bool settle_told;      // final, and the chain does not say what became of its jobs: said once
    int64_t agree_next_ms; // the witnesses are not asked before
    bool agree_told;       // they contradict each other: said once
    bool unresolved;       // recorded so
    int64_t proof_next_ms; // the next try to prove it
};

struct lane_slot {
    struct slot row;
    struct lane_attempt *attempts; // capacity SLOT_ATTEMPTS_MAX
    size_t attempts_count;
    struct job *jobs; // in the order of the batch
    size_t jobs_count;
    struct slot_mood mood;
    struct arena *arena; // owns attempts, bytes and jobs
};

struct lane_slots {
    struct lane_slot **items; // by nonce
    size_t count;
};
// Unfinished slots of one lane; no new work past it. Most are mined and wait for finality.
#define LANE_SLOTS_MAX 4096

// Copies a stored row. *ret_slot is NULL-safe to free. STATUS_CORRUPT: the bytes are not a
// transaction of this lane and nonce. STATUS_NO_MEMORY, STATUS_LIMIT.
MUST_USE enum status lane_slot_new(struct lane_slot **ret_slot, const struct slot_row *row,
                                   const struct address *lane);
void lane_slot_free(struct lane_slot *slot);
// Copies a further attempt.
MUST_USE enum status lane_slot_add_attempt(struct lane_slot *slot, const struct attempt *attempt,
                                           const struct address *lane);
struct lane_attempt *lane_slot_newest(const struct lane_slot *slot);

// Keeps the order; STATUS_LIMIT past LANE_SLOTS_MAX. On failure the slot stays the caller's.
MUST_USE enum status lane_slots_insert(struct lane_slots *slots, struct lane_slot *slot);
// Frees the slot.
void lane_slots_remove(struct lane_slots *slots, int64_t slot_id);
void lane_slots_clear(struct lane_slots *slots);
// Slots that are in no block.
size_t lane_slots_open(const struct lane_slots *slots);
