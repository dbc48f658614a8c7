// SPDX-License-Identifier: Apache-2.0
// Opens and closes the store and hands out read snapshots.
#include "store/store.h"

#include "db/migrate.h"
#include "store/engine.h"
#include "store/metrics.h"

#include <stdlib.h>
#include <string.h>

enum status store_connect(struct db **ret_db, const struct store *store, enum db_mode mode,
                          int cache_kib)
{
    struct db_options options = {
        .target = store->path, .mode = mode, .busy_ms_max = BUSY_MS_MAX, .cache_kib = cache_kib};
    return db_open(ret_db, &db_sqlite, &options);
}

static enum status check_schema(struct db *db)
{
    int64_t version;
    enum status status = db_begin_read(db);
    if (status != STATUS_OK)
        return status;
    status = db_schema_version(db, &version);
    db_rollback(db);
    if (status == STATUS_OK && version != db_schema_latest())
        status = STATUS_CONFLICT;
    return status;
}

// A process whose flush failed has ended; the system may still show what it wrote to the log,
// and never write it to the disk. So nothing is ever added to a log that was found: its content
// goes into the main file, where it is written and flushed anew, and the log begins at its start.
// Where another process is at work the log is its, and none that failed.
static enum status empty_log(struct db *db)
{
    int64_t left;
    enum status status = db_checkpoint(db, &left, true);
    return status == STATUS_BUSY ? STATUS_OK : status;
}

static enum status open_writer(struct store *store)
{
    enum status status = store_connect(&store->tx.db, store, DB_WRITE, WRITER_CACHE_KIB);
    if (status == STATUS_OK)
        status = check_schema(store->tx.db);
    if (status == STATUS_OK)
        status = empty_log(store->tx.db);
    if (status == STATUS_OK && !store->options.in_caller)
        status = group_commit_start(store);
    return status;
}

static enum status check_reader(struct store *store)
{
    struct store_tx *tx;
    enum status status = store_read(&tx, store);
    if (status != STATUS_OK)
        return status;
    db_rollback(tx->db);
    status = check_schema(tx->db);
    store_read_end(tx);
    return status;
}

static struct store *store_new(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    store->options = *options;
    store->path = strdup(options->path);
    if (store->path == NULL) {
        free(store);
        return NULL;
    }
    store->options.path = store->path;
    store->tx.options = &store->options;
    store->tx.cache = &store->cache;
    store->cache.data_version = -1;
    store->checkpoint_at = CHECKPOINT_LOG_PAGES;
    atomic_init(&store->healthy, true);
    pthread_mutex_init(&store->caller_lock, NULL);
    pthread_mutex_init(&store->lock, NULL);
    pthread_mutex_init(&store->readers_lock, NULL);
    pthread_cond_init(&store->work_waits, NULL);
    pthread_cond_init(&store->writer_idle, NULL);
    pthread_cond_init(&store->checkpoint_waits, NULL);
    pthread_cond_init(&store->reader_free, NULL);
    return store;
}

static void store_destroy(struct store *store)
{
    for (size_t i = 0; i < STORE_READERS_MAX; i++)
        db_close(store->readers[i].tx.db);
    db_close(store->tx.db);
    pthread_mutex_destroy(&store->caller_lock);
    pthread_mutex_destroy(&store->lock);
    pthread_mutex_destroy(&store->readers_lock);
    pthread_cond_destroy(&store->work_waits);
    pthread_cond_destroy(&store->writer_idle);
    pthread_cond_destroy(&store->checkpoint_waits);
    pthread_cond_destroy(&store->reader_free);
    free(store->path);
    free(store);
}

enum status store_open(struct store **ret_store, const struct store_options *options)
{
    store_metrics_register();
    struct store *store = store_new(options);
    if (store == NULL)
        return STATUS_NO_MEMORY;
    enum status status = options->read_only ? check_reader(store) : open_writer(store);
    if (status != STATUS_OK) {
        store_destroy(store);
        return status;
    }
    *ret_store = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    int64_t left;
    group_commit_stop(store);
    for (size_t i = 0; i < STORE_READERS_MAX; i++) {
        db_close(store->readers[i].tx.db);
        store->readers[i].tx.db = NULL;
    }
    // Best effort: another process may hold the log, and the next open reads it just as well.
    if (store->tx.db != NULL && store_is_healthy(store))
        (void)(db_checkpoint(store->tx.db, &left, true) == STATUS_OK);
    store_destroy(store);
}

enum status store_migrate(int *ret_applied, const struct store_options *options)
{
    struct db_options db_options = {.target = options->path,
                                    .mode = DB_CREATE,
                                    .busy_ms_max = BUSY_MS_MAX,
                                    .cache_kib = READER_CACHE_KIB};
    struct db *db;
    enum status status = db_open(&db, &db_sqlite, &db_options);
    if (status != STATUS_OK)
        return status;
    status = db_migrate(db, ret_applied);
    db_close(db);
    return status;
}

// ---- snapshots

static struct reader *reader_take(struct store *store)
{
    struct reader *reader = NULL;
    pthread_mutex_lock(&store->readers_lock);
    while (reader == NULL) {
        for (size_t i = 0; i < STORE_READERS_MAX && reader == NULL; i++)
            if (!store->readers[i].taken)
                reader = &store->readers[i];
        if (reader == NULL)
            pthread_cond_wait(&store->reader_free, &store->readers_lock);
    }
    reader->taken = true;
    pthread_mutex_unlock(&store->readers_lock);
    return reader;
}

static void reader_give_back(struct store *store, struct reader *reader)
{
    pthread_mutex_lock(&store->readers_lock);
    reader->taken = false;
    pthread_cond_signal(&store->reader_free);
    pthread_mutex_unlock(&store->readers_lock);
}

enum status store_read(struct store_tx **ret_snapshot, struct store *store)
{
    struct reader *reader = reader_take(store);
    struct store_tx *tx = &reader->tx;
    enum status status = STATUS_OK;
    if (tx->db == NULL)
        status = store_connect(&tx->db, store, DB_READ, READER_CACHE_KIB);
    if (status == STATUS_OK)
        status = db_begin_read(tx->db);
    if (status != STATUS_OK) {
        reader_give_back(store, reader);
        return status;
    }
    tx->options = &store->options;
    tx->store = store;
    tx->now_ms = clock_wall_ms(store->options.clock);
    *ret_snapshot = tx;
    return STATUS_OK;
}

void store_read_end(struct store_tx *snapshot)
{
    db_rollback(snapshot->db);
    // The transaction is the reader's first member.
    reader_give_back(snapshot->store, (struct reader *)snapshot);
}

bool store_is_healthy(const struct store *store)
{
    return atomic_load(&store->healthy);
}

void store_statistics(struct store_statistics *ret_statistics, struct store *store)
{
    pthread_mutex_lock(&store->lock);
    *ret_statistics = store->statistics;
    pthread_mutex_unlock(&store->lock);
}
