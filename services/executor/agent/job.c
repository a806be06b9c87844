/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a dispatch on this worker. Whatever goes wrong ends in a `finished` item that says so. */
#include "agent/job.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/output.h"
#include "agent/reports.h"
#include "agent/workspace.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "frameworks/framework.h"
#include "log/log.h"
#include "message/task_started.h"
#include "report/text.h"
#include "sources/source.h"

#define SOURCE_WORDS_MAX 1000 /* of what git says, for people */
#define STREAM_BYTES     65536
#define NOT_STOPPED      (-1)
#define READING_FILES    4 /* a file, and directories on the way to it */
#define READ_AGAIN_MS    100

/* All that running takes; freed when the stream has its last item. */
struct work {
    struct task_dispatch dispatch;
    struct suite_spec suite;
    struct workspace workspace;
    struct masks *masks;
    struct output_budget budget;
    struct output *outputs[2];
    struct reports *reports;
    struct report_plan report_plan;
    struct process_plan plan;  /* of the tests */
    struct process_plan fetch; /* of the source; no argv when there is nothing to fetch */
    char *directory;           /* where the source lies */
    struct buffer fetch_words;
    struct execution *execution;
    bool tests_started;
    int stop_ending; /* enum ending_kind that was ordered, NOT_STOPPED */
    char *stop_detail;
    int64_t deadline_ms; /* monotonic */
    int64_t started_wall_ms, started_ms;
    struct process_end end;
    int64_t counts[RESULT_STATUS_COUNT];
};

static void finish(struct job *job, enum ending_kind ending, const char *detail,
                   enum report_state report);
static void fail(struct job *job, enum ending_kind ending, const struct error *why);
static void fail_exec(struct job *job, enum ending_kind ending, const struct process_plan *plan,
                      int error_number);

/* ---- items ------------------------------------------------------------------------------------ */

/* A mask can be longer than what it hides. */
static char *mask(const struct job *job, const char *text, size_t max_bytes)
{
    char *masked = masks_cut_text(job->work->masks, text, REPORT_CUT_MARK, max_bytes);
    if (masked != NULL)
        masked[utf8_cut(masked, strlen(masked), max_bytes)] = '\0';
    return masked;
}

/* What is ended before its time is done again, or nobody waits for it: how tests die of our signal is no result. */
static bool is_given_up(const struct work *work)
{
    return work->stop_ending == ENDED_HANDED_BACK || work->stop_ending == ENDED_CANCELLED;
}

