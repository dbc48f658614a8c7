// SPDX-License-Identifier: Apache-2.0
// Tests of the parent's check of the signer's answers: one row per way they can be wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs the four above.
#include <cmocka.h>

#include "base/hex.h"
#include "signer/answer.h"

// The first accounts of anvil and hardhat, known to everybody.
static struct eth_key key_of(const char *secret)
{
    struct eth_key key;
    assert_true(hex_decode(key.secret, sizeof key.secret, secret));
    return key;
}

enum spoiling { NOTHING, OTHER_DIGEST, OTHER_KEY, HIGH_BIT_OF_S, PARITY, ZERO_R };

static void spoil(struct wire_signature *answer, enum spoiling spoiling)
{
    struct eth_key other =
        key_of("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
    switch (spoiling) {
    case NOTHING:
        break;
    case OTHER_DIGEST:
        answer->digest.bytes[31] ^= 1;
        break;
    case OTHER_KEY:
        answer->signature = eth_sign(&other, &answer->digest);
        break;
    case HIGH_BIT_OF_S:
        answer->signature.s[0] ^= 0x80;
        break;
    case PARITY:
        answer->signature.y_parity ^= 1;
        break;
    case ZERO_R:
        for (size_t i = 0; i < sizeof answer->signature.r; i++)
            answer->signature.r[i] = 0;
        break;
    }
}

static void answers_one_row_per_fault(void **state)
{
    (void)state;
    static const struct {
        enum spoiling spoiling;
        size_t index;
        bool right;
    } rows[] = {
        {NOTHING, 0, true},
        {NOTHING, 17, true},
        {OTHER_DIGEST, 0, false},
        {OTHER_DIGEST, 17, false}, // compared at every place
        {OTHER_KEY, 0, false},
        {OTHER_KEY, RECOVERED_FIRST - 1, false},
        {OTHER_KEY, 8UL * RECOVERED_EVERY, false},
        {OTHER_KEY, RECOVERED_FIRST + 1, true}, // the price of speed: not looked at
        {HIGH_BIT_OF_S, 0, false},
        {PARITY, 0, false},
        {ZERO_R, 0, false},
    };
    struct eth_key key = key_of("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
    const struct sign_request request = {.lane = eth_key_address(&key)};
    const struct hash32 digest = {{1, 2, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_signature answer = {digest, eth_sign(&key, &digest)};
        spoil(&answer, rows[i].spoiling);
        if (answer_is_right(&answer, &request, &digest, rows[i].index) != rows[i].right)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_one_row_per_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
