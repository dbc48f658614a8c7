// SPDX-License-Identifier: Apache-2.0
// One lane: a wallet, its nonces, and the step that moves its work on. No threads, no waiting:
// whoever drives it (a thread of the relay, the simulator, a test) calls lane_step again and again.
//
// A step: look at the chain; judge the unfinished slots; take due jobs and preflight them; sign;
// write everything in ONE transaction; send; record. A process that dies between any two of these
// goes on from what was written: bytes are on disk before they are sent, and lane_step of the next
// process sends the same bytes.
#pragma once

#include "base/random.h"
#include "relay/claims.h"
#include "relay/plan.h"
#include "signer/signer.h"

// signer_sign, or what stands in for it in the simulator.
struct lane_signer {
    enum status (*sign)(void *context, struct signed_transaction *ret_signed,
                        const struct sign_request *requests, size_t count, struct arena *arena);
    void *context;
};

// Places between which a process may die; tests and the simulator make it die there.
enum lane_point {
    LANE_JUDGED,    // receipts are read, nothing of them is written
    LANE_CLAIMED,   // due jobs are read
    LANE_SIGNED,    // transactions are signed, nothing is written
    LANE_COMMITTED, // slots, attempts and jobs are durable, nothing is sent
    LANE_SENT,      // sent, not recorded
    LANE_RECORDED,  // recorded
};

struct lane_options {
    struct store *store;
    struct chain *chain;
    struct chain *const *witnesses; // one per endpoint, in their order
    size_t witnesses_count;
    size_t witnesses_needed; // that agree on what is final; 0: the chain above is believed
    struct lane_signer signer;
    const struct clock *clock;
    const struct random_source *random;
    struct claims *claims; // shared with the other lanes of the process
    size_t index;          // among them
    const char *holder;
    struct address address;
    uint64_t chain_id;
    struct relay_contracts contracts;
    struct address usdc, sge; // whose room at the payout contract is counted; zero: it is not
    int64_t confirmations;    // BLOCK_LATEST
    enum block_tag finality;  // BLOCK_LATEST: by depth
    struct plan_limits limits;
    int64_t poll_interval_ms;
    void (*at)(void *context, enum lane_point point); // may be NULL
    void *at_context;
};

// A lease runs so long; every write renews it, and so does a step in the last two thirds of it.
#define LANE_LEASE_MS 30000
// Right after a send the chain is looked at so often; the pause grows by a half up to the poll
// interval.
#define LANE_QUICK_MS_MIN 4
// Pause after trouble with the chain; doubles up to the maximum.
#define LANE_TROUBLE_MS     50
#define LANE_TROUBLE_MS_MAX 5000
// Due jobs one step looks at.
#define LANE_DUE_MAX 1024
// Hashes and jobs whose receipts are asked for in one request.
#define LANE_RECEIPTS_MAX     256
#define LANE_RECEIPT_JOBS_MAX 600
// Foreign nonces one step closes with slots that carry nothing.
#define LANE_ABSORB_MAX 16
// Between two tries to prove an unresolved slot.
#define LANE_PROOF_MS 2000
// Between two questions to the witnesses about one slot.
#define LANE_AGREE_MS 500
// So long after a foreign nonce was proven the lane is degraded.
#define LANE_DEGRADED_MS 3600000
// Memory of one step.
#define LANE_ARENA_BYTES_MAX ((size_t)256 << 20)

struct relay_lane;

// NULL only when memory is out. Options are copied; what they point to must outlive the lane.
struct relay_lane *lane_open(const struct lane_options *options);
// Does not release the lease. Takes NULL.
void lane_close(struct relay_lane *lane);
// Gives the lease back, at a clean end.
void lane_let_go(struct relay_lane *lane);

// One step. *ret_wait_ms: how long to wait for a wake-up before the next. Trouble that may pass is
// STATUS_OK. Anything else ends the lane for good: STATUS_UNAVAILABLE (the signer is gone),
// STATUS_STOPPED, STATUS_IO, STATUS_CORRUPT (the store).
MUST_USE enum status lane_step(struct relay_lane *lane, int64_t *ret_wait_ms);

// What a lane is doing, for the console, tests and metrics.
struct lane_view {
    bool held; // it has the lease
    size_t open, mined, unresolved;
    int64_t next_nonce;
    bool stalled;  // the chain makes no blocks while slots wait for one: nothing new is sent
    bool degraded; // somebody else used our nonces, or may have, not long ago
};
struct lane_view lane_look(const struct relay_lane *lane);
