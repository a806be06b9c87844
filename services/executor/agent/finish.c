/* SPDX-License-Identifier: Apache-2.0 */
/* Judging how a job ended, and saying it. */
#include "agent/finish.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/items.h"
#include "agent/work.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "executor_metrics.h"
#include "log/log.h"
#include "report/text.h"
#include "trace/trace.h"

static void add_span(const struct job *job, const struct stream_finished *finished)
{
    const struct work *work = job->work;
    const char *ending = names_get(&ending_kind_names, finished->ending);
    if (!trace_wants(work->dispatch.traceparent))
        return;
    struct span span = span_new("attempt", SPAN_CONSUMER, work->dispatch.traceparent);
    span_id_of(&job->dispatch_id, SPAN_OF_ATTEMPT, span.id);
    span_id_of(&job->dispatch_id, SPAN_OF_DISPATCH, span.parent_id);
    span.start_us = work->received_us;
    span.end_us = monotonic_us();
    span_text(&span, "verdict.run.id", job->stream.run_id.text);
    span_text(&span, "verdict.task.id", job->stream.task_id.text);
    span_text(&span, "verdict.dispatch.id", job->dispatch_id.text);
    span_number(&span, "verdict.attempt", job->stream.attempt);
    span_text(&span, "verdict.ending", ending);
    span_number(&span, "process.exit.code", finished->exit_status);
    if (finished->ending != ENDED_EXITED || finished->exit_status != 0)
        span_fail(&span, finished->detail == NULL ? ending : finished->detail);
    trace_add(&span);
}

void finish_job(struct job *job, enum ending_kind ending, const char *detail,
                enum report_state report)
{
    struct work *work = job->work;
    bool exited = WIFEXITED(work->end.status);
    bool ran = ending == ENDED_EXITED || ending == ENDED_SIGNALLED;
    AUTO(text_free)
    char *masked = masks_cut_text(work->masks, detail == NULL ? "" : detail, REPORT_CUT_MARK,
                                  ERROR_TEXT_MAX - 1);
    AUTO(text_free) char *clean = utf8_clean(masked, strlen(masked));
    const struct stream_finished finished = {
        .ending = (int)ending,
        .exit_status = ran && exited ? WEXITSTATUS(work->end.status) : -1,
        .signal = ran && !exited ? WTERMSIG(work->end.status) : 0,
        .detail = clean[0] == '\0' ? NULL : clean,
        .report = (int)report,
        .passed = work->counts[RESULT_PASSED],
        .failed = work->counts[RESULT_FAILED],
        .errored = work->counts[RESULT_ERRORED],
        .skipped = work->counts[RESULT_SKIPPED],
        .blocked = work->counts[RESULT_BLOCKED],
        .log_bytes = work->budget.kept_bytes,
        .log_truncated = work->budget.truncated,
        .started_at = work->started_wall_ms,
        .finished_at = wall_ms()};
    if (clean[0] != '\0')
        items_say(job, "%s", clean);
    stream_add(&job->stream, ITEM_FINISHED, &finished);
    metric_add_labelled(&executor_metrics[EXECUTOR_TASKS], 1,
                        (const char *[]){names_get(&ending_kind_names, (int)ending)});
    metric_observe(&executor_metrics[EXECUTOR_TASK_SECONDS],
                   (double)(monotonic_ms() - work->started_ms) / 1000.0);
    log_info("task finished", LOG_TEXT("run_id", job->stream.run_id.text),
             LOG_TEXT("dispatch_id", job->dispatch_id.text),
             LOG_TEXT("ending", names_get(&ending_kind_names, (int)ending)),
             LOG_TEXT("detail", finished.detail));
    add_span(job, &finished);
    if (job->state != JOB_ACCEPTED)
        job->executor->running--;
    job->state = JOB_FINISHED;
    job->whole = true;
    work_free(job);
    executor_heartbeat_soon(job->executor);
}

/* It could not begin. What this worker lacks is no fault of the tests. */
void finish_failed(struct job *job, enum ending_kind ending, const struct error *why)
{
    if (error_is(why, NO_MEANS)) {
        means_lacked(&job->executor->means, why->text);
        log_failure(LOG_LEVEL_WARNING, "no new task is taken", why);
        ending = ENDED_HANDED_BACK;
    }
    finish_job(job, ending, why->text, REPORT_IS_MISSING);
}

void finish_exec_failed(struct job *job, enum ending_kind ending, const struct process_plan *plan,
                        int error_number)
{
    struct error error;
    error_set(&error, means_code_of_exec(error_number), "%s: %s", plan->argv.list[0],
              strerror(error_number));
    finish_failed(job, ending, &error);
}

static enum ending_kind judge_end(const struct work *work, char detail[400])
{
    const struct process_end *end = &work->end;
    detail[0] = '\0';
    if (work->stop_ending != NOT_STOPPED) {
        text_format(detail, 400, "%s", work->stop_detail == NULL ? "" : work->stop_detail);
        return (enum ending_kind)work->stop_ending;
    }
    if (end->limit != PROCESS_LIMIT_NONE) {
        text_format(detail, 400, "limit %s was exceeded",
                    names_get(&process_limit_names, end->limit));
        return ENDED_LIMIT_EXCEEDED;
    }
    if (end->lost) {
        text_format(detail, 400, "the process that watched the tests was ended");
        return ENDED_SIGNALLED;
    }
    return WIFEXITED(end->status) ? ENDED_EXITED : ENDED_SIGNALLED;
}

static void finish_kept(void *context)
{
    struct job *job = context;
    const struct work *work = job->work;
    for (size_t i = 0; work->artifacts != NULL && i < artifacts_words(work->artifacts)->count; i++)
        items_say(job, "%s", artifacts_words(work->artifacts)->list[i]);
    finish_job(job, work->ending, work->ending_detail, work->report);
}

/* A store that is full or away is no fault of the tests: that is said, and nothing else changes. */
static void keep_artifacts(struct job *job)
{
    struct executor *executor = job->executor;
    const struct artifacts_target target = {.api_url = executor->settings->api_url,
                                            .dispatch_id = job->dispatch_id,
                                            .worker_key = executor->identity.key,
                                            .loop = executor->tools.loop,
                                            .on_done = finish_kept,
                                            .context = job};
    if (job->work->artifacts != NULL && artifacts_send(job->work->artifacts, &target))
        job->state = JOB_KEEPING;
    else
        finish_kept(job);
}

/* The processes are gone: read what they have left, a piece at a time. */
void finish_from_reports(struct job *job)
{
    struct work *work = job->work;
    char detail[400], how[80];
    struct error why = {.text = ""};
    if (!reports_read_files(work->reports))
        return;
    if (work->end.exec_errno != 0) {
        finish_exec_failed(job, ENDED_EXEC_FAILED, &work->plan, work->end.exec_errno);
        return;
    }
    enum ending_kind ending = judge_end(work, detail);
    bool exited = ending == ENDED_EXITED;
    snprintf(how, sizeof how, exited ? "exit status %d" : "signal %d",
             exited ? WEXITSTATUS(work->end.status) : WTERMSIG(work->end.status));
    bool ran = ending == ENDED_EXITED || ending == ENDED_SIGNALLED;
    enum report_state report = REPORT_IS_MISSING;
    if (ran || work->report_plan.source != REPORT_FROM_STATUS)
        report = reports_finish(work->reports, exited && WEXITSTATUS(work->end.status) == 0, how,
                                monotonic_ms() - work->started_ms, &why);
    work->ending = ending;
    work->ending_detail = xstrdup(detail[0] != '\0' ? detail : why.text);
    work->report = report;
    keep_artifacts(job);
}
