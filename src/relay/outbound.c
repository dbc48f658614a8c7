// SPDX-License-Identifier: Apache-2.0
// Outbound webhooks: one thread that posts what is due and records what came of it.
#include "relay/outbound.h"

#include "base/hex.h"
#include "base/log.h"
#include "net/http_client.h"
#include "net/webhook_signature.h"
#include "store/outbox.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OUTBOUND_CONCURRENT_MAX 16
#define DELIVERY_TIMEOUT_MS     15000
#define RESPONSE_BYTES_MAX      65536 // of the body, which is not looked at
#define URL_BYTES_MAX           2048
#define ROUND_ARENA_BYTES_MAX   (16 << 20)
#define HEADERS_COUNT           3
#define JITTER_DIVISOR          10 // up to a tenth of the delay on top

// Delays before the second, third, ... try; after the last the message is dead.
static const int64_t retry_delays_ms[] = {
    5 * 1000,         5 * 60 * 1000,    30 * 60 * 1000,   2 * 3600 * 1000,  5 * 3600 * 1000,
    10 * 3600 * 1000, 14 * 3600 * 1000, 20 * 3600 * 1000, 24 * 3600 * 1000,
};
#define RETRIES_MAX (sizeof retry_delays_ms / sizeof retry_delays_ms[0])

struct outbound {
    struct store *store;
    struct wake *wake;
    const struct clock *clock, *stamp_clock;
    const struct random_source *random;
    char *url;
    struct webhook_secrets secrets;
    int64_t poll_interval_ms;
    struct http_client *client;
    struct arena *arena; // of one round
    atomic_bool stopping;
    pthread_t thread;
};

enum verdict { DELIVERED, FAILED, DEAD };

struct delivery {
    const struct outbox_message *message;
    enum verdict verdict;
    int64_t due_ms;
    char why[JOB_REASON_SIZE];
};

// --- payload ---

static const char *time_text(struct arena *arena, int64_t at_ms)
{
    char seconds[32];
    struct tm parts;
    time_t at_s = (time_t)(at_ms / 1000);
    if (gmtime_r(&at_s, &parts) == NULL ||
        strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return NULL;
    return arena_printf(arena, "%s.%03dZ", seconds, (int)(at_ms % 1000));
}

static json_t *hash_json(const struct hash32 *hash, bool known)
{
    char text[HEX_TEXT_SIZE(sizeof hash->bytes)];
    if (!known)
        return json_null();
    hex_encode(text, (struct bytes){hash->bytes, sizeof hash->bytes});
    return json_string(text);
}

static json_t *address_json(const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_zero(address))
        return json_null();
    address_format(text, address);
    return json_string(text);
}

// Ids and amounts are texts: JSON readers round large numbers.
static json_t *data_json(const struct outbox_message *message)
{
    const struct job *job = &message->job;
    const struct inclusion_brief *inclusion = &message->inclusion;
    char id[24], usdc[USDC_TEXT_SIZE], sge[SGE_TEXT_SIZE];
    snprintf(id, sizeof id, "%" PRId64, job->id);
    usdc_format_units(usdc, job->usdc);
    sge_format_units(sge, job->sge);
    // "o" takes over its value and fails where it is NULL.
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:s}", "job", id,
                     "kind", job_kind_text(job->kind), "payout_id",
                     hash_json(&job->payout_id, !hash32_is_zero(&job->payout_id)), "child",
                     address_json(&job->child), "referrer", address_json(&job->referrer), "usdc",
                     usdc, "sge", sge, "state", job_state_text(job->state), "outcome",
                     job_outcome_text(job->outcome), "transaction",
                     hash_json(&inclusion->transaction_hash, inclusion->known), "block",
                     inclusion->known ? json_integer(inclusion->block_number) : json_null(),
                     "reason", job->reason);
}

static bool payload(struct bytes *ret_payload, const struct outbox_message *message,
                    struct arena *arena)
{
    json_t *root =
        json_pack("{s:s, s:I, s:s?, s:o}", "type", message->type, "seq", (json_int_t)message->id,
                  "timestamp", time_text(arena, message->created_ms), "data", data_json(message));
    char *text = root == NULL ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    const char *kept = text == NULL ? NULL : arena_copy_text(arena, text);
    free(text);
    if (kept == NULL)
        return false;
    *ret_payload = bytes_of_text(kept);
    return true;
}

// --- one round ---

static bool headers(const char *const **ret_headers, const struct outbound *outbound,
                    const struct outbox_message *message, struct bytes body)
{
    char signature[WEBHOOK_SIGNATURE_SIZE];
    int64_t now_s = clock_wall_ms(outbound->stamp_clock) / 1000;
    if (!webhook_sign(signature, &outbound->secrets, message->webhook_id, now_s, body))
        return false;
    const char **lines = arena_alloc_array(outbound->arena, HEADERS_COUNT + 1, sizeof *lines);
    if (lines == NULL)
        return false;
    lines[0] = arena_printf(outbound->arena, "webhook-id: %s", message->webhook_id);
    lines[1] = arena_printf(outbound->arena, "webhook-timestamp: %" PRId64, now_s);
    lines[2] = arena_printf(outbound->arena, "webhook-signature: %s", signature);
    *ret_headers = lines;
    return lines[0] != NULL && lines[1] != NULL && lines[2] != NULL;
}

