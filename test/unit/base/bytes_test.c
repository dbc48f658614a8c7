// SPDX-License-Identifier: Apache-2.0
// Byte strings: comparison and wiping.
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void equal_means_same_size_and_same_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } rows[] = {
        {"", "", true},        {"a", "a", true},     {"a", "b", false},
        {"a", "", false},      {"ab", "a", false},   {"abcdefghi", "abcdefghj", false},
        {"abc", "Abc", false}, {"abc", "abc", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes a = bytes_of_text(rows[i].a);
        struct bytes b = bytes_of_text(rows[i].b);
        assert_int_equal(bytes_equal(a, b), rows[i].equal);
        if (a.size == b.size)
            assert_int_equal(bytes_equal_constant_time(a.data, b.data, a.size), rows[i].equal);
    }
    assert_true(bytes_equal((struct bytes){NULL, 0}, bytes_of_text("")));
}

static void constant_time_comparison_sees_every_bit(void **state)
{
    (void)state;
    uint8_t a[40] = {0};
    uint8_t b[40] = {0};
    for (size_t bit = 0; bit < sizeof a * 8; bit++) {
        b[bit / 8] = (uint8_t)(1U << bit % 8);
        assert_false(bytes_equal_constant_time(a, b, sizeof a));
        b[bit / 8] = 0;
    }
    assert_true(bytes_equal_constant_time(a, b, sizeof a));
}

static void hashes_compare_and_know_zero(void **state)
{
    (void)state;
    struct hash32 a = {{0}};
    struct hash32 b = {{0}};
    assert_true(hash32_is_zero(&a));
    b.bytes[31] = 1;
    assert_false(hash32_is_zero(&b));
    assert_false(hash32_equal(&a, &b));
    a.bytes[31] = 1;
    assert_true(hash32_equal(&a, &b));
}

static void wiping_leaves_zeros(void **state)
{
    (void)state;
    uint8_t secret[9];
    memset(secret, 0x5a, sizeof secret);
    bytes_wipe(secret, sizeof secret - 1);
    assert_memory_equal(secret, ((uint8_t[9]){[8] = 0x5a}), sizeof secret);
    bytes_wipe(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_means_same_size_and_same_bytes),
        cmocka_unit_test(constant_time_comparison_sees_every_bit),
        cmocka_unit_test(hashes_compare_and_know_zero),
        cmocka_unit_test(wiping_leaves_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
