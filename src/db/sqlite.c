// SPDX-License-Identifier: Apache-2.0
// The SQLite engine: WAL, synchronous=FULL, checkpoints only when asked for.
#include "db/driver.h"

#include <sqlite3.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct connection {
    sqlite3 *sqlite;
    sqlite3_stmt *begin_write, *begin_read, *touch, *commit, *rollback, *version;
    int64_t log_pages;
};

struct statement {
    sqlite3_stmt *sqlite;
    struct connection *connection;
    int indexes[DB_PARAMETERS_MAX + 1]; // of $n: SQLite numbers names by first appearance
};

static enum status status_of_constraint(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return STATUS_EXISTS;
    }
    return STATUS_INVALID;
}

static enum status status_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
        return STATUS_OK;
    case SQLITE_DONE:
        return STATUS_NOT_FOUND;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_BUSY;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
        return STATUS_IO;
    case SQLITE_CONSTRAINT:
        return status_of_constraint(result);
    case SQLITE_NOMEM:
        return STATUS_NO_MEMORY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return STATUS_DENIED;
    case SQLITE_TOOBIG:
        return STATUS_LIMIT;
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
        return STATUS_STOPPED;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        fprintf(stderr, "db: sqlite misuse (%d)\n", result);
        abort();
    }
    return STATUS_CORRUPT; // CORRUPT, NOTADB, and SQL that the schema does not bear out
}

static int64_t stat_size(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? (int64_t)facts.st_size : -1;
}

static int on_commit(void *context, sqlite3 *sqlite, const char *schema, int pages)
{
    (void)sqlite;
    (void)schema;
    ((struct connection *)context)->log_pages = pages;
    return SQLITE_OK;
}

static enum status configure(struct connection *connection, const struct db_options *options)
{
    char pragmas[400];
    snprintf(pragmas, sizeof pragmas,
             "PRAGMA busy_timeout=%d;%s PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
             "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY;"
             "PRAGMA cell_size_check=ON;"
             "PRAGMA query_only=%d;",
             options->busy_ms_max, options->mode == DB_CREATE ? " PRAGMA journal_mode=WAL;" : "",
             options->cache_kib, options->mode == DB_READ);
    int result = sqlite3_exec(connection->sqlite, pragmas, NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return status_of(result);
    sqlite3_wal_hook(connection->sqlite, on_commit, connection);
    return STATUS_OK;
}

static enum status prepare_own(struct connection *connection)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } rows[] = {
        {&connection->begin_write, "BEGIN IMMEDIATE"},
        {&connection->begin_read, "BEGIN"},
        {&connection->touch, "SELECT 1 FROM sqlite_schema LIMIT 1"},
        {&connection->commit, "COMMIT"},
        {&connection->rollback, "ROLLBACK"},
        {&connection->version, "PRAGMA data_version"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int result = sqlite3_prepare_v3(connection->sqlite, rows[i].sql, -1,
                                        SQLITE_PREPARE_PERSISTENT, rows[i].statement, NULL);
        if (result != SQLITE_OK)
            return status_of(result);
    }
    return STATUS_OK;
}

static void close_connection(void *context)
{
    struct connection *connection = context;
    sqlite3_finalize(connection->begin_write);
    sqlite3_finalize(connection->begin_read);
    sqlite3_finalize(connection->touch);
    sqlite3_finalize(connection->commit);
    sqlite3_finalize(connection->rollback);
    sqlite3_finalize(connection->version);
    sqlite3_close(connection->sqlite);
    free(connection);
}

static int open_flags(enum db_mode mode)
{
    switch (mode) {
    case DB_CREATE:
        return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    case DB_WRITE:
        return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    case DB_READ:
        return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    }
    abort();
}

// Without SQLite's own memory statistics: they take a lock of the process in every allocation.
// Where somebody has started SQLite before us it stays as it is.
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// A new database is its owner's alone; the log and the shared memory beside it take after it. What
// is wrong with the path SQLite finds and words itself.
static void create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static enum status open_connection(void **ret_connection, const struct db_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    if (options->mode != DB_CREATE && stat_size(options->target) < 0 && errno == ENOENT)
        return STATUS_NOT_FOUND;
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        return STATUS_NO_MEMORY;
    if (options->mode == DB_CREATE)
        create_private(options->target);
    enum status status = status_of(
        sqlite3_open_v2(options->target, &connection->sqlite, open_flags(options->mode), NULL));
    if (status == STATUS_OK) {
        sqlite3_extended_result_codes(connection->sqlite, 1);
        status = configure(connection, options);
    }
    if (status == STATUS_OK)
        status = prepare_own(connection);
    if (status != STATUS_OK) {
        close_connection(connection);
        return status;
    }
    *ret_connection = connection;
    return STATUS_OK;
}

