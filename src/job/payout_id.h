// SPDX-License-Identifier: Apache-2.0
// Payout ids: the business key of one payout, the same for the same payment for ever.
//
// keccak256(abi.encode(uint256 chainId, address payoutContract, bytes32 keccak256(program name),
// bytes32 business key)). So even a store that was lost cannot make the contract pay twice.
#pragma once

#include "eth/address.h"

struct payout_domain {
    uint64_t chain_id;
    struct address payout_contract;
};

// PROGRAM_EVERY_PAYMENT: the business key is keccak256 of the provider's payment id.
struct hash32 payout_id_of_payment(const struct payout_domain *domain, const char *program_name,
                                   const char *payment_id);
// PROGRAM_FIRST_PAYMENT: the business key is keccak256(abi.encode(child, referrer)).
struct hash32 payout_id_of_referral(const struct payout_domain *domain, const char *program_name,
                                    const struct address *child, const struct address *referrer);
