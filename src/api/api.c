// SPDX-License-Identifier: Apache-2.0
// Starts and stops the API, and takes each request from its first check to its handler.
#include "api/api.h"

#include "api/call.h"
#include "api/metrics.h"
#include "api/route.h"
#include "base/hex.h"
#include "base/log.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#define TRACEPARENT_SIZE 55 // 00-<32 hex>-<16 hex>-<2 hex>

// ---- trace ids

static bool trace_of_header(struct trace_id *ret_trace, const char *value)
{
    static const uint8_t zero[16];
    char hex[33];
    uint8_t bytes[16];
    if (!value || strlen(value) < TRACEPARENT_SIZE || strncmp(value, "ff", 2) == 0 ||
        value[2] != '-' || value[35] != '-')
        return false;
    memcpy(hex, value + 3, 32);
    hex[32] = 0;
    // W3C: lower case only. hex_decode would also take "0x" in front.
    if (strspn(hex, "0123456789abcdef") != 32 || !hex_decode(bytes, sizeof bytes, hex) ||
        memcmp(bytes, zero, sizeof zero) == 0)
        return false;
    memcpy(ret_trace->bytes, bytes, sizeof bytes);
    return true;
}

static void take_trace(struct call *call)
{
    char hex[HEX_TEXT_SIZE(16)];
    const char *header = http_header_value(call->request, "traceparent");
    if (!trace_of_header(&call->trace, header))
        random_fill(call->api->random, call->trace.bytes, sizeof call->trace.bytes);
    hex_encode(hex, (struct bytes){call->trace.bytes, sizeof call->trace.bytes});
    memcpy(call->trace_text, hex + 2, sizeof call->trace_text);
}

// ---- from request to handler

static bool take_route(struct call *call)
{
    const char *allow;
    const char *value;
    size_t value_size;
    call->route = route_find(&allow, &value, &value_size, call->arena, call->request->method,
                             call->request->path);
    if (!call->route) {
        call_refuse(call, allow ? PROBLEM_METHOD_NOT_ALLOWED : PROBLEM_ROUTE_UNKNOWN, allow);
        return false;
    }
    call->path_value = value ? http_decode(call->arena, value, value_size, false) : NULL;
    if (value && !call->path_value)
        call_refuse(call, PROBLEM_PATH_MALFORMED, NULL);
    return !value || call->path_value;
}

static enum problem problem_of_auth(enum auth_outcome outcome)
{
    switch (outcome) {
    case AUTH_FINE:
        return PROBLEM_NONE;
    case AUTH_MISSING:
        return PROBLEM_KEY_MISSING;
    case AUTH_MALFORMED:
        return PROBLEM_KEY_MALFORMED;
    case AUTH_UNKNOWN:
        return PROBLEM_KEY_UNKNOWN;
    case AUTH_TOO_MANY:
        return PROBLEM_AUTH_RATE;
    case AUTH_STORE:
        return PROBLEM_STORE_DOWN;
    }
    return PROBLEM_KEY_UNKNOWN;
}

static const char *scope_text(enum scope scope)
{
    switch (scope) {
    case SCOPE_READ:
        return "scope read";
    case SCOPE_WRITE:
        return "scope write";
    case SCOPE_ADMIN:
        return "scope admin";
    }
    return "scope";
}

static bool take_key(struct call *call)
{
    struct api *api = call->api;
    unsigned scope = (unsigned)call->route->scope;
    if (scope == 0)
        return true;
    enum problem problem =
        problem_of_auth(auth_check(api->auth, &call->key, &call->retry_s, call->request));
    if (problem != PROBLEM_NONE) {
        call_refuse(call, problem, NULL);
        return false;
    }
    if (!rate_take(api->key_rate, &call->retry_s, (uint64_t)call->key.id,
                   clock_monotonic_ms(api->clock))) {
        call_refuse(call, PROBLEM_KEY_RATE, NULL);
        return false;
    }
    if (call->key.scopes & (scope | (unsigned)SCOPE_ADMIN))
        return true;
    call_refuse(call, PROBLEM_SCOPE_MISSING, scope_text(call->route->scope));
    return false;
}

