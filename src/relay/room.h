// SPDX-License-Identifier: Apache-2.0
// What the payout contract lets go, beside what is in flight: each trial call sees the chain as it
// is, and not the transactions that wait before it. Pure.
#pragma once

#include "relay/payload.h"

// Amounts of payouts.
struct flight {
    struct usdc usdc;
    struct sge sge;
};

// The sum stays at its maximum.
void flight_add(struct flight *sum, const struct flight *more);
void flight_add_jobs(struct flight *sum, const struct job *const *jobs, size_t count);

// Less of a token than its funds and its daily cap allow; an amount is the most there is where the
// contract does not say.
struct room {
    struct flight left;
};
struct room room_unlimited(void);

// availableFunds(token) and dailyRemaining(token) of each token that is known (not zero).
#define ROOM_CALLS_MAX 4
// False only when the arena is full.
MUST_USE bool room_calls(struct chain_call ret_calls[ROOM_CALLS_MAX], size_t *ret_count,
                         const struct relay_contracts *contracts, const struct address *usdc,
                         const struct address *sge, struct arena *arena);
// The answers, in the same order. A contract without these views limits nothing here.
struct room room_read(const struct call_result *results, const struct address *usdc,
                      const struct address *sge);

// Takes what is in flight off the room: nothing is left below zero.
void room_use(struct room *room, const struct flight *flight);
// Takes the job's amounts off the room; false, and nothing taken, where it does not fit.
bool room_take(struct room *room, const struct job *job);
