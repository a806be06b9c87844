/* SPDX-License-Identifier: Apache-2.0 */
#include "live/log_follow.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/log_news.h"
#include "db/run.h"
#include "live/sse.h"
#include "log/log.h"
#include "model/limits.h"

#define LOOK_MS       500
#define CHUNKS        16 /* at once: six times their bytes at the worst, as JSON */
#define WAITING_BYTES ((size_t)1024 * 1024) /* of a reader that has enough for now */

struct follower {
    struct uuid run_id, task_id;
    struct stream *stream; /* a reference */
    struct log_had *had;
    int had_count;
    TAILQ_ENTRY(follower) link;
};
TAILQ_HEAD(follower_list, follower);

struct log_follow {
    struct store_settings settings;
    pthread_t thread;
    pthread_mutex_t lock; /* of: */
    pthread_cond_t changed;
    struct follower_list added;
    int count;
    bool stopping;

    /* Of the thread alone: */
    struct follower_list followers;
    struct store *store; /* NULL: not connected */
    struct backoff reconnect;
};

static void follower_free(struct follower **follower_)
{
    struct follower *follower = TAKE(*follower_);
    if (follower == NULL)
        return;
    stream_end(follower->stream);
    stream_unref(&follower->stream);
    free(follower->had);
    free(follower);
}

int log_follow_add(struct log_follow *follow, const struct uuid *run_id, const struct uuid *task_id,
                   struct stream *stream, struct error *error)
{
    pthread_mutex_lock(&follow->lock);
    bool is_taken = !follow->stopping && follow->count < LIMIT_LOG_READERS;
    if (is_taken) {
        struct follower *follower = xcalloc(1, sizeof *follower);
        follower->run_id = *run_id;
        follower->task_id = *task_id;
        follower->stream = stream_ref(stream);
        TAILQ_INSERT_TAIL(&follow->added, follower, link);
        follow->count++;
        pthread_cond_signal(&follow->changed);
    }
    pthread_mutex_unlock(&follow->lock);
    return is_taken ? 0
                    : error_set(error, "too_many", "more than %d read logs along just now",
                                (int)LIMIT_LOG_READERS);
}

/* ---- one follower --------------------------------------------------------------------------------- */

static void remember(struct follower *follower, const struct uuid *dispatch_id, int64_t seq)
{
    for (int i = 0; i < follower->had_count; i++)
        if (uuid_equal(&follower->had[i].dispatch_id, dispatch_id)) {
            follower->had[i].seq = seq;
            return;
        }
    follower->had =
        xrealloc(follower->had, (size_t)(follower->had_count + 1) * sizeof *follower->had);
    follower->had[follower->had_count++] = (struct log_had){*dispatch_id, seq};
}

static int tell(struct follower *follower, const char *type, json_t *data, struct error *error)
{
    AUTO(text_free) char *text = json_text(data);
    AUTO(buffer_deinit) struct buffer event;
    json_decref(data);
    buffer_init(&event, LOG_STREAM_BYTES);
    sse_event(&event, -1, type, text);
    return stream_write(follower->stream, event.data, event.length, error);
}

static int tell_chunk(struct follower *follower, const struct rows *rows, int row,
                      struct error *error)
{
    const struct uuid dispatch_id = rows_uuid(rows, row, NEWS_DISPATCH);
    remember(follower, &dispatch_id, rows_int(rows, row, NEWS_SEQ));
    return tell(follower, "log",
                json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s}", "task_id",
                          rows_text(rows, row, NEWS_TASK), "ordinal",
                          (json_int_t)rows_int(rows, row, NEWS_ORDINAL), "attempt",
                          (json_int_t)rows_int(rows, row, NEWS_ATTEMPT), "seq",
                          (json_int_t)rows_int(rows, row, NEWS_SEQ), "stream",
                          rows_text(rows, row, NEWS_STREAM), "at", rows_text(rows, row, NEWS_AT),
                          "text", rows_text(rows, row, NEWS_TEXT)),
                error);
}

/* Whether the run is final is asked first: what is read afterwards is then all. */
static int serve(struct store *store, struct follower *follower, bool *has_more_r, bool *is_over_r,
                 struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct uuid any = {""};
    struct error gone;
    struct run_ref run;
    if (run_db_find(store, &any, follower->run_id.text, &run, error) < 0 ||
        log_news_db_list(store, &follower->run_id, &follower->task_id, follower->had,
                         follower->had_count, CHUNKS, &rows, error) < 0)
        return -1;
    bool is_lost = false;
    for (int row = 0; row < rows_count(rows) && !is_lost; row++)
        is_lost = tell_chunk(follower, rows, row, &gone) < 0;
    *has_more_r = rows_count(rows) == CHUNKS;
    *is_over_r = is_lost || (!*has_more_r && (run.is_final || uuid_is_null(&run.id)));
    if (*is_over_r && !is_lost)
        (void)!tell(follower, "end", json_object(), &gone);
    return 0;
}

