/* SPDX-License-Identifier: Apache-2.0 */
/* The process: settings, the ledger and what it calls, the timers. */
#include "scheduler.h"

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "aside.h"
#include "brain.h"
#include "bus/topics.h"
#include "db.h"
#include "db/retention.h"
#include "dispatch.h"
#include "events.h"
#include "handlers.h"
#include "lanes.h"
#include "measure.h"
#include "reaper.h"

#define BATCH_RECORDS 500
#define BATCH_BYTES   (4 * 1024 * 1024)
#define PASS_MS       100
#define MEASURE_MS    1000

#define OWN(field) offsetof(struct scheduler_settings, field)
static const struct setting list[] = {
    {.name = "VERDICT_WORKER_SUSPECT",
     .type = SETTING_DURATION,
     .offset = OWN(suspect_ms),
     .fallback = "20s",
     .min = 100,
     .max = 3600000,
     .text = "silence after which a worker gets no new work"},
    {.name = "VERDICT_WORKER_LOST",
     .type = SETTING_DURATION,
     .offset = OWN(lost_ms),
     .fallback = "60s",
     .min = 200,
     .max = 3600000,
     .text = "silence after which a worker's tasks go elsewhere"},
    {.name = "VERDICT_DISPATCH_ACK",
     .type = SETTING_DURATION,
     .offset = OWN(dispatch_ack_ms),
     .fallback = "10s",
     .min = 100,
     .max = 600000,
     .text = "a dispatch that is not acknowledged within it is sent again, three times"},
    {.name = "VERDICT_SYNC_INTERVAL",
     .type = SETTING_DURATION,
     .offset = OWN(sync_interval_ms),
     .fallback = "10s",
     .min = 100,
     .max = 600000,
     .text = "how often each worker is told the full set that it should be running"},
    {.name = "VERDICT_REAPER_INTERVAL",
     .type = SETTING_DURATION,
     .offset = OWN(reaper_interval_ms),
     .fallback = "1s",
     .min = 100,
     .max = 60000,
     .text = "how often deadlines are looked at"},
    {.name = "VERDICT_TASK_SLACK",
     .type = SETTING_DURATION,
     .offset = OWN(task_slack_ms),
     .fallback = "30s",
     .min = 1000,
     .max = 3600000,
     .text = "so long beyond its time limit and grace a task is taken from a worker that does not "
             "end it"},
    {.name = "VERDICT_LOG_CHECK",
     .type = SETTING_DURATION,
     .offset = OWN(log_check_ms),
     .fallback = "10s",
     .min = 100,
     .max = 600000,
     .text = "how often it is checked that the log is the log that it was"},
    {.name = "VERDICT_PUBLIC_URL",
     .type = SETTING_TEXT,
     .offset = OWN(public_url),
     .fallback = "http://127.0.0.1:8080",
     .min = 1,
     .max = 1024,
     .text = "where users reach the API: tests are told the URL of their run"},
};
const struct settings_table scheduler_settings = SETTINGS(list);

/* ---- what the ledger calls -------------------------------------------------------------------- */

static int load(void *context, struct ledger_partition *partition, struct store *store,
                struct error *error)
{
    struct scheduler *scheduler = context;
    struct brain *brain = brain_new(scheduler, partition);
    AUTO(rows_free) struct rows *pools = NULL;
    ledger_partition_set_state(partition, brain);
    if (db_load_pools(store, &pools, error) < 0)
        return -1;
    int partitions = ledger_installation(scheduler->ledger, "scheduling_partitions");
    for (int i = 0; i < rows_count(pools); i++) {
        struct uuid id = rows_uuid(pools, i, 0);
        if (topic_partition(id.text, partitions) == ledger_partition_number(partition))
            brain_pool(brain, &id)->dirty = true;
    }
    if (db_load_resync_token(store, brain, error) < 0 || db_load_workers(brain, store, error) < 0 ||
        db_load_runs(brain, store, NULL, error) < 0)
        return -1;
    return db_load_tasks(brain, store, error);
}

static void drop(void *context, struct ledger_partition *partition)
{
    struct brain *brain = ledger_partition_state(partition);
    (void)context;
    brain_free(&brain);
    ledger_partition_set_state(partition, NULL);
}

static enum verdict_of_handler handle(void *context, struct ledger_partition *partition,
                                      struct store *store, const struct record *const *records,
                                      struct judgement *judgements, int count, struct error *error)
{
    (void)context;
    return handlers_batch(ledger_partition_state(partition), store, records, judgements, count,
                          error);
}

static void committed(void *context, struct ledger_partition *partition)
{
    (void)context;
    lanes_flush(ledger_partition_state(partition));
}

