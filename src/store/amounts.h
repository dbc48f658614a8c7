// SPDX-License-Identifier: Apache-2.0
// Inside the store only: USDC and SGE side by side, as payouts and debts carry them.
#pragma once

#include "job/job.h"

struct amounts {
    struct usdc usdc;
    struct sge sge;
};

MUST_USE bool amounts_add(struct amounts *ret_sum, struct amounts a, struct amounts b);
MUST_USE bool amounts_subtract(struct amounts *ret_difference, struct amounts a, struct amounts b);
// Of each token what `a` has more than `b`, else nothing.
struct amounts amounts_above(struct amounts a, struct amounts b);
// Of each token the lesser.
struct amounts amounts_least(struct amounts a, struct amounts b);
struct amounts amounts_none(void);
bool amounts_is_zero(struct amounts amounts);
bool amounts_equal(struct amounts a, struct amounts b);

// What the job brings on chain, and what it took off debts instead.
struct amounts job_pays(const struct job *job);
struct amounts job_netted(const struct job *job);
