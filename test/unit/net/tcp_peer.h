// SPDX-License-Identifier: Apache-2.0
// A small HTTP peer for tests, on plain sockets in one thread: its handler writes whatever bytes it
// likes, so it can misbehave in every way.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_CONNECTIONS_MAX   128
#define PEER_REQUEST_BYTES_MAX (8 * 1024 * 1024)
#define PEER_WAIT_MS_MAX       10000

struct tcp_peer;
// Answers one request on fd. head is the request line and headers, body is NUL-terminated.
// Returns false to have the connection closed.
typedef bool (*peer_handler)(struct tcp_peer *peer, int fd, const char *head, const char *body);

struct tcp_peer {
    int listen_fd;
    int stop_fds[2];
    pthread_t thread;
    peer_handler handler;
    void *context;
    atomic_int requests;
    atomic_int connections;
    char url[64];
};

static inline void peer_write(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t written = send(fd, at, size, MSG_NOSIGNAL);
        if (written <= 0)
            return; // the client gave up: that is often the point
        at += written;
        size -= (size_t)written;
    }
}

static inline void peer_write_text(int fd, const char *text)
{
    peer_write(fd, text, strlen(text));
}

// A whole, well-formed response. extra: further header lines, each with CRLF, or "".
static inline void peer_respond(int fd, int status, const char *extra, const char *body)
{
    char head[512];
    snprintf(head, sizeof head, "HTTP/1.1 %d Text\r\n%sContent-Length: %zu\r\n\r\n", status, extra,
             strlen(body));
    peer_write_text(fd, head);
    peer_write_text(fd, body);
}

// Waits, but not past peer_stop().
static inline void peer_sleep(const struct tcp_peer *peer, int ms)
{
    struct pollfd stop = {.fd = peer->stop_fds[0], .events = POLLIN};
    (void)poll(&stop, 1, ms);
}

// Ends when the client closes the connection (or after a deadline, or at peer_stop).
static inline void peer_wait_for_close(const struct tcp_peer *peer, int fd)
{
    struct pollfd polled[] = {{.fd = peer->stop_fds[0], .events = POLLIN},
                              {.fd = fd, .events = POLLRDHUP}};
    (void)poll(polled, 2, PEER_WAIT_MS_MAX);
}

static inline size_t peer_content_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line ? (size_t)strtoull(line + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

// Reads one request and has it answered; false when the connection is over.
static inline bool peer_serve(struct tcp_peer *peer, int fd)
{
    char *data = malloc(PEER_REQUEST_BYTES_MAX + 1);
    size_t size = 0;
    bool keep = false;
    while (data && size < PEER_REQUEST_BYTES_MAX) {
        ssize_t got = recv(fd, data + size, PEER_REQUEST_BYTES_MAX - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
        data[size] = '\0';
        char *end = strstr(data, "\r\n\r\n");
        if (!end || size < (size_t)(end + 4 - data) + peer_content_length(data))
            continue;
        end[2] = '\0';
        atomic_fetch_add(&peer->requests, 1);
        keep = peer->handler(peer, fd, data, end + 4);
        break;
    }
    free(data);
    return keep;
}

static inline void *peer_thread(void *context)
{
    struct tcp_peer *peer = context;
    struct pollfd polled[PEER_CONNECTIONS_MAX + 2] = {{.fd = peer->stop_fds[0], .events = POLLIN},
                                                      {.fd = peer->listen_fd, .events = POLLIN}};
    nfds_t count = 2;
    for (;;) {
        if (poll(polled, count, -1) < 0 || polled[0].revents != 0)
            break;
        for (nfds_t i = count; i-- > 2;) {
            if (polled[i].revents == 0 || peer_serve(peer, polled[i].fd))
                continue;
            close(polled[i].fd);
            polled[i] = polled[--count];
        }
        polled[1].fd = peer->listen_fd; // a handler may have closed it
        if (polled[1].fd >= 0 && polled[1].revents != 0 && count < PEER_CONNECTIONS_MAX + 2) {
            int fd = accept(peer->listen_fd, NULL, NULL);
            if (fd >= 0) {
                int on = 1;
                (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                polled[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
                atomic_fetch_add(&peer->connections, 1);
            }
        }
    }
    while (count > 2)
        close(polled[--count].fd);
    return NULL;
}

// A free port that nobody listens on: connections to it are refused. The socket keeps it ours.
static inline int peer_bind(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        abort();
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static inline void peer_start(struct tcp_peer *peer, peer_handler handler, void *context)
{
    *peer = (struct tcp_peer){.handler = handler, .context = context};
    peer->listen_fd = peer_bind(peer->url);
    if (listen(peer->listen_fd, PEER_CONNECTIONS_MAX) != 0 ||
        pipe2(peer->stop_fds, O_CLOEXEC) != 0 ||
        pthread_create(&peer->thread, NULL, peer_thread, peer) != 0)
        abort();
}

static inline void peer_stop(struct tcp_peer *peer)
{
    if (write(peer->stop_fds[1], "x", 1) != 1)
        abort();
    pthread_join(peer->thread, NULL);
    close(peer->stop_fds[0]);
    close(peer->stop_fds[1]);
    if (peer->listen_fd >= 0)
        close(peer->listen_fd);
}
