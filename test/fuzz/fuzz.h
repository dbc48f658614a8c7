// SPDX-License-Identifier: Apache-2.0
// What all fuzz targets share: a property that must hold, and taking an input apart.
#pragma once

#include "base/arena.h"

#define FUZZ_ARENA_BYTES_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

// A property: where it does not hold the target aborts, which is a finding.
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(#condition, __FILE__, __LINE__);                                             \
    } while (0)
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

// The part of an input not yet taken. Past the end there are only zeros.
struct fuzz_input {
    struct bytes rest;
};
struct fuzz_input fuzz_input(const uint8_t *data, size_t size);
uint8_t fuzz_byte(struct fuzz_input *input);
uint64_t fuzz_u64(struct fuzz_input *input);
void fuzz_fill(struct fuzz_input *input, void *out, size_t size);
// Bytes up to the next newline (which is taken too) or all the rest, as a text without NUL of
// exactly its own size, so that a read past its end is seen. The caller frees them.
char *fuzz_line(struct fuzz_input *input);
char *fuzz_text(struct fuzz_input *input);

// An empty arena, the same for every input.
struct arena *fuzz_arena(void);

bool fuzz_is_printable(const char *text);
