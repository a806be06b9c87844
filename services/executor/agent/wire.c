/* SPDX-License-Identifier: Apache-2.0 */
/* Plans as bytes: a header, then the directory, the arguments and the environment, each NUL-ended. */
#include "agent/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/means.h"
#include "base/buffer.h"
#include "base/memory.h"

#define PLAN_BYTES_MAX ((size_t)64 * 1024 * 1024)

static const char *const limit_list[] = {"none", "cpu_seconds", "memory_mb", "processes",
                                         "file_mb"};
const struct names process_limit_names = NAMES("limit of processes", limit_list);

struct plan_header {
    uint32_t arguments, variables;
    struct process_limits limits;
    int64_t grace_ms;
};

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written <= 0)
            return -1;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

int wire_plan_write(const struct process_plan *plan, int *fd_r, struct error *error)
{
    const struct plan_header header = {.arguments = (uint32_t)plan->argv.count,
                                       .variables = (uint32_t)plan->environment.count,
                                       .limits = plan->limits,
                                       .grace_ms = plan->grace_ms};
    AUTO(buffer_deinit) struct buffer bytes;
    buffer_init(&bytes, PLAN_BYTES_MAX);
    buffer_add(&bytes, &header, sizeof header);
    buffer_add(&bytes, plan->directory, strlen(plan->directory) + 1);
    for (size_t i = 0; i < plan->argv.count; i++)
        buffer_add(&bytes, plan->argv.list[i], strlen(plan->argv.list[i]) + 1);
    for (size_t i = 0; i < plan->environment.count; i++)
        buffer_add(&bytes, plan->environment.list[i], strlen(plan->environment.list[i]) + 1);
    if (buffer_check(&bytes, "arguments and environment", error) < 0)
        return -1;

    AUTO(fd_close) int fd = memfd_create("plan", MFD_CLOEXEC);
    if (fd < 0 || write_all(fd, bytes.data, bytes.length) < 0)
        return error_set(error, means_code(errno, "unavailable"),
                         "cannot hand over the command: %s", strerror(errno));
    *fd_r = fd;
    fd = -1;
    return 0;
}

/* The next NUL-ended string, or NULL behind the end. */
static char *next_text(char **position, const char *end)
{
    char *text = *position;
    char *nul = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
    if (nul == NULL)
        return NULL;
    *position = nul + 1;
    return text;
}

/* NULL-ended, as exec wants it. */
static bool read_texts(char **position, const char *end, size_t count, struct texts *texts)
{
    texts->list = xcalloc(count + 1, sizeof *texts->list);
    texts->count = count;
    for (size_t i = 0; i < count; i++)
        if ((texts->list[i] = next_text(position, end)) == NULL)
            return false;
    return true;
}

int wire_plan_read(int fd, struct process_plan *plan_r)
{
    struct plan_header header;
    struct stat status;
    if (fstat(fd, &status) < 0 || (size_t)status.st_size < sizeof header)
        return -1;
    size_t size = (size_t)status.st_size;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED)
        return -1;
    memcpy(&header, memory, sizeof header);
    char *position = memory + sizeof header;
    const char *end = memory + size;
    plan_r->limits = header.limits;
    plan_r->grace_ms = header.grace_ms;
    plan_r->directory = next_text(&position, end);
    if (plan_r->directory == NULL || !read_texts(&position, end, header.arguments, &plan_r->argv) ||
        !read_texts(&position, end, header.variables, &plan_r->environment))
        return -1;
    return header.arguments > 0 ? 0 : -1;
}
