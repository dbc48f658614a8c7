// SPDX-License-Identifier: Apache-2.0
// Tests of the signer's policy: one row per reason to refuse, and every call of ours passes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "eth/contracts.h"
#include "signer/policy.h"

#include <string.h>

#define GAS_LIMIT_MAX 5000000
#define GWEI_FEE_MAX  100

static struct address address_filled(uint8_t byte)
{
    struct address address;
    memset(address.bytes, byte, sizeof address.bytes);
    return address;
}

static struct wei gwei(unsigned amount)
{
    struct wei wei;
    assert_true(wei_from_units(&wei, (uint128_t)amount * 1000000000));
    return wei;
}

#define LANE     address_filled(0x11)
#define REGISTRY address_filled(0x21)
#define PAYOUT   address_filled(0x22)
#define IDENTITY address_filled(0x23)

static struct signer_policy policy_of_tests(void)
{
    return (struct signer_policy){.chain_id = 31337,
                                  .contracts = {REGISTRY, PAYOUT, IDENTITY},
                                  .max_fee = gwei(GWEI_FEE_MAX),
                                  .gas_limit_max = GAS_LIMIT_MAX};
}

static struct transaction filler(void)
{
    return (struct transaction){.type = TX_DYNAMIC_FEE,
                                .chain_id = 31337,
                                .nonce = 7,
                                .max_fee = gwei(GWEI_FEE_MAX),
                                .max_priority_fee = gwei(2),
                                .gas_limit = 21000,
                                .to = LANE};
}

static enum refusal check(const struct transaction *transaction)
{
    struct signer_policy policy = policy_of_tests();
    struct address lane = LANE;
    return policy_check(&policy, &lane, transaction);
}

static enum refusal check_call(struct address to, struct bytes data)
{
    struct transaction transaction = filler();
    transaction.to = to;
    transaction.data = data;
    return check(&transaction);
}

static void a_filler_passes_in_both_types(void **state)
{
    (void)state;
    struct transaction transaction = filler();
    assert_int_equal(check(&transaction), REFUSAL_NONE);
    transaction.type = TX_LEGACY;
    transaction.max_priority_fee = gwei(0);
    assert_int_equal(check(&transaction), REFUSAL_NONE);
}

struct fault {
    const char *name;
    void (*make)(struct transaction *transaction);
    enum refusal refusal;
};

#define MAKE(name) static void name(struct transaction *transaction)

MAKE(type_access_list)
{
    transaction->type = TX_ACCESS_LIST;
}
MAKE(with_access_list)
{
    static const struct tx_access access;
    transaction->access_list = &access;
    transaction->access_list_count = 1;
}
MAKE(other_chain)
{
    transaction->chain_id = 1;
}
MAKE(no_chain)
{
    transaction->chain_id = 0;
}
MAKE(creation)
{
    transaction->creates_contract = true;
}
MAKE(one_wei)
{
    transaction->value = u256_from_u64(1);
}
MAKE(high_value)
{
    transaction->value.limbs[3] = UINT64_C(1) << 63;
}
MAKE(fee_too_high)
{
    struct wei one;
    assert_true(wei_from_units(&one, 1));
    assert_true(wei_add(&transaction->max_fee, gwei(GWEI_FEE_MAX), one));
}
MAKE(tip_above_fee)
{
    transaction->max_fee = gwei(1);
}
MAKE(no_gas)
{
    transaction->gas_limit = 0;
}
MAKE(gas_at_limit)
{
    transaction->gas_limit = GAS_LIMIT_MAX;
}
MAKE(too_much_gas)
{
    transaction->gas_limit = GAS_LIMIT_MAX + 1;
}
MAKE(overflowing_gas)
{
    transaction->gas_limit = UINT64_MAX;
}
static const uint8_t big[SIGN_DATA_BYTES_MAX + 1];
MAKE(data_too_large)
{
    transaction->data = (struct bytes){big, sizeof big};
}
MAKE(filler_with_data)
{
    transaction->data = (struct bytes){big, 4};
}
MAKE(to_somebody)
{
    transaction->to = address_filled(0x77);
}
MAKE(to_nobody)
{
    transaction->to = address_filled(0);
}
MAKE(contract_without_data)
{
    transaction->to = PAYOUT;
}
MAKE(contract_with_half_a_selector)
{
    transaction->to = PAYOUT;
    transaction->data = (struct bytes){big, 3};
}
MAKE(unknown_selector)
{
    transaction->to = PAYOUT;
    transaction->data = (struct bytes){big, 4};
}

