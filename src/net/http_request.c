// SPDX-License-Identifier: Apache-2.0
// One request: read, handed over, suspended and woken, answered.
#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>

#define BODY_BYTES_FIRST 4096 // of a chunked body

static void request_begin(struct connection *connection)
{
    struct http_request *request = &connection->request;
    struct arena *arena = request->arena;
    struct http_peer peer = request->peer;
    if (!arena)
        arena = arena_new(HTTP_ARENA_BYTES_MAX);
    else
        arena_reset(arena);
    *request = (struct http_request){.arena = arena,
                                     .peer = peer,
                                     .method = "",
                                     .path = "",
                                     .query = "",
                                     .headers = connection->headers};
    connection->open_request = true;
    connection->headers_done = connection->handed_over = false;
    connection->suspended = connection->replied = false;
    connection->chunked = connection->oversized = false;
    connection->framing_bad = connection->memory_out = false;
    connection->uri_size = connection->body_capacity = connection->body_discarded = 0;
    connection->headers_seen = 0;
    connection->wake = NULL;
    connection->response.owned = NULL;
    atomic_fetch_add(&connection->server->in_flight, 1);
}

static bool uri_is_plain(const char *uri)
{
    if (uri[0] != '/')
        return false;
    for (; *uri; uri++)
        if (*uri <= ' ' || *uri > '~' || *uri == '#')
            return false;
    return true;
}

// The library cuts and unescapes its own copy afterwards; ours stays as sent.
static void keep_uri(struct connection *connection, const char *uri)
{
    connection->uri_size = strlen(uri);
    connection->framing_bad = !uri_is_plain(uri);
    if (connection->uri_size > HTTP_URI_BYTES_MAX)
        return;
    char *copy = connection->request.arena ? arena_copy_text(connection->request.arena, uri) : NULL;
    if (!copy) {
        connection->memory_out = true;
        return;
    }
    char *question = strchr(copy, '?');
    connection->request.path = copy;
    if (question) {
        *question = 0;
        connection->request.query = question + 1;
    }
}

void *http_on_first_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
    (void)context;
    struct connection *connection = http_connection_of(mhd);
    if (!connection)
        return NULL;
    bool again = connection->request.arena != NULL;
    request_begin(connection);
    keep_uri(connection, uri ? uri : "");
    if (again) // the first request's time runs from the start of the connection
        (void)http_deadline_set(connection, connection->server->options.header_ms_max, true);
    return connection;
}

static void leave_suspension(struct connection *connection)
{
    connection->suspended = false;
    atomic_fetch_sub(&connection->server->busy, 1);
}

void http_on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
                       enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)mhd;
    (void)code;
    struct connection *connection = *request_context;
    if (!connection || !connection->open_request)
        return;
    if (connection->suspended) // the client went away meanwhile; the answer is given up
        leave_suspension(connection);
    struct http_server_options *options = &connection->server->options;
    if (options->on_end && connection->handed_over)
        options->on_end(&connection->request, options->context);
    free(connection->response.owned);
    connection->response.owned = NULL;
    if (connection->request.arena &&
        arena_used(connection->request.arena) > HTTP_ARENA_KEEP_BYTES_MAX) {
        arena_free(connection->request.arena);
        connection->request.arena = arena_new(HTTP_ARENA_BYTES_MAX);
    }
    connection->open_request = false;
    atomic_fetch_sub(&connection->server->in_flight, 1);
    (void)http_deadline_set(connection, options->idle_ms_max, false);
}

static bool reserve_body(struct connection *connection, size_t capacity)
{
    struct http_request *request = &connection->request;
    uint8_t *memory = arena_alloc(request->arena, capacity + 1);
    if (!memory)
        return false;
    if (request->body.size > 0)
        memcpy(memory, request->body.data, request->body.size);
    request->body.data = memory;
    connection->body_capacity = capacity;
    return true;
}

static enum MHD_Result queue_response(struct connection *connection)
{
    struct http_response *response = &connection->response;
    void *data = (void *)(uintptr_t)response->body.data;
    struct MHD_Response *mhd =
        response->owned
            ? MHD_create_response_from_buffer_with_free_callback_cls(response->body.size, data,
                                                                     free, response->owned)
            : MHD_create_response_from_buffer(response->body.size, data, MHD_RESPMEM_PERSISTENT);
    if (!mhd)
        return MHD_NO;
    response->owned = NULL; // the library's from here on
    bool added = true;
    if (response->content_type)
        added = MHD_add_response_header(mhd, "Content-Type", response->content_type);
    for (size_t i = 0; i < response->headers_count && added; i++)
        added = MHD_add_response_header(mhd, response->headers[i].name, response->headers[i].value);
    // What follows a chunked body depends on how its end was read: nothing may follow.
    if (added && (response->close || connection->chunked))
        added = MHD_add_response_header(mhd, "Connection", "close");
    enum MHD_Result result = MHD_NO;
    if (added && http_deadline_set(connection, connection->server->options.send_ms_max, false))
        result = MHD_queue_response(connection->mhd, (unsigned)response->status, mhd);
    MHD_destroy_response(mhd);
    return result;
}

