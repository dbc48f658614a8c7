// SPDX-License-Identifier: Apache-2.0
// The API from a request's first check to its write, without sockets and store: one answer each,
// always well-formed, and nothing is handed to the store that breaks a stated rule.
//
// The input is a request as text: "METHOD /path?query", header lines, an empty line, the body. The
// server, the store and the key check are stood in for by the linker's --wrap; the key is good.
#include "fuzz.h"

#include "api/api.h"
#include "api/call.h"
#include "api/payments.h"
#include "api/route.h"
#include "base/clock.h"
#include "job/program.h"
#include "net/http_server.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX 8
#define KEY_RATE    1000000000
#define SECRET      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const struct address refused_address = {{0xaa, 0xbb}};

static struct http_server_options server;
static const struct http_response *answered;
static int answers;

enum status __wrap_http_server_start(struct http_server **ret_server,
                                     const struct http_server_options *options);
void __wrap_http_reply(struct http_request *request, const struct http_response *response);
void __wrap_http_suspend(struct http_request *request);
void __wrap_http_wake(struct http_request *request, http_handler handler, void *context);
enum status __wrap_store_submit(struct store *store, struct store_work *work);
enum status __wrap_store_read(struct store_tx **ret_tx, struct store *store);
bool __wrap_store_is_healthy(const struct store *store);
void __wrap_store_statistics(struct store_statistics *ret_statistics, struct store *store);
enum auth_outcome __wrap_auth_check(struct auth *auth, struct api_key *ret_key,
                                    int64_t *ret_retry_s, const struct http_request *request);

enum status __wrap_http_server_start(struct http_server **ret_server,
                                     const struct http_server_options *options)
{
    server = *options;
    *ret_server = NULL;
    return STATUS_OK;
}

static bool is_known_status(int status)
{
    static const int known[] = {200, 201, 202, 204, 400, 401, 403, 404,
                                405, 409, 413, 415, 422, 429, 503};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == status)
            return true;
    return false;
}

static void check_problem(const json_t *root, int status)
{
    MUST(json_integer_value(json_object_get(root, "status")) == status);
    MUST(json_is_string(json_object_get(root, "code")));
    MUST(json_is_string(json_object_get(root, "title")));
}

static void check_body(const struct http_response *response)
{
    json_error_t error;
    if (!response->content_type || !strstr(response->content_type, "json"))
        return;
    json_t *root = json_loadb((const char *)response->body.data, response->body.size, 0, &error);
    MUST(root);
    if (strcmp(response->content_type, "application/problem+json") == 0)
        check_problem(root, response->status);
    json_decref(root);
}

void __wrap_http_reply(struct http_request *request, const struct http_response *response)
{
    (void)request;
    answers++;
    MUST(is_known_status(response->status));
    for (size_t i = 0; i < response->headers_count; i++)
        MUST(fuzz_is_printable(response->headers[i].value)); // no line of ours is split
    check_body(response);
    free(response->owned);
    answered = response;
}

void __wrap_http_suspend(struct http_request *request)
{
    (void)request;
}

void __wrap_http_wake(struct http_request *request, http_handler handler, void *context)
{
    handler(request, context);
}

static bool is_wallet(const struct address *address)
{
    return !address_is_zero(address) && !address_equal(address, &refused_address);
}

static void check_payment(const struct call *call)
{
    const struct payment_input *input = call->input;
    const json_t *amount = json_object_get(call->body, "amount");
    struct usdc exact;
    MUST(is_wallet(&input->child) && !usdc_is_zero(input->amount));
    MUST(input_is_id(input->payment_key, PAYMENT_KEY_SIZE - 1));
    MUST(!input->program_name || program_name_is_valid(input->program_name));
    if (json_is_string(amount))
        MUST(usdc_parse(&exact, json_string_value(amount)));
    else
        MUST(usdc_from_units(&exact, json_integer_value(amount)) && json_is_integer(amount));
    MUST(usdc_compare(exact, input->amount) == 0);
}

// What the store would be given.
enum status __wrap_store_submit(struct store *store, struct store_work *work)
{
    (void)store;
    const struct call *call = (const struct call *)work;
    MUST(call->apply && call->route->scope != 0);
    if (strcmp(call->route->method, "POST") == 0 && strcmp(call->route->path, "/v1/payments") == 0)
        check_payment(call);
    return STATUS_LIMIT;
}

enum status __wrap_store_read(struct store_tx **ret_tx, struct store *store)
{
    (void)ret_tx;
    (void)store;
    return STATUS_LIMIT;
}

bool __wrap_store_is_healthy(const struct store *store)
{
    (void)store;
    return true;
}

void __wrap_store_statistics(struct store_statistics *ret_statistics, struct store *store)
{
    (void)store;
    *ret_statistics = (struct store_statistics){0};
}

enum auth_outcome __wrap_auth_check(struct auth *auth, struct api_key *ret_key,
                                    int64_t *ret_retry_s, const struct http_request *request)
{
    (void)auth;
    (void)ret_retry_s;
    (void)request;
    *ret_key = (struct api_key){.id = 1, .scopes = SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN};
    return AUTH_FINE;
}

static void start_once(void)
{
    static struct api *api;
    struct api_options options = {.clock = clock_system(),
                                  .random = random_system(),
                                  .listen = "127.0.0.1:0",
                                  .threads = HTTP_THREADS_MIN,
                                  .key_rate_max = KEY_RATE,
                                  .failed_auth_rate_max = KEY_RATE,
                                  .standard_secrets = SECRET,
                                  .refused = &refused_address,
                                  .refused_count = 1};
    if (!api)
        MUST(api_start(&api, &options) == STATUS_OK);
}

// "METHOD target" into the request; target's query is cut off as the server does.
static void split_first_line(struct http_request *request, char *line)
{
    char *space = strchr(line, ' ');
    char *path = space ? space + 1 : line + strlen(line);
    char *question = strchr(path, '?');
    if (space)
        *space = '\0';
    if (question)
        *question = '\0';
    request->method = line;
    request->path = path;
    request->query = question ? question + 1 : "";
}

static size_t take_headers(struct http_header headers[HEADERS_MAX], struct fuzz_input *input)
{
    size_t count = 0;
    while (input->rest.size > 0) {
        char *line = fuzz_line(input);
        char *colon = strstr(line, ": ");
        if (line[0] == '\0' || !colon || count == HEADERS_MAX) {
            free(line);
            break;
        }
        *colon = '\0';
        headers[count++] = (struct http_header){line, colon + 2};
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    struct http_header headers[HEADERS_MAX];
    struct http_request request = {.headers = headers, .received_ms = 1000};
    start_once();
    char *line = fuzz_line(&input);
    split_first_line(&request, line);
    request.headers_count = take_headers(headers, &input);
    request.arena = fuzz_arena();
    request.body = (struct bytes){arena_copy(request.arena, input.rest), input.rest.size};
    answers = 0;
    server.on_request(&request, server.context);
    MUST(answers == 1 && answered);
    server.on_end(&request, server.context);
    for (size_t i = 0; i < request.headers_count; i++)
        free((char *)(uintptr_t)headers[i].name);
    free(line);
    return 0;
}
