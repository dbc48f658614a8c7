// SPDX-License-Identifier: Apache-2.0
// Users: a wallet, who referred it, and under which program.
#pragma once

#include "job/job.h"
#include "store/store.h"

struct user {
    int64_t id;
    struct address wallet;
    struct address referrer; // zero: none
    int64_t program_id;      // 0: none; payments then must name one
    int64_t referral_job_id; // 0: no referrer
    int64_t mint_job_id;     // 0: no mint asked for
    int64_t created_ms;
};

enum user_outcome {
    USER_CREATED,
    USER_UNCHANGED,       // nothing named that is not recorded: nothing to do
    USER_OTHER_REFERRER,  // write-once: the wallet has another referrer (or had none when created)
    USER_OTHER_PROGRAM,   // write-once: the wallet has another program (or had none when created)
    USER_UNKNOWN_PROGRAM, // or not active
    USER_SELF_REFERRAL,
    USER_REFERRAL_CYCLE, // the wallet is above its referrer; the registry would refuse the pair
};

// Referrers looked at above a new user's own: the registry contract's CYCLE_DEPTH.
#define REFERRAL_DEPTH_MAX 8

// Registers the wallet; queues register_referral where there is a referrer and mint_identity where
// `mint` is set and not yet asked for. program_name may be NULL. *ret_user is set on CREATED,
// UNCHANGED, OTHER_REFERRER and OTHER_PROGRAM.
MUST_USE enum status user_register(struct store_tx *tx, enum user_outcome *ret_outcome,
                                   struct user *ret_user, const struct address *wallet,
                                   const struct address *referrer, const char *program_name,
                                   bool mint, const struct trace_id *trace);
MUST_USE enum status user_by_wallet(struct store_tx *tx, struct user *ret_user,
                                    const struct address *wallet);
// Queues a mint for a wallet that need not be a user. *ret_created is false where one exists.
MUST_USE enum status mint_request(struct store_tx *tx, int64_t *ret_job_id, bool *ret_created,
                                  const struct address *wallet, const struct trace_id *trace);

// What an affiliate has earned: sums over payout jobs by what became of them.
struct affiliate {
    struct address wallet;
    int64_t payouts_pending, payouts_confirmed, payouts_parked;
    struct usdc usdc_earned, usdc_paid, usdc_owed, usdc_pending; // owed: claimable at the contract
    struct sge sge_earned, sge_paid, sge_owed, sge_pending;
    struct usdc usdc_netted; // earned, but kept back for what had to be returned; in earned too
    struct sge sge_netted;
    struct usdc usdc_receivable; // refunded after signing; to be netted from later payouts
    struct sge sge_receivable;
    int64_t children; // users referred
};
// STATUS_NOT_FOUND where the wallet has referred nobody and earned nothing.
MUST_USE enum status affiliate_by_wallet(struct store_tx *tx, struct affiliate *ret_affiliate,
                                         const struct address *wallet);
