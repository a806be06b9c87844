/* SPDX-License-Identifier: Apache-2.0 */
#include "results/uploader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cache.h"
#include "http/response.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "installation.h"
#include "log/log.h"
#include "model/frameworks.h"
#include "report/detect.h"
#include "results/reading.h"
#include "results/sender.h"
#include "runs/run_tell.h"

#define THREADS       12
#define PROJECT_MOST  4     /* of them for one project: the others' uploads wait for none of its */
#define QUEUE_MAX     256   /* jobs, each with its file on the disk */
#define PATIENCE_MS   30000 /* for the scheduler, and then for the collector, without any progress */
#define LOOK_FIRST_MS 5
#define LOOK_MOST_MS  200

struct queued {
    struct upload_job job;
    TAILQ_ENTRY(queued) link;
};
TAILQ_HEAD(queue, queued);

struct worker {
    pthread_t thread;
    struct uploader *uploader;
    struct store *store; /* NULL: not connected */
    struct sender *sender;
    struct uuid project_id; /* of the job that is under way; "": none */
};

struct uploader {
    struct ingest *ingest;
    pthread_mutex_t lock; /* of: */
    pthread_cond_t changed;
    struct queue queue;
    int queued;
    bool stopping;
    int count; /* of started threads */
    struct worker workers[THREADS];
};

/* ---- waiting -------------------------------------------------------------------------------------- */

static bool is_stopping(struct uploader *uploader)
{
    pthread_mutex_lock(&uploader->lock);
    bool stopping = uploader->stopping;
    pthread_mutex_unlock(&uploader->lock);
    return stopping;
}

static void look_later(struct uploader *uploader, int64_t ms)
{
    const struct timespec until = monotonic_in(ms);
    pthread_mutex_lock(&uploader->lock);
    while (!uploader->stopping &&
           pthread_cond_timedwait(&uploader->changed, &uploader->lock, &until) == 0)
        continue; /* another's job */
    pthread_mutex_unlock(&uploader->lock);
}

/* ---- one job -------------------------------------------------------------------------------------- */

struct file {
    int fd;
    int64_t bytes;
    char digest[BLOB_NAME_SIZE];
};

static int find_format(struct upload_job *job, const struct file *file, struct error *error)
{
    if (job->format != NULL)
        return 0;
    AUTO(text_free) char *first = xcalloc(1, REPORT_DETECT_BYTES);
    ssize_t length = pread(file->fd, first, REPORT_DETECT_BYTES, 0);
    if (length < 0)
        return error_set(error, "unavailable", "the body cannot be read again: %s",
                         strerror(errno));
    job->format = report_detect(first, (size_t)length);
    if (job->format == NULL)
        return error_field(error, "format", "format cannot be told from the body: say which it is");
    return 0;
}

static int tell_scheduler(struct worker *worker, const struct uploaded_run *run,
                          struct error *error)
{
    return run_tell_scheduler(worker->uploader->ingest, worker->store, &run->id, &run->pool_id,
                              error);
}

static int commit(struct worker *worker, struct error *error)
{
    struct outbox *outbox = worker->uploader->ingest->outbox;
    if (store_commit(worker->store, error) == 0) {
        outbox_committed(outbox, worker->store);
        return 0;
    }
    outbox_rolled_back(outbox, worker->store);
    return -1;
}

static void roll_back(struct worker *worker)
{
    if (worker->store == NULL)
        return;
    store_rollback(worker->store);
    outbox_rolled_back(worker->uploader->ingest->outbox, worker->store);
    if (store_is_broken(worker->store))
        store_close(&worker->store);
}

static int register_upload(struct worker *worker, const struct upload_job *job,
                           const struct file *file, const struct read_counts *counts,
                           struct error *error)
{
    const struct upload_row row = {.run_id = &job->run.id,
                                   .created_by = &job->created_by,
                                   .digest = file->digest,
                                   .format = job->format->name,
                                   .variant = job->variant,
                                   .bytes = file->bytes,
                                   .cases = counts->cases};
    if (store_begin(worker->store, error) < 0 || upload_db_add(worker->store, &row, error) < 0 ||
        tell_scheduler(worker, &job->run, error) < 0)
        return -1;
    return commit(worker, error);
}

static int check_over(const struct upload_state *state, struct error *error)
{
    if (!state->is_over || state->is_recorded)
        return 0;
    return error_set(error, "conflict",
                     "the upload's time, or its run, was over before the ledger had all of it");
}

