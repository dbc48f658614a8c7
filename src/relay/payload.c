// SPDX-License-Identifier: Apache-2.0
// Call data by form, and effect views.
#include "relay/payload.h"

const struct address *payload_target(const struct relay_contracts *contracts, enum job_kind kind)
{
    switch (kind) {
    case JOB_REGISTER_REFERRAL:
        return &contracts->registry;
    case JOB_MINT_IDENTITY:
        return &contracts->identity;
    case JOB_PAYOUT_USDC:
    case JOB_PAYOUT_HYBRID:
        return &contracts->payout;
    }
    return &contracts->payout;
}

static struct payout_call payout_of(const struct job *job)
{
    return (struct payout_call){.payout_id = job->payout_id,
                                .child = job->child,
                                .referrer = job->referrer,
                                .usdc = job->usdc,
                                .sge = job->sge};
}

static bool build_payouts(struct bytes *ret_data, const struct job *const *jobs, size_t count,
                          struct arena *arena)
{
    struct payout_call *calls = arena_alloc_array(arena, count, sizeof *calls);
    if (calls == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        calls[i] = payout_of(jobs[i]);
    return call_pay_affiliates(ret_data, arena, calls, count);
}

static bool build_referrals(struct bytes *ret_data, const struct job *const *jobs, size_t count,
                            struct arena *arena)
{
    struct referral_call *calls = arena_alloc_array(arena, count, sizeof *calls);
    if (calls == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        calls[i] = (struct referral_call){jobs[i]->child, jobs[i]->referrer};
    return call_register_referrals(ret_data, arena, calls, count);
}

static bool build_mints(struct bytes *ret_data, const struct job *const *jobs, size_t count,
                        struct arena *arena)
{
    struct address *wallets = arena_alloc_array(arena, count, sizeof *wallets);
    if (wallets == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        wallets[i] = jobs[i]->child;
    return call_mint_identities(ret_data, arena, wallets, count);
}

bool payload_build(struct bytes *ret_data, enum tx_form form, const struct job *const *jobs,
                   size_t count, struct arena *arena)
{
    switch (form) {
    case TX_PAY_ONE: {
        struct payout_call payout = payout_of(jobs[0]);
        return call_pay_affiliate(ret_data, arena, &payout);
    }
    case TX_PAY_MANY:
    case TX_PAY_OWED:
        return build_payouts(ret_data, jobs, count, arena);
    case TX_REFER_ONE: {
        struct referral_call referral = {jobs[0]->child, jobs[0]->referrer};
        return call_register_referral(ret_data, arena, &referral);
    }
    case TX_REFER_MANY:
        return build_referrals(ret_data, jobs, count, arena);
    case TX_MINT_ONE:
        return call_mint_identity(ret_data, arena, &jobs[0]->child);
    case TX_MINT_MANY:
        return build_mints(ret_data, jobs, count, arena);
    }
    return false;
}

bool effect_call(struct chain_call *ret_call, const struct relay_contracts *contracts,
                 const struct job *job, struct arena *arena)
{
    struct chain_call call = {.to = *payload_target(contracts, job->kind)};
    bool built = false;
    switch (job->kind) {
    case JOB_PAYOUT_USDC:
    case JOB_PAYOUT_HYBRID:
        built = call_referral_paid(&call.data, arena, &job->payout_id);
        break;
    case JOB_REGISTER_REFERRAL:
        built = call_address_view(&call.data, arena, "referrerOf(address)", &job->child);
        break;
    case JOB_MINT_IDENTITY:
        built = call_address_view(&call.data, arena, "hasIdentity(address)", &job->child);
        break;
    }
    if (built)
        *ret_call = call;
    return built;
}

enum effect effect_read(const struct job *job, const struct call_result *result)
{
    if (!result->succeeded)
        return EFFECT_UNKNOWN;
    if (job->kind == JOB_REGISTER_REFERRAL) {
        struct address referrer;
        if (!abi_read_address(&referrer, result->returned, 0))
            return EFFECT_UNKNOWN;
        if (address_is_zero(&referrer))
            return EFFECT_ABSENT;
        return address_equal(&referrer, &job->referrer) ? EFFECT_PRESENT : EFFECT_OTHER;
    }
    bool present;
    if (!abi_read_bool(&present, result->returned, 0))
        return EFFECT_UNKNOWN;
    return present ? EFFECT_PRESENT : EFFECT_ABSENT;
}

enum status effects_ask(enum effect *ret_effects, struct chain *chain,
                        const struct relay_contracts *contracts, const struct job *const *jobs,
                        size_t count, struct block_id block, struct arena *arena)
{
    struct chain_call *calls = arena_alloc_array(arena, count, sizeof *calls);
    struct call_result *results = arena_alloc_array(arena, count, sizeof *results);
    if (count > 0 && (calls == NULL || results == NULL))
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!effect_call(&calls[i], contracts, jobs[i], arena))
            return STATUS_NO_MEMORY;
    enum status status =
        count == 0 ? STATUS_OK : chain->ops->call(chain, results, calls, count, block, arena);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        ret_effects[i] = effect_read(jobs[i], &results[i]);
    return STATUS_OK;
}
