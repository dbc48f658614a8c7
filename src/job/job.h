// SPDX-License-Identifier: Apache-2.0
// Jobs: one intended on-chain effect each. Kinds, states, the allowed changes of state.
//
// Each machine is one table here. The enum, the names, the parser, the SQL check, docs/states.md
// and the dashboard legend all come from it. Numbers reach the disk: never renumber, only append.
#pragma once

#include "base/bytes.h"
#include "base/money.h"
#include "eth/address.h"

#include <stdio.h>

// number, name, text, help
#define JOB_KIND_TABLE(X)                                                                          \
    X(1, JOB_REGISTER_REFERRAL, "register_referral", "record child and referrer in the registry")  \
    X(2, JOB_MINT_IDENTITY, "mint_identity", "mint the identity token of a wallet")                \
    X(3, JOB_PAYOUT_USDC, "payout_usdc", "pay a referrer USDC")                                    \
    X(4, JOB_PAYOUT_HYBRID, "payout_hybrid", "pay a referrer USDC and SGE together")

enum job_kind {
#define JOB_KIND_ENUM(number, name, text, help) name = number,
    JOB_KIND_TABLE(JOB_KIND_ENUM)
#undef JOB_KIND_ENUM
};

#define JOB_KIND_COUNT 4

// number, name, text, open (still has work to do), help
#define JOB_STATE_TABLE(X)                                                                         \
    X(1, JOB_QUEUED, "queued", true, "waits for a slot; due_ms says from when")                    \
    X(2, JOB_HELD, "held", true, "waits for its hold window; due_ms says until when")              \
    X(3, JOB_ASSIGNED, "assigned", true, "bound to a slot, signed, durable; not yet sent")         \
    X(4, JOB_SENT, "sent", true, "given to at least one node, or the outcome of that is unknown")  \
    X(5, JOB_MINED, "mined", true, "in a block that is not final yet")                             \
    X(6, JOB_UNRESOLVED, "unresolved", true, "our nonce was used and no hash of ours is known")    \
    X(7, JOB_CONFIRMED, "confirmed", false, "the effect is on the final chain")                    \
    X(8, JOB_PARKED, "parked", true, "dead letter: an operator retries or cancels it")             \
    X(9, JOB_CANCELLED, "cancelled", false, "taken back before it was signed, or by an operator")

enum job_state {
#define JOB_STATE_ENUM(number, name, text, open, help) name = number,
    JOB_STATE_TABLE(JOB_STATE_ENUM)
#undef JOB_STATE_ENUM
};

#define JOB_STATE_COUNT 9

// from, to, why it happens. Every change that is not a row here is refused.
#define JOB_CHANGE_TABLE(X)                                                                        \
    X(JOB_QUEUED, JOB_ASSIGNED, "claimed: nonce, bytes and hash are committed")                    \
    X(JOB_QUEUED, JOB_HELD, "a hold window applies")                                               \
    X(JOB_QUEUED, JOB_PARKED, "it can never succeed, or tries are used up")                        \
    X(JOB_QUEUED, JOB_CONFIRMED, "the chain has the effect already")                               \
    X(JOB_QUEUED, JOB_CANCELLED, "refund before signing, or an operator")                          \
    X(JOB_HELD, JOB_QUEUED, "the window has passed, or an operator released it")                   \
    X(JOB_HELD, JOB_CANCELLED, "refund inside the window, or an operator")                         \
    X(JOB_ASSIGNED, JOB_SENT, "a node took it, or may have")                                       \
    X(JOB_ASSIGNED, JOB_MINED, "found in a block after a restart")                                 \
    X(JOB_ASSIGNED, JOB_UNRESOLVED, "the nonce is used by a transaction we do not know")           \
    X(JOB_SENT, JOB_MINED, "one of its hashes has a canonical receipt")                            \
    X(JOB_SENT, JOB_UNRESOLVED, "the nonce is used by a transaction we do not know")               \
    X(JOB_MINED, JOB_SENT, "reorganisation: the receipt is gone")                                  \
    X(JOB_MINED, JOB_CONFIRMED, "final, and the event carries our id")                             \
    X(JOB_MINED, JOB_QUEUED, "final without effect, and the cause may pass")                       \
    X(JOB_MINED, JOB_PARKED, "final without effect, and the cause will not pass")                  \
    X(JOB_UNRESOLVED, JOB_MINED, "one of its hashes turned up in a block")                         \
    X(JOB_UNRESOLVED, JOB_SENT, "the foreign transaction was reorganised away")                    \
    X(JOB_UNRESOLVED, JOB_QUEUED, "proven unpaid and every hash dead, at a final block")           \
    X(JOB_UNRESOLVED, JOB_CONFIRMED, "proven done at a final block")                               \
    X(JOB_PARKED, JOB_QUEUED,                                                                      \
      "asked for again by an operator; proven not done before it is signed")                       \
    X(JOB_PARKED, JOB_CONFIRMED, "a retry found the effect on chain")                              \
    X(JOB_PARKED, JOB_CANCELLED, "given up by an operator")                                        \
    X(JOB_CANCELLED, JOB_QUEUED, "the chargeback that cancelled it was won")                       \
    X(JOB_CANCELLED, JOB_HELD, "the same, inside its hold window")

