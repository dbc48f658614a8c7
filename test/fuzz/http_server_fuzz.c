// SPDX-License-Identifier: Apache-2.0
// The HTTP server on a real socket against a strict parser written here: every request that reaches
// the handler is, in order, exactly what the strict parser reads. No byte is a request to one and a
// body to the other.
#include "fuzz.h"

#include "net/http_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUESTS_MAX    16
#define REPLY_BYTES_MAX 65536
// Follows every input: past the largest body there is, and no line of it is a request or a header,
// so that the server comes to an end of each connection at once.
#define TAIL            "\001 / HTTP/9\r\n\r\n"
#define TAIL_BYTES_MIN  (HTTP_BODY_BYTES_MAX + 256)
#define INPUT_BYTES_MAX 16384
#define CLOSED_POLL_US  20
#define LOOPBACK_NET    0x7f000000U // a source address each: no port runs out

struct seen {
    char *method, *target;
    uint8_t *body;
    size_t body_size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct seen seen[REQUESTS_MAX];
static size_t seen_count;
static size_t replies_count;
static int port;
static struct http_server *server;

static void on_request(struct http_request *request, void *context)
{
    (void)context;
    struct seen *next = &seen[seen_count];
    pthread_mutex_lock(&lock);
    replies_count++;
    if (seen_count < REQUESTS_MAX) {
        next->method = strdup(request->method);
        if (asprintf(&next->target, "%s?%s", request->path, request->query) < 0)
            abort();
        next->body_size = request->body.size;
        next->body = malloc(request->body.size + 1);
        if (!next->body)
            abort();
        memcpy(next->body, request->body.data, request->body.size);
        MUST(request->body.data[request->body.size] == 0);
        seen_count++;
    }
    pthread_mutex_unlock(&lock);
    http_reply(request, &(struct http_response){.status = 200,
                                                .content_type = "text/plain",
                                                .body = bytes_of_text("fine")});
}

static void on_refused(struct http_request *request, enum http_refusal refusal, void *context)
{
    (void)context;
    pthread_mutex_lock(&lock);
    replies_count++;
    pthread_mutex_unlock(&lock);
    http_reply(request, &(struct http_response){.status = http_refusal_status(refusal)});
}

// Also where the client saw its end first: no handler runs any more.
static void wait_until_closed(void)
{
    for (bool open = true; open;) {
        usleep(CLOSED_POLL_US);
        pthread_mutex_lock(&server->lock);
        open = server->connections != NULL;
        pthread_mutex_unlock(&server->lock);
    }
}

static void start_once(void)
{
    const struct http_server_options options = {.listen = "127.0.0.1:0",
                                                .threads = HTTP_THREADS_MIN,
                                                .clock = clock_system(),
                                                .on_request = on_request,
                                                .on_refused = on_refused};
    if (server)
        return;
    MUST(http_server_start(&server, &options) == STATUS_OK);
    port = http_server_port(server);
}

// ---- the strict parser

struct strict {
    const char *at, *end;
    bool version_1_1, chunked, has_length;
    size_t length, hosts, lengths, encodings;
};

static bool is_token(const char *text, size_t size)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && !memchr(others, c, sizeof others - 1))
            return false;
    }
    return size > 0;
}

// A line that ends in CRLF, without it. Neither stands inside.
static bool take_line(struct strict *strict, const char **ret_line, size_t *ret_size)
{
    const char *line = strict->at;
    const char *end = memchr(line, '\n', (size_t)(strict->end - line));
    if (!end || end == line || end[-1] != '\r' || memchr(line, '\r', (size_t)(end - 1 - line)))
        return false;
    *ret_line = line;
    *ret_size = (size_t)(end - 1 - line);
    strict->at = end + 1;
    return true;
}

static bool take_first_line(struct strict *strict, char **ret_method, char **ret_target)
{
    const char *line;
    size_t size;
    if (!take_line(strict, &line, &size))
        return false;
    const char *space = memchr(line, ' ', size);
    const char *version = space ? memrchr(line, ' ', size) : NULL;
    if (!version || version == space || !is_token(line, (size_t)(space - line)))
        return false;
    size_t target_size = (size_t)(version - space - 1);
    if (target_size == 0 || space[1] != '/' || line + size - version != 9 ||
        memcmp(version, " HTTP/1.", 8) != 0 || (version[8] != '1' && version[8] != '0'))
        return false;
    for (size_t i = 0; i < target_size; i++)
        if (space[1 + i] <= ' ' || space[1 + i] > '~' || space[1 + i] == '#')
            return false;
    strict->version_1_1 = version[8] == '1';
    *ret_method = strndup(line, (size_t)(space - line));
    // Always with a question mark, as the query alone does not tell.
    bool query = memchr(space + 1, '?', target_size) != NULL;
    if (asprintf(ret_target, "%.*s%s", (int)target_size, space + 1, query ? "" : "?") < 0)
        abort();
    return true;
}

static bool name_is(const char *line, size_t size, const char *name)
{
    return size == strlen(name) && strncasecmp(line, name, size) == 0;
}

