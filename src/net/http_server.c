// SPDX-License-Identifier: Apache-2.0
// The HTTP server: libmicrohttpd's callbacks turned into requests, deadlines and strict framing.
#include "net/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Room for 16 KiB of headers, their index and the response's head: above it the library itself
// answers 431, below it we do.
#define POOL_BYTES         32768
#define BODY_BYTES_FIRST   4096 // of a chunked body
#define LISTEN_BACKLOG     1024
#define SWEEP_MS_MAX       250
#define SWEEP_MS_MIN       10
#define STOP_POLL_MS       2
#define HOST_SIZE          256
#define THREAD_STACK_BYTES (1 << 20)

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

int http_refusal_status(enum http_refusal refusal)
{
    static const int statuses[] = {
#define REFUSAL_STATUS(name, status, text) [name] = (status),
        HTTP_REFUSAL_TABLE(REFUSAL_STATUS)
#undef REFUSAL_STATUS
    };
    return statuses[refusal];
}

const char *http_refusal_text(enum http_refusal refusal)
{
    static const char *const texts[] = {
#define REFUSAL_TEXT(name, status, text) [name] = (text),
        HTTP_REFUSAL_TABLE(REFUSAL_TEXT)
#undef REFUSAL_TEXT
    };
    return texts[refusal];
}

// ---- deadlines

static int64_t now_ms(const struct http_server *server)
{
    return clock_monotonic_ms(server->options.clock);
}

// False where the sweeper was faster: the connection is dead and must not be used.
static bool set_deadline(struct connection *connection, int64_t ms_max, bool tell)
{
    long long next =
        ms_max == 0 ? DEADLINE_NONE : (now_ms(connection->server) + ms_max) * 2 + (tell ? 1 : 0);
    long long old = atomic_load(&connection->deadline);
    while (old != DEADLINE_CUT)
        if (atomic_compare_exchange_weak(&connection->deadline, &old, next))
            return true;
    return false;
}

static void cut_if_late(struct connection *connection, int64_t now)
{
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";
    long long deadline = atomic_load(&connection->deadline);
    if (deadline == DEADLINE_NONE || deadline == DEADLINE_CUT || deadline / 2 > now)
        return;
    if (!atomic_compare_exchange_strong(&connection->deadline, &deadline, DEADLINE_CUT))
        return; // it moved on just now
    // Nothing of an answer is under way while a request is being read, so ours may go out here.
    if (deadline & 1)
        (void)!send(connection->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(connection->fd, SHUT_RDWR);
}

static int64_t sweep_interval_ms(const struct http_server *server)
{
    const struct http_server_options *o = &server->options;
    int64_t shortest = o->header_ms_max < o->body_ms_max ? o->header_ms_max : o->body_ms_max;
    int64_t interval = shortest / 8;
    if (interval > SWEEP_MS_MAX)
        return SWEEP_MS_MAX;
    return interval < SWEEP_MS_MIN ? SWEEP_MS_MIN : interval;
}

static void wait_for_next_sweep(struct http_server *server, int64_t interval_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(interval_ms % 1000) * 1000000;
    until.tv_sec += interval_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&server->wake, &server->lock, &until);
}

