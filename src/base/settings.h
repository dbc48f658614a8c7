// SPDX-License-Identifier: Apache-2.0
// Settings: one alphabetical table is their only definition.
//
// The parser, `sluice docs settings`, docs/settings.md, the start-up dump and `sluice doctor` all
// read it. Values come from the environment, then from the file named by SLUICE_SETTINGS (lines of
// NAME=value, `#` comments), then from the default. A name with the suffix _FILE gives the path of
// a file that holds the value (the convention of container secrets). An unknown name in the file
// is an error; an unknown environment variable is not ours to judge. An empty value is no value.
#pragma once

#include "base/status.h"

#include <stdint.h>
#include <stdio.h>

enum setting_type {
    SETTING_TEXT,
    SETTING_INTEGER,  // with minimum and maximum
    SETTING_BOOLEAN,  // true or false
    SETTING_CHOICE,   // one of the words in `choices`, separated by |
    SETTING_ADDRESS,  // 20 bytes of hex
    SETTING_GWEI,     // decimal gwei
    SETTING_URL_LIST, // one or more http(s) URLs, separated by commas
};

struct setting {
    const char *name;
    enum setting_type type;
    const char *fallback;     // text of the default; NULL: none
    const char *choices;      // SETTING_CHOICE only
    int64_t minimum, maximum; // of an integer, of whole gwei, of the number of URLs
    bool secret;              // never printed; only whether it is set
    const char *help;         // one line
};

struct settings;

// Reads environment and file. Returns NULL after writing one line that names the setting at fault
// and says what it should be to ret_error (size bytes).
struct settings *settings_load(char *ret_error, size_t size);
// The same from explicit pairs ("NAME=value", NULL-terminated): for tests.
struct settings *settings_from_pairs(char *ret_error, size_t size, const char *const *pairs);
// Takes NULL; wipes secret values.
void settings_free(struct settings *settings);

// Wipes one secret value once it has been used; the setting then counts as unset.
void settings_forget(struct settings *settings, const char *name);

// The table and its length, alphabetical by name.
const struct setting *settings_table(size_t *ret_count);

// Typed reads; the name must be in the table with that type (misuse aborts).
// Text: of any type but integer and boolean; NULL when unset and without default. An integer or
// boolean without default must have passed settings_require() (misuse aborts).
const char *settings_text(const struct settings *settings, const char *name);
int64_t settings_integer(const struct settings *settings, const char *name);
bool settings_boolean(const struct settings *settings, const char *name);

// True where every name given (NULL-terminated) has a value; else writes one line naming the first
// that is missing, with its help, and returns false.
MUST_USE bool settings_require(const struct settings *settings, char *ret_error, size_t size,
                               const char *const *names);

// Prints the table: as a Markdown page, or for a terminal (with the values in force when settings
// is not NULL; secrets show as "set").
void settings_print_markdown(FILE *out);
// The table as a settings file in which every line is commented out.
void settings_print_example(FILE *out);
void settings_print(FILE *out, const struct settings *settings);