/* Until its dispatch is there (is_dispatched), or all of it in the ledger. */
static int await(struct worker *worker, const struct upload_job *job, const struct file *file,
                 bool is_for_record, struct upload_state *state_r, struct error *error)
{
    int64_t heard_ms = monotonic_ms(), received = -1, wait_ms = LOOK_FIRST_MS;
    while (!is_stopping(worker->uploader)) {
        if (upload_db_state(worker->store, &job->run.id, file->digest, job->variant, state_r, error) < 0 ||
            check_over(state_r, error) < 0)
            return -1;
        if (is_for_record ? state_r->is_recorded : !uuid_is_null(&state_r->dispatch_id))
            return 0;
        if (state_r->received > received) {
            received = state_r->received;
            heard_ms = monotonic_ms();
        }
        if (monotonic_ms() - heard_ms > PATIENCE_MS)
            return error_set(error, "unavailable",
                             is_for_record
                                 ? "the results are not recorded yet: upload them again later"
                                 : "no scheduler has taken the upload up yet: upload it again "
                                   "later");
        look_later(worker->uploader, wait_ms);
        wait_ms = wait_ms * 2 < LOOK_MOST_MS ? wait_ms * 2 : LOOK_MOST_MS;
    }
    return error_set(error, "unavailable", "the server stops: upload it again");
}

static int send_result(void *context, const struct stream_result *result, struct error *error)
{
    struct worker *worker = context;
    return sender_add_result(worker->sender, result, error);
}

static struct reading reading_of(const struct upload_job *job, const struct file *file)
{
    return (struct reading){.fd = file->fd,
                            .format = job->format,
                            .framework = framework_find(job->run.framework),
                            .suite = job->run.suite};
}

static int send_all(struct worker *worker, const struct upload_job *job, const struct file *file,
                    const struct upload_state *state, struct error *error)
{
    struct ingest *ingest = worker->uploader->ingest;
    char topic[TOPIC_NAME_SIZE];
    struct reading reading = reading_of(job, file);
    struct read_counts counts;
    struct sent_stream stream = {
        .topic = installation_topic(ingest->installation, TOPIC_RESULTS, NULL, topic),
        .partition = state->partition,
        .run_id = job->run.id,
        .task_id = state->id,
        .dispatch_id = state->dispatch_id,
        .worker_id = state->worker_id,
        .received = state->received};
    memcpy(stream.key, state->key, sizeof stream.key);
    reading.on_result = send_result;
    reading.context = worker;
    if (sender_begin(worker->sender, &stream, error) < 0 ||
        reading_run(&reading, &counts, error) < 0)
        return -1;
    const struct stream_finished finished = {.ending = ENDED_EXITED,
                                             .report = REPORT_IS_COMPLETE,
                                             .passed = counts.by_status[RESULT_PASSED],
                                             .failed = counts.by_status[RESULT_FAILED],
                                             .errored = counts.by_status[RESULT_ERRORED],
                                             .skipped = counts.by_status[RESULT_SKIPPED],
                                             .blocked = counts.by_status[RESULT_BLOCKED],
                                             .finished_at = wall_ms()};
    return sender_finish(worker->sender, &finished, error);
}

static int record_file(struct worker *worker, struct upload_job *job, const struct file *file,
                       struct uuid *upload_id_r, struct error *error)
{
    struct upload_state state;
    struct read_counts counts;
    if (upload_db_state(worker->store, &job->run.id, file->digest, job->variant, &state, error) < 0 ||
        check_over(&state, error) < 0)
        return -1;
    if (!state.is_recorded) {
        if (find_format(job, file, error) < 0)
            return -1;
        const struct reading reading = reading_of(job, file);
        if (reading_run(&reading, &counts, error) < 0 ||
            register_upload(worker, job, file, &counts, error) < 0 ||
            await(worker, job, file, false, &state, error) < 0)
            return -1;
    }
    if (!state.is_recorded && (send_all(worker, job, file, &state, error) < 0 ||
                               await(worker, job, file, true, &state, error) < 0))
        return -1;
    *upload_id_r = state.id;
    return 0;
}

static int complete(struct worker *worker, const struct upload_job *job, struct error *error)
{
    if (store_begin(worker->store, error) < 0 ||
        upload_db_complete(worker->store, &job->run.id, &job->created_by, error) < 0 ||
        tell_scheduler(worker, &job->run, error) < 0)
        return -1;
    return commit(worker, error);
}

static int perform(struct worker *worker, struct upload_job *job, json_t **answer_r,
                   struct error *error)
{
    AUTO(json_free) json_t *upload = NULL;
    struct uuid upload_id = {""};
    struct file file;
    file.fd = request_file(job->request, &file.bytes, file.digest);
    if (worker->store == NULL &&
        store_open(&worker->uploader->ingest->store, &worker->store, error) < 0)
        return -1;
    if (file.bytes > 0 && record_file(worker, job, &file, &upload_id, error) < 0)
        return -1;
    if (job->completes && complete(worker, job, error) < 0)
        return -1;
    if (file.bytes > 0 && upload_db_answer(worker->store, &upload_id, &upload, error) < 0)
        return -1;
    *answer_r =
        json_pack("{s:s, s:b, s:o}", "run_id", job->run.id.text, "complete", (int)job->completes,
                  "upload", upload == NULL ? json_null() : TAKE(upload));
    return 0;
}

