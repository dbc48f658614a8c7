// SPDX-License-Identifier: Apache-2.0
// Log lines: their JSON parses back to what went in, hostile text stays inside its field.
#include "base/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPTURE_BYTES_MAX 65536

// What was written to standard error since capture_begin().
static int saved_stderr;
static int capture;

static void capture_begin(void)
{
    char path[] = "/tmp/sluice-log-test-XXXXXX";
    capture = mkstemp(path);
    assert_true(capture >= 0);
    unlink(path);
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(capture, STDERR_FILENO) >= 0);
}

static char *capture_end(void)
{
    static char text[CAPTURE_BYTES_MAX];
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    ssize_t size = pread(capture, text, sizeof text - 1, 0);
    close(capture);
    assert_true(size >= 0);
    text[size] = '\0';
    return text;
}

static json_t *log_one_text(const char *value)
{
    log_setup(LOG_INFO, LOG_FORMAT_JSON);
    capture_begin();
    // What follows is longer than the room kept at the end of a line.
    log_info("said", {"text", LOG_TEXT(value)}, {"after", LOG_INT(7)}, {"low", LOG_INT(INT64_MIN)},
             {"lower", LOG_INT(INT64_MIN)}, {"lowest", LOG_INT(INT64_MIN)});
    char *text = capture_end();
    size_t size = strlen(text);
    assert_true(size > 0 && text[size - 1] == '\n');
    assert_ptr_equal(strchr(text, '\n'), text + size - 1);
    assert_true(size <= 4096);
    json_error_t error;
    json_t *line = json_loads(text, 0, &error);
    if (!line)
        fail_msg("not JSON: %s: %s", error.text, text);
    return line;
}

static void json_gives_back_every_text(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"quote \" backslash \\ slash /", "quote \" backslash \\ slash /"},
        {"line\nbreak\r\ttab", "line\nbreak\r\ttab"},
        {"\x01\x1f\x7f\x1b[31m", "\x01\x1f\x7f\x1b[31m"},
        {"\",\"level\":\"error", "\",\"level\":\"error"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc2\x85", "\xc2\x85"}, // C1 control
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},                                                                    // no UTF-8
        {"\xc3", "\xef\xbf\xbd"},                                                 // cut sequence
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                 // overlong
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 // surrogate
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // > U+10FFFF
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *line = log_one_text(rows[i].in);
        assert_string_equal(json_string_value(json_object_get(line, "text")), rows[i].out);
        assert_int_equal(json_integer_value(json_object_get(line, "after")), 7);
        assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
        assert_string_equal(json_string_value(json_object_get(line, "message")), "said");
        assert_int_equal(strlen(json_string_value(json_object_get(line, "time"))), 24);
        assert_null(json_object_get(line, "cut"));
        json_decref(line);
    }
}

static void json_shows_numbers_hashes_and_absent_texts(void **state)
{
    (void)state;
    const struct hash32 hash = {{0xab, 0x01}};
    log_setup(LOG_DEBUG, LOG_FORMAT_JSON);
    capture_begin();
    log_debug("fields", {"low", LOG_INT(INT64_MIN)}, {"hash", LOG_HASH(&hash)},
              {"none", LOG_TEXT(NULL)}, {"empty", LOG_BYTES(NULL, 0)});
    json_t *line = json_loads(capture_end(), 0, NULL);
    assert_non_null(line);
    assert_true(json_integer_value(json_object_get(line, "low")) == INT64_MIN);
    assert_string_equal(json_string_value(json_object_get(line, "hash")),
                        "0xab01000000000000000000000000000000000000000000000000000000000000");
    assert_true(json_is_null(json_object_get(line, "none")));
    assert_string_equal(json_string_value(json_object_get(line, "empty")), "0x");
    json_decref(line);
}

