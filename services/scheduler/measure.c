/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics. */
#include "measure.h"

#include "base/clock.h"
#include "base/memory.h"
#include "brain.h"
#include "demand.h"

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
         .help = "Slots wanted: queued and leased tasks, by the class of their requirements; "
                 "\"other\" is all that are beyond 50.",
         .labels = {"class"}},
    [SCHEDULER_WORKERS] = {.name = "verdict_workers",
                           .type = METRIC_GAUGE,
                           .help = "Workers by state.",
                           .labels = {"state"}},
    [SCHEDULER_SLOTS_FREE] = {.name = "verdict_slots_free",
                              .type = METRIC_GAUGE,
                              .help = "Free slots of available workers."},
    [SCHEDULER_SET_ASIDE] =
        {.name = "verdict_runs_set_aside_total",
         .type = METRIC_COUNTER,
         .help = "Runs that could not be worked on through a fault of ours, and were ended."},
};

struct gauges {
    struct demand *demand;
    int runs, online, draining, lost, free;
};

struct gauges *gauges_new(void)
{
    struct gauges *gauges = xcalloc(1, sizeof *gauges);
    gauges->demand = demand_new(&scheduler_metrics[SCHEDULER_DEMAND]);
    return gauges;
}

void gauges_free(struct gauges **gauges)
{
    if (*gauges != NULL)
        demand_free(&(*gauges)->demand);
    memory_free(gauges);
}

static int slots_wanted(const struct run *run)
{
    if (run->is_uploaded)
        return 0;
    return run->planned ? run->task_count - run->done_count : 1;
}

static void add_worker(struct gauges *gauges, const struct worker *worker, int64_t suspect_ms)
{
    int free_slots = worker_free(worker);
    gauges->lost += worker->lost ? 1 : 0;
    gauges->draining += !worker->lost && worker->draining ? 1 : 0;
    gauges->online += !worker->lost && !worker->draining ? 1 : 0;
    gauges->free += worker_is_available(worker, suspect_ms) && free_slots > 0 ? free_slots : 0;
}

static void add_brain(struct gauges *gauges, const struct brain *brain, int64_t suspect_ms)
{
    struct run *run, *next_run;
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    HASH_ITER (hh, brain->runs, run, next_run) {
        gauges->runs++;
        demand_add(gauges->demand, requirements_class(run->requirements), slots_wanted(run));
    }
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        HASH_ITER (hh, pool->workers, worker, next) {
            add_worker(gauges, worker, suspect_ms);
        }
    }
}

static void clear(struct gauges *gauges)
{
    demand_begin(gauges->demand, monotonic_ms());
    gauges->runs = gauges->online = gauges->draining = gauges->lost = gauges->free = 0;
}

static void show(enum scheduler_metric metric, const char *label, int value)
{
    metric_set_labelled(&scheduler_metrics[metric], value, (const char *[]){label});
}

void gauges_update(struct gauges *gauges, struct ledger *ledger, int64_t suspect_ms)
{
    struct ledger_partition *partition = NULL;
    clear(gauges);
    while ((partition = ledger_next_partition(ledger, partition)) != NULL)
        add_brain(gauges, ledger_partition_state(partition), suspect_ms);
    metric_set(&scheduler_metrics[SCHEDULER_RUNS_OPEN], gauges->runs);
    metric_set(&scheduler_metrics[SCHEDULER_SLOTS_FREE], gauges->free);
    demand_show(gauges->demand);
    show(SCHEDULER_WORKERS, "online", gauges->online);
    show(SCHEDULER_WORKERS, "draining", gauges->draining);
    show(SCHEDULER_WORKERS, "lost", gauges->lost);
}
