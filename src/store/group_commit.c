// SPDX-License-Identifier: Apache-2.0
// Group commit: one writer thread takes all waiting work, runs it and commits it together.
#include "store/engine.h"
#include "store/metrics.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

// ---- waiting in store_write

// Stands in the queue for a work whose caller waits.
struct waiting_work {
    struct store_work work;
    struct store_work *inner;
    enum status status;
    sem_t finished;
};

static void wake_caller(struct store_work *work, enum status committed)
{
    struct waiting_work *waiting = (struct waiting_work *)work;
    waiting->status = committed;
    sem_post(&waiting->finished);
}

static struct store_work *inner_of(struct store_work *work)
{
    return work->done == wake_caller ? ((struct waiting_work *)work)->inner : work;
}

// ---- one group

// Runs works of one kind that stand next to each other in one call each.
static enum status run_all(struct store_tx *tx, struct store_work **works, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t from = 0, to; status == STATUS_OK && from < count; from = to) {
        const struct store_work_kind *kind = works[from]->kind;
        for (to = from + 1; to < count && works[to]->kind == kind;)
            to++;
        status = kind->run(tx, works + from, to - from);
    }
    return status;
}

static enum status group_write(struct store *store, struct store_work **works, size_t count,
                               int64_t *ret_commit_ms)
{
    *ret_commit_ms = 0;
    if (!store_is_healthy(store))
        return STATUS_STOPPED;
    enum status status = tx_begin_write(&store->tx);
    if (status != STATUS_OK)
        return status;
    status = run_all(&store->tx, works, count);
    enum status failure = db_failure(store->tx.db);
    if (status == STATUS_OK && failure != STATUS_OK)
        status = failure;
    if (status != STATUS_OK) {
        tx_rollback(&store->tx);
        return status;
    }
    int64_t started_ms = clock_monotonic_ms(store->options.clock);
    status = tx_commit(&store->tx);
    *ret_commit_ms = clock_monotonic_ms(store->options.clock) - started_ms;
    return status;
}

static void group_count(struct store *store, size_t count, enum status status, int64_t commit_ms)
{
    struct store_statistics *statistics = &store->statistics;
    store_metrics_commit((int64_t)count, commit_ms, status);
    statistics->commit_ms_total += commit_ms;
    if (status != STATUS_OK) {
        statistics->commit_failures++;
        return;
    }
    statistics->commits++;
    statistics->works += (int64_t)count;
    if ((int64_t)count > statistics->group_size_max)
        statistics->group_size_max = (int64_t)count;
}

void store_fail(struct store *store)
{
    atomic_store(&store->healthy, false);
}

// A failure that one piece of work may be to blame for; else it is the engine's and meets them all.
static bool may_be_of_one_work(enum status status)
{
    switch (status) {
    case STATUS_INVALID:
    case STATUS_NOT_FOUND:
    case STATUS_EXISTS:
    case STATUS_CONFLICT:
    case STATUS_DENIED:
    case STATUS_LIMIT:
    case STATUS_UNSUPPORTED:
    case STATUS_CORRUPT:
    case STATUS_NO_MEMORY:
        return true;
    case STATUS_OK:
    case STATUS_UNAVAILABLE:
    case STATUS_TIMEOUT:
    case STATUS_BUSY:
    case STATUS_STOPPED:
    case STATUS_IO:
        break;
    }
    return false;
}

// A flush that failed is never tried again: what the disk holds now nobody knows.
static enum status group_try(struct store *store, struct store_work **group, size_t count)
{
    int64_t commit_ms;
    for (size_t i = 0; i < count; i++)
        store->inner[i] = inner_of(group[i]);
    enum status status = group_write(store, store->inner, count, &commit_ms);
    if (status == STATUS_IO)
        store_fail(store);
    pthread_mutex_lock(&store->lock);
    group_count(store, count, status, commit_ms);
    store->log_pages = db_log_pages(store->tx.db);
    if (store->log_pages >= store->checkpoint_at)
        pthread_cond_signal(&store->checkpoint_waits);
    pthread_mutex_unlock(&store->lock);
    if (status == STATUS_OK && store->tx.wake && store->options.on_jobs != NULL)
        store->options.on_jobs(store->options.on_jobs_context);
    return status;
}