static void overlong_lines_are_cut_and_stay_json(void **state)
{
    (void)state;
    static const char *const units[] = {"x", "\"", "\n", "\x01", "\xe2\x82\xac", "\xff"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        // Every length around the limit, so that the cut falls on every place of the tail.
        size_t unit = strlen(units[i]);
        for (size_t count = 600; count < 4200; count += count < 3800 ? 97 : 1) {
            char *text = calloc(count, unit + 1);
            for (size_t k = 0; k < count; k++)
                memcpy(text + k * unit, units[i], unit);
            text[count * unit] = '\0';
            json_t *line = log_one_text(text);
            bool cut = json_object_get(line, "cut") != NULL;
            const char *logged = json_string_value(json_object_get(line, "text"));
            assert_true(cut || json_object_get(line, "after"));
            assert_true(logged && strlen(logged) > 500);
            json_decref(line);
            free(text);
        }
    }
}

static void too_many_fields_are_cut(void **state)
{
    (void)state;
    struct log_field fields[LOG_FIELDS_MAX + 1];
    for (size_t i = 0; i < LOG_FIELDS_MAX + 1; i++)
        fields[i] = (struct log_field){i == LOG_FIELDS_MAX ? "last" : "some", LOG_INT(i)};
    log_setup(LOG_INFO, LOG_FORMAT_JSON);
    capture_begin();
    log_write(LOG_WARN, "many", fields, LOG_FIELDS_MAX + 1);
    const char *text = capture_end();
    assert_null(strstr(text, "last"));
    assert_non_null(strstr(text, ",\"cut\":true}\n"));
}

static void text_lines_quote_what_could_mislead(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"bare-word_1.5:x", " text=bare-word_1.5:x after=7\n"},
        {"two words", " text=\"two words\" after=7\n"},
        {"", " text=\"\" after=7\n"},
        {"a=b", " text=\"a=b\" after=7\n"},
        {"fake\nline", " text=\"fake\\nline\" after=7\n"},
        {"\xc2\x9b"
         "31m",
         " text=\"\\u009b31m\" after=7\n"},
        {"\x1b[31mred", " text=\"\\u001b[31mred\" after=7\n"},
        {NULL, " text=- after=7\n"},
    };
    log_setup(LOG_INFO, LOG_FORMAT_TEXT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        capture_begin();
        log_warn("said", {"text", LOG_TEXT(rows[i].in)}, {"after", LOG_INT(7)});
        char *text = capture_end();
        assert_non_null(strstr(text, "Z warn  said"));
        assert_string_equal(strstr(text, " text="), rows[i].out);
    }
}

static void levels_below_the_minimum_write_nothing(void **state)
{
    (void)state;
    log_setup(LOG_WARN, LOG_FORMAT_TEXT);
    capture_begin();
    log_debug("no", {"n", LOG_INT(1)});
    log_info("no", {"n", LOG_INT(1)});
    assert_string_equal(capture_end(), "");
    capture_begin();
    log_warn("yes", {"n", LOG_INT(1)});
    log_error("yes", {"n", LOG_INT(2)});
    char *text = capture_end();
    assert_non_null(strstr(text, " yes n=1\n"));
    assert_non_null(strstr(text, " yes n=2\n"));
}

static void words_of_levels_and_formats_parse(void **state)
{
    (void)state;
    enum log_level level = LOG_DEBUG;
    enum log_format format = LOG_FORMAT_TEXT;
    assert_true(log_level_parse(&level, "warn"));
    assert_int_equal(level, LOG_WARN);
    assert_false(log_level_parse(&level, "WARN"));
    assert_false(log_level_parse(&level, ""));
    assert_int_equal(level, LOG_WARN);
    assert_true(log_format_parse(&format, "json"));
    assert_int_equal(format, LOG_FORMAT_JSON);
    assert_true(log_format_parse(&format, "text"));
    assert_int_equal(format, LOG_FORMAT_TEXT);
    assert_false(log_format_parse(&format, "xml"));
    capture_begin(); // standard error is a file now
    bool parsed = log_format_parse(&format, "auto");
    capture_end();
    assert_true(parsed);
    assert_int_equal(format, LOG_FORMAT_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_gives_back_every_text),
        cmocka_unit_test(json_shows_numbers_hashes_and_absent_texts),
        cmocka_unit_test(overlong_lines_are_cut_and_stay_json),
        cmocka_unit_test(too_many_fields_are_cut),
        cmocka_unit_test(text_lines_quote_what_could_mislead),
        cmocka_unit_test(levels_below_the_minimum_write_nothing),
        cmocka_unit_test(words_of_levels_and_formats_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
