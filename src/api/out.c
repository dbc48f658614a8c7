// SPDX-License-Identifier: Apache-2.0
// A growing text in an arena, and the JSON forms of our types.
#include "api/out.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void out_start(struct out *out, struct arena *arena)
{
    *out = (struct out){.arena = arena};
}

bool out_finish(struct bytes *ret_text, const struct out *out)
{
    if (out->failed)
        return false;
    *ret_text = (struct bytes){(const uint8_t *)out->data, out->size};
    return true;
}

static bool reserve(struct out *out, size_t more)
{
    if (out->failed || more <= out->capacity - out->size)
        return !out->failed;
    size_t capacity = out->capacity ? out->capacity : OUT_BYTES_FIRST;
    while (capacity - out->size < more)
        capacity *= 2;
    char *data = arena_alloc(out->arena, capacity);
    if (!data) {
        out->failed = true;
        return false;
    }
    if (out->size > 0)
        memcpy(data, out->data, out->size);
    out->data = data;
    out->capacity = capacity;
    return true;
}

static void append(struct out *out, const char *text, size_t size)
{
    if (!reserve(out, size))
        return;
    memcpy(out->data + out->size, text, size);
    out->size += size;
}

static void append_escape(struct out *out, unsigned char c)
{
    char escape[8];
    int size = c == '"' || c == '\\' ? snprintf(escape, sizeof escape, "\\%c", c)
                                     : snprintf(escape, sizeof escape, "\\u%04x", c);
    append(out, escape, (size_t)size);
}

static void append_quoted(struct out *out, const char *text)
{
    append(out, "\"", 1);
    while (*text) {
        size_t plain = 0;
        while ((unsigned char)text[plain] >= ' ' && text[plain] != '"' && text[plain] != '\\')
            plain++;
        append(out, text, plain);
        text += plain;
        if (*text)
            append_escape(out, (unsigned char)*text++);
    }
    append(out, "\"", 1);
}

static void before_value(struct out *out, const char *key)
{
    if (out->comma)
        append(out, ",", 1);
    out->comma = true;
    if (key) {
        append_quoted(out, key);
        append(out, ":", 1);
    }
}

static void out_raw(struct out *out, const char *key, const char *text)
{
    before_value(out, key);
    append(out, text, strlen(text));
}

void out_object(struct out *out, const char *key)
{
    out_raw(out, key, "{");
    out->comma = false;
}

void out_object_end(struct out *out)
{
    append(out, "}", 1);
    out->comma = true;
}

void out_array(struct out *out, const char *key)
{
    out_raw(out, key, "[");
    out->comma = false;
}

void out_array_end(struct out *out)
{
    append(out, "]", 1);
    out->comma = true;
}

void out_text(struct out *out, const char *key, const char *text)
{
    before_value(out, key);
    if (text)
        append_quoted(out, text);
    else
        append(out, "null", 4);
}

void out_integer(struct out *out, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    out_raw(out, key, text);
}

void out_boolean(struct out *out, const char *key, bool value)
{
    out_raw(out, key, value ? "true" : "false");
}

void out_id(struct out *out, const char *key, int64_t id)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)id);
    out_text(out, key, id ? text : NULL);
}

void out_usdc(struct out *out, const char *key, struct usdc amount)
{
    char text[USDC_TEXT_SIZE];
    usdc_format(text, amount);
    out_text(out, key, text);
}

void out_sge(struct out *out, const char *key, struct sge amount)
{
    char text[SGE_TEXT_SIZE];
    sge_format(text, amount);
    out_text(out, key, text);
}

void out_address(struct out *out, const char *key, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_zero(address)) {
        out_text(out, key, NULL);
        return;
    }
    address_format(text, address);
    out_text(out, key, text);
}

void out_hash(struct out *out, const char *key, const struct hash32 *hash)
{
    char text[HEX_TEXT_SIZE(32)];
    hex_encode(text, (struct bytes){hash->bytes, sizeof hash->bytes});
    out_text(out, key, hash32_is_zero(hash) ? NULL : text);
}

void out_time(struct out *out, const char *key, int64_t wall_ms)
{
    struct tm utc;
    char text[40];
    time_t seconds = (time_t)(wall_ms / 1000);
    if (wall_ms <= 0 || !gmtime_r(&seconds, &utc)) {
        out_text(out, key, NULL);
        return;
    }
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + size, sizeof text - size, ".%03dZ", (int)(wall_ms % 1000));
    out_text(out, key, text);
}
