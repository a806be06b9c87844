/* SPDX-License-Identifier: Apache-2.0 */
#include "live/live.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cache.h"
#include "db/run_event.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "live/sse.h"
#include "live/tail.h"
#include "live/watch.h"
#include "log/log.h"

#define LOOK_AGAIN_MS   5000 /* at each watched run, whatever was told */
#define WITHOUT_TAIL_MS 1000 /* while Kafka tells nothing */
#define HINTS_MAX       20000
#define READ_MAX        500 /* runs in one statement */
#define PROGRESS        "run.progress"
#define EVENT_BYTES     ((size_t)1024 * 1024)

/* What the tail told. */
struct hint {
    struct uuid run_id;
    char *progress; /* an event to be passed on as it is; NULL: the run has changed */
    STAILQ_ENTRY(hint) link;
};
STAILQ_HEAD(hint_list, hint);

struct live {
    struct ingest *ingest;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* of the inbox: */
    struct waiter_list new_waiters;
    struct listener_list new_listeners;
    struct hint_list new_hints;
    int hint_count;
    bool has_missed; /* hints: every watched run may have changed */
    bool draining, stopping;
    int wake_fd;

    /* Of the thread alone: */
    struct store *store; /* NULL: not connected */
    struct backoff reconnect;
    struct tail *tail;
    struct watch *watches;
};

/* ---- what other threads do -------------------------------------------------------------------------- */

static void wake(struct live *live)
{
    const uint64_t one = 1;
    (void)!write(live->wake_fd, &one, sizeof one);
}

int live_wait(struct live *live, const struct live_wait *wait, struct error *error)
{
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    waiter->wait = *wait;
    waiter->deadline_ms = monotonic_ms() + wait->wait_ms;
    pthread_mutex_lock(&live->lock);
    bool is_taken = !live->stopping;
    if (is_taken)
        TAILQ_INSERT_TAIL(&live->new_waiters, waiter, link);
    pthread_mutex_unlock(&live->lock);
    if (!is_taken) {
        free(waiter);
        return error_set(error, "unavailable", "the service stops");
    }
    wake(live);
    return 0;
}

int live_stream(struct live *live, const struct uuid *run_id, int64_t after_version,
                struct stream *stream, struct error *error)
{
    struct listener *listener = xcalloc(1, sizeof *listener);
    listener->run_id = *run_id;
    listener->after_version = after_version;
    listener->stream = stream_ref(stream);
    pthread_mutex_lock(&live->lock);
    bool is_taken = !live->stopping && !live->draining;
    if (is_taken)
        TAILQ_INSERT_TAIL(&live->new_listeners, listener, link);
    pthread_mutex_unlock(&live->lock);
    if (!is_taken) {
        listener_free(&listener);
        return error_set(error, "unavailable", "the service stops");
    }
    wake(live);
    return 0;
}

void live_drain(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    live->draining = true;
    pthread_mutex_unlock(&live->lock);
    wake(live);
}

/* ---- taking in -------------------------------------------------------------------------------------- */

/* What a listener has not seen yet stands in Postgres: look there. */
static void add_listener(struct live *live, struct listener *listener)
{
    struct watch *watch = watch_get(&live->watches, &listener->run_id);
    watch->wants_read = true;
    TAILQ_INSERT_TAIL(&watch->listeners, listener, link);
}

/* A watch that is there is up to date within what events and the last look say. */
static void add_waiter(struct live *live, struct waiter *waiter)
{
    struct watch *watch = watch_get(&live->watches, &waiter->wait.run_id);
    TAILQ_INSERT_TAIL(&watch->waiters, waiter, link);
}

static bool take_inbox(struct live *live)
{
    struct waiter_list waiters = TAILQ_HEAD_INITIALIZER(waiters);
    struct listener_list listeners = TAILQ_HEAD_INITIALIZER(listeners);
    struct waiter *waiter;
    struct listener *listener;
    uint64_t count;
    (void)!read(live->wake_fd, &count, sizeof count);
    pthread_mutex_lock(&live->lock);
    TAILQ_CONCAT(&waiters, &live->new_waiters, link);
    TAILQ_CONCAT(&listeners, &live->new_listeners, link);
    bool goes_on = !live->stopping;
    pthread_mutex_unlock(&live->lock);
    while ((waiter = TAILQ_FIRST(&waiters)) != NULL) {
        TAILQ_REMOVE(&waiters, waiter, link);
        add_waiter(live, waiter);
    }
    while ((listener = TAILQ_FIRST(&listeners)) != NULL) {
        TAILQ_REMOVE(&listeners, listener, link);
        add_listener(live, listener);
    }
    return goes_on;
}

