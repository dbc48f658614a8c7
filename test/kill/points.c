// SPDX-License-Identifier: Apache-2.0
// sluice-kill: the production objects with labelled points at which the process kills itself.
//
// The linker puts these functions around the production ones (--wrap), so that sluice itself
// carries nothing of it. The environment says where and how:
//   KILL_AT=LABEL:COUNT    die at the COUNT-th pass of that point; KILL_AT=list prints the labels
//   KILL_SIGNAL=STOP       stop there (SIGSTOP) instead
//   KILL_OTHER_MACHINE=1   be a relayer on another machine: another name, and a lock that does not
//                          reach here
#include "api/api.h"
#include "cli/command.h"
#include "db/migrate.h"
#include "net/http_client.h"
#include "relay/lane.h"
#include "relay/relay.h"
#include "signer/signer.h"
#include "store/lanes.h"
#include "store/outbox.h"
#include "store/payments.h"
#include "store/tx.h"
#include "store/users.h"

#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT_MAX 1000000

// Functions that have a point before and a point after them.
#define WRAPPED(X)                                                                                 \
    X(accept)                                                                                      \
    X(answer)                                                                                      \
    X(api_start)                                                                                   \
    X(assign)                                                                                      \
    X(attempt_sent)                                                                                \
    X(bump)                                                                                        \
    X(commit)                                                                                      \
    X(disk_flush)                                                                                  \
    X(disk_write)                                                                                  \
    X(final)                                                                                       \
    X(http)                                                                                        \
    X(lease)                                                                                       \
    X(migrate)                                                                                     \
    X(mined)                                                                                       \
    X(outbox)                                                                                      \
    X(refund)                                                                                      \
    X(register)                                                                                    \
    X(relay_start)                                                                                 \
    X(sign)                                                                                        \
    X(signature)                                                                                   \
    X(signer_start)                                                                                \
    X(store_close)                                                                                 \
    X(store_open)                                                                                  \
    X(unmined)

enum point {
#define X(name) BEFORE_##name, AFTER_##name,
    WRAPPED(X)
#undef X
        DISK_TORN, // half of a write is done
    LANE_FIRST,
    POINTS = LANE_FIRST + LANE_RECORDED + 1,
};

static const char *const labels[POINTS] = {
#define X(name) [BEFORE_##name] = #name "-before", [AFTER_##name] = #name "-after",
    WRAPPED(X)
#undef X
        [DISK_TORN] = "disk_write-torn",
    [LANE_FIRST + LANE_JUDGED] = "lane-judged",
    [LANE_FIRST + LANE_CLAIMED] = "lane-claimed",
    [LANE_FIRST + LANE_SIGNED] = "lane-signed",
    [LANE_FIRST + LANE_COMMITTED] = "lane-committed",
    [LANE_FIRST + LANE_SENT] = "lane-sent",
    [LANE_FIRST + LANE_RECORDED] = "lane-recorded",
};

static int chosen = -1;
static int signal_number = SIGKILL;
static bool other_machine;
static atomic_long passes_left;

// ---------------------------------------------------------------- what the environment says

static _Noreturn void refuse(const char *text)
{
    fprintf(stderr, "KILL_AT: %s\n", text);
    exit(EXIT_USAGE);
}

static int find_label(const char *label, size_t length)
{
    for (int i = 0; i < POINTS; i++)
        if (strlen(labels[i]) == length && memcmp(labels[i], label, length) == 0)
            return i;
    refuse("no such label");
}

static void choose(const char *text)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        refuse("wants LABEL:COUNT");
    char *end;
    errno = 0;
    long count = strtol(colon + 1, &end, 10);
    if (errno != 0 || *end != '\0' || count < 1 || count > COUNT_MAX)
        refuse("the count is not a number from 1 to 1000000");
    chosen = find_label(text, (size_t)(colon - text));
    atomic_store(&passes_left, count);
}

__attribute__((constructor)) static void read_environment(void)
{
    const char *at = getenv("KILL_AT");
    const char *how = getenv("KILL_SIGNAL");
    other_machine = getenv("KILL_OTHER_MACHINE") != NULL;
    if (how != NULL && strcmp(how, "STOP") == 0)
        signal_number = SIGSTOP;
    if (at != NULL && strcmp(at, "list") == 0) {
        for (int i = 0; i < POINTS; i++)
            puts(labels[i]);
        exit(EXIT_FINE);
    }
    if (at != NULL)
        choose(at);
}

// ---------------------------------------------------------------- the end

static bool is_last_pass(int point)
{
    return point == chosen && atomic_fetch_sub(&passes_left, 1) == 1;
}

static void say_where(int point)
{
    char line[64];
    int size = snprintf(line, sizeof line, "killed itself at %s\n", labels[point]);
    if (write(STDERR_FILENO, line, (size_t)size) < 0)
        return; // nobody reads it
}

static void die(int point)
{
    say_where(point);
    kill(getpid(), signal_number);
    while (signal_number == SIGKILL)
        pause();
}

static void pass(int point)
{
    if (is_last_pass(point))
        die(point);
}

static void pass_lane(void *context, enum lane_point point)
{
    (void)context;
    pass(LANE_FIRST + (int)point);
}

// ---------------------------------------------------------------- around production functions

// cert and the compiler reserve such names; the linker wants just these.
// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#define WRAP(point, type, name, parameters, arguments)                                             \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        pass(BEFORE_##point);                                                                      \
        type answer = __real_##name arguments;                                                     \
        pass(AFTER_##point);                                                                       \
        return answer;                                                                             \
    }

WRAP(accept, enum status, payment_accept,
     (struct store_tx * tx, enum payment_outcome *ret_outcome, struct payment *ret_payment,
      const struct payment_input *input),
     (tx, ret_outcome, ret_payment, input))
