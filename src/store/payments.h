// SPDX-License-Identifier: Apache-2.0
// Payments in, refunds in: each accepted once for ever, with its job, in one transaction.
#pragma once

#include "job/job.h"
#include "job/program.h"
#include "store/store.h"

// Where a payment or event came from. Numbers reach the disk.
#define PROVIDER_TABLE(X)                                                                          \
    X(1, PROVIDER_DIRECT, "direct")                                                                \
    X(2, PROVIDER_STANDARD, "standard")                                                            \
    X(3, PROVIDER_STRIPE, "stripe")                                                                \
    X(4, PROVIDER_COINBASE_COMMERCE, "coinbase-commerce")

enum provider {
#define PROVIDER_ENUM(number, name, text) name = number,
    PROVIDER_TABLE(PROVIDER_ENUM)
#undef PROVIDER_ENUM
};
const char *provider_text(enum provider provider);

#define PAYMENT_KEY_SIZE 129 // the provider's payment id: 1..128 printable ASCII, NUL included
#define EVENT_ID_SIZE    256 // the provider's event id, NUL included

// What became of a payment. Numbers reach the disk.
#define PAYMENT_STATE_TABLE(X)                                                                     \
    X(1, PAYMENT_ACCEPTED, "accepted", "a payout job exists")                                      \
    X(2, PAYMENT_NO_REFERRER, "no_referrer", "the child was referred by nobody")                   \
    X(3, PAYMENT_NO_COMMISSION, "no_commission", "the commission rounds down to nothing")          \
    X(4, PAYMENT_ALREADY_EARNED, "already_earned", "the program pays once per referral")           \
    X(5, PAYMENT_REFUNDED, "refunded", "a refund came, before or after the payment")

enum payment_state {
#define PAYMENT_STATE_ENUM(number, name, text, help) name = number,
    PAYMENT_STATE_TABLE(PAYMENT_STATE_ENUM)
#undef PAYMENT_STATE_ENUM
};
const char *payment_state_text(enum payment_state state);

struct payment {
    int64_t id;
    char key[PAYMENT_KEY_SIZE];
    enum provider provider;
    enum payment_state state;
    struct address child;
    struct address referrer; // zero: none
    int64_t program_id;
    struct usdc amount;
    int64_t job_id; // 0: none
    int64_t received_ms;
};

// What the handler verified and parsed. Texts are borrowed.
struct payment_input {
    enum provider provider;
    const char *payment_key;
    struct address child;
    const char *program_name; // NULL: the user's program
    struct usdc amount;       // not zero
    int64_t received_ms;
    struct trace_id trace;
};

enum payment_outcome {
    PAYMENT_NEW,             // stored; look at payment.state for whether a payout follows
    PAYMENT_DUPLICATE,       // the same payment is stored: *ret_payment is it
    PAYMENT_DIFFERS,         // that id is stored with another child, amount or program
    PAYMENT_UNKNOWN_USER,    // nothing is stored: let the provider deliver again later
    PAYMENT_UNKNOWN_PROGRAM, // none named and the user has none, no such name, or not active
};

// Accepts a payment: the row, its unique id, its payout job, history. A refund that came first
// (payment_refund on an unknown key) makes it PAYMENT_REFUNDED without a job.
MUST_USE enum status payment_accept(struct store_tx *tx, enum payment_outcome *ret_outcome,
                                    struct payment *ret_payment, const struct payment_input *input);

enum refund_kind { REFUND_FULL, REFUND_CHARGEBACK, REFUND_REVERSED /* chargeback won */ };

#define REFUND_OUTCOME_TABLE(X)                                                                    \
    X(REFUND_TOMBSTONE, "tombstone", "no such payment yet: remembered, it will not pay")           \
    X(REFUND_CANCELLED, "cancelled", "the payout was not signed yet and is cancelled")             \
    X(REFUND_RECEIVABLE, "receivable",                                                             \
      "the payout is signed or paid: owed back, and netted from the affiliate's next payouts")     \
    X(REFUND_NOTHING, "nothing", "nothing was to be paid, or it is refunded already")              \
    X(REFUND_DUPLICATE, "duplicate", "this event was handled before")                              \
    X(REFUND_RESTORED, "restored",                                                                 \
      "a chargeback was won: as if it had never come; what was netted for it is paid out again")   \
    X(REFUND_WON_EARLY, "won_early",                                                               \
      "a chargeback was won that has not come yet: remembered, it will change nothing")            \
    X(REFUND_VOID, "void", "this chargeback was won before it came")

enum refund_outcome {
#define REFUND_OUTCOME_ENUM(name, text, help) name,
    REFUND_OUTCOME_TABLE(REFUND_OUTCOME_ENUM)
#undef REFUND_OUTCOME_ENUM
};

// Events are deduplicated for ever by (provider, event id).
MUST_USE enum status payment_refund(struct store_tx *tx, enum refund_outcome *ret_outcome,
                                    enum provider provider, const char *event_id,
                                    const char *payment_key, enum refund_kind kind,
                                    const struct trace_id *trace);

MUST_USE enum status payment_by_id(struct store_tx *tx, struct payment *ret_payment, int64_t id);
MUST_USE enum status payment_by_key(struct store_tx *tx, struct payment *ret_payment,
                                    const char *payment_key);
