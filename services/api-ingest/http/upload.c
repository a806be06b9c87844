/* SPDX-License-Identifier: Apache-2.0 */
#include "http/upload.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define PROGRESS_BYTES ((int64_t)1024 * 1024)

struct upload {
    int fd;
    int64_t most_bytes, bytes, seen_bytes;
    crypto_hash_sha256_state hash;
};

int upload_new(int64_t most_bytes, struct upload **upload_r, struct error *error)
{
    AUTO(upload_free) struct upload *upload = xcalloc(1, sizeof *upload);
    upload->fd = -1;
    upload->most_bytes = most_bytes;
    crypto_hash_sha256_init(&upload->hash);
    if (blob_temporary(&upload->fd, error) < 0)
        return -1;
    *upload_r = TAKE(upload);
    return 0;
}

void upload_free(struct upload **upload)
{
    if (*upload != NULL)
        fd_close(&(*upload)->fd);
    memory_free(upload);
}

int upload_add(struct upload *upload, const char *bytes, size_t length, struct error *error)
{
    upload->bytes += (int64_t)length;
    if (upload->bytes > upload->most_bytes)
        return error_set(error, "too_large", "the body is longer than %lld bytes",
                         (long long)upload->most_bytes);
    crypto_hash_sha256_update(&upload->hash, (const unsigned char *)bytes, length);
    while (length > 0) {
        ssize_t written = write(upload->fd, bytes, length);
        if (written < 0)
            return error_set(error, errno == ENOSPC || errno == EDQUOT ? "no_room" : "unavailable",
                             "the body cannot be kept: %s", strerror(errno));
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

bool upload_has_progressed(struct upload *upload)
{
    if (upload->bytes - upload->seen_bytes < PROGRESS_BYTES)
        return false;
    upload->seen_bytes = upload->bytes;
    return true;
}

int upload_file(const struct upload *upload, int64_t *bytes_r, char name_r[BLOB_NAME_SIZE])
{
    crypto_hash_sha256_state hash = upload->hash;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&hash, digest);
    sodium_bin2hex(name_r, BLOB_NAME_SIZE, digest, sizeof digest);
    *bytes_r = upload->bytes;
    return upload->fd;
}
