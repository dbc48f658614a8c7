// SPDX-License-Identifier: Apache-2.0
// Gas limits of our transactions, by form and size. Pure.
//
// A limit is not a cost: what is not used is not paid. So the figures are those of the worst case
// that is not a fault (new recipients, a proxied token, a first spend of the hour), with room; the
// preflight call runs under the same limit and so proves it. Measured costs: contracts/GAS.md.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The protocol's cap of one transaction (EIP-7825).
#define GAS_TRANSACTION_MAX INT64_C(16777216)

#define GAS_SELF_TRANSFER INT64_C(21000)

#define GAS_PAY_USDC   INT64_C(220000)
#define GAS_PAY_HYBRID INT64_C(360000)
// A payout whose push fails and is written down as owed, in a batch of one.
#define GAS_PAY_OWED INT64_C(480000)

#define GAS_PAY_BATCH_BASE   INT64_C(220000)
#define GAS_PAY_BATCH_USDC   INT64_C(72000)
#define GAS_PAY_BATCH_HYBRID INT64_C(190000)

#define GAS_REFER            INT64_C(120000)
#define GAS_REFER_BATCH_BASE INT64_C(60000)
#define GAS_REFER_BATCH_ITEM INT64_C(62000)

#define GAS_MINT            INT64_C(150000)
#define GAS_MINT_BATCH_BASE INT64_C(60000)
#define GAS_MINT_BATCH_ITEM INT64_C(75000)

// A transaction that ran out of gas is tried with half as much again.
#define GAS_RETRY_NUMERATOR   3
#define GAS_RETRY_DENOMINATOR 2

// A call that runs out of gas inside leaves its caller a 64th of it, once per depth: who used all
// but so small a part has run out.
#define GAS_LEFT_PART 32
bool gas_ran_out(int64_t used, int64_t limit);

// What the form of a transaction is; the payload of each: relay/payload.h.
enum tx_form {
    TX_PAY_ONE,    // payAffiliateUSDC or payAffiliateHybrid
    TX_PAY_MANY,   // payAffiliates
    TX_PAY_OWED,   // payAffiliates with one payout that the token refuses
    TX_REFER_ONE,  // registerReferral
    TX_REFER_MANY, // registerReferrals
    TX_MINT_ONE,   // mint
    TX_MINT_MANY,  // mintBatch
};

// usdc and hybrid count the payouts of each sort, or all items in `usdc` where it is no payout.
// retried: an earlier transaction of the job came to nothing. Never above GAS_TRANSACTION_MAX.
int64_t gas_limit(enum tx_form form, size_t usdc, size_t hybrid, bool retried);
