// SPDX-License-Identifier: Apache-2.0
// Call data by form, and what views say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/payload.h"

#include "eth/keccak.h"

#include <string.h>

static struct job job_of(enum job_kind kind)
{
    struct job job = {.kind = kind, .payout_id = {{1}}, .child = {{2}}, .referrer = {{3}}};
    assert_true(usdc_from_units(&job.usdc, 5000000));
    if (kind == JOB_PAYOUT_HYBRID)
        assert_true(sge_from_units(&job.sge, 7));
    return job;
}

static void each_form_calls_its_function(void **state)
{
    (void)state;
    static const struct {
        enum job_kind kind;
        enum tx_form form;
        const char *signature;
    } rows[] = {
        {JOB_PAYOUT_USDC, TX_PAY_ONE, "payAffiliateUSDC(bytes32,address,address,uint256)"},
        {JOB_PAYOUT_HYBRID, TX_PAY_ONE,
         "payAffiliateHybrid(bytes32,address,address,uint256,uint256)"},
        {JOB_PAYOUT_USDC, TX_PAY_MANY,
         "payAffiliates((bytes32,address,address,uint256,uint256)[])"},
        {JOB_PAYOUT_USDC, TX_PAY_OWED,
         "payAffiliates((bytes32,address,address,uint256,uint256)[])"},
        {JOB_REGISTER_REFERRAL, TX_REFER_ONE, "registerReferral(address,address)"},
        {JOB_REGISTER_REFERRAL, TX_REFER_MANY, "registerReferrals((address,address)[])"},
        {JOB_MINT_IDENTITY, TX_MINT_ONE, "mint(address)"},
        {JOB_MINT_IDENTITY, TX_MINT_MANY, "mintBatch(address[])"},
    };
    struct arena *arena = arena_new(1 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct job job = job_of(rows[i].kind);
        const struct job *jobs[] = {&job};
        struct bytes data;
        assert_true(payload_build(&data, rows[i].form, jobs, 1, arena));
        struct hash32 selector = keccak256_text(rows[i].signature);
        if (memcmp(data.data, selector.bytes, 4) != 0)
            fail_msg("%s", rows[i].signature);
    }
    arena_free(arena);
}

static void kinds_go_to_their_contracts(void **state)
{
    (void)state;
    struct relay_contracts contracts = {{{1}}, {{2}}, {{3}}};
    assert_ptr_equal(payload_target(&contracts, JOB_REGISTER_REFERRAL), &contracts.registry);
    assert_ptr_equal(payload_target(&contracts, JOB_PAYOUT_USDC), &contracts.payout);
    assert_ptr_equal(payload_target(&contracts, JOB_PAYOUT_HYBRID), &contracts.payout);
    assert_ptr_equal(payload_target(&contracts, JOB_MINT_IDENTITY), &contracts.identity);
}

static void views_tell_the_effect(void **state)
{
    (void)state;
    static const uint8_t zero[32], one[32] = {[31] = 1}, two[32] = {[31] = 2};
    static const uint8_t same[32] = {[12] = 3}, other[32] = {[12] = 4};
    static const struct {
        const char *name;
        enum job_kind kind;
        bool succeeded;
        struct bytes returned;
        enum effect effect;
    } rows[] = {
        {"paid", JOB_PAYOUT_USDC, true, {one, 32}, EFFECT_PRESENT},
        {"not paid", JOB_PAYOUT_USDC, true, {zero, 32}, EFFECT_ABSENT},
        {"neither", JOB_PAYOUT_USDC, true, {two, 32}, EFFECT_UNKNOWN},
        {"empty answer", JOB_PAYOUT_USDC, true, {NULL, 0}, EFFECT_UNKNOWN},
        {"failed call", JOB_PAYOUT_USDC, false, {one, 32}, EFFECT_UNKNOWN},
        {"identity", JOB_MINT_IDENTITY, true, {one, 32}, EFFECT_PRESENT},
        {"no identity", JOB_MINT_IDENTITY, true, {zero, 32}, EFFECT_ABSENT},
        {"same referrer", JOB_REGISTER_REFERRAL, true, {same, 32}, EFFECT_PRESENT},
        {"another referrer", JOB_REGISTER_REFERRAL, true, {other, 32}, EFFECT_OTHER},
        {"no referrer", JOB_REGISTER_REFERRAL, true, {zero, 32}, EFFECT_ABSENT},
        {"no answer on the referrer", JOB_REGISTER_REFERRAL, true, {NULL, 0}, EFFECT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct job job = job_of(rows[i].kind);
        struct call_result result = {.succeeded = rows[i].succeeded, .returned = rows[i].returned};
        if (effect_read(&job, &result) != rows[i].effect)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_calls_its_function),
        cmocka_unit_test(kinds_go_to_their_contracts),
        cmocka_unit_test(views_tell_the_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
