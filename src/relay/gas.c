// SPDX-License-Identifier: Apache-2.0
// Gas limits from the named constants.
#include "relay/gas.h"

static int64_t plain_limit(enum tx_form form, int64_t usdc, int64_t hybrid)
{
    switch (form) {
    case TX_PAY_ONE:
        return hybrid > 0 ? GAS_PAY_HYBRID : GAS_PAY_USDC;
    case TX_PAY_MANY:
        return GAS_PAY_BATCH_BASE + usdc * GAS_PAY_BATCH_USDC + hybrid * GAS_PAY_BATCH_HYBRID;
    case TX_PAY_OWED:
        return GAS_PAY_OWED;
    case TX_REFER_ONE:
        return GAS_REFER;
    case TX_REFER_MANY:
        return GAS_REFER_BATCH_BASE + (usdc + hybrid) * GAS_REFER_BATCH_ITEM;
    case TX_MINT_ONE:
        return GAS_MINT;
    case TX_MINT_MANY:
        return GAS_MINT_BATCH_BASE + (usdc + hybrid) * GAS_MINT_BATCH_ITEM;
    }
    return GAS_TRANSACTION_MAX;
}

int64_t gas_limit(enum tx_form form, size_t usdc, size_t hybrid, bool retried)
{
    if (usdc > (size_t)GAS_TRANSACTION_MAX || hybrid > (size_t)GAS_TRANSACTION_MAX)
        return GAS_TRANSACTION_MAX;
    int64_t limit = plain_limit(form, (int64_t)usdc, (int64_t)hybrid);
    if (retried)
        limit = limit * GAS_RETRY_NUMERATOR / GAS_RETRY_DENOMINATOR;
    return limit < GAS_TRANSACTION_MAX ? limit : GAS_TRANSACTION_MAX;
}

bool gas_ran_out(int64_t used, int64_t limit)
{
    return used >= limit - limit / GAS_LEFT_PART;
}
