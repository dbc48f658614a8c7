// SPDX-License-Identifier: Apache-2.0
// HTTP client on curl's multi interface: an easy handle a request, connections kept by the multi
// handle.
#include "net/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_CONCURRENT_MAX       64 // requests in flight; more go in waves
#define HTTP_CONNECTIONS_KEPT_MAX 64L
#define HTTP_HEADER_BYTES_MAX     65536  // of one response, all header lines together
#define HTTP_TIMEOUT_MS_MAX       600000 // 10 min
#define HTTP_RETRY_AFTER_S_MAX    86400  // what a server may ask for at most
#define HTTP_STATUS_MIN           100
#define HTTP_STATUS_MAX           999
#define HTTP_POLL_MS_MAX          1000
#define HTTP_BUFFER_BYTES_MIN     4096
#define HTTP_BUFFER_BYTES_KEPT    1048576 // a larger one is given back after its response

struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    uint8_t *buffer;
    size_t capacity;
    size_t size;
    size_t size_max;
    size_t header_bytes;
    bool head_ended; // curl takes a connection closed within the head for a whole response
    bool too_large;
    bool no_memory;
    CURLcode code;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    CURLM *multi;
    struct transfer transfers[HTTP_CONCURRENT_MAX];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready = CURLE_FAILED_INIT;

static void init_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_new(void)
{
    if (pthread_once(&curl_once, init_curl) != 0 || curl_ready != CURLE_OK)
        return NULL;
    struct http_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->multi = curl_multi_init();
    if (!client->multi || curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS,
                                            HTTP_CONNECTIONS_KEPT_MAX) != CURLM_OK) {
        http_client_free(client);
        return NULL;
    }
    return client;
}

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < HTTP_CONCURRENT_MAX; i++) {
        curl_easy_cleanup(client->transfers[i].easy);
        curl_slist_free_all(client->transfers[i].headers);
        free(client->transfers[i].buffer);
    }
    if (client->multi)
        curl_multi_cleanup(client->multi);
    free(client);
}

static bool reserve(struct transfer *transfer, size_t wanted)
{
    if (wanted <= transfer->capacity)
        return true;
    size_t capacity = transfer->capacity ? transfer->capacity : HTTP_BUFFER_BYTES_MIN;
    while (capacity < wanted)
        capacity *= 2; // wanted is at most size_max: no overflow
    uint8_t *grown = realloc(transfer->buffer, capacity);
    if (!grown)
        return false;
    transfer->buffer = grown;
    transfer->capacity = capacity;
    return true;
}

// curl's write callback: returning less than was given ends the request.
static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t bytes = size * count;
    if (bytes > transfer->size_max - transfer->size) {
        transfer->too_large = true;
        return 0;
    }
    if (!reserve(transfer, transfer->size + bytes)) {
        transfer->no_memory = true;
        return 0;
    }
    if (bytes > 0)
        memcpy(transfer->buffer + transfer->size, data, bytes);
    transfer->size += bytes;
    return bytes;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t bytes = size * count;
    if (bytes > 0 && (data[0] == '\r' || data[0] == '\n'))
        transfer->head_ended = true;
    else if (bytes > 5 && memcmp(data, "HTTP/", 5) == 0)
        transfer->head_ended = false; // another head, after an interim response
    transfer->header_bytes += bytes;
    if (transfer->header_bytes > HTTP_HEADER_BYTES_MAX) {
        transfer->too_large = true;
        return 0;
    }
    return bytes;
}

static bool add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *grown = curl_slist_append(transfer->headers, line);
    if (!grown)
        return false;
    transfer->headers = grown;
    return true;
}

static bool add_headers(struct transfer *transfer, const struct http_request *request)
{
    char content_type[128];
    if (request->content_type) {
        int length =
            snprintf(content_type, sizeof content_type, "Content-Type: %s", request->content_type);
        if (length < 0 || (size_t)length >= sizeof content_type)
            abort(); // content types are constants of ours
        // "Expect:" - a body goes out at once, without a round trip to ask first.
        if (!add_header(transfer, content_type) || !add_header(transfer, "Expect:"))
            return false;
    }
    for (const char *const *line = request->headers; line && *line; line++) {
        if (!add_header(transfer, *line))
            return false;
    }
    return true;
}

