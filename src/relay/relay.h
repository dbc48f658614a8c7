// SPDX-License-Identifier: Apache-2.0
// The relayer: lanes that claim jobs, sign, persist, send, track and confirm; and the outbound
// webhooks. Started and stopped as one thing.
#pragma once

#include "base/random.h"
#include "chain/chain.h"
#include "queue/wake.h"
#include "signer/signer.h"
#include "store/store.h"

struct relay_options {
    struct store *store;
    struct signer *signer;
    struct wake *wake;
    const struct clock *clock;
    const struct random_source *random;
    const char *holder; // names this process in leases

    const char *const *urls; // RPC endpoints
    size_t urls_count;
    int64_t rpc_timeout_ms;
    uint64_t chain_id;
    struct address registry, payout, identity, usdc, sge; // zero: not in use

    int64_t confirmations;     // FINALITY=depth
    enum block_tag finality;   // BLOCK_LATEST: by depth; BLOCK_SAFE, BLOCK_FINALIZED
    size_t finality_endpoints; // that agree on what is final; at most urls_count
    int64_t window;            // slots in flight per lane
    int64_t batch_gas_max, batch_size_max;
    struct wei max_fee, max_priority_fee;
    int64_t poll_interval_ms, stuck_after_ms;
    int64_t retry_delay_ms, retry_delay_ms_max, tries_max;

    const char *outbound_url; // NULL: no outbound webhooks
    const char *outbound_secret;
};

struct relay;

// Starts the threads: one per lane, one for outbound webhooks. Checks the chain first:
// STATUS_CONFLICT where an endpoint serves another chain; STATUS_NOT_FOUND where a configured
// address holds no contract; STATUS_INVALID without a lane or with a malformed outbound URL or
// secret. Where no endpoint answers it starts all the same, so that payments are still taken in:
// the lanes ask again, and claim nothing before the check has passed. Kinds of jobs whose contract
// is not configured are held for "no_contract", so that they wait in sight.
MUST_USE enum status relay_start(struct relay **ret_relay, const struct relay_options *options);
// Ends the threads after their step, releases the leases. Takes NULL.
void relay_stop(struct relay *relay);
// False once a lane has had to stop for good (the store or the signer is gone).
bool relay_is_healthy(const struct relay *relay);
// As of the last steps: see struct lane_view.
bool relay_is_stalled(const struct relay *relay);
bool relay_is_degraded(const struct relay *relay);