/* ---- listeners -------------------------------------------------------------------------------------- */

static void drop_listener(struct watch *watch, struct listener *listener)
{
    TAILQ_REMOVE(&watch->listeners, listener, link);
    listener_free(&listener);
}

static void tell(struct watch *watch, struct listener *listener, int64_t version, const char *type,
                 const char *data)
{
    struct buffer text;
    bool is_last = strcmp(type, "run.finished") == 0;
    buffer_init(&text, EVENT_BYTES);
    sse_event(&text, version, type, data);
    int status =
        text.overflowed ? 0 : stream_write(listener->stream, buffer_text(&text), text.length, NULL);
    buffer_deinit(&text);
    if (version > listener->after_version)
        listener->after_version = version;
    if (is_last)
        stream_end(listener->stream);
    if (status < 0 || is_last)
        drop_listener(watch, listener);
}

static void tell_all(struct watch *watch, int64_t version, const char *type, const char *data)
{
    struct listener *listener, *next;
    for (listener = TAILQ_FIRST(&watch->listeners); listener != NULL; listener = next) {
        next = TAILQ_NEXT(listener, link);
        if (version < 0 || version > listener->after_version)
            tell(watch, listener, version, type, data);
    }
}

static void drop_gone(struct watch *watch)
{
    struct listener *listener, *next;
    for (listener = TAILQ_FIRST(&watch->listeners); listener != NULL; listener = next) {
        next = TAILQ_NEXT(listener, link);
        if (stream_is_gone(listener->stream))
            drop_listener(watch, listener);
    }
}

/* ---- hints out of Kafka: on the tail's thread ----------------------------------------------------------- */

static char *progress_text(const struct event *event)
{
    char at[TIME_TEXT_SIZE];
    AUTO(json_free)
    json_t *json = json_pack("{s:s, s:s, s:s, s:O}", "type", event->event, "timestamp",
                             time_format(event->at, at), "id", event->id.text, "data", event->data);
    return json_text(json);
}

/* The cache forgets before anybody is told. */
static void on_event(void *context, const struct event *event)
{
    struct live *live = context;
    bool is_progress = strcmp(event->event, PROGRESS) == 0;
    if (uuid_is_null(&event->run_id))
        return;
    if (!is_progress)
        cache_forget(live->ingest->cache, &event->run_id);
    struct hint *hint = xcalloc(1, sizeof *hint);
    hint->run_id = event->run_id;
    hint->progress = is_progress ? progress_text(event) : NULL;
    pthread_mutex_lock(&live->lock);
    bool fits = live->hint_count < HINTS_MAX;
    if (fits) {
        STAILQ_INSERT_TAIL(&live->new_hints, hint, link);
        live->hint_count++;
    }
    live->has_missed = live->has_missed || !fits;
    pthread_mutex_unlock(&live->lock);
    if (!fits) {
        free(hint->progress);
        free(hint);
    }
    wake(live);
}

static void on_open(void *context)
{
    struct live *live = context;
    pthread_mutex_lock(&live->lock);
    live->has_missed = true;
    pthread_mutex_unlock(&live->lock);
    wake(live);
}

/* ---- hints: on our own ---------------------------------------------------------------------------------- */

static void take_hint(struct live *live, const struct hint *hint)
{
    struct watch *watch = watch_find(live->watches, &hint->run_id);
    if (watch != NULL && hint->progress != NULL)
        tell_all(watch, -1, PROGRESS, hint->progress);
    else if (watch != NULL)
        watch->wants_read = true;
}

/* True when some were missed. */
static bool take_hints(struct live *live)
{
    struct hint_list hints = STAILQ_HEAD_INITIALIZER(hints);
    struct hint *hint;
    pthread_mutex_lock(&live->lock);
    STAILQ_CONCAT(&hints, &live->new_hints);
    live->hint_count = 0;
    bool has_missed = live->has_missed;
    live->has_missed = false;
    pthread_mutex_unlock(&live->lock);
    while ((hint = STAILQ_FIRST(&hints)) != NULL) {
        STAILQ_REMOVE_HEAD(&hints, link);
        take_hint(live, hint);
        free(hint->progress);
        free(hint);
    }
    return has_missed;
}

/* ---- looking at Postgres ------------------------------------------------------------------------------ */

