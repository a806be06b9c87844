/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const struct secret_out *out, struct error *error)
{
    return error_set(error, "io", "%s: %s", out->path == NULL ? "stdout" : out->path,
                     strerror(errno));
}

/* A second join token may well replace the first in its file. */
static int open_file(struct secret_out *out)
{
    const int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;
    out->fd = open(out->path, flags | O_CREAT | O_EXCL, 0600);
    out->is_new = out->fd >= 0;
    if (out->fd < 0 && errno == EEXIST)
        out->fd = open(out->path, flags);
    return out->fd;
}

int secret_out_open(const char *output, struct secret_out *out_r, struct error *error)
{
    struct secret_out out = {.fd = -1, .path = output};
    if (output == NULL)
        out.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    else
        open_file(&out);
    if (out.fd < 0)
        return failed(&out, error);
    *out_r = out;
    return 0;
}

static bool is_file(const struct secret_out *out)
{
    struct stat status;
    return fstat(out->fd, &status) == 0 && S_ISREG(status.st_mode);
}

int secret_out_write(struct secret_out *out, const char *secret, struct error *error)
{
    /* What was there may have been open to others. */
    if (out->path != NULL && is_file(out) &&
        (fchmod(out->fd, 0600) < 0 || ftruncate(out->fd, 0) < 0))
        return failed(out, error);
    if (dprintf(out->fd, "%s\n", secret) < 0 || (is_file(out) && fsync(out->fd) < 0))
        return failed(out, error);
    out->is_new = false;
    return 0;
}

void secret_out_deinit(struct secret_out *out)
{
    if (out->is_new)
        unlink(out->path);
    if (out->fd >= 0)
        close(out->fd);
    *out = (struct secret_out){.fd = -1};
}
