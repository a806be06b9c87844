/* SPDX-License-Identifier: Apache-2.0 */
/* Which store a URL means, the null store, and names. */
#include "blob/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "blob/backend.h"

#define PIECE_BYTES 65536

struct blob_store {
    const struct blob_backend *backend;
    void *state;
};

static const struct blob_backend *const backends[] = {&blob_directory, &blob_s3};

/* ---- none ------------------------------------------------------------------------------------- */

static int open_none(const struct blob_settings *settings, void **state_r, struct error *error)
{
    (void)settings;
    (void)state_r;
    (void)error;
    return 0;
}

static void close_none(void *state)
{
    (void)state;
}

static int refuse(struct error *error)
{
    return error_set(error, "conflict",
                     "this installation keeps no files: VERDICT_BLOB_URL is not set");
}

static int put_none(void *state, const char *name, int fd, int64_t bytes, struct error *error)
{
    (void)state;
    (void)name;
    (void)fd;
    (void)bytes;
    return refuse(error);
}

static int get_none(void *state, const char *name, int *fd_r, struct error *error)
{
    (void)state;
    (void)name;
    (void)fd_r;
    return refuse(error);
}

static int remove_none(void *state, const char *name, struct error *error)
{
    (void)state;
    (void)name;
    return refuse(error);
}

const struct blob_backend blob_none = {
    .open = open_none,
    .close = close_none,
    .put = put_none,
    .get = get_none,
    .remove = remove_none,
};

/* ---- stores ----------------------------------------------------------------------------------- */

static const struct blob_backend *find_backend(const char *url)
{
    if (url[0] == '\0')
        return &blob_none;
    for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
        if (text_starts(url, backends[i]->scheme))
            return backends[i];
    return NULL;
}

int blob_store_open(const struct blob_settings *settings, struct blob_store **store_r,
                    struct error *error)
{
    const struct blob_backend *backend = find_backend(settings->url);
    void *state = NULL;
    if (backend == NULL)
        return error_set(error, "invalid",
                         "VERDICT_BLOB_URL must be file:///DIR or s3+https://HOST/BUCKET");
    if (backend->open(settings, &state, error) < 0)
        return -1;
    *store_r = xcalloc(1, sizeof **store_r);
    **store_r = (struct blob_store){.backend = backend, .state = state};
    return 0;
}

void blob_store_close(struct blob_store **store)
{
    if (*store == NULL)
        return;
    (*store)->backend->close((*store)->state);
    memory_free(store);
}

bool blob_store_exists(const struct blob_store *store)
{
    return store->backend != &blob_none;
}

int blob_put(struct blob_store *store, const char *name, int fd, int64_t bytes, struct error *error)
{
    return store->backend->put(store->state, name, fd, bytes, error);
}

int blob_get(struct blob_store *store, const char *name, int *fd_r, struct error *error)
{
    return store->backend->get(store->state, name, fd_r, error);
}

int blob_remove(struct blob_store *store, const char *name, struct error *error)
{
    return store->backend->remove(store->state, name, error);
}

/* ---- names and files -------------------------------------------------------------------------- */

bool blob_name_is_valid(const char *name)
{
    return strlen(name) == BLOB_NAME_SIZE - 1 &&
           strspn(name, "0123456789abcdef") == BLOB_NAME_SIZE - 1;
}

int blob_name_of(int fd, char name_r[BLOB_NAME_SIZE], int64_t *bytes_r, struct error *error)
{
    crypto_hash_sha256_state state;
    unsigned char piece[PIECE_BYTES], digest[crypto_hash_sha256_BYTES];
    int64_t bytes = 0;
    ssize_t length;
    crypto_hash_sha256_init(&state);
    while ((length = pread(fd, piece, sizeof piece, bytes)) > 0) {
        crypto_hash_sha256_update(&state, piece, (size_t)length);
        bytes += length;
    }
    if (length < 0)
        return error_set(error, "unavailable", "cannot read a file: %s", strerror(errno));
    crypto_hash_sha256_final(&state, digest);
    sodium_bin2hex(name_r, BLOB_NAME_SIZE, digest, sizeof digest);
    *bytes_r = bytes;
    return 0;
}

int blob_temporary(int *fd_r, struct error *error)
{
    const char *directory = getenv("TMPDIR");
    if (directory == NULL || directory[0] == '\0')
        directory = "/var/tmp"; /* /tmp may be memory */
    *fd_r = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd_r < 0)
        return error_set(error, "unavailable", "no temporary file in %s: %s", directory,
                         strerror(errno));
    return 0;
}