static enum status run(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? STATUS_OK : status_of(result);
}

static void rollback_transaction(void *context)
{
    struct connection *connection = context;
    // After some failures SQLite has rolled back by itself.
    if (!sqlite3_get_autocommit(connection->sqlite))
        (void)run(connection->rollback);
}

// Reads something: SQLite takes its snapshot at the first read.
static enum status touch(sqlite3_stmt *statement)
{
    enum status status = status_of(sqlite3_step(statement));
    sqlite3_reset(statement);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status begin_transaction(void *context, bool write)
{
    struct connection *connection = context;
    if (write)
        return run(connection->begin_write);
    enum status status = run(connection->begin_read);
    if (status == STATUS_OK)
        status = touch(connection->touch);
    if (status != STATUS_OK)
        rollback_transaction(connection);
    return status;
}

static enum status commit_transaction(void *context)
{
    struct connection *connection = context;
    // A transaction SQLite rolled back by itself must not look committed.
    if (sqlite3_get_autocommit(connection->sqlite))
        return STATUS_IO;
    return run(connection->commit);
}

static enum status run_script(void *context, const char *sql)
{
    struct connection *connection = context;
    return status_of(sqlite3_exec(connection->sqlite, sql, NULL, NULL, NULL));
}

static enum status has_table(void *context, bool *ret_exists, const char *name)
{
    struct connection *connection = context;
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(connection->sqlite,
                                    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
                                    -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        return status_of(result);
    *ret_exists = result == SQLITE_ROW;
    return STATUS_OK;
}

static enum status data_version(void *context, int64_t *ret_version)
{
    struct connection *connection = context;
    int result = sqlite3_step(connection->version);
    if (result == SQLITE_ROW)
        *ret_version = sqlite3_column_int64(connection->version, 0);
    sqlite3_reset(connection->version);
    return status_of(result);
}

// SQLite empties the log without a flush. A log that comes back after a power cut is replayed;
// where a flush had failed, what comes back is shorter than what the main file was brought up to.
static int flush_log(sqlite3 *sqlite)
{
    sqlite3_file *log = NULL;
    int result = sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log);
    if (result != SQLITE_OK || log == NULL || log->pMethods == NULL)
        return result;
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

static enum status checkpoint(void *context, int64_t *ret_left, bool truncate)
{
    struct connection *connection = context;
    int in_log = 0, moved = 0;
    int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int result = sqlite3_wal_checkpoint_v2(connection->sqlite, NULL, mode, &in_log, &moved);
    if (result == SQLITE_OK && truncate)
        result = flush_log(connection->sqlite);
    if (result != SQLITE_OK)
        return status_of(result);
    *ret_left = in_log > moved ? in_log - moved : 0;
    return STATUS_OK;
}

static int64_t log_pages(const void *context)
{
    const struct connection *connection = context;
    return connection->log_pages;
}

static void finalize(void *context)
{
    struct statement *statement = context;
    sqlite3_finalize(statement->sqlite);
    free(statement);
}

// Placeholders are $1, $2, ...; where each stands is found by that name.
static int find_parameters(struct statement *statement)
{
    int count = sqlite3_bind_parameter_count(statement->sqlite);
    if (count > DB_PARAMETERS_MAX)
        abort();
    for (int position = 1; position <= count; position++) {
        char name[8];
        snprintf(name, sizeof name, "$%d", position);
        statement->indexes[position] = sqlite3_bind_parameter_index(statement->sqlite, name);
        if (statement->indexes[position] == 0)
            abort(); // a gap in the numbers
    }
    return count;
}

static enum status prepare(void **ret_statement, int *ret_parameters, void *context,
                           const char *sql)
{
    struct statement *statement = calloc(1, sizeof *statement);
    if (statement == NULL)
        return STATUS_NO_MEMORY;
    statement->connection = context;
    int result = sqlite3_prepare_v3(statement->connection->sqlite, sql, -1,
                                    SQLITE_PREPARE_PERSISTENT, &statement->sqlite, NULL);
    if (result != SQLITE_OK) {
        finalize(statement);
        return status_of(result);
    }
    *ret_parameters = find_parameters(statement);
    *ret_statement = statement;
    return STATUS_OK;
}

static enum status bind_null(void *context, int position)
{
    struct statement *statement = context;
    return status_of(sqlite3_bind_null(statement->sqlite, statement->indexes[position]));
}

static enum status bind_int(void *context, int position, int64_t value)
{
    struct statement *statement = context;
    return status_of(sqlite3_bind_int64(statement->sqlite, statement->indexes[position], value));
}

static enum status bind_text(void *context, int position, struct bytes text)
{
    struct statement *statement = context;
    return status_of(sqlite3_bind_text64(statement->sqlite, statement->indexes[position],
                                         (const char *)text.data, text.size, SQLITE_STATIC,
                                         SQLITE_UTF8));
}

static enum status bind_blob(void *context, int position, struct bytes blob)
{
    struct statement *statement = context;
    int index = statement->indexes[position];
    if (blob.size == 0) // a NULL pointer would be a null
        return status_of(sqlite3_bind_zeroblob(statement->sqlite, index, 0));
    return status_of(
        sqlite3_bind_blob64(statement->sqlite, index, blob.data, blob.size, SQLITE_STATIC));
}

static enum status step(void *context)
{
    struct statement *statement = context;
    return status_of(sqlite3_step(statement->sqlite));
}

static int64_t changes(void *context)
{
    struct statement *statement = context;
    return sqlite3_changes64(statement->connection->sqlite);
}

static void reset(void *context)
{
    struct statement *statement = context;
    sqlite3_reset(statement->sqlite);
    sqlite3_clear_bindings(statement->sqlite);
}

static int column_find(void *context, const char *name)
{
    struct statement *statement = context;
    int count = sqlite3_column_count(statement->sqlite);
    for (int column = 0; column < count; column++)
        if (sqlite3_stricmp(sqlite3_column_name(statement->sqlite, column), name) == 0)
            return column;
    return -1;
}

static enum db_type column_type(void *context, int column)
{
    struct statement *statement = context;
    switch (sqlite3_column_type(statement->sqlite, column)) {
    case SQLITE_INTEGER:
        return DB_INTEGER;
    case SQLITE_TEXT:
        return DB_TEXT;
    case SQLITE_BLOB:
        return DB_BLOB;
    case SQLITE_NULL:
        return DB_NULL;
    }
    return DB_OTHER;
}

static int64_t column_int(void *context, int column)
{
    struct statement *statement = context;
    return sqlite3_column_int64(statement->sqlite, column);
}

static struct bytes column_bytes(void *context, int column)
{
    struct statement *statement = context;
    if (sqlite3_column_type(statement->sqlite, column) == SQLITE_TEXT) {
        const uint8_t *text = sqlite3_column_text(statement->sqlite, column);
        return (struct bytes){text, (size_t)sqlite3_column_bytes(statement->sqlite, column)};
    }
    const uint8_t *data = sqlite3_column_blob(statement->sqlite, column);
    return (struct bytes){data, (size_t)sqlite3_column_bytes(statement->sqlite, column)};
}

const struct db_driver db_sqlite = {
    .name = "sqlite",
    .dialect = {.id = "INTEGER PRIMARY KEY", .bytes = "BLOB", .clustered = "WITHOUT ROWID"},
    .open = open_connection,
    .close = close_connection,
    .begin = begin_transaction,
    .commit = commit_transaction,
    .rollback = rollback_transaction,
    .script = run_script,
    .has_table = has_table,
    .data_version = data_version,
    .checkpoint = checkpoint,
    .log_pages = log_pages,
    .prepare = prepare,
    .finalize = finalize,
    .bind_null = bind_null,
    .bind_int = bind_int,
    .bind_text = bind_text,
    .bind_blob = bind_blob,
    .step = step,
    .changes = changes,
    .reset = reset,
    .column_find = column_find,
    .column_type = column_type,
    .column_int = column_int,
    .column_bytes = column_bytes,
};
