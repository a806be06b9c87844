/* SPDX-License-Identifier: Apache-2.0 */
/* Planning and dispatching. The decisions are in plan.c and match.c; here they meet memory and SQL. */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "bus/topics.h"
#include "db.h"
#include "ending.h"
#include "events.h"
#include "lanes.h"
#include "match.h"
#include "model/frameworks.h"
#include "plan.h"
#include "scheduler.h"
#include "spans.h"

#define CASE_OVERHEAD_BYTES 64 /* of one case in a message, beyond its selector */

/* The pool's workers as match.c sees them; index i of both lists is one worker. */
struct bench {
    struct match_worker *list;
    struct worker **workers;
    int count;
    int free;
};

static struct bench bench_new(const struct brain *brain, const struct pool *pool)
{
    struct bench bench = {.list = xcalloc(HASH_COUNT(pool->workers), sizeof *bench.list),
                          .workers = xcalloc(HASH_COUNT(pool->workers), sizeof *bench.workers)};
    struct worker *worker, *next;
    HASH_ITER (hh, pool->workers, worker, next) {
        int free_slots = worker_free(worker);
        bool available = worker_is_available(worker, brain->scheduler->settings->suspect_ms);
        bench.list[bench.count] = (struct match_worker){.labels = worker->labels,
                                                        .free = free_slots > 0 ? free_slots : 0,
                                                        .available = available};
        bench.free += available && free_slots > 0 ? free_slots : 0;
        bench.workers[bench.count++] = worker;
    }
    return bench;
}

static void bench_deinit(struct bench *bench)
{
    free(bench->list);
    free(bench->workers);
}

static struct task *next_task(const struct run *run)
{
    for (int i = 0; i < run->task_count; i++)
        if (run->tasks[i].state == TASK_QUEUED)
            return &run->tasks[i];
    return NULL;
}

static bool has_work(const struct run *run)
{
    return !run->is_uploaded && (!run->planned || next_task(run) != NULL);
}

/* ---- planning --------------------------------------------------------------------------------- */

static void add_tasks(struct run *run, const json_t *cases, const struct plan *plan)
{
    run->task_count = plan->count == 0 ? 1 : (int)plan->count;
    run->tasks = xcalloc((size_t)run->task_count, sizeof *run->tasks);
    for (int i = 0; i < run->task_count; i++) {
        struct task *task = &run->tasks[i];
        *task = (struct task){.id = uuid_v7(),
                              .run = run,
                              .ordinal = i,
                              .state = TASK_QUEUED,
                              .queued_us = monotonic_us()};
        if (plan->count == 0)
            continue; /* the whole suite */
        task->cases = json_array();
        for (size_t c = 0; c < plan->list[i].count; c++)
            json_array_append(task->cases,
                              json_array_get(cases, plan->order[plan->list[i].first + c]));
    }
}

static struct plan make_plan(const struct run *run, const json_t *cases, const int64_t *expected_ms,
                             int64_t capable_slots)
{
    size_t count = json_array_size(cases);
    AUTO(memory_free) struct plan_case *list = xcalloc(count, sizeof *list);
    int64_t wanted = json_find_int(run->suite, "max_tasks", 0);
    for (size_t i = 0; i < count; i++) {
        const char *selector = json_find_text(json_array_get(cases, i), "selector");
        list[i] = (struct plan_case){.bytes = CASE_OVERHEAD_BYTES + strlen(selector),
                                     .expected_ms = expected_ms[i]};
    }
    if (wanted == 0)
        wanted = capable_slots < LIMIT_TASKS_PER_RUN ? capable_slots : LIMIT_TASKS_PER_RUN;
    return plan_cut(list, count, (size_t)wanted);
}

static int capable_slots(const struct bench *bench, const struct run *run)
{
    int slots = 0;
    for (int i = 0; i < bench->count; i++)
        if (bench->list[i].available && requirements_hold(run->requirements, bench->list[i].labels))
            slots += bench->workers[i]->slots;
    return slots;
}

static bool selects_cases(const struct run *run)
{
    const char *name = json_find_text(run->suite, "framework");
    const struct framework_facts *framework = name == NULL ? NULL : framework_find(name);
    return framework != NULL && framework->selects_cases;
}