// How a confirmed job ended.
#define JOB_OUTCOME_TABLE(X)                                                                       \
    X(0, JOB_OUTCOME_NONE, "none", "not ended")                                                    \
    X(1, JOB_OUTCOME_DONE, "done", "the effect happened through this job")                         \
    X(2, JOB_OUTCOME_OWED, "owed",                                                                 \
      "the push failed; the contract owes it, the referrer claims it")                             \
    X(3, JOB_OUTCOME_ALREADY, "already", "the chain had the effect before this job")               \
    X(4, JOB_OUTCOME_NETTED, "netted",                                                             \
      "nothing left to pay: all of it went against what the referrer owed back")

enum job_outcome {
#define JOB_OUTCOME_ENUM(number, name, text, help) name = number,
    JOB_OUTCOME_TABLE(JOB_OUTCOME_ENUM)
#undef JOB_OUTCOME_ENUM
};

#define JOB_REASON_SIZE 200 // text that says why, NUL included

struct trace_id {
    uint8_t bytes[16]; // W3C trace context
};

struct job {
    int64_t id; // time-ordered
    enum job_kind kind;
    enum job_state state;
    enum job_outcome outcome;
    int64_t program_id;      // 0: none
    int64_t payment_id;      // 0: none
    struct hash32 payout_id; // payouts only, else zero
    struct address child;    // the wallet of a mint
    struct address referrer; // zero for a mint
    struct usdc usdc;        // what goes on chain
    struct sge sge;
    struct usdc netted_usdc; // what went against the referrer's debts instead
    struct sge netted_sge;
    int64_t slot_id; // 0: none
    int64_t due_ms;  // wall clock
    int32_t tries;   // slots used so far
    int64_t created_ms;
    int64_t updated_ms;
    struct trace_id trace;
    char reason[JOB_REASON_SIZE]; // of the last change
};

const char *job_kind_text(enum job_kind kind);
MUST_USE bool job_kind_parse(enum job_kind *ret_kind, const char *text);
MUST_USE bool job_kind_from_number(enum job_kind *ret_kind, int64_t number);
bool job_kind_is_payout(enum job_kind kind);

const char *job_state_text(enum job_state state);
MUST_USE bool job_state_parse(enum job_state *ret_state, const char *text);
MUST_USE bool job_state_from_number(enum job_state *ret_state, int64_t number);
// Still has work to do: not confirmed, not cancelled.
bool job_state_is_open(enum job_state state);
bool job_change_is_allowed(enum job_state from, enum job_state to);
// The table's reason for an allowed change, NULL for a refused one.
const char *job_change_why(enum job_state from, enum job_state to);

const char *job_outcome_text(enum job_outcome outcome);
MUST_USE bool job_outcome_from_number(enum job_outcome *ret_outcome, int64_t number);

// docs/states.md, whole: jobs, slots, attempts.
void job_print_states_markdown(FILE *out);
