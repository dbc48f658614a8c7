// SPDX-License-Identifier: Apache-2.0
// Aligned tables for people, JSON for machines.
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct row {
    enum tone tone;
    char *cells[TABLE_COLUMNS_MAX];
};

struct table {
    const char *const *headings;
    size_t columns;
    struct row *rows;
    size_t count, capacity;
    bool failed;
};

struct table *table_new(const char *const *headings, size_t columns)
{
    struct table *table = calloc(1, sizeof *table);
    if (table) {
        table->headings = headings;
        table->columns = columns;
    }
    return table;
}

static bool make_room(struct table *table)
{
    if (table->count < table->capacity)
        return true;
    size_t capacity = table->capacity ? table->capacity * 2 : 16;
    struct row *rows = reallocarray(table->rows, capacity, sizeof *rows);
    if (!rows)
        return false;
    table->rows = rows;
    table->capacity = capacity;
    return true;
}

void table_row(struct table *table, enum tone tone, const char *const *cells)
{
    if (!table || !make_room(table)) {
        if (table)
            table->failed = true;
        return;
    }
    struct row *row = &table->rows[table->count++];
    *row = (struct row){.tone = tone};
    for (size_t i = 0; i < table->columns; i++) {
        row->cells[i] = strdup(cells[i] ? cells[i] : "");
        table->failed = table->failed || !row->cells[i];
    }
}

static void measure(const struct table *table, size_t widths[TABLE_COLUMNS_MAX])
{
    for (size_t i = 0; i < table->columns; i++) {
        widths[i] = strlen(table->headings[i]);
        for (size_t r = 0; r < table->count; r++) {
            size_t width = strlen(table->rows[r].cells[i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
}

static void print_cells(FILE *out, const struct table *table, const char *const *cells,
                        const size_t *widths)
{
    for (size_t i = 0; i < table->columns; i++) {
        bool last = i + 1 == table->columns;
        fprintf(out, "%-*s%s", last ? 0 : (int)widths[i], cells[i], last ? "" : "  ");
    }
}

static void print_rows(FILE *out, const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];
    measure(table, widths);
    const char *bold = terminal_has_colour(out) ? "\033[1m" : "";
    fputs(bold, out);
    print_cells(out, table, table->headings, widths);
    fprintf(out, "%s\n", tone_end(out));
    for (size_t r = 0; r < table->count; r++) {
        fputs(tone_start(out, table->rows[r].tone), out);
        print_cells(out, table, (const char *const *)table->rows[r].cells, widths);
        fprintf(out, "%s\n", tone_end(out));
    }
}

static void table_free(struct table *table)
{
    for (size_t r = 0; r < table->count; r++)
        for (size_t i = 0; i < table->columns; i++)
            free(table->rows[r].cells[i]);
    free(table->rows);
    free(table);
}

bool table_print(struct table *table, FILE *out)
{
    if (!table)
        return false;
    bool fine = !table->failed;
    if (fine && out && table->count > 0)
        print_rows(out, table);
    else if (fine && out)
        fprintf(out, "%snothing%s\n", tone_start(out, TONE_DIM), tone_end(out));
    table_free(table);
    return fine;
}

bool terminal_has_colour(FILE *out)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(fileno(out)) && (!no_colour || !no_colour[0]);
}

const char *tone_start(FILE *out, enum tone tone)
{
    static const char *const codes[] = {
        [TONE_PLAIN] = "",       [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
        [TONE_BAD] = "\033[31m", [TONE_DIM] = "\033[2m",
    };
    return terminal_has_colour(out) ? codes[tone] : "";
}

const char *tone_end(FILE *out)
{
    return terminal_has_colour(out) ? "\033[0m" : "";
}

void print_json(json_t *value)
{
    if (!value)
        return; // memory is out

    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(value);
}
