// SPDX-License-Identifier: Apache-2.0
// Call data of our contracts, and the outcomes a batch returns.
#include "eth/contracts_table.h"

#define OUTCOMES_HEAD_WORDS 2 // offset, length

static const char *const signatures[] = {
#define CALL_SIGNATURE(name, signature) [name] = signature,
    CALL_TABLE(CALL_SIGNATURE)
#undef CALL_SIGNATURE
};

static struct abi_writer begin(struct arena *arena, enum call_kind kind, size_t words)
{
    struct abi_writer writer = abi_writer(arena, words);
    abi_write_selector(&writer, signatures[kind]);
    return writer;
}

// A call with one array argument: where the array starts, its length, its items.
static struct abi_writer begin_array(struct arena *arena, enum call_kind kind, size_t count,
                                     size_t words_per_item)
{
    size_t words;
    if (__builtin_mul_overflow(count, words_per_item, &words) || words > SIZE_MAX - 2)
        return (struct abi_writer){.overflow = true};
    struct abi_writer writer = begin(arena, kind, words + 2);
    abi_write_u64(&writer, 32);
    abi_write_u64(&writer, count);
    return writer;
}

static void write_referral(struct abi_writer *writer, const struct referral_call *referral)
{
    abi_write_address(writer, &referral->child);
    abi_write_address(writer, &referral->referrer);
}

static void write_payout(struct abi_writer *writer, const struct payout_call *payout)
{
    abi_write_hash32(writer, &payout->payout_id);
    abi_write_address(writer, &payout->child);
    abi_write_address(writer, &payout->referrer);
    abi_write_u64(writer, (uint64_t)usdc_units(payout->usdc));
}

static void write_sge(struct abi_writer *writer, struct sge amount)
{
    abi_write_u256(writer, u256_from_u128(sge_units(amount)));
}

bool call_register_referral(struct bytes *ret_data, struct arena *arena,
                            const struct referral_call *referral)
{
    struct abi_writer writer = begin(arena, CALL_REGISTER_REFERRAL, 2);
    write_referral(&writer, referral);
    return abi_finish(ret_data, &writer);
}

bool call_register_referrals(struct bytes *ret_data, struct arena *arena,
                             const struct referral_call *referrals, size_t count)
{
    struct abi_writer writer = begin_array(arena, CALL_REGISTER_REFERRALS, count, 2);
    for (size_t i = 0; i < count && !writer.overflow; i++)
        write_referral(&writer, &referrals[i]);
    return abi_finish(ret_data, &writer);
}

bool call_pay_affiliate(struct bytes *ret_data, struct arena *arena,
                        const struct payout_call *payout)
{
    bool hybrid = !sge_is_zero(payout->sge);
    struct abi_writer writer =
        begin(arena, hybrid ? CALL_PAY_AFFILIATE_HYBRID : CALL_PAY_AFFILIATE_USDC, 5);
    write_payout(&writer, payout);
    if (hybrid)
        write_sge(&writer, payout->sge);
    return abi_finish(ret_data, &writer);
}

bool call_pay_affiliates(struct bytes *ret_data, struct arena *arena,
                         const struct payout_call *payouts, size_t count)
{
    struct abi_writer writer = begin_array(arena, CALL_PAY_AFFILIATES, count, 5);
    for (size_t i = 0; i < count && !writer.overflow; i++) {
        write_payout(&writer, &payouts[i]);
        write_sge(&writer, payouts[i].sge);
    }
    return abi_finish(ret_data, &writer);
}

bool call_mint_identity(struct bytes *ret_data, struct arena *arena, const struct address *wallet)
{
    struct abi_writer writer = begin(arena, CALL_MINT, 1);
    abi_write_address(&writer, wallet);
    return abi_finish(ret_data, &writer);
}

bool call_mint_identities(struct bytes *ret_data, struct arena *arena,
                          const struct address *wallets, size_t count)
{
    struct abi_writer writer = begin_array(arena, CALL_MINT_BATCH, count, 1);
    for (size_t i = 0; i < count && !writer.overflow; i++)
        abi_write_address(&writer, &wallets[i]);
    return abi_finish(ret_data, &writer);
}

bool call_referral_paid(struct bytes *ret_data, struct arena *arena, const struct hash32 *payout_id)
{
    struct abi_writer writer = begin(arena, CALL_REFERRAL_PAID, 1);
    abi_write_hash32(&writer, payout_id);
    return abi_finish(ret_data, &writer);
}

bool call_address_view(struct bytes *ret_data, struct arena *arena, const char *signature,
                       const struct address *argument)
{
    struct abi_writer writer = abi_writer(arena, 1);
    abi_write_selector(&writer, signature);
    abi_write_address(&writer, argument);
    return abi_finish(ret_data, &writer);
}

bool call_plain(struct bytes *ret_data, struct arena *arena, const char *signature)
{
    struct abi_writer writer = abi_writer(arena, 0);
    abi_write_selector(&writer, signature);
    return abi_finish(ret_data, &writer);
}

bool call_emergency_withdraw(struct bytes *ret_data, struct arena *arena,
                             const struct address *token, const struct address *to,
                             struct u256 amount)
{
    struct abi_writer writer = begin(arena, CALL_EMERGENCY_WITHDRAW, 3);
    abi_write_address(&writer, token);
    abi_write_address(&writer, to);
    abi_write_u256(&writer, amount);
    return abi_finish(ret_data, &writer);
}

static bool read_outcome(enum payout_outcome *ret_outcome, struct bytes returned, size_t index)
{
    uint64_t value;
    if (!abi_read_u64(&value, returned, OUTCOMES_HEAD_WORDS + index) || value > PAYOUT_OWED)
        return false;
    *ret_outcome = (enum payout_outcome)value;
    return true;
}

bool read_payout_outcomes(enum payout_outcome *ret_outcomes, size_t count, struct bytes returned)
{
    uint64_t offset;
    uint64_t length;
    enum payout_outcome checked;
    if (!abi_read_u64(&offset, returned, 0) || offset != 32)
        return false;
    if (!abi_read_u64(&length, returned, 1) || length != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!read_outcome(&checked, returned, i))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_outcome(&ret_outcomes[i], returned, i))
            return false;
    }
    return true;
}
