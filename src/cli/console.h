// SPDX-License-Identifier: Apache-2.0
// What console commands share: settings in force, contract addresses, the store, error endings.
#pragma once

#include "base/settings.h"
#include "chain/chain.h"
#include "cli/command.h"
#include "cli/table.h"
#include "store/store.h"

#define CONSOLE_URLS_MAX        CHAIN_ENDPOINTS_MAX
#define CONSOLE_ARENA_BYTES_MAX (256 * 1024 * 1024)

// Prints one line on standard error and returns the code.
enum exit_code console_fail(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The exit code that fits a status.
enum exit_code console_code(enum status status);

// The settings, or NULL after one line that names the one at fault. `required` names (NULL-ended)
// must have a value.
struct settings *console_settings(const char *const *required);

// The addresses in the settings, checked (EIP-55); zero where unset.
struct contract_addresses {
    struct address registry, payout, identity, usdc, sge;
};
// False after one line that names the setting at fault.
MUST_USE bool console_addresses(struct contract_addresses *ret_addresses,
                                const struct settings *settings);

// The endpoints of ETH_RPC_HTTPS, split.
struct endpoint_list {
    const char *urls[CONSOLE_URLS_MAX];
    size_t count;
    char text[4096];
};
// False after one line.
MUST_USE bool console_endpoints(struct endpoint_list *ret_list, const struct settings *settings);
// A chain over those endpoints; NULL after one line. list must live as long.
struct chain *console_chain(const struct endpoint_list *list, const struct settings *settings);

// One line that says what is wrong with the store and what to do; the fitting exit code.
enum exit_code console_store_failure(enum status status, const char *path);
// The options of the store as the settings say.
struct store_options console_store_options(const struct settings *settings,
                                           const struct contract_addresses *addresses);
// What one store command works with: settings, store (no threads), arena.
struct console {
    struct settings *settings;
    struct store *store;
    struct arena *arena;
    enum exit_code code; // how to end where console_open fails
};
enum console_mode { CONSOLE_READS, CONSOLE_WRITES };
// False after one line on standard error; console->code then says how to end.
MUST_USE bool console_open(struct console *console, enum console_mode mode);
// Frees everything and returns code.
enum exit_code console_close(struct console *console, enum exit_code code);

// Runs one function in one committed transaction of any open store.
MUST_USE enum status console_run(struct store *store,
                                 enum status (*run)(struct store_tx *tx, void *context),
                                 void *context);
// Runs one function in one committed transaction. It prints nothing; what it finds goes to context.
// Where it fails, one line "what: why" is printed and the fitting exit code returned.
MUST_USE enum exit_code console_write(struct console *console, const char *what,
                                      enum status (*run)(struct store_tx *tx, void *context),
                                      void *context);
// The same on a read snapshot.
MUST_USE enum exit_code console_read(struct console *console, const char *what,
                                     enum status (*run)(struct store_tx *tx, void *context),
                                     void *context);

// Who is at the console, for the audit trail: "cli:USER".
const char *console_actor(void);
