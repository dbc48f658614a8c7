// SPDX-License-Identifier: Apache-2.0
// What a number of endpoints agree on: no end of a job rests on the word of one node.
//
// Every endpoint is a witness, asked by itself. Finality, a reorganisation, and whether the chain
// has a job's effect count where enough witnesses say the same; silence is no word.
#pragma once

#include "relay/payload.h"

struct panel {
    struct chain *own;              // the lane's
    struct chain *const *witnesses; // in the order of the endpoints
    size_t count;
    size_t needed;           // 1: each alone is believed, 0: the lane's own chain is
    int64_t confirmations;   // BLOCK_LATEST
    enum block_tag finality; // BLOCK_LATEST: by depth
};

// The lane's own chain is believed, and the witnesses are not asked: there are no two of them, or
// none is needed. Where one is enough of several it still speaks for itself alone: what the lane's
// chain says may be one node's head and, after a fail-over, another one's block.
bool panel_is_off(const struct panel *panel);

// What the lane's chain says of a slot's transaction.
struct panel_question {
    int64_t block_number;
    struct hash32 block_hash;
    const struct chain_receipt *receipt; // NULL: it asks whether the block is gone
};

struct panel_answer {
    bool agreed; // final with this very receipt; or another block stands at its height
    bool denied; // some witness contradicts
};

// Asks one witness after the other until enough agree on everything and none contradicts. The
// witnesses that a majority of at least `needed` contradicts have their bit set in *ret_liars.
// STATUS_OK or STATUS_NO_MEMORY: a witness that fails is one that says nothing. At least one
// witness.
MUST_USE enum status panel_ask(struct panel_answer *ret_answers, uint32_t *ret_liars,
                               const struct panel *panel, const struct panel_question *questions,
                               size_t count, struct arena *arena);

// effects_ask at block `number`, which must be final for each witness that counts. EFFECT_UNKNOWN
// where nobody answers or they do not agree. STATUS_OK or STATUS_NO_MEMORY.
MUST_USE enum status panel_effects(enum effect *ret_effects, const struct panel *panel,
                                   const struct relay_contracts *contracts,
                                   const struct job *const *jobs, size_t count, int64_t number,
                                   struct arena *arena);

// Do enough witnesses say that the account has, or has not, used this nonce? Where the panel is off
// the answer is yes.
bool panel_nonce_is_free(const struct panel *panel, const struct address *account, int64_t nonce);
bool panel_nonce_is_used(const struct panel *panel, const struct address *account, int64_t nonce);
// The account's next nonce: the lowest that anybody says, since one too low is found out by proof,
// and one too high leaves a gap. STATUS_UNAVAILABLE where the lane's own chain does not answer.
MUST_USE enum status panel_lowest_nonce(int64_t *ret_nonce, const struct panel *panel,
                                        const struct address *account);

// The last block that is final for this witness.
MUST_USE enum status panel_final(int64_t *ret_number, struct chain *witness,
                                 const struct panel *panel);
