// SPDX-License-Identifier: Apache-2.0
// API keys, idempotency keys and the audit trail as rows.
#include "store/access.h"

#include "store/rows.h"
#include "store/tx.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define KEY_COLUMNS "id, name, scopes, created_ms, revoked_ms"

// ---- API keys

static void key_read(struct api_key *key, struct db_query *query)
{
    key->id = db_int(query, "id");
    db_copy(query, "name", key->name, sizeof key->name);
    key->scopes = (unsigned)db_int(query, "scopes");
    key->created_ms = db_int(query, "created_ms");
    key->revoked_ms = db_int(query, "revoked_ms");
}

static enum status keys_count(struct store_tx *tx, int64_t *ret_count)
{
    static const struct db_statement count = {"api keys count",
                                              "SELECT COUNT(*) AS n FROM api_keys"};
    struct db_query *query = tx_query(tx, &count);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        *ret_count = db_int(query, "n");
    return db_done(query, status);
}

static enum status name_is_free(struct store_tx *tx, const char *name)
{
    static const struct db_statement find = {
        "api key in force", "SELECT id FROM api_keys WHERE name = $1 AND revoked_ms = 0"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_text(query, 1, name);
    enum status status = db_done(query, db_next(query));
    if (status == STATUS_OK)
        return STATUS_EXISTS;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status api_key_insert(struct store_tx *tx, int64_t *ret_id, const struct hash32 *digest,
                           const char *name, unsigned scopes)
{
    static const struct db_statement insert = {
        "api key insert", "INSERT INTO api_keys (id, digest, name, scopes, created_ms, revoked_ms)"
                          " VALUES ($1, $2, $3, $4, $5, 0)"};
    tx_require_writable(tx);
    size_t length = strnlen(name, API_KEY_NAME_SIZE);
    if (length == 0 || length == API_KEY_NAME_SIZE || scopes == 0 ||
        (scopes & ~(unsigned)(SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN)) != 0)
        return STATUS_INVALID;
    int64_t count = 0, id = 0;
    enum status status = keys_count(tx, &count);
    if (status == STATUS_OK && count >= API_KEYS_MAX)
        status = STATUS_LIMIT;
    if (status == STATUS_OK)
        status = name_is_free(tx, name);
    if (status == STATUS_OK)
        status = tx_new_id(tx, &id, ID_API_KEYS);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_blob(query, 2, (struct bytes){digest->bytes, sizeof digest->bytes});
    db_bind_text(query, 3, name);
    db_bind_int(query, 4, scopes);
    db_bind_int(query, 5, tx->now_ms);
    status = db_execute(query, NULL);
    if (status == STATUS_OK)
        *ret_id = id;
    return status;
}

enum status api_key_by_digest(struct store_tx *tx, struct api_key *ret_key,
                              const struct hash32 *digest)
{
    static const struct db_statement find = {"api key find",
                                             "SELECT " KEY_COLUMNS
                                             " FROM api_keys WHERE digest = $1 AND revoked_ms = 0"};
    struct api_key key;
    memset(&key, 0, sizeof key);
    struct db_query *query = tx_query(tx, &find);
    db_bind_blob(query, 1, (struct bytes){digest->bytes, sizeof digest->bytes});
    enum status status = db_next(query);
    if (status == STATUS_OK)
        key_read(&key, query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_key = key;
    return status;
}

enum status api_key_list(struct store_tx *tx, struct api_key **ret_keys, size_t *ret_count,
                         struct arena *arena)
{
    static const struct db_statement list_all = {"api keys", "SELECT " KEY_COLUMNS
                                                             " FROM api_keys ORDER BY id"};
    struct tx_list list = {0};
    struct db_query *query = tx_query(tx, &list_all);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct api_key *key = tx_list_add(&list, arena, sizeof *key);
        if (key == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        key_read(key, query);
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_keys = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}

// Both statements take the name or id as text in $1 and the time in $2.
static enum status key_revoke(struct store_tx *tx, bool *ret_revoked,
                              const struct db_statement *statement, const char *name_or_id)
{
    struct db_query *query = tx_query(tx, statement);
    db_bind_text(query, 1, name_or_id);
    db_bind_int(query, 2, tx->now_ms);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    if (status == STATUS_OK)
        *ret_revoked = changes > 0;
    return status;
}

enum status api_key_revoke(struct store_tx *tx, bool *ret_revoked, const char *name_or_id)
{
    static const struct db_statement by_name = {
        "api key revoke by name",
        "UPDATE api_keys SET revoked_ms = $2 WHERE name = $1 AND revoked_ms = 0"};
    static const struct db_statement by_id = {
        "api key revoke by id",
        "UPDATE api_keys SET revoked_ms = $2 WHERE CAST(id AS TEXT) = $1 AND revoked_ms = 0"};
    tx_require_writable(tx);
    bool revoked;
    enum status status = key_revoke(tx, &revoked, &by_name, name_or_id);
    if (status == STATUS_OK && !revoked)
        status = key_revoke(tx, &revoked, &by_id, name_or_id);
    if (status == STATUS_OK)
        *ret_revoked = revoked;
    return status;
}

// ---- idempotency keys

static enum status response_read(struct idempotent_response *response, struct db_query *query,
                                 struct arena *arena)
{
    row_hash(query, "request_digest", &response->request_digest);
    response->http_status = (int)db_int(query, "http_status");
    struct bytes body = db_blob(query, "body");
    response->body = (struct bytes){arena_copy(arena, body), body.size};
    return response->body.data == NULL && body.size > 0 ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status idempotency_read(struct store_tx *tx, struct idempotent_response *ret_response,
                             int64_t api_key_id, const char *key, struct arena *arena)
{
    static const struct db_statement find = {
        "idempotency find", "SELECT request_digest, http_status, body FROM idempotency"
                            " WHERE api_key_id = $1 AND idempotency_key = $2"};
    struct idempotent_response response;
    memset(&response, 0, sizeof response);
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, api_key_id);
    db_bind_text(query, 2, key);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        status = response_read(&response, query, arena);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_response = response;
    return status;
}

enum status idempotency_write(struct store_tx *tx, int64_t api_key_id, const char *key,
                              const struct idempotent_response *response)
{
    static const struct db_statement insert = {
        "idempotency insert",
        "INSERT INTO idempotency (id, api_key_id, idempotency_key, request_digest, http_status,"
        " body, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)"};
    tx_require_writable(tx);
    int64_t id;
    size_t length = strnlen(key, IDEMPOTENCY_KEY_SIZE);
    if (length == 0 || length == IDEMPOTENCY_KEY_SIZE)
        return STATUS_INVALID;
    enum status status = tx_new_id(tx, &id, ID_IDEMPOTENCY);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_int(query, 2, api_key_id);
    db_bind_text(query, 3, key);
    db_bind_blob(
        query, 4,
        (struct bytes){response->request_digest.bytes, sizeof response->request_digest.bytes});
    db_bind_int(query, 5, response->http_status);
    db_bind_blob(query, 6, response->body);
    db_bind_int(query, 7, tx->now_ms);
    return db_execute(query, NULL);
}

enum status idempotency_prune(struct store_tx *tx, size_t *ret_count, int64_t age_ms, size_t limit)
{
    static const struct db_statement delete = {
        "idempotency prune",
        "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE created_ms < $1"
        " ORDER BY created_ms, id LIMIT $2)"};
    tx_require_writable(tx);
    struct db_query *query = tx_query(tx, &delete);
    db_bind_int(query, 1, tx->now_ms - age_ms);
    db_bind_int(query, 2, (int64_t)limit);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    if (status == STATUS_OK)
        *ret_count = (size_t)changes;
    return status;
}

// ---- audit

enum status audit_append(struct store_tx *tx, const char *actor, const char *action,
                         const char *detail)
{
    static const struct db_statement insert = {
        "audit insert",
        "INSERT INTO audit (id, at_ms, actor, action, detail) VALUES ($1, $2, $3, $4, $5)"};
    tx_require_writable(tx);
    int64_t id;
    enum status status = tx_new_id(tx, &id, ID_AUDIT);
    if (status != STATUS_OK)
        return status;
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_int(query, 2, tx->now_ms);
    db_bind_text(query, 3, actor);
    db_bind_text(query, 4, action);
    db_bind_text(query, 5, detail);
    return db_execute(query, NULL);
}
