// SPDX-License-Identifier: Apache-2.0
// Small readers and writers of text: numbers of the command line and of queries, query strings,
// percent escapes, and texts of strangers put into JSON.
#include "fuzz.h"

#include "api/input.h"
#include "api/out.h"
#include "cli/number.h"
#include "net/http_server.h"

#include <gmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_MIN (-5)
#define RANGE_MAX 1000000
#define NOT_UTF8  "(not UTF-8)"

static void check_number(const char *text)
{
    int64_t number = 0, integer = 0;
    bool digits = text[0] && text[strspn(text, "0123456789")] == '\0';
    bool fine = number_parse(&number, text, RANGE_MIN, RANGE_MAX);
    MUST(!fine || (digits && number >= RANGE_MIN && number <= RANGE_MAX));
    bool wide = input_integer(&integer, text, 0, INT64_MAX);
    mpz_t exact;
    mpz_init(exact);
    if (digits)
        MUST(mpz_set_str(exact, text, 10) == 0);
    MUST(wide == (digits && mpz_sizeinbase(exact, 2) <= 63));
    MUST(!wide || mpz_cmp_si(exact, integer) == 0);
    MUST(!fine || mpz_cmp_si(exact, number) == 0);
    mpz_clear(exact);
}

// Every byte escaped, and then decoded.
static void check_escapes(const char *text)
{
    struct arena *arena = fuzz_arena();
    size_t size = strlen(text);
    char *escaped = malloc(3 * size + 1);
    if (!escaped)
        abort();
    for (size_t i = 0; i < size; i++)
        snprintf(escaped + 3 * i, 4, "%%%02X", (unsigned char)text[i]);
    char *decoded = http_decode(arena, escaped, 3 * size, true);
    MUST(decoded && strcmp(decoded, text) == 0);
    decoded = http_decode(arena, text, size, true);
    if (decoded)
        MUST(strlen(decoded) <= size);
    if (!strpbrk(text, "%+"))
        MUST(decoded && strcmp(decoded, text) == 0);
    free(escaped);
}

static void check_query(const char *text)
{
    struct arena *arena = fuzz_arena();
    const char *cursor = text;
    char *name, *value;
    size_t steps = 0;
    while (http_query_next(&cursor, &name, &value, arena)) {
        MUST(cursor > text && cursor <= text + strlen(text));
        MUST(++steps <= strlen(text));
    }
    MUST(cursor[strspn(cursor, "&")] == '\0'); // all of it was taken
}

// A text of strangers stays one text: never a new member, never a broken document. One that is no
// UTF-8 has no JSON form and is replaced.
static void check_json(const char *text)
{
    struct out out;
    struct bytes json;
    json_error_t error;
    out_start(&out, fuzz_arena());
    out_object(&out, NULL);
    out_text(&out, "text", text);
    out_object_end(&out);
    MUST(out_finish(&json, &out));
    json_t *root = json_loadb((const char *)json.data, json.size, JSON_REJECT_DUPLICATES, &error);
    MUST(root && json_object_size(root) == 1);
    const char *back = json_string_value(json_object_get(root, "text"));
    MUST(back && (strcmp(back, text) == 0 || strcmp(back, NOT_UTF8) == 0));
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    char *text = fuzz_text(&input);
    check_number(text);
    check_escapes(text);
    check_query(text);
    check_json(text);
    MUST(!input_is_id(text, 64) || (fuzz_is_printable(text) && strlen(text) <= 64 && text[0]));
    free(text);
    return 0;
}