/* What a statement concerned is known, or is found out with smaller statements. */
static bool set_aside(void *context, struct ledger_partition *partition, const struct error *error)
{
    struct scheduler *scheduler = context;
    struct uuid run_id;
    if (uuid_parse(error->about, &run_id, NULL) == 0) {
        aside_add(scheduler, ledger_partition_number(partition), &run_id, error);
        return true;
    }
    aside_be_careful(scheduler);
    return false;
}

/* The scheduling log is another one: what was in it is found in Postgres by the load that follows; what the
 * world was told is told again. */
static int resync(void *context, struct ledger_partition *partition, struct store *store,
                  struct error *error)
{
    struct brain brain = {.scheduler = context, .partition = partition};
    return events_again(&brain, store, ledger_partition_number(partition), error);
}

/* ---- timers ------------------------------------------------------------------------------------ */

static int64_t work(void *context)
{
    struct scheduler *scheduler = context;
    struct ledger_partition *partition = NULL;
    int64_t wait_ms = ledger_work(scheduler->ledger);
    bool any = false;
    while ((partition = ledger_next_partition(scheduler->ledger, partition)) != NULL) {
        any = true;
        if (monotonic_ms() - ((struct brain *)ledger_partition_state(partition))->last_pass_ms >=
            PASS_MS)
            reaper_pass(ledger_partition_state(partition));
    }
    if (monotonic_ms() >= scheduler->measure_due_ms) {
        scheduler->measure_due_ms = monotonic_ms() + MEASURE_MS;
        gauges_update(scheduler->gauges, scheduler->ledger, scheduler->settings->suspect_ms);
    }
    return any && wait_ms > PASS_MS ? PASS_MS : wait_ms;
}

/* ---- open and close --------------------------------------------------------------------------- */

int scheduler_open(struct service *service, void **context_r, struct error *error)
{
    const struct common_settings *common = service_common(service);
    struct scheduler *scheduler = xcalloc(1, sizeof *scheduler);
    *context_r = scheduler;
    scheduler->service = service;
    scheduler->settings = service_own(service);
    scheduler->topic_prefix = common->topic_prefix;
    scheduler->lane_seq = wall_ms() * 1000;
    scheduler->keys = worker_keys_new();
    scheduler->gauges = gauges_new();
    topic_name(TOPIC_SCHEDULING, common->topic_prefix, NULL, scheduler->scheduling_topic);
    topic_name(TOPIC_EVENTS, common->topic_prefix, NULL, scheduler->events_topic);
    topic_name(TOPIC_DEAD_LETTERS, common->topic_prefix, NULL, scheduler->dead_letters_topic);
    scheduler->handlers = (struct ledger_handlers){.load = load,
                                                   .drop = drop,
                                                   .handle = handle,
                                                   .committed = committed,
                                                   .resync = resync,
                                                   .set_aside = set_aside,
                                                   .context = scheduler};
    const struct ledger_settings settings = {.schema = "scheduling",
                                             .group = scheduler->scheduling_topic,
                                             .instance_id = common->instance_id,
                                             .topic = scheduler->scheduling_topic,
                                             .dead_letters_topic = scheduler->dead_letters_topic,
                                             .partitions_key = "scheduling_partitions",
                                             .batch_records = BATCH_RECORDS,
                                             .batch_bytes = BATCH_BYTES,
                                             .log_check_ms = scheduler->settings->log_check_ms,
                                             .store = service_store(service),
                                             .bus = service_bus(service)};
    if (ledger_open(&settings, &scheduler->handlers, &scheduler->ledger, error) < 0)
        return -1;
    loop_add_fd(service_loop(service), ledger_fd(scheduler->ledger), POLLIN, NULL, NULL);
    loop_add_work(service_loop(service), work, scheduler);
    return retention_start(&settings.store, common->retention_ms, &scheduling_retention,
                           &scheduler->retention, error);
}

void scheduler_close(void *context)
{
    struct scheduler *scheduler = context;
    if (scheduler == NULL)
        return;
    retention_stop(&scheduler->retention);
    ledger_close(&scheduler->ledger, 5000);
    worker_keys_free(&scheduler->keys);
    gauges_free(&scheduler->gauges);
    aside_free(scheduler);
    free(scheduler);
}

/* ---- stopping ---------------------------------------------------------------------------------- */

static void stop_taking(void *context)
{
    struct scheduler *scheduler = context;
    ledger_stop(scheduler->ledger);
}

static bool is_flushed(void *context)
{
    const struct scheduler *scheduler = context;
    return ledger_is_flushed(scheduler->ledger);
}

/* Its partitions are given back when the ledger is closed, behind this: the next owner starts at once. */
const struct stop_step scheduler_stop[] = {
    {.name = "decide nothing more", .begin = stop_taking},
    {.name = "deliver what was decided", .done = is_flushed},
};
const size_t scheduler_stop_count = ARRAY_SIZE(scheduler_stop);
