/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/fields.h"
#include "base/memory.h"
#include "bundle/bundle.h"
#include "bundle/ignore.h"
#include "model/limits.h"

#define PIECE_BYTES  65536
#define IGNORE_BYTES ((size_t)1024 * 1024)
#define DEPTH_MAX    128 /* directories in one another */
#define TARGET_BYTES 4096
#define MIB          (1024 * 1024)

struct packing {
    struct archive *out;
    struct bundle_facts facts;
    int depth;
};

struct place {
    int fd;           /* of a directory */
    const char *path; /* of it, from the top; "" there */
    const struct ignore *ours, *git;
};

static int system_said(const char *path, struct error *error)
{
    return error_set(error, "unavailable", "%s: %s", path, strerror(errno));
}

static int archive_said(struct archive *archive, struct error *error)
{
    const char *text = archive_error_string(archive);
    return error_set(error, "unavailable", "the bundle: %s", text == NULL ? "?" : text);
}

/* ---- one entry ---------------------------------------------------------------------------------- */

static int count(struct packing *packing, int64_t bytes, struct error *error)
{
    struct bundle_facts *facts = &packing->facts;
    facts->entries++;
    facts->bytes += bytes;
    if (facts->entries > LIMIT_BUNDLE_ENTRIES)
        return error_set(error, "too_large", "there are more than %lld files and directories",
                         (long long)LIMIT_BUNDLE_ENTRIES);
    if (facts->bytes > LIMIT_BUNDLE_TREE_BYTES)
        return error_set(error, "too_large", "the files have more than %lld MiB",
                         (long long)LIMIT_BUNDLE_TREE_BYTES / MIB);
    return 0;
}

static int check_packed(const struct packing *packing, struct error *error)
{
    if (archive_filter_bytes(packing->out, -1) <= LIMIT_BUNDLE_BYTES)
        return 0;
    return error_set(error, "too_large", "packed, the files have more than %lld MiB",
                     (long long)LIMIT_BUNDLE_BYTES / MIB);
}

/* Nothing of who packs, nor of when. target: of a link, else NULL. */
static int write_header(struct packing *packing, const char *path, mode_t mode, int64_t bytes,
                        const char *target, struct error *error)
{
    struct archive_entry *entry = archive_entry_new();
    const bool can_be_executed = !S_ISREG(mode) || (mode & 0111) != 0;
    archive_entry_set_pathname(entry, path);
    archive_entry_set_mode(entry, (mode & S_IFMT) | (can_be_executed ? 0755 : 0644));
    archive_entry_set_size(entry, bytes);
    archive_entry_set_mtime(entry, 0, 0);
    if (target != NULL)
        archive_entry_set_symlink(entry, target);
    int status = archive_write_header(packing->out, entry);
    archive_entry_free(entry);
    if (status != ARCHIVE_OK)
        return archive_said(packing->out, error);
    return check_packed(packing, error);
}

static int copy(struct packing *packing, int fd, const char *path, int64_t bytes,
                struct error *error)
{
    AUTO(text_free) char *piece = xcalloc(1, PIECE_BYTES);
    while (bytes > 0) {
        ssize_t length = read(fd, piece, bytes < PIECE_BYTES ? (size_t)bytes : PIECE_BYTES);
        if (length < 0)
            return system_said(path, error);
        if (length == 0)
            return error_set(error, "unavailable", "%s: it has become shorter", path);
        if (archive_write_data(packing->out, piece, (size_t)length) != length)
            return archive_said(packing->out, error);
        if (check_packed(packing, error) < 0)
            return -1;
        bytes -= length;
    }
    return 0;
}

