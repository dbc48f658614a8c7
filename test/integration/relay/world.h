// SPDX-License-Identifier: Apache-2.0
// A whole world for lane tests: a real node with the real contracts, a real store on disk, the real
// signer process, and one lane that is stepped by hand.
#pragma once

#include "anvil.h"
#include "relay/lane.h"
#include "store/payments.h"
#include "store/programs.h"
#include "store/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WORLD_CHAIN_ID  31337
#define WORLD_NODES_MAX 3
#define WORLD_RUN_MS    30000 // what a wait for jobs may take

struct world {
    struct anvil *anvil;
    struct arena *arena;
    struct address admin, lane_address;
    struct address usdc, sge, identity, registry, payout;
    char directory[64], path[96];
    struct steady_clock steady; // as in the program
    struct clock clock, source; // clock: the steady one's; its source steps at will
    int64_t skew_ms;            // added to both of the source's clocks: time passes
    int64_t step_ms;            // added to its wall clock: somebody sets it
    // Chosen by the test before world_start.
    int64_t confirmations, window, batch_size_max, stuck_after_ms;
    struct wei max_fee;
    int32_t tries_max;
    const char *second_witness; // URL of a further endpoint that proofs must ask; NULL: none
    const char *nodes[WORLD_NODES_MAX]; // endpoints, each a witness; none: the node alone
    size_t nodes_count, witnesses_needed;
    bool signer_denies_mints; // its policy does not know the identity contract
    void (*at)(void *context, enum lane_point point);
    void *at_context;

    struct store *store;
    struct signer *signer;
    struct chain *chain;
    struct chain *witnesses[WORLD_NODES_MAX];
    size_t witnesses_count;
    struct claims *claims;
    struct relay_lane *lane;
};

#define OK(call) assert_string_equal(status_text(call), "ok")

// Starts the node, deploys, funds the payout contract with 1000 USDC, makes the store and the
// programs "usdc" (10 %), "hybrid" (10 %, 2 SGE per USDC) and "patient" (10 %, after 60 s).
void world_open(struct world *world);
void world_close(struct world *world);
// What a process of the relayer opens; several in a row are restarts.
void world_start(struct world *world);
void world_stop(struct world *world);
// Only the store, with its threads; the relay under test opens the rest.
void world_open_store(struct world *world, void (*on_jobs)(void *context), void *context);
// Makes another wallet a lane that the contracts obey.
void world_grant(struct world *world, const struct address *lane);

// Another, empty store for the same chain. Between world_stop and world_start.
void world_forget_store(struct world *world);

// Child number n and its affiliate number m, as addresses.
struct address world_child(int number);
struct address world_affiliate(int number);
// Registers the child with the affiliate; with its identity where mint.
void world_register(struct world *world, int child, int affiliate, bool mint);
int64_t world_referral_job(struct world *world, int child);
// Registers the referral on the chain, past the relayer.
void world_refer(struct world *world, int child, const struct address *affiliate);
// A payment of so many whole USDC by the child; returns the job of its payout.
int64_t world_pay(struct world *world, const char *key, int child, const char *program,
                  int64_t usdc);
struct job world_job(struct world *world, int64_t job_id);
// The state's text, for assertions that show names.
const char *world_state(struct world *world, int64_t job_id);
void world_cancel(struct world *world, int64_t job_id);
// As an operator does with a parked job.
void world_retry(struct world *world, int64_t job_id);
// Pays the job's payout on the chain, past the relayer.
void world_pay_by_hand(struct world *world, int64_t job_id);
// As an operator does, for all payouts in USDC.
void world_pause(struct world *world, bool paused);

// Another process takes the lane, at a time when our lease has run out.
void world_take_lease(struct world *world, const char *holder);

// One step; returns what it asks to wait.
int64_t world_step(struct world *world);
// Steps until no job is in any of the states of `busy` (a bit set of 1 << state).
void world_run_while(struct world *world, unsigned busy);
// Is any job not confirmed, parked or cancelled?
bool world_is_busy(struct world *world);
// Until none is.
void world_run(struct world *world);
// Steps until the job is in the state.
void world_run_until(struct world *world, int64_t job_id, enum job_state state);
// Why the kind is held for the reason; NULL: it is not.
const char *world_hold_why(struct world *world, enum job_kind kind, const char *reason);
bool world_is_held(struct world *world, enum job_kind kind, const char *reason);

// From the admin's account; the call must succeed.
void world_admin(struct world *world, const struct address *to, const struct abi_writer *call);
void world_admin_plain(struct world *world, const struct address *to, const char *signature);
void world_admin_address(struct world *world, const struct address *to, const char *signature,
                         const struct address *argument);
void world_mint_usdc(struct world *world, int64_t whole);
// The node's own methods; params is a JSON array.
void world_node(struct world *world, const char *method, const char *params);
int64_t world_block_number(struct world *world);

int64_t world_usdc_of(struct world *world, const struct address *holder); // base units
uint64_t world_view(struct world *world, const struct address *to, const char *signature,
                    const struct address *argument);
// AffiliatePaid, AffiliatePaidHybrid and PayoutOwed events with this id, on the whole chain.
size_t world_events_of(struct world *world, const struct hash32 *payout_id);
// The lane's key is used elsewhere: its next nonce is taken by a transaction we do not know.
void world_use_nonce(struct world *world);
// Transactions the lane has in the chain.
int64_t world_lane_nonce(struct world *world);
