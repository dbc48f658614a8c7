// SPDX-License-Identifier: Apache-2.0
// The arena: limits, alignment, zeroing, reuse after a reset.
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void gives_zeroed_memory_again_after_a_reset(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 20000; size = size * 3 + 1) {
            uint8_t *memory = arena_alloc(arena, size);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xab, size);
        }
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
    arena_free(arena);
}

static void holds_no_more_than_its_limit(void **state)
{
    (void)state;
    static const struct {
        size_t limit, size;
        bool fits;
    } rows[] = {
        {100, 100, true},         {100, 101, false},           {10000, 10000, true}, {0, 1, false},
        {10000, SIZE_MAX, false}, {SIZE_MAX, SIZE_MAX, false}, {1 << 20, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = arena_new(rows[i].limit);
        assert_int_equal(arena_alloc(arena, rows[i].size) != NULL, rows[i].fits);
        arena_free(arena);
    }
}

static void fills_up_in_small_pieces_and_serves_again_after_a_reset(void **state)
{
    (void)state;
    struct arena *arena = arena_new(100000);
    size_t first = 0;
    size_t second = 0;
    while (arena_alloc(arena, 16))
        first++;
    assert_in_range(first * 16, 100000 - 64, 100000);
    assert_int_equal(arena_used(arena), first * 16);
    arena_reset(arena);
    while (arena_alloc(arena, 16))
        second++;
    // The blocks became one: nothing is lost at their ends any more.
    assert_in_range(second, first, 100000 / 16);
    arena_free(arena);
}

static void array_whose_size_overflows_is_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1000);
    assert_null(arena_alloc_array(arena, SIZE_MAX / 2, 3));
    assert_non_null(arena_alloc_array(arena, 10, 100));
    arena_free(arena);
}

static void copies_and_prints(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    const uint8_t data[] = {1, 0, 2};
    uint8_t *copy = arena_copy(arena, (struct bytes){data, sizeof data});
    assert_memory_equal(copy, data, sizeof data);
    assert_non_null(arena_copy(arena, (struct bytes){NULL, 0}));
    assert_string_equal(arena_copy_text(arena, "text"), "text");
    assert_string_equal(arena_copy_text(arena, ""), "");
    assert_string_equal(arena_printf(arena, "%s-%d", "x", 17), "x-17");
    assert_null(arena_printf(arena, "%5000d", 1));
    arena_free(arena);
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_memory_again_after_a_reset),
        cmocka_unit_test(holds_no_more_than_its_limit),
        cmocka_unit_test(fills_up_in_small_pieces_and_serves_again_after_a_reset),
        cmocka_unit_test(array_whose_size_overflows_is_refused),
        cmocka_unit_test(copies_and_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
