// SPDX-License-Identifier: Apache-2.0
// Checkpoints off the request path: a thread and a connection of their own.
//
// Passes run beside the writer until little of the log is left; then the writer waits between two
// groups for one short last pass, after which it begins the log anew. Without that wait a busy
// writer would stay ahead for ever and the log would grow without end.
#include "store/engine.h"

// Few pages are left to move, or no reader lets go of the log.
static enum status passes_beside_writer(struct db *db)
{
    int64_t left = 0;
    enum status status = STATUS_OK;
    for (int pass = 0; pass < CHECKPOINT_PASSES_MAX; pass++) {
        status = db_checkpoint(db, &left, false);
        if (status != STATUS_OK || left <= CHECKPOINT_LEFT_PAGES)
            break;
    }
    return status;
}

static void writer_pause(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->paused = true;
    while (store->in_group)
        pthread_cond_wait(&store->writer_idle, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

static void writer_resume(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->paused = false;
    pthread_cond_broadcast(&store->work_waits);
    pthread_mutex_unlock(&store->lock);
}

// STATUS_BUSY (another process at it) is no failure: the next commit asks again.
static void checkpoint(struct store *store, struct db *db)
{
    int64_t left = 0;
    enum status status = passes_beside_writer(db);
    if (status == STATUS_OK) {
        writer_pause(store);
        status = db_checkpoint(db, &left, false);
        writer_resume(store);
    }
    if (status == STATUS_IO)
        store_fail(store);
    pthread_mutex_lock(&store->lock);
    // A reader that keeps the log from being begun anew must not cause a pass per commit.
    store->checkpoint_at = left == 0 && status == STATUS_OK
                               ? CHECKPOINT_LOG_PAGES
                               : store->log_pages + CHECKPOINT_LOG_PAGES / 4;
    store->log_pages = 0;
    pthread_mutex_unlock(&store->lock);
}

static bool checkpoint_wait(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    while (!store->closing && store->log_pages < store->checkpoint_at)
        pthread_cond_wait(&store->checkpoint_waits, &store->lock);
    bool closing = store->closing;
    pthread_mutex_unlock(&store->lock);
    return !closing && store_is_healthy(store);
}

void *checkpoint_thread(void *context)
{
    struct store *store = context;
    struct db *db;
    // Without a connection the log grows until the next start; the writer's own failures tell.
    if (store_connect(&db, store, DB_WRITE, READER_CACHE_KIB) != STATUS_OK)
        return NULL;
    while (checkpoint_wait(store))
        checkpoint(store, db);
    db_close(db);
    return NULL;
}

void checkpoint_in_caller(struct store *store)
{
    int64_t left;
    if (store->log_pages < CHECKPOINT_LOG_PAGES || !store_is_healthy(store))
        return;
    if (db_checkpoint(store->tx.db, &left, false) == STATUS_IO)
        store_fail(store);
}
