// SPDX-License-Identifier: Apache-2.0
// Who calls: API keys by digest, with a short cache in front of the store.
#pragma once

#include "base/random.h"
#include "net/http_server.h"
#include "store/access.h"

#define AUTH_CACHE_MS_MAX   5000 // a revoked key may still be taken for this long
#define AUTH_CACHE_ENTRIES  1024
#define AUTH_TOKEN_SIZE_MAX 128

struct auth;

// failed_rate_max: failed authentications per address and second. NULL: memory is out.
struct auth *auth_new(struct store *store, const struct clock *clock,
                      const struct random_source *random, int64_t failed_rate_max);
void auth_free(struct auth *auth);

enum auth_outcome {
    AUTH_FINE,
    AUTH_MISSING,
    AUTH_MALFORMED,
    AUTH_UNKNOWN,
    AUTH_TOO_MANY, // of this address failed; *ret_retry_s is set
    AUTH_STORE,    // the store could not be read
};

// Reads `Authorization: Bearer sk_...`. A failure costs the address a token.
MUST_USE enum auth_outcome auth_check(struct auth *auth, struct api_key *ret_key,
                                      int64_t *ret_retry_s, const struct http_request *request);
// Counts a failure of another kind (a webhook signature). False where there were too many.
MUST_USE bool auth_count_failure(struct auth *auth, int64_t *ret_retry_s,
                                 const struct http_peer *peer);
