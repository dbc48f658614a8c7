// SPDX-License-Identifier: Apache-2.0
// In-process wake-ups: an eventfd, which counts signals until the next wait takes them.
#include "queue/wake.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct wake {
    int fd;
};

struct wake *wake_new(void)
{
    struct wake *wake = malloc(sizeof *wake);
    if (wake == NULL)
        return NULL;
    wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake->fd < 0) {
        free(wake);
        return NULL;
    }
    return wake;
}

void wake_free(struct wake *wake)
{
    if (wake == NULL)
        return;
    close(wake->fd);
    free(wake);
}

void wake_signal(struct wake *wake)
{
    // A signal handler may interrupt code that is about to look at errno.
    int saved_errno = errno;
    uint64_t one = 1;
    // EAGAIN means that the counter is full: a signal is pending already.
    while (write(wake->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    errno = saved_errno;
}

static int64_t now_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        abort();
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool take_signals(struct wake *wake)
{
    uint64_t count;
    ssize_t size;
    while ((size = read(wake->fd, &count, sizeof count)) < 0 && errno == EINTR)
        continue;
    return size == (ssize_t)sizeof count;
}

void wake_wait(struct wake *wake, int64_t timeout_ms)
{
    int64_t start_ms = now_ms();
    // Another waiter may take the signal, a handler may interrupt poll: both wait on.
    while (!take_signals(wake)) {
        int64_t left_ms = timeout_ms - (now_ms() - start_ms);
        if (left_ms <= 0)
            return;
        struct pollfd poller = {.fd = wake->fd, .events = POLLIN};
        if (poll(&poller, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) < 0 && errno != EINTR)
            abort();
    }
}
