// SPDX-License-Identifier: Apache-2.0
// Programs as rows. The writer keeps those it has read until somebody else writes.
#include "store/programs.h"

#include "store/program_rows.h"
#include "store/rows.h"

#include <string.h>

#define PROGRAM_COLUMNS                                                                            \
    "id, name, kind, payout_trigger, commission_bps, sge_rate, payout_max, hold_seconds, active,"  \
    " created_ms"

static void program_read(struct program *program, struct db_query *query)
{
    program->id = db_int(query, "id");
    db_copy(query, "name", program->name, sizeof program->name);
    if (!program_kind_from_number(&program->kind, db_int(query, "kind")) ||
        !program_trigger_from_number(&program->trigger, db_int(query, "payout_trigger")))
        db_fault(query);
    program->commission_bps = (uint32_t)db_int(query, "commission_bps");
    program->sge_rate = row_sge(query, "sge_rate");
    program->payout_max = row_usdc(query, "payout_max");
    program->hold_seconds = (int32_t)db_int(query, "hold_seconds");
    program->active = db_int(query, "active") != 0;
    program->created_ms = db_int(query, "created_ms");
}

// No payment may earn an amount that does not fit, see program_commission.
static bool program_is_valid(const struct program *program)
{
    struct usdc largest, usdc;
    struct sge sge;
    if (program->commission_bps < 1 || program->commission_bps > BPS_PER_WHOLE ||
        program->hold_seconds < 0 || !program_name_is_valid(program->name))
        return false;
    return usdc_from_units(&largest, INT64_MAX) &&
           program_commission(&usdc, &sge, program, largest);
}

static enum status programs_count(struct store_tx *tx, int64_t *ret_count)
{
    static const struct db_statement count = {"programs count",
                                              "SELECT COUNT(*) AS n FROM programs"};
    struct db_query *query = tx_query(tx, &count);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        *ret_count = db_int(query, "n");
    return db_done(query, status);
}

static enum status program_add(struct store_tx *tx, int64_t *ret_id, const struct program *program)
{
    static const struct db_statement insert = {
        "program insert", "INSERT INTO programs (" PROGRAM_COLUMNS ") VALUES ($1, $2, $3, $4, $5,"
                          " $6, $7, $8, $9, $10)"};
    int64_t id;
    enum status status = tx_new_id(tx, &id, ID_PROGRAMS);
    if (status != STATUS_OK)
        return status;
    char rate[SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &insert);
    db_bind_int(query, 1, id);
    db_bind_text(query, 2, program->name);
    db_bind_int(query, 3, program->kind);
    db_bind_int(query, 4, program->trigger);
    db_bind_int(query, 5, program->commission_bps);
    bind_sge(query, 6, rate, program->sge_rate);
    bind_usdc(query, 7, program->payout_max);
    db_bind_int(query, 8, program->hold_seconds);
    db_bind_int(query, 9, program->active);
    db_bind_int(query, 10, tx->now_ms);
    status = db_execute(query, NULL);
    if (status == STATUS_OK)
        *ret_id = id;
    return status;
}

enum status program_insert(struct store_tx *tx, int64_t *ret_id, bool *ret_created,
                           const struct program *program)
{
    tx_require_writable(tx);
    struct program existing;
    int64_t count = 0;
    if (!program_is_valid(program))
        return STATUS_INVALID;
    enum status status = program_by_name(tx, &existing, program->name);
    if (status == STATUS_OK) {
        *ret_id = existing.id;
        *ret_created = false;
        return STATUS_OK;
    }
    if (status == STATUS_NOT_FOUND)
        status = programs_count(tx, &count);
    if (status != STATUS_OK)
        return status;
    if (count >= PROGRAMS_MAX)
        return STATUS_LIMIT;
    status = program_add(tx, ret_id, program);
    if (status == STATUS_OK)
        *ret_created = true;
    return status;
}

static enum status program_find(struct program *ret_program, struct db_query *query)
{
    struct program program;
    memset(&program, 0, sizeof program);
    enum status status = db_next(query);
    if (status == STATUS_OK)
        program_read(&program, query);
    status = db_done(query, status);
    if (status == STATUS_OK)
        *ret_program = program;
    return status;
}

enum status program_by_name(struct store_tx *tx, struct program *ret_program, const char *name)
{
    static const struct db_statement find = {"program by name", "SELECT " PROGRAM_COLUMNS
                                                                " FROM programs WHERE name = $1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_text(query, 1, name);
    return program_find(ret_program, query);
}

enum status program_by_id(struct store_tx *tx, struct program *ret_program, int64_t id)
{
    static const struct db_statement find = {"program by id", "SELECT " PROGRAM_COLUMNS
                                                              " FROM programs WHERE id = $1"};
    struct db_query *query = tx_query(tx, &find);
    db_bind_int(query, 1, id);
    return program_find(ret_program, query);
}

enum status program_cached(struct store_tx *tx, const struct program **ret_program, int64_t id,
                           const char *name)
{
    tx_require_writable(tx);
    struct writer_cache *cache = tx->cache;
    for (size_t i = 0; i < cache->programs_count; i++) {
        struct program *program = &cache->programs[i];
        if (name != NULL ? strcmp(program->name, name) == 0 : program->id == id) {
            *ret_program = program;
            return STATUS_OK;
        }
    }
    struct program found;
    enum status status =
        name != NULL ? program_by_name(tx, &found, name) : program_by_id(tx, &found, id);
    if (status != STATUS_OK)
        return status;
    if (cache->programs_count == PROGRAMS_CACHED_MAX)
        cache->programs_count = 0;
    cache->programs[cache->programs_count] = found;
    *ret_program = &cache->programs[cache->programs_count++];
    return STATUS_OK;
}

enum status program_list(struct store_tx *tx, struct program **ret_programs, size_t *ret_count,
                         struct arena *arena)
{
    static const struct db_statement list_all = {"programs", "SELECT " PROGRAM_COLUMNS
                                                             " FROM programs ORDER BY name"};
    struct tx_list list = {0};
    struct db_query *query = tx_query(tx, &list_all);
    enum status status;
    while ((status = db_next(query)) == STATUS_OK) {
        struct program *program = tx_list_add(&list, arena, sizeof *program);
        if (program == NULL) {
            status = STATUS_NO_MEMORY;
            break;
        }
        program_read(program, query);
    }
    status = db_done_list(query, status);
    if (status != STATUS_OK)
        return status;
    *ret_programs = list.items;
    *ret_count = list.count;
    return STATUS_OK;
}

enum status program_update(struct store_tx *tx, const struct program *program)
{
    static const struct db_statement update = {
        "program update",
        "UPDATE programs SET payout_trigger = $2, commission_bps = $3, sge_rate = $4,"
        " payout_max = $5, hold_seconds = $6, active = $7 WHERE id = $1"};
    tx_require_writable(tx);
    if (!program_is_valid(program))
        return STATUS_INVALID;
    tx->cache->programs_count = 0;
    char rate[SGE_TEXT_SIZE];
    struct db_query *query = tx_query(tx, &update);
    db_bind_int(query, 1, program->id);
    db_bind_int(query, 2, program->trigger);
    db_bind_int(query, 3, program->commission_bps);
    bind_sge(query, 4, rate, program->sge_rate);
    bind_usdc(query, 5, program->payout_max);
    db_bind_int(query, 6, program->hold_seconds);
    db_bind_int(query, 7, program->active);
    int64_t changes;
    enum status status = db_execute(query, &changes);
    return status == STATUS_OK && changes == 0 ? STATUS_NOT_FOUND : status;
}
