/* SPDX-License-Identifier: Apache-2.0 */
/* The thread, and what others hand over to it: who waits or listens, and hints out of Kafka. What runs are is read in
 * look.c, who listens is told in listeners.c. */
#include "live/live.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cache.h"
#include "ingest.h"
#include "live/listeners.h"
#include "live/look.h"
#include "live/tail.h"
#include "live/watch.h"
#include "model/limits.h"

#define LOOK_AGAIN_MS   5000 /* at each watched run, whatever was told */
#define WITHOUT_TAIL_MS 1000 /* while Kafka tells nothing */
#define SWEEP_MS        1000 /* for listeners that are over or gone */
#define HINTS_MAX       20000
#define PROGRESS        "run.progress"

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
    atomic_int by_link; /* who listens by a link */

    /* Of the thread alone: */
    struct look look;
    struct tail *tail;
    struct watch *watches;
    int64_t swept_ms; /* monotonic */
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

/* Links are open to everybody: who listens by them takes nothing from those who have a token. */
static int take_seat(struct live *live, struct listener *listener, struct error *error)
{
    if (listener->listen.link_expires_s == 0)
        return 0;
    listener->seats = &live->by_link;
    if (atomic_fetch_add(listener->seats, 1) < LIMIT_LINK_READERS)
        return 0;
    return error_set(error, "too_many", "more than %d watch a run by a link just now",
                     (int)LIMIT_LINK_READERS);
}

int live_stream(struct live *live, const struct live_listen *listen, struct stream *stream,
                struct error *error)
{
    struct listener *listener = xcalloc(1, sizeof *listener);
    listener->listen = *listen;
    listener->stream = stream_ref(stream);
    if (take_seat(live, listener, error) < 0) {
        listener_free(&listener);
        return -1;
    }
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
    struct watch *watch = watch_get(&live->watches, &listener->listen.run_id);
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
        listeners_tell(watch, -1, PROGRESS, hint->progress);
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
        if (all || now_ms - watch->read_ms >= look_again_ms(live))
            watch->wants_read = true;
    }
}

/* Apart from reading: a run that others ask for all the time never needs to be looked at again. */
static void sweep(struct live *live)
{
    const int64_t now_ms = monotonic_ms();
    struct watch *watch, *next;
    if (now_ms - live->swept_ms < SWEEP_MS)
        return;
    live->swept_ms = now_ms;
    HASH_ITER (hh, live->watches, watch, next) {
        listeners_drop_over(watch);
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

/* Until the first watched run wants to be read, or the first waiter's time is over; where somebody listens by a
 * link, which may be over, until the next sweep. */
static int64_t sleep_ms(struct live *live)
{
    const int64_t now_ms = monotonic_ms();
    int64_t until_ms = now_ms + look_again_ms(live);
    struct watch *watch, *next;
    if (live->by_link > 0 && live->swept_ms + SWEEP_MS < until_ms)
        until_ms = live->swept_ms + SWEEP_MS;
    HASH_ITER (hh, live->watches, watch, next) {
        int64_t deadline_ms = watch_deadline_ms(watch);
        int64_t due_ms = watch->wants_read ? now_ms + look_wait_ms(&live->look) + 1
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
        sweep(live);
        bool has_more = look_at(&live->look) > 0;
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
    look_init(&live->look, ingest, &live->watches);
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
            listeners_drop(watch, TAILQ_FIRST(&watch->listeners));
        watch_remove(&live->watches, watch);
    }
    look_deinit(&live->look);
    fd_close(&live->wake_fd);
    pthread_mutex_destroy(&live->lock);
    free(live);
}
