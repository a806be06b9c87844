/* SPDX-License-Identifier: Apache-2.0 */
/* Every entry is judged before anything of it is written; libarchive's own checks, that nothing is written through
 * a link, stand behind that. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "bundle/bundle.h"
#include "model/limits.h"
#include "model/suite.h"

#define PIECE_BYTES 65536
#define SECURE                                                                                     \
    (ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |                           \
     ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS)

struct unpacking {
    struct archive *in, *out;
    int64_t entries, bytes;
};

/* What the file system says is its own fault, all else the archive's. */
static int archive_said(struct archive *archive, const char *path, struct error *error)
{
    const char *text = archive_error_string(archive);
    int number = archive_errno(archive);
    bool is_full = number == ENOSPC || number == EDQUOT;
    return error_set(error, is_full ? "unavailable" : "invalid", "the bundle%s%s: %s",
                     path[0] == '\0' ? "" : ", at ", path, text == NULL ? "it is damaged" : text);
}

static int refuse(const char *path, const char *why, struct error *error)
{
    return error_set(error, "invalid", "the bundle, at %.300s: %s", path, why);
}

/* ---- judging ------------------------------------------------------------------------------------ */

/* As we write it: "./a//" is "a", the top itself "". Caller frees. */
static char *plain_path(const char *path)
{
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
        path += strspn(path, "/");
    }
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return length == 1 && path[0] == '.' ? xstrdup("") : xstrndup(path, length);
}

static int check_kind(struct archive_entry *entry, const char *path, struct error *error)
{
    const char *target = archive_entry_symlink(entry);
    if (archive_entry_hardlink(entry) != NULL)
        return refuse(path, "it is a hard link", error);
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case AE_IFDIR:
        return 0;
    case AE_IFLNK:
        if (target != NULL && bundle_link_stays_inside(path, target))
            return 0;
        return refuse(path, "it is a link that leads outside", error);
    default:
        return refuse(path, "it is neither a file nor a directory nor a link", error);
    }
}

static int check_bounds(struct unpacking *unpacking, struct archive_entry *entry,
                        struct error *error)
{
    int64_t bytes = archive_entry_size(entry);
    unpacking->entries++;
    if (unpacking->entries > LIMIT_BUNDLE_ENTRIES)
        return error_set(error, "too_large", "the bundle has more than %lld entries",
                         (long long)LIMIT_BUNDLE_ENTRIES);
    if (bytes < 0 || bytes > LIMIT_BUNDLE_TREE_BYTES - unpacking->bytes)
        return error_set(error, "too_large", "unpacked, the bundle has more than %lld bytes",
                         (long long)LIMIT_BUNDLE_TREE_BYTES);
    unpacking->bytes += bytes;
    return 0;
}

static int check(struct unpacking *unpacking, struct archive_entry *entry, const char *path,
                 struct error *error)
{
    if (!path_stays_inside(path))
        return refuse(path, "its path leads outside", error);
    return check_kind(entry, path, error) < 0 ? -1 : check_bounds(unpacking, entry, error);
}

/* ---- writing ------------------------------------------------------------------------------------ */

/* Rights beyond who may execute it are not the archive's to give. */
static void set_rights(struct archive_entry *entry)
{
    bool is_file = archive_entry_filetype(entry) == AE_IFREG;
    bool can_be_executed = !is_file || (archive_entry_perm(entry) & 0111) != 0;
    archive_entry_set_perm(entry, can_be_executed ? 0755 : 0644);
}

static int write_content(struct unpacking *unpacking, int64_t size, const char *path,
                         struct error *error)
{
    const void *piece;
    size_t length;
    int64_t offset;
    int status;
    while ((status = archive_read_data_block(unpacking->in, &piece, &length, &offset)) ==
           ARCHIVE_OK) {
        if (offset < 0 || offset > size || (int64_t)length > size - offset)
            return refuse(path, "it is longer than it says", error);
        if (archive_write_data_block(unpacking->out, piece, length, offset) < ARCHIVE_OK)
            return archive_said(unpacking->out, path, error);
    }
    return status == ARCHIVE_EOF ? 0 : archive_said(unpacking->in, path, error);
}

static int write_entry(struct unpacking *unpacking, struct archive_entry *entry, const char *path,
                       struct error *error)
{
    archive_entry_set_pathname(entry, path);
    set_rights(entry);
    if (archive_write_header(unpacking->out, entry) < ARCHIVE_OK)
        return archive_said(unpacking->out, path, error);
    if (archive_entry_size(entry) > 0 &&
        write_content(unpacking, archive_entry_size(entry), path, error) < 0)
        return -1;
    if (archive_write_finish_entry(unpacking->out) < ARCHIVE_OK)
        return archive_said(unpacking->out, path, error);
    return 0;
}

static int take_entry(struct unpacking *unpacking, struct archive_entry *entry, struct error *error)
{
    const char *given = archive_entry_pathname(entry);
    if (given == NULL)
        return error_set(error, "invalid", "the bundle: a name in it cannot be read");
    AUTO(text_free) char *path = plain_path(given);
    if (check(unpacking, entry, path, error) < 0)
        return -1;
    return path[0] == '\0' ? 0 : write_entry(unpacking, entry, path, error);
}

static int unpack_all(struct unpacking *unpacking, int fd, struct error *error)
{
    struct archive *in = unpacking->in;
    struct archive_entry *entry;
    int status;
    if (archive_read_support_filter_gzip(in) != ARCHIVE_OK ||
        archive_read_support_format_tar(in) != ARCHIVE_OK ||
        archive_write_disk_set_options(unpacking->out, SECURE) != ARCHIVE_OK)
        return error_set(error, "unavailable", "libarchive knows no gzip here");
    if (archive_read_open_fd(in, fd, PIECE_BYTES) != ARCHIVE_OK)
        return archive_said(in, "", error);
    while ((status = archive_read_next_header(in, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN)
        if (take_entry(unpacking, entry, error) < 0)
            return -1;
    if (status != ARCHIVE_EOF)
        return archive_said(in, "", error);
    return archive_write_close(unpacking->out) == ARCHIVE_OK
               ? 0
               : archive_said(unpacking->out, "", error);
}

int bundle_unpack(int fd, const char *directory, struct error *error)
{
    if (chdir(directory) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return error_set(error, "unavailable", "%s: %s", directory, strerror(errno));
    struct unpacking unpacking = {.in = archive_read_new(), .out = archive_write_disk_new()};
    if (unpacking.in == NULL || unpacking.out == NULL)
        abort();
    int status = unpack_all(&unpacking, fd, error);
    archive_read_free(unpacking.in);
    archive_write_free(unpacking.out);
    return status;
}