// The list holds a connection until just before its socket is closed, so no number is reused here.
static void *sweep(void *argument)
{
    struct http_server *server = argument;
    int64_t interval_ms = sweep_interval_ms(server);
    pthread_mutex_lock(&server->lock);
    while (!server->sweep_end) {
        int64_t now = now_ms(server);
        for (struct connection *c = server->connections; c; c = c->next)
            cut_if_late(c, now);
        wait_for_next_sweep(server, interval_ms);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

// ---- connections

static void peer_of_sockaddr(struct http_peer *ret_peer, const struct sockaddr *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (address && address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        memcpy(ret_peer->bytes, mapped, sizeof mapped);
        memcpy(ret_peer->bytes + sizeof mapped, &v4.sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        memcpy(ret_peer->bytes, &v6.sin6_addr, 16);
    }
}

static void connection_opened(struct http_server *server, struct MHD_Connection *mhd,
                              void **socket_context)
{
    struct connection *connection = calloc(1, sizeof *connection);
    *socket_context = connection;
    if (!connection)
        return;
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    connection->server = server;
    connection->mhd = mhd;
    connection->fd = fd ? fd->connect_fd : -1;
    peer_of_sockaddr(&connection->request.peer, address ? address->client_addr : NULL);
    atomic_init(&connection->deadline, DEADLINE_NONE);
    (void)set_deadline(connection, server->options.header_ms_max, true);
    pthread_mutex_lock(&server->lock);
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    pthread_mutex_unlock(&server->lock);
}

static void connection_closed(struct http_server *server, struct connection *connection)
{
    if (!connection)
        return;
    pthread_mutex_lock(&server->lock);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    pthread_mutex_unlock(&server->lock);
    arena_free(connection->request.arena);
    free(connection);
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_opened(context, mhd, socket_context);
    else
        connection_closed(context, *socket_context);
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

// ---- one request

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

static void *on_first_line(void *context, const char *uri, struct MHD_Connection *mhd)
{
    (void)context;
    struct connection *connection = connection_of(mhd);
    if (!connection)
        return NULL;
    bool again = connection->request.arena != NULL;
    request_begin(connection);
    keep_uri(connection, uri ? uri : "");
    if (again) // the first request's time runs from the start of the connection
        (void)set_deadline(connection, connection->server->options.header_ms_max, true);
    return connection;
}

static void leave_suspension(struct connection *connection)
{
    connection->suspended = false;
    atomic_fetch_sub(&connection->server->busy, 1);
}

static void on_completed(void *context, struct MHD_Connection *mhd, void **request_context,
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
    (void)set_deadline(connection, options->idle_ms_max, false);
}

// ---- headers

static bool is_token(const char *text, size_t size)
{
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alphanumeric && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return true;
}

// No control characters but the tab; a NUL would end the text before its size.
static bool is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

static enum MHD_Result collect_header(void *context, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct connection *connection = context;
    size_t i = connection->headers_seen++;
    if (i >= HTTP_HEADERS_MAX)
        return MHD_NO;
    connection->headers[i] = (struct http_header){name, value ? value : ""};
    connection->header_value_sizes[i] = value_size;
    if (!is_token(name, name_size) || !is_field_value(connection->headers[i].value, value_size))
        connection->framing_bad = true;
    return MHD_YES;
}

static size_t header_section_size(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

// The library takes a bare LF as the end of a line and joins folded lines. It also leaves what it
// read in place, so a line that did not end in CRLF right before the next one, or was
// skipped, shows as a gap.
static bool lines_end_in_crlf(const struct connection *connection, const char *version)
{
    uintptr_t end = (uintptr_t)version + strlen(version);
    for (size_t i = 0; i < connection->request.headers_count; i++) {
        if ((uintptr_t)connection->headers[i].name != end + 2)
            return false;
        end = (uintptr_t)connection->headers[i].value + connection->header_value_sizes[i];
    }
    return end + 4 == (uintptr_t)connection->request.method + header_section_size(connection->mhd);
}

static bool framing_is_clear(struct connection *connection, const char *url, const char *version)
{
    struct http_request *request = &connection->request;
    size_t lengths = http_header_count(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t encodings = http_header_count(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    bool version_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
    if (connection->framing_bad || !is_token(request->method, strlen(request->method)))
        return false;
    if (!version_1_1 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        return false;
    if (http_header_count(request, MHD_HTTP_HEADER_HOST) > 1 || lengths + encodings > 1)
        return false;
    if (encodings == 1 &&
        !(version_1_1 && strcasecmp(http_header_value(request, MHD_HTTP_HEADER_TRANSFER_ENCODING),
                                    "chunked") == 0))
        return false;
    connection->chunked = encodings == 1;
    if (!connection->server->in_place)
        return true;
    return url == request->method + strlen(request->method) + 1 &&
           lines_end_in_crlf(connection, version);
}

// The library has checked already that the length is digits only and fits 64 bits.
static bool content_length(uint64_t *ret_length, const struct http_request *request)
{
    const char *text = http_header_value(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    if (!text)
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (length <= HTTP_BODY_BYTES_MAX)
            length = length * 10 + (uint64_t)(*text - '0');
    *ret_length = length;
    return true;
}

// False with *ret_refusal set where the request goes no further.
static bool headers_pass(struct connection *connection, enum http_refusal *ret_refusal,
                         const char *url, const char *version)
{
    uint64_t length;
    if (connection->memory_out)
        *ret_refusal = HTTP_NO_MEMORY;
    else if (connection->uri_size > HTTP_URI_BYTES_MAX)
        *ret_refusal = HTTP_URI_TOO_LONG;
    else if (connection->headers_seen > HTTP_HEADERS_MAX ||
             header_section_size(connection->mhd) > HTTP_HEADER_BYTES_MAX)
        *ret_refusal = HTTP_HEADERS_TOO_LARGE;
    else if (!framing_is_clear(connection, url, version))
        *ret_refusal = HTTP_BAD_FRAMING;
    else if (content_length(&length, &connection->request) && length > HTTP_BODY_BYTES_MAX)
        *ret_refusal = HTTP_BODY_TOO_LARGE;
    else
        return true;
    return false;
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

// ---- answers

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
    if (added && set_deadline(connection, connection->server->options.send_ms_max, false))
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
    MHD_get_connection_values_n(connection->mhd, MHD_HEADER_KIND, collect_header, connection);
    request->headers_count =
        connection->headers_seen < HTTP_HEADERS_MAX ? connection->headers_seen : HTTP_HEADERS_MAX;
    if (!set_deadline(connection, connection->server->options.body_ms_max, true))
        return MHD_NO;
    if (!headers_pass(connection, &refusal, url, version))
        return refuse(connection, refusal);
    bool has_length = content_length(&length, request);
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
    if (!set_deadline(connection, 0, false))
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

static enum MHD_Result on_access(void *context, struct MHD_Connection *mhd, const char *url,
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

// ---- start and stop

static bool parse_port(const char *text)
{
    int port = 0;
    size_t digits = strlen(text);
    if (digits == 0 || digits > 5)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (*text - '0');
    }
    return port <= 65535;
}

// "host:port" or "[v6]:port".
static bool split_listen(char ret_host[HOST_SIZE], const char **ret_port, const char *listen_text)
{
    const char *colon = strrchr(listen_text, ':');
    const char *start = listen_text;
    if (!colon || !parse_port(colon + 1))
        return false;
    const char *end = colon;
    if (*start == '[') {
        if (end == start || end[-1] != ']')
            return false;
        start++;
        end--;
    } else if (memchr(start, ':', (size_t)(end - start))) {
        return false;
    }
    if (end <= start || end - start >= HOST_SIZE)
        return false;
    memcpy(ret_host, start, (size_t)(end - start));
    ret_host[end - start] = 0;
    *ret_port = colon + 1;
    return true;
}

static enum status bind_socket(int *ret_fd, const struct addrinfo *address)
{
    int one = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return STATUS_UNAVAILABLE;
    // Left waiting connections of an earlier process do not keep the port.
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, LISTEN_BACKLOG) == 0) {
        *ret_fd = fd;
        return STATUS_OK;
    }
    int error = errno;
    close(fd);
    if (error == EADDRINUSE)
        return STATUS_BUSY;
    return error == EACCES || error == EADDRNOTAVAIL ? STATUS_DENIED : STATUS_UNAVAILABLE;
}

static enum status open_socket(int *ret_fd, const char *listen_text)
{
    char host[HOST_SIZE];
    const char *port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (!listen_text || !split_listen(host, &port, listen_text) ||
        getaddrinfo(host, port, &hints, &found) != 0)
        return STATUS_INVALID;
    enum status status = bind_socket(ret_fd, found);
    freeaddrinfo(found);
    return status;
}

static int port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return 0;
    memcpy(&v4, &address, sizeof v4);
    memcpy(&v6, &address, sizeof v6);
    return ntohs(address.ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

static void fill_defaults(struct http_server_options *options)
{
    options->header_ms_max = or_default(options->header_ms_max, HTTP_HEADER_MS_MAX);
    options->body_ms_max = or_default(options->body_ms_max, HTTP_BODY_MS_MAX);
    options->idle_ms_max = or_default(options->idle_ms_max, HTTP_IDLE_MS_MAX);
    options->send_ms_max = or_default(options->send_ms_max, HTTP_SEND_MS_MAX);
    options->connections_max = (int)or_default(options->connections_max, HTTP_CONNECTIONS_MAX);
    options->address_connections_max =
        (int)or_default(options->address_connections_max, HTTP_ADDRESS_CONNECTIONS_MAX);
}

// Paths and queries are decoded by us, part by part.
static size_t leave_escaped(void *context, struct MHD_Connection *mhd, char *text)
{
    (void)context;
    (void)mhd;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_server_options *o = &server->options;
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
        on_access, server, MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)o->threads, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)o->address_connections_max, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, server, MHD_OPTION_URI_LOG_CALLBACK, on_first_line, server,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_END);
}

static bool start_sweeper(struct http_server *server)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&server->lock, NULL);
    return pthread_create(&server->sweeper, NULL, sweep, server) == 0;
}

static void stop_sweeper(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->sweep_end = true;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->sweeper, NULL);
}

enum status http_server_start(struct http_server **ret_server,
                              const struct http_server_options *options)
{
    if (options->threads < HTTP_THREADS_MIN || options->threads > HTTP_THREADS_MAX)
        return STATUS_INVALID;
    struct http_server *server = calloc(1, sizeof *server);
    if (!server)
        return STATUS_NO_MEMORY;
    server->options = *options;
    fill_defaults(&server->options);
    // Later versions parse elsewhere and are strict by themselves.
    server->in_place = strcmp(MHD_get_version(), "0.9.75") == 0;
    enum status status = open_socket(&server->listen_fd, options->listen);
    if (status) {
        free(server);
        return status;
    }
    server->port = port_of(server->listen_fd);
    bool sweeping = start_sweeper(server);
    server->daemon = sweeping ? start_daemon(server) : NULL;
    if (!server->daemon) {
        if (sweeping)
            stop_sweeper(server);
        close(server->listen_fd);
        free(server);
        return STATUS_UNAVAILABLE;
    }
    *ret_server = server;
    return STATUS_OK;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_MS * 1000000L}, NULL);
}

void http_server_stop(struct http_server *server, int64_t timeout_ms)
{
    if (!server)
        return;
    int64_t until = now_ms(server) + timeout_ms;
    atomic_store(&server->stopping, true);
    MHD_socket listener = MHD_quiesce_daemon(server->daemon);
    while (atomic_load(&server->in_flight) > 0 && now_ms(server) < until)
        nap();
    // A suspended request is somebody else's: it must come back before the daemon may end.
    while (atomic_load(&server->busy) > 0)
        nap();
    MHD_stop_daemon(server->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    stop_sweeper(server);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

// ---- reading a request

size_t http_header_count(const struct http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->headers_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

const char *http_header_value(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *http_decode(struct arena *arena, const char *text, size_t size, bool plus)
{
    char *out = arena_alloc(arena, size + 1);
    size_t length = 0;
    for (size_t i = 0; out && i < size; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            if (size - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
                return NULL;
            c = hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == 0)
            return NULL;
        out[length++] = (char)c;
    }
    return out;
}

bool http_query_next(const char **cursor, char **ret_name, char **ret_value, struct arena *arena)
{
    const char *start = *cursor;
    while (*start == '&')
        start++;
    if (!*start)
        return false;
    size_t size = strcspn(start, "&");
    const char *equals = memchr(start, '=', size);
    size_t name_size = equals ? (size_t)(equals - start) : size;
    const char *value = equals ? equals + 1 : start + size;
    *ret_name = http_decode(arena, start, name_size, true);
    *ret_value = http_decode(arena, value, (size_t)(start + size - value), true);
    *cursor = start + size;
    return true;
}
