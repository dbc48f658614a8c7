// SPDX-License-Identifier: Apache-2.0
// Our contracts' calls, events and errors: bytes by hand, and every signature in the artifacts.
#include "eth/contracts_table.h"
#include "eth/keccak.h"
#include "eth/vectors.h"

#define ARENA_BYTES         ((size_t)1 << 16)
#define SIGNATURE_BYTES_MAX 256
#define ARTIFACTS           TEST_VECTORS "/../../contracts/artifacts/"

#define ZERO_31    "00000000000000000000000000000000000000000000000000000000000000"
#define WORD(byte) ZERO_31 byte
#define CHILD      "0000000000000000000000001100000000000000000000000000000000000011"
#define REFERRER   "0000000000000000000000002200000000000000000000000000000000000022"
#define PAYOUT_ID  "aa000000000000000000000000000000000000000000000000000000000000bb"
#define SGE_WORD   "0000000000000000000000000000000000000000000000010000000000000002"

static const struct address child = {{[0] = 0x11, [19] = 0x11}};
static const struct address referrer = {{[0] = 0x22, [19] = 0x22}};

static struct payout_call payout(int64_t usdc, uint128_t sge)
{
    struct payout_call call = {
        .payout_id = {{[0] = 0xaa, [31] = 0xbb}}, .child = child, .referrer = referrer};
    assert_true(usdc_from_units(&call.usdc, usdc));
    assert_true(sge_from_units(&call.sge, sge));
    return call;
}

// A call's bytes are the selector of its signature and then the words.
static void assert_call(struct bytes data, const char *signature, const char *words)
{
    struct hash32 hash = keccak256_text(signature);
    struct bytes expected = vector_bytes(words);
    assert_true(data.size >= 4);
    assert_memory_equal(data.data, hash.bytes, 4);
    assert_true(bytes_equal((struct bytes){data.data + 4, data.size - 4}, expected));
    vector_free(expected);
}

static void single_calls_are_selector_and_words(void **state)
{
    (void)state;
    struct arena *arena = arena_new(ARENA_BYTES);
    const struct referral_call referral = {child, referrer};
    const struct payout_call usdc = payout(9, 0);
    const struct payout_call hybrid = payout(9, (uint128_t)1 << 64 | 2);
    struct bytes data;
    assert_true(call_register_referral(&data, arena, &referral));
    assert_call(data, "registerReferral(address,address)", CHILD REFERRER);
    assert_true(call_pay_affiliate(&data, arena, &usdc));
    assert_call(data, "payAffiliateUSDC(bytes32,address,address,uint256)",
                PAYOUT_ID CHILD REFERRER WORD("09"));
    assert_true(call_pay_affiliate(&data, arena, &hybrid));
    assert_call(data, "payAffiliateHybrid(bytes32,address,address,uint256,uint256)",
                PAYOUT_ID CHILD REFERRER WORD("09") SGE_WORD);
    assert_true(call_mint_identity(&data, arena, &child));
    assert_call(data, "mint(address)", CHILD);
    assert_true(call_referral_paid(&data, arena, &usdc.payout_id));
    assert_call(data, "referralPaid(bytes32)", PAYOUT_ID);
    assert_true(call_address_view(&data, arena, "balanceOf(address)", &referrer));
    assert_call(data, "balanceOf(address)", REFERRER);
    assert_memory_equal(data.data, "\x70\xa0\x82\x31", 4);
    assert_true(call_plain(&data, arena, "paused()"));
    assert_call(data, "paused()", "");
    assert_true(call_emergency_withdraw(&data, arena, &child, &referrer, u256_from_u64(7)));
    assert_call(data, "emergencyWithdraw(address,address,uint256)", CHILD REFERRER WORD("07"));
    arena_free(arena);
}

