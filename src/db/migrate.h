// SPDX-License-Identifier: Apache-2.0
// Migrations: numbered scripts built into the binary, each applied once, in one transaction.
#pragma once

#include "db/db.h"

struct db_migration {
    int64_t number; // from 1, without gaps
    const char *name;
    const char *sql;
};

// Written by tools/embed-sql from migrations/*.sql.
extern const struct db_migration db_migrations[];
extern const size_t db_migrations_count;

// The newest schema this binary knows.
int64_t db_schema_latest(void);
// The database's schema, 0 where it has none. In the open transaction.
MUST_USE enum status db_schema_version(struct db *db, int64_t *ret_version);
// Applies what is missing, outside a transaction. STATUS_CONFLICT: the schema is newer than this
// binary; nothing was done.
MUST_USE enum status db_migrate(struct db *db, int *ret_applied);
