// SPDX-License-Identifier: Apache-2.0
// The command `sluice status`: what waits, what is on its way, what is stuck, from the store alone.
#include "cli/status.h"

#include "cli/console.h"
#include "cli/when.h"
#include "store/jobs.h"
#include "store/lanes.h"

struct picture {
    struct job_counts counts;
    struct lane *lanes;
    size_t lanes_count;
    struct hold *holds;
    size_t holds_count;
    struct arena *arena;
};

static enum status look(struct store_tx *tx, void *context)
{
    struct picture *picture = context;
    enum status status = job_counts_read(tx, &picture->counts);
    if (status == STATUS_OK)
        status = lanes_list(tx, &picture->lanes, &picture->lanes_count, picture->arena);
    if (status == STATUS_OK)
        status = holds_list(tx, &picture->holds, &picture->holds_count, picture->arena);
    return status;
}

static json_t *counts_json(const struct job_counts *counts)
{
    json_t *kinds = json_object();
    for (int k = 1; k <= JOB_KIND_COUNT; k++) {
        json_t *states = json_object();
        for (int s = 1; s <= JOB_STATE_COUNT; s++)
            json_object_set_new(states, job_state_text((enum job_state)s),
                                json_integer(counts->counts[k][s]));
        json_object_set_new(kinds, job_kind_text((enum job_kind)k), states);
    }
    return kinds;
}

static void print_picture_json(const struct picture *picture)
{
    json_t *lanes = json_array(), *holds = json_array();
    for (size_t i = 0; i < picture->lanes_count; i++) {
        const struct lane *lane = &picture->lanes[i];
        char address[ADDRESS_TEXT_SIZE];
        address_format(address, &lane->address);
        json_array_append_new(lanes, json_pack("{s:s,s:I,s:s,s:I,s:I}", "address", address,
                                               "next_nonce", (json_int_t)lane->next_nonce, "holder",
                                               lane->holder, "epoch", (json_int_t)lane->epoch,
                                               "lease_until_ms", (json_int_t)lane->lease_until_ms));
    }
    for (size_t i = 0; i < picture->holds_count; i++)
        json_array_append_new(
            holds, json_pack("{s:s,s:s,s:s,s:I}", "kind", job_kind_text(picture->holds[i].kind),
                             "reason", picture->holds[i].reason, "why", picture->holds[i].why,
                             "since_ms", (json_int_t)picture->holds[i].since_ms));
    print_json(json_pack("{s:o,s:o,s:o}", "jobs", counts_json(&picture->counts), "lanes", lanes,
                         "holds", holds));
}

static void print_counts(const struct job_counts *counts)
{
    static const char *const headings[] = {"KIND",   "QUEUED",   "HELD",       "ASSIGNED",
                                           "SENT",   "MINED",    "UNRESOLVED", "CONFIRMED",
                                           "PARKED", "CANCELLED"};
    _Static_assert(sizeof headings / sizeof headings[0] == 1 + JOB_STATE_COUNT,
                   "one column per state, in the order of JOB_STATE_TABLE");
    struct table *table = table_new(headings, 1 + JOB_STATE_COUNT);
    for (int k = 1; k <= JOB_KIND_COUNT; k++) {
        char numbers[JOB_STATE_COUNT][24];
        const char *cells[1 + JOB_STATE_COUNT] = {job_kind_text((enum job_kind)k)};
        for (int s = 1; s <= JOB_STATE_COUNT; s++) {
            snprintf(numbers[s - 1], sizeof numbers[0], "%lld", (long long)counts->counts[k][s]);
            cells[s] = numbers[s - 1];
        }
        bool stuck = counts->counts[k][JOB_PARKED] || counts->counts[k][JOB_UNRESOLVED];
        table_row(table, stuck ? TONE_BAD : TONE_PLAIN, cells);
    }
    table_print(table, stdout);
}

static void print_lanes(const struct picture *picture)
{
    static const char *const headings[] = {"LANE", "NEXT NONCE", "HELD BY", "LEASE UNTIL"};
    struct table *table = table_new(headings, 4);
    for (size_t i = 0; i < picture->lanes_count; i++) {
        const struct lane *lane = &picture->lanes[i];
        char address[ADDRESS_TEXT_SIZE], nonce[24], until[WHEN_SIZE];
        address_format(address, &lane->address);
        snprintf(nonce, sizeof nonce, "%lld", (long long)lane->next_nonce);
        when_format(until, lane->lease_until_ms);
        table_row(table, TONE_PLAIN, (const char *const[]){address, nonce, lane->holder, until});
    }
    table_print(table, stdout);
}

static void print_holds(const struct picture *picture)
{
    static const char *const headings[] = {"HELD KIND", "REASON", "SINCE", "WHY"};
    struct table *table = table_new(headings, 4);
    for (size_t i = 0; i < picture->holds_count; i++) {
        const struct hold *hold = &picture->holds[i];
        char since[WHEN_SIZE];
        when_format(since, hold->since_ms);
        table_row(table, TONE_WARN,
                  (const char *const[]){job_kind_text(hold->kind), hold->reason, since, hold->why});
    }
    table_print(table, stdout);
}

enum exit_code status_run(const struct arguments *arguments)
{
    struct picture picture = {0};
    struct console console;
    if (!console_open(&console, CONSOLE_READS))
        return console.code;
    picture.arena = console.arena;
    enum exit_code code = console_read(&console, "the store cannot be read", look, &picture);
    if (code == EXIT_FINE && argument_json(arguments)) {
        print_picture_json(&picture);
    } else if (code == EXIT_FINE) {
        print_counts(&picture.counts);
        putchar('\n');
        print_lanes(&picture);
        if (picture.holds_count > 0) {
            putchar('\n');
            print_holds(&picture);
        }
    }
    return console_close(&console, code);
}
