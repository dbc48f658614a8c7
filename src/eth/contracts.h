// SPDX-License-Identifier: Apache-2.0
// The calls, events and errors of AffiliateRegistry, AffiliatePayout, SGEIdentity and ERC-20,
// encoded and decoded. The signatures here are checked against the committed artifacts by a test.
#pragma once

#include "base/arena.h"
#include "base/money.h"
#include "eth/abi.h"

// One payout as payAffiliates() takes it.
struct payout_call {
    struct hash32 payout_id;
    struct address child;
    struct address referrer;
    struct usdc usdc;
    struct sge sge;
};

struct referral_call {
    struct address child;
    struct address referrer;
};

// Call data in the arena; false only when the arena is full.
MUST_USE bool call_register_referral(struct bytes *ret_data, struct arena *arena,
                                     const struct referral_call *referral);
MUST_USE bool call_register_referrals(struct bytes *ret_data, struct arena *arena,
                                      const struct referral_call *referrals, size_t count);
// payAffiliateUSDC where sge is zero, payAffiliateHybrid otherwise.
MUST_USE bool call_pay_affiliate(struct bytes *ret_data, struct arena *arena,
                                 const struct payout_call *payout);
MUST_USE bool call_pay_affiliates(struct bytes *ret_data, struct arena *arena,
                                  const struct payout_call *payouts, size_t count);
MUST_USE bool call_mint_identity(struct bytes *ret_data, struct arena *arena,
                                 const struct address *wallet);
MUST_USE bool call_mint_identities(struct bytes *ret_data, struct arena *arena,
                                   const struct address *wallets, size_t count);
// Views and administration.
MUST_USE bool call_referral_paid(struct bytes *ret_data, struct arena *arena,
                                 const struct hash32 *payout_id);
MUST_USE bool call_address_view(struct bytes *ret_data, struct arena *arena, const char *signature,
                                const struct address *argument); // e.g. "balanceOf(address)"
MUST_USE bool call_plain(struct bytes *ret_data, struct arena *arena, const char *signature);
MUST_USE bool call_emergency_withdraw(struct bytes *ret_data, struct arena *arena,
                                      const struct address *token, const struct address *to,
                                      struct u256 amount);

// What payAffiliates() returns per item.
enum payout_outcome { PAYOUT_SKIPPED = 0, PAYOUT_PAID = 1, PAYOUT_OWED = 2 };
MUST_USE bool read_payout_outcomes(enum payout_outcome *ret_outcomes, size_t count,
                                   struct bytes returned);

// One log of a receipt. topics[0] is the event's hash.
struct event_log {
    struct address address;
    struct hash32 topics[4];
    size_t topics_count;
    struct bytes data;
};

enum event_kind {
    EVENT_OTHER,               // not one of ours
    EVENT_REFERRAL_REGISTERED, // child, referrer
    EVENT_REFERRAL_SKIPPED,    // child, referrer, reason
    EVENT_AFFILIATE_PAID,      // payout but its child: AffiliatePaid or AffiliatePaidHybrid
    EVENT_PAYOUT_OWED,         // payout but its child
    EVENT_PAYOUT_SKIPPED,      // payout.payout_id, reason
    EVENT_IDENTITY_MINTED,     // wallet: Transfer(0, wallet, id) of SGEIdentity
};

struct contract_event {
    enum event_kind kind;
    struct payout_call payout;
    struct referral_call referral;
    struct address wallet; // EVENT_IDENTITY_MINTED
    uint8_t reason[4];     // selector of the custom error
};

// Decodes by topic and shape; the caller checks that log->address is the contract it trusts.
// A log that is not ours or is malformed gives EVENT_OTHER.
struct contract_event event_decode(const struct event_log *log);

// Revert data, decoded: Error(string), Panic(uint256), our custom errors, OpenZeppelin's and
// USDC's.
enum revert_cause {
    REVERT_UNKNOWN, // unknown selector: parked with the raw hex
    REVERT_EMPTY,   // no data at all
    REVERT_ALREADY_PAID,
    REVERT_ALREADY_REFERRED, // another referrer is registered
    REVERT_ALREADY_MINTED,
    REVERT_PAUSED,       // our contract, or the token
    REVERT_BLACKLISTED,  // the token refuses an account
    REVERT_DAILY_CAP,    // may pass tomorrow
    REVERT_PAYOUT_CAP,   // will never pass at this amount
    REVERT_FUNDS,        // the contract (or treasury) is short
    REVERT_UNAUTHORIZED, // our lane lacks the role
    REVERT_REFUSED,      // self referral, zero, cycle, invalid recipient: never passes
    REVERT_PANIC,
    REVERT_MESSAGE, // Error(string) with a text we do not know
};

#define REVERT_TEXT_SIZE 160

struct revert {
    enum revert_cause cause;
    uint8_t selector[4];
    char text[REVERT_TEXT_SIZE]; // e.g. "DailyCapExceeded(0x..., 5000000, 120000)"; printable ASCII
};

struct revert revert_decode(struct bytes data);
// The cause that a batch gives as a 4-byte reason in PayoutSkipped / ReferralSkipped.
enum revert_cause revert_cause_of_selector(const uint8_t selector[4]);
// Stable lower-case name, e.g. "daily_cap".
const char *revert_cause_text(enum revert_cause cause);
