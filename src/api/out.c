// SPDX-License-Identifier: Apache-2.0
// JSON out, on jansson: the tree under construction, and the JSON forms of our types.
#include "api/out.h"

#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void out_start(struct out *out, struct arena *arena)
{
    *out = (struct out){.arena = arena};
}

json_t *out_take(struct out *out)
{
    json_t *root = out->root;
    out->root = NULL;
    if (!out->failed)
        return root;
    json_decref(root);
    return NULL;
}

bool out_finish(struct bytes *ret_text, struct out *out)
{
    json_t *root = out_take(out);
    size_t size = root ? json_dumpb(root, NULL, 0, JSON_COMPACT) : 0;
    char *text = size > 0 ? arena_alloc(out->arena, size) : NULL;
    bool fine = text && json_dumpb(root, text, size, JSON_COMPACT) == size;
    json_decref(root);
    if (fine)
        *ret_text = (struct bytes){(const uint8_t *)text, size};
    return fine;
}

// Takes the value over. NULL: memory was out when it was made.
static bool attach(struct out *out, const char *key, json_t *value)
{
    json_t *parent = out->depth > 0 ? out->open[out->depth - 1] : NULL;
    if (!value || out->failed) {
        json_decref(value);
        out->failed = true;
        return false;
    }
    if (!parent) {
        if (out->root)
            abort(); // two outermost values
        out->root = value;
        return true;
    }
    int failure = json_is_object(parent) ? json_object_set_new(parent, key, value)
                                         : json_array_append_new(parent, value);
    out->failed = failure != 0;
    return !out->failed;
}

static void enter(struct out *out, const char *key, json_t *value)
{
    if (out->depth == OUT_DEPTH_MAX)
        abort();
    if (attach(out, key, value))
        out->open[out->depth++] = value;
}

static void leave(struct out *out)
{
    if (out->failed)
        return;
    if (out->depth == 0)
        abort();
    out->depth--;
}

void out_object(struct out *out, const char *key)
{
    enter(out, key, json_object());
}

void out_object_end(struct out *out)
{
    leave(out);
}

void out_array(struct out *out, const char *key)
{
    enter(out, key, json_array());
}

void out_array_end(struct out *out)
{
    leave(out);
}

// A text that is not UTF-8 (a header may hold anything) has no JSON form.
void out_text(struct out *out, const char *key, const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    attach(out, key, value ? value : json_string("(not UTF-8)"));
}

void out_integer(struct out *out, const char *key, int64_t value)
{
    attach(out, key, json_integer(value));
}

void out_boolean(struct out *out, const char *key, bool value)
{
    attach(out, key, json_boolean(value));
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
