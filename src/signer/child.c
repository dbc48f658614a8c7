// SPDX-License-Identifier: Apache-2.0
// The signer process: shuts itself in, holds the keys, checks the policy, signs, wipes, ends.
#include "signer/child.h"

#include "base/log.h"
#include "signer/policy.h"
#include "signer/wire.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SOCKET_FD 3 // where the socket stands once all else is closed

// Signatures gathered before they are sent.
#define SIGNATURES_PER_FLUSH 16

#define ARENA_BYTES_MAX (1 << 20) // one encoded transaction

// The only place where keys stand. Locked, never dumped, never inherited.
struct vault {
    size_t count;
    struct address lanes[SIGNER_LANES_MAX];
    struct eth_key keys[SIGNER_LANES_MAX];
};

struct pending {
    size_t key_index;
    struct hash32 digest;
};

struct child {
    struct signer_policy policy;
    struct vault *vault;
    struct arena *arena;
    struct wire wire;
    struct pending pending[SIGN_REQUESTS_MAX];
    uint8_t data[SIGN_DATA_BYTES_MAX];
};

// --- shutting in ---

// A signal to the whole group (Ctrl-C, a supervisor's stop) must not end the signer before its
// parent has finished: it ends when the socket does, or with its parent.
static void ignore_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    struct sigaction action = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
}

static bool forbid_dumps(void)
{
    const struct rlimit none = {0, 0};
    return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

static bool die_with(pid_t parent)
{
    // The parent may have died before the request took effect.
    return prctl(PR_SET_PDEATHSIG, (long)SIGKILL, 0L, 0L, 0L) == 0 && getppid() == parent;
}

// For kernels without close_range(2).
static bool close_listed_above(int fd_max)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return false;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && *end == '\0' && fd > fd_max && fd != dirfd(directory))
            close((int)fd);
    }
    closedir(directory);
    return true;
}

// Leaves the socket, at SOCKET_FD, and standard error.
static bool close_inherited(int fd)
{
    if (fd != SOCKET_FD && dup2(fd, SOCKET_FD) != SOCKET_FD)
        return false;
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    if (close_range(SOCKET_FD + 1, ~0U, 0) == 0)
        return true;
    return errno == ENOSYS && close_listed_above(SOCKET_FD);
}

static bool shut_in(int fd, pid_t parent)
{
    ignore_signals();
    prctl(PR_SET_NAME, "sluice-signer");
    // Descriptors first: once not dumpable, /proc/self is closed to us as well.
    return close_inherited(fd) && forbid_dumps() && die_with(parent);
}

// --- keys ---

static struct vault *vault_new(void)
{
    struct vault *vault =
        mmap(NULL, sizeof *vault, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (vault == MAP_FAILED)
        return NULL;
    if (mlock(vault, sizeof *vault) != 0 || madvise(vault, sizeof *vault, MADV_DONTDUMP) != 0 ||
        madvise(vault, sizeof *vault, MADV_WIPEONFORK) != 0) {
        munmap(vault, sizeof *vault);
        return NULL;
    }
    return vault;
}

static void vault_fill(struct vault *vault, struct eth_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(vault->keys[i].secret, keys[i].secret, sizeof keys[i].secret);
        eth_key_wipe(&keys[i]);
        vault->lanes[i] = eth_key_address(&vault->keys[i]);
    }
    vault->count = count;
}