static void batch_calls_carry_offset_length_and_items(void **state)
{
    (void)state;
    struct arena *arena = arena_new(ARENA_BYTES);
    const struct referral_call referrals[] = {{child, referrer}, {referrer, child}};
    const struct payout_call payouts[] = {payout(1, 0), payout(2, 3)};
    const struct address wallets[] = {referrer, child};
    struct bytes data;
    assert_true(call_register_referrals(&data, arena, referrals, 2));
    assert_call(data, "registerReferrals((address,address)[])",
                WORD("20") WORD("02") CHILD REFERRER REFERRER CHILD);
    assert_true(call_pay_affiliates(&data, arena, payouts, 2));
    assert_call(data, "payAffiliates((bytes32,address,address,uint256,uint256)[])",
                WORD("20") WORD("02") PAYOUT_ID CHILD REFERRER WORD("01") WORD("00")
                    PAYOUT_ID CHILD REFERRER WORD("02") WORD("03"));
    assert_true(call_mint_identities(&data, arena, wallets, 2));
    assert_call(data, "mintBatch(address[])", WORD("20") WORD("02") REFERRER CHILD);
    assert_true(call_pay_affiliates(&data, arena, NULL, 0));
    assert_call(data, "payAffiliates((bytes32,address,address,uint256,uint256)[])",
                WORD("20") WORD("00"));
    assert_false(call_mint_identities(&data, arena, wallets, SIZE_MAX));
    assert_false(call_register_referrals(&data, arena, referrals, SIZE_MAX / 2));
    arena_free(arena);
}

static void a_full_arena_makes_a_call_fail(void **state)
{
    (void)state;
    struct arena *arena = arena_new(100);
    const struct payout_call call = payout(1, 0);
    struct bytes data = {NULL, 0};
    assert_false(call_pay_affiliate(&data, arena, &call));
    assert_false(call_pay_affiliates(&data, arena, &call, 1));
    assert_null(data.data);
    arena_free(arena);
}

static void batch_outcomes_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool fine;
    } rows[] = {
        {WORD("20") WORD("03") WORD("01") WORD("00") WORD("02"), true},
        {WORD("20") WORD("03") WORD("01") WORD("00") WORD("03"), false}, // no such outcome
        {WORD("20") WORD("03") WORD("01") WORD("00"), false},            // cut
        {WORD("20") WORD("02") WORD("01") WORD("00") WORD("02"), false}, // another count
        {WORD("20") WORD("04") WORD("01") WORD("00") WORD("02"), false},
        {WORD("40") WORD("03") WORD("01") WORD("00") WORD("02"), false}, // another offset
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum payout_outcome outcomes[3] = {PAYOUT_OWED, PAYOUT_OWED, PAYOUT_OWED};
        struct bytes data = vector_bytes(rows[i].hex);
        assert_int_equal(read_payout_outcomes(outcomes, 3, data), rows[i].fine);
        assert_int_equal(outcomes[0], rows[i].fine ? PAYOUT_PAID : PAYOUT_OWED);
        assert_int_equal(outcomes[1], rows[i].fine ? PAYOUT_SKIPPED : PAYOUT_OWED);
        assert_int_equal(outcomes[2], PAYOUT_OWED);
        vector_free(data);
    }
}

