// SPDX-License-Identifier: Apache-2.0
// Console commands: one table row each, from which dispatch, --help and docs come.
#pragma once

#include "base/status.h"

#include <stdio.h>

// Exit codes: the sysexits that service managers know.
enum exit_code {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,       // the answer is no: a check failed, nothing was found, refused
    EXIT_USAGE = 64,       // the command line is wrong
    EXIT_UNAVAILABLE = 69, // an endpoint or the store does not answer
    EXIT_SOFTWARE = 70,    // a promise of ours broke while running
    EXIT_IO = 74,          // disk
    EXIT_AGAIN = 75,       // somebody else holds it: try again later
    EXIT_DENIED = 77,
    EXIT_CONFIG = 78, // a setting is missing or wrong
};

struct option_row {
    const char *name;  // without the dashes
    const char *value; // what follows it, for --help; NULL: a flag
    const char *help;
};

#define COMMAND_OPTIONS_MAX 16
#define ARGUMENT_VALUES_MAX 64

// What was on the command line: options in order, then words.
struct arguments {
    const struct command *command;
    struct {
        const char *name;
        const char *value;
    } options[ARGUMENT_VALUES_MAX];
    size_t options_count;
    const char *words[ARGUMENT_VALUES_MAX];
    size_t words_count;
};

struct command {
    const char *name;  // one to three words: "keys wallet create"
    const char *words; // the words it takes, for --help: "NAME", "[KIND ...]", or ""
    size_t words_min, words_max;
    const char *summary; // one line
    const char *detail;  // further lines of --help, or NULL
    enum exit_code (*run)(const struct arguments *arguments);
    struct option_row options[COMMAND_OPTIONS_MAX]; // ends at a NULL name; --json and --help are
                                                    // understood everywhere
};

// The value of an option (the last one given), or NULL.
const char *argument(const struct arguments *arguments, const char *name);
bool argument_flag(const struct arguments *arguments, const char *name);
// The nth value of a repeated option, or NULL.
const char *argument_nth(const struct arguments *arguments, const char *name, size_t n);
// --json was given.
bool argument_json(const struct arguments *arguments);

// Finds the command, parses, runs; prints help and usage errors itself.
enum exit_code command_dispatch(int argc, char **argv);

// All commands; ends at a NULL name.
extern const struct command commands[];