static struct store *get_store(struct live *live)
{
    struct error error;
    if (live->store != NULL && store_is_broken(live->store))
        store_close(&live->store);
    if (live->store != NULL || !backoff_is_due(&live->reconnect))
        return live->store;
    struct store_settings settings = live->ingest->store;
    settings.generic_plans = true;
    if (store_open(&settings, &live->store, &error) < 0) {
        backoff_failed(&live->reconnect);
        log_failure(LOG_LEVEL_WARNING, "no connection to postgres", &error);
        return NULL;
    }
    backoff_succeeded(&live->reconnect);
    return live->store;
}

static void take_view(struct live *live, struct run_view *view, int64_t now_ms)
{
    struct watch *watch = watch_find(live->watches, &view->id);
    char *totals = json_text(json_object_get(view->json, "totals"));
    int64_t revision = watch->text == NULL ? -1 : watch->text->revision;
    run_text_unref(&watch->text);
    text_free(&watch->totals);
    watch->totals = totals;
    watch->text = run_text_new(live->ingest, view);
    if (watch->text->revision != revision) /* before anybody is told: no older is told afterwards */
        cache_put(live->ingest->cache, watch->text, now_ms);
    watch->read_ms = now_ms;
}

static int read_views(struct live *live, struct store *store, const struct uuid *ids, int count,
                      struct error *error)
{
    struct run_view *views = NULL;
    int found;
    int64_t began_ms = monotonic_ms();
    if (run_db_get_many(store, ids, count, &views, &found, error) < 0)
        return -1;
    metric_add(&ingest_metrics[METRIC_LIVE_READS], 1);
    for (int i = 0; i < found; i++)
        take_view(live, &views[i], began_ms);
    free(views);
    for (int i = 0; i < count; i++) {
        struct watch *watch = watch_find(live->watches, &ids[i]);
        watch->is_missing = watch->text == NULL;
        watch->wants_read = false;
        watch->read_ms = began_ms;
    }
    return 0;
}

static int64_t least_version(const struct watch *watch)
{
    int64_t least = INT64_MAX;
    const struct listener *listener;
    TAILQ_FOREACH (listener, &watch->listeners, link)
        if (listener->after_version < least)
            least = listener->after_version;
    return least;
}

/* A full answer may have left out what is new of any of them. Else all was told, and of a run that was read
 * as final before nothing more will come, whatever its listeners believe to have. */
static void after_events(struct watch *watch, bool was_full)
{
    struct listener *listener, *next;
    watch->wants_read = watch->wants_read || was_full;
    if (was_full || (watch->text != NULL && !watch->text->is_final))
        return;
    for (listener = TAILQ_FIRST(&watch->listeners); listener != NULL; listener = next) {
        next = TAILQ_NEXT(listener, link);
        stream_end(listener->stream);
        drop_listener(watch, listener);
    }
}

