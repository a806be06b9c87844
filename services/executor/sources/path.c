/* SPDX-License-Identifier: Apache-2.0 */
/* A directory on this worker, below one of the roots that its operator has opened. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/means.h"
#include "base/memory.h"
#include "sources/source.h"

static bool is_below(const char *path, const char *root)
{
    char real[PATH_MAX];
    if (realpath(root, real) == NULL)
        return false;
    size_t length = strlen(real);
    bool is_slash = strcmp(real, "/") == 0;
    return is_slash ||
           (strncmp(path, real, length) == 0 && (path[length] == '/' || path[length] == '\0'));
}

static bool is_below_any(const char *path, const char *roots)
{
    AUTO(text_free) char *copy = xstrdup(roots);
    char *state = NULL;
    for (char *root = strtok_r(copy, ":", &state); root != NULL; root = strtok_r(NULL, ":", &state))
        if (is_below(path, root))
            return true;
    return false;
}

static int prepare(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error)
{
    char real[PATH_MAX];
    struct stat stat_;
    (void)plan;
    if (realpath(task->source->path, real) == NULL)
        return error_set(error, means_code(errno, "source_failed"), "path %s on this worker: %s",
                         task->source->path, strerror(errno));
    if (!is_below_any(real, task->source_roots))
        return error_set(error, "source_failed",
                         "path %s is below none of this worker's VERDICT_SOURCE_ROOTS (%s)",
                         task->source->path,
                         task->source_roots[0] == '\0' ? "none are set" : task->source_roots);
    if (stat(real, &stat_) < 0 || !S_ISDIR(stat_.st_mode))
        return error_set(error, "source_failed", "path %s is no directory", task->source->path);
    *directory_r = xstrdup(real);
    return 0;
}

const struct source path_source = {.prepare = prepare};
