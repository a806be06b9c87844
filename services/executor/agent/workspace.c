/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and environments. */
#include "agent/workspace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/means.h"
#include "base/json.h"
#include "base/memory.h"
#include "frameworks/framework.h"
#include "model/limits.h"
#include "trace/trace.h"

static int make(const char *path, struct error *error)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set(error, means_code(errno, "unavailable"), "cannot make %s: %s", path,
                         strerror(errno));
    return 0;
}

/* Open for writing too: so it never ends before we say so. */
static int make_stream(struct workspace *workspace, struct error *error)
{
    if (mkfifo(workspace->stream, 0600) == 0)
        workspace->stream_fd = open(workspace->stream, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (workspace->stream_fd < 0)
        return error_set(error, means_code(errno, "unavailable"), "cannot make %s: %s",
                         workspace->stream, strerror(errno));
    return 0;
}

int workspace_make(struct remover *remover, const char *work_dir, const char *name,
                   struct workspace *workspace_r, struct error *error)
{
    struct workspace workspace = {.root = xasprintf("%s/%s", work_dir, name), .stream_fd = -1};
    workspace.home = xasprintf("%s/home", workspace.root);
    workspace.temporary = xasprintf("%s/tmp", workspace.root);
    workspace.reports = xasprintf("%s/reports", workspace.root);
    workspace.checkout = xasprintf("%s/source", workspace.root);
    workspace.stream = xasprintf("%s/stream", workspace.root);
    if (make(workspace.root, error) < 0 || make(workspace.home, error) < 0 ||
        make(workspace.temporary, error) < 0 || make(workspace.reports, error) < 0) {
        workspace_remove(remover, &workspace);
        return -1;
    }
    if (make_stream(&workspace, error) < 0) {
        workspace_remove(remover, &workspace);
        return -1;
    }
    *workspace_r = workspace;
    return 0;
}

void workspace_remove_old(struct remover *remover, const char *work_dir)
{
    DIR *directory = opendir(work_dir);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        struct uuid id;
        struct error ignored;
        if (uuid_parse(entry->d_name, &id, &ignored) < 0)
            continue;
        AUTO(text_free) char *path = xasprintf("%s/%s", work_dir, entry->d_name);
        remover_add(remover, path);
    }
    if (directory != NULL)
        closedir(directory);
}

void workspace_remove(struct remover *remover, struct workspace *workspace)
{
    fd_close(&workspace->stream_fd);
    if (workspace->root != NULL)
        remover_add(remover, workspace->root);
    free(workspace->root);
    free(workspace->home);
    free(workspace->temporary);
    free(workspace->reports);
    free(workspace->checkout);
    free(workspace->stream);
    *workspace = (struct workspace){.stream_fd = -1};
}

static bool secret_name_is_safe(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-' && *c != '.')
            return false;
    return name[0] != '\0' && name[0] != '.';
}

static int add_secret(const struct executor *executor, const char *name, struct process_plan *plan,
                      struct masks *masks, struct error *error)
{
    const char *directory = executor->settings->secrets_dir;
    if (!secret_name_is_safe(name))
        return error_set(error, "exec_failed", "secret \"%.60s\" has no valid name", name);
    if (directory[0] == '\0')
        return error_set(error, "exec_failed",
                         "secret %s is not on this worker: VERDICT_SECRETS_DIR is not set", name);
    AUTO(text_free) char *path = xasprintf("%s/%s", directory, name);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(text_free) char *text = xcalloc(1, LIMIT_SECRET_BYTES + 2);
    ssize_t length = fd < 0 ? -1 : read(fd, text, LIMIT_SECRET_BYTES + 1);
    if (length < 0)
        return error_set(error, means_code(errno, "exec_failed"),
                         "secret %s is not on this worker: %s", name, strerror(errno));
    if (length > LIMIT_SECRET_BYTES)
        return error_set(error, "exec_failed", "secret %s is longer than %lld bytes", name,
                         (long long)LIMIT_SECRET_BYTES);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    environment_add(plan, name, text);
    masks_add(masks, text);
    return 0;
}

