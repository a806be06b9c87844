/* SPDX-License-Identifier: Apache-2.0 */
/* A batch, from folding its keys over its one transaction to its answers, whatever the database does meanwhile. */
#include "runs/batcher.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "db/outbox_rows.h"
#include "db/run_batch.h"
#include "ingest_metrics.h"
#include "installation.h"
#include "ledger/outbox.h"
#include "log/log.h"
#include "message/run_request.h"
#include "message/run_submitted.h"

#define BATCH_MAX        256
#define QUEUE_MAX        4096
#define DATABASE_MS      5000 /* a batch waits so long for a database that is away */
#define RECONNECT_MIN_MS 20

TAILQ_HEAD(triggers, trigger);

struct batcher {
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct triggers queue;
    int queued;
    bool stopping;

    /* Of the thread alone: */
    struct store_settings settings;
    struct store *store; /* NULL: not connected */
    struct backoff reconnect;
    struct outbox *outbox;
    struct installation *installation;
};

/* ---- folding -------------------------------------------------------------------------------------- */

/* Those without a key come last; equal keys in the order of arrival. */
static int compare(const void *a_, const void *b_)
{
    const struct trigger *a = *(struct trigger *const *)a_, *b = *(struct trigger *const *)b_;
    if ((a->key == NULL) != (b->key == NULL))
        return a->key == NULL ? 1 : -1;
    int order = a->key == NULL ? 0 : strcmp(a->project_id.text, b->project_id.text);
    if (order == 0 && a->key != NULL)
        order = strcmp(a->key, b->key);
    return order != 0 ? order : strcmp(a->run_id.text, b->run_id.text);
}

static bool same_key(const struct trigger *a, const struct trigger *b)
{
    return a->key != NULL && b->key != NULL && strcmp(a->key, b->key) == 0 &&
           uuid_equal(&a->project_id, &b->project_id);
}

void batch_fold(struct trigger **list, int count)
{
    struct trigger *first = NULL;
    qsort(list, (size_t)count, sizeof *list, compare);
    for (int i = 0; i < count; i++) {
        if (first == NULL || !same_key(first, list[i])) {
            first = list[i];
            continue;
        }
        list[i]->same = first;
        if (memcmp(first->body_hash, list[i]->body_hash, TRIGGER_HASH_BYTES) == 0)
            continue;
        list[i]->outcome = TRIGGER_REFUSED;
        error_set(&list[i]->error, "unprocessable",
                  "this Idempotency-Key is in use at this moment, with another body");
    }
}

static void answer_repetition(struct trigger *trigger)
{
    const struct trigger *first = trigger->same;
    if (trigger->outcome != TRIGGER_OPEN)
        return;
    trigger->outcome = first->outcome == TRIGGER_REFUSED ? TRIGGER_REFUSED : TRIGGER_REPLAYED;
    trigger->answered_id = first->answered_id;
    trigger->answered_cases = first->answered_cases;
    if (first->answered_rerun != NULL)
        trigger->answered_rerun = xstrdup(first->answered_rerun);
    trigger->number = first->number;
    trigger->error = first->error;
}

/* ---- one transaction ------------------------------------------------------------------------------ */

struct transaction {
    struct batcher *batcher;
    struct store *store;
    struct outbox_rows *rows;
    bool has_rows;
};

static int tell_scheduler(struct transaction *transaction, const struct message_type *type,
                          const void *content, const struct uuid *run_id,
                          const struct uuid *pool_id, const char *traceparent, struct error *error)
{
    AUTO(text_free) char *payload = NULL;
    char topic[TOPIC_NAME_SIZE];
    int partition;
    if (message_encode(type, content, &payload, error) < 0 ||
        installation_address(transaction->batcher->installation, transaction->store,
                             TOPIC_SCHEDULING, pool_id->text, topic, &partition, error) < 0)
        return -1;
    const struct uuid id = uuid_v7();
    const struct outbox_message message = {.topic = topic,
                                           .partition = partition,
                                           .key = run_id->text,
                                           .payload = payload,
                                           .traceparent = traceparent};
    outbox_rows_add(transaction->rows, &id, topic, partition, run_id->text, payload, traceparent);
    outbox_announce(transaction->batcher->outbox, transaction->store, &id, &message);
    transaction->has_rows = true;
    return 0;
}

