// SPDX-License-Identifier: Apache-2.0
// A hash table of entries that live elsewhere, with one lock.
#include "api/running.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

struct running {
    pthread_mutex_t lock;
    struct running_entry *buckets[BUCKETS];
};

struct running *running_new(void)
{
    struct running *running = calloc(1, sizeof *running);
    if (running)
        pthread_mutex_init(&running->lock, NULL);
    return running;
}

void running_free(struct running *running)
{
    if (!running)
        return;
    pthread_mutex_destroy(&running->lock);
    free(running);
}

static struct running_entry **bucket_of(struct running *running, const struct running_entry *entry)
{
    uint64_t hash = 14695981039346656037U ^ (uint64_t)entry->api_key_id;
    for (const char *c = entry->key; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211U;
    return &running->buckets[hash % BUCKETS];
}

bool running_enter(struct running *running, struct running_entry *entry)
{
    struct running_entry **bucket = bucket_of(running, entry);
    bool found = false;
    pthread_mutex_lock(&running->lock);
    for (const struct running_entry *e = *bucket; e && !found; e = e->next)
        found = e->api_key_id == entry->api_key_id && strcmp(e->key, entry->key) == 0;
    if (!found) {
        entry->next = *bucket;
        *bucket = entry;
    }
    pthread_mutex_unlock(&running->lock);
    return !found;
}

void running_leave(struct running *running, struct running_entry *entry)
{
    struct running_entry **link = bucket_of(running, entry);
    pthread_mutex_lock(&running->lock);
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    pthread_mutex_unlock(&running->lock);
}
