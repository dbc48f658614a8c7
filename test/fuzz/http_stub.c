// SPDX-License-Identifier: Apache-2.0
// Stands in for the HTTP client in the targets that read what nodes say.
#include "http_stub.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_UNIT_MS 1000

static struct fuzz_input script;
static int status;
static int64_t retry_after_ms;

void http_stub_set(struct fuzz_input input)
{
    static const int statuses[] = {200, 200, 200, 200, 429, 500, 503, 408, 404, 301, 0};
    status = statuses[fuzz_byte(&input) % (sizeof statuses / sizeof statuses[0])];
    retry_after_ms = (int64_t)fuzz_byte(&input) * RETRY_UNIT_MS;
    script = input;
}

static void answer(struct http_response *response, struct arena *arena)
{
    const uint8_t *end =
        script.rest.size > 0 ? memchr(script.rest.data, '\n', script.rest.size) : NULL;
    struct bytes body = {script.rest.data, script.rest.size};
    if (end)
        body.size = (size_t)(end - body.data);
    *response = (struct http_response){
        .fault = HTTP_FINE, .status = status, .retry_after_ms = retry_after_ms};
    if (status == 0) {
        response->fault = body.size > 0 ? (enum http_fault)(body.data[0] % 4) : HTTP_UNKNOWN;
        memcpy(response->error, "refused", sizeof "refused");
    }
    if (response->fault == HTTP_FINE)
        response->body = (struct bytes){arena_copy(arena, body), body.size};
    script.rest.data += body.size + (end != NULL);
    script.rest.size -= body.size + (end != NULL);
}

bool __wrap_http_client_run(struct http_client *client, struct http_response *ret_responses,
                            const struct http_request *requests, size_t count, struct arena *arena)
{
    (void)client;
    (void)requests;
    for (size_t i = 0; i < count; i++)
        answer(&ret_responses[i], arena);
    return true;
}

struct http_client *__wrap_http_client_new(void)
{
    return malloc(1); // only ever handed back
}

void __wrap_http_client_free(struct http_client *client)
{
    free(client);
}
