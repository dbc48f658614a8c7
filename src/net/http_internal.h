// SPDX-License-Identifier: Apache-2.0
// Inside the HTTP server only: its connections, and what its files do for each other.
#pragma once

#include "net/http_server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

// Deadlines hold (milliseconds << 1) + whether the client is told 408.
#define DEADLINE_NONE INT64_MAX
#define DEADLINE_CUT  (-1) // the sweeper has shut the socket down

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    int listen_fd;
    int port;
    bool in_place; // this libmicrohttpd leaves header lines where it read them
    atomic_bool stopping;
    atomic_int busy;      // handlers running and requests suspended
    atomic_int in_flight; // requests from their first line to the end of their answer
    pthread_t sweeper;
    pthread_mutex_t lock; // of the list and sweep_end
    pthread_cond_t wake;
    bool sweep_end;
    struct connection *connections;
};

struct connection {
    struct http_request request; // first, so that a request is its connection
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct connection *previous, *next;
    atomic_llong deadline;
    int fd;
    bool open_request; // between the first line and completion
    bool headers_done;
    bool handed_over; // the handler has been called
    bool suspended;
    bool replied;
    bool chunked;
    bool oversized;
    bool framing_bad;
    bool memory_out;
    size_t uri_size;
    size_t body_capacity;
    size_t body_discarded;
    http_handler wake;
    void *wake_context;
    struct http_response response;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_value_sizes[HTTP_HEADERS_MAX];
    size_t headers_seen;
};

// http_deadline.c: total deadlines, kept by a sweeper thread.
int64_t http_now_ms(const struct http_server *server);
// False where the sweeper was faster: the connection is dead and must not be used.
bool http_deadline_set(struct connection *connection, int64_t ms_max, bool tell);
MUST_USE bool http_sweeper_start(struct http_server *server);
void http_sweeper_stop(struct http_server *server);

// http_connection.c: libmicrohttpd's connections and ours.
void http_on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                        enum MHD_ConnectionNotificationCode code);
struct connection *http_connection_of(struct MHD_Connection *mhd);

// http_head.c: strict framing and the limits of the head.
enum MHD_Result http_head_collect(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size);
MUST_USE bool http_head_passes(struct connection *connection, enum http_refusal *ret_refusal,
                               const char *url, const char *version);
MUST_USE bool http_head_content_length(uint64_t *ret_length, const struct http_request *request);

// http_request.c: one request from its first line to the end of its answer.
void *http_on_first_line(void *context, const char *uri, struct MHD_Connection *mhd);
void http_on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                       enum MHD_RequestTerminationCode code);
enum MHD_Result http_on_access(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *upload_data,
                               size_t *upload_data_size, void **request_context);