static void on_result(void *context, const struct stream_result *result)
{
    struct job *job = context;
    struct stream_result masked = *result;
    if (is_given_up(job->work))
        return;
    AUTO(text_free) char *message = mask(job, result->message, LIMIT_RESULT_MESSAGE_BYTES);
    AUTO(text_free) char *trace = mask(job, result->trace, LIMIT_RESULT_TRACE_BYTES);
    AUTO(text_free) char *file = mask(job, result->file, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *class = mask(job, result->class, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *name = mask(job, result->name, LIMIT_CASE_NAME_BYTES);
    AUTO(text_free) char *parameters = mask(job, result->parameters, LIMIT_CASE_NAME_BYTES);
    masked.message = message;
    masked.trace = trace;
    masked.file = file;
    masked.class = class;
    masked.name = name;
    masked.parameters = parameters;
    job->work->counts[result->status]++;
    stream_add(&job->stream, ITEM_RESULT, &masked);
}

static void on_planned(void *context, int64_t count)
{
    struct job *job = context;
    const struct stream_planned planned = {
        .count = count > LIMIT_CASES_PER_RUN ? LIMIT_CASES_PER_RUN : count};
    /* Of one piece of a run it says nothing: the run's cases were declared. */
    if (job->work->dispatch.cases.count == 0)
        stream_add(&job->stream, ITEM_PLANNED, &planned);
}

static void on_log(void *context, enum log_stream stream, const char *text)
{
    struct job *job = context;
    const struct stream_log log = {
        .stream = (int)stream, .text = (char *)(uintptr_t)text, .at = wall_ms()};
    stream_add(&job->stream, ITEM_LOG, &log);
}

/* A line of ours among the output. */
static void say(struct job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct job *job, const char *format, ...)
{
    char text[ERROR_TEXT_MAX + 200];
    va_list args;
    va_start(args, format);
    int length = snprintf(text, sizeof text, "[verdict: ");
    vsnprintf(text + length, sizeof text - (size_t)length - 3, format, args);
    va_end(args);
    AUTO(text_free) char *line = xasprintf("%s]\n", text);
    AUTO(text_free) char *clean = utf8_clean(line, strlen(line)); /* it may have been cut */
    on_log(job, LOG_VERDICT, clean);
}

/* ---- the tests -------------------------------------------------------------------------------- */

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
        say(job, "%lld processes were left behind, and were ended", (long long)end->strays);
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

static void start_tests(struct job *job)
{
    struct work *work = job->work;
    struct executor *executor = job->executor;
    struct error error;
    const struct run_handlers handlers = {
        .on_started = on_started, .on_output = on_output, .on_end = on_end, .context = job};
    const struct reports_handlers report_handlers = {
        .on_planned = on_planned, .on_result = on_result, .context = job};
    AUTO(text_free)
    char *directory = work->suite.directory == NULL
                          ? xstrdup(work->directory)
                          : xasprintf("%s/%s", work->directory, work->suite.directory);
    work->plan.directory = directory;
    work->started_wall_ms = wall_ms();
    work->started_ms = monotonic_ms();
    work->reports = reports_new(&work->report_plan, work->dispatch.suite_slug,
                                work->suite.framework, directory, &report_handlers);
    if (executor->runner->start(&executor->tools, &work->plan, &handlers, &work->execution,
                                &error) < 0) {
        fail(job, ENDED_EXEC_FAILED, &error);
        return;
    }
    work->tests_started = true;
    say_started(job); /* behind the start: the test does not wait for the sending */
    if (work->workspace.stream_fd >= 0)
        loop_add_fd(executor->tools.loop, work->workspace.stream_fd, POLLIN, on_pipe, job);
    executor_heartbeat_soon(executor);
}

/* ---- the source ------------------------------------------------------------------------------- */

static void on_fetch_started(void *context)
{
    (void)context;
}

static void on_fetch_output(void *context, enum run_output stream, const char *bytes, size_t length)
{
    struct job *job = context;
    struct buffer *words = &job->work->fetch_words;
    size_t room = words->max_bytes - words->length;
    (void)stream;
    buffer_add(words, bytes, length < room ? length : room);
}

static void on_fetch_end(void *context, const struct process_end *end)
{
    struct job *job = context;
    struct work *work = job->work;
    bool ok = end->exec_errno == 0 && !end->lost && WIFEXITED(end->status) &&
              WEXITSTATUS(end->status) == 0;
    job->executor->runner->free(&work->execution);
    if (work->stop_ending != NOT_STOPPED) {
        finish(job, (enum ending_kind)work->stop_ending, work->stop_detail, REPORT_IS_MISSING);
    } else if (end->exec_errno != 0) {
        fail_exec(job, ENDED_SOURCE_FAILED, &work->fetch, end->exec_errno);
    } else if (ok) {
        start_tests(job);
    } else {
        AUTO(text_free)
        char *words = utf8_clean(buffer_text(&work->fetch_words), work->fetch_words.length);
        finish(job, ENDED_SOURCE_FAILED, words[0] == '\0' ? "git said nothing" : words,
               REPORT_IS_MISSING);
    }
}

static void fetch(struct job *job)
{
    struct work *work = job->work;
    struct error error;
    const struct run_handlers handlers = {.on_started = on_fetch_started,
                                          .on_output = on_fetch_output,
                                          .on_end = on_fetch_end,
                                          .context = job};
    work->fetch.directory = work->workspace.root;
    if (job->executor->runner->start(&job->executor->tools, &work->fetch, &handlers,
                                     &work->execution, &error) < 0)
        fail(job, ENDED_SOURCE_FAILED, &error);
}

/* ---- preparing -------------------------------------------------------------------------------- */

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
                                     .cache_mb = settings->git_cache_mb};
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

static int prepare(struct job *job, struct error *error)
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

static struct work *work_new(struct job *job, const struct task_dispatch *dispatch)
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
    buffer_init(&work->fetch_words, SOURCE_WORDS_MAX);
    work->outputs[0] = output_new(LOG_STDOUT, work->masks, &work->budget, on_log, job);
    work->outputs[1] = output_new(LOG_STDERR, work->masks, &work->budget, on_log, job);
    return work;
}

