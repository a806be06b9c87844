/* SPDX-License-Identifier: Apache-2.0 */
#include "results/uploader.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cache.h"
#include "http/response.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "log/log.h"
#include "results/sender.h"

#define THREADS      12
#define PROJECT_MOST 4   /* of them for one project: the others' uploads wait for none of its */
#define QUEUE_MAX    256 /* jobs, each with its file on the disk */
#define LOOK_EACH_MS 4   /* a job that waits looks later by so much for each of them */

struct queued {
    struct upload_job job;
    int64_t due_ms;
    TAILQ_ENTRY(queued) link;
};
TAILQ_HEAD(queue, queued);

struct worker {
    pthread_t thread;
    struct uploader *uploader;
    struct upload_means means;
    struct uuid project_id; /* of the job that is under way; "": none */
};

struct uploader {
    struct ingest *ingest;
    pthread_mutex_t lock; /* of: */
    pthread_cond_t changed;
    struct queue queue; /* what no thread has, by the time that it is due */
    int queued;
    bool stopping;
    int count; /* of started threads */
    struct worker workers[THREADS];
};

/* ---- one job -------------------------------------------------------------------------------------- */

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

static void finish(struct worker *worker, struct queued *queued, json_t *json,
                   const struct error *error)
{
    cache_forget(worker->uploader->ingest->cache, &queued->job.run.id);
    answer(&queued->job, json, error);
    free(queued);
}

/* ---- the queue ------------------------------------------------------------------------------------ */

static void put(struct uploader *uploader, struct queued *queued, int64_t wait_ms)
{
    struct queued *before = TAILQ_LAST(&uploader->queue, queue);
    queued->due_ms = monotonic_ms() + wait_ms;
    while (before != NULL && before->due_ms > queued->due_ms)
        before = TAILQ_PREV(before, queue, link);
    if (before == NULL)
        TAILQ_INSERT_HEAD(&uploader->queue, queued, link);
    else
        TAILQ_INSERT_AFTER(&uploader->queue, before, queued, link);
    uploader->queued++;
}

static bool has_its_share(const struct uploader *uploader, const struct uuid *project_id)
{
    int busy = 0;
    for (int i = 0; i < THREADS; i++)
        busy += uuid_equal(&uploader->workers[i].project_id, project_id);
    return busy >= PROJECT_MOST;
}

/* The first that is due and whose project has not its share already; at the end any. NULL: none before
 * *next_ms_r (INT64_MAX: not before something changes). A thread that ends a project's job looks itself. */
static struct queued *find_next(const struct uploader *uploader, int64_t *next_ms_r)
{
    const int64_t now_ms = monotonic_ms();
    struct queued *queued;
    *next_ms_r = INT64_MAX;
    TAILQ_FOREACH (queued, &uploader->queue, link) {
        if (uploader->stopping)
            return queued;
        if (queued->due_ms > now_ms) {
            *next_ms_r = queued->due_ms;
            return NULL;
        }
        if (!has_its_share(uploader, &queued->job.run.project_id))
            return queued;
    }
    return NULL;
}

static void wait_until(struct uploader *uploader, int64_t at_ms)
{
    if (at_ms == INT64_MAX) {
        pthread_cond_wait(&uploader->changed, &uploader->lock);
        return;
    }
    const struct timespec until = monotonic_in(at_ms - monotonic_ms());
    (void)pthread_cond_timedwait(&uploader->changed, &uploader->lock, &until);
}

/* Gives `waiting` (or NULL) back, and takes the next: NULL at the end. */
static struct queued *take(struct worker *worker, struct queued *waiting, bool *stopping_r)
{
    struct uploader *uploader = worker->uploader;
    struct queued *queued;
    int64_t next_ms;
    pthread_mutex_lock(&uploader->lock);
    worker->project_id = (struct uuid){.text = ""};
    if (waiting != NULL)
        put(uploader, waiting, waiting->job.wait_ms + (int64_t)LOOK_EACH_MS * uploader->queued);
    while ((queued = find_next(uploader, &next_ms)) == NULL && !uploader->stopping)
        wait_until(uploader, next_ms);
    if (queued != NULL) {
        TAILQ_REMOVE(&uploader->queue, queued, link);
        uploader->queued--;
        pthread_cond_signal(&uploader->changed); /* another looks at the clock for the rest */
        worker->project_id = queued->job.run.project_id;
    }
    *stopping_r = uploader->stopping;
    pthread_mutex_unlock(&uploader->lock);
    return queued;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct queued *queued, *waiting = NULL;
    bool stopping;
    while ((queued = take(worker, waiting, &stopping)) != NULL) {
        struct error error = {.text = ""};
        json_t *json = NULL;
        int status = stopping
                         ? error_set(&error, "unavailable", "the server stops: upload it again")
                         : upload_job_go_on(&worker->means, &queued->job, &json, &error);
        waiting = status == UPLOAD_WAITS ? queued : NULL;
        if (waiting == NULL)
            finish(worker, queued, status < 0 ? NULL : json, &error);
    }
    store_close(&worker->means.store);
    return NULL;
}

/* A project may have as many as there is room for others: however many projects' uploads are stuck, there is some
 * for another's. */
static bool has_room(const struct uploader *uploader, const struct uuid *project_id)
{
    const struct queued *queued;
    int own = 0;
    TAILQ_FOREACH (queued, &uploader->queue, link)
        own += uuid_equal(&queued->job.run.project_id, project_id);
    return own < QUEUE_MAX - uploader->queued;
}

int uploader_submit(struct uploader *uploader, struct upload_job *job, struct error *error)
{
    struct queued *queued = xcalloc(1, sizeof *queued);
    queued->job = *job;
    pthread_mutex_lock(&uploader->lock);
    bool is_taken = !uploader->stopping && has_room(uploader, &job->run.project_id);
    if (is_taken) {
        put(uploader, queued, 0);
        pthread_cond_signal(&uploader->changed);
    }
    pthread_mutex_unlock(&uploader->lock);
    if (is_taken)
        return 0;
    uploaded_run_deinit(&job->run);
    free(queued);
    return error_set(error, "unavailable", "too many uploads wait already: upload it again later");
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
        worker->means = (struct upload_means){.ingest = ingest, .sender = sender_new(&ingest->bus)};
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            sender_free(&worker->means.sender);
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
        sender_free(&uploader->workers[i].means.sender);
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