static int announce_runs(struct transaction *transaction, struct trigger *const *list, int count,
                         struct error *error)
{
    for (int i = 0; i < count; i++) {
        const struct trigger *trigger = list[i];
        const struct run_submitted message = {.run_id = trigger->run_id,
                                              .pool_id = trigger->pool_id};
        if (trigger->outcome == TRIGGER_CREATED &&
            tell_scheduler(transaction, &run_submitted_message, &message, &trigger->run_id,
                           &trigger->pool_id, trigger->traceparent, error) < 0)
            return -1;
    }
    return 0;
}

static int supersede_older(struct transaction *transaction, struct trigger *const *list, int count,
                           struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (run_batch_db_supersede(transaction->store, list, count, &rows, error) < 0)
        return -1;
    for (int row = 0; rows != NULL && row < rows_count(rows); row++) {
        const struct run_request message = {.run_id = rows_uuid(rows, row, 0),
                                            .pool_id = rows_uuid(rows, row, 1)};
        if (tell_scheduler(transaction, &run_request_message, &message, &message.run_id,
                           &message.pool_id, NULL, error) < 0)
            return -1;
    }
    return 0;
}

static int write_batch(struct transaction *transaction, struct trigger *const *list, int count,
                       struct error *error)
{
    struct store *store = transaction->store;
    if (store_pipeline_begin(store, error) < 0 ||
        run_batch_db_claim_keys(store, list, count, error) < 0 ||
        run_batch_db_add_suites(store, list, count, error) < 0 ||
        run_batch_db_add_runs(store, list, count, error) < 0 ||
        supersede_older(transaction, list, count, error) < 0 ||
        announce_runs(transaction, list, count, error) < 0)
        return -1;
    if (!transaction->has_rows) { /* only repetitions of what is there */
        store_rollback(store);
        return 0;
    }
    metric_add(&ingest_metrics[METRIC_TRIGGER_COMMITS], 1);
    if (outbox_rows_insert(transaction->rows, store, error) < 0)
        return -1;
    return store_pipeline_run(store, true, error);
}

static int pick_open(struct trigger *const *list, int count, struct trigger *open_r[BATCH_MAX])
{
    int found = 0;
    for (int i = 0; i < count; i++)
        if (trigger_is_open(list[i]))
            open_r[found++] = list[i];
    return found;
}

/* Of those that are open; they are open again when it fails. */
static int try_batch(struct batcher *batcher, struct trigger *const *list, int count,
                     struct error *error)
{
    struct trigger *open[BATCH_MAX];
    const int open_count = pick_open(list, count, open);
    AUTO(outbox_rows_free) struct outbox_rows *rows = outbox_rows_new();
    struct transaction transaction = {.batcher = batcher, .store = batcher->store, .rows = rows};
    if (write_batch(&transaction, open, open_count, error) == 0) {
        outbox_committed(batcher->outbox, batcher->store);
        return 0;
    }
    store_rollback(batcher->store);
    outbox_rolled_back(batcher->outbox, batcher->store);
    for (int i = 0; i < open_count; i++)
        open[i]->outcome = TRIGGER_OPEN;
    return -1;
}

/* ---- a batch, whatever comes ------------------------------------------------------------------------ */

static int connect_store(struct batcher *batcher, struct error *error)
{
    if (batcher->store != NULL && store_is_broken(batcher->store))
        store_close(&batcher->store);
    if (batcher->store != NULL)
        return 0;
    if (store_open(&batcher->settings, &batcher->store, error) < 0) {
        backoff_failed(&batcher->reconnect);
        return -1;
    }
    backoff_succeeded(&batcher->reconnect);
    return 0;
}