static void add_optional(struct process_plan *plan, const char *name, const char *value)
{
    if (value != NULL)
        environment_add(plan, name, value);
}

static void add_number(struct process_plan *plan, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    environment_add(plan, name, text);
}

/* The run's trace; below the span of this attempt, where there is one. */
static void add_trace(struct process_plan *plan, const struct task_dispatch *dispatch)
{
    char below[TRACEPARENT_SIZE], span_id[SPAN_ID_SIZE];
    if (!trace_wants(dispatch->traceparent)) {
        add_optional(plan, "TRACEPARENT", dispatch->traceparent);
        return;
    }
    span_id_of(&dispatch->dispatch_id, SPAN_OF_ATTEMPT, span_id);
    traceparent_below(dispatch->traceparent, span_id, below);
    environment_add(plan, "TRACEPARENT", below);
}

static void add_run(struct process_plan *plan, const struct task_dispatch *dispatch)
{
    environment_add(plan, "CI", "true");
    environment_add(plan, "VERDICT", "true");
    environment_add(plan, "VERDICT_RUN_ID", dispatch->run_id.text);
    environment_add(plan, "VERDICT_TASK_ID", dispatch->task_id.text);
    add_number(plan, "VERDICT_RUN_NUMBER", dispatch->run_number);
    add_optional(plan, "VERDICT_RUN_URL", dispatch->run_url);
    add_trace(plan, dispatch);
    add_optional(plan, "VERDICT_BUILD", dispatch->build_version);
    add_optional(plan, "VERDICT_BRANCH", dispatch->branch);
    add_optional(plan, "VERDICT_COMMIT", dispatch->commit_sha);
    add_optional(plan, "VERDICT_ENVIRONMENT", json_find_text(dispatch->environment, "slug"));
    add_optional(plan, "VERDICT_ENVIRONMENT_URL", json_find_text(dispatch->environment, "url"));
    add_number(plan, "VERDICT_ATTEMPT", dispatch->attempt);
    /* The shard in the usual spellings: from 0 and from 1. */
    add_number(plan, "VERDICT_TASK_INDEX", dispatch->task_index);
    add_number(plan, "VERDICT_TASK_TOTAL", dispatch->task_total);
    add_number(plan, "SHARD_INDEX", dispatch->task_index);
    add_number(plan, "SHARD_TOTAL", dispatch->task_total);
    add_number(plan, "CI_NODE_INDEX", dispatch->task_index + 1);
    add_number(plan, "CI_NODE_TOTAL", dispatch->task_total);
}

static void add_parameters(struct process_plan *plan, const json_t *parameters)
{
    const char *name;
    const json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)parameters, name, value) {
        AUTO(text_free) char *variable = xasprintf("VERDICT_PARAM_%s", name);
        AUTO(text_free)
        char *text = json_is_string(value) ? xstrdup(json_string_value(value)) : json_text(value);
        for (char *c = variable; *c != '\0'; c++)
            *c = (char)(isalnum((unsigned char)*c) ? toupper((unsigned char)*c) : '_');
        environment_add(plan, variable, text);
    }
}

int workspace_environment(const struct executor *executor, const struct workspace *workspace,
                          const struct task_dispatch *dispatch, const struct suite_spec *suite,
                          struct process_plan *plan, struct masks *masks, struct error *error)
{
    const char *name;
    const json_t *value;
    environment_add(plan, "PATH", executor->settings->path);
    environment_add(plan, "HOME", workspace->home);
    environment_add(plan, "TMPDIR", workspace->temporary);
    environment_add(plan, "LANG", "C.UTF-8");
    environment_add(plan, "VERDICT_REPORT_DIR", workspace->reports);
    add_run(plan, dispatch);
    add_parameters(plan, dispatch->parameters);
    json_object_foreach (suite->environment, name, value)
        environment_add(plan, name, json_string_value(value));
    for (size_t i = 0; i < suite->secrets.count; i++)
        if (add_secret(executor, suite->secrets.list[i], plan, masks, error) < 0)
            return -1;
    return 0;
}
