// SPDX-License-Identifier: Apache-2.0
// Brings a database to the newest schema, one transaction for each step.
#include "db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t db_schema_latest(void)
{
    return db_migrations[db_migrations_count - 1].number;
}

// The version's own table: made before the first migration.
static const char meta_table[] =
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BIGINT NOT NULL)";

enum status db_schema_version(struct db *db, int64_t *ret_version)
{
    static const struct db_statement read = {
        "schema version", "SELECT value FROM meta WHERE name = 'schema_version'"};
    bool exists;
    enum status status = db_has_table(db, &exists, "meta");
    if (status != STATUS_OK)
        return status;
    int64_t version = 0;
    if (exists) {
        struct db_query *query = db_query(db, &read);
        status = db_next(query);
        if (status == STATUS_OK)
            version = db_int(query, "value");
        status = db_done_list(query, status);
    }
    if (status == STATUS_OK)
        *ret_version = version;
    return status;
}

// Copies the script with each @WORD@ replaced by the engine's own word.
static void substitute(FILE *out, const char *sql, const struct db_dialect *dialect)
{
    const struct {
        const char *word, *text;
    } rows[] = {
        {"@ID@", dialect->id}, {"@BYTES@", dialect->bytes}, {"@CLUSTERED@", dialect->clustered}};
    while (*sql != '\0') {
        size_t skip = 0;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0] && skip == 0; i++) {
            if (strncmp(sql, rows[i].word, strlen(rows[i].word)) != 0)
                continue;
            fputs(rows[i].text, out);
            skip = strlen(rows[i].word);
        }
        if (skip == 0)
            fputc(*sql++, out);
        sql += skip;
    }
}

static enum status run_script(struct db *db, const char *sql)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        return STATUS_NO_MEMORY;
    substitute(out, sql, db_dialect(db));
    enum status status = STATUS_NO_MEMORY;
    if (fclose(out) == 0 && text != NULL)
        status = db_script(db, text);
    free(text);
    return status;
}

static enum status set_version(struct db *db, int64_t version)
{
    static const struct db_statement write = {
        "schema version set", "INSERT INTO meta (name, value) VALUES ('schema_version', $1)"
                              " ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
    struct db_query *query = db_query(db, &write);
    db_bind_int(query, 1, version);
    return db_execute(query, NULL);
}

// In a write transaction: applies the next migration, if any. The version is read again under the
// lock, so that two processes migrating at once do each step once.
static enum status apply_next(struct db *db, bool *ret_applied)
{
    int64_t version;
    enum status status = db_schema_version(db, &version);
    if (status != STATUS_OK)
        return status;
    *ret_applied = version < db_schema_latest();
    if (version > db_schema_latest())
        return STATUS_CONFLICT;
    if (!*ret_applied)
        return STATUS_OK;
    status = db_script(db, meta_table);
    if (status == STATUS_OK)
        status = run_script(db, db_migrations[version].sql);
    return status == STATUS_OK ? set_version(db, db_migrations[version].number) : status;
}

enum status db_migrate(struct db *db, int *ret_applied)
{
    int applied = 0;
    for (bool more = true; more;) {
        enum status status = db_begin_write(db);
        if (status != STATUS_OK)
            return status;
        status = apply_next(db, &more);
        if (status == STATUS_OK)
            status = db_commit(db);
        db_rollback(db);
        if (status != STATUS_OK)
            return status;
        applied += more;
    }
    *ret_applied = applied;
    return STATUS_OK;
}
