// SPDX-License-Identifier: Apache-2.0
// What an answer means for its endpoint: counters, rests with exponential back-off, quarantine.
#include "chain/pool.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#define HTTP_TOO_MANY     429
#define HTTP_TIMEOUT      408
#define HTTP_SERVER_FAULT 500

enum rpc_class reply_class(const struct rpc_reply *reply)
{
    enum rpc_class rpc_class = RPC_UNKNOWN;
    if (reply->kind == RPC_ERROR || reply->code != 0)
        rpc_class = rpc_classify(reply->code, reply->message, reply->data);
    if (rpc_class == RPC_UNKNOWN && reply->data_text)
        rpc_class = rpc_classify(0, reply->data_text, reply->data);
    if (rpc_class == RPC_UNKNOWN && reply->http_status == HTTP_TOO_MANY)
        rpc_class = RPC_RATE_LIMITED;
    if (rpc_class == RPC_UNKNOWN &&
        (reply->http_status == HTTP_TIMEOUT || reply->http_status >= HTTP_SERVER_FAULT))
        rpc_class = RPC_TRANSIENT;
    return rpc_class;
}

static enum trouble trouble_of(const struct rpc_reply *reply)
{
    if (reply->kind == RPC_RESULT)
        return TROUBLE_NONE;
    if (reply->kind == RPC_NO_REPLY && reply->fault == HTTP_TOO_LARGE)
        return TROUBLE_TOO_LARGE;
    enum rpc_class rpc_class = reply_class(reply);
    if (rpc_class == RPC_RATE_LIMITED)
        return TROUBLE_RATE_LIMITED;
    if (reply->kind == RPC_NO_REPLY)
        return TROUBLE_FAILED;
    if (rpc_class == RPC_WRONG_CHAIN)
        return TROUBLE_WRONG_CHAIN;
    return rpc_class == RPC_TRANSIENT ? TROUBLE_BUSY : TROUBLE_NONE;
}

struct judgement pool_judge(const struct rpc_reply *replies, size_t count)
{
    struct judgement judgement = {0};
    for (size_t i = 0; i < count; i++) {
        enum trouble trouble = trouble_of(&replies[i]);
        if (trouble > judgement.trouble)
            judgement = (struct judgement){trouble, &replies[i]};
    }
    return judgement;
}

bool endpoint_is_ready(const struct pool *pool, const struct endpoint *endpoint)
{
    return clock_monotonic_ms(pool->clock) >= endpoint->resting_until_ms;
}

static void set_why(struct endpoint *endpoint, const char *why)
{
    snprintf(endpoint->health.why, sizeof endpoint->health.why, "%.*s",
             (int)sizeof endpoint->health.why - 1, why);
}

static void set_rest(struct pool *pool, struct endpoint *endpoint, int64_t rest_ms)
{
    endpoint->resting_until_ms = clock_monotonic_ms(pool->clock) + rest_ms;
    endpoint->checked = false;
    endpoint->rests_in_row++;
}

// Only the first rest of a row is worth a line.
static void rest(struct pool *pool, struct endpoint *endpoint, int64_t rest_ms)
{
    set_rest(pool, endpoint, rest_ms);
    if (endpoint->rests_in_row == 1)
        log_warn("rpc endpoint rests", {"endpoint", LOG_TEXT(endpoint->health.name)},
                 {"why", LOG_TEXT(endpoint->health.why)}, {"rest_ms", LOG_INT(rest_ms)});
}

static int64_t back_off_ms(const struct endpoint *endpoint)
{
    int64_t rest_ms = ENDPOINT_REST_MS_MIN;
    for (int i = 0; i < endpoint->rests_in_row && rest_ms < ENDPOINT_REST_MS_MAX; i++)
        rest_ms *= 2;
    return rest_ms < ENDPOINT_REST_MS_MAX ? rest_ms : ENDPOINT_REST_MS_MAX;
}

static void note_failure(struct pool *pool, struct endpoint *endpoint, const char *why,
                         int failures_max)
{
    set_why(endpoint, why);
    endpoint->health.failures++;
    endpoint->failures_in_row++;
    // One that has yet to prove its chain gets one chance at a time.
    if (endpoint->failures_in_row >= failures_max || !endpoint->checked)
        rest(pool, endpoint, back_off_ms(endpoint));
}

// A spent daily or monthly quota is not back in a second.
static bool is_capacity(const struct rpc_reply *reply)
{
    return strcasestr(reply->message, "monthly") || strcasestr(reply->message, "daily");
}

static void note_rate_limit(struct pool *pool, struct endpoint *endpoint,
                            const struct rpc_reply *reply)
{
    set_why(endpoint, reply->message);
    endpoint->health.rate_limited++;
    int64_t rest_ms = back_off_ms(endpoint);
    if (reply->retry_after_ms > 0)
        rest_ms = reply->retry_after_ms;
    // No answer takes an endpoint out for longer than a spent quota does.
    if (is_capacity(reply) || rest_ms > ENDPOINT_CAPACITY_MS)
        rest_ms = ENDPOINT_CAPACITY_MS;
    rest(pool, endpoint, rest_ms);
}

static void note_success(struct endpoint *endpoint)
{
    if (endpoint->rests_in_row > 0)
        log_info("rpc endpoint is back", {"endpoint", LOG_TEXT(endpoint->health.name)});
    endpoint->failures_in_row = 0;
    endpoint->rests_in_row = 0;
}

void pool_note(struct pool *pool, struct endpoint *endpoint, struct judgement judgement)
{
    switch (judgement.trouble) {
    case TROUBLE_NONE:
        note_success(endpoint);
        break;
    case TROUBLE_TOO_LARGE:
        set_why(endpoint, "response over the limit");
        break;
    case TROUBLE_BUSY:
        note_failure(pool, endpoint, judgement.cause->message, ENDPOINT_BUSY_MAX);
        break;
    case TROUBLE_FAILED:
        note_failure(pool, endpoint, judgement.cause->message, ENDPOINT_FAILURES_MAX);
        break;
    case TROUBLE_RATE_LIMITED:
        note_rate_limit(pool, endpoint, judgement.cause);
        break;
    case TROUBLE_WRONG_CHAIN:
        pool_quarantine(pool, endpoint, judgement.cause->message);
        break;
    }
}

void pool_note_malformed(struct pool *pool, struct endpoint *endpoint)
{
    note_failure(pool, endpoint, "malformed answer", ENDPOINT_FAILURES_MAX);
}

bool pool_note_head(struct pool *pool, struct endpoint *endpoint, int64_t number)
{
    if (number < endpoint->health.head_number - ENDPOINT_HEAD_BACK_MAX) {
        pool_quarantine(pool, endpoint, "its head went back too far");
        return false;
    }
    endpoint->health.head_number = number;
    return true;
}

void pool_quarantine(struct pool *pool, struct endpoint *endpoint, const char *why)
{
    set_why(endpoint, why);
    endpoint->health.failures++;
    endpoint->failures_in_row++;
    endpoint->health.head_number = -1; // its head is not believed either
    set_rest(pool, endpoint, ENDPOINT_QUARANTINE_MS);
    log_warn("rpc endpoint in quarantine", {"endpoint", LOG_TEXT(endpoint->health.name)},
             {"why", LOG_TEXT(endpoint->health.why)});
}