static bool request_for(struct http_request *ret_request, const struct outbound *outbound,
                        const struct outbox_message *message)
{
    struct http_request request = {.url = outbound->url,
                                   .content_type = "application/json",
                                   .timeout_ms = DELIVERY_TIMEOUT_MS,
                                   .response_bytes_max = RESPONSE_BYTES_MAX};
    if (!payload(&request.body, message, outbound->arena) ||
        !headers(&request.headers, outbound, message, request.body))
        return false;
    *ret_request = request;
    return true;
}

static int64_t next_due_ms(const struct outbound *outbound, int32_t tries, int64_t retry_after_ms)
{
    int64_t delay_ms = retry_delays_ms[tries];
    delay_ms += (int64_t)random_below(outbound->random, (uint64_t)(delay_ms / JITTER_DIVISOR) + 1);
    if (retry_after_ms > delay_ms)
        delay_ms = retry_after_ms;
    return clock_wall_ms(outbound->clock) + delay_ms;
}

static struct delivery judge(const struct outbound *outbound, const struct outbox_message *message,
                             const struct http_response *response)
{
    struct delivery delivery = {.message = message, .verdict = DELIVERED};
    bool answered = response->fault == HTTP_FINE;
    if (answered && response->status >= 200 && response->status <= 299)
        return delivery;
    if (answered)
        snprintf(delivery.why, sizeof delivery.why, "HTTP status %d", response->status);
    else
        snprintf(delivery.why, sizeof delivery.why, "%s", response->error);
    bool wanted = !(answered && response->status == 410) && message->tries >= 0 &&
                  (size_t)message->tries < RETRIES_MAX;
    delivery.verdict = wanted ? FAILED : DEAD;
    delivery.due_ms = wanted ? next_due_ms(outbound, message->tries, response->retry_after_ms)
                             : clock_wall_ms(outbound->clock);
    return delivery;
}

static bool post_all(struct delivery *ret_deliveries, const struct outbound *outbound,
                     const struct outbox_message *messages, size_t count)
{
    struct http_request requests[OUTBOUND_CONCURRENT_MAX];
    struct http_response responses[OUTBOUND_CONCURRENT_MAX];
    for (size_t i = 0; i < count; i++) {
        if (!request_for(&requests[i], outbound, &messages[i]))
            return false;
    }
    if (!http_client_run(outbound->client, responses, requests, count, outbound->arena))
        return false;
    for (size_t i = 0; i < count; i++)
        ret_deliveries[i] = judge(outbound, &messages[i], &responses[i]);
    return true;
}

// --- recording ---

struct record_work {
    struct store_work work; // first
    const struct delivery *deliveries;
    size_t count;
};

static enum status record_one(struct store_tx *tx, const struct delivery *delivery)
{
    int64_t id = delivery->message->id;
    enum status status =
        delivery->verdict == DELIVERED
            ? outbox_delivered(tx, id)
            : outbox_failed(tx, id, delivery->due_ms, delivery->verdict == DEAD, delivery->why);
    // Settled by somebody else meanwhile, which is no reason to undo the rest of the group.
    return status == STATUS_CONFLICT ? STATUS_OK : status;
}

static enum status record_run(struct store_tx *tx, struct store_work **works, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        const struct record_work *record = (const struct record_work *)works[i];
        for (size_t k = 0; k < record->count && status == STATUS_OK; k++)
            status = record_one(tx, &record->deliveries[k]);
    }
    return status;
}

static void log_delivery(const struct delivery *delivery)
{
    if (delivery->verdict == DELIVERED)
        return;
    log_write(delivery->verdict == DEAD ? LOG_ERROR : LOG_WARN,
              delivery->verdict == DEAD ? "a webhook to the merchant is given up"
                                        : "a webhook to the merchant failed; it is sent again",
              (const struct log_field[]){{"webhook", LOG_TEXT(delivery->message->webhook_id)},
                                         {"why", LOG_TEXT(delivery->why)},
                                         {"tries", LOG_INT(delivery->message->tries + 1)}},
              3);
}

static void pause_round(struct outbound *outbound, const char *message, enum status status)
{
    log_error(message, {"status", LOG_TEXT(status_text(status))});
    wake_wait(outbound->wake, outbound->poll_interval_ms);
}