/* Waits between two attempts to connect, unless the service stops. */
static void wait_a_little(struct batcher *batcher)
{
    int64_t wait_ms = backoff_wait_ms(&batcher->reconnect);
    const struct timespec until =
        monotonic_in(wait_ms < RECONNECT_MIN_MS ? RECONNECT_MIN_MS : wait_ms);
    pthread_mutex_lock(&batcher->lock);
    int status = 0;
    while (!batcher->stopping && status == 0)
        status = pthread_cond_timedwait(&batcher->wake, &batcher->lock, &until);
    pthread_mutex_unlock(&batcher->lock);
}

static void refuse_open(struct trigger *const *list, int count, const struct error *error)
{
    for (int i = 0; i < count; i++) {
        if (!trigger_is_open(list[i]))
            continue;
        list[i]->outcome = TRIGGER_REFUSED;
        list[i]->error = *error;
    }
}

/* One bad one must not take the others with it. */
static void one_by_one(struct batcher *batcher, struct trigger *const *list, int count)
{
    for (int i = 0; i < count; i++) {
        struct error error;
        if (trigger_is_open(list[i]) && try_batch(batcher, &list[i], 1, &error) < 0)
            refuse_open(&list[i], 1, &error);
    }
}

static bool has_open(struct trigger *const *list, int count)
{
    for (int i = 0; i < count; i++)
        if (trigger_is_open(list[i]))
            return true;
    return false;
}

/* What is known of a batch's own COMMIT that was not answered. */
struct lost_commit {
    bool is_unknown; /* to be looked up before anything is written again */
    bool may_come;   /* its backend may still be at it, also where its rows were not seen */
};

/* What is there was committed, and its messages with it. */
static int look_up(struct batcher *batcher, struct trigger *const *list, int count,
                   struct lost_commit *lost, struct error *error)
{
    if (connect_store(batcher, error) < 0 ||
        run_batch_db_look_up(batcher->store, list, count, error) < 0)
        return -1;
    outbox_sweep_now(batcher->outbox);
    lost->is_unknown = false;
    return 0;
}

/* A COMMIT whose answer is lost is looked up before anything is written again; what is open then is written.
 * 0: there may be some left that are open, to be tried at once. */
static int settle_once(struct batcher *batcher, struct trigger *const *list, int count,
                       struct lost_commit *lost, struct error *error)
{
    if (lost->is_unknown && look_up(batcher, list, count, lost, error) < 0)
        return -1;
    if (!has_open(list, count))
        return 0;
    if (connect_store(batcher, error) < 0)
        return -1;
    if (try_batch(batcher, list, count, error) == 0)
        return 0;
    if (error_is(error, "unknown")) {
        *lost = (struct lost_commit){.is_unknown = true, .may_come = true};
        return -1;
    }
    if (!lost->may_come || !store_error_is_data(error))
        return -1;
    /* What is in the way of our rows may be our rows: that COMMIT has come to its end after all. */
    lost->is_unknown = true;
    if (look_up(batcher, list, count, lost, error) < 0)
        return -1;
    lost->may_come = false;
    return 0;
}

/* Tries again while the trouble is the database's, for a bounded time; whoever gave a key may then ask
 * again without fear of a second run. */
static void settle_batch(struct batcher *batcher, struct trigger *const *list, int count)
{
    const int64_t deadline_ms = monotonic_ms() + DATABASE_MS;
    struct lost_commit lost = {.is_unknown = false};
    while (has_open(list, count)) {
        struct error error;
        if (settle_once(batcher, list, count, &lost, &error) == 0)
            continue;
        if (store_error_is_data(&error)) {
            one_by_one(batcher, list, count);
            return;
        }
        bool is_broken = batcher->store == NULL || store_is_broken(batcher->store);
        if (monotonic_ms() >= deadline_ms || (!is_broken && error.sqlstate[0] == '\0')) {
            refuse_open(list, count, &error);
            return;
        }
        log_failure(LOG_LEVEL_WARNING, "a batch of triggers is tried again", &error);
        wait_a_little(batcher);
    }
}

