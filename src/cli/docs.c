// SPDX-License-Identifier: Apache-2.0
// The command `sluice docs settings|states|api`: the reference pages, printed from the tables in
// the code.
#include "cli/docs.h"

#include "api/docs.h"
#include "base/settings.h"
#include "cli/console.h"
#include "job/job.h"

#include <string.h>

enum exit_code docs_run(const struct arguments *arguments)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } pages[] = {{"api", api_print_markdown},
                 {"example", settings_print_example},
                 {"settings", settings_print_markdown},
                 {"states", job_print_states_markdown}};
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        if (strcmp(arguments->words[0], pages[i].name) == 0) {
            pages[i].print(stdout);
            return EXIT_FINE;
        }
    }
    return console_fail(EXIT_USAGE, "there is no page %s: api, example, settings, states",
                        arguments->words[0]);
}