// Until it is on disk nothing more is posted: the same messages would go out again and again.
static void record(struct outbound *outbound, const struct delivery *deliveries, size_t count)
{
    static const struct store_work_kind kind = {"outbound webhooks", record_run};
    while (!atomic_load(&outbound->stopping)) {
        struct record_work work = {
            .work = {.kind = &kind}, .deliveries = deliveries, .count = count};
        enum status status = store_write(outbound->store, &work.work);
        if (status == STATUS_OK) {
            for (size_t i = 0; i < count; i++)
                log_delivery(&deliveries[i]);
            return;
        }
        pause_round(outbound, "what became of outbound webhooks cannot be recorded", status);
    }
}

// --- the thread ---

// What is due, and when something will be where nothing is.
static enum status read_due(struct outbound *outbound, struct outbox_message **ret_messages,
                            size_t *ret_count, int64_t *ret_next_due_ms)
{
    struct store_tx *snapshot;
    enum status status = store_read(&snapshot, outbound->store);
    if (status != STATUS_OK)
        return status;
    status = outbox_due(snapshot, ret_messages, ret_count, clock_wall_ms(outbound->clock),
                        OUTBOUND_CONCURRENT_MAX, outbound->arena);
    if (status == STATUS_OK && *ret_count == 0)
        status = outbox_next_due_ms(snapshot, ret_next_due_ms);
    store_read_end(snapshot);
    return status;
}

static void wait_until(const struct outbound *outbound, int64_t due_ms)
{
    int64_t now_ms = clock_wall_ms(outbound->clock);
    int64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    wake_wait(outbound->wake,
              left_ms < outbound->poll_interval_ms ? left_ms : outbound->poll_interval_ms);
}

static void run_round(struct outbound *outbound)
{
    struct outbox_message *messages = NULL;
    size_t count = 0;
    int64_t due_ms = 0;
    struct delivery deliveries[OUTBOUND_CONCURRENT_MAX];
    arena_reset(outbound->arena);
    enum status status = read_due(outbound, &messages, &count, &due_ms);
    if (status != STATUS_OK)
        pause_round(outbound, "outbound webhooks cannot be read", status);
    else if (count == 0)
        wait_until(outbound, due_ms);
    else if (post_all(deliveries, outbound, messages, count))
        record(outbound, deliveries, count);
    else
        pause_round(outbound, "outbound webhooks cannot be posted", STATUS_NO_MEMORY);
}

static void *run(void *context)
{
    struct outbound *outbound = context;
    while (!atomic_load(&outbound->stopping))
        run_round(outbound);
    return NULL;
}

// http or https with a host, no blanks. Private addresses are fine: the URL is the operator's own.
static bool url_is_fine(const char *url)
{
    size_t size = strnlen(url, URL_BYTES_MAX + 1);
    const char *host = strncmp(url, "http://", 7) == 0    ? url + 7
                       : strncmp(url, "https://", 8) == 0 ? url + 8
                                                          : NULL;
    if (size > URL_BYTES_MAX || host == NULL || strcspn(host, "/?#") == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (url[i] <= ' ' || url[i] > '~')
            return false;
    }
    return true;
}

// Takes half-built ones.
static void outbound_free(struct outbound *outbound)
{
    if (outbound == NULL)
        return;
    bytes_wipe(&outbound->secrets, sizeof outbound->secrets);
    http_client_free(outbound->client);
    arena_free(outbound->arena);
    free(outbound->url);
    free(outbound);
}

static struct outbound *outbound_new(const struct outbound_options *options)
{
    struct outbound *outbound = calloc(1, sizeof *outbound);
    if (outbound == NULL)
        return NULL;
    outbound->store = options->store;
    outbound->wake = options->wake;
    outbound->clock = options->clock;
    outbound->stamp_clock = options->stamp_clock;
    outbound->random = options->random;
    outbound->poll_interval_ms = options->poll_interval_ms;
    outbound->url = strdup(options->url);
    outbound->client = http_client_new();
    outbound->arena = arena_new(ROUND_ARENA_BYTES_MAX);
    if (outbound->url == NULL || outbound->client == NULL || outbound->arena == NULL) {
        outbound_free(outbound);
        return NULL;
    }
    return outbound;
}

enum status outbound_start(struct outbound **ret_outbound, const struct outbound_options *options)
{
    struct webhook_secrets secrets;
    if (!url_is_fine(options->url) ||
        !webhook_secrets_parse(&secrets, WEBHOOK_STANDARD, options->secret))
        return STATUS_INVALID;
    struct outbound *outbound = outbound_new(options);
    if (outbound != NULL)
        outbound->secrets = secrets;
    bytes_wipe(&secrets, sizeof secrets);
    if (outbound == NULL || pthread_create(&outbound->thread, NULL, run, outbound) != 0) {
        outbound_free(outbound);
        return STATUS_NO_MEMORY;
    }
    *ret_outbound = outbound;
    return STATUS_OK;
}

void outbound_stop(struct outbound *outbound)
{
    if (outbound == NULL)
        return;
    atomic_store(&outbound->stopping, true);
    wake_signal(outbound->wake);
    pthread_join(outbound->thread, NULL);
    outbound_free(outbound);
}
