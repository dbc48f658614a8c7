// SPDX-License-Identifier: Apache-2.0
// The command `sluice doctor`: every setting against the world; one row per check, exit 1 where one
// fails.
#include "cli/doctor.h"

#include "cli/admin_tx.h"
#include "cli/lane_keys.h"
#include "eth/keccak.h"
#include "secret/secret.h"

#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define FINDING_SIZE      200
#define CLOCK_SKEW_S_MAX  60 // between our clock and the newest block, beyond the block time
#define DISK_FREE_MIB_MIN 1024

enum verdict { VERDICT_FINE, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
    struct admin admin;
    bool chain_answers;
    struct address lanes[SIGNER_LANES_MAX];
    size_t lanes_count;
    struct table *table;
    json_t *rows;
    bool failed;
};

static void finding(struct doctor *doctor, enum verdict verdict, const char *check,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
static void finding(struct doctor *doctor, enum verdict verdict, const char *check,
                    const char *format, ...)
{
    static const struct {
        const char *word;
        enum tone tone;
    } looks[] = {[VERDICT_FINE] = {"ok", TONE_GOOD},
                 [VERDICT_WARN] = {"warn", TONE_WARN},
                 [VERDICT_FAIL] = {"FAIL", TONE_BAD}};
    char text[FINDING_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_row(doctor->table, looks[verdict].tone,
              (const char *const[]){looks[verdict].word, check, text});
    json_array_append_new(doctor->rows, json_pack("{s:s,s:s,s:s}", "verdict", looks[verdict].word,
                                                  "check", check, "finding", text));
    doctor->failed = doctor->failed || verdict == VERDICT_FAIL;
}

static void check_store(struct doctor *doctor)
{
    const char *path = settings_text(doctor->admin.settings, "RELAYER_DB_PATH");
    struct store_options options =
        console_store_options(doctor->admin.settings, &doctor->admin.addresses);
    options.in_caller = options.read_only = true;
    struct store *store = NULL;
    enum status status = store_open(&store, &options);
    store_close(store);
    finding(doctor, status == STATUS_OK ? VERDICT_FINE : VERDICT_FAIL, "store", "%s: %s%s", path,
            status_text(status),
            status == STATUS_NOT_FOUND || status == STATUS_CONFLICT ? " (run sluice migrate)" : "");
}

static void check_disk(struct doctor *doctor)
{
    char directory[1024];
    struct statvfs space;
    const char *path = settings_text(doctor->admin.settings, "RELAYER_DB_PATH");
    const char *slash = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    if (statvfs(directory, &space) != 0) {
        finding(doctor, VERDICT_FAIL, "disk", "%s cannot be looked at", directory);
        return;
    }
    unsigned long free_mib = space.f_bavail * (space.f_frsize / 1024) / 1024;
    finding(doctor, free_mib < DISK_FREE_MIB_MIN ? VERDICT_WARN : VERDICT_FINE, "disk",
            "%lu MiB free in %s", free_mib, directory);
}

static void check_secrets(struct doctor *doctor)
{
    static const char *const names[] = {"STANDARD_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET",
                                        "COINBASE_COMMERCE_WEBHOOK_SECRET"};
    int forms = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        forms += settings_text(doctor->admin.settings, names[i]) != NULL;
    finding(doctor, forms > 0 ? VERDICT_FINE : VERDICT_WARN, "webhook secrets",
            forms > 0 ? "%d of 3 webhook forms are in use" : "no webhook form is in use (%d of 3)",
            forms);
}

static void check_keys(struct doctor *doctor)
{
    struct eth_key keys[SIGNER_LANES_MAX];
    char error[LANE_KEYS_ERROR_SIZE];
    const char *reference = settings_text(doctor->admin.settings, "RELAYER_PRIVATE_KEY");
    if (!lane_keys_read(keys, &doctor->lanes_count, error, doctor->admin.settings)) {
        finding(doctor, VERDICT_FAIL, "relayer key", "%s", error);
        return;
    }
    for (size_t i = 0; i < doctor->lanes_count; i++)
        doctor->lanes[i] = eth_key_address(&keys[i]);
    bytes_wipe(keys, sizeof keys);
    bool raw = reference && secret_is_raw(reference);
    finding(doctor, raw ? VERDICT_WARN : VERDICT_FINE, "relayer key",
            raw ? "%zu opened; a raw key is for development only" : "%zu opened",
            doctor->lanes_count);
}

static void check_endpoints(struct doctor *doctor)
{
    struct endpoint_list single = doctor->admin.endpoints;
    for (size_t i = 0; i < doctor->admin.endpoints.count; i++) {
        struct endpoint_health health;
        uint64_t chain_id = 0;
        single.urls[0] = doctor->admin.endpoints.urls[i];
        single.count = 1;
        struct chain *chain = console_chain(&single, doctor->admin.settings);
        if (!chain)
            return;
        enum status status = chain->ops->chain_id(chain, &chain_id);
        chain_endpoints(chain, &health, 1);
        bool fine = status == STATUS_OK && chain_id == doctor->admin.chain_id;
        doctor->chain_answers = doctor->chain_answers || fine;
        if (fine)
            finding(doctor, VERDICT_FINE, "endpoint", "%s serves chain %llu in %lld ms",
                    health.name, (unsigned long long)chain_id, (long long)health.latency_ms_last);
        else if (status == STATUS_OK)
            finding(doctor, VERDICT_FAIL, "endpoint", "%s serves chain %llu, CHAIN_ID is %llu",
                    health.name, (unsigned long long)chain_id,
                    (unsigned long long)doctor->admin.chain_id);
        else
            finding(doctor, VERDICT_FAIL, "endpoint", "%s: %s", health.name, health.why);
        chain_close(chain);
    }
}

static void check_clock(struct doctor *doctor)
{
    struct chain_head head;
    struct block_id latest = {.tag = BLOCK_LATEST};
    if (doctor->admin.chain->ops->head(doctor->admin.chain, &head, latest) != STATUS_OK)
        return;
    long long ahead_s = (long long)head.timestamp_s - clock_wall_ms(clock_system()) / 1000;
    finding(doctor, ahead_s > CLOCK_SKEW_S_MAX ? VERDICT_FAIL : VERDICT_FINE, "clock",
            "block %lld is %lld s %s our clock", (long long)head.number,
            ahead_s > 0 ? ahead_s : -ahead_s, ahead_s > 0 ? "ahead of" : "behind");
}

static void check_code(struct doctor *doctor, const char *setting, const struct address *address,
                       bool required)
{
    bool has_code = false;
    char text[ADDRESS_TEXT_SIZE];
    address_format(text, address);
    if (address_is_zero(address)) {
        finding(doctor, required ? VERDICT_FAIL : VERDICT_WARN, setting, "is not set");
        return;
    }
    if (doctor->admin.chain->ops->has_code(doctor->admin.chain, &has_code, address) != STATUS_OK)
        finding(doctor, VERDICT_FAIL, setting, "the chain does not say whether %s has code", text);
    else
        finding(doctor, has_code ? VERDICT_FINE : VERDICT_FAIL, setting, "%s %s", text,
                has_code ? "has code" : "has no code on this chain");
}

// A view that a contract without the function answers with nothing: false, and no row.
static bool view(struct doctor *doctor, struct bytes *ret_returned, const struct address *to,
                 struct bytes data)
{
    struct chain_call call = {.to = *to, .data = data};
    struct call_result result;
    enum status status =
        doctor->admin.chain->ops->call(doctor->admin.chain, &result, &call, 1,
                                       (struct block_id){.tag = BLOCK_LATEST}, doctor->admin.arena);
    *ret_returned = result.returned;
    return status == STATUS_OK && result.succeeded;
}

static void check_paused(struct doctor *doctor)
{
    struct bytes call, returned;
    bool paused = false;
    if (!call_plain(&call, doctor->admin.arena, "paused()") ||
        !view(doctor, &returned, &doctor->admin.addresses.payout, call) ||
        !abi_read_bool(&paused, returned, 0))
        finding(doctor, VERDICT_FAIL, "payout contract", "does not answer paused()");
    else
        finding(doctor, paused ? VERDICT_WARN : VERDICT_FINE, "payout contract",
                paused ? "is paused" : "is not paused");
}

static void check_money(struct doctor *doctor, const char *what, const struct address *token,
                        const char *signature, unsigned decimals)
{
    struct bytes call, returned;
    struct u256 value, remainder;
    char whole[U256_DECIMAL_SIZE];
    if (address_is_zero(token))
        return;
    if (!call_address_view(&call, doctor->admin.arena, signature, token) ||
        !view(doctor, &returned, &doctor->admin.addresses.payout, call) ||
        !abi_read_u256(&value, returned, 0)) {
        finding(doctor, VERDICT_FAIL, what, "the payout contract does not answer %s", signature);
        return;
    }
    struct u256 unit = u256_from_u64(1);
    for (unsigned i = 0; i < decimals; i++)
        if (!u256_multiply(&unit, unit, u256_from_u64(10)))
            return;
    u256_format_decimal(whole, u256_divide(&remainder, value, unit));
    finding(doctor, u256_is_zero(value) ? VERDICT_WARN : VERDICT_FINE, what, "%s whole tokens",
            whole);
}

static void check_role(struct doctor *doctor, const char *what, const struct address *contract,
                       const char *role, const struct address *lane)
{
    struct abi_writer call = abi_writer(doctor->admin.arena, 2);
    struct hash32 role_hash = keccak256_text(role);
    struct bytes data, returned;
    bool granted = false;
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_zero(contract))
        return;
    abi_write_selector(&call, "hasRole(bytes32,address)");
    abi_write_hash32(&call, &role_hash);
    abi_write_address(&call, lane);
    address_format(text, lane);
    if (!abi_finish(&data, &call) || !view(doctor, &returned, contract, data) ||
        !abi_read_bool(&granted, returned, 0))
        finding(doctor, VERDICT_FAIL, what, "does not answer hasRole()");
    else
        finding(doctor, granted ? VERDICT_FINE : VERDICT_FAIL, what, "lane %s %s %s", text,
                granted ? "has" : "lacks", role);
}

static void check_lane(struct doctor *doctor, const struct address *lane)
{
    struct wei balance;
    char text[ADDRESS_TEXT_SIZE], gwei[WEI_TEXT_SIZE];
    const struct contract_addresses *a = &doctor->admin.addresses;
    address_format(text, lane);
    if (doctor->admin.chain->ops->balance(doctor->admin.chain, &balance, lane) == STATUS_OK) {
        wei_format_gwei(gwei, balance);
        finding(doctor, wei_is_zero(balance) ? VERDICT_FAIL : VERDICT_FINE, "gas money",
                "lane %s has %s gwei", text, gwei);
    }
    check_role(doctor, "payout role", &a->payout, "RELAYER_ROLE", lane);
    check_role(doctor, "registry role", &a->registry, "RELAYER_ROLE", lane);
    check_role(doctor, "identity role", &a->identity, "MINTER_ROLE", lane);
}

// Opens the keys as the relayer will, and looks at the wallets they belong to.
static void check_lanes(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->lanes_count; i++)
        check_lane(doctor, &doctor->lanes[i]);
}

