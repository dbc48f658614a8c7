// SPDX-License-Identifier: Apache-2.0
// Who may do what, and what they did: API keys, idempotency keys, the audit trail.
#pragma once

#include "store/store.h"

enum scope { SCOPE_READ = 1, SCOPE_WRITE = 2, SCOPE_ADMIN = 4 }; // bit set; numbers reach the disk

#define API_KEY_NAME_SIZE 65

struct api_key {
    int64_t id;
    char name[API_KEY_NAME_SIZE];
    unsigned scopes; // bits of enum scope
    int64_t created_ms;
    int64_t revoked_ms; // 0: in force
};

// Only the SHA-256 of a key is stored: it is random enough that a slow hash would add nothing.
// STATUS_EXISTS: a key in force has that name.
MUST_USE enum status api_key_insert(struct store_tx *tx, int64_t *ret_id,
                                    const struct hash32 *digest, const char *name, unsigned scopes);
// STATUS_NOT_FOUND: unknown or revoked.
MUST_USE enum status api_key_by_digest(struct store_tx *tx, struct api_key *ret_key,
                                       const struct hash32 *digest);
MUST_USE enum status api_key_list(struct store_tx *tx, struct api_key **ret_keys, size_t *ret_count,
                                  struct arena *arena);
// *ret_revoked is false where no key in force has that name or that id in decimal.
MUST_USE enum status api_key_revoke(struct store_tx *tx, bool *ret_revoked, const char *name_or_id);
#define API_KEYS_MAX 10000

// Idempotency-Key, per API key. Read and written in the transaction of the effect itself, so there
// is never a half-done one on disk; two at once are kept apart in memory by the API.
#define IDEMPOTENCY_KEY_SIZE 256
struct idempotent_response {
    struct hash32 request_digest; // of method, path and body
    int http_status;
    struct bytes body; // in the arena
};
// STATUS_NOT_FOUND where the key is new.
MUST_USE enum status idempotency_read(struct store_tx *tx, struct idempotent_response *ret_response,
                                      int64_t api_key_id, const char *key, struct arena *arena);
MUST_USE enum status idempotency_write(struct store_tx *tx, int64_t api_key_id, const char *key,
                                       const struct idempotent_response *response);
// Forgets keys older than age_ms, at most limit of them. Stripe keeps them for a day at least; the
// API promises IDEMPOTENCY_KEPT_MS.
#define IDEMPOTENCY_KEPT_MS ((int64_t)48 * 3600 * 1000)
MUST_USE enum status idempotency_prune(struct store_tx *tx, size_t *ret_count, int64_t age_ms,
                                       size_t limit);

// actor: "key:NAME", "cli:USER", "relayer". detail: short JSON or text, no secrets.
MUST_USE enum status audit_append(struct store_tx *tx, const char *actor, const char *action,
                                  const char *detail);
