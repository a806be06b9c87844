/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as its service sees it: connecting to Kafka and Postgres in any order, the pass of the
 * loop, transactions of timers. The life of a partition is in partition.c, a batch in batch.c. */
#include "ledger/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bus/admin.h"
#include "ledger/metrics.h"
#include "ledger/partition.h"
#include "ledger/verify.h"
#include "log/log.h"

#define POLL_RECORDS_MAX  5000 /* of one pass */
#define POLL_BYTES_MAX    ((size_t)16 * 1024 * 1024)
#define TOPIC_TIMEOUT_MS  3000
#define IDLE_WAIT_MS      1000
#define PARTITIONS_MAX    4096
#define JOIN_PATIENCE_MS  10000
#define FLUSH_PATIENCE_MS 5000

static struct ledger_partition *find_partition(struct ledger *ledger, int32_t number)
{
    return number >= 0 && number < ledger->partition_count ? &ledger->partitions[number] : NULL;
}

static void on_assigned(void *context, int32_t number)
{
    struct ledger *ledger = context;
    struct ledger_partition *partition = find_partition(ledger, number);
    ledger->assigned_once = true;
    if (partition != NULL)
        partition_assign(partition);
}

static void on_revoked(void *context, int32_t number)
{
    struct ledger *ledger = context;
    struct ledger_partition *partition = find_partition(ledger, number);
    if (partition == NULL)
        return;
    log_info("partition given back", LOG_TEXT("topic", ledger->settings.topic),
             LOG_INT("partition", number));
    partition_revoke(partition);
}

static void on_consumer_error(void *context, int32_t number, const struct error *error)
{
    struct ledger *ledger = context;
    struct ledger_partition *partition = find_partition(ledger, number);
    if (error_is(error, "fatal")) {
        log_failure(LOG_LEVEL_ERROR, "the consumer is lost (is this instance id used twice?)",
                    error);
        snprintf(ledger->reason, sizeof ledger->reason, "%s", error->text);
        ledger->consumer_lost = true;
        return;
    }
    if (partition != NULL) {
        verify_on_log_error(partition, error);
        return;
    }
    for (int i = 0; i < ledger->partition_count; i++)
        verify_on_log_error(&ledger->partitions[i], error);
}

/* Closing a descriptor takes it out again. */
static void watch(struct ledger *ledger, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(ledger->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        abort();
}

int ledger_open(const struct ledger_settings *settings, const struct ledger_handlers *handlers,
                struct ledger **ledger_r, struct error *error)
{
    struct ledger *ledger = xcalloc(1, sizeof *ledger);
    ledger->settings = *settings;
    ledger->handlers = handlers;
    ledger->fence = fence_new(settings->schema, settings->group, settings->topic);
    ledger->consumer_handlers = (struct consumer_handlers){.on_assigned = on_assigned,
                                                           .on_revoked = on_revoked,
                                                           .on_error = on_consumer_error,
                                                           .context = ledger};
    backoff_init(&ledger->store_backoff, 100, 5000);
    backoff_init(&ledger->consumer_backoff, 100, 5000);
    snprintf(ledger->reason, sizeof ledger->reason, "connecting");
    ledger->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (outbox_open(settings->schema, &settings->bus, &ledger->outbox, error) < 0) {
        ledger_close(&ledger, 0);
        return -1;
    }
    watch(ledger, outbox_fd(ledger->outbox));
    *ledger_r = ledger;
    return 0;
}

void ledger_stop(struct ledger *ledger)
{
    ledger->stopped_ms = monotonic_ms();
}

bool ledger_is_flushed(const struct ledger *ledger)
{
    char reason[ERROR_TEXT_MAX];
    return outbox_is_idle(ledger->outbox) || ledger->store == NULL ||
           !outbox_is_healthy(ledger->outbox, reason, sizeof reason) ||
           monotonic_ms() - ledger->stopped_ms > FLUSH_PATIENCE_MS;
}

static void close_consumer(struct ledger *ledger)
{
    for (int i = 0; i < ledger->partition_count; i++)
        partition_revoke(&ledger->partitions[i]);
    consumer_close(&ledger->consumer);
    ledger->consumer_lost = false;
}

void ledger_close(struct ledger **ledger_p, int64_t flush_ms)
{
    struct ledger *ledger = *ledger_p;
    if (ledger == NULL)
        return;
    close_consumer(ledger);
    if (ledger->outbox != NULL)
        outbox_work(ledger->outbox, ledger->store);
    outbox_close(&ledger->outbox, flush_ms);
    store_close(&ledger->store);
    for (int i = 0; i < ledger->partition_count; i++)
        free(ledger->partitions[i].pending);
    free(ledger->partitions);
    for (size_t i = 0; i < ledger->fact_count; i++)
        free(ledger->facts[i].name);
    free(ledger->facts);
    fence_free(&ledger->fence);
    fd_close(&ledger->epoll_fd);
    free(ledger);
    *ledger_p = NULL;
}

/* ---- connecting ------------------------------------------------------------------------------- */

static int load_facts(struct ledger *ledger, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(ledger->store, "SELECT name, value FROM api.installation", NO_PARAMS, &rows,
                    error) < 0)
        return -1;
    for (size_t i = 0; i < ledger->fact_count; i++)
        free(ledger->facts[i].name);
    free(ledger->facts);
    ledger->fact_count = (size_t)rows_count(rows);
    ledger->facts = xcalloc(ledger->fact_count, sizeof *ledger->facts);
    for (size_t i = 0; i < ledger->fact_count; i++) {
        ledger->facts[i].name = rows_copy(rows, (int)i, 0);
        ledger->facts[i].value = (int)rows_int(rows, (int)i, 1);
    }
    return 0;
}

