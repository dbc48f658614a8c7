// SPDX-License-Identifier: Apache-2.0
// The ABI: readers never leave their data, calls are encoded as they read back, events decode only
// from their one canonical form, revert data becomes one printable line.
#include "fuzz.h"

#include "eth/contracts_table.h"
#include "eth/keccak.h"

#include <string.h>

#define WORD      32
#define CALLS_MAX 8

static void check_words(struct bytes data)
{
    struct u256 value;
    struct bytes inner;
    struct address address;
    uint64_t small;
    bool flag;
    for (size_t i = 0; i <= data.size / WORD + 1 && i < 8; i++) {
        MUST(abi_read_u256(&value, data, i) == (i < data.size / WORD));
        if (abi_read_address(&address, data, i))
            MUST(u256_bit_length(value) <= 160);
        if (abi_read_u64(&small, data, i))
            MUST(u256_bit_length(value) <= 64);
        if (abi_read_bool(&flag, data, i))
            MUST(u256_bit_length(value) <= 1 && flag == !u256_is_zero(value));
        if (abi_read_dynamic(&inner, data, i))
            MUST(inner.data >= data.data && inner.size <= data.size &&
                 inner.data + inner.size <= data.data + data.size);
    }
    MUST(!abi_read_u256(&value, data, SIZE_MAX));
}

static void check_outcomes(struct bytes data)
{
    enum payout_outcome outcomes[CALLS_MAX];
    for (size_t count = 0; count <= CALLS_MAX; count++) {
        if (!read_payout_outcomes(outcomes, count, data))
            continue;
        MUST(data.size >= (count + 2) * WORD);
        for (size_t i = 0; i < count; i++)
            MUST(outcomes[i] >= PAYOUT_SKIPPED && outcomes[i] <= PAYOUT_OWED);
    }
}

static struct payout_call take_payout(struct fuzz_input *input)
{
    struct payout_call payout = {.usdc = {0}};
    fuzz_fill(input, payout.payout_id.bytes, sizeof payout.payout_id.bytes);
    fuzz_fill(input, payout.child.bytes, sizeof payout.child.bytes);
    fuzz_fill(input, payout.referrer.bytes, sizeof payout.referrer.bytes);
    MUST(usdc_from_units(&payout.usdc, (int64_t)(fuzz_u64(input) >> 1)));
    MUST(sge_from_units(&payout.sge, (uint128_t)(fuzz_u64(input) >> 1) << 64 | fuzz_u64(input)));
    return payout;
}

static void must_read_back(const struct payout_call *payout, struct bytes words, size_t first)
{
    struct address child, referrer;
    uint64_t usdc;
    struct u256 sge;
    uint128_t units;
    MUST(memcmp(words.data + first * WORD, payout->payout_id.bytes, WORD) == 0);
    MUST(abi_read_address(&child, words, first + 1) && address_equal(&child, &payout->child));
    MUST(abi_read_address(&referrer, words, first + 2) &&
         address_equal(&referrer, &payout->referrer));
    MUST(abi_read_u64(&usdc, words, first + 3) && (int64_t)usdc == usdc_units(payout->usdc));
    MUST(abi_read_u256(&sge, words, first + 4) && u256_to_u128(&units, sge) &&
         units == sge_units(payout->sge));
}

static void check_calls(struct fuzz_input input)
{
    struct payout_call payouts[CALLS_MAX];
    struct bytes data;
    size_t count = fuzz_byte(&input) % (CALLS_MAX + 1);
    uint64_t length;
    for (size_t i = 0; i < count; i++)
        payouts[i] = take_payout(&input);
    MUST(call_pay_affiliates(&data, fuzz_arena(), payouts, count));
    MUST(data.size == 4 + (2 + 5 * count) * WORD);
    struct bytes words = {data.data + 4, data.size - 4};
    MUST(abi_read_u64(&length, words, 1) && length == count);
    for (size_t i = 0; i < count; i++)
        must_read_back(&payouts[i], words, 2 + 5 * i);
}

static const struct {
    enum event_kind kind;
    const char *signature;
    size_t topics, words;
} events[] = {
#define EVENT_ROW(kind, signature, topics, words) {kind, signature, topics, words},
    EVENT_TABLE(EVENT_ROW)
#undef EVENT_ROW
};

