// SPDX-License-Identifier: Apache-2.0
// Connections over any engine: transaction discipline, the statement cache, typed columns by name.
#include "db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE   256 // slots of the statement table, a power of two above DB_STATEMENTS_MAX
#define COLUMN_SLOTS 128 // slots of a column table, a power of two above DB_COLUMNS_MAX

struct column_slot {
    const char *name; // the literal's address is the key
    int column;
};

struct db_query {
    struct db *db;
    const struct db_statement *statement;
    void *native; // NULL: could not be prepared
    int parameters;
    uint64_t bound; // bit n: parameter n was given
    bool running;
    enum status status; // of preparing, binding or reading
    unsigned columns;
    struct column_slot slots[COLUMN_SLOTS];
};

enum transaction { OUTSIDE, READING, WRITING };

struct db {
    const struct db_driver *driver;
    void *connection;
    enum transaction transaction;
    enum status failure;
    unsigned statements;
    struct db_query *queries[TABLE_SIZE];
    struct db_query void_query; // stands for every query there was no memory for
};

static _Noreturn void misuse(const char *what, const char *name)
{
    fprintf(stderr, "db: %s: %s\n", what, name);
    abort();
}

static void require(bool holds, const char *what, const char *name)
{
    if (!holds)
        misuse(what, name);
}

static enum status note(struct db *db, enum status status)
{
    if (status != STATUS_OK && status != STATUS_NOT_FOUND && status != STATUS_EXISTS &&
        db->failure == STATUS_OK)
        db->failure = status;
    return status;
}

enum status db_open(struct db **ret_db, const struct db_driver *driver,
                    const struct db_options *options)
{
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return STATUS_NO_MEMORY;
    db->driver = driver;
    enum status status = driver->open(&db->connection, options);
    if (status != STATUS_OK) {
        free(db);
        return status;
    }
    *ret_db = db;
    return STATUS_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    db_rollback(db);
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        if (db->queries[i] == NULL)
            continue;
        if (db->queries[i]->native != NULL)
            db->driver->finalize(db->queries[i]->native);
        free(db->queries[i]);
    }
    db->driver->close(db->connection);
    free(db);
}

const struct db_dialect *db_dialect(const struct db *db)
{
    return &db->driver->dialect;
}

static enum status begin(struct db *db, bool write)
{
    require(db->transaction == OUTSIDE, "begin inside a transaction", db->driver->name);
    enum status status = db->driver->begin(db->connection, write);
    if (status == STATUS_OK) {
        db->transaction = write ? WRITING : READING;
        db->failure = STATUS_OK;
    }
    return status;
}

enum status db_begin_write(struct db *db)
{
    return begin(db, true);
}

enum status db_begin_read(struct db *db)
{
    return begin(db, false);
}

static void require_idle(const struct db *db)
{
    for (size_t i = 0; i < TABLE_SIZE; i++)
        if (db->queries[i] != NULL && db->queries[i]->running)
            misuse("commit with a query running", db->queries[i]->statement->name);
}

enum status db_commit(struct db *db)
{
    require(db->transaction != OUTSIDE, "commit outside a transaction", db->driver->name);
    require_idle(db);
    enum status status = db->failure;
    if (status == STATUS_OK)
        status = db->driver->commit(db->connection);
    if (status != STATUS_OK)
        db->driver->rollback(db->connection);
    db->transaction = OUTSIDE;
    db->failure = STATUS_OK;
    return status;
}

static void finish(struct db_query *query)
{
    if (query == &query->db->void_query)
        return; // may stand for several at once
    if (query->running && query->native != NULL)
        query->db->driver->reset(query->native);
    query->running = false;
    query->bound = 0;
}

void db_rollback(struct db *db)
{
    if (db->transaction == OUTSIDE)
        return;
    for (size_t i = 0; i < TABLE_SIZE; i++)
        if (db->queries[i] != NULL)
            finish(db->queries[i]);
    db->driver->rollback(db->connection);
    db->transaction = OUTSIDE;
    db->failure = STATUS_OK;
}

