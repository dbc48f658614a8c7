// SPDX-License-Identifier: Apache-2.0
// The settings as a reference page, as an example file and as a terminal listing.
#include "base/settings_check.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *or_none(const char *text)
{
    return text ? text : "";
}

// A bar inside a table cell would end the cell.
static void print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void print_row(FILE *out, const struct setting *setting)
{
    char rule[SETTING_RULE_SIZE];
    setting_rule(rule, setting);
    fprintf(out, "| `%s` | ", setting->name);
    print_cell(out, rule);
    if (setting->fallback)
        fprintf(out, " | `%s` | ", setting->fallback);
    else
        fputs(" | | ", out);
    fprintf(out, "%s | ", setting->secret ? "yes" : "");
    print_cell(out, setting->help);
    fputs(" |\n", out);
}

void settings_print_markdown(FILE *out)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    fputs("# Settings\n\n"
          "Printed from the table in `src/base/settings_table.c`; change it there.\n\n"
          "A value comes from the environment, else from the file named by `SLUICE_SETTINGS` "
          "(lines of `NAME=value`, `#` comments), else from the default. `NAME_FILE` gives the "
          "path of a file that holds the value of `NAME`. An empty value is no value.\n\n"
          "| Name | Value | Default | Secret | Meaning |\n"
          "|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < count; i++)
        print_row(out, &table[i]);
}

static void print_value(FILE *out, const struct settings *settings, const struct setting *setting)
{
    const char *const required[] = {setting->name, NULL};
    char ignored[1];
    if (!settings_require(settings, ignored, sizeof ignored, required)) {
        fputs("(not set)", out);
        return;
    }
    if (setting->secret) {
        fputs("set", out);
        return;
    }
    switch (setting->type) {
    case SETTING_INTEGER:
        fprintf(out, "%" PRId64, settings_integer(settings, setting->name));
        return;
    case SETTING_BOOLEAN:
        fputs(settings_boolean(settings, setting->name) ? "true" : "false", out);
        return;
    case SETTING_TEXT:
    case SETTING_CHOICE:
    case SETTING_ADDRESS:
    case SETTING_GWEI:
    case SETTING_URL_LIST:
        fputs(settings_text(settings, setting->name), out);
        return;
    }
    abort();
}

void settings_print_example(FILE *out)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    fputs("# Every setting with its default; those without one are unset. Printed by\n"
          "# `sluice docs example`. Use: SLUICE_SETTINGS=/etc/sluice/sluice.env sluice up\n",
          out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "\n# %s\n#%s=%s\n", table[i].help, table[i].name, or_none(table[i].fallback));
}

void settings_print(FILE *out, const struct settings *settings)
{
    size_t count;
    const struct setting *table = settings_table(&count);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%-34s ", table[i].name);
        if (settings)
            print_value(out, settings, &table[i]);
        else
            fprintf(out, "[%s] %s", or_none(table[i].fallback), table[i].help);
        fputc('\n', out);
    }
}
