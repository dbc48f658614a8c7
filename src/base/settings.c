// SPDX-License-Identifier: Apache-2.0
// Reads settings from the environment, files and defaults, and answers typed reads.
#include "base/settings.h"

#include "base/bytes.h"
#include "base/settings_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_COUNT_MAX      128
#define SETTINGS_FILE_BYTES_MAX 65536
#define SETTING_ECHO_BYTES_MAX  64 // of a wrong value shown in an error
#define SETTINGS_PLACE_SIZE     320

// Where a value came from: a stronger source keeps a weaker one out.
enum source { SOURCE_NONE, SOURCE_DEFAULT, SOURCE_FILE, SOURCE_ENVIRONMENT };

struct value {
    char *text; // NULL: unset
    int64_t number;
    enum source source;
};

struct settings {
    struct value values[SETTINGS_COUNT_MAX];
};

// Where a problem is written.
struct fault {
    char *text;
    size_t size;
};

static int compare_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct setting *)row)->name);
}

static size_t index_of(const struct setting *setting)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    if (count > SETTINGS_COUNT_MAX)
        abort();
    return (size_t)(setting - table);
}

static const struct setting *find(const char *name)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    return bsearch(name, table, count, sizeof table[0], compare_name);
}

static void report_wrong(struct fault fault, const struct setting *setting, const char *text)
{
    char rule[SETTING_RULE_SIZE];
    setting_rule(rule, setting);
    if (setting->secret || !setting_is_printable(text) || strlen(text) > SETTING_ECHO_BYTES_MAX)
        snprintf(fault.text, fault.size, "%s: the value is wrong; it should be %s", setting->name,
                 rule);
    else
        snprintf(fault.text, fault.size, "%s: \"%s\" is wrong; it should be %s", setting->name,
                 text, rule);
}

static bool assign(struct settings *settings, struct fault fault, const struct setting *setting,
                   const char *text, enum source source)
{
    struct value *value = &settings->values[index_of(setting)];
    if (text[0] == '\0' || value->source > source)
        return true;
    if (value->source == source) {
        snprintf(fault.text, fault.size, "%s: is given twice; it should be given once",
                 setting->name);
        return false;
    }
    int64_t number = 0;
    if (!setting_check(&number, setting, text)) {
        report_wrong(fault, setting, text);
        return false;
    }
    char *copy = strdup(text);
    if (!copy) {
        snprintf(fault.text, fault.size, "%s: memory is out", setting->name);
        return false;
    }
    *value = (struct value){copy, number, source};
    return true;
}

// Reads a whole small file as text without NUL inside. errno tells why it could not.
static bool read_file(char *ret_text, size_t capacity, const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    setvbuf(file, NULL, _IONBF, 0); // no copy of a secret stays in a freed buffer
    size_t size = fread(ret_text, 1, capacity, file);
    int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error == 0 && size == capacity)
        error = EFBIG;
    if (error == 0 && memchr(ret_text, '\0', size))
        error = EILSEQ;
    if (error != 0) {
        bytes_wipe(ret_text, size);
        errno = error;
        return false;
    }
    ret_text[size] = '\0';
    return true;
}

static bool assign_from_file(struct settings *settings, struct fault fault,
                             const struct setting *setting, const char *path, enum source source)
{
    char text[SETTING_VALUE_BYTES_MAX + 3];
    if (path[0] == '\0')
        return true;
    if (!read_file(text, sizeof text, path)) {
        snprintf(fault.text, fault.size,
                 "%s_FILE: cannot be read (%s); it should be the path of a file that holds %s",
                 setting->name, strerror(errno), setting->name);
        return false;
    }
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    if (length > 0 && text[length - 1] == '\r')
        text[--length] = '\0';
    bool fine = assign(settings, fault, setting, text, source);
    bytes_wipe(text, sizeof text);
    return fine;
}

// NAME or NAME_FILE, as a line of the file or a pair gives it.
static bool assign_named(struct settings *settings, struct fault fault, const char *place,
                         char *name, const char *text)
{
    static const char suffix[] = "_FILE";
    const struct setting *setting = find(name);
    if (setting)
        return assign(settings, fault, setting, text, SOURCE_FILE);
    size_t length = strlen(name);
    if (length > sizeof suffix - 1 && strcmp(name + length - (sizeof suffix - 1), suffix) == 0) {
        name[length - (sizeof suffix - 1)] = '\0';
        setting = find(name);
        if (setting)
            return assign_from_file(settings, fault, setting, text, SOURCE_FILE);
        name[length - (sizeof suffix - 1)] = suffix[0];
    }
    snprintf(fault.text, fault.size, "%s%.64s: is no setting; sluice docs settings lists them",
             place, setting_is_printable(name) ? name : "(unprintable name)");
    return false;
}

static char *trim(char *text)
{
    static const char blanks[] = " \t\r";
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        text[--length] = '\0';
    return text;
}

// One line NAME=value; a blank line or a comment is nothing.
static bool assign_line(struct settings *settings, struct fault fault, const char *place,
                        char *line)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#')
        return true;
    char *equals = strchr(line, '=');
    if (!equals) {
        snprintf(fault.text, fault.size, "%sthe line has no =; it should be NAME=value", place);
        return false;
    }
    *equals = '\0';
    return assign_named(settings, fault, place, trim(line), trim(equals + 1));
}

