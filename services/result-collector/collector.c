/* SPDX-License-Identifier: Apache-2.0 */
#include "collector.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "collector_metrics.h"
#include "db/retention.h"
#include "intake.h"
#include "log/log.h"
#include "message/resync.h"
#include "trace/trace.h"

#define BATCH_BYTES ((int64_t)4 * 1024 * 1024)
#define FLUSH_MS    2000
/* Results that wait in a partition: more than a moment's. */
#define BUSY_RECORDS 50

static const struct setting own_list[] = {
    {.name = "VERDICT_BATCH_RECORDS",
     .type = SETTING_INT,
     .offset = offsetof(struct collector_settings, batch_records),
     .fallback = "1000",
     .min = 1,
     .max = 2000,
     .text = "most messages of one transaction"},
    {.name = "VERDICT_LOG_CHECK",
     .type = SETTING_DURATION,
     .offset = offsetof(struct collector_settings, log_check_ms),
     .fallback = "10s",
     .min = 100,
     .max = 60000,
     .text = "how often it is checked that the topic is the one that it was"},
};
const struct settings_table collector_settings = SETTINGS(own_list);

/* ---- the ledger's handlers -------------------------------------------------------------------- */

/* Nothing is remembered between transactions: what a batch is judged by is read under its locks. */
static int on_load(void *context, struct ledger_partition *partition, struct store *store,
                   struct error *error)
{
    (void)context;
    (void)partition;
    (void)store;
    (void)error;
    return 0;
}

static void on_drop(void *context, struct ledger_partition *partition)
{
    struct collector *collector = context;
    (void)partition;
    outcome_deinit(&collector->outcome);
}

static int take(struct collector *collector, struct store *store,
                const struct record *const *records, struct judgement *judgements,
                struct intake *intake, struct error *error)
{
    char reason[ERROR_TEXT_MAX];
    if (!partitions_are_ready(collector->partitions, reason, sizeof reason))
        return error_set(error, "unavailable", "%s", reason);
    if (intake_read(intake, collector->keys, store, records, judgements, error) < 0 ||
        write_lock(store, intake->batch, error) < 0)
        return -1;
    intake_take(intake, collector->partitions, judgements);
    return write_batch(store, intake->batch, ledger_outbox(collector->ledger),
                       collector->scheduling_topic, &collector->outcome, error);
}

static enum verdict_of_handler on_batch(void *context, struct ledger_partition *partition,
                                        struct store *store, const struct record *const *records,
                                        struct judgement *judgements, int count,
                                        struct error *error)
{
    struct collector *collector = context;
    AUTO(intake_free) struct intake *intake = intake_new(count);
    (void)partition;
    outcome_deinit(&collector->outcome);
    return take(collector, store, records, judgements, intake, error) == 0 ? HANDLED : RETRY;
}

static void on_committed(void *context, struct ledger_partition *partition)
{
    struct collector *collector = context;
    const struct outcome *outcome = &collector->outcome;
    const int64_t counts[COLLECTOR_METRIC_COUNT] = {
        [RESULTS_INGESTED] = outcome->ingested, [RESULTS_DUPLICATE] = outcome->duplicate,
        [RESULTS_STALE] = outcome->stale,       [RESULTS_LATE] = outcome->late,
        [ITEMS_REJECTED] = outcome->rejected,   [STREAM_ITEMS] = outcome->items,
        [STREAM_GAPS] = outcome->gaps,          [STREAMS_FINISHED] = outcome->finished,
        [LOG_BYTES] = outcome->log_bytes,
    };
    (void)partition;
    for (int i = 0; i < COLLECTOR_METRIC_COUNT; i++)
        if (counts[i] > 0)
            metric_add(&collector_metrics[i], (double)counts[i]);
    for (size_t i = 0; i < outcome->totals_count; i++)
        progress_note(collector->progress, &outcome->totals[i]);
    for (size_t i = 0; i < outcome->span_count; i++) {
        outcome->spans[i].end_us = monotonic_us();
        trace_add(&outcome->spans[i]);
    }
    outcome_deinit(&collector->outcome);
}

/* The log was another one: what workers have sent may be gone with it. Each scheduler tells its workers to
 * send their spools again. */
