// SPDX-License-Identifier: Apache-2.0
// Inside the store only: the open store, its writer, its checkpointer and its readers.
#pragma once

#include "store/tx.h"

#include <pthread.h>
#include <stdatomic.h>

#define GROUP_WORKS_MAX       1024  // pieces of work in one commit
#define BUSY_MS_MAX           5000  // wait for another process's lock
#define WRITER_CACHE_KIB      65536 // page cache of the writer
#define READER_CACHE_KIB      8192  // page cache of each reader
#define CHECKPOINT_LOG_PAGES  32768 // length of the log that starts a checkpoint
#define CHECKPOINT_PASSES_MAX 4     // passes beside the running writer, before it must wait
#define CHECKPOINT_LEFT_PAGES 2048  // few enough to make the writer wait for

struct reader {
    struct store_tx tx; // tx.db NULL: not opened yet
    bool taken;
};

struct store {
    struct store_options options;
    char *path;
    atomic_bool healthy;

    // The writer's. The transaction and the arrays are touched by the writer alone (in_caller: by
    // whoever holds caller_lock).
    struct store_tx tx;
    struct writer_cache cache;
    struct store_work *group[GROUP_WORKS_MAX];
    struct store_work *inner[GROUP_WORKS_MAX];
    pthread_mutex_t caller_lock;

    pthread_mutex_t lock; // of everything below
    pthread_cond_t work_waits, writer_idle, checkpoint_waits;
    struct store_work *head, *tail;
    struct store_statistics statistics;
    bool closing;
    bool in_group;         // the writer runs or commits
    bool paused;           // the checkpointer wants the writer to wait
    bool threads;          // both threads run
    int64_t log_pages;     // after the last commit
    int64_t checkpoint_at; // log length that starts the next checkpoint
    pthread_t writer, checkpointer;

    pthread_mutex_t readers_lock;
    pthread_cond_t reader_free;
    struct reader readers[STORE_READERS_MAX];
};

// Threads of the writer and of checkpoints.
MUST_USE enum status group_commit_start(struct store *store);
// Works off the queue, then ends both.
void group_commit_stop(struct store *store);

void *checkpoint_thread(void *context); // of the store
// In the caller, after a commit, where there are no threads.
void checkpoint_in_caller(struct store *store);
// A disk failure: nothing is written any more.
void store_fail(struct store *store);

MUST_USE enum status store_connect(struct db **ret_db, const struct store *store, enum db_mode mode,
                                   int cache_kib);
