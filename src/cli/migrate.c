// SPDX-License-Identifier: Apache-2.0
// The command `sluice migrate`: creates the store or brings its schema to this version.
#include "cli/migrate.h"

#include "cli/console.h"

enum exit_code migrate_run(const struct arguments *arguments)
{
    static const char *const none[] = {NULL};
    struct contract_addresses addresses;
    struct settings *settings = console_settings(none);
    if (!settings)
        return EXIT_CONFIG;
    enum exit_code code = EXIT_CONFIG;
    if (console_addresses(&addresses, settings)) {
        struct store_options options = console_store_options(settings, &addresses);
        int applied = 0;
        enum status status = store_migrate(&applied, &options);
        code = console_code(status);
        if (status == STATUS_CONFLICT)
            code = console_fail(EXIT_FAILED, "the store at %s was made by a newer sluice",
                                options.path);
        else if (status != STATUS_OK)
            code = console_store_failure(status, options.path);
        else if (argument_json(arguments))
            print_json(json_pack("{s:s,s:i}", "store", options.path, "applied", applied));
        else
            printf("%s: %d migrations applied%s\n", options.path, applied,
                   applied == 0 ? ", it is up to date" : "");
    }
    settings_free(settings);
    return code;
}