static bool is_listed(const char *const *names, const char *name)
{
    while (names && *names && strcmp(*names, name) != 0)
        names++;
    return names && *names;
}

// Whether a parameter of that name stands in the query from there on.
static bool comes_again(struct call *call, const char *cursor, const char *name)
{
    char *other;
    char *value;
    while (http_query_next(&cursor, &other, &value, call->arena))
        if (other && strcmp(other, name) == 0)
            return true;
    return false;
}

// The route lists the few names there are, so the query is gone through a few times at most.
static bool check_parameters(struct call *call)
{
    const char *cursor = call->request->query;
    char *name;
    char *value;
    if (!*cursor || call->route->scope == 0)
        return true;
    while (http_query_next(&cursor, &name, &value, call->arena)) {
        bool listed = name && is_listed(call->route->parameters, name);
        if (listed && !comes_again(call, cursor, name))
            continue;
        call_refuse(call, listed ? PROBLEM_PARAMETER_INVALID : PROBLEM_PARAMETER_UNKNOWN,
                    name ? arena_printf(call->arena, "parameter %s%s", name,
                                        listed ? " stands more than once" : "")
                         : NULL);
        return false;
    }
    return true;
}

static struct hash32 digest_of_request(const struct http_request *request)
{
    struct hash32 digest;
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, strlen(request->method) + 1, (const uint8_t *)request->method);
    sha256_update(&context, strlen(request->path) + 1, (const uint8_t *)request->path);
    sha256_update(&context, request->body.size, request->body.data);
    sha256_digest(&context, sizeof digest.bytes, digest.bytes);
    return digest;
}

static bool take_idempotency_key(struct call *call)
{
    size_t count =
        call->route->idempotent ? http_header_count(call->request, "Idempotency-Key") : 0;
    if (count == 0)
        return true;
    const char *key = http_header_value(call->request, "Idempotency-Key");
    if (count > 1 || !input_is_id(key, IDEMPOTENCY_KEY_SIZE - 1)) {
        call_refuse(call, PROBLEM_IDEMPOTENCY_KEY, NULL);
        return false;
    }
    call->idempotency_key = key;
    call->running = (struct running_entry){.api_key_id = call->key.id, .key = key};
    call->digest = digest_of_request(call->request);
    return true;
}

static struct call *new_call(struct http_request *request, struct api *api)
{
    struct call *call = arena_alloc(request->arena, sizeof *call);
    if (!call)
        return NULL;
    call->api = api;
    call->request = request;
    call->arena = request->arena;
    request->user = call;
    take_trace(call);
    return call;
}

static void reply_no_memory(struct http_request *request)
{
    http_reply(request, &(struct http_response){.status = 503, .close = true});
}

static void on_request(struct http_request *request, void *context)
{
    struct call *call = new_call(request, context);
    if (!call) {
        reply_no_memory(request);
        return;
    }
    if (take_route(call) && take_key(call) && check_parameters(call) && take_idempotency_key(call))
        call->route->handle(call);
}

static enum problem problem_of_refusal(enum http_refusal refusal)
{
    switch (refusal) {
    case HTTP_BAD_FRAMING:
        return PROBLEM_BAD_FRAMING;
    case HTTP_BODY_TOO_LARGE:
        return PROBLEM_BODY_TOO_LARGE;
    case HTTP_URI_TOO_LONG:
        return PROBLEM_URI_TOO_LONG;
    case HTTP_HEADERS_TOO_LARGE:
        return PROBLEM_HEADERS_TOO_LARGE;
    case HTTP_NO_MEMORY:
        return PROBLEM_NO_MEMORY;
    case HTTP_STOPPING:
        return PROBLEM_STOPPING;
    }
    return PROBLEM_BAD_FRAMING;
}

static void on_refused(struct http_request *request, enum http_refusal refusal, void *context)
{
    struct call *call = new_call(request, context);
    if (call)
        call_refuse(call, problem_of_refusal(refusal), NULL);
    else
        reply_no_memory(request);
}

static void on_end(struct http_request *request, void *context)
{
    struct call *call = request->user;
    (void)context;
    if (call)
        json_decref(call->body);
}

// ---- start and stop

