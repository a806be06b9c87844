/* SPDX-License-Identifier: Apache-2.0 */
/* A trial takes what a task takes, and gives it back. */
#include "agent/means.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

#define RETRY_MS         500
#define RETRY_MAX_MS     15000
#define TRIAL_FILES      16 /* a task's pipes, sockets, spool and report, with some to spare */
#define TRIAL_ROOM_BYTES 65536

bool means_are_lacking(int error_number)
{
    static const int numbers[] = {EMFILE, ENFILE, ENOMEM, EAGAIN, ENOSPC,
                                  EDQUOT, EIO,    EROFS,  ENOBUFS};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i] == error_number)
            return true;
    return false;
}

/* What else execve says is about the program: EIO of a file that is cut short. */
const char *means_code_of_exec(int error_number)
{
    static const int numbers[] = {EMFILE, ENFILE, ENOMEM, EAGAIN};
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (numbers[i] == error_number)
            return NO_MEANS;
    return "exec_failed";
}

const char *means_code(int error_number, const char *otherwise)
{
    return means_are_lacking(error_number) ? NO_MEANS : otherwise;
}

void means_init(struct means *means)
{
    *means = (struct means){.why = ""};
    backoff_init(&means->retry, RETRY_MS, RETRY_MAX_MS);
}

void means_lacked(struct means *means, const char *why)
{
    snprintf(means->why, sizeof means->why, "%s", why);
    backoff_failed(&means->retry);
}

bool means_are_there(const struct means *means)
{
    return means->why[0] == '\0';
}

static bool there_is_room(const char *work_dir)
{
    static const char bytes[TRIAL_ROOM_BYTES];
    AUTO(text_free) char *path = xasprintf("%s/trial", work_dir);
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && write(fd, bytes, sizeof bytes) == (ssize_t)sizeof bytes;
    unlink(path);
    return is_written;
}

bool means_have_descriptors(int count)
{
    int files[TRIAL_FILES], opened = 0;
    while (opened < count && opened < TRIAL_FILES &&
           (files[opened] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        opened++;
    bool enough = opened == count;
    while (opened > 0)
        close(files[--opened]);
    return enough;
}

void means_raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Memory is tried with the process: a fork that finds none says so. */
static bool there_is_a_process(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0;
}

bool means_came_back(struct means *means, const char *work_dir)
{
    if (means_are_there(means) || !backoff_is_due(&means->retry))
        return false;
    if (!means_have_descriptors(TRIAL_FILES) || !there_is_room(work_dir) || !there_is_a_process()) {
        backoff_failed(&means->retry);
        return false;
    }
    means->why[0] = '\0';
    return true;
}
