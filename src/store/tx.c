// SPDX-License-Identifier: Apache-2.0
// One transaction of the store: its begin and end, its caches, its new ids.
#include "store/tx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cache_clear(struct writer_cache *cache)
{
    memset(cache->next_ids, 0, sizeof cache->next_ids);
    cache->programs_count = 0;
    totals_clear(&cache->totals);
}

enum status tx_begin_write(struct store_tx *tx)
{
    enum status status = db_begin_write(tx->db);
    if (status != STATUS_OK)
        return status;
    int64_t version;
    status = db_data_version(tx->db, &version);
    if (status != STATUS_OK) {
        db_rollback(tx->db);
        return status;
    }
    if (version != tx->cache->data_version)
        cache_clear(tx->cache);
    tx->cache->data_version = version;
    tx->now_ms = clock_wall_ms(tx->options->clock);
    tx->wake = false;
    return STATUS_OK;
}

enum status tx_commit(struct store_tx *tx)
{
    enum status status = totals_flush(tx);
    if (status == STATUS_OK)
        status = db_commit(tx->db);
    if (status != STATUS_OK)
        tx_rollback(tx);
    return status;
}

void tx_rollback(struct store_tx *tx)
{
    cache_clear(tx->cache);
    db_rollback(tx->db);
}

void tx_require_writable(const struct store_tx *tx)
{
    if (tx->cache != NULL)
        return;
    fputs("store: write in a read snapshot\n", stderr);
    abort();
}

struct db_query *tx_query(struct store_tx *tx, const struct db_statement *statement)
{
    return db_query(tx->db, statement);
}

static enum status last_id(struct store_tx *tx, int64_t *ret_id, enum id_table table)
{
    static const struct db_statement statements[ID_TABLES] = {
#define ID_STATEMENT(name, table)                                                                  \
    [name] = {"last id of " table, "SELECT COALESCE(MAX(id), 0) AS id FROM " table},
        ID_TABLE(ID_STATEMENT)
#undef ID_STATEMENT
    };
    struct db_query *query = tx_query(tx, &statements[table]);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        *ret_id = db_int(query, "id");
    return db_done(query, status);
}

enum status tx_next_id(struct store_tx *tx, int64_t *ret_id, enum id_table table)
{
    tx_require_writable(tx);
    int64_t *next = &tx->cache->next_ids[table];
    if (*next == 0) {
        int64_t last = 0;
        enum status status = last_id(tx, &last, table);
        if (status != STATUS_OK)
            return status;
        *next = last + 1;
    }
    *ret_id = *next;
    return STATUS_OK;
}

enum status tx_new_id(struct store_tx *tx, int64_t *ret_id, enum id_table table)
{
    enum status status = tx_next_id(tx, ret_id, table);
    if (status == STATUS_OK)
        tx->cache->next_ids[table]++;
    return status;
}

enum status tx_fail(struct store_tx *tx, enum status status)
{
    db_spoil(tx->db, status);
    return status;
}

void *tx_list_add(struct tx_list *list, struct arena *arena, size_t item_size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        void *items = arena_alloc_array(arena, capacity, item_size);
        if (items == NULL)
            return NULL;
        if (list->count > 0)
            memcpy(items, list->items, list->count * item_size);
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->count++ * item_size;
}

int64_t store_tx_now_ms(const struct store_tx *tx)
{
    return tx->now_ms;
}

const struct payout_domain *store_tx_domain(const struct store_tx *tx)
{
    return &tx->options->domain;
}
