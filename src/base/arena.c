// SPDX-License-Identifier: Apache-2.0
// A list of growing blocks, folded into one block of the same total size at the next reset.
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
// Memory not handed out is out of bounds: a pointer kept past a reset is caught in tests.
#include <sanitizer/asan_interface.h>
#define POISON(memory, size)   ASAN_POISON_MEMORY_REGION(memory, size)
#define UNPOISON(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#else
#define POISON(memory, size)   ((void)(memory), (void)(size))
#define UNPOISON(memory, size) ((void)(memory), (void)(size))
#endif

#define BLOCK_BYTES_MIN 4096
#define BLOCK_BYTES_MAX ((size_t)4 << 20) // of a block made for small requests

struct block {
    struct block *older;
    size_t capacity;
    size_t used;
    alignas(max_align_t) uint8_t data[];
};

struct arena {
    size_t limit;
    size_t held; // capacity of all blocks
    size_t used;
    struct block *newest;
};

struct arena *arena_new(size_t limit_bytes)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena)
        arena->limit = limit_bytes;
    return arena;
}

static void free_blocks(struct arena *arena)
{
    while (arena->newest) {
        struct block *block = arena->newest;
        arena->newest = block->older;
        UNPOISON(block->data, block->capacity);
        free(block);
    }
    arena->held = 0;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena);
    free(arena);
}

static bool add_block(struct arena *arena, size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct block))
        return false;
    struct block *block = malloc(sizeof *block + capacity);
    if (!block)
        return false;
    *block = (struct block){.older = arena->newest, .capacity = capacity};
    POISON(block->data, capacity);
    arena->newest = block;
    arena->held += capacity;
    return true;
}

// Doubles what is held, within the limits; a larger request gets a block of its own size.
static bool grow(struct arena *arena, size_t size)
{
    size_t room = arena->limit - arena->held;
    if (size > room)
        return false;
    size_t capacity = arena->held < BLOCK_BYTES_MIN ? BLOCK_BYTES_MIN : arena->held;
    if (capacity > BLOCK_BYTES_MAX)
        capacity = BLOCK_BYTES_MAX;
    if (capacity > room)
        capacity = room;
    return add_block(arena, capacity < size ? size : capacity);
}

void arena_reset(struct arena *arena)
{
    arena->used = 0;
    if (!arena->newest)
        return;
    if (arena->newest->older) {
        // One block of the whole size: the next tick of the same shape allocates nothing.
        size_t held = arena->held;
        free_blocks(arena);
        (void)add_block(arena, held); // without it the next allocation tries again
        return;
    }
    arena->newest->used = 0;
    POISON(arena->newest->data, arena->newest->capacity);
}

static uint8_t *take(struct block *block, size_t size)
{
    const size_t mask = alignof(max_align_t) - 1;
    if (!block || block->used > SIZE_MAX - mask)
        return NULL;
    size_t start = (block->used + mask) & ~mask;
    if (start > block->capacity || size > block->capacity - start)
        return NULL;
    block->used = start + size;
    UNPOISON(block->data + start, size);
    return block->data + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    // Every allocation is a distinct object, also one of no bytes.
    size_t taken = size == 0 ? 1 : size;
    uint8_t *memory = take(arena->newest, taken);
    if (!memory && grow(arena, taken))
        memory = take(arena->newest, taken);
    if (!memory)
        return NULL;
    arena->used += size;
    return memset(memory, 0, taken);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return arena_alloc(arena, total);
}

uint8_t *arena_copy(struct arena *arena, struct bytes data)
{
    uint8_t *copy = arena_alloc(arena, data.size);
    if (copy && data.size > 0)
        memcpy(copy, data.data, data.size);
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = arena_alloc(arena, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list measure;
    va_list print;
    va_start(measure, format);
    va_copy(print, measure);
    int length = vsnprintf(NULL, 0, format, measure);
    va_end(measure);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, print);
    va_end(print);
    return text;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}
