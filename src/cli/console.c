// SPDX-License-Identifier: Apache-2.0
// What console commands share: settings, addresses, endpoints, the store, error endings.
#include "cli/console.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum exit_code console_fail(enum exit_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%ssluice:%s ", tone_start(stderr, TONE_BAD), tone_end(stderr));
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return code;
}

enum exit_code console_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_FINE;
    case STATUS_INVALID:
    case STATUS_NOT_FOUND:
    case STATUS_EXISTS:
    case STATUS_CONFLICT:
    case STATUS_LIMIT:
    case STATUS_UNSUPPORTED:
        return EXIT_FAILED;
    case STATUS_DENIED:
        return EXIT_DENIED;
    case STATUS_BUSY:
    case STATUS_STOPPED:
        return EXIT_AGAIN;
    case STATUS_UNAVAILABLE:
    case STATUS_TIMEOUT:
        return EXIT_UNAVAILABLE;
    case STATUS_CORRUPT:
    case STATUS_IO:
        return EXIT_IO;
    case STATUS_NO_MEMORY:
        return EXIT_SOFTWARE;
    }
    return EXIT_SOFTWARE;
}

struct settings *console_settings(const char *const *required)
{
    char error[512];
    struct settings *settings = settings_load(error, sizeof error);
    if (settings && settings_require(settings, error, sizeof error, required))
        return settings;
    settings_free(settings);
    console_fail(EXIT_CONFIG, "%s", error);
    return NULL;
}

static const char *address_fault_text(enum address_fault fault)
{
    switch (fault) {
    case ADDRESS_FINE:
        return "fine";
    case ADDRESS_LENGTH:
        return "must be 0x and 40 hex digits";
    case ADDRESS_DIGITS:
        return "must have hex digits only";
    case ADDRESS_CHECKSUM:
        return "has a wrong EIP-55 checksum: copy it again, or write it in lower case";
    case ADDRESS_ZERO:
        return "must not be the zero address";
    }
    return "";
}

static bool read_address(struct address *ret_address, const struct settings *settings,
                         const char *name)
{
    const char *text = settings_text(settings, name);
    *ret_address = (struct address){0};
    if (!text)
        return true;
    enum address_fault fault = address_parse(ret_address, text);
    if (fault == ADDRESS_FINE)
        return true;
    console_fail(EXIT_CONFIG, "%s %s", name, address_fault_text(fault));
    return false;
}

bool console_addresses(struct contract_addresses *ret_addresses, const struct settings *settings)
{
    return read_address(&ret_addresses->registry, settings, "AFFILIATE_REGISTRY_ADDRESS") &&
           read_address(&ret_addresses->payout, settings, "AFFILIATE_PAYOUT_ADDRESS") &&
           read_address(&ret_addresses->identity, settings, "SGE_IDENTITY_ADDRESS") &&
           read_address(&ret_addresses->usdc, settings, "USDC_ADDRESS") &&
           read_address(&ret_addresses->sge, settings, "SGE_TOKEN_ADDRESS");
}

bool console_endpoints(struct endpoint_list *ret_list, const struct settings *settings)
{
    const char *text = settings_text(settings, "ETH_RPC_HTTPS");
    *ret_list = (struct endpoint_list){0};
    if (!text || strlen(text) >= sizeof ret_list->text) {
        console_fail(EXIT_CONFIG, "ETH_RPC_HTTPS %s",
                     text ? "is too long" : "is missing: the JSON-RPC endpoints");
        return false;
    }
    memcpy(ret_list->text, text, strlen(text) + 1);
    char *url = ret_list->text;
    while (*url && ret_list->count < CONSOLE_URLS_MAX) {
        size_t length = strcspn(url, ", ");
        char *next = url[length] ? url + length + 1 : url + length;
        url[length] = '\0';
        if (length > 0)
            ret_list->urls[ret_list->count++] = url;
        url = next;
    }
    return true;
}

struct chain *console_chain(const struct endpoint_list *list, const struct settings *settings)
{
    struct chain_options options = {
        .urls = list->urls,
        .urls_count = list->count,
        .chain_id = (uint64_t)settings_integer(settings, "CHAIN_ID"),
        .timeout_ms = settings_integer(settings, "RPC_TIMEOUT_MS"),
        .clock = clock_steady(),
    };
    struct chain *chain = chain_open(&options);
    if (!chain)
        console_fail(EXIT_SOFTWARE, "out of memory");
    return chain;
}

