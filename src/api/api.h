// SPDX-License-Identifier: Apache-2.0
// The HTTP API: routes, handlers, auth, limits, webhook providers. Started and stopped as one.
#pragma once

#include "base/random.h"
#include "job/payout_id.h"
#include "store/store.h"

#define API_REFUSED_MAX 128

enum api_readiness {
    API_READY,
    API_DEGRADED, // ready, but somebody should look
    API_RELAY_STOPPED,
    API_CHAIN_STALLED, // payments are taken, nothing goes out
};

struct api_options {
    struct store *store;
    const struct clock *clock;
    const struct random_source *random;
    const char *listen;           // "address:port"; port 0: any free one (see api_port)
    int threads;                  // 2..64
    int64_t key_rate_max;         // requests per key per second
    int64_t failed_auth_rate_max; // per address per second
    const char *standard_secrets; // several separated by spaces or commas; NULL: form not in use
    const char *stripe_secrets;
    const char *coinbase_commerce_secrets;
    // Tokens, contracts and lanes: never a wallet. Copied; zero entries stand for none.
    const struct address *refused;
    size_t refused_count; // at most API_REFUSED_MAX
    // Readiness beyond the store (relayer in this process); NULL: none.
    enum api_readiness (*readiness)(void *context);
    void *readiness_context;
};

struct api;

// STATUS_INVALID: listen or a secret is malformed, or too many are refused (logged); STATUS_BUSY:
// the port is taken.
MUST_USE enum status api_start(struct api **ret_api, const struct api_options *options);
// Stops accepting, lets requests in flight finish, at most timeout_ms.
void api_stop(struct api *api, int64_t timeout_ms);
int api_port(const struct api *api);
