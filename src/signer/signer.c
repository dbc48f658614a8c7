// SPDX-License-Identifier: Apache-2.0
// The parent's side of the signer: starts it, asks it, checks its answers, ends it.
#include "signer/signer.h"

#include "signer/answer.h"
#include "signer/child.h"
#include "signer/policy.h"
#include "signer/wire.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A signer that neither reads nor writes for this long is taken for dead; a full batch takes
// under a second.
#define SIGNER_SILENCE_MS_MAX 30000
// Its own end, once the socket is closed.
#define SIGNER_END_MS_MAX  2000
#define SIGNER_END_POLL_MS 5
#define DIGEST_ARENA_BYTES (1 << 20) // one encoded transaction

struct signer {
    pid_t pid;
    struct address lanes[SIGNER_LANES_MAX];
    size_t lanes_count;
    pthread_mutex_t mutex; // one exchange at a time
    bool gone;
    struct wire wire;
};

// --- starting and ending ---

static bool set_timeouts(int fd)
{
    const struct timeval limit = {.tv_sec = SIGNER_SILENCE_MS_MAX / 1000};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

static enum status fork_child(struct signer *signer, struct eth_key *keys, size_t count,
                              const struct signer_policy *policy)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return STATUS_IO;
    pid_t parent = getpid();
    pid_t pid = set_timeouts(ends[0]) ? fork() : -1;
    int error = errno;
    if (pid == 0) {
        close(ends[0]); // else the child would hold its own socket open
        signer_child_run(ends[1], parent, keys, count, policy);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return error == ENOMEM || error == EAGAIN ? STATUS_NO_MEMORY : STATUS_IO;
    }
    signer->pid = pid;
    signer->wire.fd = ends[0];
    return STATUS_OK;
}