static uint64_t chain_id_or_zero(const struct settings *settings)
{
    static const char *const needed[] = {"CHAIN_ID", NULL};
    char unused[256];
    if (!settings_require(settings, unused, sizeof unused, needed))
        return 0;
    return (uint64_t)settings_integer(settings, "CHAIN_ID");
}

struct store_options console_store_options(const struct settings *settings,
                                           const struct contract_addresses *addresses)
{
    return (struct store_options){
        .path = settings_text(settings, "RELAYER_DB_PATH"),
        .clock = clock_steady(),
        .domain = {.chain_id = chain_id_or_zero(settings), .payout_contract = addresses->payout},
        .outbox = settings_text(settings, "OUTBOUND_WEBHOOK_URL") != NULL,
    };
}

enum exit_code console_store_failure(enum status status, const char *path)
{
    const char *why = status_text(status);
    if (status == STATUS_NOT_FOUND)
        why = "is not there: run sluice migrate";
    else if (status == STATUS_CONFLICT)
        why = "has another schema version: run sluice migrate, or use the sluice that made it";
    else if (status == STATUS_IO)
        why = "cannot be read or written: is its directory there, and the disk not full?";
    else if (status == STATUS_DENIED)
        why = "may not be written by this user";
    else if (status == STATUS_CORRUPT)
        why = "is not a store of Sluice, or damaged";
    enum exit_code code = status == STATUS_CONFLICT ? EXIT_FAILED : console_code(status);
    return console_fail(code, "RELAYER_DB_PATH: the store at %s %s", path, why);
}

static enum exit_code open_store(struct console *console, enum console_mode mode)
{
    struct contract_addresses addresses;
    if (!console_addresses(&addresses, console->settings))
        return EXIT_CONFIG;
    struct store_options options = console_store_options(console->settings, &addresses);
    options.in_caller = true;
    options.read_only = mode == CONSOLE_READS;
    enum status status = store_open(&console->store, &options);
    return status == STATUS_OK ? EXIT_FINE : console_store_failure(status, options.path);
}

bool console_open(struct console *console, enum console_mode mode)
{
    static const char *const none[] = {NULL};
    *console = (struct console){.code = EXIT_CONFIG};
    console->settings = console_settings(none);
    if (!console->settings)
        return false;
    console->arena = arena_new(CONSOLE_ARENA_BYTES_MAX);
    console->code =
        console->arena ? open_store(console, mode) : console_fail(EXIT_SOFTWARE, "out of memory");
    if (console->code == EXIT_FINE)
        return true;
    console_close(console, console->code);
    return false;
}

enum exit_code console_close(struct console *console, enum exit_code code)
{
    store_close(console->store);
    arena_free(console->arena);
    settings_free(console->settings);
    return code;
}

static enum exit_code report(enum status status, const char *what)
{
    if (status == STATUS_OK)
        return EXIT_FINE;
    return console_fail(console_code(status), "%s: %s", what, status_text(status));
}

struct console_work {
    struct store_work work;
    enum status (*run)(struct store_tx *tx, void *context);
    void *context;
};

static enum status run_works(struct store_tx *tx, struct store_work **works, size_t count)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct console_work *work = (struct console_work *)works[i];
        status = work->run(tx, work->context);
    }
    return status;
}

static const struct store_work_kind console_kind = {"console", run_works};

enum status console_run(struct store *store, enum status (*run)(struct store_tx *tx, void *context),
                        void *context)
{
    struct console_work work = {.work.kind = &console_kind, .run = run, .context = context};
    return store_write(store, &work.work);
}

enum exit_code console_write(struct console *console, const char *what,
                             enum status (*run)(struct store_tx *tx, void *context), void *context)
{
    return report(console_run(console->store, run, context), what);
}

enum exit_code console_read(struct console *console, const char *what,
                            enum status (*run)(struct store_tx *tx, void *context), void *context)
{
    struct store_tx *snapshot = NULL;
    enum status status = store_read(&snapshot, console->store);
    if (status != STATUS_OK)
        return report(status, what);
    status = run(snapshot, context);
    store_read_end(snapshot);
    return report(status, what);
}

const char *console_actor(void)
{
    static char actor[64];
    const char *user = getenv("SUDO_USER");
    if (!user)
        user = getenv("USER");
    snprintf(actor, sizeof actor, "cli:%.48s", user ? user : "unknown");
    return actor;
}