static long clamp_timeout(int64_t timeout_ms)
{
    if (timeout_ms < 1)
        return 1; // curl reads 0 as "for ever"
    return timeout_ms > HTTP_TIMEOUT_MS_MAX ? HTTP_TIMEOUT_MS_MAX : (long)timeout_ms;
}

#define SET(option, value) (curl_easy_setopt(transfer->easy, option, value) == CURLE_OK)

// No redirect, no proxy from the environment, no decompression (nothing to bomb us with), no other
// protocol, no signal; HTTP/1.1 because there is one request per host at a time.
static bool set_policy(struct transfer *transfer)
{
    return SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
           SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_TCP_NODELAY, 1L) &&
           SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
           SET(CURLOPT_QUICK_EXIT, 1L) && // a hanging name lookup must not outlive the time-out
           SET(CURLOPT_USERAGENT, "sluice");
}

static bool set_request(struct transfer *transfer, const struct http_request *request)
{
    if (!SET(CURLOPT_URL, request->url) || !SET(CURLOPT_HTTPHEADER, transfer->headers) ||
        !SET(CURLOPT_TIMEOUT_MS, clamp_timeout(request->timeout_ms)))
        return false;
    if (!request->content_type)
        return SET(CURLOPT_HTTPGET, 1L);
    const void *body = request->body.size > 0 ? (const void *)request->body.data : "";
    return SET(CURLOPT_POST, 1L) &&
           SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size) &&
           SET(CURLOPT_POSTFIELDS, body);
}

static bool set_callbacks(struct transfer *transfer)
{
    return SET(CURLOPT_WRITEFUNCTION, take_body) && SET(CURLOPT_WRITEDATA, transfer) &&
           SET(CURLOPT_HEADERFUNCTION, take_header) && SET(CURLOPT_HEADERDATA, transfer) &&
           SET(CURLOPT_ERRORBUFFER, transfer->error) && SET(CURLOPT_PRIVATE, transfer);
}

static bool start(struct http_client *client, struct transfer *transfer,
                  const struct http_request *request)
{
    // A new one each time: libcurl up to 8.3 keeps, also over curl_easy_reset, a pointer into the
    // freed headers of a handle's last response. Connections are the multi handle's and stay.
    curl_easy_cleanup(transfer->easy);
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        return false;
    transfer->size = 0;
    transfer->size_max = request->response_bytes_max;
    transfer->header_bytes = 0;
    transfer->head_ended = false;
    transfer->too_large = false;
    transfer->no_memory = false;
    transfer->code = CURLE_OPERATION_TIMEDOUT;
    transfer->error[0] = '\0';
    return add_headers(transfer, request) && set_policy(transfer) &&
           set_request(transfer, request) && set_callbacks(transfer) &&
           curl_multi_add_handle(client->multi, transfer->easy) == CURLM_OK;
}

static void collect(struct http_client *client)
{
    int waiting;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &waiting));) {
        void *transfer = NULL;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) == CURLE_OK)
            ((struct transfer *)transfer)->code = message->data.result;
    }
}

// Every transfer has a total time-out, so this ends.
static bool drive(struct http_client *client)
{
    for (int running = 1; running > 0;) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            return false;
        collect(client);
        if (running > 0 &&
            curl_multi_poll(client->multi, NULL, 0, HTTP_POLL_MS_MAX, NULL) != CURLM_OK)
            return false;
    }
    return true;
}