int ledger_installation(const struct ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->fact_count; i++)
        if (strcmp(ledger->facts[i].name, name) == 0)
            return ledger->facts[i].value;
    return 0;
}

/* A count that differs from the one that was stored would send keys elsewhere than their owners look. */
static int check_partitions(struct ledger *ledger, struct error *error)
{
    const struct ledger_settings *settings = &ledger->settings;
    int stored = ledger_installation(ledger, settings->partitions_key), actual;
    if (stored < 1 || stored > PARTITIONS_MAX)
        return error_set(error, "not_made",
                         "the topics were not made yet: run verdict-admin topics");
    if (bus_topic_partitions(&settings->bus, settings->topic, TOPIC_TIMEOUT_MS, &actual, error) < 0)
        return -1;
    if (actual != stored)
        return error_set(
            error, "partitions_changed",
            "topic %s has %d partitions, but was made with %d: partitions must never be added",
            settings->topic, actual, stored);
    if (ledger->partition_count == 0) {
        ledger->partitions = xcalloc((size_t)stored, sizeof *ledger->partitions);
        ledger->partition_count = stored;
        for (int i = 0; i < stored; i++)
            ledger->partitions[i] = (struct ledger_partition){.ledger = ledger, .number = i};
    }
    return 0;
}

static int connect_consumer(struct ledger *ledger, struct error *error)
{
    const struct ledger_settings *settings = &ledger->settings;
    if (ledger->store == NULL)
        return error_set(error, "unavailable", "%s", ledger->reason);
    if (load_facts(ledger, error) < 0 || check_partitions(ledger, error) < 0)
        return -1;
    return consumer_open(&settings->bus, settings->group, settings->instance_id, settings->topic,
                         &ledger->consumer_handlers, &ledger->consumer, error);
}

static void note_failure(struct ledger *ledger, const char *what, const struct error *error)
{
    if (strncmp(ledger->reason, error->text, sizeof ledger->reason) != 0)
        log_failure(LOG_LEVEL_WARNING, what, error);
    snprintf(ledger->reason, sizeof ledger->reason, "%s", error->text);
}

static void need_store(struct ledger *ledger)
{
    struct error error;
    if (ledger->store != NULL && store_is_broken(ledger->store))
        store_close(&ledger->store);
    if (ledger->store != NULL || !backoff_is_due(&ledger->store_backoff))
        return;
    if (store_open(&ledger->settings.store, &ledger->store, &error) == 0) {
        backoff_succeeded(&ledger->store_backoff);
        return;
    }
    backoff_failed(&ledger->store_backoff);
    note_failure(ledger, "postgres", &error);
}

static void need_consumer(struct ledger *ledger)
{
    struct error error;
    if (ledger->consumer_lost) {
        close_consumer(ledger);
        backoff_failed(&ledger->consumer_backoff);
    }
    if (ledger->consumer != NULL || !backoff_is_due(&ledger->consumer_backoff))
        return;
    if (connect_consumer(ledger, &error) == 0) {
        backoff_succeeded(&ledger->consumer_backoff);
        watch(ledger, consumer_fd(ledger->consumer));
        ledger->consumer_open_ms = monotonic_ms();
        ledger->reason[0] = '\0';
        return;
    }
    backoff_failed(&ledger->consumer_backoff);
    note_failure(ledger, "kafka", &error);
}

