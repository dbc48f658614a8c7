// SPDX-License-Identifier: Apache-2.0
// What SQLite does with an open file of a simulated disk: content, locks, shared memory.
#include "support/sim_disk_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR_SIZE 4096 // what SQLite's own Unix layer tells

static struct sim_handle *handle_of(sqlite3_file *file)
{
    return (struct sim_handle *)file;
}

// ---- content

static int method_read(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    struct sim_handle *handle = handle_of(base);
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_READ, SQLITE_IOERR_READ);
    if (result == SQLITE_OK || partly) {
        const struct sim_buffer *now = &handle->slot->file.now;
        size_t want = partly ? (size_t)size / 2 : (size_t)size;
        size_t there = (size_t)offset < now->size ? now->size - (size_t)offset : 0;
        size_t got = there < want ? there : want;
        if (got > 0)
            memcpy(out, now->data + offset, got);
        memset((uint8_t *)out + got, 0, (size_t)size - got);
        if (result == SQLITE_OK && got < (size_t)size)
            result = SQLITE_IOERR_SHORT_READ;
    }
    sim_end(handle->disk);
    return result;
}

static int method_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
    struct sim_handle *handle = handle_of(base);
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_WRITE, SQLITE_IOERR_WRITE);
    if (result == SQLITE_OK)
        sim_file_write(&handle->slot->file, data, (size_t)size, offset);
    else if (partly)
        sim_file_write(&handle->slot->file, data, (size_t)size / 2, offset);
    sim_end(handle->disk);
    return result;
}

static int method_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct sim_handle *handle = handle_of(base);
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE);
    if (result == SQLITE_OK)
        sim_file_truncate(&handle->slot->file, size);
    sim_end(handle->disk);
    return result;
}

static void sync_names(struct sim_disk *disk)
{
    for (size_t i = 0; i < SIM_DISK_FILES_MAX; i++) {
        struct sim_file *file = &disk->slots[i].file;
        file->name_durable = file->exists;
        if (file->removed)
            sim_file_clear(file);
        file->removed = false;
    }
}

static int method_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    struct sim_handle *handle = handle_of(base);
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_SYNC, SQLITE_IOERR_FSYNC);
    if (result == SQLITE_OK) {
        sim_file_sync(&handle->slot->file);
        if (handle->syncs_name)
            sync_names(handle->disk);
        handle->syncs_name = false;
    } else if (!sim_dead(handle)) {
        sim_file_sync_failed(&handle->slot->file, &handle->disk->random);
    }
    sim_end(handle->disk);
    return result;
}

static int method_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    struct sim_handle *handle = handle_of(base);
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_SIZE, SQLITE_IOERR_FSTAT);
    if (result == SQLITE_OK)
        *ret_size = (sqlite3_int64)handle->slot->file.now.size;
    sim_end(handle->disk);
    return result;
}

// ---- locks of the file

static void drop_to(struct sim_handle *handle, int level)
{
    struct sim_slot *slot = handle->slot;
    if (handle->level >= SQLITE_LOCK_RESERVED && level < SQLITE_LOCK_RESERVED)
        slot->reserved = false;
    if (handle->level >= SQLITE_LOCK_PENDING && level < SQLITE_LOCK_PENDING)
        slot->pending = slot->exclusive = false;
    if (handle->level >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED)
        slot->sharing--;
    handle->level = level;
}

static int raise_to(struct sim_handle *handle, int level)
{
    struct sim_slot *slot = handle->slot;
    if (handle->level < SQLITE_LOCK_SHARED) {
        if (slot->pending || slot->exclusive)
            return SQLITE_BUSY;
        slot->sharing++;
        handle->level = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED && handle->level < SQLITE_LOCK_RESERVED) {
        if (slot->reserved)
            return SQLITE_BUSY;
        slot->reserved = true;
        handle->level = SQLITE_LOCK_RESERVED;
    }
    if (level < SQLITE_LOCK_EXCLUSIVE)
        return SQLITE_OK;
    slot->pending = true;
    handle->level = SQLITE_LOCK_PENDING;
    if (slot->sharing > 1)
        return SQLITE_BUSY;
    slot->exclusive = true;
    handle->level = SQLITE_LOCK_EXCLUSIVE;
    return SQLITE_OK;
}