static void work_free(struct job *job)
{
    struct work *work = job->work;
    if (work == NULL)
        return;
    if (work->execution != NULL && work->workspace.stream_fd >= 0)
        loop_remove_fd(job->executor->tools.loop, work->workspace.stream_fd);
    job->executor->runner->free(&work->execution);
    reports_free(&work->reports);
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
    free(work->report_plan.pattern);
    free(work->directory);
    free(work->stop_detail);
    memory_free(&job->work);
}

/* ---- the end ---------------------------------------------------------------------------------- */

static void finish(struct job *job, enum ending_kind ending, const char *detail,
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
        say(job, "%s", clean);
    stream_add(&job->stream, ITEM_FINISHED, &finished);
    metric_add_labelled(&executor_metrics[EXECUTOR_TASKS], 1,
                        (const char *[]){names_get(&ending_kind_names, (int)ending)});
    metric_observe(&executor_metrics[EXECUTOR_TASK_SECONDS],
                   (double)(monotonic_ms() - work->started_ms) / 1000.0);
    log_info("task finished", LOG_TEXT("run_id", job->stream.run_id.text),
             LOG_TEXT("dispatch_id", job->dispatch_id.text),
             LOG_TEXT("ending", names_get(&ending_kind_names, (int)ending)),
             LOG_TEXT("detail", finished.detail));
    if (job->state != JOB_ACCEPTED)
        job->executor->running--;
    job->state = JOB_FINISHED;
    job->whole = true;
    work_free(job);
    executor_heartbeat_soon(job->executor);
}

/* It could not begin. What this worker lacks is no fault of the tests. */
static void fail(struct job *job, enum ending_kind ending, const struct error *why)
{
    if (error_is(why, NO_MEANS)) {
        means_lacked(&job->executor->means, why->text);
        log_failure(LOG_LEVEL_WARNING, "no new task is taken", why);
        ending = ENDED_HANDED_BACK;
    }
    finish(job, ending, why->text, REPORT_IS_MISSING);
}

