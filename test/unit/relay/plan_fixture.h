// SPDX-License-Identifier: Apache-2.0
// Slots, attempts and facts made by hand, for the table tests of the plan.
#pragma once

#include "relay/plan.h"

#include <string.h>

#define FIXTURE_ATTEMPTS 4
#define FIXTURE_JOBS     4

// A lane at nonce 5 with its slot; contract 0xcc.., lane 0xaa...
struct fixture {
    struct lane_attempt attempts[FIXTURE_ATTEMPTS];
    struct job jobs[FIXTURE_JOBS];
    struct lane_slot slot;
    struct chain_receipt receipts[FIXTURE_ATTEMPTS];
    struct block_fact blocks[4];
    struct plan_facts facts;
    struct plan_limits limits;
    struct relay_contracts contracts;
};

static inline struct wei fixture_wei(uint64_t units)
{
    struct wei amount = {0};
    if (!wei_from_units(&amount, units))
        return amount;
    return amount;
}

static inline struct hash32 fixture_hash(uint8_t number)
{
    struct hash32 hash = {{number, 0x77}};
    return hash;
}

static const struct address fixture_lane = {{0xaa}};
static const struct address fixture_contract = {{0xcc}};

static inline void fixture_attempt(struct fixture *fixture, uint8_t hash, bool filler)
{
    struct lane_attempt *attempt = &fixture->attempts[fixture->slot.attempts_count++];
    attempt->row.id = hash;
    attempt->row.state = ATTEMPT_SENT;
    attempt->row.hash = fixture_hash(hash);
    attempt->row.max_fee = fixture_wei(800);
    attempt->row.max_priority_fee = fixture_wei(80);
    attempt->row.gas_limit = 100000;
    attempt->to = filler ? fixture_lane : fixture_contract;
    attempt->filler = filler;
}

// One payout, one attempt, sent at 1000 ms; head 100, block 100 canonical as hash 100.
static inline void fixture_setup(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    struct lane_slot *slot = &fixture->slot;
    slot->row.id = 9;
    slot->row.nonce = 5;
    slot->row.state = SLOT_OPEN;
    slot->attempts = fixture->attempts;
    slot->jobs = fixture->jobs;
    slot->jobs_count = 1;
    slot->mood.attempt_since_ms = 1000;
    slot->mood.send_next_ms = 4000;
    slot->mood.taken = true;
    for (size_t i = 0; i < FIXTURE_JOBS; i++) {
        fixture->jobs[i].id = 100 + (int64_t)i;
        fixture->jobs[i].kind = JOB_PAYOUT_USDC;
        fixture->jobs[i].state = JOB_SENT;
        fixture->jobs[i].tries = 1;
        fixture->jobs[i].payout_id = fixture_hash((uint8_t)(200 + i));
        fixture->jobs[i].child.bytes[0] = (uint8_t)(0x10 + i);
        fixture->jobs[i].referrer.bytes[0] = (uint8_t)(0x20 + i);
    }
    fixture_attempt(fixture, 1, false);
    fixture->contracts =
        (struct relay_contracts){fixture_contract, fixture_contract, fixture_contract};
    fixture->blocks[0] = (struct block_fact){100, true, fixture_hash(100)};
    fixture->facts = (struct plan_facts){.now_ms = 2000,
                                         .wall_ms = 50000,
                                         .jitter = 1,
                                         .head = {.number = 100, .hash = fixture_hash(100)},
                                         .head_since_ms = 1500,
                                         .final_number = 90,
                                         .nonce_known = true,
                                         .nonce = 5,
                                         .nonce_since_ms = 500,
                                         .fees_known = true,
                                         .fees = {fixture_wei(100), fixture_wei(10)},
                                         .blocks = fixture->blocks,
                                         .blocks_count = 1};
    fixture->limits = (struct plan_limits){.window = 16,
                                           .batch_gas_max = 15000000,
                                           .batch_size_max = 200,
                                           .fees = {fixture_wei(100000), fixture_wei(100)},
                                           .stuck_after_ms = 30000,
                                           .retry_delay_ms = 1000,
                                           .retry_delay_ms_max = 60000,
                                           .tries_max = 8};
}

// A receipt of attempt `index` in the given block, as our contract call.
static inline struct chain_receipt *fixture_receipt(struct fixture *fixture, size_t index,
                                                    int64_t block, uint8_t block_hash)
{
    struct chain_receipt *receipt = &fixture->receipts[index];
    *receipt = (struct chain_receipt){.found = true,
                                      .transaction_hash = fixture->attempts[index].row.hash,
                                      .block_hash = fixture_hash(block_hash),
                                      .block_number = block,
                                      .succeeded = true,
                                      .to = fixture->attempts[index].to,
                                      .gas_used = 60000};
    return receipt;
}

static inline void fixture_mined(struct fixture *fixture, size_t attempt, int64_t block,
                                 uint8_t block_hash)
{
    fixture->slot.row.state = SLOT_MINED;
    fixture->slot.row.inclusion =
        (struct inclusion){.transaction_hash = fixture->attempts[attempt].row.hash,
                           .block_hash = fixture_hash(block_hash),
                           .block_number = block,
                           .succeeded = true};
}