static void group_tell(struct store_work **group, size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++)
        if (group[i]->done != NULL)
            group[i]->done(group[i], status);
}

// A group that one piece may have spoilt runs again piece by piece, so that a request which always
// fails takes neither payments nor a lane's step with it.
static void group_run(struct store *store, struct store_work **group, size_t count)
{
    enum status status = group_try(store, group, count);
    if (count == 1 || !may_be_of_one_work(status)) {
        group_tell(group, count, status);
        return;
    }
    for (size_t i = 0; i < count; i++)
        group_tell(group + i, 1, group_try(store, group + i, 1));
}

// ---- the writer

// Waits for work and takes what is there; 0: closing, and all is done. Holds the lock.
static size_t group_take(struct store *store)
{
    store->in_group = false;
    pthread_cond_broadcast(&store->writer_idle);
    while (store->paused || (store->head == NULL && !store->closing))
        pthread_cond_wait(&store->work_waits, &store->lock);
    size_t count = 0;
    while (store->head != NULL && count < GROUP_WORKS_MAX) {
        store->group[count++] = store->head;
        store->head = store->head->next;
    }
    if (store->head == NULL)
        store->tail = NULL;
    store->statistics.queued -= (int64_t)count;
    store->in_group = count > 0;
    return count;
}

static void *writer_thread(void *context)
{
    struct store *store = context;
    for (;;) {
        pthread_mutex_lock(&store->lock);
        size_t count = group_take(store);
        pthread_mutex_unlock(&store->lock);
        if (count == 0)
            return NULL;
        group_run(store, store->group, count);
    }
}

enum status group_commit_start(struct store *store)
{
    if (pthread_create(&store->writer, NULL, writer_thread, store) != 0)
        return STATUS_NO_MEMORY;
    if (pthread_create(&store->checkpointer, NULL, checkpoint_thread, store) == 0) {
        store->threads = true;
        return STATUS_OK;
    }
    pthread_mutex_lock(&store->lock);
    store->closing = true;
    pthread_cond_broadcast(&store->work_waits);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->writer, NULL);
    return STATUS_NO_MEMORY;
}

void group_commit_stop(struct store *store)
{
    pthread_mutex_lock(&store->lock);
    store->closing = true;
    pthread_cond_broadcast(&store->work_waits);
    pthread_cond_broadcast(&store->checkpoint_waits);
    pthread_mutex_unlock(&store->lock);
    if (!store->threads)
        return;
    pthread_join(store->checkpointer, NULL);
    pthread_join(store->writer, NULL);
}

// ---- handing work in

static enum status work_run_here(struct store *store, struct store_work *work)
{
    pthread_mutex_lock(&store->caller_lock);
    group_run(store, &work, 1);
    checkpoint_in_caller(store);
    pthread_mutex_unlock(&store->caller_lock);
    return STATUS_OK;
}

static enum status work_queue(struct store *store, struct store_work *work)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&store->lock);
    if (store->closing) {
        status = STATUS_STOPPED;
    } else if (store->statistics.queued >= STORE_QUEUE_WORKS_MAX) {
        status = STATUS_LIMIT;
    } else {
        work->next = NULL;
        if (store->tail != NULL)
            store->tail->next = work;
        else
            store->head = work;
        store->tail = work;
        if (store->statistics.queued++ == 0)
            pthread_cond_signal(&store->work_waits);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

static enum status submit(struct store *store, struct store_work *work)
{
    if (store->tx.db == NULL || !store_is_healthy(store))
        return STATUS_STOPPED;
    return store->options.in_caller ? work_run_here(store, work) : work_queue(store, work);
}

enum status store_submit(struct store *store, struct store_work *work)
{
    if (work->done == NULL) {
        fputs("store: submitted work has no done\n", stderr);
        abort();
    }
    return submit(store, work);
}

enum status store_write(struct store *store, struct store_work *work)
{
    struct waiting_work waiting = {.work = {.kind = work->kind, .done = wake_caller},
                                   .inner = work};
    if (sem_init(&waiting.finished, 0, 0) != 0)
        return STATUS_NO_MEMORY;
    enum status status = submit(store, &waiting.work);
    if (status == STATUS_OK) {
        while (sem_wait(&waiting.finished) != 0)
            continue; // interrupted by a signal
        status = waiting.status;
    }
    sem_destroy(&waiting.finished);
    return status;
}
