// SPDX-License-Identifier: Apache-2.0
// Receipt logs into events of our contracts.
#include "eth/contracts_table.h"
#include "eth/keccak.h"

#include <pthread.h>
#include <string.h>

struct event_row {
    enum event_kind kind;
    const char *signature;
    size_t topics;
    size_t words;
};

static const struct event_row rows[] = {
#define EVENT_ROW(kind, signature, topics, words) {kind, signature, topics, words},
    EVENT_TABLE(EVENT_ROW)
#undef EVENT_ROW
};

#define ROWS_COUNT (sizeof rows / sizeof rows[0])

static struct hash32 hashes[ROWS_COUNT];
static pthread_once_t hashes_made = PTHREAD_ONCE_INIT;

static void make_hashes(void)
{
    for (size_t i = 0; i < ROWS_COUNT; i++)
        hashes[i] = keccak256_text(rows[i].signature);
}

// By hash and shape: an ERC-20 Transfer has the hash of an ERC-721 one, but a topic less.
static enum event_kind find_kind(const struct event_log *log)
{
    pthread_once(&hashes_made, make_hashes);
    for (size_t i = 0; i < ROWS_COUNT; i++) {
        if (log->topics_count == rows[i].topics && log->data.size == rows[i].words * 32 &&
            hash32_equal(&log->topics[0], &hashes[i]))
            return rows[i].kind;
    }
    return EVENT_OTHER;
}

static bool read_topic(struct address *ret_address, const struct event_log *log, size_t index)
{
    struct bytes topic = {log->topics[index].bytes, sizeof log->topics[index].bytes};
    return abi_read_address(ret_address, topic, 0);
}

static bool read_usdc(struct usdc *ret_amount, struct bytes data, size_t index)
{
    uint64_t units;
    return abi_read_u64(&units, data, index) && units <= INT64_MAX &&
           usdc_from_units(ret_amount, (int64_t)units);
}

static bool read_sge(struct sge *ret_amount, struct bytes data, size_t index)
{
    struct u256 value;
    uint128_t units;
    return abi_read_u256(&value, data, index) && u256_to_u128(&units, value) &&
           sge_from_units(ret_amount, units);
}

// A payout of USDC alone has one word of data, and its SGE stays zero.
static bool read_payout(struct payout_call *payout, const struct event_log *log)
{
    payout->payout_id = log->topics[1];
    return read_topic(&payout->referrer, log, 2) && read_usdc(&payout->usdc, log->data, 0) &&
           (log->data.size == 32 || read_sge(&payout->sge, log->data, 1));
}

static bool read_referral(struct referral_call *referral, const struct event_log *log)
{
    return read_topic(&referral->child, log, 1) && read_topic(&referral->referrer, log, 2);
}

// A bytes4 stands at the left of its word.
static bool read_reason(uint8_t reason[4], struct bytes data)
{
    static const uint8_t padding[28];
    if (memcmp(data.data + 4, padding, sizeof padding) != 0)
        return false;
    memcpy(reason, data.data, 4);
    return true;
}

static bool read_minted(struct contract_event *event, const struct event_log *log)
{
    return hash32_is_zero(&log->topics[1]) && read_topic(&event->wallet, log, 2);
}

static bool read_event(struct contract_event *event, const struct event_log *log)
{
    switch (event->kind) {
    case EVENT_OTHER:
        return true;
    case EVENT_REFERRAL_REGISTERED:
        return read_referral(&event->referral, log);
    case EVENT_REFERRAL_SKIPPED:
        return read_referral(&event->referral, log) && read_reason(event->reason, log->data);
    case EVENT_AFFILIATE_PAID:
    case EVENT_PAYOUT_OWED:
        return read_payout(&event->payout, log);
    case EVENT_PAYOUT_SKIPPED:
        event->payout.payout_id = log->topics[1];
        return read_reason(event->reason, log->data);
    case EVENT_IDENTITY_MINTED:
        return read_minted(event, log);
    }
    return false;
}

struct contract_event event_decode(const struct event_log *log)
{
    struct contract_event event = {.kind = find_kind(log)};
    if (!read_event(&event, log))
        return (struct contract_event){.kind = EVENT_OTHER};
    return event;
}