WRAP(answer, enum MHD_Result, MHD_queue_response,
     (struct MHD_Connection * connection, unsigned status, struct MHD_Response *response),
     (connection, status, response))
WRAP(api_start, enum status, api_start, (struct api * *ret_api, const struct api_options *options),
     (ret_api, options))
WRAP(assign, enum status, slot_assign,
     (struct store_tx * tx, struct slot *ret_slot, struct attempt *ret_attempt,
      const struct lane *lane, int64_t nonce, const int64_t *job_ids, size_t jobs_count,
      const struct attempt *attempt),
     (tx, ret_slot, ret_attempt, lane, nonce, job_ids, jobs_count, attempt))
WRAP(attempt_sent, enum status, attempts_sent,
     (struct store_tx * tx, const struct lane *lane, const int64_t *ids, size_t count),
     (tx, lane, ids, count))
WRAP(bump, enum status, attempt_add,
     (struct store_tx * tx, int64_t *ret_attempt_id, const struct lane *lane, int64_t slot_id,
      const struct attempt *attempt),
     (tx, ret_attempt_id, lane, slot_id, attempt))
WRAP(commit, enum status, tx_commit, (struct store_tx * tx), (tx))
WRAP(final, enum status, slot_final,
     (struct store_tx * tx, const struct lane *lane, int64_t slot_id,
      const struct job_settlement *settlements, size_t count),
     (tx, lane, slot_id, settlements, count))
WRAP(http, bool, http_client_run,
     (struct http_client * client, struct http_response *ret_responses,
      const struct http_request *requests, size_t count, struct arena *arena),
     (client, ret_responses, requests, count, arena))
WRAP(lease, enum status, lane_acquire,
     (struct store_tx * tx, struct lane *ret_lane, const struct address *address,
      int64_t first_nonce, const char *holder, int64_t lease_ms),
     (tx, ret_lane, address, first_nonce, holder, lease_ms))
WRAP(migrate, enum status, db_migrate, (struct db * db, int *ret_applied), (db, ret_applied))
WRAP(mined, enum status, slot_mined,
     (struct store_tx * tx, const struct lane *lane, int64_t slot_id,
      const struct inclusion *inclusion),
     (tx, lane, slot_id, inclusion))
WRAP(outbox, enum status, outbox_delivered, (struct store_tx * tx, int64_t message_id),
     (tx, message_id))
WRAP(refund, enum status, payment_refund,
     (struct store_tx * tx, enum refund_outcome *ret_outcome, enum provider provider,
      const char *event_id, const char *payment_key, enum refund_kind kind,
      const struct trace_id *trace),
     (tx, ret_outcome, provider, event_id, payment_key, kind, trace))
WRAP(register, enum status, user_register,
     (struct store_tx * tx, enum user_outcome *ret_outcome, struct user *ret_user,
      const struct address *wallet, const struct address *referrer, const char *program_name,
      bool mint, const struct trace_id *trace),
     (tx, ret_outcome, ret_user, wallet, referrer, program_name, mint, trace))
WRAP(relay_start, enum status, relay_start,
     (struct relay * *ret_relay, const struct relay_options *options), (ret_relay, options))
WRAP(sign, enum status, signer_sign,
     (struct signer * signer, struct signed_transaction *ret_signed,
      const struct sign_request *requests, size_t count, struct arena *arena),
     (signer, ret_signed, requests, count, arena))
// In the signer's process: it alone dies there.
WRAP(signature, struct eth_signature, eth_sign,
     (const struct eth_key *key, const struct hash32 *digest), (key, digest))
WRAP(signer_start, enum status, signer_start,
     (struct signer * *ret_signer, struct eth_key *keys, size_t count,
      const struct signer_policy *policy),
     (ret_signer, keys, count, policy))
WRAP(store_open, enum status, store_open,
     (struct store * *ret_store, const struct store_options *options), (ret_store, options))
WRAP(unmined, enum status, slot_unmined,
     (struct store_tx * tx, const struct lane *lane, int64_t slot_id), (tx, lane, slot_id))

void __real_store_close(struct store *store);
void __wrap_store_close(struct store *store);
void __wrap_store_close(struct store *store)
{
    pass(BEFORE_store_close);
    __real_store_close(store);
    pass(AFTER_store_close);
}

struct relay_lane *__real_lane_open(const struct lane_options *options);
struct relay_lane *__wrap_lane_open(const struct lane_options *options);
struct relay_lane *__wrap_lane_open(const struct lane_options *options)
{
    struct lane_options pointed = *options;
    pointed.at = pass_lane;
    return __real_lane_open(&pointed);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
    return other_machine ? 0 : __real_flock(fd, operation);
}

int __real_gethostname(char *name, size_t size);
int __wrap_gethostname(char *name, size_t size);
int __wrap_gethostname(char *name, size_t size)
{
    if (!other_machine)
        return __real_gethostname(name, size);
    snprintf(name, size, "another-machine");
    return 0;
}
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

// ---------------------------------------------------------------- what SQLite asks of the kernel

// These stand in front of the C library's for the whole process. Only SQLite calls them.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): its names are reserved
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    pass(BEFORE_disk_write);
    if (is_last_pass(DISK_TORN)) {
        (void)syscall(SYS_pwrite64, fd, data, size / 2, offset);
        die(DISK_TORN);
    }
    ssize_t written = syscall(SYS_pwrite64, fd, data, size, offset);
    pass(AFTER_disk_write);
    return written;
}

int fdatasync(int fd)
{
    pass(BEFORE_disk_flush);
    int answer = (int)syscall(SYS_fdatasync, fd);
    pass(AFTER_disk_flush);
    return answer;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