/* ---- the thread ----------------------------------------------------------------------------------- */

static void drop(struct log_follow *follow, struct follower *follower)
{
    TAILQ_REMOVE(&follow->followers, follower, link);
    follower_free(&follower);
    pthread_mutex_lock(&follow->lock);
    follow->count--;
    pthread_mutex_unlock(&follow->lock);
}

static struct store *get_store(struct log_follow *follow)
{
    struct error error;
    if (follow->store != NULL && store_is_broken(follow->store))
        store_close(&follow->store);
    if (follow->store != NULL || !backoff_is_due(&follow->reconnect))
        return follow->store;
    if (store_open(&follow->settings, &follow->store, &error) < 0) {
        backoff_failed(&follow->reconnect);
        log_failure(LOG_LEVEL_WARNING, "no connection to postgres", &error);
        return NULL;
    }
    backoff_succeeded(&follow->reconnect);
    return follow->store;
}

/* True: there is more to be read at once. */
static bool serve_all(struct log_follow *follow)
{
    struct follower *follower, *next;
    bool is_busy = false;
    for (follower = TAILQ_FIRST(&follow->followers); follower != NULL; follower = next) {
        struct store *store = get_store(follow);
        bool has_more = false, is_over = stream_is_gone(follower->stream);
        struct error error;
        next = TAILQ_NEXT(follower, link);
        if (!is_over && (store == NULL || stream_waiting(follower->stream) > WAITING_BYTES))
            continue;
        if (!is_over && serve(store, follower, &has_more, &is_over, &error) < 0)
            log_failure(LOG_LEVEL_WARNING, "logs cannot be read along", &error);
        is_busy = is_busy || has_more;
        if (is_over)
            drop(follow, follower);
    }
    return is_busy;
}

/* False when it is to stop. */
static bool wait_for_work(struct log_follow *follow, bool is_busy)
{
    const struct timespec until = monotonic_in(LOOK_MS);
    pthread_mutex_lock(&follow->lock);
    int status = 0;
    while (!follow->stopping && !is_busy && status == 0 && TAILQ_EMPTY(&follow->added))
        status = TAILQ_EMPTY(&follow->followers)
                     ? pthread_cond_wait(&follow->changed, &follow->lock)
                     : pthread_cond_timedwait(&follow->changed, &follow->lock, &until);
    TAILQ_CONCAT(&follow->followers, &follow->added, link);
    bool goes_on = !follow->stopping;
    pthread_mutex_unlock(&follow->lock);
    return goes_on;
}

static void *work(void *context)
{
    struct log_follow *follow = context;
    bool is_busy = false;
    while (wait_for_work(follow, is_busy))
        is_busy = serve_all(follow);
    while (!TAILQ_EMPTY(&follow->followers))
        drop(follow, TAILQ_FIRST(&follow->followers));
    store_close(&follow->store);
    return NULL;
}

int log_follow_start(const struct store_settings *store, struct log_follow **follow_r,
                     struct error *error)
{
    struct log_follow *follow = xcalloc(1, sizeof *follow);
    pthread_condattr_t monotonic;
    follow->settings = *store;
    TAILQ_INIT(&follow->added);
    TAILQ_INIT(&follow->followers);
    backoff_init(&follow->reconnect, 50, 2000);
    pthread_mutex_init(&follow->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&follow->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&follow->thread, NULL, work, follow) != 0) {
        free(follow);
        return error_set(error, "unavailable", "cannot start a thread");
    }
    *follow_r = follow;
    return 0;
}

void log_follow_stop(struct log_follow **follow_)
{
    struct log_follow *follow = TAKE(*follow_);
    if (follow == NULL)
        return;
    pthread_mutex_lock(&follow->lock);
    follow->stopping = true;
    pthread_cond_signal(&follow->changed);
    pthread_mutex_unlock(&follow->lock);
    pthread_join(follow->thread, NULL);
    pthread_cond_destroy(&follow->changed);
    pthread_mutex_destroy(&follow->lock);
    free(follow);
}
