// SPDX-License-Identifier: Apache-2.0
// What parent and signer say to each other over their socket pair, and the buffered reading and
// writing of it. Both ends are one binary on one machine: structs travel as they are.
//
//   child:   wire_hello once
//   parent:  wire_batch, then per transaction a wire_request and its data
//   child:   wire_reply; where it is STATUS_OK, then one wire_signature per transaction
//
// Anything else ends the conversation.
#pragma once

#include "signer/signer.h"

#include <assert.h>

#define WIRE_BUFFER_BYTES 65536

struct wire_hello {
    uint32_t status; // enum status: how the child's own setting up went
    uint32_t count;
    struct address lanes[SIGNER_LANES_MAX];
};

struct wire_batch {
    uint32_t count;
};

struct wire_request {
    uint64_t chain_id, nonce, gas_limit;
    uint64_t max_fee[2], max_priority_fee[2]; // low, high
    uint8_t value[32];
    struct address lane, to;
    uint32_t data_size;
    uint8_t type, creates_contract, has_access_list, zero;
};
static_assert(sizeof(struct wire_request) == 136, "no padding: it would carry stray memory");

struct wire_reply {
    uint32_t status;
};

struct wire_signature {
    struct hash32 digest; // what the child made of the request and signed
    struct eth_signature signature;
};
static_assert(sizeof(struct wire_signature) == 97, "no padding");

struct wire {
    int fd;
    size_t out_size;
    size_t in_start, in_end;
    uint8_t out[WIRE_BUFFER_BYTES];
    uint8_t in[WIRE_BUFFER_BYTES];
};

// False when the other side is gone or does not answer within the socket's time-out.
MUST_USE bool wire_write(struct wire *wire, const void *data, size_t size);
MUST_USE bool wire_flush(struct wire *wire);
MUST_USE bool wire_read(struct wire *wire, void *ret_data, size_t size);

void wire_request_from(struct wire_request *ret_message, const struct sign_request *request);
// False on numbers that no transaction of ours can hold. data is borrowed.
MUST_USE bool wire_request_to(struct transaction *ret_transaction,
                              const struct wire_request *message, struct bytes data);
