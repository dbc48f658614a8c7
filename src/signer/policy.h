// SPDX-License-Identifier: Apache-2.0
// What the signer signs. Pure, so that each rule is a row of a test.
#pragma once

#include "signer/signer.h"

#define SIGN_DATA_BYTES_MAX (128 * 1024) // what nodes take as one transaction

// Every reason to refuse, in the order in which they are looked for.
#define REFUSAL_TABLE(X)                                                                           \
    X(REFUSAL_NONE, "none")                                                                        \
    X(REFUSAL_TYPE, "type")               /* neither legacy nor EIP-1559 */                        \
    X(REFUSAL_ACCESS_LIST, "access_list") /* none of our calls needs one */                        \
    X(REFUSAL_CHAIN, "chain")             /* another chain */                                      \
    X(REFUSAL_CREATION, "creation")       /* creates a contract */                                 \
    X(REFUSAL_VALUE, "value")             /* moves the chain's coin */                             \
    X(REFUSAL_FEE, "fee")                 /* above the ceiling, or a tip above the fee */          \
    X(REFUSAL_GAS, "gas")                 /* none, or above the limit */                           \
    X(REFUSAL_SIZE, "size")               /* more data than a node takes */                        \
    X(REFUSAL_RECIPIENT, "recipient")     /* neither a contract of ours nor a filler */            \
    X(REFUSAL_SELECTOR, "selector")       /* not a call of the relayer's at that contract */

enum refusal {
#define REFUSAL_ENUM(name, text) name,
    REFUSAL_TABLE(REFUSAL_ENUM)
#undef REFUSAL_ENUM
};

const char *refusal_text(enum refusal refusal);

// contracts[] holds, in this order, the registry, the payout and the identity contract; each is
// called with its own selectors only.
enum refusal policy_check(const struct signer_policy *policy, const struct address *lane,
                          const struct transaction *transaction);
