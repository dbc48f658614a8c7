// SPDX-License-Identifier: Apache-2.0
// Transactions of an administrator: sign, send, wait, say what failed.
#include "cli/admin_tx.h"

#include "base/hex.h"
#include "secret/secret.h"

#include <string.h>
#include <time.h>

#define RECEIPT_POLL_MS 200
#define ARENA_BYTES_MAX (64 * 1024 * 1024)
#define KEY_ERROR_SIZE  256

static bool read_key(struct admin *admin, const struct arguments *arguments)
{
    const char *reference = argument(arguments, "key");
    const char *passphrase = settings_text(admin->settings, "KEYSTORE_PASSPHRASE");
    char error[KEY_ERROR_SIZE];
    if (!reference) {
        console_fail(EXIT_USAGE, "--key is missing: a reference to the key that may do this, such "
                                 "as keystore:PATH, file:PATH or env:NAME");
        return false;
    }
    if (secret_private_key(&admin->key, error, sizeof error, reference, passphrase) != STATUS_OK) {
        console_fail(EXIT_CONFIG, "--key: %s", error);
        return false;
    }
    if (secret_is_raw(reference))
        fprintf(stderr, "sluice: a raw key on the command line stays in the shell's history: use "
                        "file:PATH or env:NAME\n");
    admin->address = eth_key_address(&admin->key);
    return true;
}

static enum exit_code check_chain(struct admin *admin)
{
    uint64_t found = 0;
    enum status status = admin->chain->ops->chain_id(admin->chain, &found);
    if (status != STATUS_OK)
        return console_fail(EXIT_UNAVAILABLE, "ETH_RPC_HTTPS: no endpoint answers (%s)",
                            status_text(status));
    if (found != admin->chain_id)
        return console_fail(EXIT_CONFIG, "CHAIN_ID is %llu, and the endpoint serves chain %llu",
                            (unsigned long long)admin->chain_id, (unsigned long long)found);
    return EXIT_FINE;
}

// Twice the base fee plus the tip, below the ceiling of the settings.
static enum exit_code choose_fees(struct admin *admin)
{
    struct chain_fees fees;
    struct wei ceiling, doubled;
    const struct chain_ops *ops = admin->chain->ops;
    if (!wei_parse_gwei(&ceiling, settings_text(admin->settings, "MAX_FEE_PER_GAS_GWEI")))
        return console_fail(EXIT_CONFIG, "MAX_FEE_PER_GAS_GWEI is not an amount in gwei");
    if (ops->fees(admin->chain, &fees) != STATUS_OK ||
        ops->nonce(admin->chain, &admin->nonce, &admin->address,
                   (struct block_id){.tag = BLOCK_PENDING}) != STATUS_OK)
        return console_fail(EXIT_UNAVAILABLE, "ETH_RPC_HTTPS: fees and nonce are not to be had");
    if (!wei_scale_up(&doubled, fees.base_fee, 2, 1) ||
        !wei_add(&admin->max_fee, doubled, fees.priority_fee) ||
        wei_compare(admin->max_fee, ceiling) > 0)
        admin->max_fee = ceiling;
    admin->max_priority_fee =
        wei_compare(fees.priority_fee, admin->max_fee) > 0 ? admin->max_fee : fees.priority_fee;
    return EXIT_FINE;
}

bool admin_open(struct admin *ret_admin, enum exit_code *ret_code,
                const struct arguments *arguments, bool with_key)
{
    static const char *const needed[] = {"ETH_RPC_HTTPS", "CHAIN_ID", NULL};
    struct admin *admin = ret_admin;
    *admin = (struct admin){0};
    *ret_code = EXIT_CONFIG;
    admin->settings = console_settings(needed);
    if (!admin->settings || !console_addresses(&admin->addresses, admin->settings) ||
        !console_endpoints(&admin->endpoints, admin->settings))
        goto fail;
    admin->chain_id = (uint64_t)settings_integer(admin->settings, "CHAIN_ID");
    admin->arena = arena_new(ARENA_BYTES_MAX);
    admin->chain = console_chain(&admin->endpoints, admin->settings);
    if (!admin->arena || !admin->chain || (with_key && !read_key(admin, arguments)))
        goto fail;
    *ret_code = check_chain(admin);
    if (*ret_code == EXIT_FINE && with_key)
        *ret_code = choose_fees(admin);
    if (*ret_code == EXIT_FINE)
        return true;
fail:
    admin_close(admin);
    return false;
}

void admin_close(struct admin *admin)
{
    eth_key_wipe(&admin->key);
    if (admin->chain)
        chain_close(admin->chain);
    arena_free(admin->arena);
    settings_free(admin->settings);
    *admin = (struct admin){0};
}

static enum exit_code choose_gas(struct admin *admin, struct admin_transaction *transaction)
{
    struct chain_call call = {
        .from = admin->address, .to = transaction->to, .data = transaction->data};
    struct call_result result;
    if (transaction->gas_limit > 0)
        return EXIT_FINE;
    if (admin->chain->ops->estimate(admin->chain, &result, &call, 1, admin->arena) != STATUS_OK)
        return console_fail(EXIT_UNAVAILABLE, "%s: gas cannot be estimated", transaction->what);
    if (!result.succeeded) {
        struct revert revert = revert_decode(result.returned);
        return console_fail(EXIT_FAILED, "%s would fail: %s", transaction->what,
                            result.returned.size > 0 ? revert.text : result.message);
    }
    transaction->gas_limit = result.gas + result.gas / 4;
    return EXIT_FINE;
}

