// SPDX-License-Identifier: Apache-2.0
// Outcomes shared by every layer: one ordered list of named facts.
//
// A function with one cause of failure returns bool, with several returns enum status. Domains
// whose outcomes carry more meaning (RPC error classes, API problems) have their own enum in their
// own layer and never squeeze it into this one.
//
// Argument order, everywhere in src/: the object, then outputs named ret_*, then inputs; a length
// follows its array. Outputs are written on success only, whole or not at all. Misuse by our own
// code aborts; only what the world can get wrong is a return value.
#pragma once

#include <stdbool.h>

#define MUST_USE __attribute__((warn_unused_result))

// name, text, transient (the same call may succeed later with nothing changed by us)
#define STATUS_TABLE(X)                                                                            \
    X(STATUS_OK, "ok", false)                                                                      \
    X(STATUS_INVALID, "invalid", false)         /* the input breaks a stated rule */               \
    X(STATUS_NOT_FOUND, "not_found", false)     /* no such thing */                                \
    X(STATUS_EXISTS, "exists", false)           /* the thing is there already */                   \
    X(STATUS_CONFLICT, "conflict", false)       /* the state is not the one expected */            \
    X(STATUS_DENIED, "denied", false)           /* not allowed to this caller */                   \
    X(STATUS_LIMIT, "limit", false)             /* a named limit was reached */                    \
    X(STATUS_UNSUPPORTED, "unsupported", false) /* not built in, or not offered by this engine */  \
    X(STATUS_CORRUPT, "corrupt", false)         /* stored or received bytes make no sense */       \
    X(STATUS_UNAVAILABLE, "unavailable", true)  /* the other side did not take the request */      \
    X(STATUS_TIMEOUT, "timeout", true)          /* outcome unknown: it may have happened */        \
    X(STATUS_BUSY, "busy", true)                /* somebody else holds it now */                   \
    X(STATUS_STOPPED, "stopped", true)          /* we are shutting down */                         \
    X(STATUS_IO, "io", false)                   /* disk or file failed */                          \
    X(STATUS_NO_MEMORY, "no_memory", true)      /* allocation failed */

enum status {
#define STATUS_ENUM(name, text, transient) name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

// The outcome's stable text, e.g. "not_found". Never NULL.
const char *status_text(enum status status);

// True where the same call may succeed later with nothing changed by us.
bool status_is_transient(enum status status);
