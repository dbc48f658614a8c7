// SPDX-License-Identifier: Apache-2.0
// Checked arithmetic on USDC and SGE together.
#include "store/amounts.h"

#include <stdlib.h>
#include <string.h>

bool amounts_add(struct amounts *ret_sum, struct amounts a, struct amounts b)
{
    struct amounts sum;
    if (!usdc_add(&sum.usdc, a.usdc, b.usdc) || !sge_add(&sum.sge, a.sge, b.sge))
        return false;
    *ret_sum = sum;
    return true;
}

bool amounts_subtract(struct amounts *ret_difference, struct amounts a, struct amounts b)
{
    struct amounts difference;
    if (!usdc_subtract(&difference.usdc, a.usdc, b.usdc) ||
        !sge_subtract(&difference.sge, a.sge, b.sge))
        return false;
    *ret_difference = difference;
    return true;
}

struct amounts amounts_none(void)
{
    struct amounts none;
    memset(&none, 0, sizeof none);
    return none;
}

struct amounts amounts_above(struct amounts a, struct amounts b)
{
    struct amounts above = amounts_none();
    if (usdc_compare(a.usdc, b.usdc) > 0 && !usdc_subtract(&above.usdc, a.usdc, b.usdc))
        abort(); // it cannot fail for the lesser of the two
    if (sge_compare(a.sge, b.sge) > 0 && !sge_subtract(&above.sge, a.sge, b.sge))
        abort();
    return above;
}

struct amounts amounts_least(struct amounts a, struct amounts b)
{
    return (struct amounts){usdc_compare(a.usdc, b.usdc) < 0 ? a.usdc : b.usdc,
                            sge_compare(a.sge, b.sge) < 0 ? a.sge : b.sge};
}

bool amounts_is_zero(struct amounts amounts)
{
    return usdc_is_zero(amounts.usdc) && sge_is_zero(amounts.sge);
}

bool amounts_equal(struct amounts a, struct amounts b)
{
    return usdc_compare(a.usdc, b.usdc) == 0 && sge_compare(a.sge, b.sge) == 0;
}

struct amounts job_pays(const struct job *job)
{
    return (struct amounts){job->usdc, job->sge};
}

struct amounts job_netted(const struct job *job)
{
    return (struct amounts){job->netted_usdc, job->netted_sge};
}
