// SPDX-License-Identifier: Apache-2.0
// The head of a request: strict framing, and limits before anything is believed.
#include "net/http_internal.h"

#include <string.h>
#include <strings.h>

static bool is_token(const char *text, size_t size)
{
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alphanumeric && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return true;
}

// No control characters but the tab; a NUL would end the text before its size.
static bool is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

enum MHD_Result http_head_collect(void *context, enum MHD_ValueKind kind, const char *name,
                                  size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct connection *connection = context;
    size_t i = connection->headers_seen++;
    if (i >= HTTP_HEADERS_MAX)
        return MHD_NO;
    connection->headers[i] = (struct http_header){name, value ? value : ""};
    connection->header_value_sizes[i] = value_size;
    if (!is_token(name, name_size) || !is_field_value(connection->headers[i].value, value_size))
        connection->framing_bad = true;
    return MHD_YES;
}

static size_t header_section_size(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

// The library takes a bare LF as the end of a line and joins folded lines. It also leaves what it
// read in place, so a line that did not end in CRLF right before the next one, or was
// skipped, shows as a gap.
static bool lines_end_in_crlf(const struct connection *connection, const char *version)
{
    uintptr_t end = (uintptr_t)version + strlen(version);
    for (size_t i = 0; i < connection->request.headers_count; i++) {
        if ((uintptr_t)connection->headers[i].name != end + 2)
            return false;
        end = (uintptr_t)connection->headers[i].value + connection->header_value_sizes[i];
    }
    return end + 4 == (uintptr_t)connection->request.method + header_section_size(connection->mhd);
}

static bool framing_is_clear(struct connection *connection, const char *url, const char *version)
{
    struct http_request *request = &connection->request;
    size_t lengths = http_header_count(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t encodings = http_header_count(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    bool version_1_1 = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
    if (connection->framing_bad || !is_token(request->method, strlen(request->method)))
        return false;
    if (!version_1_1 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
        return false;
    if (http_header_count(request, MHD_HTTP_HEADER_HOST) > 1 || lengths + encodings > 1)
        return false;
    if (encodings == 1 &&
        !(version_1_1 && strcasecmp(http_header_value(request, MHD_HTTP_HEADER_TRANSFER_ENCODING),
                                    "chunked") == 0))
        return false;
    connection->chunked = encodings == 1;
    if (!connection->server->in_place)
        return true;
    // A NUL in the target ended what we were given of it; the version stands where it really ends.
    return url == request->method + strlen(request->method) + 1 &&
           version == url + connection->uri_size + 1 && lines_end_in_crlf(connection, version);
}

// The library has checked already that the length is digits only and fits 64 bits.
bool http_head_content_length(uint64_t *ret_length, const struct http_request *request)
{
    const char *text = http_header_value(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    if (!text)
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (length <= HTTP_BODY_BYTES_MAX)
            length = length * 10 + (uint64_t)(*text - '0');
    *ret_length = length;
    return true;
}

// False with *ret_refusal set where the request goes no further.
bool http_head_passes(struct connection *connection, enum http_refusal *ret_refusal,
                      const char *url, const char *version)
{
    uint64_t length;
    if (connection->memory_out)
        *ret_refusal = HTTP_NO_MEMORY;
    else if (connection->uri_size > HTTP_URI_BYTES_MAX)
        *ret_refusal = HTTP_URI_TOO_LONG;
    else if (connection->headers_seen > HTTP_HEADERS_MAX ||
             header_section_size(connection->mhd) > HTTP_HEADER_BYTES_MAX)
        *ret_refusal = HTTP_HEADERS_TOO_LARGE;
    else if (!framing_is_clear(connection, url, version))
        *ret_refusal = HTTP_BAD_FRAMING;
    else if (http_head_content_length(&length, &connection->request) &&
             length > HTTP_BODY_BYTES_MAX)
        *ret_refusal = HTTP_BODY_TOO_LARGE;
    else
        return true;
    return false;
}
