/* SPDX-License-Identifier: Apache-2.0 */
/* Files by what is in them: a blob's name is the SHA-256 of its bytes, so that it never changes and is kept
 * once. Where they are kept is the store's: nowhere, below a directory, or in a bucket of anything that
 * speaks S3. What is kept, and for how long, is the caller's to know. Any thread may call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define BLOB_NAME_SIZE 65 /* hex digits and NUL */

struct blob_settings {
    const char *url;    /* "": none; file:///DIR; s3+http(s)://HOST[:PORT]/BUCKET[/PREFIX] */
    const char *region; /* S3 alone, as are: */
    const char *key_id, *secret; /* … these */
};

struct blob_store;

/* Errors of all below: "unavailable" (try again later), "no_room", "not_found", and "conflict" where there is
 * no store at all. Opening looks at the URL alone, and makes the directory. */
int blob_store_open(const struct blob_settings *settings, struct blob_store **store_r,
                    struct error *error) WARN_UNUSED;
void blob_store_close(struct blob_store **store);
bool blob_store_exists(const struct blob_store *store); /* false: there is none */

/* Keeps the bytes of fd, from its start on; the name must be right. Durable, and visible to all, afterwards.
 * What is there already is left as it is. */
int blob_put(struct blob_store *store, const char *name, int fd, int64_t bytes,
             struct error *error) WARN_UNUSED;
/* A file that holds them, at its start: the caller's. */
int blob_get(struct blob_store *store, const char *name, int *fd_r,
             struct error *error) WARN_UNUSED;
/* No error when it is not there. */
int blob_remove(struct blob_store *store, const char *name, struct error *error) WARN_UNUSED;

/* The name of what a file holds. */
int blob_name_of(int fd, char name_r[BLOB_NAME_SIZE], int64_t *bytes_r,
                 struct error *error) WARN_UNUSED;
bool blob_name_is_valid(const char *name);

/* A file without a name, in TMPDIR or /var/tmp. */
int blob_temporary(int *fd_r, struct error *error) WARN_UNUSED;
