// SPDX-License-Identifier: Apache-2.0
// Log: one line per fact on standard error, as text on a terminal and JSON otherwise.
//
//   log_info("payout confirmed", {"job", LOG_INT(job.id)}, {"tx", LOG_HASH(&hash)});
//
// At least one field per line.
//
// A function either logs a failure or returns it, never both. Secrets are never passed in: the
// settings table knows which settings are secret, and key types have no log form.
#pragma once

#include "base/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum log_type { LOG_TYPE_INT, LOG_TYPE_TEXT, LOG_TYPE_BYTES };

struct log_value {
    enum log_type type;
    int64_t number;
    const char *text;
    struct bytes bytes;
};

#define LOG_INT(value)  ((struct log_value){.type = LOG_TYPE_INT, .number = (int64_t)(value)})
#define LOG_TEXT(value) ((struct log_value){.type = LOG_TYPE_TEXT, .text = (value)})
#define LOG_BYTES(pointer, count)                                                                  \
    ((struct log_value){.type = LOG_TYPE_BYTES, .bytes = {(const uint8_t *)(pointer), (count)}})
#define LOG_HASH(hash) LOG_BYTES((hash)->bytes, sizeof(hash)->bytes)

struct log_field {
    const char *name;
    struct log_value value;
};

#define LOG_FIELDS_MAX 12

// Set once at start, before threads. Default: info, text.
void log_setup(enum log_level level, enum log_format format);

// Parses "debug", "info", "warn", "error".
MUST_USE bool log_level_parse(enum log_level *ret_level, const char *text);
// Parses "text", "json", and "auto": text where standard error is a terminal, JSON otherwise.
MUST_USE bool log_format_parse(enum log_format *ret_format, const char *text);

// Use through the macros below. Thread-safe; one write(2) per line; overlong lines are cut.
void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count);

#define LOG_WRITE(level, message, ...)                                                             \
    log_write((level), (message), (const struct log_field[]){{0}, __VA_ARGS__} + 1,                \
              sizeof((const struct log_field[]){{0}, __VA_ARGS__}) / sizeof(struct log_field) - 1)
#define log_debug(...) LOG_WRITE(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  LOG_WRITE(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  LOG_WRITE(LOG_WARN, __VA_ARGS__)
#define log_error(...) LOG_WRITE(LOG_ERROR, __VA_ARGS__)
