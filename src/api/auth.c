// SPDX-License-Identifier: Apache-2.0
// Key look-ups through a fixed cache, and the count of failures by address.
#include "api/auth.h"

#include "api/rate.h"

#include <nettle/sha2.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOCKS             16
#define IPV6_NETWORK_SIZE 8 // one customer has at least a /64

struct entry {
    struct hash32 digest;
    struct api_key key;
    int64_t checked_ms; // monotonic
    bool used;
};

struct auth {
    struct store *store;
    const struct clock *clock;
    struct rate *failures;
    uint64_t seed; // so that nobody can choose whose bucket to share
    pthread_mutex_t locks[LOCKS];
    struct entry entries[AUTH_CACHE_ENTRIES];
};

struct auth *auth_new(struct store *store, const struct clock *clock,
                      const struct random_source *random, int64_t failed_rate_max)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return NULL;
    auth->store = store;
    auth->clock = clock;
    random_fill(random, &auth->seed, sizeof auth->seed);
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&auth->locks[i], NULL);
    auth->failures = rate_new(failed_rate_max);
    if (!auth->failures) {
        auth_free(auth);
        return NULL;
    }
    return auth;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&auth->locks[i]);
    rate_free(auth->failures);
    free(auth);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 29);
}

static uint64_t peer_hash(const struct auth *auth, const struct http_peer *peer)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    uint64_t network;
    uint64_t host = 0;
    memcpy(&network, peer->bytes, IPV6_NETWORK_SIZE);
    if (memcmp(peer->bytes, mapped, sizeof mapped) == 0)
        memcpy(&host, peer->bytes + IPV6_NETWORK_SIZE, IPV6_NETWORK_SIZE);
    return mix(mix(mix(auth->seed, network), host), auth->seed);
}

bool auth_count_failure(struct auth *auth, int64_t *ret_retry_s, const struct http_peer *peer)
{
    return rate_take(auth->failures, ret_retry_s, peer_hash(auth, peer),
                     clock_monotonic_ms(auth->clock));
}

static size_t entry_index(const struct hash32 *digest)
{
    return ((size_t)digest->bytes[0] << 8 | digest->bytes[1]) % AUTH_CACHE_ENTRIES;
}

// *ret_known: the digest was that of a key once; *ret_fresh: the entry needs no look-up yet.
static void cache_read(struct auth *auth, struct api_key *ret_key, bool *ret_known, bool *ret_fresh,
                       const struct hash32 *digest)
{
    size_t index = entry_index(digest);
    const struct entry *entry = &auth->entries[index];
    pthread_mutex_lock(&auth->locks[index % LOCKS]);
    *ret_known = entry->used && hash32_equal(&entry->digest, digest);
    *ret_fresh =
        *ret_known && clock_monotonic_ms(auth->clock) - entry->checked_ms < AUTH_CACHE_MS_MAX;
    if (*ret_fresh)
        *ret_key = entry->key;
    pthread_mutex_unlock(&auth->locks[index % LOCKS]);
}

static void cache_write(struct auth *auth, const struct hash32 *digest, const struct api_key *key)
{
    size_t index = entry_index(digest);
    pthread_mutex_lock(&auth->locks[index % LOCKS]);
    auth->entries[index] = (struct entry){
        .digest = *digest, .checked_ms = clock_monotonic_ms(auth->clock), .used = key != NULL};
    if (key)
        auth->entries[index].key = *key;
    pthread_mutex_unlock(&auth->locks[index % LOCKS]);
}

static enum status look_up(struct auth *auth, struct api_key *ret_key, const struct hash32 *digest)
{
    struct store_tx *snapshot;
    enum status status = store_read(&snapshot, auth->store);
    if (status != STATUS_OK)
        return status;
    status = api_key_by_digest(snapshot, ret_key, digest);
    store_read_end(snapshot);
    return status;
}

static struct hash32 digest_of(const char *token)
{
    struct hash32 digest;
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, strlen(token), (const uint8_t *)token);
    sha256_digest(&context, sizeof digest.bytes, digest.bytes);
    return digest;
}

static enum auth_outcome check_token(struct auth *auth, struct api_key *ret_key,
                                     int64_t *ret_retry_s, const char *token,
                                     const struct http_peer *peer)
{
    struct hash32 digest = digest_of(token);
    bool known;
    bool fresh;
    cache_read(auth, ret_key, &known, &fresh, &digest);
    if (fresh)
        return AUTH_FINE;
    // Guessing must not reach the store; a key that was good a moment ago may.
    if (!known && !rate_has(auth->failures, ret_retry_s, peer_hash(auth, peer),
                            clock_monotonic_ms(auth->clock)))
        return AUTH_TOO_MANY;
    enum status status = look_up(auth, ret_key, &digest);
    if (status == STATUS_OK) {
        cache_write(auth, &digest, ret_key);
        return AUTH_FINE;
    }
    if (status != STATUS_NOT_FOUND)
        return AUTH_STORE;
    if (known)
        cache_write(auth, &digest, NULL);
    return AUTH_UNKNOWN;
}

static enum auth_outcome check_header(struct auth *auth, struct api_key *ret_key,
                                      int64_t *ret_retry_s, const struct http_request *request)
{
    size_t count = http_header_count(request, "Authorization");
    const char *value = http_header_value(request, "Authorization");
    if (count == 0)
        return AUTH_MISSING;
    if (count > 1 || strncasecmp(value, "Bearer ", 7) != 0)
        return AUTH_MALFORMED;
    value += 7;
    if (strncmp(value, "sk_", 3) != 0 || strlen(value) > AUTH_TOKEN_SIZE_MAX)
        return AUTH_MALFORMED;
    return check_token(auth, ret_key, ret_retry_s, value, &request->peer);
}

enum auth_outcome auth_check(struct auth *auth, struct api_key *ret_key, int64_t *ret_retry_s,
                             const struct http_request *request)
{
    enum auth_outcome outcome = check_header(auth, ret_key, ret_retry_s, request);
    bool failed = outcome == AUTH_MISSING || outcome == AUTH_MALFORMED || outcome == AUTH_UNKNOWN;
    if (failed && !auth_count_failure(auth, ret_retry_s, &request->peer))
        return AUTH_TOO_MANY;
    return outcome;
}