static const char paid[] = "AffiliatePaidHybrid(bytes32,address,uint256,uint256)";
static const char paid_usdc[] = "AffiliatePaid(bytes32,address,uint256)";
static const char registered[] = "ReferralRegistered(address,address)";
static const char skipped[] = "ReferralSkipped(address,address,bytes4)";
static const char passed_over[] = "PayoutSkipped(bytes32,bytes4)";
static const char transfer[] = "Transfer(address,address,uint256)";
static const char reason[] = "deadbeef00000000000000000000000000000000000000000000000000000000";
static const char bad_reason[] = "deadbeef00000000000000000000000000000000000000000000000000000001";
static const struct {
    enum event_kind kind;
    const char *signature;
    const char *topics[3];
    const char *data;
} log_rows[] = {
    {EVENT_REFERRAL_REGISTERED, registered, {CHILD, REFERRER}, ""},
    {EVENT_REFERRAL_SKIPPED, skipped, {CHILD, REFERRER}, reason},
    {EVENT_AFFILIATE_PAID, paid, {PAYOUT_ID, REFERRER}, WORD("09") SGE_WORD},
    {EVENT_AFFILIATE_PAID, paid_usdc, {PAYOUT_ID, REFERRER}, WORD("09")},
    {EVENT_PAYOUT_OWED,
     "PayoutOwed(bytes32,address,uint256,uint256)",
     {PAYOUT_ID, REFERRER},
     WORD("09") SGE_WORD},
    {EVENT_PAYOUT_SKIPPED, passed_over, {PAYOUT_ID}, reason},
    {EVENT_IDENTITY_MINTED, transfer, {WORD("00"), CHILD, CHILD}, ""},
    // a payment of an ERC-20, a moved identity, an unknown event
    {EVENT_OTHER, transfer, {REFERRER, CHILD}, WORD("09")},
    {EVENT_OTHER, transfer, {REFERRER, CHILD, WORD("01")}, ""},
    {EVENT_OTHER, "Approval(address,address,uint256)", {REFERRER, CHILD}, WORD("09")},
    // topics or data too few, too many, or out of their type
    {EVENT_OTHER, registered, {CHILD}, ""},
    {EVENT_OTHER, registered, {CHILD, REFERRER}, WORD("00")},
    {EVENT_OTHER, registered, {CHILD, PAYOUT_ID}, ""},
    {EVENT_OTHER, skipped, {CHILD, REFERRER}, bad_reason},
    {EVENT_OTHER, paid, {PAYOUT_ID, REFERRER}, WORD("09")},
    {EVENT_OTHER, paid_usdc, {PAYOUT_ID, REFERRER}, ""},
    {EVENT_OTHER, paid_usdc, {PAYOUT_ID, REFERRER}, WORD("09") SGE_WORD},
    {EVENT_OTHER, paid_usdc, {PAYOUT_ID}, WORD("09")},
    {EVENT_OTHER,
     "AffiliatePaid(bytes32,address,uint256,uint256)", // of an earlier contract
     {PAYOUT_ID, REFERRER},
     WORD("09") SGE_WORD},
    {EVENT_OTHER, paid, {PAYOUT_ID, REFERRER}, WORD("09") SGE_WORD WORD("00")},
    {EVENT_OTHER, paid, {PAYOUT_ID, REFERRER, CHILD}, WORD("09") SGE_WORD},
    {EVENT_OTHER, paid, {PAYOUT_ID, PAYOUT_ID}, WORD("09") SGE_WORD},
    {EVENT_OTHER,
     paid,
     {PAYOUT_ID, REFERRER},
     "0000000000000000000000000000000000000000000000008000000000000000" SGE_WORD},
    {EVENT_OTHER,
     paid,
     {PAYOUT_ID, REFERRER},
     WORD("09") "0000000000000000000000000000000080000000000000000000000000000000"},
    {EVENT_OTHER, passed_over, {PAYOUT_ID}, bad_reason},
    {EVENT_OTHER, passed_over, {PAYOUT_ID}, ""},
};

static void logs_are_told_apart_by_topic_and_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof log_rows / sizeof log_rows[0]; i++) {
        struct event_log log = {.topics = {keccak256_text(log_rows[i].signature)},
                                .topics_count = 1};
        for (size_t k = 0; k < 3 && log_rows[i].topics[k]; k++, log.topics_count++)
            assert_true(hex_decode(log.topics[k + 1].bytes, 32, log_rows[i].topics[k]));
        log.data = vector_bytes(log_rows[i].data);
        struct contract_event event = event_decode(&log);
        if (event.kind != log_rows[i].kind)
            fail_msg("row %zu: %s", i, log_rows[i].signature);
        if (event.kind == EVENT_REFERRAL_SKIPPED || event.kind == EVENT_PAYOUT_SKIPPED)
            assert_memory_equal(event.reason, "\xde\xad\xbe\xef", 4);
        vector_free(log.data);
    }
    struct event_log anonymous = {.topics_count = 0};
    assert_int_equal(event_decode(&anonymous).kind, EVENT_OTHER);
}