static void faults_one_row_each(void **state)
{
    (void)state;
    static const struct fault rows[] = {
        {"type 1", type_access_list, REFUSAL_TYPE},
        {"access list", with_access_list, REFUSAL_ACCESS_LIST},
        {"other chain", other_chain, REFUSAL_CHAIN},
        {"no chain", no_chain, REFUSAL_CHAIN},
        {"creation", creation, REFUSAL_CREATION},
        {"one wei", one_wei, REFUSAL_VALUE},
        {"high value", high_value, REFUSAL_VALUE},
        {"fee", fee_too_high, REFUSAL_FEE},
        {"tip above fee", tip_above_fee, REFUSAL_FEE},
        {"no gas", no_gas, REFUSAL_GAS},
        {"gas at limit", gas_at_limit, REFUSAL_NONE},
        {"gas above limit", too_much_gas, REFUSAL_GAS},
        {"overflowing gas", overflowing_gas, REFUSAL_GAS},
        {"data too large", data_too_large, REFUSAL_SIZE},
        {"filler with data", filler_with_data, REFUSAL_RECIPIENT},
        {"to somebody", to_somebody, REFUSAL_RECIPIENT},
        {"to nobody", to_nobody, REFUSAL_RECIPIENT}, // an unset contract is no recipient
        {"no data", contract_without_data, REFUSAL_SELECTOR},
        {"short data", contract_with_half_a_selector, REFUSAL_SELECTOR},
        {"unknown selector", unknown_selector, REFUSAL_SELECTOR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct transaction transaction = filler();
        rows[i].make(&transaction);
        enum refusal refusal = check(&transaction);
        if (refusal != rows[i].refusal)
            fail_msg("%s: %s", rows[i].name, refusal_text(refusal));
    }
}

enum call { REGISTER, REGISTER_MANY, PAY_USDC, PAY_HYBRID, PAY_MANY, MINT, MINT_MANY, CALLS_COUNT };

static struct bytes call_data(struct arena *arena, enum call call)
{
    struct referral_call referral = {address_filled(1), address_filled(2)};
    struct payout_call payout = {.child = address_filled(1), .referrer = address_filled(2)};
    struct address wallet = address_filled(1);
    struct bytes data = {0};
    bool fine = false;
    assert_true(usdc_from_units(&payout.usdc, 5));
    assert_true(sge_from_units(&payout.sge, call == PAY_USDC ? 0 : 5));
    switch (call) {
    case REGISTER:
        fine = call_register_referral(&data, arena, &referral);
        break;
    case REGISTER_MANY:
        fine = call_register_referrals(&data, arena, &referral, 1);
        break;
    case PAY_USDC:
    case PAY_HYBRID:
        fine = call_pay_affiliate(&data, arena, &payout);
        break;
    case PAY_MANY:
        fine = call_pay_affiliates(&data, arena, &payout, 1);
        break;
    case MINT:
        fine = call_mint_identity(&data, arena, &wallet);
        break;
    case MINT_MANY:
        fine = call_mint_identities(&data, arena, &wallet, 1);
        break;
    case CALLS_COUNT:
        break;
    }
    assert_true(fine);
    return data;
}

// Each call passes at its own contract only.
static void our_calls_pass_at_their_contract_only(void **state)
{
    (void)state;
    static const size_t homes[CALLS_COUNT] = {0, 0, 1, 1, 1, 2, 2};
    struct arena *arena = arena_new(1 << 20);
    assert_non_null(arena);
    struct signer_policy policy = policy_of_tests();
    for (int call = 0; call < CALLS_COUNT; call++) {
        struct bytes data = call_data(arena, (enum call)call);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(check_call(policy.contracts[i], data),
                             i == homes[call] ? REFUSAL_NONE : REFUSAL_SELECTOR);
        assert_int_equal(check_call(LANE, data), REFUSAL_RECIPIENT);
    }
    arena_free(arena);
}

// What a thief of the relayer's lane would like to call.
static void other_calls_of_our_contracts_are_refused(void **state)
{
    (void)state;
    static const char *const calls[] = {"pause()",
                                        "unpause()",
                                        "claim(address)",
                                        "setCaps(address,uint112,uint112)",
                                        "transfer(address,uint256)",
                                        "approve(address,uint256)",
                                        "grantRole(bytes32,address)",
                                        "renounceRole(bytes32,address)",
                                        "mint(address,uint256)",
                                        "beginDefaultAdminTransfer(address)"};
    struct arena *arena = arena_new(1 << 20);
    assert_non_null(arena);
    struct signer_policy policy = policy_of_tests();
    struct address address = address_filled(1);
    struct bytes data = {0};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_true(call_plain(&data, arena, calls[i]));
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(check_call(policy.contracts[k], data), REFUSAL_SELECTOR);
    }
    assert_true(call_emergency_withdraw(&data, arena, &address, &address, u256_from_u64(1)));
    assert_int_equal(check_call(PAYOUT, data), REFUSAL_SELECTOR);
    arena_free(arena);
}

static void a_policy_without_contracts_allows_fillers_only(void **state)
{
    (void)state;
    struct signer_policy policy = {
        .chain_id = 31337, .max_fee = gwei(100), .gas_limit_max = 1 << 20};
    struct address lane = LANE;
    struct transaction transaction = filler();
    assert_int_equal(policy_check(&policy, &lane, &transaction), REFUSAL_NONE);
    transaction.to = address_filled(0);
    assert_int_equal(policy_check(&policy, &lane, &transaction), REFUSAL_RECIPIENT);
    policy.gas_limit_max = -1;
    assert_int_equal(policy_check(&policy, &lane, &transaction), REFUSAL_GAS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filler_passes_in_both_types),
        cmocka_unit_test(faults_one_row_each),
        cmocka_unit_test(our_calls_pass_at_their_contract_only),
        cmocka_unit_test(other_calls_of_our_contracts_are_refused),
        cmocka_unit_test(a_policy_without_contracts_allows_fillers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
