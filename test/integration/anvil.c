// SPDX-License-Identifier: Apache-2.0
// Runs anvil as a child process.
#include "anvil.h"

#include "net/json_rpc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS_MAX   32
#define STARTS_MAX      5 // another program may take the port first
#define READY_MS_MAX    30000
#define READY_PAUSE_MS  20
#define RPC_TIMEOUT_MS  30000
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define PORT_TEXT_SIZE  8
#define URL_SIZE        64

struct anvil {
    pid_t pid;
    char port[PORT_TEXT_SIZE];
    char url[URL_SIZE];
    struct http_client *http;
    struct arena *arena;
};

static bool choose_port(struct anvil *anvil)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
              getsockname(fd, (struct sockaddr *)&address, &size) == 0;
    if (fd >= 0)
        close(fd);
    snprintf(anvil->port, sizeof anvil->port, "%u", (unsigned)ntohs(address.sin_port));
    snprintf(anvil->url, sizeof anvil->url, "http://127.0.0.1:%s", anvil->port);
    return ok;
}

static void run_child(const char *const *arguments, const char *port, pid_t parent)
{
    const char *binary = getenv("ANVIL");
    const char *argv[ARGUMENTS_MAX + 8] = {"anvil", "--port", port, "--silent"};
    size_t count = 4;
    for (size_t i = 0; arguments && arguments[i] && i < ARGUMENTS_MAX; i++)
        argv[count++] = arguments[i];
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(127);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        _exit(127);
    execv(binary && binary[0] ? binary : ANVIL_BINARY, (char *const *)(uintptr_t)argv);
    perror("anvil");
    _exit(127);
}

static void end_child(struct anvil *anvil)
{
    if (anvil->pid <= 0)
        return;
    kill(anvil->pid, SIGKILL);
    waitpid(anvil->pid, NULL, 0);
    anvil->pid = 0;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static bool answers(struct anvil *anvil)
{
    static const struct rpc_call call = {"eth_chainId", "[]"};
    struct rpc_batch batch;
    struct rpc_reply reply;
    arena_reset(anvil->arena);
    if (!rpc_run(&batch, &reply, anvil->http, anvil->url, &call, 1, RPC_TIMEOUT_MS, anvil->arena))
        return false;
    rpc_batch_free(&batch);
    return reply.kind == RPC_RESULT;
}

// False where the child ended or the time is over.
static bool wait_until_ready(struct anvil *anvil)
{
    for (int waited_ms = 0; waited_ms < READY_MS_MAX; waited_ms += READY_PAUSE_MS) {
        if (answers(anvil))
            return true;
        if (waitpid(anvil->pid, NULL, WNOHANG) != 0) {
            anvil->pid = 0;
            return false;
        }
        pause_ms(READY_PAUSE_MS);
    }
    return false;
}

static bool start_child(struct anvil *anvil, const char *const *arguments)
{
    pid_t parent = getpid();
    if (!choose_port(anvil))
        return false;
    anvil->pid = fork();
    if (anvil->pid == 0)
        run_child(arguments, anvil->port, parent);
    if (anvil->pid > 0 && wait_until_ready(anvil))
        return true;
    end_child(anvil);
    return false;
}

struct anvil *anvil_start(const char *const *arguments)
{
    struct anvil *anvil = calloc(1, sizeof *anvil);
    if (!anvil)
        return NULL;
    anvil->http = http_client_new();
    anvil->arena = arena_new(ARENA_BYTES_MAX);
    for (int i = 0; i < STARTS_MAX && anvil->http && anvil->arena; i++) {
        if (start_child(anvil, arguments))
            return anvil;
    }
    fprintf(stderr, "anvil does not start; set ANVIL to the path of its binary\n");
    anvil_stop(anvil);
    return NULL;
}

void anvil_stop(struct anvil *anvil)
{
    if (!anvil)
        return;
    end_child(anvil);
    arena_free(anvil->arena);
    http_client_free(anvil->http);
    free(anvil);
}

const char *anvil_url(const struct anvil *anvil)
{
    return anvil->url;
}

void anvil_hang(const struct anvil *anvil, bool hangs)
{
    if (kill(anvil->pid, hangs ? SIGSTOP : SIGCONT) != 0)
        abort();
}

json_t *anvil_rpc(struct anvil *anvil, const char *method, const char *params)
{
    struct rpc_call call = {method, params};
    struct rpc_batch batch;
    struct rpc_reply reply;
    arena_reset(anvil->arena);
    if (!rpc_run(&batch, &reply, anvil->http, anvil->url, &call, 1, RPC_TIMEOUT_MS, anvil->arena) ||
        reply.kind != RPC_RESULT) {
        fprintf(stderr, "anvil: %s: %s\n", method, reply.message);
        abort();
    }
    json_t *result = json_incref(reply.result);
    rpc_batch_free(&batch);
    return result;
}
