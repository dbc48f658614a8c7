// SPDX-License-Identifier: Apache-2.0
// Starting and stopping the HTTP server; its options, socket and library.
#include "net/http_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Room for 16 KiB of headers, their index and the response's head: above it the library itself
// answers 431, below it we do.
#define POOL_BYTES         32768
#define LISTEN_BACKLOG     1024
#define STOP_POLL_MS       2
#define HOST_SIZE          256
#define THREAD_STACK_BYTES (1 << 20)

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
        http_on_access, server, MHD_OPTION_LISTEN_SOCKET, server->listen_fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)o->threads, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)THREAD_STACK_BYTES, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections_max,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->address_connections_max,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
        http_on_first_line, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_END);
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
    bool sweeping = http_sweeper_start(server);
    server->daemon = sweeping ? start_daemon(server) : NULL;
    if (!server->daemon) {
        if (sweeping)
            http_sweeper_stop(server);
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
    int64_t until = http_now_ms(server) + timeout_ms;
    atomic_store(&server->stopping, true);
    MHD_socket listener = MHD_quiesce_daemon(server->daemon);
    while (atomic_load(&server->in_flight) > 0 && http_now_ms(server) < until)
        nap();
    // A suspended request is somebody else's: it must come back before the daemon may end.
    while (atomic_load(&server->busy) > 0)
        nap();
    MHD_stop_daemon(server->daemon);
    if (listener != MHD_INVALID_SOCKET)
        close(listener);
    http_sweeper_stop(server);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}
