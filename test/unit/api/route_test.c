// SPDX-License-Identifier: Apache-2.0
// Routing: every route finds itself; the rest is 404 or says what is allowed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/route.h"

#include <string.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 16);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void every_route_finds_itself_and_its_part(void **state)
{
    (void)state;
    size_t count;
    const struct route *routes = route_table(&count);
    for (size_t i = 0; i < count; i++) {
        char path[128];
        const char *allow;
        const char *value;
        size_t size;
        const char *open = strchr(routes[i].path, '{');
        const char *close = open ? strchr(open, '}') : NULL;
        if (open)
            snprintf(path, sizeof path, "%.*sa%%20b%s", (int)(open - routes[i].path),
                     routes[i].path, close + 1);
        else
            snprintf(path, sizeof path, "%s", routes[i].path);
        assert_ptr_equal(route_find(&allow, &value, &size, arena, routes[i].method, path),
                         &routes[i]);
        if (open)
            assert_true(size == 5 && memcmp(value, "a%20b", 5) == 0);
        else
            assert_null(value);
    }
}

static void what_is_no_route_says_what_is_allowed(void **state)
{
    (void)state;
    const struct {
        const char *method, *path, *allow;
    } rows[] = {
        {"GET", "/nothing", NULL},
        {"GET", "/v1/users/", NULL},
        {"GET", "/v1/users/a/b", NULL},
        {"GET", "/v1/jobs/1/", NULL},
        {"GET", "//", NULL},
        {"POST", "/v1/admin/jobs//retry", NULL},
        {"POST", "/v1/admin/jobs/1/explode", NULL},
        {"GET", "/v1/users", "POST"},
        {"PUT", "/v1/programs/p", "GET, PATCH, DELETE"},
        {"DELETE", "/v1/jobs", "GET"},
        {"get", "/healthz", "GET"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *allow;
        const char *value;
        size_t size;
        assert_null(route_find(&allow, &value, &size, arena, rows[i].method, rows[i].path));
        if (rows[i].allow)
            assert_string_equal(allow, rows[i].allow);
        else
            assert_null(allow);
    }
}

static void head_is_answered_where_get_is(void **state)
{
    (void)state;
    const char *allow;
    const char *value;
    size_t size;
    assert_non_null(route_find(&allow, &value, &size, arena, "HEAD", "/healthz"));
    assert_null(route_find(&allow, &value, &size, arena, "HEAD", "/v1/users"));
}

static void only_reading_routes_and_webhooks_go_without_idempotency(void **state)
{
    (void)state;
    size_t count;
    const struct route *routes = route_table(&count);
    for (size_t i = 0; i < count; i++) {
        bool webhook = strncmp(routes[i].path, "/v1/webhooks/", 13) == 0;
        bool post = strcmp(routes[i].method, "POST") == 0;
        assert_int_equal(routes[i].idempotent, post && !webhook);
        if (!webhook && strncmp(routes[i].path, "/v1/", 4) == 0)
            assert_int_not_equal(routes[i].scope, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_finds_itself_and_its_part),
        cmocka_unit_test(what_is_no_route_says_what_is_allowed),
        cmocka_unit_test(head_is_answered_where_get_is),
        cmocka_unit_test(only_reading_routes_and_webhooks_go_without_idempotency),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