static void log_accepted(const struct trigger *trigger)
{
    if (trigger->outcome == TRIGGER_CREATED)
        log_debug("run accepted", LOG_TEXT("run_id", trigger->run_id.text),
                  LOG_INT("monotonic_us", monotonic_us()));
    if (trigger->outcome == TRIGGER_REFUSED && trigger->error.sqlstate[0] != '\0')
        log_failure(LOG_LEVEL_ERROR, "a trigger failed", &trigger->error);
}

static void serve_batch(struct batcher *batcher, struct trigger **list, int count)
{
    batch_fold(list, count);
    settle_batch(batcher, list, count);
    metric_add(&ingest_metrics[METRIC_TRIGGERS], count);
    for (int i = 0; i < count; i++)
        if (list[i]->same != NULL)
            answer_repetition(list[i]);
    for (int i = 0; i < count; i++) {
        log_accepted(list[i]);
        trigger_answer(list[i]);
    }
}

/* ---- the thread ------------------------------------------------------------------------------------- */

static int take(struct batcher *batcher, struct trigger *list[BATCH_MAX])
{
    int count = 0;
    pthread_mutex_lock(&batcher->lock);
    while (TAILQ_EMPTY(&batcher->queue) && !batcher->stopping)
        pthread_cond_wait(&batcher->wake, &batcher->lock);
    while (count < BATCH_MAX && !TAILQ_EMPTY(&batcher->queue)) {
        list[count] = TAILQ_FIRST(&batcher->queue);
        TAILQ_REMOVE(&batcher->queue, list[count], link);
        count++;
    }
    batcher->queued -= count;
    pthread_mutex_unlock(&batcher->lock);
    return count;
}

static void *work(void *context)
{
    struct batcher *batcher = context;
    struct trigger *list[BATCH_MAX];
    struct error error;
    int count;
    if (connect_store(batcher, &error) < 0)
        log_failure(LOG_LEVEL_WARNING, "no connection to postgres", &error);
    while ((count = take(batcher, list)) > 0)
        serve_batch(batcher, list, count);
    store_close(&batcher->store);
    return NULL;
}

int batcher_submit(struct batcher *batcher, struct trigger *trigger, struct error *error)
{
    pthread_mutex_lock(&batcher->lock);
    bool fits = !batcher->stopping && batcher->queued < QUEUE_MAX;
    if (fits) {
        TAILQ_INSERT_TAIL(&batcher->queue, trigger, link);
        batcher->queued++;
        pthread_cond_signal(&batcher->wake);
    }
    pthread_mutex_unlock(&batcher->lock);
    return fits ? 0 : error_set(error, "unavailable", "too many triggers wait already");
}

int batcher_start(const struct store_settings *store, struct outbox *outbox,
                  struct installation *installation, struct batcher **batcher_r,
                  struct error *error)
{
    pthread_condattr_t attributes;
    AUTO(batcher_free) struct batcher *batcher = xcalloc(1, sizeof *batcher);
    batcher->settings = *store;
    batcher->outbox = outbox;
    batcher->installation = installation;
    TAILQ_INIT(&batcher->queue);
    backoff_init(&batcher->reconnect, RECONNECT_MIN_MS, 500);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_cond_init(&batcher->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&batcher->thread, NULL, work, batcher) != 0)
        return error_set(error, "unavailable", "cannot start a thread");
    batcher->has_thread = true;
    *batcher_r = TAKE(batcher);
    return 0;
}

void batcher_stop(struct batcher *batcher)
{
    if (batcher == NULL || !batcher->has_thread)
        return;
    pthread_mutex_lock(&batcher->lock);
    batcher->stopping = true;
    pthread_cond_broadcast(&batcher->wake);
    pthread_mutex_unlock(&batcher->lock);
    pthread_join(batcher->thread, NULL);
    batcher->has_thread = false;
}

void batcher_free(struct batcher **batcher)
{
    if (*batcher == NULL)
        return;
    batcher_stop(*batcher);
    pthread_cond_destroy(&(*batcher)->wake);
    pthread_mutex_destroy(&(*batcher)->lock);
    memory_free(batcher);
}
