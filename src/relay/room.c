// SPDX-License-Identifier: Apache-2.0
// Arithmetic of what is in flight against what the payout contract can give.
#include "relay/room.h"

#include "eth/abi.h"

// Larger than any sum that can be paid.
static struct flight unlimited(void)
{
    struct flight most = {0};
    if (!usdc_from_units(&most.usdc, INT64_MAX) || !sge_from_units(&most.sge, ~(uint128_t)0 >> 1))
        return (struct flight){0};
    return most;
}

struct room room_unlimited(void)
{
    return (struct room){unlimited()};
}

void flight_add(struct flight *sum, const struct flight *more)
{
    if (!usdc_add(&sum->usdc, sum->usdc, more->usdc))
        sum->usdc = unlimited().usdc;
    if (!sge_add(&sum->sge, sum->sge, more->sge))
        sum->sge = unlimited().sge;
}

void flight_add_jobs(struct flight *sum, const struct job *const *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct flight job = {jobs[i]->usdc, jobs[i]->sge};
        if (job_kind_is_payout(jobs[i]->kind))
            flight_add(sum, &job);
    }
}

bool room_calls(struct chain_call ret_calls[ROOM_CALLS_MAX], size_t *ret_count,
                const struct relay_contracts *contracts, const struct address *usdc,
                const struct address *sge, struct arena *arena)
{
    static const char *const views[] = {"availableFunds(address)", "dailyRemaining(address)"};
    const struct address *tokens[] = {usdc, sge};
    size_t count = 0;
    for (size_t t = 0; t < 2; t++)
        for (size_t v = 0; v < 2 && !address_is_zero(tokens[t]); v++) {
            ret_calls[count].to = contracts->payout;
            if (!call_address_view(&ret_calls[count++].data, arena, views[v], tokens[t]))
                return false;
        }
    *ret_count = count;
    return true;
}

static void limit_usdc(struct room *room, struct u256 value)
{
    uint64_t units;
    struct usdc amount;
    if (u256_to_u64(&units, value) && units <= INT64_MAX &&
        usdc_from_units(&amount, (int64_t)units) && usdc_compare(amount, room->left.usdc) < 0)
        room->left.usdc = amount;
}

static void limit_sge(struct room *room, struct u256 value)
{
    uint128_t units;
    struct sge amount;
    if (u256_to_u128(&units, value) && sge_from_units(&amount, units) &&
        sge_compare(amount, room->left.sge) < 0)
        room->left.sge = amount;
}

struct room room_read(const struct call_result *results, const struct address *usdc,
                      const struct address *sge)
{
    struct room room = room_unlimited();
    void (*const limits[])(struct room *, struct u256) = {limit_usdc, limit_sge};
    const bool asked[] = {!address_is_zero(usdc), !address_is_zero(sge)};
    size_t at = 0;
    for (size_t t = 0; t < 2; t++)
        for (size_t v = 0; v < 2 && asked[t]; v++, at++) {
            struct u256 value;
            if (results[at].succeeded && abi_read_u256(&value, results[at].returned, 0))
                limits[t](&room, value);
        }
    return room;
}

void room_use(struct room *room, const struct flight *flight)
{
    struct flight none = {0};
    if (!usdc_subtract(&room->left.usdc, room->left.usdc, flight->usdc))
        room->left.usdc = none.usdc;
    if (sge_compare(room->left.sge, flight->sge) < 0 ||
        !sge_from_units(&room->left.sge, sge_units(room->left.sge) - sge_units(flight->sge)))
        room->left.sge = none.sge;
}

bool room_take(struct room *room, const struct job *job)
{
    struct flight amounts = {job->usdc, job->sge};
    if (usdc_compare(job->usdc, room->left.usdc) > 0 || sge_compare(job->sge, room->left.sge) > 0)
        return false;
    room_use(room, &amounts);
    return true;
}
