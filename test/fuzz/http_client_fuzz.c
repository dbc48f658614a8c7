// SPDX-License-Identifier: Apache-2.0
// What a server answers, through libcurl and our client: bounded, and Retry-After within a day.
#include "fuzz.h"

#include "net/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RESPONSE_BYTES_MAX 4096
#define RETRY_MS_MAX       INT64_C(86400000)
#define TIMEOUT_MS         2000

static int listener = -1;
static char url[64];
static struct bytes script;
static sem_t answered;

// Reads the head of a request, so that closing does not reset the connection.
static void read_request(int fd)
{
    char buffer[4096];
    size_t size = 0;
    while (size < sizeof buffer - 1) {
        ssize_t more = recv(fd, buffer + size, sizeof buffer - 1 - size, 0);
        if (more <= 0)
            return;
        size += (size_t)more;
        if (memmem(buffer, size, "\r\n\r\n", 4))
            return;
    }
}

static void *serve(void *context)
{
    (void)context;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        read_request(fd);
        (void)!send(fd, script.data, script.size, MSG_NOSIGNAL);
        close(fd);
        sem_post(&answered);
    }
}

static void start_once(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    pthread_t thread;
    if (listener >= 0)
        return;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, size) != 0 ||
        listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        sem_init(&answered, 0, 0) != 0 || pthread_create(&thread, NULL, serve, NULL) != 0)
        abort();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
}

static void check(const struct http_response *response, size_t sent)
{
    MUST(response->fault <= HTTP_TOO_LARGE);
    MUST(response->retry_after_ms >= 0 && response->retry_after_ms <= RETRY_MS_MAX);
    MUST(response->retry_after_ms % 1000 == 0);
    MUST(memchr(response->error, '\0', sizeof response->error));
    if (response->fault == HTTP_FINE) {
        MUST(response->status >= 100 && response->status <= 999);
        MUST(response->body.size <= RESPONSE_BYTES_MAX && response->body.size <= sent);
    } else {
        MUST(response->error[0] && response->body.size == 0);
        MUST(response->fault != HTTP_NOT_SENT); // the request was read
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_client *client;
    struct http_response response;
    start_once();
    if (!client)
        client = http_client_new();
    MUST(client);
    const struct http_request request = {
        .url = url, .timeout_ms = TIMEOUT_MS, .response_bytes_max = RESPONSE_BYTES_MAX};
    script = (struct bytes){data, size};
    MUST(http_client_run(client, &response, &request, 1, fuzz_arena()));
    sem_wait(&answered);
    check(&response, size);
    return 0;
}