static int plan_run(struct store *store, struct run *run, const struct bench *bench,
                    struct error *error)
{
    AUTO(json_free) json_t *cases = NULL;
    AUTO(memory_free) int64_t *expected_ms = NULL;
    /* What cannot be told which cases to run gets the whole suite as one task. */
    if (run->declared > 0 && selects_cases(run) &&
        db_load_cases(store, run, &cases, &expected_ms, error) < 0)
        return -1;
    struct plan plan = make_plan(run, cases, expected_ms, capable_slots(bench, run));
    add_tasks(run, cases, &plan);
    plan_deinit(&plan);
    run->planned = true;
    if (db_add_totals(store, run, error) < 0 || db_run_planned(store, run, error) < 0)
        return -1;
    for (int i = 0; i < run->task_count; i++)
        if (db_add_task(store, &run->tasks[i], error) < 0)
            return -1;
    return 0;
}

/* ---- dispatching ------------------------------------------------------------------------------ */

static int send(struct brain *brain, struct store *store, struct task *task, struct worker *worker,
                struct error *error)
{
    struct uuid dispatch_id = uuid_random();
    struct error why;
    task->attempt++;
    task->state = TASK_DISPATCHED;
    task->results_partition = topic_partition(
        dispatch_id.text, ledger_installation(brain->scheduler->ledger, "results_partitions"));
    task_bind(brain, task, worker, &dispatch_id);
    if (db_task_dispatched(store, task, brain->scheduler->settings->task_slack_ms, error) < 0)
        return -1;
    if (lane_dispatch(brain, task, &why) < 0)
        return ending_task_refused(brain, store, task, why.text, error);
    metric_add(&scheduler_metrics[SCHEDULER_DISPATCHES], 1);
    spans_add_dispatch(brain, task);
    run_wait(task->run, WAIT_ACKNOWLEDGEMENT, "sent to worker %s, which has not started it yet",
             worker->name);
    return 0;
}

/* The run that goes first among those with work whose requirements were not found unmet in this pass. */
static struct run *first_run(const struct brain *brain, const struct pool *pool,
                             const json_t *unmet)
{
    struct run *run, *next, *best = NULL;
    struct match_candidate best_candidate = {0};
    HASH_ITER (hh, brain->runs, run, next) {
        if (run->pool != pool || !has_work(run) ||
            (json_object_size(unmet) > 0 &&
             json_object_get(unmet, requirements_class(run->requirements)) != NULL))
            continue;
        const struct match_candidate candidate = {.priority = run->priority,
                                                  .project_running = run->project->running,
                                                  .order = run->number};
        if (best != NULL && !match_before(&candidate, &best_candidate))
            continue;
        best = run;
        best_candidate = candidate;
    }
    return best;
}

static int dispatch_one(struct brain *brain, struct store *store, struct bench *bench,
                        struct run *run, json_t *unmet, struct error *error)
{
    enum wait_class why;
    int index = match_worker(run->requirements, bench->list, bench->count, &why);
    if (index < 0) {
        json_object_set_new(unmet, requirements_class(run->requirements), json_true());
        return 0;
    }
    if (!run->planned) {
        if (plan_run(store, run, bench, error) < 0)
            return -1;
        spans_add_plan(brain, run);
    }
    bench->list[index].free--;
    bench->free--;
    return send(brain, store, next_task(run), bench->workers[index], error);
}

static int dispatch_pool(struct brain *brain, struct store *store, struct pool *pool,
                         struct error *error)
{
    AUTO(bench_deinit) struct bench bench = bench_new(brain, pool);
    AUTO(json_free) json_t *unmet = json_object();
    struct run *run;
    while (bench.free > 0 && (run = first_run(brain, pool, unmet)) != NULL)
        if (dispatch_one(brain, store, &bench, run, unmet, error) < 0)
            return -1;
    return 0;
}

