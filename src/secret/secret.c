// SPDX-License-Identifier: Apache-2.0
// Secret references: find the secret, make a key of it, and leave no other copy behind.
#include "secret/secret.h"

#include "base/hex.h"
#include "secret/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_FILE_BYTES_MAX 256 // one line

// Where the error goes. Its texts hold no part of the reference: a key written after the wrong
// prefix would otherwise show up as a path.
struct report {
    char *text;
    size_t size;
};

static enum status fail(const struct report *report, enum status status, const char *message)
{
    snprintf(report->text, report->size, "%s", message);
    return status;
}

static enum status fail_errno(const struct report *report, const char *kind, int error)
{
    snprintf(report->text, report->size, "%s: the file cannot be read: %s", kind, strerror(error));
    return error == ENOENT || error == ENOTDIR ? STATUS_NOT_FOUND : STATUS_IO;
}

static enum status key_from_text(struct eth_key *ret_key, const struct report *report,
                                 const char *text, const char *message)
{
    uint8_t secret[32];
    bool fine = hex_decode(secret, sizeof secret, text) && eth_key_from_secret(ret_key, secret);
    bytes_wipe(secret, sizeof secret);
    return fine ? STATUS_OK : fail(report, STATUS_INVALID, message);
}

// --- files ---

// A regular file's content with a NUL behind it, at most capacity - 1 bytes.
static enum status read_descriptor(char *ret_text, const struct report *report, const char *kind,
                                   int fd, size_t capacity)
{
    size_t size = 0;
    while (size < capacity) {
        ssize_t got = read(fd, ret_text + size, capacity - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(report, kind, errno);
        if (got == 0)
            break;
        size += (size_t)got;
    }
    if (size == capacity || memchr(ret_text, '\0', size) != NULL) {
        snprintf(report->text, report->size, "%s: the file is not what it should be", kind);
        return STATUS_INVALID;
    }
    ret_text[size] = '\0';
    return STATUS_OK;
}

// Others may never read it; the group may where it is not our own file (mounted by an orchestrator
// as root, readable through a group made for it).
static bool is_private(const struct stat *facts)
{
    if ((facts->st_mode & S_IRWXO) != 0)
        return false;
    return facts->st_uid != geteuid() || (facts->st_mode & S_IRWXG) == 0;
}

static enum status read_file(char *ret_text, const struct report *report, const char *kind,
                             const char *path, size_t capacity, bool must_be_private)
{
    struct stat facts;
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail_errno(report, kind, errno);
    enum status status = STATUS_OK;
    if (fstat(fd, &facts) != 0)
        status = fail_errno(report, kind, errno);
    else if (!S_ISREG(facts.st_mode))
        status = fail(report, STATUS_INVALID, "the reference is not to a regular file");
    else if (must_be_private && !is_private(&facts))
        status = fail(report, STATUS_DENIED, "file: open to others than its owner; chmod 600 it");
    else
        status = read_descriptor(ret_text, report, kind, fd, capacity);
    close(fd);
    return status;
}

// Takes off one line end.
static void trim_line(char *text)
{
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    if (size > 0 && text[size - 1] == '\r')
        text[--size] = '\0';
}

static enum status from_file(struct eth_key *ret_key, const struct report *report, const char *path)
{
    char text[SECRET_FILE_BYTES_MAX + 1];
    enum status status = read_file(text, report, "file", path, sizeof text, true);
    if (status == STATUS_OK) {
        trim_line(text);
        status = key_from_text(ret_key, report, text,
                               "file: its content is not a private key of 64 hex digits");
    }
    bytes_wipe(text, sizeof text);
    return status;
}

// --- keystores ---

static enum status explain_keystore(const struct report *report, enum status status)
{
    switch (status) {
    case STATUS_OK:
        return STATUS_OK;
    case STATUS_DENIED:
        return fail(report, STATUS_DENIED, "keystore: wrong passphrase");
    case STATUS_UNSUPPORTED:
        return fail(
            report, STATUS_INVALID,
            "keystore: only version 3 with aes-128-ctr and scrypt or pbkdf2 (hmac-sha256) is read");
    case STATUS_NO_MEMORY:
        return fail(report, STATUS_NO_MEMORY, "keystore: not enough memory to derive its key");
    case STATUS_INVALID:
    case STATUS_NOT_FOUND:
    case STATUS_EXISTS:
    case STATUS_CONFLICT:
    case STATUS_LIMIT:
    case STATUS_CORRUPT:
    case STATUS_UNAVAILABLE:
    case STATUS_TIMEOUT:
    case STATUS_BUSY:
    case STATUS_STOPPED:
    case STATUS_IO:
        break;
    }
    return fail(report, STATUS_INVALID,
                "keystore: not a Web3 Secret Storage file, or its costs are past the limits");
}

static enum status from_keystore(struct eth_key *ret_key, const struct report *report,
                                 const char *path, const char *passphrase)
{
    if (passphrase == NULL)
        return fail(report, STATUS_INVALID, "keystore: a passphrase is needed");
    size_t capacity = KEYSTORE_FILE_BYTES_MAX + 1;
    char *json = malloc(capacity);
    if (json == NULL)
        return fail(report, STATUS_NO_MEMORY, "keystore: memory is out");
    enum status status = read_file(json, report, "keystore", path, capacity, false);
    if (status == STATUS_OK)
        status = explain_keystore(report, keystore_decrypt(ret_key, json, passphrase));
    free(json);
    return status;
}

// --- environment ---

static enum status from_environment(struct eth_key *ret_key, const struct report *report,
                                    const char *name)
{
    if (name[0] == '\0' || strchr(name, '=') != NULL)
        return fail(report, STATUS_INVALID, "env: not the name of an environment variable");
    char *value = getenv(name);
    if (value == NULL)
        return fail(report, STATUS_NOT_FOUND, "env: the environment variable is not set");
    enum status status = key_from_text(ret_key, report, value,
                                       "env: the variable is not a private key of 64 hex digits");
    // Unsetting alone would leave it in /proc/PID/environ.
    bytes_wipe(value, strlen(value));
    unsetenv(name);
    return status;
}

static const char *after(const char *reference, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(reference, prefix, size) == 0 ? reference + size : NULL;
}

bool secret_is_raw(const char *reference)
{
    return after(reference, "0x") != NULL;
}

enum status secret_private_key(struct eth_key *ret_key, char *ret_error, size_t error_size,
                               const char *reference, const char *passphrase)
{
    const struct report report = {ret_error, error_size};
    const char *place;
    if (secret_is_raw(reference))
        return key_from_text(ret_key, &report, reference,
                             "raw key: not a private key of 0x and 64 hex digits");
    if ((place = after(reference, "keystore:")) != NULL)
        return from_keystore(ret_key, &report, place, passphrase);
    if ((place = after(reference, "file:")) != NULL)
        return from_file(ret_key, &report, place);
    if ((place = after(reference, "env:")) != NULL)
        return from_environment(ret_key, &report, place);
    return fail(&report, STATUS_INVALID,
                "not a secret reference: keystore:PATH, file:PATH, env:NAME or 0x...");
}
