/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary file beside its target, renamed at the end; where that cannot be, copied into it. */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/uuid.h"

struct new_file {
    char *path;      /* links followed */
    char *temporary; /* NULL: kept in memory, or (is_straight) written straight away */
    bool is_straight;
    FILE *out;
};

static int failed(const char *what, struct error *error)
{
    return error_set(error, "io", "%s: %s", what, strerror(errno));
}

/* As fopen makes files, but never one that is there (what was killed leaves its own behind); with the rights
 * of the one that it will replace. */
static int open_temporary(struct new_file *file, const struct stat *replaced, struct error *error)
{
    AUTO(text_free) char *name = xasprintf("%s.%s.part", file->path, uuid_v7().text);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return failed(name, error);
    if (replaced != NULL && fchmod(fd, replaced->st_mode & 07777) < 0) {
        failed(name, error);
        close(fd);
        unlink(name);
        return -1;
    }
    file->temporary = TAKE(name);
    file->out = fdopen(fd, "w+");
    return file->out != NULL ? 0 : failed(file->temporary, error);
}

/* A file may be open to us where its folder is not. It keeps what it has until the commit: the new content
 * waits in memory, since there may be no folder at all that can be written. */
static int open_memory(struct new_file *file, struct error *error)
{
    AUTO(fd_close) int target = open(file->path, O_WRONLY | O_CLOEXEC);
    if (target < 0)
        return failed(file->path, error);
    int fd = memfd_create("new_file", MFD_CLOEXEC);
    file->out = fd < 0 ? NULL : fdopen(fd, "w+");
    return file->out != NULL ? 0 : failed(file->path, error);
}

static int open_straight(struct new_file *file, const char *path, struct error *error)
{
    file->is_straight = true;
    file->out = fopen(path, "we");
    return file->out != NULL ? 0 : failed("cannot be opened", error);
}

int new_file_open(const char *path, struct new_file **file_r, struct error *error)
{
    struct stat status;
    struct error ignored;
    bool is_there = stat(path, &status) == 0;
    char *real = is_there ? realpath(path, NULL) : NULL;
    AUTO(new_file_discard) struct new_file *file = xcalloc(1, sizeof *file);
    file->path = real != NULL ? real : xstrdup(path);
    if (is_there && !S_ISREG(status.st_mode)) {
        if (open_straight(file, path, error) < 0)
            return -1;
    } else if (open_temporary(file, is_there ? &status : NULL, error) < 0) {
        if (!is_there || open_memory(file, &ignored) < 0)
            return -1;
    }
    *file_r = TAKE(file);
    return 0;
}

int new_file_make_way(const char *path, struct error *error)
{
    AUTO(text_free) char *copy = xstrdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            return failed(copy, error);
        *slash = '/';
    }
    return 0;
}

FILE *new_file_out(struct new_file *file)
{
    return file->out;
}

static int copy(FILE *from, FILE *to)
{
    char part[64 * 1024];
    size_t size;
    rewind(from);
    while ((size = fread(part, 1, sizeof part, from)) > 0)
        if (fwrite(part, 1, size, to) < size)
            return -1;
    return ferror(from) ? -1 : 0;
}

/* Where it cannot take the other one's place (which may be a mount of its own), its content does. */
static int overwrite(struct new_file *file, struct error *error)
{
    FILE *target = fopen(file->path, "we");
    if (target == NULL)
        return failed("cannot be replaced", error);
    int status = copy(file->out, target);
    if (fclose(target) != 0 || status < 0)
        return failed("cannot be written", error);
    return 0;
}

int new_file_commit(struct new_file **slot, struct error *error)
{
    AUTO(new_file_discard) struct new_file *file = TAKE(*slot);
    if (fflush(file->out) != 0 || ferror(file->out))
        return failed("cannot be written", error);
    if (!file->is_straight) {
        if (file->temporary == NULL || rename(file->temporary, file->path) < 0)
            return overwrite(file, error);
        text_free(&file->temporary);
    }
    return fclose(TAKE(file->out)) == 0 ? 0 : failed("cannot be written", error);
}

void new_file_discard(struct new_file **slot)
{
    struct new_file *file = *slot;
    if (file == NULL)
        return;
    if (file->out != NULL)
        fclose(file->out);
    if (file->temporary != NULL)
        unlink(file->temporary);
    text_free(&file->temporary);
    text_free(&file->path);
    memory_free(slot);
}