enum status db_failure(const struct db *db)
{
    return db->failure;
}

void db_spoil(struct db *db, enum status status)
{
    require(db->transaction != OUTSIDE, "spoil outside a transaction", status_text(status));
    if (db->failure == STATUS_OK)
        db->failure = status;
}

static size_t slot_of(const void *key, size_t table_size)
{
    uint64_t mixed = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;
    return (size_t)(mixed >> 32) & (table_size - 1);
}

static struct db_query *query_new(struct db *db, const struct db_statement *statement)
{
    require(db->statements < DB_STATEMENTS_MAX, "too many statements", statement->name);
    struct db_query *query = calloc(1, sizeof *query);
    if (query == NULL)
        return NULL;
    query->db = db;
    query->statement = statement;
    db->statements++;
    return query;
}

// NULL: no memory.
static struct db_query *query_find(struct db *db, const struct db_statement *statement)
{
    size_t slot = slot_of(statement, TABLE_SIZE);
    while (db->queries[slot] != NULL && db->queries[slot]->statement != statement)
        slot = (slot + 1) & (TABLE_SIZE - 1);
    if (db->queries[slot] == NULL)
        db->queries[slot] = query_new(db, statement);
    return db->queries[slot];
}

static struct db_query *query_void(struct db *db, const struct db_statement *statement)
{
    db->void_query = (struct db_query){
        .db = db, .statement = statement, .running = true, .status = STATUS_NO_MEMORY};
    return &db->void_query;
}

struct db_query *db_query(struct db *db, const struct db_statement *statement)
{
    require(db->transaction != OUTSIDE, "statement outside a transaction", statement->name);
    struct db_query *query = query_find(db, statement);
    if (query == NULL)
        return query_void(db, statement);
    require(!query->running, "query is running already", statement->name);
    query->running = true;
    query->bound = 0;
    query->status = STATUS_OK;
    if (query->native == NULL)
        query->status =
            db->driver->prepare(&query->native, &query->parameters, db->connection, statement->sql);
    return query;
}

// Where the query has not failed yet: checks the position and marks it as given.
static bool may_bind(struct db_query *query, int position)
{
    require(query->running, "bind to a finished query", query->statement->name);
    if (query->status != STATUS_OK)
        return false;
    require(position >= 1 && position <= query->parameters, "no such parameter",
            query->statement->name);
    query->bound |= UINT64_C(1) << position;
    return true;
}

void db_bind_null(struct db_query *query, int position)
{
    if (may_bind(query, position))
        query->status = query->db->driver->bind_null(query->native, position);
}

void db_bind_int(struct db_query *query, int position, int64_t value)
{
    if (may_bind(query, position))
        query->status = query->db->driver->bind_int(query->native, position, value);
}

void db_bind_text(struct db_query *query, int position, const char *text)
{
    if (may_bind(query, position))
        query->status = query->db->driver->bind_text(query->native, position, bytes_of_text(text));
}

void db_bind_blob(struct db_query *query, int position, struct bytes blob)
{
    if (may_bind(query, position))
        query->status = query->db->driver->bind_blob(query->native, position, blob);
}

enum status db_next(struct db_query *query)
{
    require(query->running, "step of a finished query", query->statement->name);
    if (query->status != STATUS_OK)
        return note(query->db, query->status);
    uint64_t all = ((UINT64_C(1) << query->parameters) - 1) << 1;
    require(query->bound == all, "a parameter was not given", query->statement->name);
    return note(query->db, query->db->driver->step(query->native));
}

enum status db_done(struct db_query *query, enum status status)
{
    finish(query);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status = query->status != STATUS_OK ? query->status : status;
    return note(query->db, status);
}

