/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary file beside its target, renamed at the end. */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

struct new_file {
    char *path;      /* links followed */
    char *temporary; /* NULL: written straight away */
    FILE *out;
};

static int failed(const char *what, struct error *error)
{
    return error_set(error, "io", "%s: %s", what, strerror(errno));
}

/* As fopen makes files, but never one that is there; with the rights of the one that it will replace. */
static int open_temporary(struct new_file *file, const struct stat *replaced, struct error *error)
{
    file->temporary = xasprintf("%s.%ld.part", file->path, (long)getpid());
    int fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        failed(file->temporary, error);
        text_free(&file->temporary);
        return -1;
    }
    if (replaced != NULL && fchmod(fd, replaced->st_mode & 07777) < 0) {
        close(fd);
        return failed(file->temporary, error);
    }
    file->out = fdopen(fd, "w");
    return file->out != NULL ? 0 : failed(file->temporary, error);
}

int new_file_open(const char *path, struct new_file **file_r, struct error *error)
{
    struct stat status;
    bool is_there = stat(path, &status) == 0;
    char *real = is_there ? realpath(path, NULL) : NULL;
    AUTO(new_file_discard) struct new_file *file = xcalloc(1, sizeof *file);
    file->path = real != NULL ? real : xstrdup(path);
    if (is_there && !S_ISREG(status.st_mode)) {
        file->out = fopen(path, "we");
        if (file->out == NULL)
            return failed("cannot be opened", error);
    } else if (open_temporary(file, is_there ? &status : NULL, error) < 0) {
        return -1;
    }
    *file_r = TAKE(file);
    return 0;
}

FILE *new_file_out(struct new_file *file)
{
    return file->out;
}

int new_file_commit(struct new_file **slot, struct error *error)
{
    AUTO(new_file_discard) struct new_file *file = TAKE(*slot);
    FILE *out = TAKE(file->out);
    if (fclose(out) != 0)
        return failed("cannot be written", error);
    if (file->temporary != NULL && rename(file->temporary, file->path) < 0)
        return failed("cannot be replaced", error);
    text_free(&file->temporary);
    return 0;
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
