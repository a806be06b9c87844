/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox. A message is in one of three places: uncommitted (its transaction is open), waiting (to
 * be handed to the producer, in the order of making) or in flight (its delivery report decides). */
#include "ledger/outbox.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ledger/metrics.h"
#include "log/log.h"
#include "model/limits.h"
#include "base/backoff.h"

#define SWEEP_INTERVAL_MS 1000
#define SWEEP_ROWS        500
#define DELETE_BATCH      200 /* at once from so many … */
#define DELETE_DELAY_MS   20  /* … or after so long */
#define IN_FLIGHT_MAX     20000
#define SQL_SIZE          512

enum place { UNCOMMITTED, WAITING, IN_FLIGHT };

struct entry {
    uint64_t tag; /* rises with the making: the order in which messages go out */
    struct uuid id;
    enum place place;
    const struct store *store; /* whose transaction, while uncommitted */
    char *topic, *key, *payload, *traceparent;
    int32_t partition;
    char *refused; /* why it can never be sent */
    TAILQ_ENTRY(entry) link;
    UT_hash_handle hh_tag, hh_id;
};
TAILQ_HEAD(entry_list, entry);

struct outbox {
    pthread_mutex_t lock; /* recursive: delivery reports come while it is held */
    struct producer *producer;
    uint64_t last_tag;
    struct entry *by_tag, *by_id;
    struct entry_list uncommitted, waiting, delivered;
    size_t delivered_count;
    int64_t delivered_since_ms;
    struct backoff resend;
    struct backoff database;
    int64_t next_sweep_ms;
    bool sweep_all;
    char insert[SQL_SIZE], remove[SQL_SIZE], claim[SQL_SIZE], claim_all[SQL_SIZE], bury[SQL_SIZE],
        age[SQL_SIZE];
};

static void entry_free(struct entry *entry)
{
    free(entry->topic);
    free(entry->key);
    free(entry->payload);
    free(entry->traceparent);
    free(entry->refused);
    free(entry);
}

static void forget(struct outbox *outbox, struct entry *entry)
{
    HASH_DELETE(hh_tag, outbox->by_tag, entry);
    HASH_DELETE(hh_id, outbox->by_id, entry);
    entry_free(entry);
}

static struct entry *entry_add(struct outbox *outbox, const struct uuid *id,
                               const struct outbox_message *message)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->tag = ++outbox->last_tag;
    entry->id = *id;
    entry->topic = xstrdup(message->topic);
    entry->partition = message->partition;
    entry->key = xstrdup(message->key);
    entry->payload = xstrdup(message->payload);
    entry->traceparent = xstrdup(message->traceparent == NULL ? "" : message->traceparent);
    HASH_ADD(hh_tag, outbox->by_tag, tag, sizeof entry->tag, entry);
    HASH_ADD(hh_id, outbox->by_id, id, sizeof entry->id, entry);
    return entry;
}

/* Keeps the order of making, also for what comes back from the producer. */
static void wait_again(struct outbox *outbox, struct entry *entry)
{
    struct entry *before = TAILQ_LAST(&outbox->waiting, entry_list);
    entry->place = WAITING;
    while (before != NULL && before->tag > entry->tag)
        before = TAILQ_PREV(before, entry_list, link);
    if (before == NULL)
        TAILQ_INSERT_HEAD(&outbox->waiting, entry, link);
    else
        TAILQ_INSERT_AFTER(&outbox->waiting, before, entry, link);
}

/* Its row can go: delivered, or never deliverable (then a dead letter goes with it). */
static void settle(struct outbox *outbox, struct entry *entry, const char *refused)
{
    char *copy = refused == NULL ? NULL : xstrdup(refused);
    free(entry->refused); /* `refused` itself, where its row could not be deleted yet */
    entry->refused = copy;
    if (outbox->delivered_count++ == 0)
        outbox->delivered_since_ms = monotonic_ms();
    TAILQ_INSERT_TAIL(&outbox->delivered, entry, link);
}

static void on_delivery(void *context, uint64_t tag, enum delivery delivery,
                        const struct error *why)
{
    struct outbox *outbox = context;
    struct entry *entry;
    if (tag == 0) {
        if (delivery != DELIVERY_OK)
            log_debug("a message without outbox was not delivered",
                      LOG_TEXT("reason", why == NULL ? "" : why->text));
        return;
    }
    pthread_mutex_lock(&outbox->lock);
    HASH_FIND(hh_tag, outbox->by_tag, &tag, sizeof tag, entry);
    if (entry != NULL && entry->place == IN_FLIGHT) {
        if (delivery == DELIVERY_FAILED) {
            backoff_failed(&outbox->resend);
            wait_again(outbox, entry);
        } else {
            backoff_succeeded(&outbox->resend);
            settle(outbox, entry,
                   delivery == DELIVERY_REFUSED ? (why == NULL ? "refused" : why->text) : NULL);
        }
    }
    pthread_mutex_unlock(&outbox->lock);
}

