// SPDX-License-Identifier: Apache-2.0
// send and recv with a counter before them; what breaks stays broken, at both ends.
#include "support/fail_socket.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

static int64_t counted, fired, fail_at; // 0: not armed

static bool breaks(int fd)
{
    if (fail_at == 0 || ++counted != fail_at)
        return false;
    fired++;
    shutdown(fd, SHUT_RDWR);
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
    if (fail_at != 0 && counted + 1 == fail_at && size > 1)
        (void)next.call(fd, data, size / 2, flags);
    if (!breaks(fd))
        return next.call(fd, data, size, flags);
    errno = EPIPE;
    return -1;
}

ssize_t recv(int fd, void *out, size_t size, int flags)
{
    union {
        void *address;
        ssize_t (*call)(int, void *, size_t, int);
    } next = {.address = real("recv")};
    return breaks(fd) ? 0 : next.call(fd, out, size, flags);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

void fail_socket_arm(int64_t at)
{
    counted = fired = 0;
    fail_at = at;
}

int64_t fail_socket_disarm(void)
{
    fail_at = 0;
    return fired;
}
