// SPDX-License-Identifier: Apache-2.0
// The command `sluice deploy`: puts the contracts on a chain and connects them; prints the settings
// to use.
//
// All transactions go out together (later ones name the addresses earlier ones will create), so a
// deployment takes one or two blocks.
#include "cli/deploy.h"

#include "cli/admin_tx.h"
#include "cli/artifacts.h"
#include "cli/number.h"
#include "eth/keccak.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RELAYERS_MAX          6
#define GAS_CREATE_BASE       1500000 // intrinsic cost and constructor
#define GAS_CREATE_PER_BYTE   300     // 200 for storing, the rest for calldata
#define GAS_CALL              200000
#define ADMIN_DELAY_S         259200 // three days between proposing and accepting a new admin
#define ADMIN_DELAY_S_MAX     2592000
#define CONSTRUCTOR_WORDS_MAX 16
#define CALL_WORDS_MAX        4

struct deployment {
    struct admin admin;
    const struct arguments *arguments;
    struct address owner; // admin of the contracts
    struct address pauser;
    struct address relayers[RELAYERS_MAX];
    size_t relayers_count;
    struct address usdc, sge; // given, or to be created
    bool creates_usdc, creates_sge;
    struct usdc usdc_payout_cap, usdc_daily_cap, fund;
    struct sge sge_payout_cap, sge_daily_cap, sge_supply_cap;
    int64_t admin_delay_s;
    struct address identity, registry, payout;
    struct admin_transaction steps[ADMIN_TRANSACTIONS_MAX];
    size_t steps_count;
    bool failed; // memory
};

static bool read_address_option(struct address *ret_address, const struct arguments *arguments,
                                const char *name, size_t n)
{
    const char *text = argument_nth(arguments, name, n);
    if (text && address_parse(ret_address, text) != ADDRESS_FINE) {
        console_fail(EXIT_USAGE, "--%s: %s is not an address", name, text);
        return false;
    }
    return true;
}

