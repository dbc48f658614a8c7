// SPDX-License-Identifier: Apache-2.0
// JSON out: nesting, escapes, nulls, our types, and memory that is out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/out.h"

#include <jansson.h>
#include <string.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void assert_out(struct out *out, const char *expected)
{
    struct bytes text;
    assert_true(out_finish(&text, out));
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
}

static void values_are_separated_and_nested(void **state)
{
    (void)state;
    struct out out;
    out_start(&out, arena);
    out_object(&out, NULL);
    out_integer(&out, "a", -9223372036854775807 - 1);
    out_array(&out, "b");
    out_array_end(&out);
    out_array(&out, "c");
    out_text(&out, NULL, "x");
    out_object(&out, NULL);
    out_object_end(&out);
    out_boolean(&out, NULL, true);
    out_array_end(&out);
    out_text(&out, "d", NULL);
    out_object_end(&out);
    assert_out(&out, "{\"a\":-9223372036854775808,\"b\":[],\"c\":[\"x\",{},true],\"d\":null}");
}

static void texts_are_escaped_as_any_parser_reads_them(void **state)
{
    (void)state;
    static const char text[] = "a\"b\\c\n\t\x01\x1f/\x7f caf\xc3\xa9";
    struct out out;
    struct bytes written;
    out_start(&out, arena);
    out_array(&out, NULL);
    out_text(&out, NULL, text);
    out_array_end(&out);
    assert_true(out_finish(&written, &out));
    json_t *read = json_loadb((const char *)written.data, written.size, 0, NULL);
    assert_string_equal(json_string_value(json_array_get(read, 0)), text);
    json_decref(read);
}

static void our_types_have_their_forms(void **state)
{
    (void)state;
    struct out out;
    struct usdc usdc;
    struct address address = {{0}};
    struct address zero = {{0}};
    struct hash32 hash = {{0}};
    memset(address.bytes, 0x11, sizeof address.bytes);
    assert_true(usdc_parse(&usdc, "12.50"));
    out_start(&out, arena);
    out_object(&out, NULL);
    out_usdc(&out, "u", usdc);
    out_address(&out, "w", &address);
    out_address(&out, "z", &zero);
    out_hash(&out, "h", &hash);
    out_id(&out, "i", 7);
    out_id(&out, "j", 0);
    out_time(&out, "t", 1614265330007);
    out_time(&out, "n", 0);
    out_object_end(&out);
    assert_out(&out, "{\"u\":\"12.5\",\"w\":\"0x1111111111111111111111111111111111111111\","
                     "\"z\":null,\"h\":null,\"i\":\"7\",\"j\":null,"
                     "\"t\":\"2021-02-25T15:02:10.007Z\",\"n\":null}");
}

static void memory_that_is_out_is_told(void **state)
{
    (void)state;
    static char text[5000];
    struct out out;
    struct bytes written;
    memset(text, 'x', sizeof text - 1);
    for (int count = 20; count <= 400; count += 380) {
        out_start(&out, arena);
        out_array(&out, NULL);
        for (int i = 0; i < count; i++)
            out_text(&out, NULL, text);
        out_array_end(&out);
        assert_int_equal(out_finish(&written, &out), count == 20);
    }
    assert_int_equal(written.size, 1 + 20 * (sizeof text - 1 + 3)); // brackets, quotes, commas
}

static void a_text_that_is_not_utf8_says_so(void **state)
{
    (void)state;
    struct out out;
    out_start(&out, arena);
    out_object(&out, NULL);
    out_text(&out, "a", "\xff");
    out_object_end(&out);
    assert_out(&out, "{\"a\":\"(not UTF-8)\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_separated_and_nested),
        cmocka_unit_test(texts_are_escaped_as_any_parser_reads_them),
        cmocka_unit_test(our_types_have_their_forms),
        cmocka_unit_test(memory_that_is_out_is_told),
        cmocka_unit_test(a_text_that_is_not_utf8_says_so),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
