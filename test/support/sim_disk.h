// SPDX-License-Identifier: Apache-2.0
// A disk in memory under SQLite, whose power can be cut, whose operations can be made to fail, and
// which can be copied: src/db runs on it unchanged.
//
//   struct sim_disk *disk = sim_disk_new("/tmp/some-directory/");  // SQLite's default from here on
//   ... store_migrate, store_open on "/tmp/some-directory/store.db" ...
//   sim_disk_crash(disk, seed);     // every open handle is dead, and nothing can be opened
//   ... close the store ...
//   sim_disk_start(disk);           // the machine is back: open the store again
//
// Paths that begin with a disk's prefix live on it; every other path goes to the real file system.
// src/db also looks at the real file system: where it opens without creating, a file must stand at
// the path. It makes an empty one where it creates; so migrate once, or make the file.
//
// What a disk promises is what POSIX does, and no more: written content is durable after xSync of
// that file, a new name after xSync of a new journal or log in that directory (as SQLite does it on
// Unix), a removed name after xDelete with its flag. A power cut keeps any part of the rest: whole
// writes or none, some torn at 512-byte sectors, lengths without their content. After a failed sync
// the writes it was for are gone from the disk for good although reads still see them: a second
// sync answers OK and brings nothing back.
//
// Deterministic: no time and no randomness but what the caller gives. Handles, locks and shared
// memory work for several connections in one or several threads of one process.
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_disk;

#define SIM_DISKS_MAX      16 // at one time in one process
#define SIM_DISK_FILES_MAX 16 // names on one disk
#define SIM_DISK_SECTOR    512

enum sim_disk_operation {
    SIM_DISK_OPEN,
    SIM_DISK_READ,
    SIM_DISK_WRITE,
    SIM_DISK_SYNC,
    SIM_DISK_TRUNCATE,
    SIM_DISK_SIZE,
    SIM_DISK_DELETE,
    SIM_DISK_ACCESS,
    SIM_DISK_LOCK, // of the file and of the shared memory; unlocking never fails
    SIM_DISK_MAP,  // of the shared memory
    SIM_DISK_OPERATIONS,
};

const char *sim_disk_operation_name(enum sim_disk_operation operation);

// An empty disk. Installs the VFS as SQLite's default on first use. Aborts on no memory, here and
// everywhere below.
struct sim_disk *sim_disk_new(const char *prefix);
// Takes NULL. No SQLite connection may be open on it.
void sim_disk_free(struct sim_disk *disk);

// The power goes: synced content stays, the rest is kept or lost as the seed says. Every open
// handle answers SQLITE_IOERR from here on, and can only be closed; nothing can be opened.
void sim_disk_crash(struct sim_disk *disk, uint64_t seed);
// The process dies: the system keeps all that was written, synced or not; handles as above.
void sim_disk_kill(struct sim_disk *disk);
// The next process begins: files can be opened again.
void sim_disk_start(struct sim_disk *disk);
bool sim_disk_is_off(const struct sim_disk *disk);

// A copy of everything on the disk, to start others from. What is not synced counts as synced.
struct sim_disk_image;
struct sim_disk_image *sim_disk_image(struct sim_disk *disk);
void sim_disk_image_free(struct sim_disk_image *image);
// The disk now holds the image and nothing else, and is on; older handles are dead. Seeds the
// choices of failed syncs and, where `seed_sqlite`, SQLite's own random numbers: they are the
// process's.
void sim_disk_restore(struct sim_disk *disk, const struct sim_disk_image *image, uint64_t seed,
                      bool seed_sqlite);

// Memory for so many bytes in each of the first files, so that nothing has to be allocated while
// allocations are made to fail.
void sim_disk_reserve(struct sim_disk *disk, size_t bytes);

// SQLite's own time and time in locks. NULL: a fixed time.
void sim_disk_set_clock(const struct clock *clock);

// How many operations of a kind were asked for since sim_disk_new, failed ones included.
int64_t sim_disk_count(const struct sim_disk *disk, enum sim_disk_operation operation);
int64_t sim_disk_count_all(const struct sim_disk *disk);

// Called before each operation, in its thread, no lock held: may crash the disk or kill the
// process. `total` counts this operation already. NULL: none.
typedef void sim_disk_hook(void *context, struct sim_disk *disk, enum sim_disk_operation operation,
                           int64_t total);
void sim_disk_set_hook(struct sim_disk *disk, sim_disk_hook *hook, void *context);

// The `at`-th operation (from 1, counted from now) of the kinds in the mask fails with the SQLite
// result code, and all later ones too where it stays. `partly`: a write or read has done its first
// half first; a short read that answers SQLITE_IOERR_SHORT_READ fills with zeros, as SQLite wants
// it, so that the reader takes the zeros for content.
struct sim_disk_fault {
    unsigned operations; // bits 1u << enum sim_disk_operation
    int64_t at;
    bool stays;
    bool partly;
    int result; // SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_BUSY, ...
};
// NULL: no fault. Starts the count of fired faults anew.
void sim_disk_set_fault(struct sim_disk *disk, const struct sim_disk_fault *fault);
// A test looks for itself: operations are not counted, shown to the hook, or failed until it ends.
void sim_disk_set_aside(struct sim_disk *disk, bool aside);
int64_t sim_disk_fired(const struct sim_disk *disk);
