// SPDX-License-Identifier: Apache-2.0
// Randomness: evenness below a bound, and the system's source.
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

// Gives the numbers of a list, one per draw.
struct script {
    const uint64_t *numbers;
    size_t used;
};

static void fill_from_script(void *context, uint8_t *out, size_t size)
{
    struct script *script = context;
    assert_int_equal(size, sizeof(uint64_t));
    memcpy(out, &script->numbers[script->used++], size);
}

static void draws_again_where_a_number_would_make_the_rest_uneven(void **state)
{
    (void)state;
    // 2^64 mod 10 is 6: the numbers 0 to 5 are refused.
    struct script script = {(const uint64_t[]){5, 0, 6, 13, UINT64_MAX}, 0};
    const struct random_source source = {fill_from_script, &script};
    assert_int_equal(random_below(&source, 10), 6);
    assert_int_equal(script.used, 3);
    assert_int_equal(random_below(&source, 10), 3);
    assert_int_equal(random_below(&source, 10), 5);
}

static void powers_of_two_refuse_nothing(void **state)
{
    (void)state;
    struct script script = {(const uint64_t[]){0, 17, UINT64_MAX}, 0};
    const struct random_source source = {fill_from_script, &script};
    assert_int_equal(random_below(&source, 16), 0);
    assert_int_equal(random_below(&source, 16), 1);
    assert_int_equal(random_below(&source, 1), 0);
}

static void system_source_fills_every_byte(void **state)
{
    (void)state;
    bool touched[1000] = {false};
    for (int round = 0; round < 20; round++) {
        uint8_t bytes[1000] = {0};
        random_fill(random_system(), bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes; i++)
            touched[i] = touched[i] || bytes[i] != 0;
    }
    for (size_t i = 0; i < sizeof touched; i++)
        assert_true(touched[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_again_where_a_number_would_make_the_rest_uneven),
        cmocka_unit_test(powers_of_two_refuse_nothing),
        cmocka_unit_test(system_source_fills_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
