/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a dispatch on this worker: accepted or refused, found again, begun, stopped, settled. What its
 * steps do is in work.c, fetch.c, tests.c and finish.c. Whatever goes wrong ends in a `finished` item that says
 * so. */
#include "agent/job.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "agent/fetch.h"
#include "agent/finish.h"
#include "agent/tests.h"
#include "agent/work.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "log/log.h"

#define READING_FILES 4 /* a file, and directories on the way to it */
#define READ_AGAIN_MS 100

void job_stop(struct job *job, int ending, const char *detail, int64_t grace_ms)
{
    struct work *work = job->work;
    if (work == NULL || job->state == JOB_READING)
        return;
    if (job->state == JOB_KEEPING) {
        artifacts_stop(work->artifacts);
        return;
    }
    if (work->stop_ending == NOT_STOPPED) {
        work->stop_ending = ending;
        work->stop_detail = detail == NULL ? NULL : xstrdup(detail);
    }
    if (job->state == JOB_ACCEPTED)
        finish_job(job, (enum ending_kind)ending, detail, REPORT_IS_MISSING);
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
    finish_job(accept(executor, dispatch), ENDED_HANDED_BACK, detail, REPORT_IS_MISSING);
}

static void begin(struct job *job)
{
    struct executor *executor = job->executor;
    struct error error;
    job->state = JOB_RUNNING;
    executor->running++;
    job->work->deadline_ms = monotonic_ms() + job->work->dispatch.timeout_ms;
    if (work_prepare(job, &error) < 0)
        finish_failed(job,
                      error_is(&error, "source_failed") ? ENDED_SOURCE_FAILED : ENDED_EXEC_FAILED,
                      &error);
    else if (job->work->fetch.argv.count > 0)
        fetch_start(job);
    else
        tests_start(job);
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
        finish_from_reports(job);
        wait_ms = 0;
    } else if (job->state == JOB_RUNNING) {
        wait_ms = running_work(job);
    }
    return sooner(wait_ms, stream_work(&job->stream, job->whole));
}
