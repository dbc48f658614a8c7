// SPDX-License-Identifier: Apache-2.0
// Simulated disks: SQLite's default VFS over them, faults, crashes, images.
#include "support/sim_disk.h"

#include "support/sim_disk_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_RESERVED   4
#define SLEEP_MICROS_MAX 100                      // of SQLite's waiting for a lock
#define FIXED_TIME_MS    INT64_C(1790000000000)   // without a clock
#define JULIAN_EPOCH_MS  INT64_C(210866760000000) // 1970-01-01 in SQLite's count

// The disks of the process. Changed only while nobody opens files.
static struct sim_disk *disks[SIM_DISKS_MAX];
static const struct clock *clock_given;
static uint64_t sqlite_random;
static sqlite3_vfs *real, vfs;

static _Noreturn void misuse(const char *what)
{
    fprintf(stderr, "sim_disk: %s\n", what);
    abort();
}

const char *sim_disk_operation_name(enum sim_disk_operation operation)
{
    static const char *const names[] = {
        [SIM_DISK_OPEN] = "open",     [SIM_DISK_READ] = "read",         [SIM_DISK_WRITE] = "write",
        [SIM_DISK_SYNC] = "sync",     [SIM_DISK_TRUNCATE] = "truncate", [SIM_DISK_SIZE] = "size",
        [SIM_DISK_DELETE] = "delete", [SIM_DISK_ACCESS] = "access",     [SIM_DISK_LOCK] = "lock",
        [SIM_DISK_MAP] = "map",       [SIM_DISK_OPERATIONS] = "any"};
    return names[operation];
}

// ---- the fate of one operation

bool sim_dead(const struct sim_handle *handle)
{
    return handle->generation != handle->disk->generation;
}

static bool fires(struct sim_disk *disk, enum sim_disk_operation operation)
{
    if (!disk->fault_set || (disk->fault.operations & 1u << operation) == 0)
        return false;
    disk->matched++;
    bool now =
        disk->fault.stays ? disk->matched >= disk->fault.at : disk->matched == disk->fault.at;
    disk->fired += now;
    return now;
}

int sim_begin(bool *ret_partly, struct sim_disk *disk, enum sim_disk_operation operation)
{
    *ret_partly = false;
    pthread_mutex_lock(&disk->lock);
    if (disk->aside)
        return SQLITE_OK;
    disk->counts[operation]++;
    int64_t total = ++disk->total;
    if (disk->hook != NULL) {
        sim_disk_hook *hook = disk->hook;
        void *context = disk->hook_context;
        pthread_mutex_unlock(&disk->lock);
        hook(context, disk, operation, total);
        pthread_mutex_lock(&disk->lock);
    }
    if (!fires(disk, operation))
        return SQLITE_OK;
    *ret_partly = disk->fault.partly;
    return disk->fault.result;
}

int sim_begin_on(bool *ret_partly, struct sim_handle *handle, enum sim_disk_operation operation,
                 int dead)
{
    int result = sim_begin(ret_partly, handle->disk, operation);
    if (!sim_dead(handle) && handle->slot->file.exists)
        return result;
    *ret_partly = false;
    return dead;
}

void sim_end(struct sim_disk *disk)
{
    pthread_mutex_unlock(&disk->lock);
}

// ---- names

static struct sim_disk *disk_of(const char *name)
{
    for (size_t i = 0; name != NULL && i < SIM_DISKS_MAX; i++)
        if (disks[i] != NULL && strncmp(name, disks[i]->prefix, strlen(disks[i]->prefix)) == 0)
            return disks[i];
    return NULL;
}

static struct sim_slot *slot_find(struct sim_disk *disk, const char *name)
{
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++) {
        struct sim_file *file = &disk->slots[i].file;
        if ((file->exists || file->removed) && strcmp(file->name, name) == 0)
            return &disk->slots[i];
    }
    return NULL;
}

static struct sim_slot *slot_new(struct sim_disk *disk, const char *name)
{
    struct sim_slot *slot = slot_find(disk, name);
    for (size_t i = 0; slot == NULL && i < SIM_DISK_FILES_MAX; i++)
        if (!disk->slots[i].file.exists && !disk->slots[i].file.removed)
            slot = &disk->slots[i];
    if (slot == NULL || strlen(name) >= SIM_NAME_SIZE)
        misuse("too many files, or too long a name");
    sim_file_clear(&slot->file);
    snprintf(slot->file.name, sizeof slot->file.name, "%s", name);
    slot->file.exists = true;
    slot->file.removed = slot->file.name_durable = false;
    slot->sharing = 0;
    slot->reserved = slot->pending = slot->exclusive = false;
    return slot;
}

static int open_slot(struct sim_slot **ret_slot, struct sim_disk *disk, const char *name, int flags)
{
    struct sim_slot *slot = slot_find(disk, name);
    bool exists = slot != NULL && slot->file.exists;
    if (!exists && (flags & SQLITE_OPEN_CREATE) == 0)
        return SQLITE_CANTOPEN;
    if (exists && (flags & SQLITE_OPEN_EXCLUSIVE) != 0)
        return SQLITE_CANTOPEN;
    *ret_slot = exists ? slot : slot_new(disk, name);
    return SQLITE_OK;
}

