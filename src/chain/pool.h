// SPDX-License-Identifier: Apache-2.0
// The pool of RPC endpoints: which to ask, fail-over, rests, quarantine. Used inside src/chain
// only.
#pragma once

#include "chain/chain.h"
#include "net/json_rpc.h"

#define ENDPOINT_FAILURES_MAX   3   // in a row, then it rests
#define ENDPOINT_BUSY_MAX       10  // "cannot say now" in a row, then it rests
#define ENDPOINT_REST_MS_MIN    500 // doubled with each rest in a row
#define ENDPOINT_REST_MS_MAX    15000
#define ENDPOINT_CAPACITY_MS    3600000 // out for an hour when a daily or monthly quota is spent
#define ENDPOINT_QUARANTINE_MS  600000  // wrong chain or a lie; then its chain is checked again
#define ENDPOINT_PROBE_MS_MAX   1500    // what an endpoint gets to prove its chain
#define ENDPOINT_HEAD_BACK_MAX  64      // blocks; a head further back is of another history
#define POOL_HEADS_INTERVAL_MS  5000    // every endpoint is asked for its head this often
#define POOL_SCRATCH_KEPT_BYTES ((size_t)8 << 20)
#define POOL_SCRATCH_BYTES_MAX  ((size_t)(CHAIN_ENDPOINTS_MAX + 4) * RPC_RESPONSE_BYTES_MAX)

struct endpoint {
    char *url; // holds keys: never printed
    struct endpoint_health health;
    int64_t resting_until_ms;
    int failures_in_row;
    int rests_in_row;
    bool checked; // has said our chain id since its last trouble
};

struct pool {
    struct http_client *http;
    struct arena *scratch; // of the running call: requests, bodies, replies
    const struct clock *clock;
    int64_t timeout_ms;
    int64_t heads_due_ms;
    uint64_t chain_id;
    struct endpoint *answered; // the last one whose answer read well
    size_t count;
    struct endpoint endpoints[CHAIN_ENDPOINTS_MAX];
};

// What a whole answer says about the endpoint, least first.
enum trouble {
    TROUBLE_NONE,
    TROUBLE_TOO_LARGE,    // we asked for too much at once
    TROUBLE_BUSY,         // RPC_TRANSIENT
    TROUBLE_FAILED,       // transport or form
    TROUBLE_RATE_LIMITED, // and for how long
    TROUBLE_WRONG_CHAIN,
};
struct judgement {
    enum trouble trouble;
    const struct rpc_reply *cause; // NULL with TROUBLE_NONE
};

MUST_USE bool pool_open(struct pool *ret_pool, const struct chain_options *options);
void pool_close(struct pool *pool);

// Empties the scratch arena; false when memory is out. At the start of every call.
MUST_USE bool pool_begin(struct pool *pool);

// One question to the best endpoint, then to the next ones until an answer reads well.
struct pool_query {
    const struct rpc_call *calls;
    size_t count;
    bool any_chain; // ask without a check, and resting ones as well where none is ready
    bool splits;    // the caller asks again for fewer: STATUS_LIMIT is for it
    void *context;
    // Reads the answers: STATUS_OK; STATUS_UNAVAILABLE: it cannot say, ask another;
    // STATUS_CORRUPT: malformed; STATUS_CONFLICT: not what was asked, it lies; STATUS_NO_MEMORY.
    enum status (*read)(void *context, const struct rpc_reply *replies, size_t count);
};
// As chain.h says; with `splits` also STATUS_LIMIT where the answer to several calls was too large.
enum status pool_ask(struct pool *pool, const struct pool_query *query);

// The endpoints that may be asked now, best first, their chain proven.
MUST_USE bool pool_ready(struct pool *pool, struct endpoint *ret_endpoints[CHAIN_ENDPOINTS_MAX],
                         size_t *ret_count);
// The same calls to several endpoints at once; ret_replies[e * calls_count + c]. Judges nothing.
MUST_USE bool pool_ask_all(struct pool *pool, struct rpc_batch *ret_batches,
                           struct rpc_reply *ret_replies, struct endpoint *const *endpoints,
                           size_t endpoints_count, const struct rpc_call *calls,
                           size_t calls_count);

// The class of an error reply, or of an HTTP status without one.
enum rpc_class reply_class(const struct rpc_reply *reply);
struct judgement pool_judge(const struct rpc_reply *replies, size_t count);
// Books an answer: counters, rests, recovery.
void pool_note(struct pool *pool, struct endpoint *endpoint, struct judgement judgement);
void pool_note_malformed(struct pool *pool, struct endpoint *endpoint);
// Books the endpoint's head. False, and it is in quarantine, where the head went back too far.
MUST_USE bool pool_note_head(struct pool *pool, struct endpoint *endpoint, int64_t number);
void pool_quarantine(struct pool *pool, struct endpoint *endpoint, const char *why);

bool endpoint_is_ready(const struct pool *pool, const struct endpoint *endpoint);
