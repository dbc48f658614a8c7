// SPDX-License-Identifier: Apache-2.0
// Slots (one nonce of a lane) and attempts (one signed transaction for a slot): states and facts.
//
// Promise 3: a slot is bound to its jobs for ever, unless every attempt hash is proven dead at a
// final block. Promise 4: an attempt's bytes are committed before they are first sent.
#pragma once

#include "base/bytes.h"
#include "base/money.h"

#define SLOT_STATE_TABLE(X)                                                                        \
    X(1, SLOT_OPEN, "open", "signed; not in a block we believe")                                   \
    X(2, SLOT_MINED, "mined", "one of its attempts is in a canonical block")                       \
    X(3, SLOT_FINAL, "final", "past the finality rule; its jobs are settled")                      \
    X(4, SLOT_FOREIGN, "foreign", "proven used by a transaction that is not ours")

enum slot_state {
#define SLOT_STATE_ENUM(number, name, text, help) name = number,
    SLOT_STATE_TABLE(SLOT_STATE_ENUM)
#undef SLOT_STATE_ENUM
};

#define SLOT_KIND_TABLE(X)                                                                         \
    X(1, SLOT_WORK, "work", "carries jobs")                                                        \
    X(2, SLOT_FILLER, "filler", "a zero-value self-transfer that closes a gap")

enum slot_kind {
#define SLOT_KIND_ENUM(number, name, text, help) name = number,
    SLOT_KIND_TABLE(SLOT_KIND_ENUM)
#undef SLOT_KIND_ENUM
};

#define ATTEMPT_STATE_TABLE(X)                                                                     \
    X(1, ATTEMPT_SIGNED, "signed", "committed, not sent yet as far as we know")                    \
    X(2, ATTEMPT_SENT, "sent", "sent, or the outcome of sending is unknown")                       \
    X(3, ATTEMPT_MINED, "mined", "its receipt is canonical")                                       \
    X(4, ATTEMPT_REPLACED, "replaced", "another attempt of the slot is final")                     \
    X(5, ATTEMPT_DROPPED, "dropped", "proven dead at a final block")

enum attempt_state {
#define ATTEMPT_STATE_ENUM(number, name, text, help) name = number,
    ATTEMPT_STATE_TABLE(ATTEMPT_STATE_ENUM)
#undef ATTEMPT_STATE_ENUM
};

struct attempt {
    int64_t id; // 0 until stored
    int64_t slot_id;
    enum attempt_state state;
    struct hash32 hash;
    struct bytes raw; // signed bytes; borrowed from the arena it was loaded into
    struct wei max_fee;
    struct wei max_priority_fee;
    int64_t gas_limit;
    int64_t created_ms;
    int64_t sent_ms; // last time, 0: never
    int32_t sends;
};

// Where a slot's mined attempt stands.
struct inclusion {
    struct hash32 transaction_hash;
    struct hash32 block_hash;
    int64_t block_number;
    bool succeeded; // receipt status 1
    int64_t gas_used;
    struct wei gas_price; // effective
};

struct slot {
    int64_t id; // 0 until stored
    int64_t lane_id;
    int64_t nonce;
    enum slot_kind kind;
    enum slot_state state;
    struct inclusion inclusion; // valid in SLOT_MINED and SLOT_FINAL
    int64_t created_ms;
};

const char *slot_state_text(enum slot_state state);
MUST_USE bool slot_state_from_number(enum slot_state *ret_state, int64_t number);
const char *slot_kind_text(enum slot_kind kind);
MUST_USE bool slot_kind_from_number(enum slot_kind *ret_kind, int64_t number);
const char *attempt_state_text(enum attempt_state state);
MUST_USE bool attempt_state_from_number(enum attempt_state *ret_state, int64_t number);