// ---- the VFS

static int vfs_open(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *base, int flags,
                    int *ret_flags)
{
    (void)self;
    struct sim_disk *disk = disk_of(name);
    if (disk == NULL)
        return real->xOpen(real, name, base, flags, ret_flags);
    struct sim_handle *handle = (struct sim_handle *)base;
    memset(handle, 0, sizeof *handle);
    bool partly;
    int result = sim_begin(&partly, disk, SIM_DISK_OPEN);
    if (disk->off)
        result = SQLITE_CANTOPEN;
    if (result == SQLITE_OK)
        result = open_slot(&handle->slot, disk, name, flags);
    if (result == SQLITE_OK) {
        handle->base.pMethods = &sim_methods;
        handle->disk = disk;
        handle->generation = disk->generation;
        handle->deletes = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
        // SQLite on Unix looks at what it asked for, not at whether the file was new.
        handle->syncs_name =
            (flags & SQLITE_OPEN_CREATE) != 0 &&
            (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0;
        if (ret_flags != NULL)
            *ret_flags = flags;
    }
    sim_end(disk);
    return result;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int durably)
{
    (void)self;
    struct sim_disk *disk = disk_of(name);
    if (disk == NULL)
        return real->xDelete(real, name, durably);
    bool partly;
    int result = sim_begin(&partly, disk, SIM_DISK_DELETE);
    struct sim_slot *slot = slot_find(disk, name);
    if (disk->off)
        result = SQLITE_IOERR_DELETE;
    if (result == SQLITE_OK && (slot == NULL || !slot->file.exists))
        result = SQLITE_IOERR_DELETE_NOENT;
    if (result == SQLITE_OK) {
        slot->file.exists = false;
        slot->file.removed = !durably && slot->file.name_durable;
    }
    sim_end(disk);
    return result;
}

// A file of no length does not exist to SQLite, as on Unix.
static int vfs_access(sqlite3_vfs *self, const char *name, int flags, int *ret_there)
{
    (void)self;
    struct sim_disk *disk = disk_of(name);
    if (disk == NULL)
        return real->xAccess(real, name, flags, ret_there);
    bool partly;
    int result = sim_begin(&partly, disk, SIM_DISK_ACCESS);
    if (disk->off)
        result = SQLITE_IOERR_ACCESS;
    const struct sim_slot *slot = slot_find(disk, name);
    *ret_there = slot != NULL && slot->file.exists &&
                 (flags != SQLITE_ACCESS_EXISTS || slot->file.now.size > 0);
    sim_end(disk);
    return result;
}

static int vfs_full_pathname(sqlite3_vfs *self, const char *name, int size, char *out)
{
    (void)self;
    if (disk_of(name) == NULL)
        return real->xFullPathname(real, name, size, out);
    int length = snprintf(out, (size_t)size, "%s", name);
    return length < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *self, int size, char *out)
{
    (void)self;
    for (int i = 0; i < size; i++)
        out[i] = (char)sim_random(&sqlite_random);
    return size;
}

static int vfs_sleep(sqlite3_vfs *self, int micros)
{
    (void)self;
    usleep(SLEEP_MICROS_MAX);
    return micros;
}

static int vfs_time(sqlite3_vfs *self, sqlite3_int64 *ret_julian_ms)
{
    (void)self;
    int64_t now_ms = clock_given == NULL ? FIXED_TIME_MS : clock_wall_ms(clock_given);
    *ret_julian_ms = JULIAN_EPOCH_MS + now_ms;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *self, int size, char *out)
{
    (void)self;
    (void)size;
    (void)out;
    return 0;
}

static void install(void)
{
    if (real != NULL)
        return;
    (void)sqlite3_initialize();
    real = sqlite3_vfs_find(NULL);
    if (real == NULL)
        misuse("SQLite has no VFS");
    int size = (int)sizeof(struct sim_handle);
    vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = size > real->szOsFile ? size : real->szOsFile,
        .mxPathname = real->mxPathname,
        .zName = "sim_disk",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time,
    };
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        misuse("SQLite refuses the VFS");
}

// ---- disks

struct sim_disk *sim_disk_new(const char *prefix)
{
    install();
    struct sim_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL || strlen(prefix) >= sizeof disk->prefix)
        misuse("out of memory, or too long a prefix");
    snprintf(disk->prefix, sizeof disk->prefix, "%s", prefix);
    pthread_mutex_init(&disk->lock, NULL);
    for (size_t i = 0; i < SIM_DISKS_MAX; i++) {
        if (disks[i] == NULL) {
            disks[i] = disk;
            return disk;
        }
    }
    misuse("too many disks");
}