/* ---- the pass --------------------------------------------------------------------------------- */

static size_t pending_bytes(const struct ledger *ledger)
{
    size_t bytes = 0;
    for (int i = 0; i < ledger->partition_count; i++)
        bytes += ledger->partitions[i].pending_bytes;
    return bytes;
}

/* True when more may wait: the consumer's descriptor rings only once. */
static bool fetch(struct ledger *ledger)
{
    size_t bytes = pending_bytes(ledger);
    for (int i = 0; i < POLL_RECORDS_MAX && bytes < POLL_BYTES_MAX; i++) {
        struct record *record = consumer_poll(ledger->consumer);
        if (record == NULL)
            return false;
        struct ledger_partition *partition = find_partition(ledger, record->partition);
        bytes += record->payload_length;
        if (partition == NULL)
            record_free(&record);
        else
            partition_on_record(partition, record);
    }
    return true;
}

/* Stopping: what still arrives is for the next owner. */
static void drop_fetched(struct ledger *ledger)
{
    struct record *record;
    while (ledger->consumer != NULL && (record = consumer_poll(ledger->consumer)) != NULL)
        record_free(&record);
}

static int64_t partition_wait_ms(const struct ledger_partition *partition)
{
    int64_t wait_ms = backoff_wait_ms(&partition->backoff);
    if (partition->state == PARTITION_IDLE || (partition->asked_ms != 0 && wait_ms == 0))
        return IDLE_WAIT_MS; /* an answer rings */
    if (partition->state == PARTITION_OWNED || partition->state == PARTITION_VERIFYING)
        return wait_ms > 0 ? wait_ms : IDLE_WAIT_MS;
    return wait_ms;
}

/* How far the broker's log goes, as far as the last fetch has told. */
static void look_at_end(struct ledger_partition *partition)
{
    int64_t end = partition->ledger->consumer == NULL
                      ? -1
                      : consumer_known_end(partition->ledger->consumer, partition->number);
    if (end > partition->log_end)
        partition->log_end = end;
}

static void measure(struct ledger *ledger)
{
    int64_t lag = 0, oldest_ms = wall_ms();
    int owned = 0;
    for (int i = 0; i < ledger->partition_count; i++) {
        struct ledger_partition *partition = &ledger->partitions[i];
        if (partition->state == PARTITION_IDLE)
            continue;
        look_at_end(partition);
        if (partition->pending_count > 0 && partition->pending[0]->timestamp_ms < oldest_ms)
            oldest_ms = partition->pending[0]->timestamp_ms;
        owned += partition->loaded ? 1 : 0;
        lag += ledger_partition_lag(partition);
    }
    metric_set(&ledger_metrics[LEDGER_LAG], (double)lag);
    metric_set(&ledger_metrics[LEDGER_OWNED], owned);
    metric_set(&ledger_metrics[LEDGER_QUEUE_AGE], (double)(wall_ms() - oldest_ms) / 1000.0);
}

int64_t ledger_work(struct ledger *ledger)
{
    bool more = false;
    int64_t wait_ms = IDLE_WAIT_MS;
    need_store(ledger);
    if (ledger->stopped_ms != 0) {
        drop_fetched(ledger);
        return outbox_work(ledger->outbox, ledger->store);
    }
    need_consumer(ledger);
    if (ledger->consumer != NULL)
        more = fetch(ledger);
    for (int i = 0; i < ledger->partition_count; i++) {
        struct ledger_partition *partition = &ledger->partitions[i];
        more = partition_step(partition) || more;
        int64_t wants_ms = partition_wait_ms(partition);
        wait_ms = wants_ms < wait_ms ? wants_ms : wait_ms;
    }
    int64_t outbox_ms = outbox_work(ledger->outbox, ledger->store);
    wait_ms = outbox_ms < wait_ms ? outbox_ms : wait_ms;
    measure(ledger);
    if (ledger->consumer == NULL) {
        int64_t connect_ms = backoff_wait_ms(&ledger->consumer_backoff);
        wait_ms = connect_ms < wait_ms ? connect_ms : wait_ms;
    }
    return more ? 0 : wait_ms;
}

int ledger_fd(const struct ledger *ledger)
{
    return ledger->epoll_fd;
}

