// SPDX-License-Identifier: Apache-2.0
// Gas limits by form and size.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/settings.h"
#include "relay/gas.h"

#include <string.h>

static void each_form_has_its_limit(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum tx_form form;
        size_t usdc, hybrid;
        bool retried;
        int64_t limit;
    } rows[] = {
        {"one usdc", TX_PAY_ONE, 1, 0, false, GAS_PAY_USDC},
        {"one hybrid", TX_PAY_ONE, 0, 1, false, GAS_PAY_HYBRID},
        {"retried", TX_PAY_ONE, 1, 0, true, GAS_PAY_USDC * 3 / 2},
        {"mixed batch", TX_PAY_MANY, 3, 2, false,
         GAS_PAY_BATCH_BASE + 3 * GAS_PAY_BATCH_USDC + 2 * GAS_PAY_BATCH_HYBRID},
        {"owed", TX_PAY_OWED, 1, 0, false, GAS_PAY_OWED},
        {"one referral", TX_REFER_ONE, 1, 0, false, GAS_REFER},
        {"referrals", TX_REFER_MANY, 10, 0, false,
         GAS_REFER_BATCH_BASE + 10 * GAS_REFER_BATCH_ITEM},
        {"one mint", TX_MINT_ONE, 1, 0, false, GAS_MINT},
        {"mints", TX_MINT_MANY, 10, 0, false, GAS_MINT_BATCH_BASE + 10 * GAS_MINT_BATCH_ITEM},
        {"never above the protocol's cap", TX_PAY_MANY, 10000, 0, false, GAS_TRANSACTION_MAX},
        {"nor when retried", TX_PAY_MANY, 220, 0, true, GAS_TRANSACTION_MAX},
        {"absurd sizes do not overflow", TX_PAY_MANY, SIZE_MAX, SIZE_MAX, true,
         GAS_TRANSACTION_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (gas_limit(rows[i].form, rows[i].usdc, rows[i].hybrid, rows[i].retried) != rows[i].limit)
            fail_msg("%s", rows[i].name);
}

// The signer refuses what is above BATCH_GAS_MAX, and with it every transaction signed beside it.
static void the_least_gas_budget_covers_every_single_transaction(void **state)
{
    static const enum tx_form forms[] = {TX_PAY_ONE, TX_PAY_OWED, TX_REFER_ONE, TX_MINT_ONE};
    size_t count, found = 0;
    const struct setting *table = settings_table(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, "BATCH_GAS_MAX") != 0)
            continue;
        found++;
        for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++)
            assert_true(gas_limit(forms[form], 0, 1, true) <= table[i].minimum);
    }
    assert_int_equal(found, 1);
}

// fault 22: a call within the transaction ran out, and its caller had a little left
static void all_but_a_small_part_is_out_of_gas(void **state)
{
    (void)state;
    assert_true(gas_ran_out(320000, 320000));
    assert_true(gas_ran_out(310000, 320000));
    assert_false(gas_ran_out(309999, 320000));
    assert_false(gas_ran_out(21000, 320000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_has_its_limit),
        cmocka_unit_test(the_least_gas_budget_covers_every_single_transaction),
        cmocka_unit_test(all_but_a_small_part_is_out_of_gas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
