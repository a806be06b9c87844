/* SPDX-License-Identifier: Apache-2.0 */
/* Running the tests, from the start of their process to its end. */
#include "agent/tests.h"

#include <poll.h>
#include <unistd.h>

#include "agent/finish.h"
#include "agent/items.h"
#include "agent/work.h"
#include "base/clock.h"
#include "base/memory.h"
#include "log/log.h"
#include "message/task_started.h"

#define STREAM_BYTES 65536

static bool read_pipe(struct job *job)
{
    static char bytes[STREAM_BYTES];
    struct work *work = job->work;
    if (work->workspace.stream_fd < 0)
        return false;
    ssize_t length = read(work->workspace.stream_fd, bytes, sizeof bytes);
    if (length > 0)
        reports_feed_stream(work->reports, bytes, (size_t)length);
    return length > 0;
}

/* Once for each event: a test that never stops writing holds nobody up. */
static void on_pipe(void *context)
{
    read_pipe(context);
}

static void on_started(void *context)
{
    struct job *job = context;
    job->work->started_wall_ms = wall_ms();
    job->work->started_ms = monotonic_ms();
    log_debug("test started", LOG_TEXT("run_id", job->stream.run_id.text));
}

static void on_output(void *context, enum run_output stream, const char *bytes, size_t length)
{
    struct job *job = context;
    output_add(job->work->outputs[stream], bytes, length);
    reports_feed_output(job->work->reports, stream, bytes, length);
}

static void on_end(void *context, const struct process_end *end)
{
    struct job *job = context;
    struct work *work = job->work;
    work->end = *end;
    while (read_pipe(job))
        ; /* nobody writes any more */
    if (work->workspace.stream_fd >= 0)
        loop_remove_fd(job->executor->tools.loop, work->workspace.stream_fd);
    output_finish(work->outputs[0]);
    output_finish(work->outputs[1]);
    if (end->strays > 0)
        items_say(job, "%lld processes were left behind, and were ended", (long long)end->strays);
    job->executor->runner->free(&work->execution);
    job->state = JOB_READING;
}

static void say_started(struct job *job)
{
    struct executor *executor = job->executor;
    AUTO(text_free) char *text = NULL;
    struct error error;
    const struct task_started started = {.worker_id = executor->identity.worker_id,
                                         .pool_id = executor->identity.pool_id,
                                         .incarnation = executor->identity.incarnation,
                                         .run_id = job->stream.run_id,
                                         .task_id = job->stream.task_id,
                                         .dispatch_id = job->dispatch_id,
                                         .attempt = job->stream.attempt};
    if (message_encode(&task_started_message, &started, &text, &error) < 0 ||
        executor_send(executor, executor->identity.scheduling_topic,
                      executor->identity.scheduling_partition, text, 0, &error) < 0)
        log_failure(LOG_LEVEL_WARNING, "task.started (the next heartbeat says it too)", &error);
}

static struct artifacts *find_artifacts(const struct work *work, const char *directory)
{
    const struct report_plan *report = &work->report_plan;
    const bool has_files = report->source == REPORT_FROM_FILES;
    const struct artifacts_place place = {
        .directory = directory,
        .patterns = &work->suite.artifacts,
        .report_directory = report->directory == NULL ? directory : report->directory,
        .report_pattern = has_files ? report->pattern : NULL};
    return work->suite.artifacts.count == 0 ? NULL : artifacts_new(&place);
}

void tests_start(struct job *job)
{
    struct work *work = job->work;
    struct executor *executor = job->executor;
    struct error error;
    const struct run_handlers handlers = {
        .on_started = on_started, .on_output = on_output, .on_end = on_end, .context = job};
    const struct reports_handlers report_handlers = {
        .on_planned = items_on_planned, .on_result = items_on_result, .context = job};
    AUTO(text_free)
    char *directory = work->suite.directory == NULL
                          ? xstrdup(work->directory)
                          : xasprintf("%s/%s", work->directory, work->suite.directory);
    work->plan.directory = directory;
    work->started_wall_ms = wall_ms();
    work->started_ms = monotonic_ms();
    work->reports = reports_new(&work->report_plan, work->dispatch.suite_slug,
                                work->suite.framework, directory, &report_handlers);
    work->artifacts = find_artifacts(work, directory);
    if (executor->runner->start(&executor->tools, &work->plan, &handlers, &work->execution,
                                &error) < 0) {
        finish_failed(job, ENDED_EXEC_FAILED, &error);
        return;
    }
    say_started(job); /* behind the start: the test does not wait for the sending */
    if (work->workspace.stream_fd >= 0)
        loop_add_fd(executor->tools.loop, work->workspace.stream_fd, POLLIN, on_pipe, job);
    executor_heartbeat_soon(executor);
}
