// SPDX-License-Identifier: Apache-2.0
// Command lines: finds the command by its words, parses its options by table, prints help.
#include "cli/command.h"

#include "base/settings.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#define NAME_WORDS_MAX 3
#define COMMON_OPTIONS 2
enum { OPTION_HELP = 1, OPTION_JSON = 2, OPTION_FIRST = 16 };

const char *argument_nth(const struct arguments *arguments, const char *name, size_t n)
{
    for (size_t i = 0; i < arguments->options_count; i++)
        if (strcmp(arguments->options[i].name, name) == 0 && n-- == 0)
            return arguments->options[i].value;
    return NULL;
}

const char *argument(const struct arguments *arguments, const char *name)
{
    const char *value = NULL;
    for (size_t i = 0; i < arguments->options_count; i++)
        if (strcmp(arguments->options[i].name, name) == 0)
            value = arguments->options[i].value;
    return value;
}

bool argument_flag(const struct arguments *arguments, const char *name)
{
    return argument_nth(arguments, name, 0) != NULL;
}

bool argument_json(const struct arguments *arguments)
{
    return argument_flag(arguments, "json");
}

// How many of argv's words name this command; 0: they do not.
static int words_matched(const struct command *command, int argc, char **argv)
{
    char name[64];
    size_t length = 0;
    for (int i = 0; i < argc && i < NAME_WORDS_MAX; i++) {
        size_t word = strlen(argv[i]);
        if (length + word + 2 > sizeof name)
            return 0;
        if (i > 0)
            name[length++] = ' ';
        memcpy(name + length, argv[i], word + 1);
        length += word;
        if (strcmp(name, command->name) == 0)
            return i + 1;
    }
    return 0;
}

static const struct command *find(int argc, char **argv, int *ret_words)
{
    const struct command *found = NULL;
    *ret_words = 0;
    for (const struct command *c = commands; c->name; c++) {
        int matched = words_matched(c, argc, argv);
        if (matched > *ret_words) {
            found = c;
            *ret_words = matched;
        }
    }
    return found;
}

// Lists the commands whose name starts with `prefix`; false where there are none.
static bool print_commands(FILE *out, const char *prefix)
{
    bool any = false;
    for (const struct command *c = commands; c->name; c++) {
        if (strncmp(c->name, prefix, strlen(prefix)) != 0)
            continue;
        fprintf(out, "  sluice %-22s %s\n", c->name, c->summary);
        any = true;
    }
    return any;
}

static void print_overview(FILE *out)
{
    fprintf(out, "sluice: pays affiliates on chain, once each, within a block of the payment.\n\n"
                 "Commands (each with --help; most with --json):\n");
    print_commands(out, "");
    fprintf(out, "\nSettings come from the environment and the file named by SLUICE_SETTINGS:\n"
                 "`sluice docs settings` lists them, `sluice doctor` checks them.\n");
}

static void print_help(FILE *out, const struct command *command)
{
    fprintf(out, "sluice %s%s%s: %s\n", command->name, command->words[0] ? " " : "", command->words,
            command->summary);
    if (command->detail)
        fprintf(out, "\n%s\n", command->detail);
    fprintf(out, "\nOptions:\n");
    for (const struct option_row *o = command->options; o->name; o++) {
        char left[48];
        snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        fprintf(out, "  %-26s %s\n", left, o->help);
    }
    fprintf(out, "  %-26s %s\n  %-26s %s\n", "--json", "print JSON for machines", "--help",
            "print this");
}

static enum exit_code usage_error(const struct command *command, const char *what, const char *name)
{
    fprintf(stderr, "sluice %s: %s%s%s; see sluice %s --help\n", command->name, what,
            name ? " " : "", name ? name : "", command->name);
    return EXIT_USAGE;
}

static size_t fill_long_options(struct option *ret_options, const struct command *command)
{
    size_t count = 0;
    ret_options[count++] = (struct option){"help", no_argument, NULL, OPTION_HELP};
    ret_options[count++] = (struct option){"json", no_argument, NULL, OPTION_JSON};
    for (const struct option_row *o = command->options; o->name; o++, count++)
        ret_options[count] = (struct option){o->name, o->value ? required_argument : no_argument,
                                             NULL, (int)(OPTION_FIRST + count)};
    ret_options[count] = (struct option){0};
    return count;
}

static enum exit_code parse(struct arguments *ret_arguments, bool *ret_help, int argc, char **argv)
{
    const struct command *command = ret_arguments->command;
    struct option table[COMMAND_OPTIONS_MAX + COMMON_OPTIONS + 1];
    fill_long_options(table, command);
    int choice = 0, index = 0;
    opterr = 0;
    optind = 1;
    while ((choice = getopt_long(argc, argv, ":h", table, &index)) != -1) {
        if (choice == OPTION_HELP || choice == 'h') {
            *ret_help = true;
            return EXIT_FINE;
        }
        if (optarg && strncmp(optarg, "--", 2) == 0)
            return usage_error(command, "no value after", table[index].name);
        if (choice == '?' || choice == ':')
            return usage_error(command, choice == '?' ? "unknown option" : "no value after",
                               argv[optind - 1]);
        if (ret_arguments->options_count == ARGUMENT_VALUES_MAX)
            return usage_error(command, "too many options", NULL);
        size_t slot = ret_arguments->options_count++;
        ret_arguments->options[slot].name = table[index].name;
        ret_arguments->options[slot].value = optarg ? optarg : "";
    }
    for (int i = optind; i < argc; i++) {
        if (ret_arguments->words_count == command->words_max)
            return usage_error(command, "one word too many:", argv[i]);
        ret_arguments->words[ret_arguments->words_count++] = argv[i];
    }
    if (ret_arguments->words_count < command->words_min)
        return usage_error(command, "missing", command->words);
    return EXIT_FINE;
}

static enum exit_code unknown_command(int argc, char **argv)
{
    bool asks_help = argc == 2 || strcmp(argv[argc - 1], "--help") == 0;
    if (asks_help && argv[1][0] != '-' && print_commands(stdout, argv[1]))
        return strcmp(argv[argc - 1], "--help") == 0 ? EXIT_FINE : EXIT_USAGE;
    fprintf(stderr, "sluice: unknown command \"%s\"; see sluice --help\n", argv[1]);
    return EXIT_USAGE;
}

enum exit_code command_dispatch(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_overview(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_FINE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        puts("sluice " SLUICE_VERSION);
        return EXIT_FINE;
    }
    int words = 0;
    const struct command *command = find(argc - 1, argv + 1, &words);
    if (!command)
        return unknown_command(argc, argv);
    struct arguments arguments = {.command = command};
    bool help = false;
    enum exit_code code = parse(&arguments, &help, argc - words, argv + words);
    if (code != EXIT_FINE)
        return code;
    if (help) {
        print_help(stdout, command);
        return EXIT_FINE;
    }
    return command->run(&arguments);
}
