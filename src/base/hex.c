// SPDX-License-Identifier: Apache-2.0
// Strict hexadecimal text: validated whole before a byte is written.
#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

void hex_encode(char *out, struct bytes data)
{
    *out++ = '0';
    *out++ = 'x';
    for (size_t i = 0; i < data.size; i++) {
        *out++ = digits[data.data[i] >> 4];
        *out++ = digits[data.data[i] & 15];
    }
    *out = '\0';
}

bool hex_decode_any(uint8_t *ret_out, size_t *ret_size, size_t capacity, const char *text)
{
    if (text[0] == '0' && text[1] == 'x')
        text += 2;
    // Looks at most one digit past what fits, so that a huge text costs no more than a fitting one.
    size_t length = 0;
    while (length / 2 <= capacity && text[length] != '\0') {
        if (digit_value(text[length]) < 0)
            return false;
        length++;
    }
    if (length % 2 != 0 || length / 2 > capacity)
        return false;
    for (size_t i = 0; i < length / 2; i++)
        ret_out[i] = (uint8_t)(digit_value(text[2 * i]) * 16 + digit_value(text[2 * i + 1]));
    *ret_size = length / 2;
    return true;
}

bool hex_decode(uint8_t *ret_out, size_t size, const char *text)
{
    size_t prefix = text[0] == '0' && text[1] == 'x' ? 2 : 0;
    size_t decoded;
    if (strnlen(text + prefix, 2 * size + 1) != 2 * size)
        return false;
    return hex_decode_any(ret_out, &decoded, size, text);
}