/* Hands over what waits, in order, as far as the producer takes it. */
static void send_waiting(struct outbox *outbox)
{
    struct entry *entry;
    while ((entry = TAILQ_FIRST(&outbox->waiting)) != NULL && backoff_is_due(&outbox->resend)) {
        struct error error;
        const struct outgoing message = {.topic = entry->topic,
                                         .partition = entry->partition,
                                         .key = entry->key,
                                         .payload = entry->payload,
                                         .payload_length = strlen(entry->payload),
                                         .traceparent = entry->traceparent,
                                         .tag = entry->tag};
        TAILQ_REMOVE(&outbox->waiting, entry, link);
        entry->place = IN_FLIGHT;
        if (producer_send(outbox->producer, &message, &error) == 0)
            continue;
        if (error_is(&error, "refused")) {
            settle(outbox, entry, error.text);
            continue;
        }
        wait_again(outbox, entry);
        backoff_failed(&outbox->resend);
        return;
    }
}

static void make_statements(struct outbox *outbox, const char *schema)
{
    snprintf(outbox->insert, SQL_SIZE,
             "INSERT INTO %s.outbox (id, topic, partition, key, payload, traceparent) "
             "VALUES ($1, $2, $3, $4, $5, $6)",
             schema);
    snprintf(outbox->remove, SQL_SIZE, "DELETE FROM %s.outbox WHERE id = ANY($1::uuid[])", schema);
    /* One sweeper at a time; the lock goes with the transaction, whatever becomes of this session. */
    snprintf(
        outbox->claim, SQL_SIZE,
        "UPDATE %s.outbox SET sweeps = sweeps + 1, "
        "next_sweep_at = now() + least(interval '5 seconds' * 2 ^ least(sweeps, 6), interval '5 minutes') "
        "WHERE id IN (SELECT id FROM %s.outbox WHERE next_sweep_at <= now() ORDER BY id LIMIT $1) "
        "AND pg_try_advisory_xact_lock(hashtext('verdict.outbox.%s')) "
        "RETURNING id, topic, partition, key, payload, traceparent",
        schema, schema, schema);
    snprintf(outbox->claim_all, SQL_SIZE,
             "SELECT id, topic, partition, key, payload, traceparent FROM %s.outbox ORDER BY id "
             "LIMIT $1",
             schema);
    snprintf(outbox->bury, SQL_SIZE,
             "INSERT INTO %s.dead_letter (id, topic, partition, \"offset\", payload, "
             "payload_bytes, error) "
             "VALUES ($1, $2, $3, -1, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
             schema);
    snprintf(
        outbox->age, SQL_SIZE,
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM %s.outbox",
        schema);
}

int outbox_open(const char *schema, const struct bus_settings *bus, struct outbox **outbox_r,
                struct error *error)
{
    struct outbox *outbox = xcalloc(1, sizeof *outbox);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&outbox->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    TAILQ_INIT(&outbox->uncommitted);
    TAILQ_INIT(&outbox->waiting);
    TAILQ_INIT(&outbox->delivered);
    backoff_init(&outbox->resend, 50, 2000);
    backoff_init(&outbox->database, 100, 5000);
    make_statements(outbox, schema);
    outbox->sweep_all = true;
    ledger_metrics_register();
    if (producer_open(bus, on_delivery, outbox, &outbox->producer, error) < 0) {
        outbox_close(&outbox, 0);
        return -1;
    }
    *outbox_r = outbox;
    return 0;
}

void outbox_close(struct outbox **outbox_p, int64_t flush_ms)
{
    struct outbox *outbox = *outbox_p;
    struct entry *entry, *next;
    if (outbox == NULL)
        return;
    producer_close(&outbox->producer, flush_ms);
    HASH_ITER (hh_tag, outbox->by_tag, entry, next) {
        forget(outbox, entry);
    }
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
    *outbox_p = NULL;
}

struct producer *outbox_producer(struct outbox *outbox)
{
    return outbox->producer;
}

