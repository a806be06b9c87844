/* SPDX-License-Identifier: Apache-2.0 */
#include "live/tail.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/json.h"
#include "base/memory.h"
#include "bus/consumer.h"
#include "ingest_metrics.h"
#include "log/log.h"

#define LOOK_MS 1000
#define STOP_S  2

struct tail {
    struct bus_settings bus;
    struct store_settings store;
    struct installation *installation;
    struct tail_handlers handlers;
    pthread_t thread;
    int wake_fd;
    atomic_bool is_open;

    pthread_mutex_t lock; /* held while a handler is called */
    pthread_cond_t ended;
    bool stopping, has_ended;

    /* Of the thread alone: */
    struct reader *reader; /* NULL: not made yet */
    bool is_assigned;
    struct backoff reopen;
};

bool tail_is_open(const struct tail *tail)
{
    return tail->is_open;
}

static bool is_stopping(struct tail *tail)
{
    pthread_mutex_lock(&tail->lock);
    bool stopping = tail->stopping;
    pthread_mutex_unlock(&tail->lock);
    return stopping;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static int read_partitions(struct tail *tail, int *partitions_r, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    if (store_open(&tail->store, &store, error) < 0)
        return -1;
    if (is_stopping(tail)) /* what connecting took may have outlasted the installation */
        return error_set(error, "unavailable", "the service stops");
    return installation_partitions(tail->installation, store, TOPIC_EVENTS, partitions_r, error);
}

static int open_reader(struct tail *tail, struct error *error)
{
    int partitions;
    char topic[TOPIC_NAME_SIZE];
    if (read_partitions(tail, &partitions, error) < 0 ||
        (tail->reader == NULL && reader_open(&tail->bus, &tail->reader, error) < 0))
        return -1;
    installation_topic(tail->installation, TOPIC_EVENTS, NULL, topic);
    return reader_assign_ends(tail->reader, topic, partitions, error);
}

/* ---- telling ---------------------------------------------------------------------------------------- */

static void tell_open(struct tail *tail)
{
    tail->is_open = true;
    metric_set(&ingest_metrics[METRIC_LIVE_FOLLOWED], 1);
    pthread_mutex_lock(&tail->lock);
    if (!tail->stopping)
        tail->handlers.on_open(tail->handlers.context);
    pthread_mutex_unlock(&tail->lock);
}

static void tell_event(struct tail *tail, const struct event *event)
{
    pthread_mutex_lock(&tail->lock);
    if (!tail->stopping)
        tail->handlers.on_event(tail->handlers.context, event);
    pthread_mutex_unlock(&tail->lock);
}

/* Nobody can be told of a message that is not understood: it is counted and left. */
static void on_record(struct tail *tail, const struct record *record)
{
    AUTO(json_free) json_t *json = NULL;
    const char *type;
    struct event event;
    struct error error;
    int status = message_parse(record->payload, record->payload_length, &json, &type, &error);
    if (status == 0 && strcmp(type, event_message.name) != 0)
        return;
    if (status < 0 || message_decode(&event_message, json, &event, &error) < 0) {
        metric_add(&ingest_metrics[METRIC_LIVE_SKIPPED], 1);
        return;
    }
    tell_event(tail, &event);
    message_free(&event_message, &event);
}

/* ---- the thread ------------------------------------------------------------------------------------- */

static void try_open(struct tail *tail)
{
    struct error error;
    if (tail->is_assigned || !backoff_is_due(&tail->reopen))
        return;
    if (open_reader(tail, &error) == 0) {
        backoff_succeeded(&tail->reopen);
        tail->is_assigned = true;
        return;
    }
    backoff_failed(&tail->reopen);
    if (!is_stopping(tail))
        log_failure(LOG_LEVEL_WARNING, "live events are not read", &error);
}

static void wait_for_something(struct tail *tail)
{
    struct pollfd fds[2] = {{.fd = tail->wake_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    int64_t wait_ms = tail->is_assigned ? LOOK_MS : backoff_wait_ms(&tail->reopen) + 1;
    if (tail->is_assigned)
        fds[1].fd = reader_fd(tail->reader);
    (void)poll(fds, 2, (int)wait_ms);
}

static void *work(void *context)
{
    struct tail *tail = context;
    while (!is_stopping(tail)) {
        struct record *record;
        try_open(tail);
        while (tail->is_assigned && (record = reader_poll(tail->reader)) != NULL) {
            on_record(tail, record);
            record_free(&record);
        }
        if (tail->is_assigned && !tail->is_open && reader_is_at_ends(tail->reader))
            tell_open(tail);
        wait_for_something(tail);
    }
    reader_close(&tail->reader);
    pthread_mutex_lock(&tail->lock);
    tail->has_ended = true;
    pthread_cond_signal(&tail->ended);
    pthread_mutex_unlock(&tail->lock);
    return NULL;
}

static void tail_free(struct tail *tail)
{
    fd_close(&tail->wake_fd);
    pthread_cond_destroy(&tail->ended);
    pthread_mutex_destroy(&tail->lock);
    free(tail);
}

int tail_start(const struct bus_settings *bus, const struct store_settings *store,
               struct installation *installation, const struct tail_handlers *handlers,
               struct tail **tail_r, struct error *error)
{
    pthread_condattr_t attributes;
    struct tail *tail = xcalloc(1, sizeof *tail);
    tail->bus = *bus;
    tail->store = *store;
    tail->installation = installation;
    tail->handlers = *handlers;
    backoff_init(&tail->reopen, 200, 10000);
    pthread_mutex_init(&tail->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&tail->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    tail->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (tail->wake_fd < 0 || pthread_create(&tail->thread, NULL, work, tail) != 0) {
        tail_free(tail);
        return error_set(error, "unavailable", "cannot start a thread");
    }
    *tail_r = tail;
    return 0;
}

/* False: it is held by librdkafka. */
static bool wait_for_end(struct tail *tail)
{
    const uint64_t one = 1;
    struct timespec until;
    int status = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_S;
    (void)!write(tail->wake_fd, &one, sizeof one);
    pthread_mutex_lock(&tail->lock);
    tail->stopping = true;
    while (!tail->has_ended && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&tail->ended, &tail->lock, &until);
    bool has_ended = tail->has_ended;
    pthread_mutex_unlock(&tail->lock);
    return has_ended;
}

void tail_stop(struct tail **tail_)
{
    struct tail *tail = TAKE(*tail_);
    if (tail == NULL)
        return;
    if (!wait_for_end(tail)) {
        pthread_detach(tail->thread);
        return;
    }
    pthread_join(tail->thread, NULL);
    tail_free(tail);
}