static bool read_caps(struct deployment *d)
{
    static const struct {
        const char *name, *fallback;
        size_t usdc, sge; // offset of the member; 0: not of that kind
    } rows[] = {
        {"usdc-payout-cap", "10000", offsetof(struct deployment, usdc_payout_cap), 0},
        {"usdc-daily-cap", "100000", offsetof(struct deployment, usdc_daily_cap), 0},
        {"fund", "0", offsetof(struct deployment, fund), 0},
        {"sge-payout-cap", "100000", 0, offsetof(struct deployment, sge_payout_cap)},
        {"sge-daily-cap", "1000000", 0, offsetof(struct deployment, sge_daily_cap)},
        {"sge-supply-cap", "1000000000", 0, offsetof(struct deployment, sge_supply_cap)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *given = argument(d->arguments, rows[i].name);
        const char *text = given ? given : rows[i].fallback;
        bool fine = rows[i].usdc ? usdc_parse((void *)((char *)d + rows[i].usdc), text)
                                 : sge_parse((void *)((char *)d + rows[i].sge), text);
        if (!fine) {
            console_fail(EXIT_USAGE, "--%s: %s is not an amount", rows[i].name, text);
            return false;
        }
    }
    return true;
}

static bool read_relayers(struct deployment *d)
{
    while (argument_nth(d->arguments, "relayer", d->relayers_count)) {
        if (d->relayers_count == RELAYERS_MAX) {
            console_fail(EXIT_USAGE, "--relayer: at most %d; grant further ones the role later",
                         RELAYERS_MAX);
            return false;
        }
        if (!read_address_option(&d->relayers[d->relayers_count], d->arguments, "relayer",
                                 d->relayers_count))
            return false;
        d->relayers_count++;
    }
    if (d->relayers_count > 0)
        return true;
    console_fail(EXIT_USAGE, "--relayer is missing: the address of the lane, as sluice keys wallet "
                             "create prints it");
    return false;
}

// What --help promises, before anything is sent.
static bool read_options(struct deployment *d)
{
    const char *delay = argument(d->arguments, "admin-delay");
    d->creates_usdc = argument_flag(d->arguments, "test-usdc");
    d->creates_sge = !argument(d->arguments, "sge");
    d->admin_delay_s = ADMIN_DELAY_S;
    d->owner = d->admin.address;
    d->pauser = d->admin.address;
    const char *wrong = NULL;
    if (d->creates_usdc == (argument(d->arguments, "usdc") != NULL))
        wrong = "say either --usdc ADDRESS or, on a test chain, --test-usdc";
    else if (argument(d->arguments, "fund") && !d->creates_usdc)
        wrong = "--fund mints test USDC: it needs --test-usdc";
    else if (argument(d->arguments, "write") && access(argument(d->arguments, "write"), F_OK) == 0)
        wrong = "--write: that file exists, and settings are never overwritten";
    else if (delay && !number_parse(&d->admin_delay_s, delay, 0, ADMIN_DELAY_S_MAX))
        wrong = "--admin-delay is 0 to 2592000 seconds";
    if (wrong) {
        console_fail(EXIT_USAGE, "%s", wrong);
        return false;
    }
    if (!read_address_option(&d->usdc, d->arguments, "usdc", 0) ||
        !read_address_option(&d->sge, d->arguments, "sge", 0) ||
        !read_address_option(&d->owner, d->arguments, "admin", 0) ||
        !read_address_option(&d->pauser, d->arguments, "pauser", 0) || !read_caps(d) ||
        !read_relayers(d))
        return false;
    if (d->relayers_count > 1 && !address_equal(&d->owner, &d->admin.address)) {
        console_fail(EXIT_USAGE, "with --admin, deploy for one --relayer: the admin grants further "
                                 "ones the role");
        return false;
    }
    return true;
}

static struct bytes code_of(const char *name)
{
    for (const struct artifact *a = artifacts; a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a->code;
    return (struct bytes){0};
}

// Creation bytecode followed by the constructor's arguments. Returns the address it will have.
static struct address add_creation(struct deployment *d, const char *name,
                                   const struct abi_writer *constructor)
{
    struct bytes code = code_of(name), words = {0};
    uint8_t *data = NULL;
    if (abi_finish(&words, constructor))
        data = arena_alloc(d->admin.arena, code.size + words.size);
    if (!data || code.size == 0) {
        d->failed = true;
        return (struct address){0};
    }
    memcpy(data, code.data, code.size);
    if (words.size > 0)
        memcpy(data + code.size, words.data, words.size);
    size_t size = code.size + words.size;
    struct address created =
        address_of_contract(&d->admin.address, (uint64_t)d->admin.nonce + (uint64_t)d->steps_count);
    d->steps[d->steps_count++] = (struct admin_transaction){
        .what = name,
        .creates = true,
        .data = {data, size},
        .gas_limit = GAS_CREATE_BASE + GAS_CREATE_PER_BYTE * (int64_t)size};
    return created;
}

static void add_call(struct deployment *d, const char *what, const struct address *to,
                     const struct abi_writer *call)
{
    struct bytes data;
    if (!abi_finish(&data, call)) {
        d->failed = true;
        return;
    }
    d->steps[d->steps_count++] =
        (struct admin_transaction){.what = what, .to = *to, .data = data, .gas_limit = GAS_CALL};
}

static void add_grant(struct deployment *d, const char *what, const struct address *contract,
                      const char *role, const struct address *account)
{
    struct abi_writer call = abi_writer(d->admin.arena, CALL_WORDS_MAX);
    struct hash32 role_hash = {0}; // DEFAULT_ADMIN_ROLE is zero
    if (role)
        role_hash = keccak256_text(role);
    abi_write_selector(&call, "grantRole(bytes32,address)");
    abi_write_hash32(&call, &role_hash);
    abi_write_address(&call, account);
    add_call(d, what, contract, &call);
}

// Leaves the deployer without power over a contract of ours.
static void add_renounce(struct deployment *d, const char *what, const struct address *contract)
{
    struct abi_writer call = abi_writer(d->admin.arena, CALL_WORDS_MAX);
    abi_write_selector(&call, "renounceRole(bytes32,address)");
    abi_write_u64(&call, 0);
    abi_write_address(&call, &d->admin.address);
    add_call(d, what, contract, &call);
}

static void add_tokens(struct deployment *d)
{
    struct abi_writer words = abi_writer(d->admin.arena, CONSTRUCTOR_WORDS_MAX);
    if (d->creates_usdc) {
        abi_write_address(&words, &d->admin.address);
        d->usdc = add_creation(d, "TestUSDC", &words);
    }
    if (d->creates_sge) {
        words = abi_writer(d->admin.arena, CONSTRUCTOR_WORDS_MAX);
        abi_write_address(&words, &d->admin.address);
        abi_write_u256(&words, u256_from_u128(sge_units(d->sge_supply_cap)));
        d->sge = add_creation(d, "SGEToken", &words);
    }
    words = abi_writer(d->admin.arena, CONSTRUCTOR_WORDS_MAX);
    abi_write_address(&words, &d->admin.address);
    abi_write_address(&words, &d->relayers[0]);
    d->identity = add_creation(d, "SGEIdentity", &words);
}

static void add_contracts(struct deployment *d)
{
    struct abi_writer words = abi_writer(d->admin.arena, CONSTRUCTOR_WORDS_MAX);
    abi_write_address(&words, &d->owner);
    abi_write_u64(&words, (uint64_t)d->admin_delay_s);
    abi_write_address(&words, &d->relayers[0]);
    d->registry = add_creation(d, "AffiliateRegistry", &words);
    words = abi_writer(d->admin.arena, CONSTRUCTOR_WORDS_MAX);
    abi_write_address(&words, &d->usdc);
    abi_write_address(&words, &d->sge);
    abi_write_address(&words, &d->owner);
    abi_write_u64(&words, (uint64_t)d->admin_delay_s);
    abi_write_address(&words, &d->relayers[0]);
    abi_write_address(&words, &d->pauser);
    abi_write_bool(&words, d->creates_sge);
    abi_write_u64(&words, (uint64_t)usdc_units(d->usdc_payout_cap));
    abi_write_u64(&words, (uint64_t)usdc_units(d->usdc_daily_cap));
    abi_write_u256(&words, u256_from_u128(sge_units(d->sge_payout_cap)));
    abi_write_u256(&words, u256_from_u128(sge_units(d->sge_daily_cap)));
    d->payout = add_creation(d, "AffiliatePayout", &words);
}

static void add_roles(struct deployment *d)
{
    if (d->creates_sge)
        add_grant(d, "SGEToken: minter role of the payout contract", &d->sge, "MINTER_ROLE",
                  &d->payout);
    for (size_t i = 1; i < d->relayers_count; i++) {
        add_grant(d, "SGEIdentity: minter role", &d->identity, "MINTER_ROLE", &d->relayers[i]);
        add_grant(d, "AffiliateRegistry: relayer role", &d->registry, "RELAYER_ROLE",
                  &d->relayers[i]);
        add_grant(d, "AffiliatePayout: relayer role", &d->payout, "RELAYER_ROLE", &d->relayers[i]);
    }
    if (address_equal(&d->owner, &d->admin.address))
        return;
    add_grant(d, "SGEIdentity: admin role", &d->identity, NULL, &d->owner);
    add_renounce(d, "SGEIdentity: renounce", &d->identity);
    if (d->creates_sge) {
        add_grant(d, "SGEToken: admin role", &d->sge, NULL, &d->owner);
        add_renounce(d, "SGEToken: renounce", &d->sge);
    }
}

static void add_fund(struct deployment *d)
{
    if (usdc_is_zero(d->fund))
        return;
    struct abi_writer call = abi_writer(d->admin.arena, CALL_WORDS_MAX);
    abi_write_selector(&call, "mint(address,uint256)");
    abi_write_address(&call, &d->payout);
    abi_write_u64(&call, (uint64_t)usdc_units(d->fund));
    add_call(d, "TestUSDC: fund the payout contract", &d->usdc, &call);
}

struct setting_line {
    const char *name;
    char value[ADDRESS_TEXT_SIZE];
};
#define SETTING_LINES 5

static void list_settings(struct setting_line lines[SETTING_LINES], const struct deployment *d)
{
    const struct {
        const char *name;
        const struct address *address;
    } rows[SETTING_LINES] = {{"AFFILIATE_PAYOUT_ADDRESS", &d->payout},
                             {"AFFILIATE_REGISTRY_ADDRESS", &d->registry},
                             {"SGE_IDENTITY_ADDRESS", &d->identity},
                             {"SGE_TOKEN_ADDRESS", &d->sge},
                             {"USDC_ADDRESS", &d->usdc}};
    for (size_t i = 0; i < SETTING_LINES; i++) {
        lines[i].name = rows[i].name;
        address_format(lines[i].value, rows[i].address);
    }
}

static void print_lines(FILE *out, const struct deployment *d)
{
    struct setting_line lines[SETTING_LINES];
    list_settings(lines, d);
    for (size_t i = 0; i < SETTING_LINES; i++)
        fprintf(out, "%s=%s\n", lines[i].name, lines[i].value);
    fprintf(out, "CHAIN_ID=%llu\n", (unsigned long long)d->admin.chain_id);
}

// The endpoints carry keys, so the file is for the owner alone; an existing file is never touched.
static enum exit_code write_settings(const struct deployment *d, const char *path)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!out)
        return console_fail(EXIT_IO,
                            "--write %s: %s (the contracts are deployed; their addresses "
                            "are printed above)",
                            path, strerror(errno));
    print_lines(out, d);
    fprintf(out, "ETH_RPC_HTTPS=%s\n", settings_text(d->admin.settings, "ETH_RPC_HTTPS"));
    bool written = fflush(out) == 0 && fsync(fileno(out)) == 0;
    if (fclose(out) != 0 || !written)
        return console_fail(EXIT_IO, "--write %s: %s", path, strerror(errno));
    return EXIT_FINE;
}