void outbox_announce(struct outbox *outbox, const struct store *store, const struct uuid *row_id,
                     const struct outbox_message *message)
{
    pthread_mutex_lock(&outbox->lock);
    struct entry *entry = entry_add(outbox, row_id, message);
    entry->place = UNCOMMITTED;
    entry->store = store;
    TAILQ_INSERT_TAIL(&outbox->uncommitted, entry, link);
    pthread_mutex_unlock(&outbox->lock);
}

int outbox_add(struct outbox *outbox, struct store *store, const struct outbox_message *message,
               struct error *error)
{
    struct uuid id = uuid_v7();
    if (store_pipeline_add(store, outbox->insert,
                           PARAMS(param_uuid(&id), param_text(message->topic),
                                  param_int(message->partition), param_text(message->key),
                                  param_text(message->payload), param_text(message->traceparent)),
                           -1, error) < 0)
        return -1;
    outbox_announce(outbox, store, &id, message);
    return 0;
}

static void end_transaction(struct outbox *outbox, const struct store *store, bool committed)
{
    struct entry *entry, *next;
    pthread_mutex_lock(&outbox->lock);
    for (entry = TAILQ_FIRST(&outbox->uncommitted); entry != NULL; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->store != store)
            continue;
        TAILQ_REMOVE(&outbox->uncommitted, entry, link);
        if (committed)
            wait_again(outbox, entry);
        else
            forget(outbox, entry);
    }
    if (committed)
        send_waiting(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_committed(struct outbox *outbox, const struct store *store)
{
    end_transaction(outbox, store, true);
}

void outbox_rolled_back(struct outbox *outbox, const struct store *store)
{
    end_transaction(outbox, store, false);
}

void outbox_sweep_now(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->sweep_all = true;
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- what needs the database: removing rows, sweeping ------------------------------------------- */

static int bury(struct outbox *outbox, struct store *store, const struct entry *entry,
                struct error *error)
{
    size_t length = strlen(entry->payload);
    size_t kept =
        length < (size_t)LIMIT_DEAD_LETTER_BYTES ? length : (size_t)LIMIT_DEAD_LETTER_BYTES;
    log_error("a message of the outbox can never be sent", LOG_TEXT("topic", entry->topic),
              LOG_TEXT("reason", entry->refused));
    metric_add(&ledger_metrics[LEDGER_DEAD_LETTERS], 1);
    return store_query(store, outbox->bury,
                       PARAMS(param_uuid(&entry->id), param_text(entry->topic),
                              param_int(entry->partition), param_bytes(entry->payload, kept),
                              param_int((int64_t)length), param_text(entry->refused)),
                       NULL, error);
}

static int remove_rows(struct outbox *outbox, struct store *store, struct entry_list *done,
                       struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    struct entry *entry;
    TAILQ_FOREACH (entry, done, link) {
        array_param_add(ids, entry->id.text);
        if (entry->refused != NULL && bury(outbox, store, entry, error) < 0)
            return -1;
    }
    return store_query(store, outbox->remove, PARAMS(array_param_get(ids)), NULL, error);
}

static int remove_delivered(struct outbox *outbox, struct store *store, struct error *error)
{
    struct entry_list done = TAILQ_HEAD_INITIALIZER(done);
    struct entry *entry;
    pthread_mutex_lock(&outbox->lock);
    TAILQ_CONCAT(&done, &outbox->delivered, link);
    outbox->delivered_count = 0;
    pthread_mutex_unlock(&outbox->lock);

    int status = remove_rows(outbox, store, &done, error);

    pthread_mutex_lock(&outbox->lock);
    while ((entry = TAILQ_FIRST(&done)) != NULL) {
        TAILQ_REMOVE(&done, entry, link);
        if (status == 0)
            forget(outbox, entry);
        else
            settle(outbox, entry, entry->refused);
    }
    pthread_mutex_unlock(&outbox->lock);
    return status;
}

static void take_swept(struct outbox *outbox, const struct rows *rows)
{
    pthread_mutex_lock(&outbox->lock);
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        struct entry *known;
        HASH_FIND(hh_id, outbox->by_id, &id, sizeof id, known);
        if (known != NULL)
            continue;
        const struct outbox_message message = {.topic = rows_text(rows, i, 1),
                                               .partition = (int32_t)rows_int(rows, i, 2),
                                               .key = rows_text(rows, i, 3),
                                               .payload = rows_text(rows, i, 4),
                                               .traceparent = rows_text(rows, i, 5)};
        wait_again(outbox, entry_add(outbox, &id, &message));
        metric_add(&ledger_metrics[OUTBOX_SWEPT], 1);
    }
    send_waiting(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

static int measure(struct outbox *outbox, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, outbox->age, NO_PARAMS, &rows, error) < 0)
        return -1;
    metric_set(&ledger_metrics[OUTBOX_ROWS], rows_real(rows, 0, 0));
    metric_set(&ledger_metrics[OUTBOX_AGE], rows_real(rows, 0, 1));
    return 0;
}

static int sweep(struct outbox *outbox, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    pthread_mutex_lock(&outbox->lock);
    bool all = outbox->sweep_all;
    bool full =
        HASH_CNT(hh_tag, outbox->by_tag) > IN_FLIGHT_MAX || !backoff_is_due(&outbox->resend);
    if (full) /* Kafka is away or behind: sweeping would not help */
        outbox->next_sweep_ms = monotonic_ms() + SWEEP_INTERVAL_MS;
    pthread_mutex_unlock(&outbox->lock);
    if (full)
        return 0;
    const char *sql = all ? outbox->claim_all : outbox->claim;
    if (measure(outbox, store, error) < 0 ||
        store_query(store, sql, PARAMS(param_int(all ? IN_FLIGHT_MAX : SWEEP_ROWS)), &rows, error) <
            0)
        return -1;
    take_swept(outbox, rows);
    pthread_mutex_lock(&outbox->lock);
    outbox->sweep_all = outbox->sweep_all && !all;
    if (rows_count(rows) < SWEEP_ROWS)
        outbox->next_sweep_ms = monotonic_ms() + SWEEP_INTERVAL_MS;
    pthread_mutex_unlock(&outbox->lock);
    return 0;
}

static void database_work(struct outbox *outbox, struct store *store)
{
    struct error error;
    pthread_mutex_lock(&outbox->lock);
    int64_t now_ms = monotonic_ms();
    bool remove_due =
        outbox->delivered_count >= DELETE_BATCH ||
        (outbox->delivered_count > 0 && now_ms - outbox->delivered_since_ms >= DELETE_DELAY_MS);
    bool sweep_due = outbox->sweep_all || now_ms >= outbox->next_sweep_ms;
    pthread_mutex_unlock(&outbox->lock);
    int status = remove_due ? remove_delivered(outbox, store, &error) : 0;
    if (status == 0 && sweep_due)
        status = sweep(outbox, store, &error);
    if (status == 0) {
        backoff_succeeded(&outbox->database);
        return;
    }
    backoff_failed(&outbox->database);
    log_failure(LOG_LEVEL_WARNING, "outbox", &error);
}

static int64_t until_sending_ms(const struct outbox *outbox)
{
    if (TAILQ_EMPTY(&outbox->waiting))
        return SWEEP_INTERVAL_MS;
    return backoff_wait_ms(&outbox->resend) + 1;
}

/* A time that has come does not count where nothing can be done about it: 0 would be asked for as long as
 * the outage is. */
static int64_t until_database_ms(const struct outbox *outbox, const struct store *store)
{
    if (!backoff_is_due(&outbox->database))
        return backoff_wait_ms(&outbox->database);
    if (store == NULL || store_is_broken(store))
        return SWEEP_INTERVAL_MS; /* or when its owner has connected again */
    int64_t wait_ms = outbox->next_sweep_ms - monotonic_ms();
    if (outbox->delivered_count > 0 && wait_ms > DELETE_DELAY_MS)
        wait_ms = DELETE_DELAY_MS;
    return wait_ms < 0 ? 0 : wait_ms;
}

int64_t outbox_work(struct outbox *outbox, struct store *store)
{
    pthread_mutex_lock(&outbox->lock);
    producer_poll(outbox->producer);
    send_waiting(outbox);
    pthread_mutex_unlock(&outbox->lock);
    if (store != NULL && !store_is_broken(store) && backoff_is_due(&outbox->database))
        database_work(outbox, store);

    pthread_mutex_lock(&outbox->lock);
    int64_t sending_ms = until_sending_ms(outbox);
    int64_t database_ms = until_database_ms(outbox, store);
    pthread_mutex_unlock(&outbox->lock);
    return sending_ms < database_ms ? sending_ms : database_ms;
}

int outbox_fd(const struct outbox *outbox)
{
    return producer_fd(outbox->producer);
}

bool outbox_is_idle(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    bool is_idle = HASH_CNT(hh_tag, outbox->by_tag) == 0;
    pthread_mutex_unlock(&outbox->lock);
    return is_idle;
}

bool outbox_is_healthy(const struct outbox *outbox, char *reason, size_t size)
{
    if (producer_is_healthy(outbox->producer))
        return true;
    snprintf(reason, size, "kafka takes no messages; what must be sent waits in the outbox");
    return false;
}