static int read_events(struct live *live, struct store *store, const struct uuid *ids, int count,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(memory_free)
    struct run_position *positions = xcalloc((size_t)count, sizeof *positions);
    int wanted = 0;
    for (int i = 0; i < count; i++) {
        const struct watch *watch = watch_find(live->watches, &ids[i]);
        if (!TAILQ_EMPTY(&watch->listeners))
            positions[wanted++] = (struct run_position){ids[i], least_version(watch)};
    }
    if (wanted == 0)
        return 0;
    if (run_event_db_list(store, positions, wanted, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        const struct uuid run_id = rows_uuid(rows, row, 0);
        struct watch *watch = watch_find(live->watches, &run_id);
        tell_all(watch, rows_int(rows, row, 1), rows_text(rows, row, 2), rows_text(rows, row, 3));
    }
    for (int i = 0; i < wanted; i++)
        after_events(watch_find(live->watches, &positions[i].run_id),
                     rows_count(rows) == RUN_EVENTS_MAX);
    return 0;
}

/* The runs that want it, all by one statement (two when somebody listens). Returns how many are left that
 * could be read at once. */
static int look(struct live *live)
{
    struct uuid ids[READ_MAX];
    struct watch *watch, *next;
    struct error error;
    int count = 0, left = 0;
    HASH_ITER (hh, live->watches, watch, next) {
        if (watch->wants_read && count < READ_MAX)
            ids[count++] = watch->run_id;
        else if (watch->wants_read)
            left++;
    }
    struct store *store = count == 0 ? NULL : get_store(live);
    if (store == NULL)
        return 0;
    if (read_views(live, store, ids, count, &error) < 0 ||
        read_events(live, store, ids, count, &error) < 0) {
        log_failure(LOG_LEVEL_WARNING, "watched runs are not read", &error);
        backoff_failed(&live->reconnect);
        store_close(&live->store);
        for (int i = 0; i < count; i++)
            watch_find(live->watches, &ids[i])->wants_read = true;
        return 0;
    }
    return left;
}

/* ---- the thread --------------------------------------------------------------------------------------- */

static int64_t look_again_ms(const struct live *live)
{
    return tail_is_open(live->tail) ? LOOK_AGAIN_MS : WITHOUT_TAIL_MS;
}

static void mark_due(struct live *live, bool all)
{
    const int64_t now_ms = monotonic_ms();
    struct watch *watch, *next;
    HASH_ITER (hh, live->watches, watch, next) {
        if (all || now_ms - watch->read_ms >= look_again_ms(live)) {
            watch->wants_read = true;
            drop_gone(watch);
        }
    }
}

static bool is_draining(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    bool draining = live->draining;
    pthread_mutex_unlock(&live->lock);
    return draining;
}

static void answer_all(struct live *live, bool give_up)
{
    const int64_t now_ms = monotonic_ms();
    struct watch *watch, *next;
    HASH_ITER (hh, live->watches, watch, next) {
        watch_answer(watch, now_ms, give_up);
        if (watch_is_idle(watch))
            watch_remove(&live->watches, watch);
    }
}

/* Until the first watched run wants to be read, or the first waiter's time is over. */
static int64_t sleep_ms(struct live *live)
{
    const int64_t now_ms = monotonic_ms();
    int64_t until_ms = now_ms + LOOK_AGAIN_MS;
    struct watch *watch, *next;
    if (!tail_is_open(live->tail))
        until_ms = now_ms + WITHOUT_TAIL_MS;
    HASH_ITER (hh, live->watches, watch, next) {
        int64_t deadline_ms = watch_deadline_ms(watch);
        int64_t due_ms = watch->wants_read ? now_ms + backoff_wait_ms(&live->reconnect) + 1
                                           : watch->read_ms + look_again_ms(live);
        if (deadline_ms >= 0 && deadline_ms < due_ms && deadline_ms > now_ms)
            due_ms = deadline_ms;
        if (due_ms < until_ms)
            until_ms = due_ms;
    }
    return until_ms <= now_ms ? 0 : until_ms - now_ms;
}

static void wait_for_something(const struct live *live, int64_t wait_ms)
{
    struct pollfd fd = {.fd = live->wake_fd, .events = POLLIN};
    (void)poll(&fd, 1, (int)wait_ms);
}

static void *work(void *context)
{
    struct live *live = context;
    while (take_inbox(live)) {
        bool has_missed = take_hints(live);
        mark_due(live, has_missed);
        bool has_more = look(live) > 0;
        answer_all(live, is_draining(live));
        wait_for_something(live, has_more ? 0 : sleep_ms(live));
    }
    answer_all(live, true);
    return NULL;
}

int live_start(struct ingest *ingest, struct live **live_r, struct error *error)
{
    AUTO(live_free) struct live *live = xcalloc(1, sizeof *live);
    live->ingest = ingest;
    pthread_mutex_init(&live->lock, NULL);
    TAILQ_INIT(&live->new_waiters);
    TAILQ_INIT(&live->new_listeners);
    backoff_init(&live->reconnect, 50, 2000);
    STAILQ_INIT(&live->new_hints);
    live->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const struct tail_handlers handlers = {
        .on_open = on_open, .on_event = on_event, .context = live};
    if (tail_start(&ingest->bus, &ingest->store, ingest->installation, &handlers, &live->tail,
                   error) < 0)
        return -1;
    if (live->wake_fd < 0 || pthread_create(&live->thread, NULL, work, live) != 0)
        return error_set(error, "unavailable", "cannot start a thread");
    live->has_thread = true;
    *live_r = TAKE(live);
    return 0;
}

void live_stop(struct live *live)
{
    if (live == NULL || !live->has_thread)
        return;
    pthread_mutex_lock(&live->lock);
    live->stopping = true;
    pthread_mutex_unlock(&live->lock);
    wake(live);
    pthread_join(live->thread, NULL);
    live->has_thread = false;
}

void live_free(struct live **live_)
{
    struct live *live = TAKE(*live_);
    struct watch *watch, *next;
    if (live == NULL)
        return;
    live_stop(live);
    tail_stop(&live->tail);
    (void)take_hints(live);
    HASH_ITER (hh, live->watches, watch, next) {
        while (!TAILQ_EMPTY(&watch->listeners))
            drop_listener(watch, TAILQ_FIRST(&watch->listeners));
        watch_remove(&live->watches, watch);
    }
    store_close(&live->store);
    fd_close(&live->wake_fd);
    pthread_mutex_destroy(&live->lock);
    free(live);
}
