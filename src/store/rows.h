// SPDX-License-Identifier: Apache-2.0
// Inside the store only: how domain types stand in columns and parameters.
#pragma once

#include "base/money.h"
#include "db/db.h"
#include "eth/address.h"

// Zero addresses and hashes are NULL.
void bind_address(struct db_query *query, int position, const struct address *address);
void bind_hash(struct db_query *query, int position, const struct hash32 *hash);
void bind_trace(struct db_query *query, int position, const uint8_t trace[16]);
void bind_usdc(struct db_query *query, int position, struct usdc amount);
// The text is written into `text`, which must live until the query is done.
void bind_sge(struct db_query *query, int position, char text[SGE_TEXT_SIZE], struct sge amount);
void bind_wei(struct db_query *query, int position, char text[WEI_TEXT_SIZE], struct wei amount);

#define row_address(query, name, address)                                                          \
    db_fill((query), name, (address)->bytes, sizeof(address)->bytes)
#define row_hash(query, name, hash) db_fill((query), name, (hash)->bytes, sizeof(hash)->bytes)
#define row_usdc(query, name)       rows_read_usdc((query), "" name)
#define row_sge(query, name)        rows_read_sge((query), "" name)
#define row_wei(query, name)        rows_read_wei((query), "" name)

struct usdc rows_read_usdc(struct db_query *query, const char *name);
struct sge rows_read_sge(struct db_query *query, const char *name);
struct wei rows_read_wei(struct db_query *query, const char *name);
