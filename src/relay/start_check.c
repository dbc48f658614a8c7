// SPDX-License-Identifier: Apache-2.0
// The chain id of every endpoint, and code at every configured address.
#include "relay/start_check.h"

#include "base/log.h"

struct chain *start_open_chain(const struct relay_options *options, const char *const *urls,
                               size_t count)
{
    struct chain_options chain = {.urls = urls,
                                  .urls_count = count,
                                  .chain_id = options->chain_id,
                                  .timeout_ms = options->rpc_timeout_ms,
                                  .clock = options->clock};
    return chain_open(&chain);
}

// STATUS_OK where it answers with our chain id.
static enum status check_endpoint(const struct relay_options *options, size_t index)
{
    struct chain *chain = start_open_chain(options, &options->urls[index], 1);
    if (chain == NULL)
        return STATUS_NO_MEMORY;
    uint64_t id;
    enum status status = chain->ops->chain_id(chain, &id);
    chain_close(chain);
    if (status != STATUS_OK)
        return status;
    if (id == options->chain_id)
        return STATUS_OK;
    log_error("an endpoint serves another chain", {"endpoint", LOG_INT(index)},
              {"its_chain_id", LOG_INT(id)}, {"ours", LOG_INT(options->chain_id)});
    return STATUS_CONFLICT;
}

static enum status check_endpoints(const struct relay_options *options)
{
    size_t answers = 0;
    for (size_t i = 0; i < options->urls_count; i++) {
        enum status status = check_endpoint(options, i);
        if (status == STATUS_CONFLICT || status == STATUS_NO_MEMORY)
            return status;
        answers += status == STATUS_OK;
    }
    return answers > 0 ? STATUS_OK : STATUS_UNAVAILABLE;
}

// A call to an address without code succeeds and does nothing.
static enum status check_contracts(const struct relay_options *options, struct chain *chain)
{
    const struct address *contracts[] = {&options->registry, &options->payout, &options->identity};
    for (size_t i = 0; i < sizeof contracts / sizeof contracts[0]; i++) {
        if (address_is_zero(contracts[i]))
            continue;
        bool has_code;
        enum status status = chain->ops->has_code(chain, &has_code, contracts[i]);
        if (status != STATUS_OK)
            return status;
        if (has_code)
            continue;
        log_error("there is no contract at a configured address",
                  {"address", LOG_BYTES(contracts[i]->bytes, 20)});
        return STATUS_NOT_FOUND;
    }
    return STATUS_OK;
}

enum status start_check(const struct relay_options *options)
{
    enum status status = check_endpoints(options);
    if (status != STATUS_OK)
        return status;
    struct chain *chain = start_open_chain(options, options->urls, options->urls_count);
    if (chain == NULL)
        return STATUS_NO_MEMORY;
    status = check_contracts(options, chain);
    chain_close(chain);
    return status == STATUS_CORRUPT ? STATUS_UNAVAILABLE : status;
}