static void decoded_events_carry_their_fields(void **state)
{
    (void)state;
    struct event_log log = {.topics_count = 3};
    log.topics[0] = keccak256_text(paid);
    assert_true(hex_decode(log.topics[1].bytes, 32, PAYOUT_ID));
    assert_true(hex_decode(log.topics[2].bytes, 32, REFERRER));
    log.data = vector_bytes(WORD("09") SGE_WORD);
    struct contract_event event = event_decode(&log);
    assert_int_equal(event.kind, EVENT_AFFILIATE_PAID);
    assert_memory_equal(event.payout.payout_id.bytes, log.topics[1].bytes, 32);
    assert_true(address_is_zero(&event.payout.child));
    assert_true(address_equal(&event.payout.referrer, &referrer));
    assert_int_equal(usdc_units(event.payout.usdc), 9);
    assert_true(sge_units(event.payout.sge) == ((uint128_t)1 << 64 | 2));
    vector_free(log.data);
    log.topics[0] = keccak256_text(paid_usdc);
    log.data = vector_bytes(WORD("07"));
    event = event_decode(&log);
    assert_int_equal(event.kind, EVENT_AFFILIATE_PAID);
    assert_memory_equal(event.payout.payout_id.bytes, log.topics[1].bytes, 32);
    assert_true(address_equal(&event.payout.referrer, &referrer));
    assert_int_equal(usdc_units(event.payout.usdc), 7);
    assert_true(sge_units(event.payout.sge) == 0);
    vector_free(log.data);
    log = (struct event_log){.topics_count = 3};
    log.topics[0] = keccak256_text("ReferralRegistered(address,address)");
    assert_true(hex_decode(log.topics[1].bytes, 32, CHILD));
    assert_true(hex_decode(log.topics[2].bytes, 32, REFERRER));
    event = event_decode(&log);
    assert_int_equal(event.kind, EVENT_REFERRAL_REGISTERED);
    assert_true(address_equal(&event.referral.child, &child));
    assert_true(address_equal(&event.referral.referrer, &referrer));
}

// Signature of an error (or nothing), hex after the selector, and what comes out.
struct revert_row {
    const char *signature, *arguments;
    enum revert_cause cause;
    const char *text;
};

static struct bytes revert_data(const struct revert_row *row)
{
    char hex[2048] = "";
    if (row->signature) {
        struct hash32 hash = keccak256_text(row->signature);
        hex_encode(hex, (struct bytes){hash.bytes, 4});
    }
    size_t length = strlen(hex);
    snprintf(hex + length, sizeof hex - length, "%s", row->arguments);
    return vector_bytes(hex);
}

#define TOKEN_TEXT "0x1100000000000000000000000000000000000011"
#define MESSAGE    "Error(string)"