static bool load_file_text(struct settings *settings, struct fault fault, const char *path,
                           char *text)
{
    int number = 1;
    for (char *line = text; line; number++) {
        char place[SETTINGS_PLACE_SIZE];
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        snprintf(place, sizeof place, "%.255s:%d: ", path, number);
        if (!assign_line(settings, fault, place, line))
            return false;
        line = end;
    }
    return true;
}

static bool load_file(struct settings *settings, struct fault fault)
{
    const char *path = getenv("SLUICE_SETTINGS");
    if (!path || path[0] == '\0')
        return true;
    char *text = malloc(SETTINGS_FILE_BYTES_MAX + 1);
    if (!text || !read_file(text, SETTINGS_FILE_BYTES_MAX + 1, path)) {
        snprintf(fault.text, fault.size,
                 "SLUICE_SETTINGS: cannot be read (%s); it should be the path of a file of "
                 "NAME=value lines, at most %d bytes",
                 strerror(errno), SETTINGS_FILE_BYTES_MAX);
        free(text);
        return false;
    }
    bool fine = load_file_text(settings, fault, path, text);
    bytes_wipe(text, SETTINGS_FILE_BYTES_MAX + 1);
    free(text);
    return fine;
}

static bool load_environment(struct settings *settings, struct fault fault)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        char file_name[64];
        snprintf(file_name, sizeof file_name, "%s_FILE", table[i].name);
        const char *text = getenv(table[i].name);
        const char *path = getenv(file_name);
        if (text && !assign(settings, fault, &table[i], text, SOURCE_ENVIRONMENT))
            return false;
        if (path && !assign_from_file(settings, fault, &table[i], path, SOURCE_ENVIRONMENT))
            return false;
    }
    return true;
}

static bool load_defaults(struct settings *settings, struct fault fault)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].fallback &&
            !assign(settings, fault, &table[i], table[i].fallback, SOURCE_DEFAULT))
            return false;
    }
    return true;
}

static bool load_pairs(struct settings *settings, struct fault fault, const char *const *pairs)
{
    for (; *pairs; pairs++) {
        char *line = strdup(*pairs);
        if (!line) {
            snprintf(fault.text, fault.size, "settings: memory is out");
            return false;
        }
        size_t size = strlen(line);
        bool fine = assign_line(settings, fault, "", line);
        bytes_wipe(line, size);
        free(line);
        if (!fine)
            return false;
    }
    return true;
}

struct settings *settings_load(char *ret_error, size_t size)
{
    struct fault fault = {ret_error, size};
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings) {
        snprintf(fault.text, fault.size, "settings: memory is out");
        return NULL;
    }
    if (load_environment(settings, fault) && load_file(settings, fault) &&
        load_defaults(settings, fault))
        return settings;
    settings_free(settings);
    return NULL;
}

struct settings *settings_from_pairs(char *ret_error, size_t size, const char *const *pairs)
{
    struct fault fault = {ret_error, size};
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings) {
        snprintf(fault.text, fault.size, "settings: memory is out");
        return NULL;
    }
    if (load_pairs(settings, fault, pairs) && load_defaults(settings, fault))
        return settings;
    settings_free(settings);
    return NULL;
}

static void release(struct value *value, bool secret)
{
    if (value->text && secret)
        bytes_wipe(value->text, strlen(value->text));
    free(value->text);
    *value = (struct value){0};
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    size_t count;
    const struct setting *table = settings_table(&count);
    for (size_t i = 0; i < count; i++)
        release(&settings->values[i], table[i].secret);
    free(settings);
}

void settings_forget(struct settings *settings, const char *name)
{
    const struct setting *setting = find(name);
    if (!setting || !setting->secret)
        abort();
    release(&settings->values[index_of(setting)], true);
}

static const struct value *value_of(const struct settings *settings, const char *name,
                                    enum setting_type *ret_type)
{
    const struct setting *setting = find(name);
    if (!setting)
        abort();
    *ret_type = setting->type;
    return &settings->values[index_of(setting)];
}

const char *settings_text(const struct settings *settings, const char *name)
{
    enum setting_type type;
    const struct value *value = value_of(settings, name, &type);
    if (type == SETTING_INTEGER || type == SETTING_BOOLEAN)
        abort();
    return value->text;
}

int64_t settings_integer(const struct settings *settings, const char *name)
{
    enum setting_type type;
    const struct value *value = value_of(settings, name, &type);
    if (type != SETTING_INTEGER || !value->text)
        abort();
    return value->number;
}

bool settings_boolean(const struct settings *settings, const char *name)
{
    enum setting_type type;
    const struct value *value = value_of(settings, name, &type);
    if (type != SETTING_BOOLEAN || !value->text)
        abort();
    return value->number != 0;
}

bool settings_require(const struct settings *settings, char *ret_error, size_t size,
                      const char *const *names)
{
    for (; *names; names++) {
        enum setting_type type;
        if (value_of(settings, *names, &type)->text)
            continue;
        const struct setting *setting = find(*names);
        char rule[SETTING_RULE_SIZE];
        setting_rule(rule, setting);
        snprintf(ret_error, size, "%s: is not set; it should be %s (%s)", *names, rule,
                 setting->help);
        return false;
    }
    return true;
}
