// SPDX-License-Identifier: Apache-2.0
// The contracts of the simulated chain.
#include "contract.h"

#include "eth/keccak.h"

#include <stdlib.h>
#include <string.h>

#define WORD                32
#define SELECTOR_SIZE       4
#define LOGS_PER_RECORD_MAX 2
#define WORDS_MAX           8

#define GAS_BASE     30000
#define GAS_PAYOUT   34000
#define GAS_HYBRID   75000
#define GAS_REFERRAL 26000
#define GAS_MINTED   52000
#define GAS_REVERTED 28000

// ---------------------------------------------------------------- selectors and topics

enum word {
    CALL_REFER,
    CALL_REFER_MANY,
    CALL_PAY_USDC,
    CALL_PAY_HYBRID,
    CALL_PAY_MANY,
    CALL_MINT_ONE,
    CALL_MINT_MANY,
    VIEW_PAID,
    VIEW_REFERRER,
    VIEW_IDENTITY,
    ERROR_ROLE,
    ERROR_PAUSED,
    ERROR_PAID,
    ERROR_PAYOUT_CAP,
    ERROR_DAILY_CAP,
    ERROR_FUNDS,
    ERROR_REFERRED,
    ERROR_MINTED,
    ERROR_TEXT,
    EVENT_WORD_PAID,
    EVENT_WORD_HYBRID,
    EVENT_WORD_OWED,
    EVENT_WORD_SKIPPED,
    EVENT_WORD_REFERRED,
    EVENT_WORD_REFERRAL_SKIPPED,
    EVENT_WORD_TRANSFER,
    WORDS,
};

static const char *const signatures[WORDS] = {
    [CALL_REFER] = "registerReferral(address,address)",
    [CALL_REFER_MANY] = "registerReferrals((address,address)[])",
    [CALL_PAY_USDC] = "payAffiliateUSDC(bytes32,address,address,uint256)",
    [CALL_PAY_HYBRID] = "payAffiliateHybrid(bytes32,address,address,uint256,uint256)",
    [CALL_PAY_MANY] = "payAffiliates((bytes32,address,address,uint256,uint256)[])",
    [CALL_MINT_ONE] = "mint(address)",
    [CALL_MINT_MANY] = "mintBatch(address[])",
    [VIEW_PAID] = "referralPaid(bytes32)",
    [VIEW_REFERRER] = "referrerOf(address)",
    [VIEW_IDENTITY] = "hasIdentity(address)",
    [ERROR_ROLE] = "AccessControlUnauthorizedAccount(address,bytes32)",
    [ERROR_PAUSED] = "EnforcedPause()",
    [ERROR_PAID] = "AlreadyPaid(bytes32)",
    [ERROR_PAYOUT_CAP] = "PayoutCapExceeded(address,uint256,uint256)",
    [ERROR_DAILY_CAP] = "DailyCapExceeded(address,uint256,uint256)",
    [ERROR_FUNDS] = "InsufficientFunds(address,uint256,uint256)",
    [ERROR_REFERRED] = "AlreadyReferred(address,address)",
    [ERROR_MINTED] = "AlreadyMinted(address)",
    [ERROR_TEXT] = "Error(string)",
    [EVENT_WORD_PAID] = "AffiliatePaid(bytes32,address,uint256)",
    [EVENT_WORD_HYBRID] = "AffiliatePaidHybrid(bytes32,address,uint256,uint256)",
    [EVENT_WORD_OWED] = "PayoutOwed(bytes32,address,uint256,uint256)",
    [EVENT_WORD_SKIPPED] = "PayoutSkipped(bytes32,bytes4)",
    [EVENT_WORD_REFERRED] = "ReferralRegistered(address,address)",
    [EVENT_WORD_REFERRAL_SKIPPED] = "ReferralSkipped(address,address,bytes4)",
    [EVENT_WORD_TRANSFER] = "Transfer(address,address,uint256)",
};

static const struct hash32 *word_hash(enum word word)
{
    static struct hash32 hashes[WORDS];
    static bool made;
    for (size_t i = 0; !made && i < WORDS; i++)
        hashes[i] = keccak256_text(signatures[i]);
    made = true;
    return &hashes[word];
}

static bool starts_with(struct bytes data, enum word word)
{
    return data.size >= SELECTOR_SIZE &&
           memcmp(data.data, word_hash(word)->bytes, SELECTOR_SIZE) == 0;
}

