// SPDX-License-Identifier: Apache-2.0
// Settings: what is loaded keeps every rule and loads again from its own text; what is refused is
// refused in one line that gives no secret away.
#include "fuzz.h"

#include "base/settings.h"
#include "base/settings_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ERROR_SIZE 512
#define PAIRS_MAX  64
#define PAIR_SIZE  (SETTING_VALUE_BYTES_MAX + 80)
#define SECRET     "hunter2hunter2hunter2"

// The value as text: numbers are printed.
static const char *text_of(const struct settings *settings, const struct setting *setting)
{
    static char number[24];
    if (setting->type == SETTING_BOOLEAN)
        return setting->fallback && settings_boolean(settings, setting->name) ? "true" : "false";
    if (setting->type == SETTING_INTEGER) {
        if (!setting->fallback)
            return NULL;
        snprintf(number, sizeof number, "%lld",
                 (long long)settings_integer(settings, setting->name));
        return number;
    }
    return settings_text(settings, setting->name);
}

static void check_loaded(const struct settings *settings)
{
    size_t count;
    int64_t number;
    char error[ERROR_SIZE];
    const struct setting *table = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        const char *text = text_of(settings, &table[i]);
        if (!text || !text[0])
            continue;
        MUST(setting_check(&number, &table[i], text));
        char *pair = NULL;
        MUST(asprintf(&pair, "%s=%s", table[i].name, text) > 0);
        struct settings *again =
            settings_from_pairs(error, sizeof error, (const char *const[]){pair, NULL});
        // A value read from a _FILE may begin or end with blanks, which a line does not keep.
        if (text[0] != ' ' && text[strlen(text) - 1] != ' ')
            MUST(again && strcmp(text_of(again, &table[i]), text) == 0);
        settings_free(again);
        free(pair);
    }
}

static void check_printed(const struct settings *settings)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        abort();
    settings_print(out, settings);
    fclose(out);
    MUST(!strstr(text, SECRET));
    free(text);
}

// Whether the secret stands anywhere but at the start of the value of a secret setting: there it
// may be shown.
static bool is_shown(struct bytes text)
{
    static const char place[] = "_WEBHOOK_SECRET=" SECRET;
    const uint8_t *end = text.data + text.size;
    for (const uint8_t *line = text.data; line < end;) {
        const uint8_t *next = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((next ? next : end) - line);
        const uint8_t *equals = memchr(line, '=', size);
        const uint8_t *found = memmem(line, size, SECRET, strlen(SECRET));
        const uint8_t *right = memmem(line, size, place, strlen(place));
        if (found && (!right || equals + 1 != found))
            return true;
        line += size + 1;
    }
    return false;
}

static void check_outcome(struct settings *settings, const char *error)
{
    if (settings) {
        check_loaded(settings);
        check_printed(settings);
    } else {
        MUST(error[0] && setting_is_printable(error) && !strstr(error, SECRET));
    }
    settings_free(settings);
}

static void check_file(struct bytes text)
{
    char path[64];
    char error[ERROR_SIZE] = "";
    int fd = memfd_create("settings", 0);
    if (fd < 0 || write(fd, text.data, text.size) != (ssize_t)text.size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    setenv("SLUICE_SETTINGS", path, 1);
    check_outcome(settings_load(error, sizeof error), error);
    close(fd);
}

static void check_pairs(struct fuzz_input input)
{
    char *pairs[PAIRS_MAX + 1] = {NULL};
    char error[ERROR_SIZE] = "";
    size_t count = 0;
    while (input.rest.size > 0 && count < PAIRS_MAX)
        pairs[count++] = fuzz_line(&input);
    check_outcome(settings_from_pairs(error, sizeof error, (const char *const *)pairs), error);
    for (size_t i = 0; i < count; i++)
        free(pairs[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    // Other files than the one given are not for the fuzzer to open.
    if (size > 0 && (memmem(data, size, "_FILE", 5) || is_shown((struct bytes){data, size})))
        return 0;
    if (fuzz_byte(&input) == 'f')
        check_file(input.rest);
    else
        check_pairs(input);
    return 0;
}
