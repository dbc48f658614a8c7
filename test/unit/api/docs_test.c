// SPDX-License-Identifier: Apache-2.0
// docs/api.md is what the tables print; openapi.json agrees with them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/docs.h"
#include "api/openapi.h"
#include "api/problem.h"
#include "api/route.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE_MAX (1 << 20)

static json_t *document;

static int load_document(void **state)
{
    (void)state;
    json_error_t error;
    document = json_loadb((const char *)openapi_json.data, openapi_json.size,
                          JSON_REJECT_DUPLICATES, &error);
    return document ? 0 : -1;
}

static int free_document(void **state)
{
    (void)state;
    json_decref(document);
    return 0;
}

static void the_committed_page_is_what_the_tables_print(void **state)
{
    (void)state;
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    api_print_markdown(out);
    fclose(out);
    FILE *in = fopen(TEST_VECTORS "/../../docs/api.md", "r");
    char *page = calloc(1, PAGE_SIZE_MAX);
    assert_non_null(in);
    size_t page_size = fread(page, 1, PAGE_SIZE_MAX - 1, in);
    fclose(in);
    assert_int_equal(page_size, size);
    assert_string_equal(page, printed);
    free(page);
    free(printed);
}

static void lower(char *out, size_t size, const char *text)
{
    size_t i = 0;
    for (; text[i] && i + 1 < size; i++)
        out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    out[i] = 0;
}

static const char *scope_of(const struct route *route)
{
    if (route->scope == SCOPE_READ)
        return "read";
    if (route->scope == SCOPE_WRITE)
        return "write";
    return route->scope == SCOPE_ADMIN ? "admin" : NULL;
}

static bool takes_idempotency_key(const json_t *operation)
{
    size_t i;
    json_t *parameter;
    json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
    {
        const char *to = json_string_value(json_object_get(parameter, "$ref"));
        if (to && strcmp(to, "#/components/parameters/IdempotencyKey") == 0)
            return true;
    }
    return false;
}

static size_t count_query_parameters(const json_t *operation)
{
    size_t i;
    size_t count = 0;
    json_t *parameter;
    json_array_foreach(json_object_get(operation, "parameters"), i, parameter)
    {
        const char *in = json_string_value(json_object_get(parameter, "in"));
        count += in && strcmp(in, "query") == 0;
    }
    return count;
}

static void every_route_is_described_with_its_scope_and_help(void **state)
{
    (void)state;
    size_t count;
    const struct route *routes = route_table(&count);
    for (size_t i = 0; i < count; i++) {
        char method[16];
        lower(method, sizeof method, routes[i].method);
        const json_t *operation = json_object_get(
            json_object_get(json_object_get(document, "paths"), routes[i].path), method);
        if (!operation)
            fail_msg("%s %s is not in openapi.json", routes[i].method, routes[i].path);
        assert_string_equal(json_string_value(json_object_get(operation, "summary")),
                            routes[i].help);
        const char *scope = json_string_value(json_object_get(operation, "x-scope"));
        if (scope_of(&routes[i]))
            assert_string_equal(scope, scope_of(&routes[i]));
        else
            assert_int_equal(json_array_size(json_object_get(operation, "security")), 0);
        assert_int_equal(takes_idempotency_key(operation), routes[i].idempotent);
        size_t parameters = 0;
        while (routes[i].parameters && routes[i].parameters[parameters])
            parameters++;
        assert_int_equal(count_query_parameters(operation), parameters);
    }
}

static void nothing_is_described_that_is_not_a_route(void **state)
{
    (void)state;
    size_t count;
    size_t described = 0;
    const char *path;
    json_t *methods;
    route_table(&count);
    json_object_foreach(json_object_get(document, "paths"), path, methods)
    {
        described += json_object_size(methods);
    }
    assert_int_equal(described, count);
}

static void every_problem_code_is_listed_in_order(void **state)
{
    (void)state;
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    const json_t *properties = json_object_get(json_object_get(schemas, "Problem"), "properties");
    const json_t *codes = json_object_get(json_object_get(properties, "code"), "enum");
    assert_int_equal(json_array_size(codes), PROBLEM_COUNT - 1);
    for (size_t i = 1; i < PROBLEM_COUNT; i++)
        assert_string_equal(json_string_value(json_array_get(codes, i - 1)),
                            problem_facts((enum problem)i)->code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_committed_page_is_what_the_tables_print),
        cmocka_unit_test(every_route_is_described_with_its_scope_and_help),
        cmocka_unit_test(nothing_is_described_that_is_not_a_route),
        cmocka_unit_test(every_problem_code_is_listed_in_order),
    };
    return cmocka_run_group_tests(tests, load_document, free_document);
}