static struct bytes arguments_of(struct bytes data)
{
    return (struct bytes){data.data + SELECTOR_SIZE, data.size - SELECTOR_SIZE};
}

// The call data is our own code's: what cannot be read is a bug to look at.
static void must(bool fine)
{
    if (!fine)
        abort();
}

static struct bytes words_of(struct abi_writer *writer)
{
    struct bytes data;
    must(abi_finish(&data, writer));
    return data;
}

// ---------------------------------------------------------------- reading calls

static struct address address_at(struct bytes data, size_t word)
{
    struct address address;
    must(abi_read_address(&address, data, word));
    return address;
}

static struct payout_call payout_at(struct bytes data, size_t word, bool has_sge)
{
    struct payout_call payout = {.child = address_at(data, word + 1),
                                 .referrer = address_at(data, word + 2)};
    uint64_t usdc;
    struct u256 sge = u256_from_u64(0);
    uint128_t sge_small;
    must((word + 1) * WORD <= data.size);
    memcpy(payout.payout_id.bytes, data.data + word * WORD, WORD);
    must(abi_read_u64(&usdc, data, word + 3) && usdc_from_units(&payout.usdc, (int64_t)usdc));
    if (has_sge)
        must(abi_read_u256(&sge, data, word + 4));
    must(u256_to_u128(&sge_small, sge) && sge_from_units(&payout.sge, sge_small));
    return payout;
}

// Arrays stand behind their offset and length.
static size_t array_count(struct bytes data)
{
    uint64_t offset = 0, count = 0;
    must(abi_read_u64(&offset, data, 0) && offset == WORD && abi_read_u64(&count, data, 1));
    return (size_t)count;
}

#define ARRAY_FIRST    2
#define PAYOUT_WORDS   5
#define REFERRAL_WORDS 2

static void visit_payouts(struct bytes data, contract_visit *visit, void *context)
{
    struct contract_item item = {.target = TARGET_PAYOUT};
    struct bytes words = arguments_of(data);
    bool hybrid = starts_with(data, CALL_PAY_HYBRID);
    if (hybrid || starts_with(data, CALL_PAY_USDC)) {
        item.payout = payout_at(words, 0, hybrid);
        visit(context, &item);
    } else if (starts_with(data, CALL_PAY_MANY)) {
        for (size_t i = 0, count = array_count(words); i < count; i++) {
            item.payout = payout_at(words, ARRAY_FIRST + i * PAYOUT_WORDS, true);
            visit(context, &item);
        }
    }
}

static void visit_referrals(struct bytes data, contract_visit *visit, void *context)
{
    struct bytes words = arguments_of(data);
    bool many = starts_with(data, CALL_REFER_MANY), one = starts_with(data, CALL_REFER);
    size_t count = many ? array_count(words) : one;
    for (size_t i = 0; i < count; i++) {
        size_t word = (many ? ARRAY_FIRST : 0) + i * REFERRAL_WORDS;
        struct contract_item item = {.target = TARGET_REGISTRY,
                                     .child = address_at(words, word),
                                     .referrer = address_at(words, word + 1)};
        visit(context, &item);
    }
}

static void visit_mints(struct bytes data, contract_visit *visit, void *context)
{
    struct bytes words = arguments_of(data);
    bool many = starts_with(data, CALL_MINT_MANY), one = starts_with(data, CALL_MINT_ONE);
    size_t count = many ? array_count(words) : one;
    for (size_t i = 0; i < count; i++) {
        struct contract_item item = {.target = TARGET_IDENTITY,
                                     .child = address_at(words, (many ? ARRAY_FIRST : 0) + i)};
        visit(context, &item);
    }
}

enum tx_target contract_target(const struct contracts *contracts, const struct address *to)
{
    if (address_equal(to, &contracts->payout))
        return TARGET_PAYOUT;
    if (address_equal(to, &contracts->registry))
        return TARGET_REGISTRY;
    return address_equal(to, &contracts->identity) ? TARGET_IDENTITY : TARGET_NONE;
}

