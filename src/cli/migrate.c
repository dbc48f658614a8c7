// SPDX-License-Identifier: Apache-2.0
// The command `sluice migrate`: creates the store or brings its schema to this version; with --move
// binds it to another payout contract.
#include "cli/migrate.h"

#include "cli/console.h"
#include "store/domain.h"

static enum status move_domain(struct store_tx *tx, void *context)
{
    return domain_bind(tx, context, true);
}

static enum exit_code move(void)
{
    struct console console;
    enum domain_outcome outcome;
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    enum exit_code code = console_write(&console, "the store was not moved", move_domain, &outcome);
    if (code == EXIT_FINE && outcome == DOMAIN_OPEN_JOBS)
        code = console_fail(EXIT_FAILED, "the store was not moved: payouts of the old contract are "
                                         "open or parked; end or cancel them first");
    return console_close(&console, code);
}

static void print_applied(const struct arguments *arguments, const char *path, int applied)
{
    if (argument_json(arguments))
        print_json(json_pack("{s:s,s:i}", "store", path, "applied", applied));
    else
        printf("%s: %d migrations applied%s\n", path, applied,
               applied == 0 ? ", it is up to date" : "");
}

static enum exit_code migrate(const struct arguments *arguments, const struct settings *settings)
{
    struct contract_addresses addresses;
    int applied = 0;
    if (!console_addresses(&addresses, settings))
        return EXIT_CONFIG;
    struct store_options options = console_store_options(settings, &addresses);
    enum status status = store_migrate(&applied, &options);
    if (status == STATUS_CONFLICT)
        return console_fail(EXIT_FAILED, "the store at %s was made by a newer sluice",
                            options.path);
    if (status != STATUS_OK)
        return console_store_failure(status, options.path);
    print_applied(arguments, options.path, applied);
    return EXIT_FINE;
}

enum exit_code migrate_run(const struct arguments *arguments)
{
    static const char *const none[] = {NULL};
    static const char *const domain[] = {"CHAIN_ID", "AFFILIATE_PAYOUT_ADDRESS", NULL};
    bool moves = argument_flag(arguments, "move");
    struct settings *settings = console_settings(moves ? domain : none);
    if (!settings)
        return EXIT_CONFIG;
    enum exit_code code = migrate(arguments, settings);
    settings_free(settings);
    return code == EXIT_FINE && moves ? move() : code;
}
