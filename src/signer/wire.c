// SPDX-License-Identifier: Apache-2.0
// The socket pair between parent and signer, buffered both ways.
#include "signer/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool send_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        size -= (size_t)sent;
    }
    return true;
}

bool wire_flush(struct wire *wire)
{
    size_t size = wire->out_size;
    wire->out_size = 0;
    return send_all(wire->fd, wire->out, size);
}

bool wire_write(struct wire *wire, const void *data, size_t size)
{
    if (size > sizeof wire->out - wire->out_size && !wire_flush(wire))
        return false;
    if (size > sizeof wire->out)
        return send_all(wire->fd, data, size);
    if (size > 0)
        memcpy(wire->out + wire->out_size, data, size);
    wire->out_size += size;
    return true;
}

static bool fill(struct wire *wire)
{
    ssize_t got;
    while ((got = recv(wire->fd, wire->in, sizeof wire->in, 0)) < 0 && errno == EINTR)
        continue;
    if (got <= 0)
        return false;
    wire->in_start = 0;
    wire->in_end = (size_t)got;
    return true;
}

bool wire_read(struct wire *wire, void *ret_data, size_t size)
{
    uint8_t *out = ret_data;
    while (size > 0) {
        if (wire->in_start == wire->in_end && !fill(wire))
            return false;
        size_t ready = wire->in_end - wire->in_start;
        size_t part = ready < size ? ready : size;
        memcpy(out, wire->in + wire->in_start, part);
        wire->in_start += part;
        out += part;
        size -= part;
    }
    return true;
}

static void split(uint64_t out[2], struct wei amount)
{
    uint128_t whole = wei_units(amount);
    out[0] = (uint64_t)whole;
    out[1] = (uint64_t)(whole >> 64);
}

static bool join(struct wei *ret_amount, const uint64_t in[2])
{
    return wei_from_units(ret_amount, (uint128_t)in[1] << 64 | in[0]);
}

void wire_request_from(struct wire_request *ret_message, const struct sign_request *request)
{
    const struct transaction *transaction = &request->transaction;
    struct wire_request message = {
        .chain_id = transaction->chain_id,
        .nonce = transaction->nonce,
        .gas_limit = transaction->gas_limit,
        .lane = request->lane,
        .to = transaction->to,
        .data_size = (uint32_t)transaction->data.size,
        .type = (uint8_t)transaction->type,
        .creates_contract = transaction->creates_contract,
        .has_access_list = transaction->access_list_count != 0,
    };
    split(message.max_fee, transaction->max_fee);
    split(message.max_priority_fee, transaction->max_priority_fee);
    u256_to_bytes(message.value, transaction->value);
    *ret_message = message;
}

bool wire_request_to(struct transaction *ret_transaction, const struct wire_request *message,
                     struct bytes data)
{
    struct transaction transaction = {
        .type = (enum tx_type)message->type,
        .chain_id = message->chain_id,
        .nonce = message->nonce,
        .gas_limit = message->gas_limit,
        .creates_contract = message->creates_contract != 0,
        .to = message->to,
        .value = u256_from_bytes(message->value),
        .data = data,
    };
    // The list itself does not travel: the policy refuses all of them.
    if (message->has_access_list != 0 || message->type > TX_DYNAMIC_FEE ||
        !join(&transaction.max_fee, message->max_fee) ||
        !join(&transaction.max_priority_fee, message->max_priority_fee))
        return false;
    *ret_transaction = transaction;
    return true;
}