bool ledger_is_ready(const struct ledger *ledger, char *reason, size_t size)
{
    if (ledger->store == NULL || ledger->consumer == NULL) {
        snprintf(reason, size, "%s", ledger->reason[0] == '\0' ? "connecting" : ledger->reason);
        return false;
    }
    /* One that has no partition, where there are more instances than partitions, is ready all the same. */
    if (!ledger->assigned_once && monotonic_ms() - ledger->consumer_open_ms < JOIN_PATIENCE_MS) {
        snprintf(reason, size, "joining the group %s", ledger->settings.group);
        return false;
    }
    for (int i = 0; i < ledger->partition_count; i++) {
        const struct ledger_partition *partition = &ledger->partitions[i];
        if (partition->state == PARTITION_IDLE ||
            (partition_is_usable(partition) && !partition->failing && !partition->unheard))
            continue;
        snprintf(reason, size, "partition %d of %s: %s", partition->number, ledger->settings.topic,
                 partition->reason[0] == '\0' ? "taking over" : partition->reason);
        return false;
    }
    return outbox_is_healthy(ledger->outbox, reason, size);
}

/* ---- partitions and transactions of timers ----------------------------------------------------- */

int32_t ledger_partition_number(const struct ledger_partition *partition)
{
    return partition->number;
}

int64_t ledger_partition_epoch(const struct ledger_partition *partition)
{
    return partition->row.epoch;
}

void *ledger_partition_state(const struct ledger_partition *partition)
{
    return partition->user;
}

void ledger_partition_set_state(struct ledger_partition *partition, void *state)
{
    partition->user = state;
}

int64_t ledger_partition_end_at_take_over(const struct ledger_partition *partition)
{
    return partition->end_at_take_over;
}

int64_t ledger_partition_lag(const struct ledger_partition *partition)
{
    int64_t lag = partition->log_end - partition->row.next_offset;
    return lag > 0 ? lag : 0;
}

struct ledger_partition *ledger_next_partition(struct ledger *ledger,
                                               struct ledger_partition *after)
{
    if (ledger->stopped_ms != 0)
        return NULL;
    for (int i = after == NULL ? 0 : after->number + 1; i < ledger->partition_count; i++)
        if (partition_is_usable(&ledger->partitions[i]))
            return &ledger->partitions[i];
    return NULL;
}

int ledger_begin(struct ledger_partition *partition, struct store **store_r, struct error *error)
{
    assert(!partition->in_transaction);
    if (!partition_is_usable(partition))
        return error_set(error, "unavailable", "partition %d is not ours just now",
                         partition->number);
    if (fence_begin_timer(partition->ledger->fence, partition->store, partition->number,
                          &partition->row, error) < 0) {
        partition_drop(partition,
                       error_is(error, "fenced") ? PARTITION_FENCED : PARTITION_RELOADING, error);
        return -1;
    }
    partition->in_transaction = true;
    *store_r = partition->store;
    return 0;
}

int ledger_commit(struct ledger_partition *partition, struct error *error)
{
    assert(partition->in_transaction);
    partition->in_transaction = false;
    if (store_commit(partition->store, error) < 0) {
        partition_set_aside(partition, error);
        partition_drop(partition, PARTITION_RELOADING, error);
        return -1;
    }
    outbox_committed(partition->ledger->outbox, partition->store);
    return 0;
}

void ledger_rollback(struct ledger_partition *partition)
{
    assert(partition->in_transaction);
    partition->in_transaction = false;
    store_rollback(partition->store);
    outbox_rolled_back(partition->ledger->outbox, partition->store);
}

void ledger_abandon(struct ledger_partition *partition, const struct error *why)
{
    assert(partition->in_transaction);
    partition_set_aside(partition, why);
    partition_drop(partition, PARTITION_RELOADING, why);
}

void ledger_raise_epoch(struct ledger_partition *partition, int64_t seen)
{
    struct error why;
    error_set(&why, "epoch_behind", "workers have heard of epoch %lld, ours is %lld: raising it",
              (long long)seen, (long long)partition->row.epoch);
    partition->seen_epoch = seen;
    partition_drop(partition, PARTITION_RAISING, &why);
    backoff_succeeded(&partition->backoff);
}

struct outbox *ledger_outbox(struct ledger *ledger)
{
    return ledger->outbox;
}

struct producer *ledger_producer(struct ledger *ledger)
{
    return outbox_producer(ledger->outbox);
}
