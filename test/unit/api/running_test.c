// SPDX-License-Identifier: Apache-2.0
// Idempotency keys that run: entered once per caller, free after leaving.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/running.h"

#include <stdio.h>

static void a_running_key_is_refused_to_the_same_caller_only(void **state)
{
    (void)state;
    struct running *running = running_new();
    struct running_entry first = {.api_key_id = 1, .key = "k"};
    struct running_entry again = {.api_key_id = 1, .key = "k"};
    struct running_entry other_caller = {.api_key_id = 2, .key = "k"};
    struct running_entry other_key = {.api_key_id = 1, .key = "k2"};
    assert_true(running_enter(running, &first));
    assert_false(running_enter(running, &again));
    assert_true(running_enter(running, &other_caller));
    assert_true(running_enter(running, &other_key));
    running_leave(running, &first);
    assert_true(running_enter(running, &again));
    running_leave(running, &other_key);
    running_leave(running, &again);
    running_leave(running, &other_caller);
    running_free(running);
}

static void thousands_of_keys_are_kept_apart(void **state)
{
    (void)state;
    enum { count = 5000 };
    static struct running_entry entries[count];
    static char keys[count][8];
    struct running *running = running_new();
    for (int i = 0; i < count; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i);
        entries[i] = (struct running_entry){.api_key_id = 1, .key = keys[i]};
        assert_true(running_enter(running, &entries[i]));
    }
    for (int i = 0; i < count; i++) {
        struct running_entry again = {.api_key_id = 1, .key = keys[i]};
        assert_false(running_enter(running, &again));
    }
    for (int i = 0; i < count; i++)
        running_leave(running, &entries[i]);
    for (int i = 0; i < count; i++)
        assert_true(running_enter(running, &entries[i]));
    running_free(running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_key_is_refused_to_the_same_caller_only),
        cmocka_unit_test(thousands_of_keys_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
