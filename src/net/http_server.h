// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 server: libmicrohttpd with an epoll thread pool, hard limits, and answers given later.
//
// One handler gets every request that arrived whole and within the limits; the rest is refused
// here, and on_refused only words the refusal. A handler answers at once with http_reply(), or
// calls http_suspend(), hands the request to another thread, and that thread answers with
// http_reply() or sends it back to its own thread with http_wake(). Exactly one answer per request.
//
// Deadlines are total, not per read: a client that sends a byte now and then gets no further.
// Framing is strict: what two HTTP parsers could read differently is refused and the connection
// closed, so nothing after it is ever interpreted.
#pragma once

#include "base/arena.h"
#include "base/clock.h"

struct http_server;

// Limits. The deadlines and connection limits are defaults; see http_server_options.
#define HTTP_HEADER_BYTES_MAX        16384 // request line and headers; above it 431
#define HTTP_HEADERS_MAX             100
#define HTTP_URI_BYTES_MAX           8192       // 414
#define HTTP_BODY_BYTES_MAX          65536      // 413
#define HTTP_DISCARD_BYTES_MAX       262144     // of a chunked body too large, so as to say 413
#define HTTP_ARENA_BYTES_MAX         (4 << 20)  // per request
#define HTTP_ARENA_KEEP_BYTES_MAX    (64 << 10) // kept by a connection for its next request
#define HTTP_HEADER_MS_MAX           10000 // from connecting or the first line to the last header
#define HTTP_BODY_MS_MAX             15000
#define HTTP_IDLE_MS_MAX             60000 // between requests of one connection
#define HTTP_SEND_MS_MAX             30000
#define HTTP_CONNECTIONS_MAX         4096
#define HTTP_ADDRESS_CONNECTIONS_MAX 1024 // of one client address; a reverse proxy is one address
#define HTTP_THREADS_MIN             2    // one was seen to stall at 256 connections
#define HTTP_THREADS_MAX             64
#define HTTP_RESPONSE_HEADERS_MAX    8

// status, text. Framing: anything two parsers may read differently.
#define HTTP_REFUSAL_TABLE(X)                                                                      \
    X(HTTP_BAD_FRAMING, 400, "request framing is ambiguous or malformed")                          \
    X(HTTP_BODY_TOO_LARGE, 413, "body is over 65536 bytes")                                        \
    X(HTTP_URI_TOO_LONG, 414, "URI is over 8192 bytes")                                            \
    X(HTTP_HEADERS_TOO_LARGE, 431, "headers are over 16384 bytes or more than 100")                \
    X(HTTP_NO_MEMORY, 503, "memory is out")                                                        \
    X(HTTP_STOPPING, 503, "the server is stopping")

enum http_refusal {
#define HTTP_REFUSAL_ENUM(name, status, text) name,
    HTTP_REFUSAL_TABLE(HTTP_REFUSAL_ENUM)
#undef HTTP_REFUSAL_ENUM
};
int http_refusal_status(enum http_refusal refusal);
const char *http_refusal_text(enum http_refusal refusal);

struct http_header {
    const char *name;
    const char *value;
};

// The client's address; IPv4 is mapped into IPv6.
struct http_peer {
    uint8_t bytes[16];
};

// What arrived. Everything lives until the answer is given.
struct http_request {
    const char *method;
    const char *path;  // as sent: still percent-encoded, without the query
    const char *query; // as sent, "" where there is none
    const struct http_header *headers;
    size_t headers_count;
    struct bytes body; // followed by a NUL that is not counted
    struct http_peer peer;
    int64_t received_ms; // wall clock, when the headers were complete
    struct arena *arena; // memory of this request; owned by whoever holds the request
    void *user;          // the handler's
};

struct http_response {
    int status;
    const char *content_type; // NULL where there is no body
    struct bytes body;        // in the request's arena or static
    void *owned;              // NULL, or memory from malloc that holds the body: freed after use
    struct http_header headers[HTTP_RESPONSE_HEADERS_MAX]; // texts in the arena or static
    size_t headers_count;
    bool close; // close the connection after this
};

typedef void (*http_handler)(struct http_request *request, void *context);

struct http_server_options {
    const char *listen; // "address:port", "[v6]:port"; port 0: any free one
    int threads;        // HTTP_THREADS_MIN..HTTP_THREADS_MAX
    const struct clock *clock;
    http_handler on_request;
    // Words a refusal: must http_reply() at once with http_refusal_status(refusal). Of the request,
    // only arena, peer, received_ms and what was read so far are set; never NULL.
    void (*on_refused)(struct http_request *request, enum http_refusal refusal, void *context);
    // The answer was sent or given up: releases what request->user holds. May be NULL.
    void (*on_end)(struct http_request *request, void *context);
    void *context;
    // Zero: the default above.
    int64_t header_ms_max, body_ms_max, idle_ms_max, send_ms_max;
    int connections_max, address_connections_max;
};

// STATUS_INVALID: listen is malformed; STATUS_BUSY: the port is taken; STATUS_DENIED: the address
// or port may not be used; STATUS_UNAVAILABLE: the system lacks threads, memory or sockets.
MUST_USE enum status http_server_start(struct http_server **ret_server,
                                       const struct http_server_options *options);
// Stops accepting; refuses new requests; waits timeout_ms for those in flight, and as long as it
// takes for those suspended; closes everything. Takes NULL.
void http_server_stop(struct http_server *server, int64_t timeout_ms);
int http_server_port(const struct http_server *server);

// In the handler only. From here on the request belongs to whoever answers or wakes it, also if
// that happens before the handler returns.
void http_suspend(struct http_request *request);
// Any thread, once: `handler` runs on the request's own thread and must http_reply().
void http_wake(struct http_request *request, http_handler handler, void *context);
// In the handler, or from any thread after http_suspend(). The response is copied.
void http_reply(struct http_request *request, const struct http_response *response);

// How many headers have this name (any case), and the first one's value, or NULL.
size_t http_header_count(const struct http_request *request, const char *name);
const char *http_header_value(const struct http_request *request, const char *name);

// Percent-decodes size bytes of text into the arena (`plus`: + is a space, as in queries). NULL on
// a malformed escape, a NUL, or memory out.
char *http_decode(struct arena *arena, const char *text, size_t size, bool plus);

// Steps through "a=1&b=2" from *cursor (start: request->query). False at the end. A name or value
// that is malformed comes as NULL.
MUST_USE bool http_query_next(const char **cursor, char **ret_name, char **ret_value,
                              struct arena *arena);
