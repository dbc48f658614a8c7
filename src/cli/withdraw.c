// SPDX-License-Identifier: Apache-2.0
// The command `sluice withdraw`: the emergency withdrawal. Only while the contract is paused, never
// what is owed to referrers, and only after asking.
#include "base/hex.h"
#include "cli/admin_tx.h"
#include "cli/pause.h"

#include <string.h>
#include <unistd.h>

#define ANSWER_SIZE      64
#define AMOUNT_TEXT_SIZE 64

struct withdrawal {
    struct admin admin;
    const struct arguments *arguments;
    struct address token, to;
    const char *token_name;
    unsigned decimals;
    struct u256 available; // balance less what is owed
    struct u256 amount;
};

static enum exit_code read_token(struct withdrawal *w)
{
    const char *text = argument(w->arguments, "token");
    const char *to = argument(w->arguments, "to");
    w->token_name = text ? text : "usdc";
    bool usdc = strcmp(w->token_name, "usdc") == 0;
    w->decimals = usdc ? USDC_DECIMALS : SGE_DECIMALS;
    w->token = usdc ? w->admin.addresses.usdc : w->admin.addresses.sge;
    if (!usdc && strcmp(w->token_name, "sge") != 0)
        return console_fail(EXIT_USAGE, "--token is usdc or sge");
    if (!to || address_parse(&w->to, to) != ADDRESS_FINE)
        return console_fail(EXIT_USAGE, "--to %s", to ? "is not an address" : "is missing");
    if (address_is_zero(&w->token))
        return console_fail(EXIT_CONFIG, "%s is missing",
                            usdc ? "USDC_ADDRESS" : "SGE_TOKEN_ADDRESS");
    if (address_is_zero(&w->admin.addresses.payout))
        return console_fail(EXIT_CONFIG, "AFFILIATE_PAYOUT_ADDRESS is missing");
    return EXIT_FINE;
}

// "999832.6 USDC": what a person checks before saying yes.
static void format_amount(char out[AMOUNT_TEXT_SIZE], const struct withdrawal *w)
{
    uint128_t units = 0;
    char text[SGE_TEXT_SIZE];
    struct usdc usdc = {0};
    struct sge sge = {0};
    bool fits = u256_to_u128(&units, w->amount);
    if (fits && w->decimals == USDC_DECIMALS && units <= INT64_MAX &&
        usdc_from_units(&usdc, (int64_t)units))
        usdc_format(text, usdc);
    else if (fits && w->decimals == SGE_DECIMALS && sge_from_units(&sge, units))
        sge_format(text, sge);
    else
        snprintf(text, sizeof text, "more than can be shown of");
    snprintf(out, AMOUNT_TEXT_SIZE, "%s %s", text, w->decimals == USDC_DECIMALS ? "USDC" : "SGE");
}

static bool check_paused(struct withdrawal *w)
{
    struct bytes call, returned;
    bool paused = false;
    if (!call_plain(&call, w->admin.arena, "paused()") ||
        !admin_view(&w->admin, &returned, &w->admin.addresses.payout, call, "paused()") ||
        !abi_read_bool(&paused, returned, 0))
        return false;
    if (!paused)
        console_fail(EXIT_FAILED, "the payout contract is not paused: sluice pause --contract "
                                  "first");
    return paused;
}

static bool read_available(struct withdrawal *w)
{
    struct bytes call, returned;
    struct u256 balance, owed;
    if (!call_address_view(&call, w->admin.arena, "balanceOf(address)",
                           &w->admin.addresses.payout) ||
        !admin_view(&w->admin, &returned, &w->token, call, "the balance") ||
        !abi_read_u256(&balance, returned, 0) ||
        !call_address_view(&call, w->admin.arena, "totalOwed(address)", &w->token) ||
        !admin_view(&w->admin, &returned, &w->admin.addresses.payout, call, "what is owed") ||
        !abi_read_u256(&owed, returned, 0))
        return false;
    if (!u256_subtract(&w->available, balance, owed))
        w->available = u256_from_u64(0);
    return true;
}

static enum exit_code read_amount(struct withdrawal *w)
{
    const char *text = argument(w->arguments, "amount");
    struct usdc usdc = {0};
    struct sge sge = {0};
    w->amount = w->available;
    if (text && w->decimals == USDC_DECIMALS && usdc_parse(&usdc, text))
        w->amount = u256_from_u64((uint64_t)usdc_units(usdc));
    else if (text && w->decimals == SGE_DECIMALS && sge_parse(&sge, text))
        w->amount = u256_from_u128(sge_units(sge));
    else if (text)
        return console_fail(EXIT_USAGE, "--amount: %s is not an amount", text);
    if (!u256_is_zero(w->amount) && u256_compare(w->amount, w->available) <= 0)
        return EXIT_FINE;
    return console_fail(EXIT_FAILED, "there is %s to withdraw",
                        u256_is_zero(w->available) ? "nothing" : "less than that");
}

static enum exit_code confirm(const struct withdrawal *w)
{
    char amount[AMOUNT_TEXT_SIZE], to[ADDRESS_TEXT_SIZE], answer[ANSWER_SIZE];
    format_amount(amount, w);
    address_format(to, &w->to);
    if (argument_flag(w->arguments, "yes"))
        return EXIT_FINE;
    if (!isatty(STDIN_FILENO))
        return console_fail(EXIT_USAGE, "nobody to ask: give --yes to withdraw %s to %s", amount,
                            to);
    fprintf(stderr, "Withdraw %s to %s? Type withdraw to go on: ", amount, to);
    if (fgets(answer, sizeof answer, stdin) && strcmp(answer, "withdraw\n") == 0)
        return EXIT_FINE;
    return console_fail(EXIT_FAILED, "not withdrawn");
}

static void report(const struct withdrawal *w, const struct hash32 *transaction)
{
    char units[U256_DECIMAL_SIZE], amount[AMOUNT_TEXT_SIZE], to[ADDRESS_TEXT_SIZE],
        hash[HEX_TEXT_SIZE(32)];
    u256_format_decimal(units, w->amount);
    format_amount(amount, w);
    address_format(to, &w->to);
    hex_encode(hash, (struct bytes){transaction->bytes, sizeof transaction->bytes});
    if (argument_json(w->arguments))
        print_json(json_pack("{s:s,s:s,s:s,s:s}", "token", w->token_name, "units", units, "to", to,
                             "transaction_hash", hash));
    else
        printf("withdrew %s to %s\n%s\n", amount, to, hash);
}

static enum exit_code send_withdrawal(struct withdrawal *w)
{
    struct admin_transaction transaction = {.what = "emergencyWithdraw",
                                            .to = w->admin.addresses.payout};
    if (!call_emergency_withdraw(&transaction.data, w->admin.arena, &w->token, &w->to, w->amount))
        return console_fail(EXIT_SOFTWARE, "out of memory");
    enum exit_code code = admin_send(&w->admin, &transaction, 1);
    if (code == EXIT_FINE)
        report(w, &transaction.hash);
    return code;
}

enum exit_code withdraw_run(const struct arguments *arguments)
{
    struct withdrawal w = {.arguments = arguments};
    enum exit_code code;
    if (!admin_open(&w.admin, &code, arguments, true))
        return code;
    code = read_token(&w);
    if (code == EXIT_FINE && (!check_paused(&w) || !read_available(&w)))
        code = EXIT_FAILED;
    if (code == EXIT_FINE)
        code = read_amount(&w);
    if (code == EXIT_FINE)
        code = confirm(&w);
    if (code == EXIT_FINE)
        code = send_withdrawal(&w);
    admin_close(&w.admin);
    return code;
}
