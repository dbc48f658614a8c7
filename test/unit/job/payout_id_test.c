// SPDX-License-Identifier: Apache-2.0
// Payout ids against encodings built word by word with the ABI writer.
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "eth/abi.h"
#include "eth/keccak.h"
#include "job/payout_id.h"

static const struct payout_domain domain = {31337, {{0xc0, 0xff, 0xee}}};
static const struct address child = {{1, 2, 3}}, referrer = {{4, 5, 6}};

static struct hash32 expected(const char *program, const struct hash32 *key)
{
    struct arena *arena = arena_new(4096);
    struct abi_writer writer = abi_writer(arena, 4);
    struct hash32 name = keccak256_text(program);
    struct bytes data;
    abi_write_u64(&writer, domain.chain_id);
    abi_write_address(&writer, &domain.payout_contract);
    abi_write_hash32(&writer, &name);
    abi_write_hash32(&writer, key);
    assert_true(abi_finish(&data, &writer));
    struct hash32 id = keccak256(data);
    arena_free(arena);
    return id;
}

static void a_payments_id_is_the_hash_of_its_encoding(void **state)
{
    struct hash32 key = keccak256_text("pi_123"), want = expected("usdc", &key);
    struct hash32 id = payout_id_of_payment(&domain, "usdc", "pi_123");
    (void)state;
    assert_true(hash32_equal(&id, &want));
}

static void a_referrals_id_is_the_hash_of_its_encoding(void **state)
{
    struct arena *arena = arena_new(4096);
    struct abi_writer writer = abi_writer(arena, 2);
    struct bytes pair;
    (void)state;
    abi_write_address(&writer, &child);
    abi_write_address(&writer, &referrer);
    assert_true(abi_finish(&pair, &writer));
    struct hash32 key = keccak256(pair), want = expected("first", &key);
    arena_free(arena);
    struct hash32 id = payout_id_of_referral(&domain, "first", &child, &referrer);
    assert_true(hash32_equal(&id, &want));
}

static void everything_that_goes_in_changes_the_id(void **state)
{
    struct payout_domain chain = domain, contract = domain;
    struct hash32 ids[6];
    (void)state;
    chain.chain_id++;
    contract.payout_contract.bytes[19] = 1;
    ids[0] = payout_id_of_payment(&domain, "usdc", "a");
    ids[1] = payout_id_of_payment(&chain, "usdc", "a");
    ids[2] = payout_id_of_payment(&contract, "usdc", "a");
    ids[3] = payout_id_of_payment(&domain, "usdc2", "a");
    ids[4] = payout_id_of_payment(&domain, "usdc", "b");
    ids[5] = payout_id_of_referral(&domain, "usdc", &child, &referrer);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(hash32_equal(&ids[i], &ids[j]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payments_id_is_the_hash_of_its_encoding),
        cmocka_unit_test(a_referrals_id_is_the_hash_of_its_encoding),
        cmocka_unit_test(everything_that_goes_in_changes_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
