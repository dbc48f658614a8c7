// SPDX-License-Identifier: Apache-2.0
// HTTP client on libcurl: many requests at once from one thread, bounded in size and time.
//
// TLS is verified; redirects are not followed; no fallback to plain text; a body over the limit, a
// slow body or a compression bomb ends the request. Keep-alive connections are reused.
#pragma once

#include "base/arena.h"

struct http_client; // one thread at a time

struct http_request {
    const char *url;
    const char *content_type; // of the body; NULL: GET
    struct bytes body;
    const char *const *headers; // "Name: value", NULL-terminated, or NULL
    int64_t timeout_ms;
    size_t response_bytes_max;
};

enum http_fault {
    HTTP_FINE,      // a response came, whatever its status code
    HTTP_NOT_SENT,  // refused, no route, name or TLS failure: the server saw nothing
    HTTP_UNKNOWN,   // time-out or reset after sending began: it may have been processed
    HTTP_TOO_LARGE, // response over the limit: it was processed
};

struct http_response {
    enum http_fault fault;
    int status;             // HTTP status code, with HTTP_FINE
    struct bytes body;      // in the arena
    int64_t retry_after_ms; // from Retry-After; 0: none
    char error[128];        // for people, with any other fault; holds no secret of the URL
};

struct http_client *http_client_new(void);
void http_client_free(struct http_client *client);

// Runs all requests at the same time and returns when each has a response or a fault.
// ret_responses has count members. False only when memory is out.
MUST_USE bool http_client_run(struct http_client *client, struct http_response *ret_responses,
                              const struct http_request *requests, size_t count,
                              struct arena *arena);