static enum exit_code sign(struct admin *admin, struct bytes *ret_raw,
                           struct admin_transaction *transaction)
{
    struct transaction unsigned_transaction = {
        .type = TX_DYNAMIC_FEE,
        .chain_id = admin->chain_id,
        .nonce = (uint64_t)admin->nonce,
        .max_fee = admin->max_fee,
        .max_priority_fee = admin->max_priority_fee,
        .gas_limit = (uint64_t)transaction->gas_limit,
        .creates_contract = transaction->creates,
        .to = transaction->to,
        .data = transaction->data,
    };
    struct signed_transaction signed_transaction;
    if (!transaction_sign(&signed_transaction, &unsigned_transaction, &admin->key, admin->arena))
        return console_fail(EXIT_SOFTWARE, "%s: out of memory", transaction->what);
    if (transaction->creates)
        transaction->contract = address_of_contract(&admin->address, (uint64_t)admin->nonce);
    transaction->hash = signed_transaction.hash;
    *ret_raw = signed_transaction.raw;
    admin->nonce++;
    return EXIT_FINE;
}

static enum exit_code send_all(struct admin *admin, struct admin_transaction *transactions,
                               size_t count)
{
    struct bytes raws[ADMIN_TRANSACTIONS_MAX] = {0};
    struct send_result results[ADMIN_TRANSACTIONS_MAX];
    for (size_t i = 0; i < count; i++) {
        enum exit_code code = choose_gas(admin, &transactions[i]);
        if (code == EXIT_FINE)
            code = sign(admin, &raws[i], &transactions[i]);
        if (code != EXIT_FINE)
            return code;
    }
    if (admin->chain->ops->send(admin->chain, results, raws, count, admin->arena) ==
        STATUS_NO_MEMORY)
        return console_fail(EXIT_SOFTWARE, "out of memory");
    for (size_t i = 0; i < count; i++)
        if (results[i].outcome == SEND_REFUSED)
            return console_fail(EXIT_FAILED, "%s was refused: %s (%s)", transactions[i].what,
                                results[i].message, rpc_class_text(results[i].rpc_class));
    return EXIT_FINE;
}

static enum exit_code check_receipts(const struct admin_transaction *transactions, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!transactions[i].receipt.succeeded)
            return console_fail(EXIT_FAILED, "%s was mined and failed: out of gas or reverted",
                                transactions[i].what);
    return EXIT_FINE;
}

static bool all_mined(struct admin *admin, struct admin_transaction *transactions, size_t count)
{
    struct hash32 hashes[ADMIN_TRANSACTIONS_MAX] = {0};
    struct chain_receipt receipts[ADMIN_TRANSACTIONS_MAX];
    for (size_t i = 0; i < count; i++)
        hashes[i] = transactions[i].hash;
    if (admin->chain->ops->receipts(admin->chain, receipts, hashes, count, admin->arena) !=
        STATUS_OK)
        return false;
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        transactions[i].receipt = receipts[i];
        all = all && receipts[i].found;
    }
    return all;
}

enum exit_code admin_send(struct admin *admin, struct admin_transaction *transactions, size_t count)
{
    const struct timespec pause = {.tv_nsec = RECEIPT_POLL_MS * 1000000L};
    enum exit_code code = send_all(admin, transactions, count);
    if (code != EXIT_FINE)
        return code;
    int64_t deadline_ms = clock_monotonic_ms(clock_system()) + ADMIN_WAIT_MS_MAX;
    while (!all_mined(admin, transactions, count)) {
        if (clock_monotonic_ms(clock_system()) > deadline_ms) {
            char hash[HEX_TEXT_SIZE(32)];
            hex_encode(hash, (struct bytes){transactions[0].hash.bytes, sizeof(struct hash32)});
            return console_fail(EXIT_UNAVAILABLE,
                                "%s is sent and not mined after %d s: look up %s before trying "
                                "again",
                                transactions[0].what, ADMIN_WAIT_MS_MAX / 1000, hash);
        }
        nanosleep(&pause, NULL);
    }
    return check_receipts(transactions, count);
}

bool admin_view(struct admin *admin, struct bytes *ret_returned, const struct address *to,
                struct bytes data, const char *what)
{
    struct chain_call call = {.from = admin->address, .to = *to, .data = data};
    struct call_result result;
    enum status status = admin->chain->ops->call(
        admin->chain, &result, &call, 1, (struct block_id){.tag = BLOCK_LATEST}, admin->arena);
    if (status == STATUS_OK && result.succeeded) {
        *ret_returned = result.returned;
        return true;
    }
    console_fail(EXIT_UNAVAILABLE, "%s cannot be read: %s", what,
                 status == STATUS_OK ? result.message : status_text(status));
    return false;
}