enum status db_done_list(struct db_query *query, enum status status)
{
    status = db_done(query, status);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status db_execute(struct db_query *query, int64_t *ret_changes)
{
    enum status status = db_next(query);
    require(status != STATUS_OK, "execute of a statement with rows", query->statement->name);
    if (status == STATUS_NOT_FOUND && ret_changes != NULL)
        *ret_changes = query->db->driver->changes(query->native);
    return db_done_list(query, status);
}

static int column_search(struct db_query *query, struct column_slot *slot, const char *name)
{
    int column = query->db->driver->column_find(query->native, name);
    require(column >= 0, "no such column", name);
    require(query->columns < DB_COLUMNS_MAX, "too many columns", name);
    query->columns++;
    *slot = (struct column_slot){name, column};
    return column;
}

// One compare of addresses in the common case: literals keep theirs.
static int column_of(struct db_query *query, const char *name)
{
    require(query->running, "column of a finished query", query->statement->name);
    size_t slot = slot_of(name, COLUMN_SLOTS);
    while (query->slots[slot].name != NULL) {
        if (query->slots[slot].name == name)
            return query->slots[slot].column;
        slot = (slot + 1) & (COLUMN_SLOTS - 1);
    }
    return column_search(query, &query->slots[slot], name);
}

void db_fault(struct db_query *query)
{
    if (query->status == STATUS_OK)
        query->status = STATUS_CORRUPT;
}

// The column, or -1 after noting a fault where its type is another.
static int typed(struct db_query *query, const char *name, enum db_type type)
{
    int column = column_of(query, name);
    if (query->db->driver->column_type(query->native, column) == type)
        return column;
    db_fault(query);
    return -1;
}

int64_t db_read_int(struct db_query *query, const char *name)
{
    int column = typed(query, name, DB_INTEGER);
    return column < 0 ? 0 : query->db->driver->column_int(query->native, column);
}

bool db_read_is_null(struct db_query *query, const char *name)
{
    return query->db->driver->column_type(query->native, column_of(query, name)) == DB_NULL;
}

const char *db_read_text(struct db_query *query, const char *name)
{
    int column = typed(query, name, DB_TEXT);
    if (column < 0)
        return "";
    const void *text = query->db->driver->column_bytes(query->native, column).data;
    if (text == NULL)
        db_fault(query);
    return text == NULL ? "" : text;
}

struct bytes db_read_blob(struct db_query *query, const char *name)
{
    int column = typed(query, name, DB_BLOB);
    if (column < 0)
        return (struct bytes){NULL, 0};
    return query->db->driver->column_bytes(query->native, column);
}

void db_read_copy(struct db_query *query, const char *name, char *out, size_t size)
{
    const char *text = db_read_text(query, name);
    size_t length = strnlen(text, size);
    if (length == size) {
        db_fault(query);
        length = 0;
    }
    memcpy(out, text, length);
    out[length] = '\0';
}

void db_read_fill(struct db_query *query, const char *name, void *out, size_t size)
{
    memset(out, 0, size);
    if (db_read_is_null(query, name))
        return;
    struct bytes blob = db_read_blob(query, name);
    if (blob.size == size && blob.data != NULL)
        memcpy(out, blob.data, size);
    else
        db_fault(query);
}

enum status db_script(struct db *db, const char *sql)
{
    require(db->transaction == WRITING, "script outside a write transaction", db->driver->name);
    return note(db, db->driver->script(db->connection, sql));
}

enum status db_has_table(struct db *db, bool *ret_exists, const char *name)
{
    require(db->transaction != OUTSIDE, "look-up outside a transaction", name);
    return note(db, db->driver->has_table(db->connection, ret_exists, name));
}

enum status db_data_version(struct db *db, int64_t *ret_version)
{
    require(db->transaction != OUTSIDE, "version outside a transaction", db->driver->name);
    return note(db, db->driver->data_version(db->connection, ret_version));
}

enum status db_checkpoint(struct db *db, int64_t *ret_left, bool truncate)
{
    require(db->transaction == OUTSIDE, "checkpoint inside a transaction", db->driver->name);
    return db->driver->checkpoint(db->connection, ret_left, truncate);
}

int64_t db_log_pages(const struct db *db)
{
    return db->driver->log_pages(db->connection);
}
