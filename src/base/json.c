// SPDX-License-Identifier: Apache-2.0
// Reads JSON through an allocator that remembers whether it ever failed.
//
// Where jansson's reader cannot grow the buffer of a token it either drops a character and goes on
// or, in a number, aborts. So memory for that buffer is set aside before: once an allocation has
// failed, those of a buffer's size are served from there, and all others end the reading.
#include "base/json.h"

#include <pthread.h>
#include <stdlib.h>

#define BUFFER_BYTES_MIN 32 // first growth; then it doubles
// All growths together need four times the longest token; texts that happen to have a buffer's size
// take as much again at most.
#define RESERVE_PER_BYTE  8
#define RESERVE_BYTES_MIN 256

static _Thread_local struct {
    bool failed;
    uint8_t *reserve;
    size_t size, left; // of the reserve
} reading;

static bool is_buffer_size(size_t size)
{
    return size >= BUFFER_BYTES_MIN && (size & (size - 1)) == 0;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory != NULL)
        return memory;
    reading.failed = true;
    if (reading.reserve == NULL || !is_buffer_size(size) || size > reading.left)
        return NULL;
    reading.left -= size;
    return reading.reserve + reading.left;
}

static void release(void *memory)
{
    uintptr_t at = (uintptr_t)memory, reserve = (uintptr_t)reading.reserve;
    if (reading.reserve == NULL || at < reserve || at >= reserve + reading.size)
        free(memory);
}

static void watch_allocations(void)
{
    json_set_alloc_funcs(allocate, release);
}

static bool reading_begin(size_t text_size)
{
    if (text_size > SIZE_MAX / RESERVE_PER_BYTE - RESERVE_BYTES_MIN)
        return false;
    reading.failed = false;
    reading.size = reading.left = text_size * RESERVE_PER_BYTE + RESERVE_BYTES_MIN;
    reading.left -= reading.left % BUFFER_BYTES_MIN;
    reading.reserve = malloc(reading.size);
    return reading.reserve != NULL;
}

static void reading_end(void)
{
    free(reading.reserve);
    reading.reserve = NULL;
}

enum status json_read(json_t **ret_root, json_error_t *ret_error, struct bytes text)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_allocations);
    if (!reading_begin(text.size))
        return STATUS_NO_MEMORY;
    enum status status = STATUS_OK;
    json_t *root =
        json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, ret_error);
    if (reading.failed) {
        json_decref(root);
        status = STATUS_NO_MEMORY;
    } else if (root == NULL) {
        status = STATUS_INVALID;
    } else {
        *ret_root = root;
    }
    reading_end();
    return status;
}
