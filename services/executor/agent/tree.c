/* SPDX-License-Identifier: Apache-2.0 */
/* One scan of /proc gives every process its parent; descendants are the closure. */
#include "agent/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

struct seen {
    pid_t pid, parent;
    bool below; /* a descendant of the root */
};

struct scan {
    struct seen *list;
    size_t count, capacity;
};

bool tree_is_visible(void)
{
    return access("/proc/self/stat", R_OK) == 0;
}

static ssize_t read_small(const char *path, char *text, size_t size)
{
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);
    text[length < 0 ? 0 : length] = '\0';
    return length;
}

/* "12 (any (name)) S 4 …": behind the last parenthesis come state and parent. */
static bool read_parent(pid_t pid, pid_t *parent_r)
{
    char path[40], text[512], state;
    int parent;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_small(path, text, sizeof text) <= 0)
        return false;
    const char *end = strrchr(text, ')');
    if (end == NULL || sscanf(end + 1, " %c %d", &state, &parent) != 2 || state == 'Z')
        return false;
    *parent_r = parent;
    return true;
}

static void scan_all(struct scan *scan)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    if (proc == NULL)
        return;
    while ((entry = readdir(proc)) != NULL) {
        struct seen seen = {.below = false};
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        seen.pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (!read_parent(seen.pid, &seen.parent))
            continue;
        scan->list = array_reserve(scan->list, &scan->capacity, scan->count, sizeof *scan->list);
        scan->list[scan->count++] = seen;
    }
    closedir(proc);
}

static bool is_below(const struct scan *scan, pid_t root, pid_t parent)
{
    if (parent == root)
        return true;
    for (size_t i = 0; i < scan->count; i++)
        if (scan->list[i].pid == parent)
            return scan->list[i].below;
    return false;
}

void tree_list(pid_t root, struct process_list *out)
{
    struct scan scan = {.list = NULL};
    bool found = true;
    scan_all(&scan);
    out->count = 0;
    while (found) {
        found = false;
        for (size_t i = 0; i < scan.count; i++) {
            struct seen *seen = &scan.list[i];
            if (seen->below || !is_below(&scan, root, seen->parent))
                continue;
            seen->below = found = true;
            out->list = array_reserve(out->list, &out->capacity, out->count, sizeof *out->list);
            out->list[out->count++] = seen->pid;
        }
    }
    free(scan.list);
}

void process_list_deinit(struct process_list *list)
{
    free(list->list);
    *list = (struct process_list){.list = NULL};
}

void tree_signal(pid_t root, int signal)
{
    AUTO(process_list_deinit) struct process_list below = {.list = NULL};
    tree_list(root, &below);
    for (size_t i = 0; i < below.count; i++)
        kill(below.list[i], signal);
}

void tree_signal_outside(pid_t root, pid_t group, int signal)
{
    AUTO(process_list_deinit) struct process_list below = {.list = NULL};
    tree_list(root, &below);
    for (size_t i = 0; i < below.count; i++)
        if (getpgid(below.list[i]) != group)
            kill(below.list[i], signal);
}

static int64_t resident_bytes(pid_t pid)
{
    char path[40], text[128];
    long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    if (read_small(path, text, sizeof text) <= 0 || sscanf(text, "%*s %lld", &pages) != 1)
        return 0;
    return pages * sysconf(_SC_PAGESIZE);
}

/* The proportional set size; of a process that does not let us look, what is resident. */
static int64_t own_bytes(pid_t pid)
{
    char path[40], text[2048];
    long long kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    const char *line = read_small(path, text, sizeof text) > 0 ? strstr(text, "\nPss:") : NULL;
    if (line == NULL || sscanf(line, " Pss: %lld kB", &kilobytes) != 1)
        return resident_bytes(pid);
    return kilobytes * 1024;
}

static int64_t sum(pid_t root, int64_t (*bytes_of)(pid_t), size_t *count_r)
{
    AUTO(process_list_deinit) struct process_list below = {.list = NULL};
    int64_t bytes = 0;
    tree_list(root, &below);
    for (size_t i = 0; i < below.count; i++)
        bytes += bytes_of(below.list[i]);
    *count_r = below.count;
    return bytes;
}

int64_t tree_memory_bytes(pid_t root, size_t *count_r)
{
    return sum(root, resident_bytes, count_r);
}

int64_t tree_own_memory_bytes(pid_t root)
{
    size_t count;
    return sum(root, own_bytes, &count);
}

/* Fields 14 to 17 of stat(5), in ticks: its own, and of those that it has waited for. */
static int64_t cpu_ticks(pid_t pid)
{
    char path[40], text[512];
    long long user = 0, system = 0, of_children = 0, system_of_children = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const char *end = read_small(path, text, sizeof text) > 0 ? strrchr(text, ')') : NULL;
    if (end == NULL ||
        sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld", &user,
               &system, &of_children, &system_of_children) != 4)
        return 0;
    return user + system + of_children + system_of_children;
}

int64_t tree_cpu_ms(pid_t root)
{
    AUTO(process_list_deinit) struct process_list below = {.list = NULL};
    int64_t ticks = 0;
    tree_list(root, &below);
    for (size_t i = 0; i < below.count; i++)
        ticks += cpu_ticks(below.list[i]);
    return ticks * 1000 / sysconf(_SC_CLK_TCK);
}
