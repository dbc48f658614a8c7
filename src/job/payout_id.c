// SPDX-License-Identifier: Apache-2.0
// Payout ids: the ABI encodings of payout_id.h, laid out by hand and hashed.
#include "job/payout_id.h"

#include "eth/keccak.h"

#include <string.h>

#define WORD_SIZE 32

// An address is a word with twelve zero bytes in front.
static void put_address(uint8_t word[WORD_SIZE], const struct address *address)
{
    memset(word, 0, WORD_SIZE - sizeof address->bytes);
    memcpy(word + WORD_SIZE - sizeof address->bytes, address->bytes, sizeof address->bytes);
}

static void put_u64(uint8_t word[WORD_SIZE], uint64_t value)
{
    memset(word, 0, WORD_SIZE);
    for (int i = 0; i < 8; i++)
        word[WORD_SIZE - 1 - i] = (uint8_t)(value >> (8 * i));
}

static struct hash32 payout_id(const struct payout_domain *domain, const char *program_name,
                               const struct hash32 *business_key)
{
    uint8_t words[4 * WORD_SIZE];
    struct hash32 program = keccak256_text(program_name);
    put_u64(words, domain->chain_id);
    put_address(words + WORD_SIZE, &domain->payout_contract);
    memcpy(words + 2 * WORD_SIZE, program.bytes, WORD_SIZE);
    memcpy(words + 3 * WORD_SIZE, business_key->bytes, WORD_SIZE);
    return keccak256((struct bytes){words, sizeof words});
}

struct hash32 payout_id_of_payment(const struct payout_domain *domain, const char *program_name,
                                   const char *payment_id)
{
    struct hash32 key = keccak256_text(payment_id);
    return payout_id(domain, program_name, &key);
}

struct hash32 payout_id_of_referral(const struct payout_domain *domain, const char *program_name,
                                    const struct address *child, const struct address *referrer)
{
    uint8_t words[2 * WORD_SIZE];
    put_address(words, child);
    put_address(words + WORD_SIZE, referrer);
    struct hash32 key = keccak256((struct bytes){words, sizeof words});
    return payout_id(domain, program_name, &key);
}
