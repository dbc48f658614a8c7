// SPDX-License-Identifier: Apache-2.0
// The signer's policy: the few calls of the relayer, at our contracts, within the ceilings.
#include "signer/policy.h"

#include "eth/keccak.h"

#include <string.h>

#define SELECTOR_SIZE   4
#define SIGNATURES_MAX  3
#define CONTRACTS_COUNT (sizeof((struct signer_policy *)0)->contracts / sizeof(struct address))

// What the relayer calls, by the contract's place in signer_policy.contracts.
static const char *const signatures[CONTRACTS_COUNT][SIGNATURES_MAX] = {
    {"registerReferral(address,address)", "registerReferrals((address,address)[])"},
    {"payAffiliateUSDC(bytes32,address,address,uint256)",
     "payAffiliateHybrid(bytes32,address,address,uint256,uint256)",
     "payAffiliates((bytes32,address,address,uint256,uint256)[])"},
    {"mint(address)", "mintBatch(address[])"},
};

const char *refusal_text(enum refusal refusal)
{
    static const char *const texts[] = {
#define REFUSAL_TEXT(name, text) [name] = (text),
        REFUSAL_TABLE(REFUSAL_TEXT)
#undef REFUSAL_TEXT
    };
    return texts[refusal];
}

static bool is_filler(const struct address *lane, const struct transaction *transaction)
{
    return transaction->data.size == 0 && address_equal(&transaction->to, lane);
}

static bool selector_is_allowed(size_t contract, struct bytes data)
{
    if (data.size < SELECTOR_SIZE)
        return false;
    for (size_t i = 0; i < SIGNATURES_MAX && signatures[contract][i] != NULL; i++) {
        struct hash32 hash = keccak256_text(signatures[contract][i]);
        if (memcmp(hash.bytes, data.data, SELECTOR_SIZE) == 0)
            return true;
    }
    return false;
}

static enum refusal check_call(const struct signer_policy *policy,
                               const struct transaction *transaction)
{
    enum refusal refusal = REFUSAL_RECIPIENT;
    for (size_t i = 0; i < CONTRACTS_COUNT; i++) {
        if (address_is_zero(&policy->contracts[i]) ||
            !address_equal(&policy->contracts[i], &transaction->to))
            continue;
        if (selector_is_allowed(i, transaction->data))
            return REFUSAL_NONE;
        refusal = REFUSAL_SELECTOR;
    }
    return refusal;
}

static enum refusal check_costs(const struct signer_policy *policy,
                                const struct transaction *transaction)
{
    if (!u256_is_zero(transaction->value))
        return REFUSAL_VALUE;
    if (wei_compare(transaction->max_fee, policy->max_fee) > 0 ||
        wei_compare(transaction->max_priority_fee, transaction->max_fee) > 0)
        return REFUSAL_FEE;
    if (transaction->gas_limit == 0 || policy->gas_limit_max < 0 ||
        transaction->gas_limit > (uint64_t)policy->gas_limit_max)
        return REFUSAL_GAS;
    return REFUSAL_NONE;
}

enum refusal policy_check(const struct signer_policy *policy, const struct address *lane,
                          const struct transaction *transaction)
{
    if (transaction->type != TX_LEGACY && transaction->type != TX_DYNAMIC_FEE)
        return REFUSAL_TYPE;
    if (transaction->access_list_count != 0)
        return REFUSAL_ACCESS_LIST;
    if (transaction->chain_id != policy->chain_id)
        return REFUSAL_CHAIN;
    if (transaction->creates_contract)
        return REFUSAL_CREATION;
    enum refusal refusal = check_costs(policy, transaction);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (transaction->data.size > SIGN_DATA_BYTES_MAX)
        return REFUSAL_SIZE;
    return is_filler(lane, transaction) ? REFUSAL_NONE : check_call(policy, transaction);
}
