// SPDX-License-Identifier: Apache-2.0
// The sweeper: cuts connections that are late (deadlines are total), and keeps the library awake.
#include "net/http_internal.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_MS_MAX  250
#define SWEEP_MS_MIN  10
#define NUDGE_ADDRESS 0x7f000002 // 127.0.0.2

int64_t http_now_ms(const struct http_server *server)
{
    return clock_monotonic_ms(server->options.clock);
}

// False where the sweeper was faster: the connection is dead and must not be used.
bool http_deadline_set(struct connection *connection, int64_t ms_max, bool tell)
{
    long long next = ms_max == 0 ? DEADLINE_NONE
                                 : (http_now_ms(connection->server) + ms_max) * 2 + (tell ? 1 : 0);
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

// Not from the address of a client on this machine: it does not take from that one's limit.
static void bind_apart(int fd, const struct sockaddr_storage *listening)
{
    struct sockaddr_in to = {0};
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(NUDGE_ADDRESS)};
    memcpy(&to, listening, sizeof to);
    uint32_t address = ntohl(to.sin_addr.s_addr);
    if (listening->ss_family == AF_INET && (address >> 24 == 127 || address == INADDR_ANY))
        (void)!bind(fd, (struct sockaddr *)&from, sizeof from);
}

// libmicrohttpd 0.9.75 waits for one more event where exactly as many came at once as it takes from
// epoll (128), and looks at none of them before: 128 clients that ask together and then wait would
// wait for ever. A connection of our own to the listening socket is that event.
static void nudge(const struct http_server *server)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    if (getsockname(server->listen_fd, (struct sockaddr *)&address, &size) != 0)
        return;
    for (int i = 0; i < server->options.threads; i++) {
        int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
            return;
        bind_apart(fd, &address);
        (void)!connect(fd, (struct sockaddr *)&address, size);
        close(fd);
    }
}

// The list holds a connection until just before its socket is closed, so no number is reused here.
static void *sweep(void *argument)
{
    struct http_server *server = argument;
    int64_t interval_ms = sweep_interval_ms(server);
    pthread_mutex_lock(&server->lock);
    while (!server->sweep_end) {
        int64_t now = http_now_ms(server);
        for (struct connection *c = server->connections; c; c = c->next)
            cut_if_late(c, now);
        if (server->connections)
            nudge(server);
        wait_for_next_sweep(server, interval_ms);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

bool http_sweeper_start(struct http_server *server)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&server->lock, NULL);
    return pthread_create(&server->sweeper, NULL, sweep, server) == 0;
}

void http_sweeper_stop(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->sweep_end = true;
    pthread_cond_signal(&server->wake);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->sweeper, NULL);
}