static enum exit_code report(const struct deployment *d)
{
    const char *path = argument(d->arguments, "write");
    if (argument_json(d->arguments)) {
        struct setting_line lines[SETTING_LINES];
        list_settings(lines, d);
        json_t *object = json_object();
        for (size_t i = 0; i < SETTING_LINES; i++)
            json_object_set_new(object, lines[i].name, json_string(lines[i].value));
        json_object_set_new(object, "CHAIN_ID", json_integer((json_int_t)d->admin.chain_id));
        print_json(object);
    } else {
        print_lines(stdout, d);
    }
    return path ? write_settings(d, path) : EXIT_FINE;
}

enum exit_code deploy_run(const struct arguments *arguments)
{
    struct deployment d = {.arguments = arguments};
    enum exit_code code;
    if (!admin_open(&d.admin, &code, arguments, true))
        return code;
    code = EXIT_USAGE;
    if (read_options(&d)) {
        add_tokens(&d);
        add_contracts(&d);
        add_roles(&d);
        add_fund(&d);
        code = d.failed
                   ? console_fail(EXIT_SOFTWARE, "out of memory, or a contract is not built in")
                   : admin_send(&d.admin, d.steps, d.steps_count);
    }
    if (code == EXIT_FINE)
        code = report(&d);
    admin_close(&d.admin);
    return code;
}
