/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs below a directory: ab/<name>, where ab are the first digits. A blob is written beside and renamed,
 * file and directory flushed: it is there whole or not at all, also over a power cut. Replicas may share it
 * where the file system's rename is atomic. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/uuid.h"
#include "blob/backend.h"

#define SCHEME      "file://"
#define UNFINISHED  "unfinished"
#define ABANDONED_S 86400 /* what is unfinished for so long has nobody who writes it */
#define PIECE_BYTES 65536

struct directory {
    int root_fd;
    int unfinished_fd;
};

static int failed(const char *what, struct error *error)
{
    bool is_full = errno == ENOSPC || errno == EDQUOT;
    return error_set(error, is_full ? "no_room" : "unavailable", "the store of files: %s: %s", what,
                     strerror(errno));
}

static int open_directory(int parent_fd, const char *path, int *fd_r)
{
    if (mkdirat(parent_fd, path, 0700) < 0 && errno != EEXIST)
        return -1;
    *fd_r = openat(parent_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd_r < 0 ? -1 : 0;
}

static void remove_abandoned(int directory_fd)
{
    int fd = fcntl(directory_fd, F_DUPFD_CLOEXEC, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    struct stat status;
    if (directory == NULL) {
        fd_close(&fd);
        return;
    }
    while ((entry = readdir(directory)) != NULL)
        if (fstatat(directory_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && time(NULL) - status.st_mtime > ABANDONED_S)
            unlinkat(directory_fd, entry->d_name, 0);
    closedir(directory);
}

static void close_store(void *state)
{
    struct directory *store = state;
    fd_close(&store->root_fd);
    fd_close(&store->unfinished_fd);
    free(store);
}

static int open_store(const struct blob_settings *settings, void **state_r, struct error *error)
{
    const char *path = settings->url + strlen(SCHEME);
    struct directory *store = xcalloc(1, sizeof *store);
    *store = (struct directory){-1, -1};
    if (path[0] != '/' || open_directory(AT_FDCWD, path, &store->root_fd) < 0 ||
        open_directory(store->root_fd, UNFINISHED, &store->unfinished_fd) < 0) {
        const char *why = path[0] != '/' ? "it must be absolute" : strerror(errno);
        close_store(store);
        return error_set(error, "invalid", "VERDICT_BLOB_URL: %s: %s", path, why);
    }
    remove_abandoned(store->unfinished_fd);
    *state_r = store;
    return 0;
}

static int write_all(int fd, const char *bytes, ssize_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, (size_t)length);
        if (written < 0)
            return -1;
        bytes += written;
        length -= written;
    }
    return 0;
}

static int copy(int from_fd, int to_fd, int64_t bytes)
{
    AUTO(text_free) char *piece = xcalloc(1, PIECE_BYTES);
    int64_t done = 0;
    while (done < bytes) {
        int64_t rest = bytes - done;
        ssize_t length =
            pread(from_fd, piece, rest < PIECE_BYTES ? (size_t)rest : PIECE_BYTES, done);
        if (length == 0)
            errno = EIO; /* it has become shorter */
        if (length <= 0 || write_all(to_fd, piece, length) < 0)
            return -1;
        done += length;
    }
    return 0;
}

static void shard_of(const char *name, char shard_r[3])
{
    snprintf(shard_r, 3, "%.2s", name);
}

static int write_blob(struct directory *store, const char *draft, int from_fd, int64_t bytes)
{
    AUTO(fd_close)
    int fd = openat(store->unfinished_fd, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 || copy(from_fd, fd, bytes) < 0 || fsync(fd) < 0 ? -1 : 0;
}

static int put(void *state, const char *name, int fd, int64_t bytes, struct error *error)
{
    struct directory *store = state;
    const struct uuid draft = uuid_random();
    AUTO(fd_close) int shard_fd = -1;
    struct stat status;
    char shard[3];
    shard_of(name, shard);
    if (open_directory(store->root_fd, shard, &shard_fd) < 0)
        return failed("cannot make a directory", error);
    if (fstatat(shard_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_size == bytes)
        return 0;
    if (write_blob(store, draft.text, fd, bytes) < 0 ||
        renameat(store->unfinished_fd, draft.text, shard_fd, name) < 0 || fsync(shard_fd) < 0 ||
        fsync(store->root_fd) < 0) {
        int why = errno;
        unlinkat(store->unfinished_fd, draft.text, 0);
        errno = why;
        return failed("cannot write", error);
    }
    return 0;
}

static int get(void *state, const char *name, int *fd_r, struct error *error)
{
    struct directory *store = state;
    char path[BLOB_NAME_SIZE + 4];
    snprintf(path, sizeof path, "%.2s/%s", name, name);
    *fd_r = openat(store->root_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd_r < 0 && errno == ENOENT)
        return error_set(error, "not_found", "the file is not in the store any more");
    return *fd_r < 0 ? failed("cannot read", error) : 0;
}

static int remove_blob(void *state, const char *name, struct error *error)
{
    struct directory *store = state;
    char path[BLOB_NAME_SIZE + 4];
    snprintf(path, sizeof path, "%.2s/%s", name, name);
    if (unlinkat(store->root_fd, path, 0) < 0 && errno != ENOENT)
        return failed("cannot remove", error);
    return 0;
}

const struct blob_backend blob_directory = {
    .scheme = SCHEME,
    .open = open_store,
    .close = close_store,
    .put = put,
    .get = get,
    .remove = remove_blob,
};
