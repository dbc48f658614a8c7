// SPDX-License-Identifier: Apache-2.0
// Strict input: one row per way to be wrong, and the values that pass.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/input.h"

#include <stdio.h>
#include <string.h>

static const struct address refused_addresses[] = {{{0xaa, 0xbb}}, {{0}}, {{0xcc}}};
static const struct refused refused = {refused_addresses, 3};

static void json_faults_have_their_problems(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum problem problem;
    } rows[] = {
        {"", PROBLEM_BODY_MISSING},
        {"{", PROBLEM_NOT_JSON},
        {"{}x", PROBLEM_NOT_JSON},
        {"{\"a\":1,}", PROBLEM_NOT_JSON},
        {"{'a':1}", PROBLEM_NOT_JSON},
        {"{\"a\":NaN}", PROBLEM_NOT_JSON},
        {"{\"a\":01}", PROBLEM_NOT_JSON},
        {"{\"a\":\"\\u0000\"}", PROBLEM_NOT_JSON},
        {"[]", PROBLEM_NOT_JSON},
        {"1", PROBLEM_NOT_JSON},
        {"{\"a\":1,\"a\":2}", PROBLEM_FIELD_DUPLICATE},
        {"{\"a\":99999999999999999999}", PROBLEM_NUMBER_RANGE},
        {"{\"a\":\"\xff\"}", PROBLEM_NOT_UTF8},
        {"{\"a\":\"\xc0\xaf\"}", PROBLEM_NOT_UTF8},
        {"{\"a\":\"\xed\xa0\x80\"}", PROBLEM_NOT_UTF8},
        {"\xff{}", PROBLEM_NOT_UTF8},
        {"{}", PROBLEM_NONE},
        {" {\"a\":\"]}\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"} ", PROBLEM_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *object = NULL;
        enum problem problem = input_object(&object, bytes_of_text(rows[i].text));
        if (problem != rows[i].problem)
            fail_msg("%s: %d", rows[i].text, problem);
        json_decref(object);
    }
}

static enum problem nested(size_t levels)
{
    static char text[1024];
    json_t *object = NULL;
    size_t size = 0;
    size += (size_t)snprintf(text, sizeof text, "{\"a\":");
    for (size_t i = 1; i < levels; i++)
        text[size++] = '[';
    for (size_t i = 1; i < levels; i++)
        text[size++] = ']';
    text[size++] = '}';
    enum problem problem = input_object(&object, (struct bytes){(const uint8_t *)text, size});
    json_decref(object);
    return problem;
}

static void nesting_passes_up_to_the_limit_and_no_further(void **state)
{
    (void)state;
    assert_int_equal(nested(JSON_DEPTH_MAX), PROBLEM_NONE);
    assert_int_equal(nested(JSON_DEPTH_MAX + 1), PROBLEM_TOO_DEEP);
}

// fault 50: the reader of amounts
static void amounts_pass_exactly_or_say_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        const char *json;
        enum problem problem;
        int64_t base_units;
    } rows[] = {
        {"\"12.50\"", PROBLEM_NONE, 12500000},
        {"\"0.000001\"", PROBLEM_NONE, 1},
        {"\"9223372036854.775807\"", PROBLEM_NONE, INT64_MAX},
        {"12500000", PROBLEM_NONE, 12500000},
        {"9223372036854775807", PROBLEM_NONE, INT64_MAX},
        {"\"-1\"", PROBLEM_AMOUNT_NEGATIVE, 0},
        {"-1", PROBLEM_AMOUNT_NEGATIVE, 0},
        {"0", PROBLEM_AMOUNT_ZERO, 0},
        {"\"0\"", PROBLEM_AMOUNT_ZERO, 0},
        {"\"0.000000\"", PROBLEM_AMOUNT_ZERO, 0},
        {"\"1e3\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"0x10\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\" 1\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"1 \"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"+1\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"1,5\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"1.2.3\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\".5\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"0100.00\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"00001\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"00\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"5.\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"\xd9\xa1\xd9\xa2\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"--1\"", PROBLEM_AMOUNT_MALFORMED, 0},
        {"\"1.0000001\"", PROBLEM_AMOUNT_PRECISION, 0},
        {"\"9223372036854.775808\"", PROBLEM_AMOUNT_OVERFLOW, 0},
        {"\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"",
         PROBLEM_AMOUNT_OVERFLOW, 0},
        {"1.5", PROBLEM_AMOUNT_NOT_EXACT, 0},
        {"1e3", PROBLEM_AMOUNT_NOT_EXACT, 0},
        {"1e77", PROBLEM_AMOUNT_NOT_EXACT, 0},
        {"true", PROBLEM_FIELD_TYPE, 0},
        {"{}", PROBLEM_FIELD_TYPE, 0},
        {"[1]", PROBLEM_FIELD_TYPE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        struct usdc amount = {0};
        enum problem problem = input_amount(&amount, value);
        if (problem != rows[i].problem || usdc_units(amount) != rows[i].base_units)
            fail_msg("%s: %d", rows[i].json, problem);
        json_decref(value);
    }
}