void contract_items(const struct contracts *contracts, const struct address *to, struct bytes data,
                    contract_visit *visit, void *context)
{
    switch (contract_target(contracts, to)) {
    case TARGET_NONE:
        return;
    case TARGET_PAYOUT:
        visit_payouts(data, visit, context);
        return;
    case TARGET_REGISTRY:
        visit_referrals(data, visit, context);
        return;
    case TARGET_IDENTITY:
        visit_mints(data, visit, context);
        return;
    }
}

// ---------------------------------------------------------------- reverting

static struct abi_writer revert_begin(struct execution *execution, enum word word)
{
    struct abi_writer writer = abi_writer(execution->arena, WORDS_MAX);
    abi_write_selector(&writer, signatures[word]);
    return writer;
}

static void revert_with(struct execution *execution, struct abi_writer *writer)
{
    execution->succeeded = false;
    execution->gas_used = GAS_REVERTED;
    execution->revert = words_of(writer);
}

static void revert_plain(struct execution *execution, enum word word)
{
    struct abi_writer writer = revert_begin(execution, word);
    revert_with(execution, &writer);
}

static void revert_address(struct execution *execution, enum word word,
                           const struct address *address)
{
    struct abi_writer writer = revert_begin(execution, word);
    abi_write_address(&writer, address);
    revert_with(execution, &writer);
}

static void revert_amounts(struct execution *execution, enum word word, uint64_t amount,
                           uint64_t limit)
{
    struct abi_writer writer = revert_begin(execution, word);
    abi_write_address(&writer, &execution->contracts->usdc);
    abi_write_u64(&writer, amount);
    abi_write_u64(&writer, limit);
    revert_with(execution, &writer);
}

static void revert_text(struct execution *execution, const char *text)
{
    uint8_t padded[2 * WORD] = {0};
    struct hash32 words[2];
    memcpy(padded, text, strlen(text));
    memcpy(words, padded, sizeof words);
    struct abi_writer writer = revert_begin(execution, ERROR_TEXT);
    abi_write_u64(&writer, WORD);
    abi_write_u64(&writer, strlen(text));
    abi_write_hash32(&writer, &words[0]);
    if (strlen(text) > WORD)
        abi_write_hash32(&writer, &words[1]);
    revert_with(execution, &writer);
}

// ---------------------------------------------------------------- records

static struct record *add_record(struct execution *execution, int32_t *head, enum record_kind kind)
{
    struct tree *tree = execution->tree;
    struct record *record = list_add(&tree->records, sizeof *record);
    record->kind = kind;
    record->block = execution->tip;
    record->next = *head;
    *head = (int32_t)tree->records.count - 1;
    return record;
}

static void record_payout(struct execution *execution, const struct payout_call *payout,
                          bool usdc_owed)
{
    execution->state->funds -= (uint64_t)usdc_units(payout->usdc);
    execution->state->day_spent += (uint64_t)usdc_units(payout->usdc);
    execution->gas_used += sge_is_zero(payout->sge) ? GAS_PAYOUT : GAS_HYBRID;
    if (execution->dry)
        return;
    int32_t index = tree_need_payout(execution->tree, &payout->payout_id);
    struct record *record =
        add_record(execution, &tree_payout(execution->tree, index)->first_record, RECORD_PAYOUT);
    record->payout = *payout;
    record->usdc_owed = usdc_owed ? (uint64_t)usdc_units(payout->usdc) : 0;
}

static void record_skip(struct execution *execution, const struct payout_call *payout,
                        enum word reason)
{
    execution->gas_used += GAS_BASE;
    if (execution->dry)
        return;
    int32_t index = tree_need_payout(execution->tree, &payout->payout_id);
    struct record *record = add_record(
        execution, &tree_payout(execution->tree, index)->first_record, RECORD_PAYOUT_SKIPPED);
    record->payout = *payout;
    memcpy(record->reason, word_hash(reason)->bytes, sizeof record->reason);
}

// ---------------------------------------------------------------- payouts

static bool is_paid(const struct execution *execution, const struct hash32 *id)
{
    int32_t payout = tree_find_payout(execution->tree, id), record;
    return payout >= 0 && tree_count_payouts(execution->tree, &record, execution->tip, payout) > 0;
}

static bool is_blacklisted(const struct execution *execution, const struct address *referrer)
{
    size_t affiliate;
    return affiliate_of_address(&affiliate, referrer) &&
           (execution->state->blacklisted >> affiliate & 1) != 0;
}

