// SPDX-License-Identifier: Apache-2.0
// The one compact unique index of ids given by others.
#include "store/outside_ids.h"

#include <nettle/sha2.h>
#include <string.h>

struct outside_digest outside_digest(enum outside_kind kind, struct bytes id)
{
    const uint8_t head[2] = {(uint8_t)kind, 0};
    struct outside_digest digest;
    struct sha256_ctx sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, sizeof head, head);
    sha256_update(&sha256, id.size, id.data);
    sha256_digest(&sha256, sizeof digest.bytes, digest.bytes);
    return digest;
}

static void bind_digest(struct db_query *query, int position, const struct outside_digest *digest)
{
    db_bind_blob(query, position, (struct bytes){digest->bytes, sizeof digest->bytes});
}

enum status outside_id_find(struct store_tx *tx, enum outside_kind *ret_kind, int64_t *ret_ref,
                            const struct outside_digest *digest)
{
    static const struct db_statement find = {"outside id find",
                                             "SELECT kind, ref FROM outside_ids WHERE digest = $1"};
    struct db_query *query = tx_query(tx, &find);
    bind_digest(query, 1, digest);
    int64_t kind = 0, ref = 0;
    enum status status = db_next(query);
    if (status == STATUS_OK) {
        kind = db_int(query, "kind");
        ref = db_int(query, "ref");
        if (kind < OUTSIDE_PAYMENT || kind > OUTSIDE_TOMBSTONE)
            db_fault(query);
    }
    status = db_done(query, status);
    if (status == STATUS_OK) {
        *ret_kind = (enum outside_kind)kind;
        *ret_ref = ref;
    }
    return status;
}

enum status outside_id_insert(struct store_tx *tx, bool *ret_inserted,
                              const struct outside_digest *digest, enum outside_kind kind,
                              int64_t ref)
{
    static const struct db_statement insert = {
        "outside id insert", "INSERT INTO outside_ids (digest, kind, ref) VALUES ($1, $2, $3)"
                             " ON CONFLICT (digest) DO NOTHING"};
    tx_require_writable(tx);
    struct db_query *query = tx_query(tx, &insert);
    bind_digest(query, 1, digest);
    db_bind_int(query, 2, kind);
    db_bind_int(query, 3, ref);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    if (status == STATUS_OK)
        *ret_inserted = changes == 1;
    return status;
}

enum status outside_id_update(struct store_tx *tx, const struct outside_digest *digest,
                              enum outside_kind kind, int64_t ref)
{
    static const struct db_statement update = {
        "outside id update", "UPDATE outside_ids SET kind = $2, ref = $3 WHERE digest = $1"};
    tx_require_writable(tx);
    struct db_query *query = tx_query(tx, &update);
    bind_digest(query, 1, digest);
    db_bind_int(query, 2, kind);
    db_bind_int(query, 3, ref);
    return db_execute(query, NULL);
}

enum status outside_id_delete(struct store_tx *tx, const struct outside_digest *digest)
{
    static const struct db_statement delete = {"outside id delete",
                                               "DELETE FROM outside_ids WHERE digest = $1"};
    tx_require_writable(tx);
    struct db_query *query = tx_query(tx, &delete);
    bind_digest(query, 1, digest);
    return db_execute(query, NULL);
}
