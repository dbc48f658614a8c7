// SPDX-License-Identifier: Apache-2.0
// The content of a simulated file: durable bytes, changes not yet durable, and what a power cut
// leaves of them.
#include "support/sim_disk_file.h"

#include "support/sim_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void *grow(void *data, size_t *capacity, size_t need, size_t item_size)
{
    if (need <= *capacity)
        return data;
    size_t larger = *capacity == 0 ? 64 : *capacity;
    while (larger < need)
        larger *= 2;
    data = realloc(data, larger * item_size);
    if (data == NULL) {
        fputs("sim_disk: out of memory\n", stderr);
        abort();
    }
    *capacity = larger;
    return data;
}

void sim_buffer_resize(struct sim_buffer *buffer, size_t size)
{
    buffer->data = grow(buffer->data, &buffer->capacity, size, 1);
    if (size > buffer->size)
        memset(buffer->data + buffer->size, 0, size - buffer->size);
    buffer->size = size;
}

static void put(struct sim_buffer *buffer, const void *data, size_t size, size_t offset)
{
    if (size == 0)
        return;
    if (offset + size > buffer->size) {
        if (offset > buffer->size)
            sim_buffer_resize(buffer, offset); // the gap is zeros
        buffer->data = grow(buffer->data, &buffer->capacity, offset + size, 1);
        buffer->size = offset + size;
    }
    memcpy(buffer->data + offset, data, size);
}

void sim_buffer_set(struct sim_buffer *buffer, const void *data, size_t size)
{
    buffer->size = 0;
    put(buffer, data, size, 0);
}

static void note(struct sim_file *file, struct sim_change change)
{
    file->changes = grow(file->changes, &file->changes_capacity, file->changes_count + 1,
                         sizeof *file->changes);
    file->changes[file->changes_count++] = change;
}

void sim_file_write(struct sim_file *file, const void *data, size_t size, int64_t offset)
{
    put(&file->now, data, size, (size_t)offset);
    put(&file->changed, data, size, file->changed.size);
    note(file, (struct sim_change){.offset = offset, .size = size});
}

void sim_file_truncate(struct sim_file *file, int64_t size)
{
    if (file->now.size == (size_t)size)
        return;
    sim_buffer_resize(&file->now, (size_t)size);
    note(file, (struct sim_change){.offset = size, .truncates = true});
}

static void forget_changes(struct sim_file *file)
{
    file->changes_count = 0;
    file->changed.size = 0;
}

static void apply(struct sim_buffer *buffer, const struct sim_change *change, const uint8_t *data)
{
    if (change->truncates)
        sim_buffer_resize(buffer, (size_t)change->offset);
    else
        put(buffer, data, change->size, (size_t)change->offset);
}

void sim_file_sync(struct sim_file *file)
{
    const uint8_t *data = file->changed.data;
    for (size_t i = 0; i < file->changes_count; i++) {
        apply(&file->durable, &file->changes[i], data);
        data += file->changes[i].size;
    }
    forget_changes(file);
}

// The sectors the dice choose, each whole; a sector the write covers in part changes in that part.
static void apply_torn(struct sim_buffer *buffer, const struct sim_change *change,
                       const uint8_t *data, uint64_t *random)
{
    size_t at = (size_t)change->offset, end = at + change->size;
    while (at < end) {
        size_t next = (at / SIM_DISK_SECTOR + 1) * SIM_DISK_SECTOR;
        if (next > end)
            next = end;
        if (sim_random(random) & 1)
            put(buffer, data, next - at, at);
        data += next - at;
        at = next;
    }
}

// The length was written, the content not.
static void apply_length(struct sim_buffer *buffer, const struct sim_change *change)
{
    size_t end = (size_t)change->offset + change->size;
    if (end > buffer->size)
        sim_buffer_resize(buffer, end);
}

static void apply_any(struct sim_buffer *buffer, const struct sim_change *change,
                      const uint8_t *data, uint64_t *random)
{
    switch (sim_random(random) % 4) {
    case 0:
        return;
    case 1:
        if (!change->truncates) {
            apply_torn(buffer, change, data, random);
            return;
        }
        break;
    case 2:
        if (!change->truncates && sim_random(random) % 4 == 0) {
            apply_length(buffer, change);
            return;
        }
        break;
    }
    apply(buffer, change, data);
}

// All, none, the first ones with the last of them torn, or any.
static void keep_some(struct sim_file *file, uint64_t *random)
{
    uint64_t way = sim_random(random) % 8;
    size_t first = way == 0 ? file->changes_count : 0;
    if (way == 2 || way == 3)
        first = sim_random(random) % (file->changes_count + 1);
    const uint8_t *data = file->changed.data;
    for (size_t i = 0; i < file->changes_count; i++) {
        const struct sim_change *change = &file->changes[i];
        if (i < first)
            apply(&file->durable, change, data);
        else if (way > 3 || (way == 3 && i == first))
            apply_any(&file->durable, change, data, random);
        data += change->size;
    }
    forget_changes(file);
}

void sim_file_sync_failed(struct sim_file *file, uint64_t *random)
{
    keep_some(file, random);
}

void sim_file_cut(struct sim_file *file, uint64_t *random)
{
    bool stays = file->exists && (file->name_durable || sim_random(random) & 1);
    bool returns = file->removed && sim_random(random) & 1;
    if (!stays && !returns) {
        sim_file_clear(file);
        file->exists = file->removed = false;
        return;
    }
    keep_some(file, random);
    sim_buffer_set(&file->now, file->durable.data, file->durable.size);
    file->exists = file->name_durable = true;
    file->removed = false;
}

void sim_file_clear(struct sim_file *file)
{
    file->now.size = file->durable.size = 0;
    forget_changes(file);
}

static void reserve(struct sim_buffer *buffer, size_t bytes)
{
    buffer->data = grow(buffer->data, &buffer->capacity, bytes, 1);
}

void sim_file_reserve(struct sim_file *file, size_t bytes)
{
    reserve(&file->now, bytes);
    reserve(&file->durable, bytes);
    reserve(&file->changed, bytes);
    file->changes = grow(file->changes, &file->changes_capacity, bytes / SIM_DISK_SECTOR,
                         sizeof *file->changes);
}

void sim_file_free(struct sim_file *file)
{
    free(file->now.data);
    free(file->durable.data);
    free(file->changed.data);
    free(file->changes);
}
