// SPDX-License-Identifier: Apache-2.0
// Why a whole kind of jobs is held: the names, and what ends each.
#pragma once

#include <stdbool.h>

// text, help
#define HOLD_REASON_TABLE(X)                                                                       \
    X("paused", "an operator paused the kind; until it is resumed")                                \
    X("funds", "the contract has too few tokens for what waits; until it is funded")               \
    X("daily_cap", "the contract's daily cap is used up; until it frees")                          \
    X("token_paused", "the token is paused by its owner; until it is not")                         \
    X("contract_blacklisted", "the token refuses the payout contract; until it no longer does")    \
    X("contract_paused", "our contract is paused; until its owner resumes it")                     \
    X("unauthorized", "the lane lacks its role at the contract; until the role is granted")        \
    X("no_contract", "the contract of this kind is not configured; until it is")                   \
    X("gas_money", "a lane has too little native currency; until it is topped up")                 \
    X("fee_ceiling", "the network asks more than MAX_FEE_PER_GAS_GWEI; until it asks less")

// Whether the table has it.
bool hold_reason_is_known(const char *text);