static void check_chain(struct doctor *doctor)
{
    const struct contract_addresses *a = &doctor->admin.addresses;
    check_clock(doctor);
    check_code(doctor, "AFFILIATE_PAYOUT_ADDRESS", &a->payout, true);
    check_code(doctor, "AFFILIATE_REGISTRY_ADDRESS", &a->registry, true);
    check_code(doctor, "USDC_ADDRESS", &a->usdc, false);
    check_code(doctor, "SGE_TOKEN_ADDRESS", &a->sge, false);
    check_code(doctor, "SGE_IDENTITY_ADDRESS", &a->identity, false);
    if (address_is_zero(&a->payout))
        return;
    check_paused(doctor);
    check_money(doctor, "USDC to pay from", &a->usdc, "availableFunds(address)", USDC_DECIMALS);
    check_money(doctor, "USDC left today", &a->usdc, "dailyRemaining(address)", USDC_DECIMALS);
    check_money(doctor, "SGE left today", &a->sge, "dailyRemaining(address)", SGE_DECIMALS);
    check_lanes(doctor);
}

static bool open_quietly(struct doctor *doctor)
{
    static const char *const needed[] = {"ETH_RPC_HTTPS", "CHAIN_ID", NULL};
    struct admin *admin = &doctor->admin;
    admin->settings = console_settings(needed);
    if (!admin->settings || !console_addresses(&admin->addresses, admin->settings) ||
        !console_endpoints(&admin->endpoints, admin->settings))
        return false;
    admin->chain_id = (uint64_t)settings_integer(admin->settings, "CHAIN_ID");
    admin->arena = arena_new(CONSOLE_ARENA_BYTES_MAX);
    admin->chain = console_chain(&admin->endpoints, admin->settings);
    return admin->arena && admin->chain;
}

enum exit_code doctor_run(const struct arguments *arguments)
{
    static const char *const headings[] = {"", "CHECK", "FINDING"};
    struct doctor doctor = {0};
    if (!open_quietly(&doctor)) {
        admin_close(&doctor.admin);
        return EXIT_CONFIG;
    }
    doctor.table = table_new(headings, 3);
    doctor.rows = json_array();
    check_store(&doctor);
    check_disk(&doctor);
    check_secrets(&doctor);
    check_keys(&doctor);
    check_endpoints(&doctor);
    if (doctor.chain_answers)
        check_chain(&doctor);
    table_print(doctor.table, argument_json(arguments) ? NULL : stdout);
    if (argument_json(arguments))
        print_json(doctor.rows);
    else
        json_decref(doctor.rows);
    admin_close(&doctor.admin);
    return doctor.failed ? EXIT_FAILED : EXIT_FINE;
}