static bool find_lane(size_t *ret_index, const struct vault *vault, const struct address *lane)
{
    for (size_t i = 0; i < vault->count; i++) {
        if (address_equal(&vault->lanes[i], lane)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

// --- serving ---

static void log_refusal(const struct wire_request *message, const char *reason)
{
    log_warn("the signer refused a transaction", {"reason", LOG_TEXT(reason)},
             {"lane", LOG_BYTES(message->lane.bytes, sizeof message->lane.bytes)},
             {"to", LOG_BYTES(message->to.bytes, sizeof message->to.bytes)},
             {"nonce", LOG_INT(message->nonce)});
}

// What is wrong with the request, or NULL with `pending` ready to be signed.
static const char *prepare(struct pending *ret_pending, struct child *child,
                           const struct wire_request *message)
{
    struct transaction transaction;
    struct pending pending;
    if (!wire_request_to(&transaction, message, (struct bytes){child->data, message->data_size}))
        return "form";
    if (!find_lane(&pending.key_index, child->vault, &message->lane))
        return "lane";
    enum refusal refusal = policy_check(&child->policy, &message->lane, &transaction);
    if (refusal != REFUSAL_NONE)
        return refusal_text(refusal);
    arena_reset(child->arena);
    if (!transaction_digest(&pending.digest, &transaction, child->arena))
        return "memory";
    *ret_pending = pending;
    return NULL;
}

// Reads and checks the whole batch; only the digests of it are kept.
static bool receive_batch(enum status *ret_status, struct child *child, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        struct wire_request message;
        if (!wire_read(&child->wire, &message, sizeof message) ||
            message.data_size > sizeof child->data ||
            !wire_read(&child->wire, child->data, message.data_size))
            return false;
        if (status != STATUS_OK)
            continue; // one refusal is enough, but the rest has to be read
        const char *reason = prepare(&child->pending[i], child, &message);
        if (reason != NULL) {
            log_refusal(&message, reason);
            status = STATUS_DENIED;
        }
    }
    *ret_status = status;
    return true;
}

static bool send_signatures(struct child *child, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pending *pending = &child->pending[i];
        const struct wire_signature answer = {
            pending->digest, eth_sign(&child->vault->keys[pending->key_index], &pending->digest)};
        if (!wire_write(&child->wire, &answer, sizeof answer))
            return false;
        if ((i + 1) % SIGNATURES_PER_FLUSH == 0 && !wire_flush(&child->wire))
            return false;
    }
    return wire_flush(&child->wire);
}

static bool serve_batch(struct child *child)
{
    struct wire_batch batch;
    enum status status;
    if (!wire_read(&child->wire, &batch, sizeof batch) || batch.count == 0 ||
        batch.count > SIGN_REQUESTS_MAX || !receive_batch(&status, child, batch.count))
        return false;
    struct wire_reply reply = {(uint32_t)status};
    if (!wire_write(&child->wire, &reply, sizeof reply))
        return false;
    return status == STATUS_OK ? send_signatures(child, batch.count) : wire_flush(&child->wire);
}

static bool say_hello(struct child *child, enum status status)
{
    struct wire_hello hello = {.status = (uint32_t)status};
    if (status == STATUS_OK) {
        hello.count = (uint32_t)child->vault->count;
        memcpy(hello.lanes, child->vault->lanes, sizeof hello.lanes);
    }
    return wire_write(&child->wire, &hello, sizeof hello) && wire_flush(&child->wire);
}

static struct child *child_new(void)
{
    struct child *child = calloc(1, sizeof *child);
    if (child == NULL)
        return NULL;
    child->wire.fd = SOCKET_FD;
    child->arena = arena_new(ARENA_BYTES_MAX);
    child->vault = vault_new();
    return child;
}

_Noreturn void signer_child_run(int fd, pid_t parent, struct eth_key *keys, size_t count,
                                const struct signer_policy *policy)
{
    if (!shut_in(fd, parent))
        _exit(1); // the parent sees the end of the socket
    struct child *child = child_new();
    if (child == NULL)
        _exit(1);
    bool ready = child->arena != NULL && child->vault != NULL;
    if (ready) {
        child->policy = *policy;
        vault_fill(child->vault, keys, count);
    }
    if (say_hello(child, ready ? STATUS_OK : STATUS_NO_MEMORY) && ready) {
        while (serve_batch(child))
            continue;
    }
    if (child->vault != NULL)
        bytes_wipe(child->vault, sizeof *child->vault);
    _exit(0);
}
