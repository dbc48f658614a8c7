// SPDX-License-Identifier: Apache-2.0
// The table of settings: their only definition.
#include "base/settings.h"

#define GWEI_PER_SETTING_MAX 1000000
#define TEXT(n, def, h)                                                                            \
    {                                                                                              \
        .name = n, .type = SETTING_TEXT, .fallback = def, .help = h                                \
    }
#define SECRET(n, h)                                                                               \
    {                                                                                              \
        .name = n, .type = SETTING_TEXT, .secret = true, .help = h                                 \
    }
#define ADDRESS(n, h)                                                                              \
    {                                                                                              \
        .name = n, .type = SETTING_ADDRESS, .help = h                                              \
    }
#define CHOICE(n, words, def, h)                                                                   \
    {                                                                                              \
        .name = n, .type = SETTING_CHOICE, .choices = words, .fallback = def, .help = h            \
    }
#define INTEGER(n, min, max, def, h)                                                               \
    {                                                                                              \
        .name = n, .type = SETTING_INTEGER, .minimum = min, .maximum = max, .fallback = def,       \
        .help = h                                                                                  \
    }
#define GWEI(n, def, h)                                                                            \
    {                                                                                              \
        .name = n, .type = SETTING_GWEI, .maximum = GWEI_PER_SETTING_MAX, .fallback = def,         \
        .help = h                                                                                  \
    }

// EIP-2294: the largest chain id whose EIP-155 v fits everywhere.
#define CHAIN_ID_MAX INT64_C(9223372036854775771)

static const struct setting table[] = {
    ADDRESS("AFFILIATE_PAYOUT_ADDRESS", "Address of the AffiliatePayout contract."),
    ADDRESS("AFFILIATE_REGISTRY_ADDRESS", "Address of the AffiliateRegistry contract."),
    INTEGER("API_FAILED_AUTH_RATE_MAX", 1, 1000000, "20",
            "Failed authentications allowed per client address and second."),
    INTEGER("API_KEY_RATE_MAX", 1, 1000000, "5000", "Requests allowed per API key and second."),
    TEXT("API_LISTEN", "127.0.0.1:8080", "Address and port the API listens on; port 0 picks one."),
    INTEGER("API_THREADS", 2, 64, "2", "Threads that serve HTTP."),
    INTEGER("BATCH_GAS_MAX", 1000000, 16777216, "15000000",
            "Gas budget of one batch transaction; 16,777,216 is the protocol's cap."),
    INTEGER("BATCH_SIZE_MAX", 1, 500, "200", "Payouts that may share one transaction."),
    INTEGER("CHAIN_ID", 1, CHAIN_ID_MAX, NULL, "Chain id every endpoint must report."),
    SECRET("COINBASE_COMMERCE_WEBHOOK_SECRET",
           "Shared secret of Coinbase Commerce webhooks; several while rotating."),
    INTEGER("CONFIRMATIONS", 1, 1000, "12",
            "Blocks, the mined one included, until a payout is final under FINALITY=depth."),
    {.name = "ETH_RPC_HTTPS",
     .type = SETTING_URL_LIST,
     .minimum = 1,
     .maximum = 16,
     .secret = true,
     .help = "JSON-RPC endpoints, separated by commas; secret because such URLs carry keys."},
    CHOICE("FINALITY", "depth|safe|finalized", "depth",
           "What makes a block final: CONFIRMATIONS deep, or the chain's safe or finalized tag."),
    INTEGER("FINALITY_ENDPOINTS", 0, 16, "0",
            "Endpoints that must agree on what is final, and on every step back; 0: two where "
            "ETH_RPC_HTTPS names several, else one."),
    INTEGER("JOB_TRIES_MAX", 1, 100, "8", "Tries of one job before it is parked."),
    SECRET("KEYSTORE_PASSPHRASE", "Passphrase of the encrypted keystore."),
    TEXT("KEYSTORE_PATH", NULL, "Encrypted keystore (Web3 Secret Storage) of the relayer key."),
    INTEGER("LANE_WINDOW", 1, 4096, "16", "Nonces one wallet may have in flight."),
    CHOICE("LOG_FORMAT", "auto|text|json", "auto",
           "Form of log lines; auto is text on a terminal and JSON otherwise."),
    CHOICE("LOG_LEVEL", "debug|info|warn|error", "info", "Least level that is logged."),
    GWEI("MAX_FEE_PER_GAS_GWEI", "100", "Fee ceiling in gwei per gas; above it jobs are held."),
    GWEI("MAX_PRIORITY_FEE_PER_GAS_GWEI", "2", "Ceiling of the tip in gwei per gas."),
    SECRET("OUTBOUND_WEBHOOK_SECRET", "Secret (whsec_...) that signs webhooks to the merchant."),
    {.name = "OUTBOUND_WEBHOOK_URL",
     .type = SETTING_URL_LIST,
     .minimum = 1,
     .maximum = 1,
     .help = "Where webhooks to the merchant go; none are sent without it."},
    INTEGER("POLL_INTERVAL_MS", 10, 60000, "1000", "Longest pause of the relay loop."),
    TEXT("RELAYER_DB_PATH", "sluice.db", "SQLite database file."),
    SECRET("RELAYER_PRIVATE_KEY", "Reference to the relayer key: keystore:PATH, file:PATH or "
                                  "env:NAME; a raw hex key for development only."),
    INTEGER("RETRY_DELAY_MS", 10, 3600000, "1000", "Delay before the first retry of a job."),
    INTEGER("RETRY_DELAY_MS_MAX", 10, 86400000, "300000",
            "Longest delay between retries; the delay doubles up to it."),
    INTEGER("RPC_TIMEOUT_MS", 100, 120000, "10000", "Time one JSON-RPC request may take."),
    ADDRESS("SGE_IDENTITY_ADDRESS", "Address of the SGEIdentity contract; no minting without it."),
    ADDRESS("SGE_TOKEN_ADDRESS", "Address of the SGE token; no hybrid programs without it."),
    INTEGER("SHUTDOWN_TIMEOUT_MS", 100, 600000, "10000",
            "Time given to running requests and transactions when stopping."),
    SECRET("STANDARD_WEBHOOK_SECRET",
           "Secret (whsec_...) of Standard Webhooks; several, by space or comma, while rotating."),
    SECRET("STRIPE_WEBHOOK_SECRET",
           "Signing secret of Stripe webhooks; several, by space or comma, while rotating."),
    INTEGER("STUCK_AFTER_MS", 100, 86400000, "30000",
            "Age at which an unmined transaction is sent again with higher fees."),
    ADDRESS("USDC_ADDRESS", "Address of the USDC token."),
};

const struct setting *settings_table(size_t *ret_count)
{
    *ret_count = sizeof table / sizeof table[0];
    return table;
}
