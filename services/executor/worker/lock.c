/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"

#define LOCK_FILE "lock"
#define PID_SIZE  24

static int held_by_another(int fd, const char *what, struct error *error)
{
    char pid[PID_SIZE];
    ssize_t length = pread(fd, pid, sizeof pid - 1, 0);
    pid[length < 0 ? 0 : length] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
    return error_set(error, "invalid", "%s belongs to another executor that runs (process %s)",
                     what, pid[0] == '\0' ? "unknown" : pid);
}

int lock_take(int directory_fd, const char *what, int *fd_r, struct error *error)
{
    AUTO(fd_close) int fd = openat(directory_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char pid[PID_SIZE];
    if (fd < 0)
        return error_set(error, "invalid", "%s: cannot open its lock: %s", what, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? held_by_another(fd, what, error)
                   : error_set(error, "invalid", "%s: cannot lock it: %s", what, strerror(errno));
    int length = snprintf(pid, sizeof pid, "%lld\n", (long long)getpid());
    /* The number is for people: on a full disk the lock holds all the same. */
    if (ftruncate(fd, 0) == 0)
        (void)!pwrite(fd, pid, (size_t)length, 0);
    *fd_r = fd;
    fd = -1;
    return 0;
}