static void reverts_are_decoded_into_cause_and_text(void **state)
{
    (void)state;
    static const struct revert_row rows[] = {
        {NULL, "", REVERT_EMPTY, "no revert data"},
        {NULL, "0x01", REVERT_UNKNOWN, "0x01"},
        {NULL, "0x12345678", REVERT_UNKNOWN, "0x12345678"},
        {NULL, "0x12345678" WORD("07") WORD("08") "09", REVERT_UNKNOWN,
         "0x12345678" WORD("07") WORD("08") "..."},
        {"AlreadyPaid(bytes32)", PAYOUT_ID, REVERT_ALREADY_PAID, "AlreadyPaid(0x" PAYOUT_ID ")"},
        {"EnforcedPause()", "", REVERT_PAUSED, "EnforcedPause()"},
        {"DailyCapExceeded(address,uint256,uint256)",
         CHILD WORD("05") "000000000000000000000000000000000000000000000000000000000001d4c0",
         REVERT_DAILY_CAP, "DailyCapExceeded(" TOKEN_TEXT ", 5, 120000)"},
        {"PayoutCapExceeded(address,uint256,uint256)", CHILD WORD("05") WORD("04"),
         REVERT_PAYOUT_CAP, "PayoutCapExceeded(" TOKEN_TEXT ", 5, 4)"},
        {"InsufficientFunds(address,uint256,uint256)", CHILD WORD("05") WORD("00"), REVERT_FUNDS,
         "InsufficientFunds(" TOKEN_TEXT ", 5, 0)"},
        {"AlreadyReferred(address,address)", CHILD REFERRER, REVERT_ALREADY_REFERRED,
         "AlreadyReferred(" TOKEN_TEXT ", 0x2200000000000000000000000000000000000022)"},
        {"AlreadyMinted(address)", CHILD, REVERT_ALREADY_MINTED, "AlreadyMinted(" TOKEN_TEXT ")"},
        {"SelfReferral(address)", CHILD, REVERT_REFUSED, "SelfReferral(" TOKEN_TEXT ")"},
        {"ZeroAmount()", "", REVERT_REFUSED, "ZeroAmount()"},
        {"SafeERC20FailedOperation(address)", CHILD, REVERT_UNKNOWN,
         "SafeERC20FailedOperation(" TOKEN_TEXT ")"},
        // arguments that do not fit their types, or are cut: the cause stands, the text is raw
        {"SelfReferral(address)", "01", REVERT_REFUSED, NULL},
        {"SelfReferral(address)", PAYOUT_ID, REVERT_REFUSED, NULL},
        {"Panic(uint256)", WORD("11"), REVERT_PANIC, "Panic(0x11)"},
        {MESSAGE, WORD("20") WORD("10") "5061757361626c653a20706175736564", REVERT_PAUSED,
         "Pausable: paused"},
        {MESSAGE,
         WORD("20") WORD("25") "426c61636b6c69737461626c653a206163636f756e7420697320626c61636b"
                               "6c69737465640000000000000000000000000000000000000000000000000000"
                               "00",
         REVERT_BLACKLISTED, "Blacklistable: account is blacklisted"},
        {MESSAGE,
         WORD("20") WORD("25") "46696174546f6b656e56325f323a204163636f756e7420697320626c61636b"
                               "6c6973746564",
         REVERT_BLACKLISTED, "FiatTokenV2_2: Account is blacklisted"},
        {MESSAGE, WORD("20") WORD("05") "6f746865720000", REVERT_MESSAGE, "other"},
        {MESSAGE, WORD("20") WORD("05") "1b5b7fc3a9", REVERT_MESSAGE, "?[???"},
        {MESSAGE, WORD("20") WORD("00"), REVERT_MESSAGE, ""},
        {MESSAGE, WORD("20") WORD("ff") "6f74686572", REVERT_MESSAGE, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes data = revert_data(&rows[i]);
        struct revert revert = revert_decode(data);
        char raw[REVERT_TEXT_SIZE * 2];
        hex_encode(raw, (struct bytes){data.data, data.size < 68 ? data.size : 68});
        size_t length = strlen(raw);
        snprintf(raw + length, sizeof raw - length, "%s", data.size > 68 ? "..." : "");
        assert_string_equal(revert.text, rows[i].text ? rows[i].text : raw);
        assert_int_equal(revert.cause, rows[i].cause);
        if (data.size >= 4)
            assert_memory_equal(revert.selector, data.data, 4);
        vector_free(data);
    }
}

static void a_long_text_is_cut_to_its_room(void **state)
{
    (void)state;
    // offset 32, length 300, 300 letters, padding
    uint8_t data[4 + 64 + 320] = {[4 + 31] = 32, [4 + 62] = 1, [4 + 63] = 0x2c};
    struct hash32 hash = keccak256_text(MESSAGE);
    memcpy(data, hash.bytes, 4);
    memset(data + 68, 'x', 300);
    struct revert revert = revert_decode((struct bytes){data, sizeof data});
    assert_int_equal(revert.cause, REVERT_MESSAGE);
    assert_int_equal(strlen(revert.text), REVERT_TEXT_SIZE - 1);
}

static void every_error_of_the_table_gives_its_cause_by_selector(void **state)
{
    (void)state;
    static const struct {
        const char *signature;
        enum revert_cause cause;
    } rows[] = {
#define ROW(signature, cause) {signature, cause},
        ERROR_TABLE(ROW)
#undef ROW
            {"NoSuchError()", REVERT_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hash32 hash = keccak256_text(rows[i].signature);
        assert_int_equal(revert_cause_of_selector(hash.bytes), rows[i].cause);
    }
    for (int a = REVERT_UNKNOWN; a <= REVERT_MESSAGE; a++) {
        for (int b = REVERT_UNKNOWN; b < a; b++)
            assert_string_not_equal(revert_cause_text((enum revert_cause)a),
                                    revert_cause_text((enum revert_cause)b));
    }
}

// The canonical type of an ABI parameter: a tuple becomes its members in brackets.
// NOLINTNEXTLINE(misc-no-recursion): tuples nest, and the artifacts are ours
static void append_type(char out[SIGNATURE_BYTES_MAX], const json_t *parameter)
{
    const char *type = vector_text(parameter, "type");
    size_t length = strlen(out);
    if (strncmp(type, "tuple", 5) != 0) {
        snprintf(out + length, SIGNATURE_BYTES_MAX - length, "%s", type);
        return;
    }
    const json_t *members = json_object_get(parameter, "components");
    for (size_t i = 0; i < json_array_size(members); i++) {
        length = strlen(out);
        snprintf(out + length, SIGNATURE_BYTES_MAX - length, "%s", i == 0 ? "(" : ",");
        append_type(out, json_array_get(members, i));
    }
    length = strlen(out);
    snprintf(out + length, SIGNATURE_BYTES_MAX - length, ")%s", type + 5);
}

static void signature_of(char out[SIGNATURE_BYTES_MAX], const json_t *entry)
{
    const json_t *inputs = json_object_get(entry, "inputs");
    snprintf(out, SIGNATURE_BYTES_MAX, "%s(", vector_text(entry, "name"));
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        size_t length = strlen(out);
        snprintf(out + length, SIGNATURE_BYTES_MAX - length, "%s", i == 0 ? "" : ",");
        append_type(out, json_array_get(inputs, i));
    }
    size_t length = strlen(out);
    snprintf(out + length, SIGNATURE_BYTES_MAX - length, ")");
}

static const char *const artifacts[] = {"AffiliatePayout.json", "AffiliateRegistry.json",
                                        "SGEIdentity.json", "SGEToken.json"};

// The ABI entry of that kind and signature in any artifact, to be dropped by the caller.
static json_t *find_entry(const char *kind, const char *signature)
{
    for (size_t i = 0; i < sizeof artifacts / sizeof artifacts[0]; i++) {
        char path[1024];
        size_t index;
        json_t *entry;
        snprintf(path, sizeof path, "%s%s", ARTIFACTS, artifacts[i]);
        json_t *root = json_load_file(path, 0, NULL);
        if (!root)
            fail_msg("cannot read %s", path);
        json_array_foreach(json_object_get(root, "abi"), index, entry)
        {
            char text[SIGNATURE_BYTES_MAX];
            if (strcmp(vector_text(entry, "type"), kind) != 0)
                continue;
            signature_of(text, entry);
            if (strcmp(text, signature) == 0) {
                json_incref(entry);
                json_decref(root);
                return entry;
            }
        }
        json_decref(root);
    }
    fail_msg("no artifact has the %s %s", kind, signature);
    return NULL;
}

static void every_signature_is_in_the_artifacts(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *signature;
    } rows[] = {
#define ROW(name, signature) {"function", signature},
        CALL_TABLE(ROW)
#undef ROW
#define ROW(signature, cause) {"error", signature},
            ERROR_TABLE(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        json_decref(find_entry(rows[i].kind, rows[i].signature));
}

static void every_event_has_the_shape_of_the_artifacts(void **state)
{
    (void)state;
    static const struct {
        const char *signature;
        size_t topics, words;
    } rows[] = {
#define ROW(kind, signature, topics, words) {signature, topics, words},
        EVENT_TABLE(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        // ERC-20's Transfer has the signature of ERC-721's: SGEIdentity stands before SGEToken.
        json_t *entry = find_entry("event", rows[i].signature);
        const json_t *inputs = json_object_get(entry, "inputs");
        size_t indexed = 0;
        for (size_t k = 0; k < json_array_size(inputs); k++)
            indexed += json_is_true(json_object_get(json_array_get(inputs, k), "indexed"));
        assert_int_equal(rows[i].topics, indexed + 1);
        assert_int_equal(rows[i].words, json_array_size(inputs) - indexed);
        json_decref(entry);
    }
}

static void batches_return_an_array_of_outcomes(void **state)
{
    (void)state;
    json_t *entry =
        find_entry("function", "payAffiliates((bytes32,address,address,uint256,uint256)[])");
    const json_t *output = json_array_get(json_object_get(entry, "outputs"), 0);
    assert_string_equal(vector_text(output, "type"), "uint8[]");
    json_decref(entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_calls_are_selector_and_words),
        cmocka_unit_test(batch_calls_carry_offset_length_and_items),
        cmocka_unit_test(a_full_arena_makes_a_call_fail),
        cmocka_unit_test(batch_outcomes_are_read_whole_or_not_at_all),
        cmocka_unit_test(logs_are_told_apart_by_topic_and_shape),
        cmocka_unit_test(decoded_events_carry_their_fields),
        cmocka_unit_test(reverts_are_decoded_into_cause_and_text),
        cmocka_unit_test(a_long_text_is_cut_to_its_room),
        cmocka_unit_test(every_error_of_the_table_gives_its_cause_by_selector),
        cmocka_unit_test(every_signature_is_in_the_artifacts),
        cmocka_unit_test(every_event_has_the_shape_of_the_artifacts),
        cmocka_unit_test(batches_return_an_array_of_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