static void put_address(uint8_t word[WORD], const struct address *address)
{
    memset(word, 0, WORD);
    memcpy(word + WORD - sizeof address->bytes, address->bytes, sizeof address->bytes);
}

static void put_number(uint8_t word[WORD], uint128_t number)
{
    u256_to_bytes(word, u256_from_u128(number));
}

// The log that the chain writes for this event; what is not decoded stays as it is.
static void encode_event(struct event_log *log, uint8_t *data, const struct contract_event *event)
{
    bool payout = event->kind == EVENT_AFFILIATE_PAID || event->kind == EVENT_PAYOUT_OWED;
    if (event->kind == EVENT_REFERRAL_REGISTERED || event->kind == EVENT_REFERRAL_SKIPPED) {
        put_address(log->topics[1].bytes, &event->referral.child);
        put_address(log->topics[2].bytes, &event->referral.referrer);
    } else if (event->kind == EVENT_IDENTITY_MINTED) {
        memset(log->topics[1].bytes, 0, WORD);
        put_address(log->topics[2].bytes, &event->wallet);
    } else {
        log->topics[1] = event->payout.payout_id;
    }
    if (event->kind == EVENT_REFERRAL_SKIPPED || event->kind == EVENT_PAYOUT_SKIPPED) {
        memset(data, 0, WORD);
        memcpy(data, event->reason, sizeof event->reason);
    }
    if (payout) {
        put_address(log->topics[2].bytes, &event->payout.referrer);
        put_number(data, (uint128_t)usdc_units(event->payout.usdc));
        if (log->data.size > WORD)
            put_number(data + WORD, sge_units(event->payout.sge));
    }
}

static bool names_kind(const struct hash32 *topic, enum event_kind kind)
{
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        struct hash32 hash = keccak256_text(events[i].signature);
        if (events[i].kind == kind && hash32_equal(&hash, topic))
            return true;
    }
    return false;
}

static void check_event(struct fuzz_input input)
{
    uint8_t data[3 * WORD];
    uint8_t again[3 * WORD];
    size_t row = fuzz_byte(&input) % (sizeof events / sizeof events[0]);
    uint8_t change = fuzz_byte(&input);
    struct event_log log = {.topics_count = events[row].topics, .data = {data, 0}};
    log.data.size = events[row].words * WORD;
    for (size_t i = 0; i < log.topics_count; i++)
        fuzz_fill(&input, log.topics[i].bytes, WORD);
    fuzz_fill(&input, data, sizeof data);
    if (change != 1)
        log.topics[0] = keccak256_text(events[row].signature);
    if (change == 2)
        log.topics_count = fuzz_byte(&input) % 5;
    if (change == 3)
        log.data.size = fuzz_byte(&input) % sizeof data;
    struct contract_event event = event_decode(&log);
    if (event.kind == EVENT_OTHER)
        return;
    MUST(names_kind(&log.topics[0], event.kind));
    struct event_log copy = log;
    memcpy(again, data, sizeof again);
    encode_event(&copy, again, &event);
    MUST(memcmp(&copy.topics, &log.topics, sizeof log.topics) == 0);
    MUST(memcmp(again, data, log.data.size) == 0);
}

static void check_revert(struct bytes data)
{
    struct revert revert = revert_decode(data);
    MUST(memchr(revert.text, '\0', sizeof revert.text) && fuzz_is_printable(revert.text));
    MUST((revert.cause == REVERT_EMPTY) == (data.size == 0));
    MUST(revert_cause_text(revert.cause)[0] != '\0');
    if (data.size < 4) {
        MUST(revert.cause == REVERT_EMPTY || revert.cause == REVERT_UNKNOWN);
        return;
    }
    enum revert_cause cause = revert_cause_of_selector(data.data);
    MUST(revert.cause == cause || cause == REVERT_MESSAGE);
    struct hash32 paid = keccak256_text("AlreadyPaid(bytes32)");
    MUST((revert.cause == REVERT_ALREADY_PAID) == (memcmp(paid.bytes, data.data, 4) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    switch (fuzz_byte(&input)) {
    case 'c':
        check_calls(input);
        break;
    case 'e':
        check_event(input);
        break;
    case 'r':
        check_revert(input.rest);
        break;
    default:
        check_words(input.rest);
        check_outcomes(input.rest);
    }
    return 0;
}