static uint64_t day_room(const struct chain_state *state)
{
    return state->day_cap > state->day_spent ? state->day_cap - state->day_spent : 0;
}

// What stops it before any token moves; WORDS: nothing.
static enum word payout_fault(const struct execution *execution, const struct payout_call *payout)
{
    const struct chain_state *state = execution->state;
    uint64_t amount = (uint64_t)usdc_units(payout->usdc);
    if (execution->contracts->refuses_duplicates && is_paid(execution, &payout->payout_id))
        return ERROR_PAID;
    if (amount > state->payout_cap)
        return ERROR_PAYOUT_CAP;
    if (amount > day_room(state))
        return ERROR_DAILY_CAP;
    return amount > state->funds ? ERROR_FUNDS : WORDS;
}

static void pay_one(void *context, const struct contract_item *item)
{
    struct execution *execution = context;
    const struct payout_call *payout = &item->payout;
    const struct chain_state *state = execution->state;
    uint64_t amount = (uint64_t)usdc_units(payout->usdc);
    enum word fault = payout_fault(execution, payout);
    struct abi_writer writer;
    if (fault == ERROR_PAID) {
        writer = revert_begin(execution, ERROR_PAID);
        abi_write_hash32(&writer, &payout->payout_id);
        revert_with(execution, &writer);
    } else if (fault == ERROR_PAYOUT_CAP) {
        revert_amounts(execution, fault, amount, state->payout_cap);
    } else if (fault == ERROR_DAILY_CAP) {
        revert_amounts(execution, fault, amount, day_room(state));
    } else if (fault == ERROR_FUNDS) {
        revert_amounts(execution, fault, amount, state->funds);
    } else if (amount > 0 && state->token_paused) {
        revert_text(execution, "Pausable: paused");
    } else if (amount > 0 && is_blacklisted(execution, &payout->referrer)) {
        revert_text(execution, "Blacklistable: account is blacklisted");
    } else {
        record_payout(execution, payout, false);
        execution->outcomes[0] = PAYOUT_PAID;
    }
}

struct batch {
    struct execution *execution;
    struct abi_writer outcomes;
    size_t count;
};

static void pay_in_batch(void *context, const struct contract_item *item)
{
    struct batch *batch = context;
    struct execution *execution = batch->execution;
    enum word fault = payout_fault(execution, &item->payout);
    enum payout_outcome outcome = PAYOUT_SKIPPED;
    if (fault != WORDS) {
        record_skip(execution, &item->payout, fault);
    } else {
        bool owed =
            execution->state->token_paused || is_blacklisted(execution, &item->payout.referrer);
        owed = owed && !usdc_is_zero(item->payout.usdc);
        record_payout(execution, &item->payout, owed);
        outcome = owed ? PAYOUT_OWED : PAYOUT_PAID;
    }
    must(batch->count < PAYOUTS_BATCH_MAX);
    execution->outcomes[batch->count++] = (uint8_t)outcome;
    abi_write_u64(&batch->outcomes, outcome);
}

static void pay_many(struct execution *execution, struct bytes data)
{
    size_t count = array_count(arguments_of(data));
    struct batch batch = {execution, abi_writer(execution->arena, count + ARRAY_FIRST), 0};
    abi_write_u64(&batch.outcomes, WORD);
    abi_write_u64(&batch.outcomes, count);
    visit_payouts(data, pay_in_batch, &batch);
    execution->returned = words_of(&batch.outcomes);
}

static void execute_payout(struct execution *execution, struct bytes data)
{
    if (starts_with(data, VIEW_PAID)) {
        struct hash32 id;
        must(data.size == SELECTOR_SIZE + WORD);
        memcpy(id.bytes, data.data + SELECTOR_SIZE, WORD);
        struct abi_writer writer = abi_writer(execution->arena, 1);
        abi_write_bool(&writer, is_paid(execution, &id));
        execution->returned = words_of(&writer);
    } else if (execution->state->role_missing) {
        struct address nobody = {{0}};
        struct hash32 role = {{1}};
        struct abi_writer writer = revert_begin(execution, ERROR_ROLE);
        abi_write_address(&writer, &nobody);
        abi_write_hash32(&writer, &role);
        revert_with(execution, &writer);
    } else if (execution->state->paused) {
        revert_plain(execution, ERROR_PAUSED);
    } else if (starts_with(data, CALL_PAY_MANY)) {
        pay_many(execution, data);
    } else {
        visit_payouts(data, pay_one, execution);
    }
}