static bool fails_before_sending(CURLcode code)
{
    static const CURLcode codes[] = {
        CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT,     CURLE_COULDNT_RESOLVE_HOST,
        CURLE_COULDNT_CONNECT,      CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION,
        CURLE_SSL_CERTPROBLEM,      CURLE_SSL_CIPHER,        CURLE_SSL_CACERT_BADFILE,
        CURLE_SSL_CRL_BADFILE,      CURLE_SSL_ISSUER_ERROR,
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

// A request that died on a kept connection is sent again by curl on a new one: where that one is
// refused, the first may still have arrived. The request bytes sent so far tell.
static bool nothing_sent(const struct transfer *transfer)
{
    long sent = 0;
    return fails_before_sending(transfer->code) &&
           curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK && sent == 0;
}

// 0 where it is none: libcurl reads "HTTP/29200" as status 29200, and longer ones as negative.
static int status_of(const struct transfer *transfer)
{
    long status = 0;
    bool is_one = curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
                  status >= HTTP_STATUS_MIN && status <= HTTP_STATUS_MAX;
    return is_one ? (int)status : 0;
}

static enum http_fault fault_of(const struct transfer *transfer)
{
    if (transfer->too_large)
        return HTTP_TOO_LARGE;
    if (transfer->code == CURLE_OK)
        return transfer->head_ended && status_of(transfer) ? HTTP_FINE : HTTP_UNKNOWN;
    return nothing_sent(transfer) ? HTTP_NOT_SENT : HTTP_UNKNOWN;
}

static int64_t retry_after_ms(const struct transfer *transfer)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK ||
        seconds <= 0)
        return 0;
    return (seconds > HTTP_RETRY_AFTER_S_MAX ? HTTP_RETRY_AFTER_S_MAX : seconds) * INT64_C(1000);
}

// curl's own text where it names a host or a certificate, never more of the URL.
static void describe(struct http_response *response, const struct transfer *transfer)
{
    const char *text = curl_easy_strerror(transfer->code);
    if (transfer->too_large)
        text = "response over the limit";
    else if (transfer->code == CURLE_OK)
        text = transfer->head_ended ? "response without a status"
                                    : "response without an end of its head";
    else if (fails_before_sending(transfer->code) && transfer->code != CURLE_URL_MALFORMAT &&
             transfer->error[0] != '\0')
        text = transfer->error;
    snprintf(response->error, sizeof response->error, "%.*s", (int)sizeof response->error - 1,
             text);
}

static bool finish(struct http_response *ret_response, const struct transfer *transfer,
                   struct arena *arena)
{
    struct http_response response = {.fault = fault_of(transfer)};
    if (transfer->no_memory || transfer->code == CURLE_OUT_OF_MEMORY)
        return false;
    if (response.fault == HTTP_FINE) {
        response.status = status_of(transfer);
        response.retry_after_ms = retry_after_ms(transfer);
        response.body = (struct bytes){transfer->buffer, transfer->size};
        response.body.data = arena_copy(arena, response.body);
        if (!response.body.data)
            return false;
    } else {
        describe(&response, transfer);
    }
    *ret_response = response;
    return true;
}

// Takes the handle out of the multi handle; its connection stays there for the next request.
static void release(struct http_client *client, struct transfer *transfer)
{
    if (transfer->easy)
        (void)curl_multi_remove_handle(client->multi, transfer->easy);
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    if (transfer->capacity > HTTP_BUFFER_BYTES_KEPT) {
        free(transfer->buffer);
        transfer->buffer = NULL;
        transfer->capacity = 0;
    }
}

static bool run_wave(struct http_client *client, struct http_response *ret_responses,
                     const struct http_request *requests, size_t count, struct arena *arena)
{
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = start(client, &client->transfers[i], &requests[i]);
    ok = ok && drive(client);
    for (size_t i = 0; i < count && ok; i++)
        ok = finish(&ret_responses[i], &client->transfers[i], arena);
    for (size_t i = 0; i < count; i++)
        release(client, &client->transfers[i]);
    return ok;
}

bool http_client_run(struct http_client *client, struct http_response *ret_responses,
                     const struct http_request *requests, size_t count, struct arena *arena)
{
    for (size_t first = 0; first < count; first += HTTP_CONCURRENT_MAX) {
        size_t size = count - first < HTTP_CONCURRENT_MAX ? count - first : HTTP_CONCURRENT_MAX;
        if (!run_wave(client, ret_responses + first, requests + first, size, arena))
            return false;
    }
    return true;
}
