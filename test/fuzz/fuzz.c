// SPDX-License-Identifier: Apache-2.0
// What all fuzz targets share.
#include "fuzz.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Warnings about what an input is are the expected outcome, at thousands a second.
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
    return 0;
}

void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: property broken: %s\n", file, line, condition);
    abort();
}

struct fuzz_input fuzz_input(const uint8_t *data, size_t size)
{
    return (struct fuzz_input){{data, size}};
}

void fuzz_fill(struct fuzz_input *input, void *out, size_t size)
{
    size_t taken = size < input->rest.size ? size : input->rest.size;
    memset(out, 0, size);
    if (taken > 0)
        memcpy(out, input->rest.data, taken);
    input->rest.data += taken;
    input->rest.size -= taken;
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    uint8_t byte;
    fuzz_fill(input, &byte, sizeof byte);
    return byte;
}

uint64_t fuzz_u64(struct fuzz_input *input)
{
    uint64_t value;
    fuzz_fill(input, &value, sizeof value);
    return value;
}

static char *take(struct fuzz_input *input, size_t size)
{
    size_t length = size > 0 ? strnlen((const char *)input->rest.data, size) : 0;
    char *text = malloc(length + 1);
    if (!text)
        abort();
    if (length > 0)
        memcpy(text, input->rest.data, length);
    text[length] = '\0';
    input->rest.data += size;
    input->rest.size -= size;
    return text;
}

char *fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end =
        input->rest.size > 0 ? memchr(input->rest.data, '\n', input->rest.size) : NULL;
    char *text = take(input, end ? (size_t)(end - input->rest.data) : input->rest.size);
    if (end)
        (void)fuzz_byte(input);
    return text;
}

char *fuzz_text(struct fuzz_input *input)
{
    return take(input, input->rest.size);
}

struct arena *fuzz_arena(void)
{
    static struct arena *arena;
    if (!arena)
        arena = arena_new(FUZZ_ARENA_BYTES_MAX);
    if (!arena)
        abort();
    arena_reset(arena);
    return arena;
}

bool fuzz_is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}