#define STRING_OF_(x) #x
#define STRING_OF(x)  STRING_OF_(x)
#define TEXT_SECRET_WANTED                                                                         \
    STRING_OF(WEBHOOK_SECRET_BYTES_MIN)                                                            \
    " to " STRING_OF(WEBHOOK_SECRET_BYTES_MAX) " printable ASCII characters without spaces"

static bool parse_secrets(struct api *api, const struct api_options *options)
{
    const struct {
        const char *setting, *text;
        enum webhook_form form;
        const char *wanted;
    } forms[] = {
        {"STANDARD_WEBHOOK_SECRET", options->standard_secrets, WEBHOOK_STANDARD,
         "whsec_ and base64 of 24 to 64 bytes"},
        {"STRIPE_WEBHOOK_SECRET", options->stripe_secrets, WEBHOOK_STRIPE, TEXT_SECRET_WANTED},
        {"COINBASE_COMMERCE_WEBHOOK_SECRET", options->coinbase_commerce_secrets,
         WEBHOOK_COINBASE_COMMERCE, TEXT_SECRET_WANTED},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (!forms[i].text)
            continue;
        if (!webhook_secrets_parse(&api->secrets[forms[i].form], forms[i].form, forms[i].text)) {
            log_error("a webhook secret is malformed", {"setting", LOG_TEXT(forms[i].setting)},
                      {"wanted", LOG_TEXT(forms[i].wanted)});
            return false;
        }
    }
    return true;
}

static void free_api(struct api *api)
{
    auth_free(api->auth);
    rate_free(api->key_rate);
    running_free(api->running);
    bytes_wipe(api->secrets, sizeof api->secrets);
    free(api);
}

static bool copy_refused(struct api *api, const struct api_options *options)
{
    if (options->refused_count > API_REFUSED_MAX) {
        log_error("too many addresses are refused as wallets",
                  {"count", LOG_INT((int64_t)options->refused_count)},
                  {"max", LOG_INT(API_REFUSED_MAX)});
        return false;
    }
    for (size_t i = 0; i < options->refused_count; i++)
        api->refused_addresses[i] = options->refused[i];
    api->refused = (struct refused){api->refused_addresses, options->refused_count};
    return true;
}

static struct api *new_api(const struct api_options *options)
{
    struct api *api = calloc(1, sizeof *api);
    if (!api)
        return NULL;
    *api = (struct api){.store = options->store,
                        .clock = options->clock,
                        .random = options->random,
                        .readiness = options->readiness,
                        .readiness_context = options->readiness_context};
    api->auth =
        auth_new(options->store, options->clock, options->random, options->failed_auth_rate_max);
    api->key_rate = rate_new(options->key_rate_max);
    api->running = running_new();
    if (api->auth && api->key_rate && api->running)
        return api;
    free_api(api);
    return NULL;
}

static enum status start_server(struct api *api, const struct api_options *options)
{
    struct http_server_options server = {.listen = options->listen,
                                         .threads = options->threads,
                                         .clock = options->clock,
                                         .on_request = on_request,
                                         .on_refused = on_refused,
                                         .on_end = on_end,
                                         .context = api};
    enum status status = http_server_start(&api->server, &server);
    if (status == STATUS_INVALID)
        log_error("the listen address is malformed", {"listen", LOG_TEXT(options->listen)});
    return status;
}

enum status api_start(struct api **ret_api, const struct api_options *options)
{
    struct api *api = new_api(options);
    if (!api)
        return STATUS_NO_MEMORY;
    json_object_seed(0); // once, before threads race for it
    metrics_start();
    enum status status =
        copy_refused(api, options) && parse_secrets(api, options) ? STATUS_OK : STATUS_INVALID;
    if (status == STATUS_OK)
        status = start_server(api, options);
    if (status != STATUS_OK) {
        free_api(api);
        return status;
    }
    *ret_api = api;
    return STATUS_OK;
}

void api_stop(struct api *api, int64_t timeout_ms)
{
    if (!api)
        return;
    http_server_stop(api->server, timeout_ms);
    free_api(api);
}

int api_port(const struct api *api)
{
    return http_server_port(api->server);
}
