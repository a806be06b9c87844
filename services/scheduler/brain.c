/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of one partition: making, finding, binding, freeing. It decides nothing. */
#include "brain.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "bus/topics.h"
#include "scheduler.h"
#include "spans.h"

struct brain *brain_new(struct scheduler *scheduler, struct ledger_partition *partition)
{
    struct brain *brain = xcalloc(1, sizeof *brain);
    brain->scheduler = scheduler;
    brain->partition = partition;
    STAILQ_INIT(&brain->outgoing);
    STAILQ_INIT(&brain->spans);
    brain->hello_due = true;
    brain->last_pass_ms = monotonic_ms();
    brain->probe_seq = brain->probe_first = scheduler->probe_seq;
    brain->probe_heard_ms = NEVER_MS; /* what stands in the log before our probe is not read yet */
    return brain;
}

static void worker_free_memory(struct worker *worker)
{
    free(worker->name);
    json_decref(worker->labels);
    texts_deinit(&worker->settled);
    texts_deinit(&worker->unknown);
    free(worker);
}

void pool_remove_worker(struct pool *pool, struct worker *worker)
{
    assert(LIST_EMPTY(&worker->tasks));
    HASH_DEL(pool->workers, worker);
    worker_free_memory(worker);
}

static void pool_free(struct pool *pool)
{
    struct worker *worker, *next;
    HASH_ITER (hh, pool->workers, worker, next) {
        HASH_DEL(pool->workers, worker);
        worker_free_memory(worker);
    }
    free(pool);
}

void brain_free(struct brain **brain_p)
{
    struct brain *brain = *brain_p;
    struct run *run, *next_run;
    struct pool *pool, *next_pool;
    struct project *project, *next_project;
    struct outgoing_lane *message;
    if (brain == NULL)
        return;
    HASH_ITER (hh, brain->runs, run, next_run) {
        brain_remove_run(brain, run);
    }
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        HASH_DEL(brain->pools, pool);
        pool_free(pool);
    }
    HASH_ITER (hh, brain->projects, project, next_project) {
        HASH_DEL(brain->projects, project);
        free(project);
    }
    spans_drop(brain);
    while ((message = STAILQ_FIRST(&brain->outgoing)) != NULL) {
        STAILQ_REMOVE_HEAD(&brain->outgoing, link);
        free(message->topic);
        free(message->text);
        free(message);
    }
    memory_free(brain_p);
}

bool run_is_exclusive(const struct run *run)
{
    return json_is_true(json_object_get(run->suite, "exclusive"));
}

struct pool *brain_pool(struct brain *brain, const struct uuid *id)
{
    struct pool *pool;
    HASH_FIND(hh, brain->pools, id, sizeof *id, pool);
    if (pool != NULL)
        return pool;
    pool = xcalloc(1, sizeof *pool);
    pool->id = *id;
    topic_name(TOPIC_LANES, brain->scheduler->topic_prefix, id->text, pool->lanes_topic);
    HASH_ADD(hh, brain->pools, id, sizeof pool->id, pool);
    return pool;
}

struct run *brain_find_run(const struct brain *brain, const struct uuid *id)
{
    struct run *run;
    HASH_FIND(hh, brain->runs, id, sizeof *id, run);
    return run;
}

struct task *brain_find_dispatch(const struct brain *brain, const struct uuid *dispatch_id)
{
    struct task *task;
    HASH_FIND(hh, brain->by_dispatch, dispatch_id, sizeof *dispatch_id, task);
    return task;
}

struct worker *pool_find_worker(const struct pool *pool, const struct uuid *id)
{
    struct worker *worker;
    HASH_FIND(hh, pool->workers, id, sizeof *id, worker);
    return worker;
}

struct worker *pool_add_worker(struct pool *pool, const struct uuid *id)
{
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->id = *id;
    worker->pool = pool;
    worker->name = xstrdup("");
    worker->labels = json_object();
    LIST_INIT(&worker->tasks);
    HASH_ADD(hh, pool->workers, id, sizeof worker->id, worker);
    return worker;
}

static struct project *get_project(struct brain *brain, const struct uuid *id)
{
    struct project *project;
    HASH_FIND(hh, brain->projects, id, sizeof *id, project);
    if (project != NULL)
        return project;
    project = xcalloc(1, sizeof *project);
    project->id = *id;
    HASH_ADD(hh, brain->projects, id, sizeof project->id, project);
    return project;
}

