// SPDX-License-Identifier: Apache-2.0
// The socket calls with a counter before them; what breaks stays broken, at both ends.
#include "support/fail_socket.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static _Atomic(int64_t) counted, fired, fail_at; // fail_at 0: not armed
static _Thread_local bool exempted;

static bool fires(void)
{
    int64_t at = atomic_load(&fail_at);
    if (at == 0 || exempted || atomic_fetch_add(&counted, 1) + 1 != at)
        return false;
    atomic_fetch_add(&fired, 1);
    return true;
}

static void *real(const char *name)
{
    void *address = dlsym(RTLD_NEXT, name);
    if (address == NULL)
        abort();
    return address;
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

// Half of it is still taken, as a peer that dies while it reads would take it.
ssize_t send(int fd, const void *data, size_t size, int flags)
{
    union {
        void *address;
        ssize_t (*call)(int, const void *, size_t, int);
    } next = {.address = real("send")};
    if (!fires())
        return next.call(fd, data, size, flags);
    (void)next.call(fd, data, size / 2, flags);
    shutdown(fd, SHUT_RDWR);
    errno = EPIPE;
    return -1;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    union {
        void *address;
        ssize_t (*call)(int, const struct msghdr *, int);
    } next = {.address = real("sendmsg")};
    if (!fires())
        return next.call(fd, message, flags);
    shutdown(fd, SHUT_RDWR);
    errno = ECONNRESET;
    return -1;
}

ssize_t recv(int fd, void *out, size_t size, int flags)
{
    union {
        void *address;
        ssize_t (*call)(int, void *, size_t, int);
    } next = {.address = real("recv")};
    if (!fires())
        return next.call(fd, out, size, flags);
    shutdown(fd, SHUT_RDWR);
    return 0;
}

// The connection that was waiting is taken and lost.
int accept4(int fd, __SOCKADDR_ARG address, socklen_t *size, int flags)
{
    union {
        void *address;
        int (*call)(int, __SOCKADDR_ARG, socklen_t *, int);
    } next = {.address = real("accept4")};
    int connection = next.call(fd, address, size, flags);
    if (connection < 0 || !fires())
        return connection;
    close(connection);
    errno = ECONNABORTED;
    return -1;
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

void fail_socket_arm(int64_t at)
{
    atomic_store(&counted, 0);
    atomic_store(&fired, 0);
    atomic_store(&fail_at, at);
}

int64_t fail_socket_disarm(void)
{
    atomic_store(&fail_at, 0);
    return atomic_load(&fired);
}

void fail_socket_exempt(bool exempt)
{
    exempted = exempt;
}
