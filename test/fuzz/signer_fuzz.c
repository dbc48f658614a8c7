// SPDX-License-Identifier: Apache-2.0
// The signer's door: requests cross the wire unchanged whatever the pieces they come in, and the
// policy passes only what its rules, written a second time, allow.
#include "fuzz.h"

#include "eth/keccak.h"
#include "signer/policy.h"
#include "signer/wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHAIN_ID  31337
#define GAS_MAX   16777216
#define PIECE_MAX 4096

static const struct address contracts[] = {{{1}}, {{2}}, {{3}}};

static bool selector_is(struct bytes data, const char *signature)
{
    struct hash32 hash = keccak256_text(signature);
    return memcmp(data.data, hash.bytes, 4) == 0;
}

static bool is_our_call(const struct transaction *transaction)
{
    static const char *const calls[3][3] = {
        {"registerReferral(address,address)", "registerReferrals((address,address)[])",
         "registerReferral(address,address)"},
        {"payAffiliateUSDC(bytes32,address,address,uint256)",
         "payAffiliateHybrid(bytes32,address,address,uint256,uint256)",
         "payAffiliates((bytes32,address,address,uint256,uint256)[])"},
        {"mint(address)", "mintBatch(address[])", "mint(address)"}};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3 && address_equal(&transaction->to, &contracts[i]); k++)
            if (transaction->data.size >= 4 && selector_is(transaction->data, calls[i][k]))
                return true;
    return false;
}

static bool is_allowed(const struct transaction *transaction, const struct address *lane,
                       const struct signer_policy *policy)
{
    bool filler = transaction->data.size == 0 && address_equal(&transaction->to, lane);
    return transaction->chain_id == CHAIN_ID && !transaction->creates_contract &&
           (transaction->type == TX_LEGACY || transaction->type == TX_DYNAMIC_FEE) &&
           u256_is_zero(transaction->value) && transaction->access_list_count == 0 &&
           wei_compare(transaction->max_fee, policy->max_fee) <= 0 &&
           wei_compare(transaction->max_priority_fee, transaction->max_fee) <= 0 &&
           transaction->gas_limit > 0 && transaction->gas_limit <= GAS_MAX &&
           (filler || is_our_call(transaction));
}

// Nudges towards what is allowed: a byte says which fields are left as the input has them.
static void steer(struct wire_request *message, uint8_t keep)
{
    if (!(keep & 1))
        message->chain_id = CHAIN_ID;
    if (!(keep & 2))
        memset(message->value, 0, sizeof message->value);
    if (!(keep & 4)) {
        memset(message->max_fee, 0, sizeof message->max_fee);
        memset(message->max_priority_fee, 0, sizeof message->max_priority_fee);
    }
    if (!(keep & 8))
        message->gas_limit %= 2 * GAS_MAX;
    if (!(keep & 16))
        message->to = contracts[message->to.bytes[0] % 3];
    if (!(keep & 32))
        message->creates_contract = message->has_access_list = message->zero = 0;
    if (!(keep & 64))
        message->type %= 3;
}

static void check_policy(struct fuzz_input input)
{
    struct wire_request message, again;
    struct sign_request request = {.lane = {{9}}};
    struct signer_policy policy = {.chain_id = CHAIN_ID, .gas_limit_max = GAS_MAX};
    uint8_t keep = fuzz_byte(&input);
    memcpy(policy.contracts, contracts, sizeof contracts);
    MUST(wei_from_units(&policy.max_fee, 1000000));
    fuzz_fill(&input, &message, sizeof message);
    steer(&message, keep);
    if (!wire_request_to(&request.transaction, &message, input.rest))
        return;
    request.lane = message.lane;
    wire_request_from(&again, &request);
    again.data_size = message.data_size;
    message.zero = again.zero;
    message.creates_contract = !!message.creates_contract;
    MUST(memcmp(&again, &message, sizeof message) == 0);
    bool passed = policy_check(&policy, &request.lane, &request.transaction) == REFUSAL_NONE;
    MUST(passed == is_allowed(&request.transaction, &request.lane, &policy));
}

static struct wire *wire_on(int fd)
{
    struct wire *wire = calloc(1, sizeof *wire);
    if (!wire)
        abort();
    wire->fd = fd;
    return wire;
}

// Written in pieces of some sizes, read in pieces of others: the same bytes, then the end.
static void check_pieces(struct fuzz_input input)
{
    int fds[2];
    uint64_t write_size = 1 + fuzz_u64(&input) % PIECE_MAX;
    uint64_t read_size = 1 + fuzz_u64(&input) % PIECE_MAX;
    uint8_t piece[PIECE_MAX];
    struct bytes data = input.rest;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        abort();
    struct wire *out = wire_on(fds[0]);
    struct wire *in = wire_on(fds[1]);
    for (size_t at = 0; at < data.size; at += write_size)
        MUST(wire_write(out, data.data + at,
                        data.size - at < write_size ? data.size - at : write_size));
    MUST(wire_flush(out));
    close(fds[0]);
    size_t at = 0;
    for (; data.size - at >= read_size; at += read_size) {
        MUST(wire_read(in, piece, read_size));
        MUST(memcmp(piece, data.data + at, read_size) == 0);
    }
    MUST(!wire_read(in, piece, read_size)); // less than a piece is left, and then nothing
    close(fds[1]);
    free(out);
    free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = fuzz_input(data, size);
    if (fuzz_byte(&input) == 'p')
        check_pieces(input);
    else
        check_policy(input);
    return 0;
}