static int method_lock(sqlite3_file *base, int level)
{
    struct sim_handle *handle = handle_of(base);
    if (handle->level >= level)
        return SQLITE_OK;
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_LOCK, SQLITE_IOERR_LOCK);
    if (result == SQLITE_OK)
        result = raise_to(handle, level);
    sim_end(handle->disk);
    return result;
}

static int method_unlock(sqlite3_file *base, int level)
{
    struct sim_handle *handle = handle_of(base);
    pthread_mutex_lock(&handle->disk->lock);
    if (sim_dead(handle))
        handle->level = level;
    else if (handle->level > level)
        drop_to(handle, level);
    sim_end(handle->disk);
    return SQLITE_OK;
}

static int method_check_reserved(sqlite3_file *base, int *ret_reserved)
{
    struct sim_handle *handle = handle_of(base);
    pthread_mutex_lock(&handle->disk->lock);
    int result = sim_dead(handle) ? SQLITE_IOERR_CHECKRESERVEDLOCK : SQLITE_OK;
    *ret_reserved = handle->slot->reserved;
    sim_end(handle->disk);
    return result;
}

// ---- shared memory

// NULL: no memory.
static struct sim_shm *shm_join(struct sim_handle *handle)
{
    if (handle->shm == NULL) {
        struct sim_slot *slot = handle->slot;
        if (slot->shm == NULL)
            slot->shm = calloc(1, sizeof *slot->shm);
        if (slot->shm == NULL)
            return NULL;
        slot->shm->handles++;
        handle->shm = slot->shm;
    }
    return handle->shm;
}

static int shm_region(volatile void **ret_region, struct sim_shm *shm, int region, int size,
                      bool extend)
{
    if (shm == NULL)
        return SQLITE_NOMEM;
    if (region >= SHM_REGIONS_MAX)
        return SQLITE_IOERR_SHMSIZE;
    while (extend && shm->regions_count <= region) {
        void *memory = calloc(1, (size_t)size);
        if (memory == NULL)
            return SQLITE_NOMEM;
        shm->regions[shm->regions_count++] = memory;
    }
    *ret_region = region < shm->regions_count ? shm->regions[region] : NULL;
    return SQLITE_OK;
}

static int method_shm_map(sqlite3_file *base, int region, int size, int extend,
                          void volatile **ret_region)
{
    struct sim_handle *handle = handle_of(base);
    bool partly;
    *ret_region = NULL;
    int result = sim_begin_on(&partly, handle, SIM_DISK_MAP, SQLITE_IOERR_SHMMAP);
    if (result == SQLITE_OK)
        result = shm_region(ret_region, shm_join(handle), region, size, extend != 0);
    sim_end(handle->disk);
    return result;
}

static void shm_unlock(struct sim_handle *handle, uint16_t bits)
{
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        uint16_t bit = (uint16_t)(1u << i);
        if ((bits & bit) == 0)
            continue;
        if (handle->shm_exclusive & bit)
            handle->shm->exclusive[i] = false;
        if (handle->shm_shared & bit)
            handle->shm->shared[i]--;
    }
    handle->shm_exclusive &= (uint16_t)~bits;
    handle->shm_shared &= (uint16_t)~bits;
}

static bool shm_is_free(const struct sim_handle *handle, uint16_t bits, bool exclusive)
{
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        uint16_t bit = (uint16_t)(1u << i);
        if ((bits & bit) == 0)
            continue;
        int own = (handle->shm_shared & bit) != 0;
        if (handle->shm->exclusive[i] && !(handle->shm_exclusive & bit))
            return false;
        if (exclusive && handle->shm->shared[i] > own)
            return false;
    }
    return true;
}

