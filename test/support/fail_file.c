// SPDX-License-Identifier: Apache-2.0
// File calls with a counter before them. For one thread.
#include "support/fail_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t counted, fired, fail_at; // fail_at 0: not armed
static int fail_error;

// Finds the next function of that name into `next`, of the type given.
#define NEXT(name, result, ...)                                                                    \
    union {                                                                                        \
        void *address;                                                                             \
        result (*call)(__VA_ARGS__);                                                               \
    } next = {.address = dlsym(RTLD_NEXT, name)};                                                  \
    if (next.address == NULL)                                                                      \
    abort()

static bool fires(void)
{
    if (fail_at == 0 || ++counted != fail_at)
        return false;
    fired++;
    errno = fail_error;
    return true;
}

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)

int open(const char *path, int flags, ...)
{
    NEXT("open64", int, const char *, int, mode_t);
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fires() ? -1 : next.call(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
    NEXT("fopen64", FILE *, const char *, const char *);
    return fires() ? NULL : next.call(path, mode);
}

int mkostemp(char *path, int flags)
{
    NEXT("mkostemp64", int, char *, int);
    return fires() ? -1 : next.call(path, flags);
}

int fstat(int fd, struct stat *ret_facts)
{
    NEXT("fstat64", int, int, struct stat *);
    return fires() ? -1 : next.call(fd, ret_facts);
}

ssize_t read(int fd, void *out, size_t size)
{
    NEXT("read", ssize_t, int, void *, size_t);
    if (!fires())
        return next.call(fd, out, size);
    (void)next.call(fd, out, size / 2);
    errno = fail_error;
    return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    NEXT("write", ssize_t, int, const void *, size_t);
    if (!fires())
        return next.call(fd, data, size);
    (void)next.call(fd, data, size / 2);
    errno = fail_error;
    return -1;
}

int fsync(int fd)
{
    NEXT("fsync", int, int);
    return fires() ? -1 : next.call(fd);
}

int link(const char *from, const char *to)
{
    NEXT("link", int, const char *, const char *);
    return fires() ? -1 : next.call(from, to);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

void fail_file_arm(int64_t at, int error)
{
    counted = fired = 0;
    fail_at = at;
    fail_error = error;
}

int64_t fail_file_disarm(void)
{
    fail_at = 0;
    return fired;
}
