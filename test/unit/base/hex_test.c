// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text: what is accepted, what is refused, that refusal writes nothing.
#include "base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void encodes_lower_case_with_prefix(void **state)
{
    (void)state;
    char text[HEX_TEXT_SIZE(4)];
    hex_encode(text, (struct bytes){(const uint8_t[]){0x00, 0x9a, 0xbc, 0xff}, 4});
    assert_string_equal(text, "0x009abcff");
    hex_encode(text, (struct bytes){NULL, 0});
    assert_string_equal(text, "0x");
}

static void decodes_only_whole_bytes_of_digits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
        size_t size;
        uint8_t bytes[4];
    } rows[] = {
        {"", true, 0, {0}},
        {"0x", true, 0, {0}},
        {"00", true, 1, {0}},
        {"0xaF", true, 1, {0xaf}},
        {"0123456f", true, 4, {0x01, 0x23, 0x45, 0x6f}},
        {"0x0123456F", true, 4, {0x01, 0x23, 0x45, 0x6f}},
        {"0x0", false, 0, {0}},
        {"0", false, 0, {0}},
        {"0X00", false, 0, {0}},
        {"0x0x00", false, 0, {0}},
        {"x00", false, 0, {0}},
        {" 00", false, 0, {0}},
        {"00 ", false, 0, {0}},
        {"0g", false, 0, {0}},
        {"-1", false, 0, {0}},
        {"0x0123456789", false, 0, {0}}, // more than the capacity
        {"0x01234567f", false, 0, {0}},
        {"\xef\xbc\x91\xef\xbc\x91", false, 0, {0}}, // full-width digits
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[4] = {0xee, 0xee, 0xee, 0xee};
        size_t size = 99;
        assert_int_equal(hex_decode_any(out, &size, sizeof out, rows[i].text), rows[i].fine);
        if (rows[i].fine) {
            assert_int_equal(size, rows[i].size);
            assert_memory_equal(out, rows[i].bytes, size);
        } else {
            assert_int_equal(size, 99);
            assert_memory_equal(out, "\xee\xee\xee\xee", sizeof out);
        }
    }
}

static void decodes_exactly_the_size_asked_for(void **state)
{
    (void)state;
    uint8_t out[3] = {0xee, 0xee, 0xee};
    assert_false(hex_decode(out, 3, "0x0102"));
    assert_false(hex_decode(out, 3, "0x01020304"));
    assert_false(hex_decode(out, 3, "0x01020g"));
    assert_memory_equal(out, "\xee\xee\xee", 3);
    assert_true(hex_decode(out, 3, "010203"));
    assert_memory_equal(out, "\x01\x02\x03", 3);
    assert_true(hex_decode(out, 3, "0x0a0b0C"));
    assert_memory_equal(out, "\x0a\x0b\x0c", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_lower_case_with_prefix),
        cmocka_unit_test(decodes_only_whole_bytes_of_digits),
        cmocka_unit_test(decodes_exactly_the_size_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