static int on_resync(void *context, struct ledger_partition *partition, struct store *store,
                     struct error *error)
{
    struct collector *collector = context;
    AUTO(text_free) char *payload = NULL;
    struct resync resync = {.token = uuid_random(), .topic = collector->results_topic};
    (void)partition;
    if (message_encode(&resync_message, &resync, &payload, error) < 0)
        return -1;
    int partitions = ledger_installation(collector->ledger, "scheduling_partitions");
    for (int i = 0; i < partitions; i++) {
        const struct outbox_message message = {.topic = collector->scheduling_topic,
                                               .partition = i,
                                               .key = resync.token.text,
                                               .payload = payload};
        if (outbox_add(ledger_outbox(collector->ledger), store, &message, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- the loop --------------------------------------------------------------------------------- */

static int64_t work_ledger(void *context)
{
    struct collector *collector = context;
    return ledger_work(collector->ledger);
}

static int64_t work_partitions(void *context)
{
    struct collector *collector = context;
    return partitions_work(collector->partitions);
}

static bool is_busy(const struct collector *collector)
{
    struct ledger_partition *partition = NULL;
    while ((partition = ledger_next_partition(collector->ledger, partition)) != NULL)
        if (ledger_partition_lag(partition) > BUSY_RECORDS)
            return true;
    return false;
}

static int64_t work_statistics(void *context)
{
    struct collector *collector = context;
    return statistics_work(collector->statistics, is_busy(collector));
}

static int64_t work_progress(void *context)
{
    struct collector *collector = context;
    return progress_work(collector->progress, ledger_producer(collector->ledger),
                         ledger_installation(collector->ledger, "events_partitions"));
}

static bool ledger_ready(void *context, char *reason, size_t size)
{
    const struct collector *collector = context;
    return ledger_is_ready(collector->ledger, reason, size);
}

static bool partitions_ready(void *context, char *reason, size_t size)
{
    const struct collector *collector = context;
    return partitions_are_ready(collector->partitions, reason, size);
}

const struct readiness collector_readiness[] = {{"ledger", ledger_ready},
                                                {"partitions", partitions_ready}};
const size_t collector_readiness_count = ARRAY_SIZE(collector_readiness);

/* ---- open and close --------------------------------------------------------------------------- */

static void name_topics(struct collector *collector, const char *prefix)
{
    topic_name(TOPIC_RESULTS, prefix, NULL, collector->results_topic);
    topic_name(TOPIC_SCHEDULING, prefix, NULL, collector->scheduling_topic);
    topic_name(TOPIC_EVENTS, prefix, NULL, collector->events_topic);
    topic_name(TOPIC_DEAD_LETTERS, prefix, NULL, collector->dead_letters_topic);
}

static int open_ledger(struct collector *collector, struct service *service, struct error *error)
{
    static struct ledger_handlers handlers = {.load = on_load,
                                              .drop = on_drop,
                                              .handle = on_batch,
                                              .committed = on_committed,
                                              .resync = on_resync};
    const struct collector_settings *own = service_own(service);
    handlers.context = collector;
    const struct ledger_settings settings = {.schema = "results",
                                             .group = collector->results_topic,
                                             .instance_id = service_common(service)->instance_id,
                                             .topic = collector->results_topic,
                                             .dead_letters_topic = collector->dead_letters_topic,
                                             .partitions_key =
                                                 topics[TOPIC_RESULTS].installation_key,
                                             .batch_records = (int)own->batch_records,
                                             .batch_bytes = BATCH_BYTES,
                                             .log_check_ms = own->log_check_ms,
                                             .store = service_store(service),
                                             .bus = service_bus(service)};
    return ledger_open(&settings, &handlers, &collector->ledger, error);
}

int collector_open(struct service *service, void **context_r, struct error *error)
{
    const struct store_settings store = service_store(service);
    struct collector *collector = xcalloc(1, sizeof *collector);
    *context_r = collector;
    name_topics(collector, service_common(service)->topic_prefix);
    collector->keys = worker_keys_new();
    collector->partitions = partitions_new(&store, service_common(service)->retention_ms);
    collector->progress = progress_new(collector->events_topic);
    collector->statistics = statistics_new(&store);
    if (open_ledger(collector, service, error) < 0)
        return -1;
    loop_add_work(service_loop(service), work_partitions, collector);
    loop_add_fd(service_loop(service), ledger_fd(collector->ledger), POLLIN, NULL, NULL);
    loop_add_work(service_loop(service), work_ledger, collector);
    loop_add_work(service_loop(service), work_progress, collector);
    loop_add_work(service_loop(service), work_statistics, collector);
    return retention_start(&store, service_common(service)->retention_ms, &results_retention,
                           &collector->retention, error);
}

void collector_close(void *context)
{
    struct collector *collector = context;
    if (collector == NULL)
        return;
    retention_stop(&collector->retention);
    ledger_close(&collector->ledger, FLUSH_MS);
    statistics_free(&collector->statistics);
    progress_free(&collector->progress);
    partitions_free(&collector->partitions);
    worker_keys_free(&collector->keys);
    outcome_deinit(&collector->outcome);
    free(collector);
}

/* ---- stopping --------------------------------------------------------------------------------- */

static void stop_taking(void *context)
{
    struct collector *collector = context;
    ledger_stop(collector->ledger);
}

static bool is_flushed(void *context)
{
    const struct collector *collector = context;
    return ledger_is_flushed(collector->ledger);
}

const struct stop_step collector_stop[] = {
    {.name = "take no more results", .begin = stop_taking},
    {.name = "tell of those that were taken", .done = is_flushed},
};
const size_t collector_stop_count = ARRAY_SIZE(collector_stop);
