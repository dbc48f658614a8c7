// SPDX-License-Identifier: Apache-2.0
// Stands in for the HTTP client (the linker's --wrap): every endpoint answers what the input says.
#pragma once

#include "fuzz.h"
#include "net/http_client.h"

// From here on: a byte of HTTP status, a byte of Retry-After, then a line of body per request, in
// the order of the requests; past the end empty bodies.
void http_stub_set(struct fuzz_input input);

bool __wrap_http_client_run(struct http_client *client, struct http_response *ret_responses,
                            const struct http_request *requests, size_t count, struct arena *arena);
struct http_client *__wrap_http_client_new(void);
void __wrap_http_client_free(struct http_client *client);