/* ---- jobs ----------------------------------------------------------------------------------------- */

static void count(const char *outcome)
{
    metric_add_labelled(&ingest_metrics[METRIC_UPLOADS], 1, (const char *const[]){outcome});
}

static void answer(struct upload_job *job, json_t *json, const struct error *error)
{
    struct response *response = request_response(job->request);
    if (json != NULL)
        response_json(response, 200, json);
    else
        response_problem(response, error);
    int status = response_status(response);
    count(json != NULL ? "recorded" : status < 500 ? "refused" : "failed");
    if (status >= 500)
        log_failure(LOG_LEVEL_WARNING, "results were not taken", error);
    uploaded_run_deinit(&job->run);
    request_complete(job->request);
}

static void serve(struct worker *worker, struct upload_job *job)
{
    struct error error = {.text = ""};
    json_t *json = NULL;
    if (perform(worker, job, &json, &error) < 0)
        json = NULL;
    roll_back(worker);
    cache_forget(worker->uploader->ingest->cache, &job->run.id);
    answer(job, json, &error);
}

/* The oldest whose project has not its share already; at the end any. */
static struct queued *find_next(struct uploader *uploader)
{
    struct queued *queued;
    TAILQ_FOREACH (queued, &uploader->queue, link) {
        int busy = 0;
        for (int i = 0; i < THREADS; i++)
            busy += uuid_equal(&uploader->workers[i].project_id, &queued->job.run.project_id);
        if (busy < PROJECT_MOST || uploader->stopping)
            return queued;
    }
    return NULL;
}

static struct queued *take(struct worker *worker)
{
    struct uploader *uploader = worker->uploader;
    struct queued *queued;
    pthread_mutex_lock(&uploader->lock);
    worker->project_id = (struct uuid){.text = ""};
    pthread_cond_broadcast(&uploader->changed);
    while ((queued = find_next(uploader)) == NULL && !uploader->stopping)
        pthread_cond_wait(&uploader->changed, &uploader->lock);
    if (queued != NULL) {
        TAILQ_REMOVE(&uploader->queue, queued, link);
        uploader->queued--;
        worker->project_id = queued->job.run.project_id;
    }
    pthread_mutex_unlock(&uploader->lock);
    return queued;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct queued *queued;
    while ((queued = take(worker)) != NULL) {
        serve(worker, &queued->job);
        free(queued);
    }
    store_close(&worker->store);
    return NULL;
}

int uploader_submit(struct uploader *uploader, struct upload_job *job, struct error *error)
{
    struct queued *queued = xcalloc(1, sizeof *queued);
    queued->job = *job;
    pthread_mutex_lock(&uploader->lock);
    bool is_taken = !uploader->stopping && uploader->queued < QUEUE_MAX;
    if (is_taken) {
        TAILQ_INSERT_TAIL(&uploader->queue, queued, link);
        uploader->queued++;
        pthread_cond_broadcast(&uploader->changed);
    }
    pthread_mutex_unlock(&uploader->lock);
    if (is_taken)
        return 0;
    uploaded_run_deinit(&job->run);
    free(queued);
    return error_set(error, "unavailable", "%d uploads wait already", QUEUE_MAX);
}

int uploader_start(struct ingest *ingest, struct uploader **uploader_r, struct error *error)
{
    struct uploader *uploader = xcalloc(1, sizeof *uploader);
    pthread_condattr_t monotonic;
    uploader->ingest = ingest;
    TAILQ_INIT(&uploader->queue);
    pthread_mutex_init(&uploader->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&uploader->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *uploader_r = uploader;
    for (; uploader->count < THREADS; uploader->count++) {
        struct worker *worker = &uploader->workers[uploader->count];
        worker->uploader = uploader;
        worker->sender = sender_new(&ingest->bus);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            sender_free(&worker->sender);
            return error_set(error, "unavailable", "cannot start a thread");
        }
    }
    return 0;
}

void uploader_stop(struct uploader *uploader)
{
    if (uploader == NULL)
        return;
    pthread_mutex_lock(&uploader->lock);
    uploader->stopping = true;
    pthread_cond_broadcast(&uploader->changed);
    pthread_mutex_unlock(&uploader->lock);
    for (int i = 0; i < uploader->count; i++)
        pthread_join(uploader->workers[i].thread, NULL);
    for (int i = 0; i < uploader->count; i++)
        sender_free(&uploader->workers[i].sender);
    uploader->count = 0;
}

void uploader_free(struct uploader **uploader_)
{
    struct uploader *uploader = TAKE(*uploader_);
    if (uploader == NULL)
        return;
    pthread_cond_destroy(&uploader->changed);
    pthread_mutex_destroy(&uploader->lock);
    free(uploader);
}
