// SPDX-License-Identifier: Apache-2.0
// Every signature Sluice calls, hears or decodes, once. A test holds them against the artifacts.
#pragma once

#include "eth/contracts.h"

#define CALL_TABLE(X)                                                                              \
    X(CALL_REGISTER_REFERRAL, "registerReferral(address,address)")                                 \
    X(CALL_REGISTER_REFERRALS, "registerReferrals((address,address)[])")                           \
    X(CALL_PAY_AFFILIATE_USDC, "payAffiliateUSDC(bytes32,address,address,uint256)")                \
    X(CALL_PAY_AFFILIATE_HYBRID, "payAffiliateHybrid(bytes32,address,address,uint256,uint256)")    \
    X(CALL_PAY_AFFILIATES, "payAffiliates((bytes32,address,address,uint256,uint256)[])")           \
    X(CALL_MINT, "mint(address)")                                                                  \
    X(CALL_MINT_BATCH, "mintBatch(address[])")                                                     \
    X(CALL_REFERRAL_PAID, "referralPaid(bytes32)")                                                 \
    X(CALL_EMERGENCY_WITHDRAW, "emergencyWithdraw(address,address,uint256)")

enum call_kind {
#define CALL_ENUM(name, signature) name,
    CALL_TABLE(CALL_ENUM)
#undef CALL_ENUM
};

// event, signature, topics (topics[0] included), words of data. One event may have several shapes.
#define EVENT_TABLE(X)                                                                             \
    X(EVENT_REFERRAL_REGISTERED, "ReferralRegistered(address,address)", 3, 0)                      \
    X(EVENT_REFERRAL_SKIPPED, "ReferralSkipped(address,address,bytes4)", 3, 1)                     \
    X(EVENT_AFFILIATE_PAID, "AffiliatePaid(bytes32,address,uint256)", 3, 1)                        \
    X(EVENT_AFFILIATE_PAID, "AffiliatePaidHybrid(bytes32,address,uint256,uint256)", 3, 2)          \
    X(EVENT_PAYOUT_OWED, "PayoutOwed(bytes32,address,uint256,uint256)", 3, 2)                      \
    X(EVENT_PAYOUT_SKIPPED, "PayoutSkipped(bytes32,bytes4)", 2, 1)                                 \
    X(EVENT_IDENTITY_MINTED, "Transfer(address,address,uint256)", 4, 0)

// signature, cause. Those without a cause of their own are still decoded into words.
#define ERROR_TABLE(X)                                                                             \
    X("AccessControlUnauthorizedAccount(address,bytes32)", REVERT_UNAUTHORIZED)                    \
    X("AlreadyMinted(address)", REVERT_ALREADY_MINTED)                                             \
    X("AlreadyPaid(bytes32)", REVERT_ALREADY_PAID)                                                 \
    X("AlreadyReferred(address,address)", REVERT_ALREADY_REFERRED)                                 \
    X("BatchTooLarge(uint256,uint256)", REVERT_REFUSED)                                            \
    X("DailyCapExceeded(address,uint256,uint256)", REVERT_DAILY_CAP)                               \
    X("ERC20ExceededCap(uint256,uint256)", REVERT_FUNDS)                                           \
    X("ERC20InsufficientAllowance(address,uint256,uint256)", REVERT_FUNDS)                         \
    X("ERC20InsufficientBalance(address,uint256,uint256)", REVERT_FUNDS)                           \
    X("EnforcedPause()", REVERT_PAUSED)                                                            \
    X("ExpectedPause()", REVERT_REFUSED)                                                           \
    X("InsufficientFunds(address,uint256,uint256)", REVERT_FUNDS)                                  \
    X("InvalidRecipient(address)", REVERT_REFUSED)                                                 \
    X("PayoutCapExceeded(address,uint256,uint256)", REVERT_PAYOUT_CAP)                             \
    X("ReentrancyGuardReentrantCall()", REVERT_REFUSED)                                            \
    X("ReferralCycle(address,address)", REVERT_REFUSED)                                            \
    X("SafeERC20FailedOperation(address)", REVERT_UNKNOWN)                                         \
    X("SelfReferral(address)", REVERT_REFUSED)                                                     \
    X("TransferMismatch(address,uint256,uint256)", REVERT_UNKNOWN)                                 \
    X("ZeroAddress()", REVERT_REFUSED)                                                             \
    X("ZeroAmount()", REVERT_REFUSED)

// Texts of Error(string) that tokens give, USDC's among them.
#define ERROR_MESSAGE_TABLE(X)                                                                     \
    X("Blacklistable: account is blacklisted", REVERT_BLACKLISTED)                                 \
    X("ERC20: transfer amount exceeds allowance", REVERT_FUNDS)                                    \
    X("ERC20: transfer amount exceeds balance", REVERT_FUNDS)                                      \
    X("FiatTokenV2_2: Account is blacklisted", REVERT_BLACKLISTED)                                 \
    X("Pausable: paused", REVERT_PAUSED)