static bool wait_briefly(pid_t pid)
{
    const struct timespec pause = {.tv_nsec = SIGNER_END_POLL_MS * 1000000L};
    for (int waited_ms = 0; waited_ms < SIGNER_END_MS_MAX; waited_ms += SIGNER_END_POLL_MS) {
        pid_t ended = waitpid(pid, NULL, WNOHANG);
        if (ended == pid || (ended < 0 && errno != EINTR))
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static void end_child(const struct signer *signer)
{
    close(signer->wire.fd);
    if (wait_briefly(signer->pid))
        return;
    kill(signer->pid, SIGKILL);
    while (waitpid(signer->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static enum status read_hello(struct signer *signer, size_t count)
{
    struct wire_hello hello;
    if (!wire_read(&signer->wire, &hello, sizeof hello))
        return STATUS_IO;
    if (hello.status != STATUS_OK)
        return STATUS_NO_MEMORY;
    if (hello.count != count)
        return STATUS_IO;
    memcpy(signer->lanes, hello.lanes, sizeof signer->lanes);
    signer->lanes_count = count;
    return STATUS_OK;
}

static enum status start(struct signer *signer, struct eth_key *keys, size_t count,
                         const struct signer_policy *policy)
{
    enum status status = fork_child(signer, keys, count, policy);
    if (status != STATUS_OK)
        return status;
    status = read_hello(signer, count);
    if (status != STATUS_OK)
        end_child(signer);
    return status;
}

enum status signer_start(struct signer **ret_signer, struct eth_key *keys, size_t count,
                         const struct signer_policy *policy)
{
    if (count == 0 || count > SIGNER_LANES_MAX)
        abort();
    struct signer *signer = calloc(1, sizeof *signer);
    enum status status = signer == NULL ? STATUS_NO_MEMORY : start(signer, keys, count, policy);
    bytes_wipe(keys, count * sizeof *keys);
    if (status != STATUS_OK) {
        free(signer);
        return status;
    }
    pthread_mutex_init(&signer->mutex, NULL);
    *ret_signer = signer;
    return STATUS_OK;
}

void signer_stop(struct signer *signer)
{
    if (signer == NULL)
        return;
    end_child(signer);
    pthread_mutex_destroy(&signer->mutex);
    free(signer);
}

size_t signer_lanes(const struct signer *signer, struct address ret_addresses[SIGNER_LANES_MAX])
{
    memcpy(ret_addresses, signer->lanes, sizeof signer->lanes);
    return signer->lanes_count;
}

// --- signing ---

static bool send_batch(struct wire *wire, const struct sign_request *requests, size_t count)
{
    const struct wire_batch batch = {(uint32_t)count};
    if (!wire_write(wire, &batch, sizeof batch))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct wire_request message;
        wire_request_from(&message, &requests[i]);
        struct bytes data = requests[i].transaction.data;
        if (!wire_write(wire, &message, sizeof message) || !wire_write(wire, data.data, data.size))
            return false;
    }
    return wire_flush(wire);
}

static bool receive_reply(enum status *ret_status, struct wire_signature *ret_answers,
                          struct wire *wire, size_t count)
{
    struct wire_reply reply;
    if (!wire_read(wire, &reply, sizeof reply))
        return false;
    if (reply.status == STATUS_OK && !wire_read(wire, ret_answers, count * sizeof *ret_answers))
        return false;
    *ret_status = reply.status == STATUS_OK ? STATUS_OK : STATUS_DENIED;
    return true;
}

// One conversation at a time; after a broken one nothing more is said.
static enum status exchange(struct signer *signer, struct wire_signature *ret_answers,
                            const struct sign_request *requests, size_t count)
{
    enum status status = STATUS_UNAVAILABLE;
    pthread_mutex_lock(&signer->mutex);
    if (!signer->gone) {
        signer->gone = !send_batch(&signer->wire, requests, count) ||
                       !receive_reply(&status, ret_answers, &signer->wire, count);
        if (signer->gone)
            shutdown(signer->wire.fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&signer->mutex);
    return status;
}

// The bytes are put together here from what was asked for, so only a signature can be wrong.
static enum status finish(struct signed_transaction *ret_signed, const struct sign_request *request,
                          const struct wire_signature *answer, size_t index, struct arena *arena,
                          struct arena *digest_arena)
{
    struct hash32 digest;
    arena_reset(digest_arena);
    if (!transaction_digest(&digest, &request->transaction, digest_arena))
        return STATUS_NO_MEMORY;
    if (!answer_is_right(answer, request, &digest, index))
        return STATUS_UNAVAILABLE; // whatever answers there, it is not our signer any more
    return transaction_assemble(ret_signed, &request->transaction, &answer->signature, arena)
               ? STATUS_OK
               : STATUS_NO_MEMORY;
}

static enum status finish_all(struct signed_transaction *ret_signed,
                              const struct sign_request *requests,
                              const struct wire_signature *answers, size_t count,
                              struct arena *arena)
{
    struct signed_transaction *all = arena_alloc_array(arena, count, sizeof *all);
    struct arena *digest_arena = arena_new(DIGEST_ARENA_BYTES);
    enum status status = all == NULL || digest_arena == NULL ? STATUS_NO_MEMORY : STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = finish(&all[i], &requests[i], &answers[i], i, arena, digest_arena);
    if (status == STATUS_OK)
        memcpy(ret_signed, all, count * sizeof *all);
    arena_free(digest_arena);
    return status;
}

// The signer itself would take an oversized length for a broken conversation and end.
static bool sizes_are_fine(const struct sign_request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (requests[i].transaction.data.size > SIGN_DATA_BYTES_MAX)
            return false;
    }
    return true;
}

enum status signer_sign(struct signer *signer, struct signed_transaction *ret_signed,
                        const struct sign_request *requests, size_t count, struct arena *arena)
{
    if (count > SIGN_REQUESTS_MAX)
        abort();
    if (count == 0)
        return STATUS_OK;
    if (!sizes_are_fine(requests, count))
        return STATUS_DENIED;
    struct wire_signature *answers = arena_alloc_array(arena, count, sizeof *answers);
    if (answers == NULL)
        return STATUS_NO_MEMORY;
    enum status status = exchange(signer, answers, requests, count);
    if (status != STATUS_OK)
        return status;
    return finish_all(ret_signed, requests, answers, count, arena);
}
