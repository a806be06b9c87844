/* SPDX-License-Identifier: Apache-2.0 */
/* Preparing a task on this machine: limits, workspace, what is to be executed; and removing it all. */
#include "agent/work.h"

#include <stdlib.h>

#include "agent/items.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "frameworks/framework.h"
#include "sources/source.h"

#define SOURCE_WORDS_MAX 1000 /* of what git says, for people */

static void take_limits(const struct suite_spec *suite, const struct task_dispatch *dispatch,
                        struct work *work)
{
    const struct suite_limits *wanted = &suite->limits;
    work->plan.limits = (struct process_limits){.cpu_seconds = wanted->cpu_seconds,
                                                .memory_bytes = wanted->memory_mb * 1024 * 1024,
                                                .open_files = wanted->open_files,
                                                .processes = wanted->processes,
                                                .file_bytes = wanted->file_mb * 1024 * 1024};
    work->plan.grace_ms = work->fetch.grace_ms = dispatch->grace_ms;
    work->budget.limit_bytes =
        wanted->output_bytes > 0 ? wanted->output_bytes : LIMIT_LOG_BYTES_PER_TASK;
}

static int prepare_source(struct job *job, struct error *error)
{
    struct work *work = job->work;
    const struct executor_settings *settings = job->executor->settings;
    AUTO(text_free) char *cache_dir = xasprintf("%s/git-cache", settings->work_dir);
    const struct source_task task = {.source = &work->suite.source,
                                     .commit = work->dispatch.commit_sha,
                                     .source_roots = settings->source_roots,
                                     .checkout_dir = work->workspace.checkout,
                                     .cache_dir = cache_dir,
                                     .cache_mb = settings->git_cache_mb,
                                     .temporary_dir = work->workspace.temporary,
                                     .api_url = settings->api_url,
                                     .dispatch_id = &job->dispatch_id,
                                     .worker_key = job->executor->identity.key};
    environment_add(&work->fetch, "PATH", settings->path);
    environment_add(&work->fetch, "HOME", work->workspace.home);
    return sources[work->suite.source.kind]->prepare(&task, &work->fetch, &work->directory, error);
}

static int prepare_tests(struct job *job, struct error *error)
{
    struct work *work = job->work;
    const struct framework *framework = executor_framework_find(work->suite.framework);
    const struct framework_task task = {.suite = &work->suite,
                                        .cases = work->dispatch.cases.list,
                                        .case_count = work->dispatch.cases.count,
                                        .report_dir = work->workspace.reports,
                                        .stream_path = work->workspace.stream,
                                        .plugin_dir = job->executor->settings->plugin_dir};
    if (framework == NULL)
        return error_set(error, "exec_failed", "this worker does not know framework %s",
                         work->suite.framework);
    if (workspace_environment(job->executor, &work->workspace, &work->dispatch, &work->suite,
                              &work->plan, work->masks, error) < 0)
        return -1;
    return framework->prepare(&task, &work->plan, &work->report_plan, error);
}

int work_prepare(struct job *job, struct error *error)
{
    struct work *work = job->work;
    if (suite_decode(work->dispatch.suite, &work->suite, error) < 0)
        return error_wrap(error, "suite");
    take_limits(&work->suite, &work->dispatch, work);
    if (workspace_make(job->executor->remover, job->executor->settings->work_dir,
                       job->dispatch_id.text, &work->workspace, error) < 0 ||
        prepare_source(job, error) < 0)
        return -1;
    return prepare_tests(job, error);
}

struct work *work_new(struct job *job, const struct task_dispatch *dispatch)
{
    struct work *work = xcalloc(1, sizeof *work);
    struct error ignored;
    AUTO(json_free) json_t *json = fields_encode(task_dispatch_message.fields, dispatch);
    if (fields_decode(task_dispatch_message.fields, json, &work->dispatch, &ignored) < 0)
        abort(); /* it was decoded by the same table a moment ago */
    work->workspace.stream_fd = -1;
    work->stop_ending = NOT_STOPPED;
    work->masks = masks_new();
    work->started_wall_ms = wall_ms();
    work->started_ms = monotonic_ms();
    work->received_us = monotonic_us();
    buffer_init(&work->fetch_words, SOURCE_WORDS_MAX);
    work->outputs[0] = output_new(LOG_STDOUT, work->masks, &work->budget, items_on_log, job);
    work->outputs[1] = output_new(LOG_STDERR, work->masks, &work->budget, items_on_log, job);
    return work;
}

void work_free(struct job *job)
{
    struct work *work = job->work;
    if (work == NULL)
        return;
    if (work->execution != NULL && work->workspace.stream_fd >= 0)
        loop_remove_fd(job->executor->tools.loop, work->workspace.stream_fd);
    job->executor->runner->free(&work->execution);
    reports_free(&work->reports);
    artifacts_free(&work->artifacts);
    free(work->ending_detail);
    output_free(&work->outputs[0]);
    output_free(&work->outputs[1]);
    masks_free(&work->masks);
    workspace_remove(job->executor->remover, &work->workspace);
    message_free(&task_dispatch_message, &work->dispatch);
    suite_deinit(&work->suite);
    texts_deinit(&work->plan.argv);
    texts_deinit(&work->plan.environment);
    texts_deinit(&work->fetch.argv);
    texts_deinit(&work->fetch.environment);
    buffer_deinit(&work->fetch_words);
    free(work->report_plan.directory);
    free(work->report_plan.pattern);
    free(work->directory);
    free(work->stop_detail);
    memory_free(&job->work);
}