static void cents_are_ten_thousand_units_each(void **state)
{
    (void)state;
    const struct {
        const char *json;
        enum problem problem;
        int64_t base_units;
    } rows[] = {
        {"1", PROBLEM_NONE, 10000},
        {"2000", PROBLEM_NONE, 20000000},
        {"922337203685477", PROBLEM_NONE, 9223372036854770000},
        {"922337203685478", PROBLEM_AMOUNT_OVERFLOW, 0},
        {"9223372036854775807", PROBLEM_AMOUNT_OVERFLOW, 0},
        {"-1", PROBLEM_AMOUNT_NEGATIVE, 0},
        {"-9223372036854775807", PROBLEM_AMOUNT_NEGATIVE, 0},
        {"0", PROBLEM_AMOUNT_ZERO, 0},
        {"20.00", PROBLEM_AMOUNT_NOT_EXACT, 0},
        {"\"2000\"", PROBLEM_FIELD_TYPE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *value = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);
        struct usdc amount = {0};
        enum problem problem = input_amount_cents(&amount, value);
        if (problem != rows[i].problem || usdc_units(amount) != rows[i].base_units)
            fail_msg("%s: %d", rows[i].json, problem);
        json_decref(value);
    }
}

static void wallets_pass_or_say_what_is_wrong(void **state)
{
    (void)state;
    const struct {
        const char *text;
        enum problem problem;
    } rows[] = {
        {"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", PROBLEM_NONE},
        {"0xd8da6bf26964af9d7eed9e03e53415d37aa96045", PROBLEM_NONE},
        {"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046", PROBLEM_ADDRESS_CHECKSUM},
        {"0xD8da6bf26964af9d7eed9e03e53415d37aa96045", PROBLEM_ADDRESS_CHECKSUM},
        {"0xd8da6bf26964af9d7eed9e03e53415d37aa9604", PROBLEM_ADDRESS_LENGTH},
        {"0xd8da6bf26964af9d7eed9e03e53415d37aa960455", PROBLEM_ADDRESS_LENGTH},
        {"", PROBLEM_ADDRESS_LENGTH},
        {"0xg8da6bf26964af9d7eed9e03e53415d37aa96045", PROBLEM_ADDRESS_DIGITS},
        {"0x0000000000000000000000000000000000000000", PROBLEM_ADDRESS_ZERO},
        {"0xaabb000000000000000000000000000000000000", PROBLEM_ADDRESS_REFUSED},
        {"0xcc00000000000000000000000000000000000000", PROBLEM_ADDRESS_REFUSED}, // the last of them
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address = {{0}};
        enum problem problem = input_wallet(&address, rows[i].text, &refused);
        if (problem != rows[i].problem || address_is_zero(&address) != (problem != PROBLEM_NONE))
            fail_msg("%s: %d", rows[i].text, problem);
    }
}

static void ids_are_printable_and_bounded(void **state)
{
    (void)state;
    char longest[130];
    memset(longest, 'a', sizeof longest);
    longest[129] = 0;
    assert_false(input_is_id(longest, 128));
    longest[128] = 0;
    assert_true(input_is_id(longest, 128));
    assert_true(input_is_id("pi_3 ~!", 128));
    assert_false(input_is_id("", 128));
    assert_false(input_is_id("a\tb", 128));
    assert_false(input_is_id("caf\xc3\xa9", 128));
    assert_false(input_is_id("a\x7f", 128));
}

static void integers_are_digits_within_bounds(void **state)
{
    (void)state;
    int64_t value = -1;
    assert_true(input_integer(&value, "9223372036854775807", 1, INT64_MAX));
    assert_true(value == INT64_MAX);
    assert_false(input_integer(&value, "9223372036854775808", 1, INT64_MAX));
    assert_false(input_integer(&value, "0", 1, 200));
    assert_false(input_integer(&value, "201", 1, 200));
    assert_false(input_integer(&value, "", 0, 200));
    assert_false(input_integer(&value, "-1", -5, 200));
    assert_false(input_integer(&value, "1x", 0, 200));
    assert_true(value == INT64_MAX);
}

static void unknown_fields_are_found(void **state)
{
    (void)state;
    static const char *const names[] = {"wallet", "referrer", NULL};
    json_t *object = json_loads("{\"wallet\":1,\"referer\":2}", 0, NULL);
    assert_string_equal(input_unknown_field(object, names), "referer");
    json_object_del(object, "referer");
    assert_null(input_unknown_field(object, names));
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_faults_have_their_problems),
        cmocka_unit_test(nesting_passes_up_to_the_limit_and_no_further),
        cmocka_unit_test(amounts_pass_exactly_or_say_what_is_wrong),
        cmocka_unit_test(cents_are_ten_thousand_units_each),
        cmocka_unit_test(wallets_pass_or_say_what_is_wrong),
        cmocka_unit_test(ids_are_printable_and_bounded),
        cmocka_unit_test(integers_are_digits_within_bounds),
        cmocka_unit_test(unknown_fields_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