// ---------------------------------------------------------------- referrals

// -1: nobody; the record otherwise.
static int32_t referral_of(const struct execution *execution, const struct address *child)
{
    size_t number;
    return child_of_address(&number, child) ? tree_referral(execution->tree, execution->tip, number)
                                            : -1;
}

static void refer(struct execution *execution, const struct contract_item *item, bool alone)
{
    int32_t known = referral_of(execution, &item->child);
    const struct address *other =
        known >= 0 ? &tree_record(execution->tree, known)->referrer : NULL;
    size_t child;
    execution->gas_used += GAS_REFERRAL;
    must(child_of_address(&child, &item->child));
    if (other != NULL && address_equal(other, &item->referrer))
        return;
    if (other != NULL && alone) {
        struct abi_writer writer = revert_begin(execution, ERROR_REFERRED);
        abi_write_address(&writer, &item->child);
        abi_write_address(&writer, other);
        revert_with(execution, &writer);
        return;
    }
    if (execution->dry)
        return;
    struct record *record = add_record(execution, &execution->tree->children[child].first_referral,
                                       other == NULL ? RECORD_REFERRED : RECORD_REFERRAL_SKIPPED);
    record->child = item->child;
    record->referrer = item->referrer;
    memcpy(record->reason, word_hash(ERROR_REFERRED)->bytes, sizeof record->reason);
}

static void refer_one(void *context, const struct contract_item *item)
{
    refer(context, item, true);
}

static void refer_in_batch(void *context, const struct contract_item *item)
{
    refer(context, item, false);
}

static void execute_registry(struct execution *execution, struct bytes data)
{
    if (starts_with(data, VIEW_REFERRER)) {
        struct address child = address_at(arguments_of(data), 0), nobody = {{0}};
        int32_t known = referral_of(execution, &child);
        struct abi_writer writer = abi_writer(execution->arena, 1);
        abi_write_address(&writer,
                          known >= 0 ? &tree_record(execution->tree, known)->referrer : &nobody);
        execution->returned = words_of(&writer);
        return;
    }
    visit_referrals(data, starts_with(data, CALL_REFER_MANY) ? refer_in_batch : refer_one,
                    execution);
}

// ---------------------------------------------------------------- identities

static bool has_identity(const struct execution *execution, const struct address *wallet)
{
    size_t child;
    return child_of_address(&child, wallet) &&
           tree_mint(execution->tree, execution->tip, child) >= 0;
}

static void mint_in_batch(void *context, const struct contract_item *item)
{
    struct execution *execution = context;
    size_t child;
    must(child_of_address(&child, &item->child));
    execution->gas_used += GAS_MINTED;
    if (has_identity(execution, &item->child) || execution->dry)
        return;
    struct record *record =
        add_record(execution, &execution->tree->children[child].first_mint, RECORD_MINTED);
    record->child = item->child;
}

static void mint_one(void *context, const struct contract_item *item)
{
    struct execution *execution = context;
    if (has_identity(execution, &item->child))
        revert_address(execution, ERROR_MINTED, &item->child);
    else
        mint_in_batch(context, item);
}

static void execute_identity(struct execution *execution, struct bytes data)
{
    if (starts_with(data, VIEW_IDENTITY)) {
        struct address wallet = address_at(arguments_of(data), 0);
        struct abi_writer writer = abi_writer(execution->arena, 1);
        abi_write_bool(&writer, has_identity(execution, &wallet));
        execution->returned = words_of(&writer);
        return;
    }
    visit_mints(data, starts_with(data, CALL_MINT_MANY) ? mint_in_batch : mint_one, execution);
}

void contract_execute(struct execution *execution, const struct address *to, struct bytes data)
{
    execution->succeeded = true;
    execution->gas_used = GAS_BASE;
    switch (contract_target(execution->contracts, to)) {
    case TARGET_NONE:
        execution->gas_used = 21000;
        return;
    case TARGET_PAYOUT:
        execute_payout(execution, data);
        return;
    case TARGET_REGISTRY:
        execute_registry(execution, data);
        return;
    case TARGET_IDENTITY:
        execute_identity(execution, data);
        return;
    }
}

// ---------------------------------------------------------------- events

