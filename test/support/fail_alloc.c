// SPDX-License-Identifier: Apache-2.0
// The process's allocator, with a counter before it. Under AddressSanitizer behind it stands the
// sanitizer's allocator, so that every other check goes on.
#include "support/fail_alloc.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRACE_FRAMES_MAX 32

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__)
#define BEHIND(name) __asm__("__interceptor_" name)
#else
#define BEHIND(name) __asm__("__libc_" name)
#endif
extern void *real_malloc(size_t size) BEHIND("malloc");
extern void *real_calloc(size_t count, size_t size) BEHIND("calloc");
extern void *real_realloc(void *memory, size_t size) BEHIND("realloc");

// Called before the sanitizer has set itself up.
#define EARLY __attribute__((no_sanitize("address", "undefined")))

static atomic_bool armed;
static _Atomic(int64_t) counted, fired, fail_at;
static atomic_bool fail_stays;
static _Thread_local bool counts; // this thread's allocations

static void trace(void)
{
    void *frames[TRACE_FRAMES_MAX];
    counts = false;
    if (getenv("FAIL_ALLOC_TRACE") != NULL) {
        backtrace_symbols_fd(frames, backtrace(frames, TRACE_FRAMES_MAX), STDERR_FILENO);
        (void)!write(STDERR_FILENO, "\n", 1);
    }
    counts = true;
}

EARLY static bool fails(void)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed) || !counts)
        return false;
    int64_t number = atomic_fetch_add(&counted, 1) + 1, at = atomic_load(&fail_at);
    if (number != at && !(number > at && atomic_load(&fail_stays)))
        return false;
    if (atomic_fetch_add(&fired, 1) == 0)
        trace();
    errno = ENOMEM;
    return true;
}

// Reserved names stand in the system's own declarations.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
EARLY void *malloc(size_t size)
{
    return fails() ? NULL : real_malloc(size);
}

EARLY void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : real_calloc(count, size);
}

EARLY void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : real_realloc(memory, size);
}

char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

// NOLINTEND(readability-inconsistent-declaration-parameter-name)

void fail_alloc_arm(int64_t at, bool stays)
{
    atomic_store(&counted, 0);
    atomic_store(&fired, 0);
    atomic_store(&fail_at, at);
    atomic_store(&fail_stays, stays);
    atomic_store(&armed, true);
}

int64_t fail_alloc_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&fired);
}

void fail_alloc_count_thread(bool count)
{
    counts = count;
}

// ---- threads: what the C library and the sanitizer do before a thread's first line is not ours

struct beginning {
    void *(*run)(void *context);
    void *context;
};

static void *begin_thread(void *context)
{
    struct beginning beginning = *(struct beginning *)context;
    free(context);
    counts = true;
    void *result = beginning.run(beginning.context);
    counts = false;
    return result;
}

// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes,
                   void *(*run)(void *context), void *context)
{
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    union {
        void *address;
        create *call;
    } real = {.address = dlsym(RTLD_NEXT, "pthread_create")};
    struct beginning *beginning = real_malloc(sizeof *beginning);
    if (real.address == NULL || beginning == NULL)
        abort();
    *beginning = (struct beginning){run, context};
    int result = real.call(ret_thread, attributes, begin_thread, beginning);
    if (result != 0)
        free(beginning);
    return result;
}
