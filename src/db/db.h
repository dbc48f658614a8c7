// SPDX-License-Identifier: Apache-2.0
// SQL connections: transactions, statements prepared once, parameters by position, columns by name.
//
//   static const struct db_statement find = {"user find", "SELECT id FROM users WHERE wallet =
//   $1"}; struct db_query *query = db_query(db, &find); db_bind_blob(query, 1, wallet); enum status
//   status = db_next(query);            // OK: a row; NOT_FOUND: no more rows if (status ==
//   STATUS_OK)
//       id = db_int(query, "id");
//   return db_done(query, status);                  // a failure on the way comes out here
//
// A statement outside a transaction is a bug and aborts. Any failure but STATUS_EXISTS spoils the
// transaction: it can only be rolled back, whatever the code in between made of the status.
// Not thread-safe: a connection belongs to one thread at a time.
#pragma once

#include "base/arena.h"
#include "db/driver.h"

// A statement, static and const: its address is the key of the connection's cache.
struct db_statement {
    const char *name; // for errors
    const char *sql;  // parameters $1.. ; each is given before the statement runs
};

struct db;
struct db_query;

#define DB_STATEMENTS_MAX 192 // distinct statements per connection
#define DB_COLUMNS_MAX    64  // distinct column names read from one statement

// See driver.h for the options. STATUS_NOT_FOUND: no such database; STATUS_CORRUPT; STATUS_IO;
// STATUS_BUSY; STATUS_NO_MEMORY.
MUST_USE enum status db_open(struct db **ret_db, const struct db_driver *driver,
                             const struct db_options *options);
// Takes NULL. An open transaction is rolled back.
void db_close(struct db *db);
const struct db_dialect *db_dialect(const struct db *db);

// A write transaction (STATUS_BUSY where another process keeps it too long) or a read snapshot,
// taken at once.
MUST_USE enum status db_begin_write(struct db *db);
MUST_USE enum status db_begin_read(struct db *db);
// Durable on STATUS_OK. A spoiled transaction is rolled back and its failure returned.
MUST_USE enum status db_commit(struct db *db);
void db_rollback(struct db *db);
// What spoiled the open transaction; STATUS_OK where nothing did.
enum status db_failure(const struct db *db);

// Spoils the open transaction from outside: what was written makes no whole.
void db_spoil(struct db *db, enum status status);

// The statement, ready to be given its parameters. Never NULL: a failure to prepare comes out of
// db_next, db_execute and db_done. A query must be finished before it is asked for again.
struct db_query *db_query(struct db *db, const struct db_statement *statement);

// Position from 1. Text and blobs are borrowed until the query is done.
void db_bind_null(struct db_query *query, int position);
void db_bind_int(struct db_query *query, int position, int64_t value);
void db_bind_text(struct db_query *query, int position, const char *text);
void db_bind_blob(struct db_query *query, int position, struct bytes blob);

// STATUS_OK: a row stands ready; STATUS_NOT_FOUND: no more rows; anything else: the read failed.
MUST_USE enum status db_next(struct db_query *query);
// Finishes the query. Returns `status` where that is a failure or NOT_FOUND, else the fault found
// while its columns were read.
MUST_USE enum status db_done(struct db_query *query, enum status status);
// The same for a list, where STATUS_NOT_FOUND was the end of the rows.
MUST_USE enum status db_done_list(struct db_query *query, enum status status);
// Runs a statement without rows and finishes it. ret_changes may be NULL. STATUS_EXISTS: a unique
// rule refused it.
MUST_USE enum status db_execute(struct db_query *query, int64_t *ret_changes);

// Columns of the row by name; the name is a literal. A value of another type, or one the caller
// calls a fault, makes the query fail with STATUS_CORRUPT; the zero value is returned meanwhile.
#define db_int(query, name)           db_read_int((query), "" name)
#define db_is_null(query, name)       db_read_is_null((query), "" name)
#define db_text(query, name)          db_read_text((query), "" name)
#define db_blob(query, name)          db_read_blob((query), "" name)
#define db_copy(query, name, out, sz) db_read_copy((query), "" name, (out), (sz))
#define db_fill(query, name, out, sz) db_read_fill((query), "" name, (out), (sz))

int64_t db_read_int(struct db_query *query, const char *name);
bool db_read_is_null(struct db_query *query, const char *name);
// Borrowed until the next db_next or db_done.
const char *db_read_text(struct db_query *query, const char *name);
struct bytes db_read_blob(struct db_query *query, const char *name);
// Text into out (size bytes, NUL included); longer text is a fault.
void db_read_copy(struct db_query *query, const char *name, char *out, size_t size);
// A blob of exactly size bytes; NULL fills with zeros.
void db_read_fill(struct db_query *query, const char *name, void *out, size_t size);
// The row makes no sense to the caller.
void db_fault(struct db_query *query);

// Runs a script of several statements without parameters, in the open transaction.
MUST_USE enum status db_script(struct db *db, const char *sql);
MUST_USE enum status db_has_table(struct db *db, bool *ret_exists, const char *name);
// Changes whenever another connection has committed since; in the open transaction.
MUST_USE enum status db_data_version(struct db *db, int64_t *ret_version);

// Outside a transaction: moves the log into the main file. *ret_left is how many pages of the log
// could not be moved; `truncate` waits for readers and empties the log.
MUST_USE enum status db_checkpoint(struct db *db, int64_t *ret_left, bool truncate);
// Pages in the log after the last commit of this connection.
int64_t db_log_pages(const struct db *db);
