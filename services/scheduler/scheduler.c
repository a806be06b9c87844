/* SPDX-License-Identifier: Apache-2.0 */
/* The process: settings, the ledger and what it calls, the timers. */
#include "scheduler.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "brain.h"
#include "bus/topics.h"
#include "db.h"
#include "dispatch.h"
#include "events.h"
#include "handlers.h"
#include "lanes.h"
#include "reaper.h"

#define BATCH_RECORDS 500
#define BATCH_BYTES   (4 * 1024 * 1024)
#define PASS_MS       100

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

struct metric scheduler_metrics[SCHEDULER_METRIC_COUNT] = {
    [SCHEDULER_RUNS_OPEN] = {.name = "verdict_runs_open",
                             .type = METRIC_GAUGE,
                             .help = "Runs without a verdict yet."},
    [SCHEDULER_RUNS_FINISHED] = {.name = "verdict_runs_finished_total",
                                 .type = METRIC_COUNTER,
                                 .help = "Verdicts.",
                                 .labels = {"state"}},
    [SCHEDULER_DISPATCHES] = {.name = "verdict_dispatches_total",
                              .type = METRIC_COUNTER,
                              .help = "Tasks handed out."},
    [SCHEDULER_RESENDS] = {.name = "verdict_dispatch_resends_total",
                           .type = METRIC_COUNTER,
                           .help = "Dispatches sent again since nobody acknowledged them."},
    [SCHEDULER_LOST] = {.name = "verdict_dispatches_lost_total",
                        .type = METRIC_COUNTER,
                        .help = "Dispatches lost with their worker or on their way.",
                        .labels = {"when"}},
    [SCHEDULER_DEMAND] =
        {.name = "verdict_demand_slots",
         .type = METRIC_GAUGE,
         .help = "Slots wanted: queued and leased tasks, by the class of their requirements.",
         .labels = {"class"}},
    [SCHEDULER_WORKERS] = {.name = "verdict_workers",
                           .type = METRIC_GAUGE,
                           .help = "Workers by state.",
                           .labels = {"state"}},
    [SCHEDULER_SLOTS_FREE] = {.name = "verdict_slots_free",
                              .type = METRIC_GAUGE,
                              .help = "Free slots of available workers."},
};

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
    if (db_load_workers(brain, store, error) < 0 || db_load_runs(brain, store, NULL, error) < 0)
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

/* The scheduling log is another one: what was in it is found in Postgres by the load that follows; what the
 * world was told is told again. */
static int resync(void *context, struct ledger_partition *partition, struct store *store,
                  struct error *error)
{
    struct brain brain = {.scheduler = context, .partition = partition};
    return events_again(&brain, store, ledger_partition_number(partition), error);
}

/* ---- timers ----------------------------------------------------------------------------------- */

#define MEASURE_MS     1000
#define DEMAND_CLASSES 50 /* users make classes up: what is beyond so many is counted together */

struct measured {
    int runs, online, draining, lost, free;
};

/* A class stays in the list with 0 when nothing wants it any more, so that its gauge falls. */
static void add_demand(struct scheduler *scheduler, const char *class, int wanted)
{
    const char *name = class[0] == '\0' ? "any" : class;
    for (int i = 0; i < scheduler->demand_count; i++) {
        if (strcmp(scheduler->demand[i].class, name) != 0)
            continue;
        scheduler->demand[i].wanted += wanted;
        return;
    }
    if (scheduler->demand_count >= DEMAND_CLASSES) {
        scheduler->demand_beyond += wanted;
        return;
    }
    scheduler->demand = xrealloc(scheduler->demand,
                                 ((size_t)scheduler->demand_count + 1) * sizeof *scheduler->demand);
    scheduler->demand[scheduler->demand_count++] =
        (struct demand){.class = xstrdup(name), .wanted = wanted};
}

static int slots_wanted(const struct run *run)
{
    return run->planned ? run->task_count - run->done_count : 1;
}

static void measure_brain(const struct brain *brain, struct measured *sum)
{
    struct run *run, *next_run;
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    HASH_ITER (hh, brain->runs, run, next_run) {
        sum->runs++;
        add_demand(brain->scheduler, requirements_class(run->requirements), slots_wanted(run));
    }
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        HASH_ITER (hh, pool->workers, worker, next) {
            int free_slots = worker_free(worker);
            sum->lost += worker->lost ? 1 : 0;
            sum->draining += !worker->lost && worker->draining ? 1 : 0;
            sum->online += !worker->lost && !worker->draining ? 1 : 0;
            sum->free += worker_is_available(worker, brain->scheduler->settings->suspect_ms) &&
                                 free_slots > 0
                             ? free_slots
                             : 0;
        }
    }
}

static void measure(struct scheduler *scheduler)
{
    struct measured sum = {0};
    struct ledger_partition *partition = NULL;
    if (monotonic_ms() < scheduler->measure_due_ms)
        return;
    scheduler->measure_due_ms = monotonic_ms() + MEASURE_MS;
    scheduler->demand_beyond = 0;
    for (int i = 0; i < scheduler->demand_count; i++)
        scheduler->demand[i].wanted = 0;
    while ((partition = ledger_next_partition(scheduler->ledger, partition)) != NULL)
        measure_brain(ledger_partition_state(partition), &sum);
    metric_set(&scheduler_metrics[SCHEDULER_RUNS_OPEN], sum.runs);
    metric_set(&scheduler_metrics[SCHEDULER_SLOTS_FREE], sum.free);
    for (int i = 0; i < scheduler->demand_count; i++)
        metric_set_labelled(&scheduler_metrics[SCHEDULER_DEMAND], scheduler->demand[i].wanted,
                            (const char *[]){scheduler->demand[i].class});
    metric_set_labelled(&scheduler_metrics[SCHEDULER_DEMAND], scheduler->demand_beyond,
                        (const char *[]){"other"});
    metric_set_labelled(&scheduler_metrics[SCHEDULER_WORKERS], sum.online,
                        (const char *[]){"online"});
    metric_set_labelled(&scheduler_metrics[SCHEDULER_WORKERS], sum.draining,
                        (const char *[]){"draining"});
    metric_set_labelled(&scheduler_metrics[SCHEDULER_WORKERS], sum.lost, (const char *[]){"lost"});
}

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
    measure(scheduler);
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
    scheduler->keys = worker_keys_new();
    topic_name(TOPIC_SCHEDULING, common->topic_prefix, NULL, scheduler->scheduling_topic);
    topic_name(TOPIC_EVENTS, common->topic_prefix, NULL, scheduler->events_topic);
    topic_name(TOPIC_DEAD_LETTERS, common->topic_prefix, NULL, scheduler->dead_letters_topic);
    scheduler->handlers = (struct ledger_handlers){.load = load,
                                                   .drop = drop,
                                                   .handle = handle,
                                                   .committed = committed,
                                                   .resync = resync,
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
    return 0;
}

void scheduler_close(void *context)
{
    struct scheduler *scheduler = context;
    if (scheduler == NULL)
        return;
    ledger_close(&scheduler->ledger, 5000);
    worker_keys_free(&scheduler->keys);
    for (int i = 0; i < scheduler->demand_count; i++)
        free(scheduler->demand[i].class);
    free(scheduler->demand);
    free(scheduler);
}
