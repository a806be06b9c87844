/* SPDX-License-Identifier: Apache-2.0 */
/* Worker threads, and what happens to a request from the queue to its answer. */
#include "http/workers.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/backoff.h"
#include "base/memory.h"
#include "dispatch.h"
#include "http/exchange.h"
#include "http/problem.h"
#include "http/server.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "log/log.h"

#define FOREIGN_KEY "23503" /* is violated */
#define QUEUE_MAX   2048

TAILQ_HEAD(request_queue, request);

struct worker {
    pthread_t thread;
    struct workers *workers;
    struct store *store; /* NULL: not connected */
    struct backoff reconnect;
};

struct workers {
    struct http_server *server;
    struct store_settings store;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct request_queue queue;
    int queued;
    bool stopping;
    int count; /* of started threads */
    struct worker list[];
};

static int connect_store(struct worker *worker, struct error *error)
{
    if (!backoff_is_due(&worker->reconnect))
        return error_set(error, "unavailable", "the database cannot be reached just now");
    if (store_open(&worker->workers->store, &worker->store, error) < 0) {
        backoff_failed(&worker->reconnect);
        log_failure(LOG_LEVEL_WARNING, "no connection to postgres", error);
        return -1;
    }
    backoff_succeeded(&worker->reconnect);
    return 0;
}

