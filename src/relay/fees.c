// SPDX-License-Identifier: Apache-2.0
// The fee rules: arithmetic on wei only, no I/O.
#include "relay/fees.h"

#include <string.h>

#define MINIMUM_DIGITS_MAX 38 // fits 127 bits

static struct wei larger(struct wei a, struct wei b)
{
    return wei_compare(a, b) < 0 ? b : a;
}

static struct wei smaller(struct wei a, struct wei b)
{
    return wei_compare(a, b) < 0 ? a : b;
}

bool fees_first(struct fee_pair *ret_fees, const struct chain_fees *market,
                const struct fee_limits *limits)
{
    struct wei tip = smaller(market->priority_fee, limits->max_priority_fee);
    struct wei least, wanted;
    if (!wei_add(&least, market->base_fee, tip) || wei_compare(least, limits->max_fee) > 0)
        return false;
    if (!wei_add(&wanted, least, market->base_fee))
        wanted = limits->max_fee;
    ret_fees->max_fee = smaller(wanted, limits->max_fee);
    ret_fees->max_priority_fee = tip;
    return true;
}

// An eighth more and at least one wei more; false on overflow.
static bool raised(struct wei *ret_amount, struct wei amount)
{
    struct wei scaled, one, next;
    if (!wei_scale_up(&scaled, amount, FEE_BUMP_NUMERATOR, FEE_BUMP_DENOMINATOR) ||
        !wei_from_units(&one, 1) || !wei_add(&next, amount, one))
        return false;
    *ret_amount = larger(scaled, next);
    return true;
}

bool fees_bump(struct fee_pair *ret_fees, const struct fee_pair *current,
               const struct chain_fees *market, struct wei tip_min, const struct fee_limits *limits)
{
    struct fee_pair least;
    if (!raised(&least.max_fee, current->max_fee) ||
        !raised(&least.max_priority_fee, current->max_priority_fee))
        return false;
    struct wei tip = larger(least.max_priority_fee, tip_min);
    tip = larger(tip, smaller(market->priority_fee, limits->max_priority_fee));
    if (wei_compare(least.max_fee, limits->max_fee) > 0 || wei_compare(tip, limits->max_fee) > 0)
        return false;
    struct wei wanted;
    if (!wei_add(&wanted, market->base_fee, market->base_fee) || !wei_add(&wanted, wanted, tip))
        wanted = limits->max_fee;
    wanted = larger(larger(wanted, least.max_fee), tip);
    ret_fees->max_fee = smaller(wanted, limits->max_fee);
    ret_fees->max_priority_fee = tip;
    return true;
}

bool fees_cover(const struct fee_pair *fees, const struct chain_fees *market)
{
    return wei_compare(fees->max_fee, market->base_fee) >= 0;
}

bool fees_minimum_needed(struct wei *ret_minimum, const char *message)
{
    static const char phrase[] = "minimum needed ";
    const char *at = strstr(message, phrase);
    if (at == NULL)
        return false;
    at += sizeof phrase - 1;
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > MINIMUM_DIGITS_MAX)
        return false;
    char text[MINIMUM_DIGITS_MAX + 1];
    memcpy(text, at, digits);
    text[digits] = '\0';
    return wei_parse_units(ret_minimum, text);
}
