// SPDX-License-Identifier: Apache-2.0
// Inside sim_disk only: one file's content, what of it is durable, and what is not yet.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_NAME_SIZE 256

struct sim_buffer {
    uint8_t *data;
    size_t size, capacity;
};

// A write, or a truncation to `offset`.
struct sim_change {
    int64_t offset;
    size_t size;
    bool truncates;
};

struct sim_file {
    char name[SIM_NAME_SIZE];
    bool exists;       // a name that was never used, or was removed: free for another
    bool name_durable; // survives a power cut
    bool removed;      // removed, but not durably: a power cut may bring it back
    struct sim_buffer now, durable;
    struct sim_change *changes; // since the last sync, oldest first
    size_t changes_count, changes_capacity;
    struct sim_buffer changed; // the bytes of all changes, one after the other
};

// SplitMix64.
uint64_t sim_random(uint64_t *state);

void sim_buffer_resize(struct sim_buffer *buffer, size_t size); // new bytes are zero
void sim_buffer_set(struct sim_buffer *buffer, const void *data, size_t size);

void sim_file_write(struct sim_file *file, const void *data, size_t size, int64_t offset);
void sim_file_truncate(struct sim_file *file, int64_t size);
void sim_file_sync(struct sim_file *file);
// The sync failed: any part of what it was for has reached the disk, the rest never will.
void sim_file_sync_failed(struct sim_file *file, uint64_t *random);
// After a power cut.
void sim_file_cut(struct sim_file *file, uint64_t *random);
// Empty, and durable as that.
void sim_file_clear(struct sim_file *file);
void sim_file_reserve(struct sim_file *file, size_t bytes);
void sim_file_free(struct sim_file *file);
