// SPDX-License-Identifier: Apache-2.0
// Lanes, slots and attempts as rows: leases with a fencing epoch, nonces, signed bytes.
//
// Every write names the lane's epoch and is refused with STATUS_DENIED, nothing written, when the
// lease has moved on: a relayer that was stopped past its lease cannot use a nonce.
#pragma once

#include "job/job.h"
#include "job/slot.h"
#include "store/jobs.h"

#define LANE_HOLDER_SIZE 64

struct lane {
    int64_t id;
    struct address address;
    int64_t next_nonce; // the first nonce never used by a slot
    int64_t epoch;      // grows with every change of holder
    char holder[LANE_HOLDER_SIZE];
    int64_t lease_until_ms;
};

// Takes the lane for `holder`, creating it at first_nonce where it is new (first_nonce: what the
// chain's latest state says). STATUS_BUSY while another holder's lease runs.
MUST_USE enum status lane_acquire(struct store_tx *tx, struct lane *ret_lane,
                                  const struct address *address, int64_t first_nonce,
                                  const char *holder, int64_t lease_ms);
MUST_USE enum status lane_renew(struct store_tx *tx, const struct lane *lane, int64_t lease_ms);
MUST_USE enum status lane_release(struct store_tx *tx, const struct lane *lane);
MUST_USE enum status lanes_list(struct store_tx *tx, struct lane **ret_lanes, size_t *ret_count,
                                struct arena *arena);
#define LANES_MAX 256

// A slot with everything the relayer needs to go on after a restart.
struct slot_row {
    struct slot slot;
    struct attempt *attempts; // oldest first, raw bytes included
    size_t attempts_count;
    struct job *jobs; // in the order they stand in the batch
    size_t jobs_count;
};
// All slots of the lane that are open or mined, by nonce.
MUST_USE enum status slots_unfinished(struct store_tx *tx, struct slot_row **ret_slots,
                                      size_t *ret_count, const struct lane *lane,
                                      struct arena *arena);

#define SLOT_JOBS_MAX 512 // jobs in one slot's transaction

// Binds jobs to the lane's next nonce with their first attempt: slot, attempt, jobs queued ->
// assigned (tries + 1), next_nonce + 1; all or nothing. jobs_count is 0 for a filler.
// STATUS_CONFLICT: a job is no longer queued, or nonce is not lane's next_nonce (nothing written).
// On success the ids in *ret_slot and *ret_attempt are set.
MUST_USE enum status slot_assign(struct store_tx *tx, struct slot *ret_slot,
                                 struct attempt *ret_attempt, const struct lane *lane,
                                 int64_t nonce, const int64_t *job_ids, size_t jobs_count,
                                 const struct attempt *attempt);
// A further attempt (fee bump) for a slot, committed before it is sent.
MUST_USE enum status attempt_add(struct store_tx *tx, int64_t *ret_attempt_id,
                                 const struct lane *lane, int64_t slot_id,
                                 const struct attempt *attempt);
// Notes that attempts were sent; jobs of their slots go assigned -> sent.
MUST_USE enum status attempts_sent(struct store_tx *tx, const struct lane *lane,
                                   const int64_t *attempt_ids, size_t count);
// A canonical receipt for one of the slot's attempts: slot mined, jobs -> mined. Again with another
// block after a reorganisation: the inclusion is replaced.
MUST_USE enum status slot_mined(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                                const struct inclusion *inclusion);
// The receipt is gone: slot open, jobs mined -> sent. Also for a foreign transaction that was
// reorganised away before its proof: slot stays open, jobs unresolved -> sent.
MUST_USE enum status slot_unmined(struct store_tx *tx, const struct lane *lane, int64_t slot_id);

// How one job of a final slot ended.
struct job_settlement {
    int64_t job_id;
    enum job_state next; // confirmed, queued (retry) or parked
    struct job_change change;
};
// The slot is final: attempts mined / replaced, jobs settled one by one.
MUST_USE enum status slot_final(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                                const struct job_settlement *settlements, size_t count);
// The slot's nonce is used by a transaction that is not ours: jobs -> unresolved.
MUST_USE enum status slot_unresolved(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                                     const char *why);
// Proven by relay/proof: slot foreign, attempts dropped, jobs unresolved -> as settlements say.
MUST_USE enum status slot_foreign(struct store_tx *tx, const struct lane *lane, int64_t slot_id,
                                  const struct job_settlement *settlements, size_t count);