static bool take_length(struct strict *strict, const char *value, size_t size)
{
    strict->lengths++;
    for (size_t i = 0; i < size; i++) {
        if (value[i] < '0' || value[i] > '9' || strict->length > 1000000)
            return false;
        strict->length = strict->length * 10 + (size_t)(value[i] - '0');
    }
    return size > 0;
}

static bool take_header(struct strict *strict, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon || !is_token(line, (size_t)(colon - line)))
        return false;
    size_t name_size = (size_t)(colon - line);
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (const char *c = value; c < end; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
            return false;
    size_t value_size = (size_t)(end - value);
    strict->hosts += name_is(line, name_size, "Host");
    if (name_is(line, name_size, "Content-Length"))
        return take_length(strict, value, value_size);
    if (name_is(line, name_size, "Transfer-Encoding")) {
        strict->encodings++;
        strict->chunked = name_is(value, value_size, "chunked");
        return strict->chunked && strict->version_1_1;
    }
    return true;
}

static bool take_head(struct strict *strict)
{
    const char *line;
    size_t size;
    do {
        if (!take_line(strict, &line, &size) || (size > 0 && !take_header(strict, line, size)))
            return false;
    } while (size > 0);
    return strict->hosts <= 1 && strict->lengths + strict->encodings <= 1;
}

// One request. False where a strict reader would not know what it is or where it ends; a chunked
// body is not read: the server lets nothing follow it.
static bool take_request(struct strict *strict, struct seen *ret_request)
{
    struct seen request = {.method = NULL};
    *strict = (struct strict){.at = strict->at, .end = strict->end};
    while (strict->at < strict->end && (*strict->at == '\r' || *strict->at == '\n'))
        strict->at++; // empty lines before a request are nothing (RFC 9112, 2.2)
    bool fine = take_first_line(strict, &request.method, &request.target) && take_head(strict) &&
                strict->length <= (size_t)(strict->end - strict->at);
    if (fine) {
        request.body = (uint8_t *)(uintptr_t)strict->at;
        request.body_size = strict->length;
        strict->at += strict->length;
        *ret_request = request;
    } else {
        free(request.method);
        free(request.target);
    }
    return fine;
}

static void check_seen(const uint8_t *data, size_t size)
{
    struct strict strict = {.at = (const char *)data, .end = (const char *)data + size};
    bool chunked_before = false;
    for (size_t i = 0; i < seen_count; i++) {
        struct seen request;
        MUST(!chunked_before);
        MUST(take_request(&strict, &request));
        MUST(strcmp(seen[i].method, request.method) == 0);
        MUST(strcmp(seen[i].target, request.target) == 0);
        chunked_before = strict.chunked;
        if (!strict.chunked)
            MUST(seen[i].body_size == request.body_size &&
                 memcmp(seen[i].body, request.body, request.body_size) == 0);
        free(request.method);
        free(request.target);
    }
}

// ---- the client

static int connect_once(void)
{
    static uint32_t source;
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    from.sin_addr.s_addr = htonl(LOOPBACK_NET | (1 + source++ % 0xfffffd));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&from, sizeof from) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        abort();
    }
    return fd;
}

// All that comes until the server closes.
static size_t exchange(char reply[REPLY_BYTES_MAX + 1], const uint8_t *data, size_t size)
{
    int fd = connect_once();
    size_t got = 0;
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0)
            break; // refused and closed meanwhile
        data += sent;
        size -= (size_t)sent;
    }
    while (got < REPLY_BYTES_MAX) {
        ssize_t more = recv(fd, reply + got, REPLY_BYTES_MAX - got, 0);
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    close(fd);
    wait_until_closed();
    reply[got] = '\0';
    return got;
}

// libmicrohttpd 0.9.75 puts NULs where CR and LF stood and where the colon of a header stood, and
// reads texts up to a NUL. So a NUL in the place of a CR or in front of a line, and a line of a
// colon and a bare LF, which ends the head to it, cannot be seen afterwards: none is sent here.
static void take_out_what_leaves_no_trace(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!data[i] || (data[i] == ':' && i > 0 && data[i - 1] == '\n'))
            data[i] = 'N';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char reply[REPLY_BYTES_MAX + 1];
    static uint8_t sent[INPUT_BYTES_MAX + TAIL_BYTES_MIN + sizeof TAIL];
    size_t sent_size = size < INPUT_BYTES_MAX ? size : INPUT_BYTES_MAX;
    memcpy(sent, data, sent_size);
    take_out_what_leaves_no_trace(sent, sent_size);
    for (size_t end = sent_size + TAIL_BYTES_MIN; sent_size < end; sent_size += sizeof TAIL - 1)
        memcpy(sent + sent_size, TAIL, sizeof TAIL - 1);
    start_once();
    seen_count = replies_count = 0;
    size_t got = exchange(reply, sent, sent_size);
    MUST(got == 0 || strncmp(reply, "HTTP/1.1 ", 9) == 0);
    pthread_mutex_lock(&lock);
    check_seen(sent, sent_size);
    for (size_t i = 0; i < seen_count; i++) {
        free(seen[i].method);
        free(seen[i].target);
        free(seen[i].body);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}
