// SPDX-License-Identifier: Apache-2.0
// What a handler reads of a request: headers by name, the query.
#include "net/http_internal.h"

#include <string.h>
#include <strings.h>

size_t http_header_count(const struct http_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->headers_count; i++)
        count += strcasecmp(request->headers[i].name, name) == 0;
    return count;
}

const char *http_header_value(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *http_decode(struct arena *arena, const char *text, size_t size, bool plus)
{
    char *out = arena_alloc(arena, size + 1);
    size_t length = 0;
    for (size_t i = 0; out && i < size; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            if (size - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
                return NULL;
            c = hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == 0)
            return NULL;
        out[length++] = (char)c;
    }
    return out;
}

bool http_query_next(const char **cursor, char **ret_name, char **ret_value, struct arena *arena)
{
    const char *start = *cursor;
    while (*start == '&')
        start++;
    if (!*start)
        return false;
    size_t size = strcspn(start, "&");
    const char *equals = memchr(start, '=', size);
    size_t name_size = equals ? (size_t)(equals - start) : size;
    const char *value = equals ? equals + 1 : start + size;
    *ret_name = http_decode(arena, start, name_size, true);
    *ret_value = http_decode(arena, value, (size_t)(start + size - value), true);
    *cursor = start + size;
    return true;
}
