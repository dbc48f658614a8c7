// SPDX-License-Identifier: Apache-2.0
// Reading the published vectors under test/vectors/eth.
#pragma once

#include "base/hex.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The file's object; its "rows" are the vectors. The caller drops it with json_decref().
static inline json_t *vectors_load(const char *name)
{
    char path[1024];
    json_error_t error;
    snprintf(path, sizeof path, "%s/eth/%s", TEST_VECTORS, name);
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!root)
        fail_msg("%s: %s", path, error.text);
    assert_true(json_array_size(json_object_get(root, "rows")) > 0);
    return root;
}

static inline const char *vector_text(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    if (!text)
        fail_msg("a vector lacks %s", name);
    return text;
}

// Bytes of a hex text, to be freed by the caller.
static inline struct bytes vector_bytes(const char *hex)
{
    size_t capacity = strlen(hex) / 2;
    uint8_t *data = malloc(capacity + 1);
    size_t size;
    assert_non_null(data);
    assert_true(hex_decode_any(data, &size, capacity, hex));
    return (struct bytes){data, size};
}

static inline void vector_free(struct bytes bytes)
{
    void *memory;
    memcpy(&memory, &bytes.data, sizeof memory); // it was allocated as not const
    free(memory);
}

static inline struct hash32 vector_hash(const json_t *row, const char *name)
{
    struct hash32 hash;
    assert_true(hex_decode(hash.bytes, sizeof hash.bytes, vector_text(row, name)));
    return hash;
}