static int add_file(struct packing *packing, const struct place *place, const char *name,
                    const char *path, struct error *error)
{
    AUTO(fd_close)
    int fd = openat(place->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return system_said(path, error);
    if (!S_ISREG(status.st_mode))
        return error_set(error, "unavailable", "%s: it is no file any more", path);
    if (count(packing, status.st_size, error) < 0 ||
        write_header(packing, path, status.st_mode, status.st_size, NULL, error) < 0)
        return -1;
    return copy(packing, fd, path, status.st_size, error);
}

static int add_link(struct packing *packing, const struct place *place, const char *name,
                    const char *path, struct error *error)
{
    char target[TARGET_BYTES];
    ssize_t length = readlinkat(place->fd, name, target, sizeof target - 1);
    if (length < 0)
        return system_said(path, error);
    target[length] = '\0';
    if (!bundle_link_stays_inside(path, target))
        return error_set(error, "invalid", "%s is a link that leads outside, to %.200s", path,
                         target);
    if (count(packing, 0, error) < 0)
        return -1;
    return write_header(packing, path, S_IFLNK, 0, target, error);
}

/* ---- the tree ----------------------------------------------------------------------------------- */

static int add_tree(struct packing *packing, const struct place *place, struct error *error);

static int add_directory(struct packing *packing, const struct place *place, const char *name,
                         const char *path, struct error *error)
{
    AUTO(fd_close)
    int fd = openat(place->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    const struct place below = {.fd = fd, .path = path, .ours = place->ours, .git = place->git};
    if (fd < 0)
        return system_said(path, error);
    if (packing->depth >= DEPTH_MAX)
        return error_set(error, "too_large", "%s: directories lie too deep in one another", path);
    if (count(packing, 0, error) < 0 || write_header(packing, path, S_IFDIR, 0, NULL, error) < 0)
        return -1;
    packing->depth++;
    int status = add_tree(packing, &below, error);
    packing->depth--;
    return status;
}

/* Git's lists are heard only where none of ours says anything, at whatever depth. */
static bool is_left_out(const struct place *place, const char *path, bool is_directory)
{
    enum ignore_word word = ignore_ask(place->ours, path, is_directory);
    if (word == IGNORE_SAYS_NOTHING)
        word = ignore_ask(place->git, path, is_directory);
    return word == IGNORE_LEAVES_OUT;
}

static int add(struct packing *packing, const struct place *place, const char *name,
               struct error *error)
{
    AUTO(text_free)
    char *path = xasprintf("%s%s%s", place->path, place->path[0] == '\0' ? "" : "/", name);
    struct stat status;
    if (fstatat(place->fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return system_said(path, error);
    if (is_left_out(place, path, S_ISDIR(status.st_mode)))
        return 0;
    if (S_ISDIR(status.st_mode))
        return add_directory(packing, place, name, path, error);
    if (S_ISREG(status.st_mode))
        return add_file(packing, place, name, path, error);
    if (S_ISLNK(status.st_mode))
        return add_link(packing, place, name, path, error);
    packing->facts.left_out++;
    return 0;
}

/* Always in the same order, whatever the file system's is. */
static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(const struct place *place, struct texts *names, struct error *error)
{
    int fd = openat(place->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    if (directory == NULL) {
        int status = system_said(place->path[0] == '\0' ? "." : place->path, error);
        fd_close(&fd);
        return status;
    }
    while (names->count <= (size_t)LIMIT_BUNDLE_ENTRIES && (entry = readdir(directory)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, ".git") != 0)
            texts_add(names, entry->d_name);
    closedir(directory);
    if (names->count > 0)
        qsort(names->list, names->count, sizeof *names->list, by_name);
    return 0;
}

/* Adds what the file of this name says, where there is one. */
static int read_list(const struct place *place, const char *name, struct buffer *text,
                     struct error *error)
{
    char piece[4096];
    struct stat status;
    ssize_t length;
    AUTO(fd_close) int fd = openat(place->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : system_said(name, error);
    if (fstat(fd, &status) < 0)
        return system_said(name, error);
    if (!S_ISREG(status.st_mode))
        return 0;
    while ((length = read(fd, piece, sizeof piece)) > 0)
        buffer_add(text, piece, (size_t)length);
    buffer_add(text, "\n", 1);
    if (length < 0)
        return system_said(name, error);
    if (text->overflowed)
        return error_set(error, "too_large", "what is to be left out takes more than %zu KiB",
                         IGNORE_BYTES / 1024);
    return 0;
}

/* NULL where there is no such file, or nothing in it. */
static int read_ignore(const struct place *place, const char *name, const struct ignore *above,
                       struct ignore **ignore_r, struct error *error)
{
    struct buffer text;
    buffer_init(&text, IGNORE_BYTES);
    int status = read_list(place, name, &text, error);
    if (status == 0 && text.length > 0)
        *ignore_r = ignore_new(buffer_text(&text), place->path, above);
    buffer_deinit(&text);
    return status;
}

static int add_tree(struct packing *packing, const struct place *place, struct error *error)
{
    struct texts names = {.count = 0};
    AUTO(ignore_free) struct ignore *ours = NULL;
    AUTO(ignore_free) struct ignore *git = NULL;
    struct place here = *place;
    if (read_ignore(place, ".verdictignore", place->ours, &ours, error) < 0 ||
        read_ignore(place, ".gitignore", place->git, &git, error) < 0)
        return -1;
    if (ours != NULL)
        here.ours = ours;
    if (git != NULL)
        here.git = git;
    int status = list_names(place, &names, error);
    for (size_t i = 0; status == 0 && i < names.count; i++)
        status = add(packing, &here, names.list[i], error);
    texts_deinit(&names);
    return status;
}

static int start(struct packing *packing, int fd, struct error *error)
{
    struct archive *out = packing->out;
    if (archive_write_set_format_gnutar(out) != ARCHIVE_OK ||
        archive_write_add_filter_gzip(out) != ARCHIVE_OK ||
        archive_write_set_options(out, "gzip:!timestamp") != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(out, 1) != ARCHIVE_OK ||
        archive_write_open_fd(out, fd) != ARCHIVE_OK)
        return archive_said(out, error);
    return 0;
}

static int pack_all(struct packing *packing, int directory_fd, int fd, struct error *error)
{
    const struct place top = {.fd = directory_fd, .path = ""};
    if (start(packing, fd, error) < 0 || add_tree(packing, &top, error) < 0)
        return -1;
    if (packing->facts.entries == 0)
        return error_set(error, "empty", "there is nothing in it");
    return archive_write_close(packing->out) == ARCHIVE_OK ? check_packed(packing, error)
                                                           : archive_said(packing->out, error);
}

int bundle_pack(const char *directory, int fd, struct bundle_facts *facts_r, struct error *error)
{
    AUTO(fd_close) int directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct packing packing = {.depth = 0};
    if (directory_fd < 0)
        return system_said(directory, error);
    packing.out = archive_write_new();
    if (packing.out == NULL)
        abort();
    int status = pack_all(&packing, directory_fd, fd, error);
    archive_write_free(packing.out);
    if (status == 0)
        *facts_r = packing.facts;
    return status;
}
