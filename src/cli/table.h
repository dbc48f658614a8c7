// SPDX-License-Identifier: Apache-2.0
// Answers of the console: aligned tables with colour on a terminal, plain text in a pipe.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

#define TABLE_COLUMNS_MAX 10

// Collects rows, prints them aligned under bold headings. Cells are copied.
struct table;
struct table *table_new(const char *const *headings, size_t columns);
// cells has as many members as there are columns. A failed allocation is remembered.
void table_row(struct table *table, enum tone tone, const char *const *cells);
// Prints (not where out is NULL) and frees; "nothing" where there are no rows. False when memory
// was out.
bool table_print(struct table *table, FILE *out);

// True for a terminal without NO_COLOR.
bool terminal_has_colour(FILE *out);
// Escape sequences, or "" where there is no colour.
const char *tone_start(FILE *out, enum tone tone);
const char *tone_end(FILE *out);

// Prints indented JSON and a newline, and frees the value.
void print_json(json_t *value);