static int shm_lock(struct sim_handle *handle, uint16_t bits, bool exclusive)
{
    if (!shm_is_free(handle, bits, exclusive))
        return SQLITE_BUSY;
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++) {
        uint16_t bit = (uint16_t)(1u << i);
        if ((bits & bit) == 0)
            continue;
        if (exclusive)
            handle->shm->exclusive[i] = true;
        else if ((handle->shm_shared & bit) == 0)
            handle->shm->shared[i]++;
    }
    if (exclusive)
        handle->shm_exclusive |= bits;
    else
        handle->shm_shared |= bits;
    return SQLITE_OK;
}

static int method_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    struct sim_handle *handle = handle_of(base);
    uint16_t bits = (uint16_t)(((1u << count) - 1) << offset);
    if (flags & SQLITE_SHM_UNLOCK) {
        pthread_mutex_lock(&handle->disk->lock);
        if (handle->shm != NULL)
            shm_unlock(handle, bits);
        sim_end(handle->disk);
        return SQLITE_OK;
    }
    bool partly;
    int result = sim_begin_on(&partly, handle, SIM_DISK_LOCK, SQLITE_IOERR_SHMLOCK);
    if (result == SQLITE_OK && shm_join(handle) == NULL)
        result = SQLITE_NOMEM;
    if (result == SQLITE_OK)
        result = shm_lock(handle, bits, (flags & SQLITE_SHM_EXCLUSIVE) != 0);
    sim_end(handle->disk);
    return result;
}

static void method_shm_barrier(sqlite3_file *base)
{
    (void)base;
    __sync_synchronize();
}

static void shm_leave(struct sim_handle *handle)
{
    struct sim_shm *shm = handle->shm;
    if (shm == NULL)
        return;
    shm_unlock(handle, UINT16_MAX);
    handle->shm = NULL;
    if (--shm->handles > 0)
        return;
    if (handle->slot->shm == shm)
        handle->slot->shm = NULL;
    for (int i = 0; i < shm->regions_count; i++)
        free(shm->regions[i]);
    free(shm);
}

static int method_shm_unmap(sqlite3_file *base, int deletes)
{
    (void)deletes; // the last handle empties it in any case, as a new process would
    struct sim_handle *handle = handle_of(base);
    pthread_mutex_lock(&handle->disk->lock);
    shm_leave(handle);
    sim_end(handle->disk);
    return SQLITE_OK;
}

// ---- the rest

static int method_close(sqlite3_file *base)
{
    struct sim_handle *handle = handle_of(base);
    pthread_mutex_lock(&handle->disk->lock);
    shm_leave(handle);
    if (!sim_dead(handle)) {
        drop_to(handle, SQLITE_LOCK_NONE);
        if (handle->deletes)
            handle->slot->file.exists = false;
    }
    sim_end(handle->disk);
    return SQLITE_OK;
}

static int method_file_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int method_sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR_SIZE;
}

// A torn write leaves the bytes around it alone: what SQLite's Unix layer assumes too.
static int method_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

const sqlite3_io_methods sim_methods = {
    .iVersion = 2,
    .xClose = method_close,
    .xRead = method_read,
    .xWrite = method_write,
    .xTruncate = method_truncate,
    .xSync = method_sync,
    .xFileSize = method_size,
    .xLock = method_lock,
    .xUnlock = method_unlock,
    .xCheckReservedLock = method_check_reserved,
    .xFileControl = method_file_control,
    .xSectorSize = method_sector_size,
    .xDeviceCharacteristics = method_characteristics,
    .xShmMap = method_shm_map,
    .xShmLock = method_shm_lock,
    .xShmBarrier = method_shm_barrier,
    .xShmUnmap = method_shm_unmap,
};