void brain_add_run(struct brain *brain, struct run *run)
{
    run->project = get_project(brain, &run->project_id);
    HASH_ADD(hh, brain->runs, id, sizeof run->id, run);
}

void brain_remove_run(struct brain *brain, struct run *run)
{
    for (int i = 0; i < run->task_count; i++)
        task_unbind(brain, &run->tasks[i]);
    HASH_DEL(brain->runs, run);
    run_free(&run);
}

static void find_tasks(struct brain *brain, struct run *run, bool are_found)
{
    for (int i = 0; i < run->task_count; i++) {
        struct task *task = &run->tasks[i];
        if (uuid_is_null(&task->dispatch_id))
            continue;
        assert(task->worker == NULL); /* whose list it would be in */
        if (are_found)
            HASH_ADD(hh, brain->by_dispatch, dispatch_id, sizeof task->dispatch_id, task);
        else
            HASH_DEL(brain->by_dispatch, task);
    }
}

struct task *brain_add_task(struct brain *brain, struct run *run)
{
    if (run->task_capacity < (size_t)run->task_count) /* as it was loaded */
        run->task_capacity = (size_t)run->task_count;
    find_tasks(brain, run, false);
    run->tasks =
        array_reserve(run->tasks, &run->task_capacity, (size_t)run->task_count, sizeof *run->tasks);
    find_tasks(brain, run, true);
    struct task *task = &run->tasks[run->task_count];
    *task = (struct task){.run = run, .ordinal = run->task_count, .state = TASK_QUEUED};
    run->task_count++;
    return task;
}

static bool goes_later(const struct run *a, const struct run *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->number > b->number;
}

void brain_trim(struct brain *brain, unsigned window)
{
    while (HASH_COUNT(brain->runs) > window) {
        struct run *run, *next, *last = NULL;
        HASH_ITER (hh, brain->runs, run, next) {
            if (!run->planned && (last == NULL || goes_later(run, last)))
                last = run;
        }
        if (last == NULL)
            return;
        brain->more_runs = true;
        brain_remove_run(brain, last);
    }
}

void task_bind(struct brain *brain, struct task *task, struct worker *worker,
               const struct uuid *dispatch_id)
{
    assert(uuid_is_null(&task->dispatch_id));
    task->dispatch_id = *dispatch_id;
    task->worker = worker;
    task->listed = task->held_finished = false;
    task->missing = 0;
    task->sends = 0;
    task->run->project->running++;
    HASH_ADD(hh, brain->by_dispatch, dispatch_id, sizeof task->dispatch_id, task);
    if (worker == NULL)
        return;
    task->worker_id = worker->id;
    LIST_INSERT_HEAD(&worker->tasks, task, of_worker);
}

void task_unbind(struct brain *brain, struct task *task)
{
    if (uuid_is_null(&task->dispatch_id))
        return;
    HASH_DEL(brain->by_dispatch, task);
    task->run->project->running--;
    if (task->worker != NULL)
        LIST_REMOVE(task, of_worker);
    task->worker = NULL;
    memset(&task->dispatch_id, 0, sizeof task->dispatch_id);
}

void run_free(struct run **run_p)
{
    struct run *run = *run_p;
    if (run == NULL)
        return;
    for (int i = 0; i < run->task_count; i++)
        json_decref(run->tasks[i].cases);
    free(run->tasks);
    requirements_free(&run->requirements);
    json_decref(run->suite);
    json_decref(run->facts);
    json_decref(run->parameters);
    free(run->suite_slug);
    free(run->traceparent);
    memory_free(run_p);
}

void run_wait(struct run *run, enum wait_class wait, const char *format, ...)
{
    char text[sizeof run->wait_text];
    va_list args;
    va_start(args, format);
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    if (run->wait == wait && strcmp(run->wait_text, text) == 0)
        return;
    run->wait = wait;
    memcpy(run->wait_text, text, sizeof text);
    run->wait_dirty = true;
}

int worker_free(const struct worker *worker)
{
    int free_slots = worker->free_slots;
    const struct task *task;
    LIST_FOREACH (task, &worker->tasks, of_worker) {
        free_slots -= task->listed ? 0 : 1;
    }
    return free_slots;
}

bool worker_is_available(const struct worker *worker, int64_t suspect_ms)
{
    return worker->heard && !worker->draining && !worker->lost &&
           worker->lease.silent_ms < suspect_ms;
}

bool brain_log_moves(const struct brain *brain)
{
    return monotonic_ms() - brain->probe_heard_ms < PROBE_PATIENCE_MS;
}
