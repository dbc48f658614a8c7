// SPDX-License-Identifier: Apache-2.0
// Addresses, hashes and money as parameters and columns.
#include "store/rows.h"

#include <string.h>

static void bind_or_null(struct db_query *query, int position, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != 0) {
            db_bind_blob(query, position, (struct bytes){data, size});
            return;
        }
    }
    db_bind_null(query, position);
}

void bind_address(struct db_query *query, int position, const struct address *address)
{
    bind_or_null(query, position, address->bytes, sizeof address->bytes);
}

void bind_hash(struct db_query *query, int position, const struct hash32 *hash)
{
    bind_or_null(query, position, hash->bytes, sizeof hash->bytes);
}

void bind_trace(struct db_query *query, int position, const uint8_t trace[16])
{
    bind_or_null(query, position, trace, 16);
}

void bind_usdc(struct db_query *query, int position, struct usdc amount)
{
    db_bind_int(query, position, usdc_units(amount));
}

void bind_sge(struct db_query *query, int position, char text[SGE_TEXT_SIZE], struct sge amount)
{
    sge_format_units(text, amount);
    db_bind_text(query, position, text);
}

void bind_wei(struct db_query *query, int position, char text[WEI_TEXT_SIZE], struct wei amount)
{
    wei_format_units(text, amount);
    db_bind_text(query, position, text);
}

struct usdc rows_read_usdc(struct db_query *query, const char *name)
{
    struct usdc amount;
    memset(&amount, 0, sizeof amount);
    if (!usdc_from_units(&amount, db_read_int(query, name)))
        db_fault(query);
    return amount;
}

struct sge rows_read_sge(struct db_query *query, const char *name)
{
    struct sge amount;
    memset(&amount, 0, sizeof amount);
    if (!sge_parse_units(&amount, db_read_text(query, name)))
        db_fault(query);
    return amount;
}

struct wei rows_read_wei(struct db_query *query, const char *name)
{
    struct wei amount;
    memset(&amount, 0, sizeof amount);
    if (!wei_parse_units(&amount, db_read_text(query, name)))
        db_fault(query);
    return amount;
}