static void fail_exec(struct job *job, enum ending_kind ending, const struct process_plan *plan,
                      int error_number)
{
    struct error error;
    error_set(&error, means_code_of_exec(error_number), "%s: %s", plan->argv.list[0],
              strerror(error_number));
    fail(job, ending, &error);
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

/* The processes are gone: read what they have left, a piece at a time. */
static void read_reports(struct job *job)
{
    struct work *work = job->work;
    char detail[400], how[80];
    struct error why = {.text = ""};
    if (!reports_read_files(work->reports))
        return;
    if (work->end.exec_errno != 0) {
        fail_exec(job, ENDED_EXEC_FAILED, &work->plan, work->end.exec_errno);
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
    finish(job, ending, detail[0] != '\0' ? detail : why.text, report);
}

void job_stop(struct job *job, int ending, const char *detail, int64_t grace_ms)
{
    struct work *work = job->work;
    if (work == NULL || job->state == JOB_READING)
        return;
    if (work->stop_ending == NOT_STOPPED) {
        work->stop_ending = ending;
        work->stop_detail = detail == NULL ? NULL : xstrdup(detail);
    }
    if (job->state == JOB_ACCEPTED)
        finish(job, (enum ending_kind)ending, detail, REPORT_IS_MISSING);
    else if (work->execution != NULL)
        job->executor->runner->stop(work->execution,
                                    grace_ms == JOB_OWN_GRACE ? work->dispatch.grace_ms : grace_ms);
}

/* ---- being accepted, found, settled ------------------------------------------------------------ */

static struct job *job_new(struct executor *executor, const struct stream *stream)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->executor = executor;
    job->dispatch_id = stream->dispatch_id;
    job->number = ++executor->last_job;
    job->stream = *stream;
    job->stream.executor = executor;
    job->stream.number = job->number;
    backoff_init(&job->stream.retry, 100, 5000);
    backoff_init(&job->stream.flush_retry, 100, 5000);
    HASH_ADD(hh, executor->jobs, dispatch_id, sizeof job->dispatch_id, job);
    return job;
}

static struct job *accept(struct executor *executor, const struct task_dispatch *dispatch)
{
    const struct stream stream = {.run_id = dispatch->run_id,
                                  .task_id = dispatch->task_id,
                                  .dispatch_id = dispatch->dispatch_id,
                                  .attempt = dispatch->attempt,
                                  .partition = (int)dispatch->results_partition,
                                  .new_name = true};
    struct job *job = job_new(executor, &stream);
    AUTO(text_free) char *header = stream_header(&job->stream);
    log_debug("dispatch received", LOG_TEXT("run_id", dispatch->run_id.text));
    job->stream.file = spool_file_create(executor->spool, job->dispatch_id.text, header);
    job->work = work_new(job, dispatch);
    job->state = JOB_ACCEPTED;
    return job;
}

void job_refuse(struct executor *executor, const struct task_dispatch *dispatch, const char *detail)
{
    finish(accept(executor, dispatch), ENDED_HANDED_BACK, detail, REPORT_IS_MISSING);
}

static void begin(struct job *job)
{
    struct executor *executor = job->executor;
    struct error error;
    job->state = JOB_RUNNING;
    executor->running++;
    job->work->deadline_ms = monotonic_ms() + job->work->dispatch.timeout_ms;
    if (prepare(job, &error) < 0)
        fail(job, error_is(&error, "source_failed") ? ENDED_SOURCE_FAILED : ENDED_EXEC_FAILED,
             &error);
    else if (job->work->fetch.argv.count > 0)
        fetch(job);
    else
        start_tests(job);
    executor_heartbeat_soon(executor);
}

static bool slot_is_free(const struct executor *executor)
{
    return executor->running < (int)executor->settings->slots;
}

static bool may_begin(const struct job *job)
{
    return slot_is_free(job->executor) && exclusive_may_begin(&job->exclusive, boot_ms());
}

void job_accept(struct executor *executor, const struct task_dispatch *dispatch)
{
    struct job *job = accept(executor, dispatch);
    job->exclusive =
        (struct exclusive){.lease_ms = dispatch->lease_ms, .grace_ms = dispatch->grace_ms};
    if (may_begin(job))
        begin(job);
    else
        executor_heartbeat_soon(executor);
}

static void look_at_last(void *context, int64_t seq, const char *item, size_t length)
{
    AUTO(json_free) json_t *json = NULL;
    struct error ignored;
    bool *whole = context;
    (void)seq;
    if (json_parse(item, length, &json, &ignored) == 0) {
        const char *kind = json_find_text(json, "kind");
        *whole = kind != NULL && strcmp(kind, names_get(&item_kind_names, ITEM_FINISHED)) == 0;
    }
}

int job_recover(struct executor *executor, const char *name, const char *header,
                struct spool_file *file, struct error *error)
{
    struct stream stream;
    struct error damage;
    if (stream_read_header(header, &stream, &damage) < 0 ||
        strcmp(stream.dispatch_id.text, name) != 0) {
        spool_file_put_aside(&file);
        return 0;
    }
    struct job *job = job_new(executor, &stream);
    int64_t count = spool_file_count(file);
    job->stream.file = file;
    job->stream.flush_asked = job->stream.durable = count;
    job->state = JOB_FINISHED;
    job->recovered = true;
    if (count > 0 && spool_file_read(file, count, count, 1, look_at_last, &job->whole) == 0)
        return error_set(error, "unavailable", "cannot read %s in the spool: %s", name,
                         strerror(errno));
    spool_file_rest(file);
    log_info("spool found", LOG_TEXT("dispatch_id", name), LOG_INT("items", count),
             LOG_INT("whole", job->whole));
    return 0;
}

struct job *job_find(const struct executor *executor, const char *dispatch_id)
{
    struct uuid id = {""};
    struct error ignored;
    struct job *job;
    if (uuid_parse(dispatch_id, &id, &ignored) < 0)
        return NULL;
    HASH_FIND(hh, executor->jobs, &id, sizeof id, job);
    return job;
}

void job_settle(struct job **job)
{
    assert((*job)->work == NULL);
    spool_file_remove(&(*job)->stream.file);
    job_free(job);
}

void job_put_aside(struct job **job)
{
    assert((*job)->work == NULL);
    log_warning("the ledger does not know of it: its results are put aside",
                LOG_TEXT("dispatch_id", (*job)->dispatch_id.text));
    spool_file_put_aside(&(*job)->stream.file);
    job_free(job);
}

void job_free(struct job **job_p)
{
    struct job *job = *job_p;
    if (job == NULL)
        return;
    if (job->work != NULL && job->state != JOB_ACCEPTED)
        job->executor->running--;
    work_free(job);
    spool_file_close(&job->stream.file);
    HASH_DEL(job->executor->jobs, job);
    memory_free(job_p);
}

bool job_is_open(const struct job *job)
{
    return job->state != JOB_FINISHED;
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    if (b_ms < 0)
        return a_ms;
    return a_ms < 0 || b_ms < a_ms ? b_ms : a_ms;
}

/* Returns ms until it is due; -1: never. */
static int64_t stop_when_not_heard(struct job *job)
{
    const struct exclusive *exclusive = &job->exclusive;
    if (exclusive->lease_ms == 0 || job->work->stop_ending != NOT_STOPPED)
        return -1;
    int64_t left_ms = exclusive_left_ms(exclusive, boot_ms());
    if (left_ms > 0)
        return left_ms;
    job_stop(job, ENDED_CANCELLED,
             "it is exclusive, and no scheduler was heard for so long that it may be given away",
             exclusive_grace_ms(exclusive));
    return -1;
}

static int64_t running_work(struct job *job)
{
    struct work *work = job->work;
    int64_t now_ms = monotonic_ms(), left_ms = work->deadline_ms - now_ms;
    if (left_ms <= 0 && work->stop_ending == NOT_STOPPED)
        job_stop(job, ENDED_TIMED_OUT, "the task was over its time limit", work->dispatch.grace_ms);
    int64_t wait_ms = sooner(left_ms > 0 ? left_ms : 1000, stop_when_not_heard(job));
    wait_ms = sooner(wait_ms, output_flush_due(work->outputs[0], now_ms));
    return sooner(wait_ms, output_flush_due(work->outputs[1], now_ms));
}

int64_t job_work(struct job *job)
{
    int64_t wait_ms = -1;
    if (job->state == JOB_ACCEPTED && may_begin(job))
        begin(job);
    if (job->state == JOB_READING && !means_have_descriptors(READING_FILES)) {
        wait_ms = READ_AGAIN_MS; /* a report that cannot be opened now would be none */
    } else if (job->state == JOB_READING) {
        read_reports(job);
        wait_ms = 0;
    } else if (job->state == JOB_RUNNING) {
        wait_ms = running_work(job);
    }
    return sooner(wait_ms, stream_work(&job->stream, job->whole));
}