/* Between two requests the server has nothing to say: whatever can be read is an end. */
static bool has_ended(const struct store *store)
{
    char byte;
    return store_is_broken(store) || recv(store_fd(store), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

int request_store(struct request *request, struct store **store_r, struct error *error)
{
    struct worker *worker = request->worker;
    if (worker->store == NULL && connect_store(worker, error) < 0)
        return -1;
    *store_r = worker->store;
    return 0;
}

int request_begin(struct request *request, struct store **store_r, struct error *error)
{
    if (request_store(request, store_r, error) < 0)
        return -1;
    if (store_begin(*store_r, error) < 0)
        return -1;
    if (request->before_change == NULL)
        return 0;
    return request->before_change(request, *store_r, error);
}

int request_commit(struct request *request, struct error *error)
{
    struct store *store = request->worker->store;
    if (store_commit(store, error) < 0)
        return -1; /* also when it is unknown: the sweeper sends what may be there */
    outbox_committed(request_ingest(request)->outbox, store);
    return 0;
}

static void after_handler(struct worker *worker)
{
    if (worker->store == NULL)
        return;
    store_rollback(worker->store);
    outbox_rolled_back(http_server_ingest(worker->workers->server)->outbox, worker->store);
    if (store_is_broken(worker->store))
        store_close(&worker->store);
}

static int run_handler(struct worker *worker, struct request *request, route_handler *handler,
                       struct error *error)
{
    memset(error, 0, sizeof *error);
    int status = handler(request, &request->response, error);
    after_handler(worker);
    return status;
}

/* What a row names went, or what names it came, between our look and our write; a second try sees it. */
static void name_race(const struct request *request, struct error *error)
{
    if (strcmp(error->sqlstate, FOREIGN_KEY) != 0)
        return;
    if (strcmp(request->method, "DELETE") == 0)
        error_set(error, "conflict", "somebody added to this just now; try again");
    else
        error_set(error, "not_found", "what this belongs to was removed just now");
}

static void answer_failure(struct request *request, struct error *error)
{
    name_race(request, error);
    response_problem(&request->response, error);
    if (response_status(&request->response) < 500)
        return;
    log_write(LOG_LEVEL_ERROR, "request failed",
              (const struct log_field[]){LOG_TEXT("request_id", request->id.text),
                                         LOG_TEXT("method", request->method),
                                         LOG_TEXT("path", request->path),
                                         LOG_TEXT("error", error->text),
                                         {.name = NULL}});
}

/* Second of two: the handler has returned, and whoever it was parked for has ended the waiting. */
static void arrive(struct request *request, struct workers *workers)
{
    if (atomic_fetch_add(&request->arrivals, 1) == 0)
        return;
    atomic_store(&request->arrivals, 0);
    request->parked = false;
    metric_add(&ingest_metrics[METRIC_PARKED], -1);
    if (request->next != NULL)
        workers_resubmit(workers, request);
    else
        http_server_finish(request->server, request);
}

static void serve(struct worker *worker, struct request *request)
{
    struct workers *workers = worker->workers;
    struct error error;
    route_handler *handler = request->next == NULL ? dispatch : request->next;
    request->next = NULL;
    request->worker = worker;
    if (worker->store != NULL && has_ended(worker->store))
        store_close(&worker->store);

    bool was_connected = worker->store != NULL;
    int status = run_handler(worker, request, handler, &error);
    /* The connection broke under a question that changes nothing: ask again on a new one. */
    if (status < 0 && was_connected && worker->store == NULL && handler == dispatch &&
        strcmp(request->method, "GET") == 0)
        status = run_handler(worker, request, handler, &error);

    request->worker = NULL;
    if (status < 0)
        answer_failure(request, &error);
    if (status == 0 && request->parked) {
        metric_add(&ingest_metrics[METRIC_PARKED], 1);
        arrive(request, workers);
    } else {
        request->parked = false;
        http_server_finish(request->server, request);
    }
}

static struct request *take(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    while (TAILQ_EMPTY(&workers->queue) && !workers->stopping)
        pthread_cond_wait(&workers->wake, &workers->lock);
    struct request *request = TAILQ_FIRST(&workers->queue);
    if (request != NULL) {
        TAILQ_REMOVE(&workers->queue, request, link);
        metric_set(&ingest_metrics[METRIC_QUEUED], --workers->queued);
    }
    pthread_mutex_unlock(&workers->lock);
    return request;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct request *request;
    while ((request = take(worker->workers)) != NULL)
        serve(worker, request);
    store_close(&worker->store);
    return NULL;
}

static void put(struct workers *workers, struct request *request)
{
    TAILQ_INSERT_TAIL(&workers->queue, request, link);
    metric_set(&ingest_metrics[METRIC_QUEUED], ++workers->queued);
    pthread_cond_signal(&workers->wake);
}

int workers_submit(struct workers *workers, struct request *request, struct error *error)
{
    pthread_mutex_lock(&workers->lock);
    bool fits = workers->queued < QUEUE_MAX && !workers->stopping;
    if (fits)
        put(workers, request);
    pthread_mutex_unlock(&workers->lock);
    return fits ? 0 : error_set(error, "unavailable", "%d requests wait already", QUEUE_MAX);
}

void workers_resubmit(struct workers *workers, struct request *request)
{
    pthread_mutex_lock(&workers->lock);
    put(workers, request);
    pthread_mutex_unlock(&workers->lock);
}

void request_continue(struct request *request, route_handler *next)
{
    request->next = next;
    arrive(request, http_server_workers(request->server));
}

void request_complete(struct request *request)
{
    request->next = NULL;
    arrive(request, http_server_workers(request->server));
}

int workers_start(int count, const struct store_settings *store, struct http_server *server,
                  struct workers **workers_r, struct error *error)
{
    AUTO(workers_stop)
    struct workers *workers = xcalloc(1, sizeof *workers + (size_t)count * sizeof workers->list[0]);
    workers->server = server;
    workers->store = *store;
    workers->store.by_index = false; /* lists and reports are of all sizes */
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    TAILQ_INIT(&workers->queue);
    for (; workers->count < count; workers->count++) {
        struct worker *worker = &workers->list[workers->count];
        worker->workers = workers;
        backoff_init(&worker->reconnect, 100, 2000);
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            return error_set(error, "unavailable", "cannot start %d worker threads", count);
    }
    *workers_r = TAKE(workers);
    return 0;
}

void workers_stop(struct workers **workers_)
{
    struct workers *workers = TAKE(*workers_);
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->count; i++)
        pthread_join(workers->list[i].thread, NULL);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    memory_free(&workers);
}