int dispatch_all(struct brain *brain, struct store *store, struct error *error)
{
    struct pool *pool, *next;
    HASH_ITER (hh, brain->pools, pool, next) {
        if (!pool->dirty)
            continue;
        pool->dirty = false;
        if (dispatch_pool(brain, store, pool, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- why -------------------------------------------------------------------------------------- */

/* Runs with the same requirements wait for the same reason: it is found once in a pass. */
struct explanation {
    const char *requirements_class;
    enum wait_class wait;
    char text[300];
    UT_hash_handle hh;
};

static void say(struct explanation *explanation, const struct bench *bench, const struct pool *pool,
                const struct run *run)
{
    enum wait_class why = WAIT_BEHIND;
    const char *unmet = match_unmet(run->requirements, bench->list, bench->count);
    if (match_worker(run->requirements, bench->list, bench->count, &why) >= 0)
        why = WAIT_BEHIND;
    if (pool->freeze.holds)
        why = WAIT_WORKERS_SILENT;
    const char *format = why == WAIT_WORKERS_SILENT
                             ? "most workers of the pool are silent at once: no decisions until "
                               "they are heard"
                         : why == WAIT_NO_WORKER ? "the pool has no worker that is heard of"
                                                 : "others go first, by priority or fair share";
    explanation->wait = why;
    if (why == WAIT_NO_CAPABLE)
        text_format(explanation->text, sizeof explanation->text,
                    "no worker of the pool can run it: %s is not met", unmet == NULL ? "?" : unmet);
    else if (why == WAIT_BUSY)
        text_format(explanation->text, sizeof explanation->text,
                    "%d slots can run it, all of them are busy", capable_slots(bench, run));
    else
        text_format(explanation->text, sizeof explanation->text, "%s", format);
}

static void explain_waiting(struct explanation **found, const struct bench *bench,
                            const struct pool *pool, struct run *run)
{
    const char *class = requirements_class(run->requirements);
    struct explanation *explanation;
    HASH_FIND_STR(*found, class, explanation);
    if (explanation == NULL) {
        explanation = xcalloc(1, sizeof *explanation);
        explanation->requirements_class = class;
        say(explanation, bench, pool, run);
        HASH_ADD_KEYPTR(hh, *found, class, strlen(class), explanation);
    }
    run_wait(run, explanation->wait, "%s", explanation->text);
}

static void explain_uploads(struct run *run)
{
    int open = run->task_count - run->done_count;
    if (open > 0)
        run_wait(run, WAIT_RESULTS, "%d uploads are being recorded", open);
    else if (run->task_count == 0)
        run_wait(run, WAIT_UPLOADS, "nothing has been uploaded yet");
    else
        run_wait(run, WAIT_UPLOADS,
                 "%d uploads are recorded: for more, or for the word that it is complete",
                 run->task_count);
}

static void explain(struct explanation **found, const struct bench *bench, const struct pool *pool,
                    struct run *run)
{
    int running = 0, sent = 0;
    if (run->is_uploaded) {
        explain_uploads(run);
        return;
    }
    for (int i = 0; i < run->task_count; i++) {
        running += run->tasks[i].state == TASK_RUNNING ? 1 : 0;
        sent += run->tasks[i].state == TASK_DISPATCHED ? 1 : 0;
    }
    if (running > 0)
        run_wait(run, WAIT_TESTS, "tests are running");
    else if (sent > 0)
        return; /* said when it was sent */
    else
        explain_waiting(found, bench, pool, run);
}

void dispatch_explain(struct brain *brain, struct pool *pool)
{
    AUTO(bench_deinit) struct bench bench = bench_new(brain, pool);
    struct explanation *found = NULL, *one, *next_one;
    struct run *run, *next;
    HASH_ITER (hh, brain->runs, run, next) {
        if (run->pool == pool)
            explain(&found, &bench, pool, run);
    }
    HASH_ITER (hh, found, one, next_one) {
        HASH_DEL(found, one);
        free(one);
    }
}

bool dispatch_is_capable(const struct brain *brain, const struct run *run)
{
    struct worker *worker, *next;
    (void)brain;
    HASH_ITER (hh, run->pool->workers, worker, next) {
        if (!worker->lost && requirements_hold(run->requirements, worker->labels))
            return true;
    }
    return false;
}
