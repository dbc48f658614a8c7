// SPDX-License-Identifier: Apache-2.0
// The SQL engine table: what an engine must offer. Used by src/db alone, and named at open.
//
// Values are text, blob, int64 and null only. Statuses: STATUS_EXISTS for a unique rule,
// STATUS_INVALID for any other constraint, STATUS_BUSY, STATUS_IO, STATUS_CORRUPT,
// STATUS_NO_MEMORY, STATUS_DENIED, STATUS_LIMIT, STATUS_STOPPED, STATUS_UNAVAILABLE.
#pragma once

#include "base/bytes.h"

enum db_mode {
    DB_CREATE, // write, and make the database where there is none
    DB_WRITE,
    DB_READ,
};

struct db_options {
    const char *target; // file or connection string
    enum db_mode mode;
    int busy_ms_max; // how long to wait for another process's lock
    int cache_kib;   // page cache of the connection
};

// What differs in table definitions; migrations write the word in @...@.
struct db_dialect {
    const char *id;        // @ID@: the type of an integer key that the table is kept in order of
    const char *bytes;     // @BYTES@: the type of a byte string
    const char *clustered; // @CLUSTERED@: after the bracket of a table kept in key order
};

enum db_type { DB_NULL, DB_INTEGER, DB_TEXT, DB_BLOB, DB_OTHER };

#define DB_PARAMETERS_MAX 40

// `connection` and `statement` are the engine's own.
struct db_driver {
    const char *name;
    struct db_dialect dialect;

    enum status (*open)(void **ret_connection, const struct db_options *options);
    void (*close)(void *connection);
    enum status (*begin)(void *connection, bool write);
    enum status (*commit)(void *connection);
    void (*rollback)(void *connection);
    enum status (*script)(void *connection, const char *sql);
    enum status (*has_table)(void *connection, bool *ret_exists, const char *name);
    enum status (*data_version)(void *connection, int64_t *ret_version);
    enum status (*checkpoint)(void *connection, int64_t *ret_left, bool truncate);
    int64_t (*log_pages)(const void *connection);

    // *ret_parameters: how many $n the statement has.
    enum status (*prepare)(void **ret_statement, int *ret_parameters, void *connection,
                           const char *sql);
    void (*finalize)(void *statement);
    enum status (*bind_null)(void *statement, int position);
    enum status (*bind_int)(void *statement, int position, int64_t value);
    enum status (*bind_text)(void *statement, int position, struct bytes text);
    enum status (*bind_blob)(void *statement, int position, struct bytes blob);
    enum status (*step)(void *statement); // OK: row; NOT_FOUND: end
    int64_t (*changes)(void *statement);
    void (*reset)(void *statement);                        // also forgets the parameters
    int (*column_find)(void *statement, const char *name); // -1: none
    enum db_type (*column_type)(void *statement, int column);
    int64_t (*column_int)(void *statement, int column);
    struct bytes (*column_bytes)(void *statement, int column); // text comes with a NUL behind it
};

extern const struct db_driver db_sqlite;
