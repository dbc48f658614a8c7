// SPDX-License-Identifier: Apache-2.0
// Inside sim_disk only: the disk, its handles, its shared memory.
#pragma once

#include "support/sim_disk.h"
#include "support/sim_disk_file.h"

#include <pthread.h>
#include <sqlite3.h>

#define SHM_REGIONS_MAX 64

// Shared memory of one file's connections. A crash leaves it to the dead handles that map it.
struct sim_shm {
    int handles;
    void *regions[SHM_REGIONS_MAX];
    int regions_count, region_size;
    int shared[SQLITE_SHM_NLOCK];
    bool exclusive[SQLITE_SHM_NLOCK];
};

struct sim_slot {
    struct sim_file file;
    struct sim_shm *shm;
    int sharing;   // handles at SHARED or above
    bool reserved; // by one handle at RESERVED or above
    bool pending;  // no new reader may come
    bool exclusive;
};

struct sim_disk {
    char prefix[SIM_NAME_SIZE];
    pthread_mutex_t lock; // of everything below
    struct sim_slot slots[SIM_DISK_FILES_MAX];
    bool aside;          // nothing is counted or failed
    bool off;            // nothing can be opened
    uint64_t generation; // a handle of an older one is dead
    uint64_t random;
    int64_t counts[SIM_DISK_OPERATIONS], total;
    sim_disk_hook *hook;
    void *hook_context;
    bool fault_set;
    struct sim_disk_fault fault;
    int64_t matched, fired;
};

struct sim_handle {
    sqlite3_file base; // first: SQLite's view
    struct sim_disk *disk;
    struct sim_slot *slot;
    uint64_t generation;
    int level; // SQLITE_LOCK_*
    bool syncs_name;
    bool deletes;
    struct sim_shm *shm;
    uint16_t shm_shared, shm_exclusive; // bits of the locks held
};

extern const sqlite3_io_methods sim_methods;

// Counts the operation, lets the hook see it, and decides its fate. SQLITE_OK: do it. Else do
// nothing, or with *ret_partly the first half, and answer that. Takes the disk's lock, whatever it
// answers.
int sim_begin(bool *ret_partly, struct sim_disk *disk, enum sim_disk_operation operation);
// The same for an operation on a handle, which may be dead; `dead` is the answer then.
int sim_begin_on(bool *ret_partly, struct sim_handle *handle, enum sim_disk_operation operation,
                 int dead);
void sim_end(struct sim_disk *disk);
bool sim_dead(const struct sim_handle *handle);
