// SPDX-License-Identifier: Apache-2.0
// Lanes: who may use a wallet's nonces, for how long, and under which epoch.
#include "store/lanes.h"

#include "store/rows.h"
#include "store/slot_rows.h"

#include <string.h>

#define LANE_COLUMNS "id, address, next_nonce, epoch, holder, lease_until_ms"

static void lane_read(struct lane *lane, struct db_query *query)
{
    lane->id = db_int(query, "id");
    row_address(query, "address", &lane->address);
    lane->next_nonce = db_int(query, "next_nonce");
    lane->epoch = db_int(query, "epoch");
    db_copy(query, "holder", lane->holder, sizeof lane->holder);
    lane->lease_until_ms = db_int(query, "lease_until_ms");
}

static enum status lane_by_address(struct store_tx *tx, struct lane *ret_lane,
                                   const struct address *address)
{
    static const struct db_statement find = {"lane by address", "SELECT " LANE_COLUMNS
                                                                " FROM lanes WHERE address = $1"};
    struct lane lane;
    memset(&lane, 0, sizeof lane);
    struct db_query *query = tx_query(tx, &find);
    bind_address(query, 1, address);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        lane_read(&lane, query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_lane = lane;
    return status;
}

static enum status lanes_count(struct store_tx *tx, int64_t *ret_count)
{
    static const struct db_statement count = {"lanes count", "SELECT COUNT(*) AS n FROM lanes"};
    struct db_query *query = tx_query(tx, &count);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        *ret_count = db_int(query, "n");
    return db_done(query, status);
}

static enum status lane_insert(struct store_tx *tx, struct lane *lane)
{
    static const struct db_statement insert = {"lane insert", "INSERT INTO lanes (" LANE_COLUMNS
                                                              ") VALUES ($1, $2, $3, $4, $5, $6)"};
    int64_t count = 0;
    enum status status = lanes_count(tx, &count);
    if (status == STATUS_OK && count >= LANES_MAX)
        status = STATUS_LIMIT;
    if (status == STATUS_OK)
        status = tx_new_id(tx, &lane->id, ID_LANES);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, lane->id);
    bind_address(query, 2, &lane->address);
    db_bind_int(query, 3, lane->next_nonce);
    db_bind_int(query, 4, lane->epoch);
    db_bind_text(query, 5, lane->holder);
    db_bind_int(query, 6, lane->lease_until_ms);
    return db_execute(query, NULL);
}

static enum status lease_write(struct store_tx *tx, const struct lane *lane)
{
    static const struct db_statement update = {
        "lane lease",
        "UPDATE lanes SET epoch = $2, holder = $3, lease_until_ms = $4 WHERE id = $1"};
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, lane->id);
    db_bind_int(query, 2, lane->epoch);
    db_bind_text(query, 3, lane->holder);
    db_bind_int(query, 4, lane->lease_until_ms);
    return db_execute(query, NULL);
}

// The epoch grows with every acquisition, so that also an earlier life of the same holder is out.
enum status lane_acquire(struct store_tx *tx, struct lane *ret_lane, const struct address *address,
                         int64_t first_nonce, const char *holder, int64_t lease_ms)
{
    tx_require_writable(tx);
    struct lane lane;
    memset(&lane, 0, sizeof lane);
    size_t length = strnlen(holder, LANE_HOLDER_SIZE);
    if (length == 0 || length == LANE_HOLDER_SIZE || first_nonce < 0)
        return STATUS_INVALID;
    enum status status = lane_by_address(tx, &lane, address);
    bool new = status == STATUS_NOT_FOUND;
    if (status == STATUS_OK && lane.lease_until_ms > tx->now_ms && strcmp(lane.holder, holder) != 0)
        return STATUS_BUSY;
    if (new) {
        lane.address = *address;
        lane.next_nonce = first_nonce;
    } else if (status != STATUS_OK) {
        return status;
    }
    lane.epoch++;
    memcpy(lane.holder, holder, length + 1);
    lane.lease_until_ms = tx->now_ms + lease_ms;
    status = new ? lane_insert(tx, &lane) : lease_write(tx, &lane);
    if (status == STATUS_OK)
        *ret_lane = lane;
    return status;
}

enum status lane_check(struct store_tx *tx, int64_t *ret_next_nonce, const struct lane *lane)
{
    static const struct db_statement find = {"lane epoch",
                                             "SELECT epoch, next_nonce FROM lanes WHERE id = $1"};
    int64_t epoch = 0, next_nonce = 0;
    tx_require_writable(tx);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, lane->id);
    enum status status = db_next(query);
    if (status == STATUS_OK) {
        epoch = db_int(query, "epoch");
        next_nonce = db_int(query, "next_nonce");
    }
    status = db_done(query, status);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && epoch != lane->epoch))
        return STATUS_DENIED;
    if (status == STATUS_OK && ret_next_nonce != NULL)
        *ret_next_nonce = next_nonce;
    return status;
}

enum status lane_renew(struct store_tx *tx, const struct lane *lane, int64_t lease_ms)
{
    struct lane renewed = *lane;
    enum status status = lane_check(tx, NULL, lane);
    renewed.lease_until_ms = tx->now_ms + lease_ms;
    return status == STATUS_OK ? lease_write(tx, &renewed) : status;
}

enum status lane_release(struct store_tx *tx, const struct lane *lane)
{
    struct lane released = *lane;
    enum status status = lane_check(tx, NULL, lane);
    released.epoch++;
    released.holder[0] = '\0';
    released.lease_until_ms = 0;
    return status == STATUS_OK ? lease_write(tx, &released) : status;
}

enum status lanes_list(struct store_tx *tx, struct lane **ret_lanes, size_t *ret_count,
                       struct arena *arena)
{
    static const struct db_statement list_all = {"lanes",
                                                 "SELECT " LANE_COLUMNS " FROM lanes ORDER BY id"};
    struct tx_list list = {0};
    struct db_query *query = tx_query(tx, &list_all);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct lane *lane = tx_list_add(&list, arena, sizeof *lane);
        if (lane == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        lane_read(lane, query);
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_lanes = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}
