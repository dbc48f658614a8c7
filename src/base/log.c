// SPDX-License-Identifier: Apache-2.0
// Composes one line per fact and writes it with one write(2).
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// At most PIPE_BUF, so that lines of several processes on one pipe never mix.
#define LOG_LINE_BYTES_MAX  4096
#define LOG_TAIL_BYTES      32 // kept free for what closes a cut line
#define LOG_WRITE_TRIES_MAX 100
#define LOG_BARE_BYTES_MAX  256 // a longer text is quoted, because quoted texts can be cut short

struct line {
    char text[LOG_LINE_BYTES_MAX];
    size_t size;
    bool cut;
};

static enum log_level minimum_level = LOG_INFO;
static enum log_format line_format = LOG_FORMAT_TEXT;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

void log_setup(enum log_level level, enum log_format format)
{
    minimum_level = level;
    line_format = format;
}

bool log_level_parse(enum log_level *ret_level, const char *text)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(enum log_format *ret_format, const char *text)
{
    bool automatic = strcmp(text, "auto") == 0;
    if (strcmp(text, "text") == 0 || (automatic && isatty(STDERR_FILENO)))
        *ret_format = LOG_FORMAT_TEXT;
    else if (strcmp(text, "json") == 0 || automatic)
        *ret_format = LOG_FORMAT_JSON;
    else
        return false;
    return true;
}

// All of it or, where it does not fit before the tail, nothing and the line counts as cut.
static bool append(struct line *line, const char *text, size_t size)
{
    if (line->cut || line->size + size > LOG_LINE_BYTES_MAX - LOG_TAIL_BYTES) {
        line->cut = true;
        return false;
    }
    memcpy(line->text + line->size, text, size);
    line->size += size;
    return true;
}

static void append_text(struct line *line, const char *text)
{
    append(line, text, strlen(text));
}

// Into the tail: always fits.
static void close_with(struct line *line, const char *text)
{
    size_t size = strlen(text);
    memcpy(line->text + line->size, text, size);
    line->size += size;
}

// Length of the well-formed UTF-8 sequence at text, 0 when there is none (RFC 3629, table 3-7 of
// the Unicode standard: no overlong forms, no surrogates, nothing above U+10FFFF).
static size_t utf8_length(const uint8_t *text)
{
    static const struct {
        uint8_t first, last, second_first, second_last;
        size_t length;
    } rows[] = {
        {0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (text[0] < rows[i].first || text[0] > rows[i].last)
            continue;
        if (rows[i].length > 1 && (text[1] < rows[i].second_first || text[1] > rows[i].second_last))
            return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if (text[k] < 0x80 || text[k] > 0xbf)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}

// Control characters, C1 included, never reach a terminal or split a line.
static bool is_control(const uint8_t *text)
{
    return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

// Appends the character at text, escaped; returns how many bytes of text it took.
static size_t append_character(struct line *line, const uint8_t *text)
{
    char escape[8];
    size_t length = utf8_length(text);
    if (length == 0) {
        append_text(line, "\\ufffd");
        return 1;
    }
    if (text[0] == '"' || text[0] == '\\') {
        snprintf(escape, sizeof escape, "\\%c", text[0]);
        append_text(line, escape);
    } else if (text[0] == '\n') {
        append_text(line, "\\n");
    } else if (is_control(text)) {
        snprintf(escape, sizeof escape, "\\u%04x", text[length - 1]);
        append_text(line, escape);
    } else {
        append(line, (const char *)text, length);
    }
    return length;
}

static void append_quoted(struct line *line, const char *text)
{
    if (!append(line, "\"", 1))
        return;
    for (const uint8_t *at = (const uint8_t *)text; *at != '\0' && !line->cut;)
        at += append_character(line, at);
    close_with(line, "\"");
}

static void append_hex(struct line *line, struct bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    append_text(line, "0x");
    for (size_t i = 0; i < bytes.size && !line->cut; i++)
        append(line, (char[]){digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]}, 2);
}

static void append_int(struct line *line, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    append_text(line, text);
}

// Bare words stay bare in text lines; anything a reader could mistake is quoted.
static bool is_bare(const char *text)
{
    size_t plain = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:+@,");
    return plain > 0 && plain <= LOG_BARE_BYTES_MAX && text[plain] == '\0';
}

static void append_value(struct line *line, const struct log_value *value)
{
    bool json = line_format == LOG_FORMAT_JSON;
    switch (value->type) {
    case LOG_TYPE_INT:
        append_int(line, value->number);
        break;
    case LOG_TYPE_TEXT:
        if (!value->text)
            append_text(line, json ? "null" : "-");
        else if (!json && is_bare(value->text))
            append_text(line, value->text);
        else
            append_quoted(line, value->text);
        break;
    case LOG_TYPE_BYTES:
        if (json && !append(line, "\"", 1))
            break;
        append_hex(line, value->bytes);
        if (json)
            close_with(line, "\"");
        break;
    }
}

// A field stands whole, or with its text cut short, or not at all.
static void append_field(struct line *line, const struct log_field *field)
{
    size_t start = line->size;
    if (line_format == LOG_FORMAT_JSON) {
        append(line, ",", 1);
        append_quoted(line, field->name);
        append(line, ":", 1);
    } else {
        append(line, " ", 1);
        append_text(line, field->name);
        append(line, "=", 1);
    }
    size_t value = line->size;
    if (!line->cut)
        append_value(line, &field->value);
    bool shortened = field->value.type != LOG_TYPE_INT && line->size > value + 1;
    if (line->cut && !shortened)
        line->size = start;
}

static void format_time(char *out, size_t size)
{
    struct timespec now;
    struct tm utc;
    char seconds[32] = "";
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || !gmtime_r(&now.tv_sec, &utc))
        now.tv_nsec = 0;
    else
        strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out, size, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

static bool is_printable(const char *text)
{
    size_t length = 0;
    while (text[length] >= ' ' && text[length] <= '~')
        length++;
    return length <= LOG_BARE_BYTES_MAX && text[length] == '\0';
}

static void begin(struct line *line, enum log_level level, const char *message)
{
    char time[48];
    format_time(time, sizeof time);
    if (line_format == LOG_FORMAT_TEXT) {
        char head[64];
        snprintf(head, sizeof head, "%s %-5s ", time, level_names[level]);
        append_text(line, head);
        if (is_printable(message))
            append_text(line, message);
        else
            append_quoted(line, message);
        return;
    }
    append_text(line, "{\"time\":");
    append_quoted(line, time);
    append_text(line, ",\"level\":");
    append_quoted(line, level_names[level]);
    append_text(line, ",\"message\":");
    append_quoted(line, message);
}

static void emit(const struct line *line)
{
    for (int i = 0; i < LOG_WRITE_TRIES_MAX; i++) {
        // A log that cannot be written has nowhere to say so.
        if (write(STDERR_FILENO, line->text, line->size) >= 0 || errno != EINTR)
            return;
    }
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    if (level < minimum_level)
        return;
    int saved_errno = errno;
    struct line line;
    line.size = 0;
    line.cut = false;
    begin(&line, level, message);
    if (count > LOG_FIELDS_MAX)
        line.cut = true;
    for (size_t i = 0; i < count && i < LOG_FIELDS_MAX; i++)
        append_field(&line, &fields[i]);
    if (line_format == LOG_FORMAT_JSON)
        close_with(&line, line.cut ? ",\"cut\":true}\n" : "}\n");
    else
        close_with(&line, line.cut ? " [cut]\n" : "\n");
    emit(&line);
    errno = saved_errno;
}