void sim_disk_free(struct sim_disk *disk)
{
    if (disk == NULL)
        return;
    for (size_t i = 0; i < SIM_DISKS_MAX; i++)
        if (disks[i] == disk)
            disks[i] = NULL;
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++)
        sim_file_free(&disk->slots[i].file);
    pthread_mutex_destroy(&disk->lock);
    free(disk);
}

// All handles are dead, and with them their locks and their shared memory.
static void kill_handles(struct sim_disk *disk)
{
    disk->generation++;
    disk->off = true;
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++) {
        struct sim_slot *slot = &disk->slots[i];
        slot->shm = NULL; // its last handle frees it
        slot->sharing = 0;
        slot->reserved = slot->pending = slot->exclusive = false;
    }
}

void sim_disk_crash(struct sim_disk *disk, uint64_t seed)
{
    pthread_mutex_lock(&disk->lock);
    kill_handles(disk);
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++)
        if (disk->slots[i].file.exists || disk->slots[i].file.removed)
            sim_file_cut(&disk->slots[i].file, &seed);
    pthread_mutex_unlock(&disk->lock);
}

void sim_disk_kill(struct sim_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    kill_handles(disk);
    pthread_mutex_unlock(&disk->lock);
}

void sim_disk_start(struct sim_disk *disk)
{
    pthread_mutex_lock(&disk->lock);
    disk->off = false;
    pthread_mutex_unlock(&disk->lock);
}

bool sim_disk_is_off(const struct sim_disk *disk)
{
    return disk->off;
}

void sim_disk_reserve(struct sim_disk *disk, size_t bytes)
{
    pthread_mutex_lock(&disk->lock);
    for (size_t i = 0; i < FILES_RESERVED; i++)
        sim_file_reserve(&disk->slots[i].file, bytes);
    pthread_mutex_unlock(&disk->lock);
}

void sim_disk_set_clock(const struct clock *clock)
{
    clock_given = clock;
}

int64_t sim_disk_count(const struct sim_disk *disk, enum sim_disk_operation operation)
{
    return disk->counts[operation];
}

int64_t sim_disk_count_all(const struct sim_disk *disk)
{
    return disk->total;
}

void sim_disk_set_hook(struct sim_disk *disk, sim_disk_hook *hook, void *context)
{
    pthread_mutex_lock(&disk->lock);
    disk->hook = hook;
    disk->hook_context = context;
    pthread_mutex_unlock(&disk->lock);
}

void sim_disk_set_fault(struct sim_disk *disk, const struct sim_disk_fault *fault)
{
    pthread_mutex_lock(&disk->lock);
    disk->fault_set = fault != NULL;
    if (fault != NULL)
        disk->fault = *fault;
    disk->matched = disk->fired = 0;
    pthread_mutex_unlock(&disk->lock);
}

void sim_disk_set_aside(struct sim_disk *disk, bool aside)
{
    pthread_mutex_lock(&disk->lock);
    disk->aside = aside;
    pthread_mutex_unlock(&disk->lock);
}

int64_t sim_disk_fired(const struct sim_disk *disk)
{
    return disk->fired;
}

// ---- images

struct image_file {
    char name[SIM_NAME_SIZE];
    struct sim_buffer content;
};

struct sim_disk_image {
    size_t count;
    struct image_file files[SIM_DISK_FILES_MAX];
};

struct sim_disk_image *sim_disk_image(struct sim_disk *disk)
{
    struct sim_disk_image *image = calloc(1, sizeof *image);
    if (image == NULL)
        misuse("out of memory");
    pthread_mutex_lock(&disk->lock);
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++) {
        const struct sim_file *file = &disk->slots[i].file;
        if (!file->exists)
            continue;
        struct image_file *copy = &image->files[image->count++];
        memcpy(copy->name, file->name, sizeof copy->name);
        sim_buffer_set(&copy->content, file->now.data, file->now.size);
    }
    pthread_mutex_unlock(&disk->lock);
    return image;
}

void sim_disk_image_free(struct sim_disk_image *image)
{
    if (image == NULL)
        return;
    for (size_t i = 0; i < image->count; i++)
        free(image->files[i].content.data);
    free(image);
}

static void restore_files(struct sim_disk *disk, const struct sim_disk_image *image)
{
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++)
        disk->slots[i].file.exists = disk->slots[i].file.removed = false;
    for (size_t i = 0; i < image->count; i++) {
        const struct sim_buffer *content = &image->files[i].content;
        struct sim_file *file = &slot_new(disk, image->files[i].name)->file;
        sim_buffer_set(&file->now, content->data, content->size);
        sim_buffer_set(&file->durable, content->data, content->size);
        file->name_durable = true;
    }
}

void sim_disk_restore(struct sim_disk *disk, const struct sim_disk_image *image, uint64_t seed,
                      bool seed_sqlite)
{
    pthread_mutex_lock(&disk->lock);
    kill_handles(disk);
    restore_files(disk, image);
    disk->off = false;
    disk->random = seed;
    pthread_mutex_unlock(&disk->lock);
    if (!seed_sqlite)
        return;
    sqlite_random = seed;
    sqlite3_randomness(0, NULL); // forget: the next one asks xRandomness
}