static enum MHD_Result refuse(struct connection *connection, enum http_refusal refusal)
{
    struct http_server *server = connection->server;
    if (!connection->request.arena)
        return MHD_NO;
    connection->handed_over = true;
    server->options.on_refused(&connection->request, refusal, server->options.context);
    if (!connection->replied)
        abort();
    connection->response.close = true;
    return queue_response(connection);
}

static enum MHD_Result take_headers(struct connection *connection, const char *url,
                                    const char *method, const char *version)
{
    struct http_request *request = &connection->request;
    enum http_refusal refusal;
    uint64_t length = 0;
    connection->headers_done = true;
    request->method = method;
    request->received_ms = clock_wall_ms(connection->server->options.clock);
    MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, http_head_collect, connection);
    request->headers_count =
        connection->headers_seen < HTTP_HEADERS_MAX ? connection->headers_seen : HTTP_HEADERS_MAX;
    if (!http_deadline_set(connection, connection->server->options.body_ms_max, true))
        return MHD_NO;
    if (!http_head_passes(connection, &refusal, url, version))
        return refuse(connection, refusal);
    bool has_length = http_head_content_length(&length, request);
    if (!reserve_body(connection,
                      has_length ? (size_t)length : (connection->chunked ? BODY_BYTES_FIRST : 0)))
        return refuse(connection, HTTP_NO_MEMORY);
    return MHD_YES;
}

static enum MHD_Result take_body(struct connection *connection, const char *data, size_t *size)
{
    struct http_request *request = &connection->request;
    size_t total = request->body.size + *size;
    if (connection->oversized || total > HTTP_BODY_BYTES_MAX) {
        connection->oversized = true;
        connection->body_discarded += *size;
        *size = 0;
        return connection->body_discarded > HTTP_DISCARD_BYTES_MAX ? MHD_NO : MHD_YES;
    }
    size_t capacity = connection->body_capacity;
    while (capacity < total)
        capacity = capacity ? capacity * 2 : BODY_BYTES_FIRST;
    if (capacity > connection->body_capacity && !reserve_body(connection, capacity))
        return MHD_NO;
    memcpy((uint8_t *)(uintptr_t)request->body.data + request->body.size, data, *size);
    request->body.size = total;
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result after_handler(struct connection *connection)
{
    if (connection->suspended)
        return MHD_YES;
    if (!connection->replied)
        abort();
    return queue_response(connection);
}

static enum MHD_Result hand_over(struct connection *connection)
{
    struct http_server *server = connection->server;
    connection->handed_over = true;
    if (!http_deadline_set(connection, 0, false))
        return MHD_NO;
    if (connection->oversized)
        return refuse(connection, HTTP_BODY_TOO_LARGE);
    atomic_fetch_add(&server->busy, 1); // before the look at stopping: http_server_stop waits
    if (atomic_load(&server->stopping)) {
        atomic_fetch_sub(&server->busy, 1);
        return refuse(connection, HTTP_STOPPING);
    }
    server->options.on_request(&connection->request, server->options.context);
    atomic_fetch_sub(&server->busy, 1);
    return after_handler(connection);
}

static enum MHD_Result come_back(struct connection *connection)
{
    if (connection->suspended) {
        http_handler wake = connection->wake;
        connection->wake = NULL;
        atomic_fetch_add(&connection->server->busy, 1);
        leave_suspension(connection);
        if (wake)
            wake(&connection->request, connection->wake_context);
        atomic_fetch_sub(&connection->server->busy, 1);
    }
    return after_handler(connection);
}

enum MHD_Result http_on_access(void *context, struct MHD_Connection *mhd, const char *url,
                               const char *method, const char *version, const char *upload_data,
                               size_t *upload_data_size, void **request_context)
{
    (void)context;
    (void)mhd;
    struct connection *connection = *request_context;
    if (!connection)
        return MHD_NO; // no memory when it opened
    if (!connection->headers_done)
        return take_headers(connection, url, method, version);
    if (*upload_data_size > 0)
        return take_body(connection, upload_data, upload_data_size);
    return connection->handed_over ? come_back(connection) : hand_over(connection);
}

void http_suspend(struct http_request *request)
{
    struct connection *connection = (struct connection *)request;
    if (connection->suspended || connection->replied)
        abort();
    connection->suspended = true;
    atomic_fetch_add(&connection->server->busy, 1);
    MHD_suspend_connection(connection->mhd);
}

void http_wake(struct http_request *request, http_handler handler, void *context)
{
    struct connection *connection = (struct connection *)request;
    if (!connection->suspended || connection->replied)
        abort();
    connection->wake = handler;
    connection->wake_context = context;
    MHD_resume_connection(connection->mhd);
}

void http_reply(struct http_request *request, const struct http_response *response)
{
    struct connection *connection = (struct connection *)request;
    if (connection->replied || response->headers_count > HTTP_RESPONSE_HEADERS_MAX)
        abort();
    connection->response = *response;
    connection->replied = true;
    if (connection->suspended)
        MHD_resume_connection(connection->mhd);
}
