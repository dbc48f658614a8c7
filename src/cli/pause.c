// SPDX-License-Identifier: Apache-2.0
// The command `sluice pause` and `sluice resume`: the relayer's holds, and with --contract the
// contract itself.
#include "cli/pause.h"

#include "base/hex.h"
#include "cli/admin_tx.h"
#include "store/access.h"
#include "store/jobs.h"

#define HOLD_REASON "paused"

struct switching {
    const struct arguments *arguments;
    bool pause;
    unsigned kinds; // bits 1 << enum job_kind
    size_t changed;
};

static bool read_kinds(unsigned *ret_kinds, const struct arguments *arguments)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < arguments->words_count; i++) {
        enum job_kind kind;
        if (!job_kind_parse(&kind, arguments->words[i])) {
            console_fail(EXIT_USAGE, "%s is not a kind of job: see sluice docs states",
                         arguments->words[i]);
            return false;
        }
        kinds |= 1u << kind;
    }
    *ret_kinds = kinds ? kinds : ~0u;
    return true;
}

static enum status switch_kind(struct store_tx *tx, struct switching *switching, enum job_kind kind)
{
    const char *why = argument(switching->arguments, "why");
    bool changed = false;
    enum status status = switching->pause ? hold_set(tx, &changed, kind, HOLD_REASON,
                                                     why ? why : "paused by an operator")
                                          : hold_clear(tx, &changed, kind, HOLD_REASON);
    switching->changed += changed;
    if (status == STATUS_OK && changed)
        status = audit_append(tx, console_actor(), switching->pause ? "pause" : "resume",
                              job_kind_text(kind));
    return status;
}

static enum status switch_kinds(struct store_tx *tx, void *context)
{
    struct switching *switching = context;
    enum status status = STATUS_OK;
    for (int kind = 1; kind <= JOB_KIND_COUNT && status == STATUS_OK; kind++)
        if (switching->kinds & (1u << kind))
            status = switch_kind(tx, switching, (enum job_kind)kind);
    return status;
}

static enum exit_code switch_store(const struct arguments *arguments, bool pause)
{
    struct switching switching = {.arguments = arguments, .pause = pause};
    struct console console;
    if (!read_kinds(&switching.kinds, arguments))
        return EXIT_USAGE;
    if (!console_open(&console, CONSOLE_WRITES))
        return console.code;
    enum exit_code code =
        console_write(&console, "the holds were not changed", switch_kinds, &switching);
    if (code == EXIT_FINE && argument_json(arguments))
        print_json(json_pack("{s:b,s:I}", "paused", (int)pause, "kinds_changed",
                             (json_int_t)switching.changed));
    else if (code == EXIT_FINE && pause)
        printf(
            "kinds of job paused now: %zu; nothing new is signed, what is sent is still tracked\n",
            switching.changed);
    else if (code == EXIT_FINE)
        printf("kinds of job resumed now: %zu\n", switching.changed);
    return console_close(&console, code);
}

static enum exit_code switch_contract(const struct arguments *arguments, bool pause)
{
    struct admin admin;
    enum exit_code code;
    if (!admin_open(&admin, &code, arguments, true))
        return code;
    struct admin_transaction transaction = {.what = pause ? "pause()" : "unpause()",
                                            .to = admin.addresses.payout};
    if (address_is_zero(&admin.addresses.payout))
        code = console_fail(EXIT_CONFIG, "AFFILIATE_PAYOUT_ADDRESS is missing");
    else if (!call_plain(&transaction.data, admin.arena, transaction.what))
        code = console_fail(EXIT_SOFTWARE, "out of memory");
    else
        code = admin_send(&admin, &transaction, 1);
    char hash[HEX_TEXT_SIZE(32)];
    hex_encode(hash, (struct bytes){transaction.hash.bytes, sizeof transaction.hash.bytes});
    if (code == EXIT_FINE && argument_json(arguments))
        print_json(json_pack("{s:b,s:s}", "contract_paused", (int)pause, "transaction_hash", hash));
    else if (code == EXIT_FINE)
        printf("the payout contract is %s\n%s\n", pause ? "paused" : "unpaused", hash);
    admin_close(&admin);
    return code;
}

enum exit_code pause_run(const struct arguments *arguments)
{
    return argument_flag(arguments, "contract") ? switch_contract(arguments, true)
                                                : switch_store(arguments, true);
}

enum exit_code resume_run(const struct arguments *arguments)
{
    return argument_flag(arguments, "contract") ? switch_contract(arguments, false)
                                                : switch_store(arguments, false);
}