static struct hash32 topic_of(const struct address *address)
{
    struct hash32 topic = {{0}};
    memcpy(topic.bytes + 12, address->bytes, sizeof address->bytes);
    return topic;
}

static struct event_log *add_log(struct event_log *logs, size_t *count, const struct address *by,
                                 enum word event)
{
    struct event_log *log = &logs[(*count)++];
    *log = (struct event_log){.address = *by, .topics = {*word_hash(event)}, .topics_count = 1};
    return log;
}

static void add_topic(struct event_log *log, struct hash32 topic)
{
    log->topics[log->topics_count++] = topic;
}

static struct bytes amounts(struct arena *arena, uint64_t usdc, struct sge sge, bool with_sge)
{
    struct abi_writer writer = abi_writer(arena, 2);
    abi_write_u64(&writer, usdc);
    if (with_sge)
        abi_write_u256(&writer, u256_from_u128(sge_units(sge)));
    return words_of(&writer);
}

static struct bytes reason_word(struct arena *arena, const uint8_t reason[4])
{
    struct hash32 word = {{0}};
    memcpy(word.bytes, reason, SELECTOR_SIZE);
    struct abi_writer writer = abi_writer(arena, 1);
    abi_write_hash32(&writer, &word);
    return words_of(&writer);
}

static void log_payout(struct event_log *logs, size_t *count, const struct record *record,
                       const struct address *by, struct arena *arena)
{
    const struct payout_call *payout = &record->payout;
    struct hash32 referrer = topic_of(&payout->referrer);
    bool hybrid = !sge_is_zero(payout->sge);
    uint64_t paid = (uint64_t)usdc_units(payout->usdc) - record->usdc_owed;
    if (paid > 0 || hybrid) {
        struct event_log *log =
            add_log(logs, count, by, hybrid ? EVENT_WORD_HYBRID : EVENT_WORD_PAID);
        add_topic(log, payout->payout_id);
        add_topic(log, referrer);
        log->data = amounts(arena, paid, payout->sge, hybrid);
    }
    if (record->usdc_owed > 0) {
        struct sge none = {0};
        struct event_log *log = add_log(logs, count, by, EVENT_WORD_OWED);
        add_topic(log, payout->payout_id);
        add_topic(log, referrer);
        log->data = amounts(arena, record->usdc_owed, none, true);
    }
}

static void log_record(struct event_log *logs, size_t *count, const struct record *record,
                       const struct contracts *contracts, struct arena *arena)
{
    struct event_log *log;
    switch (record->kind) {
    case RECORD_PAYOUT:
        log_payout(logs, count, record, &contracts->payout, arena);
        return;
    case RECORD_PAYOUT_SKIPPED:
        log = add_log(logs, count, &contracts->payout, EVENT_WORD_SKIPPED);
        add_topic(log, record->payout.payout_id);
        log->data = reason_word(arena, record->reason);
        return;
    case RECORD_REFERRED:
    case RECORD_REFERRAL_SKIPPED:
        log = add_log(logs, count, &contracts->registry,
                      record->kind == RECORD_REFERRED ? EVENT_WORD_REFERRED
                                                      : EVENT_WORD_REFERRAL_SKIPPED);
        add_topic(log, topic_of(&record->child));
        add_topic(log, topic_of(&record->referrer));
        if (record->kind == RECORD_REFERRAL_SKIPPED)
            log->data = reason_word(arena, record->reason);
        return;
    case RECORD_MINTED:
        log = add_log(logs, count, &contracts->identity, EVENT_WORD_TRANSFER);
        add_topic(log, (struct hash32){{0}});
        add_topic(log, topic_of(&record->child));
        add_topic(log, topic_of(&record->child));
        return;
    }
}

void contract_logs(struct event_log **ret_logs, size_t *ret_count, const struct tree *tree,
                   const struct contracts *contracts, const struct landing *inclusion,
                   struct arena *arena)
{
    size_t count = 0, room = inclusion->records_count * LOGS_PER_RECORD_MAX + 1;
    struct event_log *logs = arena_alloc_array(arena, room, sizeof *logs);
    must(logs != NULL);
    for (size_t i = 0; i < inclusion->records_count; i++)
        log_record(logs, &count, tree_record(tree, (int32_t)(inclusion->first_record + i)),
                   contracts, arena);
    *ret_logs = logs;
    *ret_count = count;
}
