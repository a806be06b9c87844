/* SPDX-License-Identifier: Apache-2.0 */
/* Ends of tasks and runs. */
#include "ending.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "db.h"
#include "events.h"
#include "lanes.h"
#include "log/log.h"
#include "model/frameworks.h"
#include "scheduler.h"
#include "spans.h"

#define LOSSES_STARTED_MAX 2  /* so many workers lost while they ran it: it is the task */
#define HAND_BACKS_MAX     50 /* draining is no fault, but it does not go on for ever */

static void move_task(struct task *task, enum task_state to)
{
    assert(task_state_can_move(task->state, to));
    task->state = to;
}

static void move_run(struct run *run, enum run_state to)
{
    assert(run_state_can_move(run->state, to));
    run->state = to;
    run->version++;
}

/* ---- the run ---------------------------------------------------------------------------------- */

static int close_run(struct brain *brain, struct store *store, struct run *run,
                     const struct closed_run *totals, enum reason reason, const char *detail,
                     const struct uuid *actor, struct error *error)
{
    move_run(run, ending_get(reason)->state);
    if (db_close_totals(store, run, error) < 0 ||
        db_run_closed(store, run, totals, reason, detail, actor, error) < 0 ||
        event_run(brain, store, run, "run.finished", totals, reason, detail, error) < 0)
        return -1;
    metric_add_labelled(&scheduler_metrics[SCHEDULER_RUNS_FINISHED], 1,
                        (const char *[]){names_get(&run_state_names, (int)run->state)});
    log_info("run finished", LOG_TEXT("run_id", run->id.text), LOG_INT("number", run->number),
             LOG_TEXT("state", names_get(&run_state_names, (int)run->state)),
             LOG_TEXT("reason", names_get(&reason_names, (int)reason)));
    spans_add_run(brain, run, reason);
    run->pool->dirty = true;
    brain_remove_run(brain, run);
    return 0;
}

static int64_t empty_status(const struct run *run)
{
    const char *name = json_find_text(run->suite, "framework");
    const struct framework_facts *framework = name == NULL ? NULL : framework_find(name);
    return framework == NULL ? 0 : framework->empty_status;
}

/* What no counter holds. */
static int complete_facts(struct store *store, const struct run *run, struct closed_run *closed,
                          struct error *error)
{
    if (run->is_uploaded && db_plan_variants(store, run, closed, error) < 0)
        return -1;
    if (!run->is_uploaded && !close_is_contradicted(closed))
        return 0;
    return db_find_contradicted(store, run, closed, error);
}

/* All its tasks are done: the verdict, from what is in the ledger. */
static int decide_run(struct brain *brain, struct store *store, struct run *run,
                      struct error *error)
{
    struct closed_run closed;
    struct closed_task *tasks = NULL;
    char detail[CLOSE_DETAIL_SIZE];
    int count = 0;
    if (db_lock_totals(store, run, &closed, error) < 0 ||
        db_load_closed_tasks(store, run, &tasks, &count, error) < 0)
        return -1;
    closed.tasks = tasks;
    closed.empty_status = empty_status(run);
    closed.is_uploaded = run->is_uploaded;
    closed.task_count = count;
    int status = complete_facts(store, run, &closed, error);
    if (status == 0) {
        enum reason reason = close_decide(&closed, detail);
        status = close_run(brain, store, run, &closed, reason, detail, NULL, error);
    }
    free(tasks);
    return status;
}

int ending_run(struct brain *brain, struct store *store, struct run *run, enum reason reason,
               const char *detail, const struct uuid *actor, struct error *error)
{
    struct closed_run totals;
    enum task_outcome outcome = ending_get(reason)->state == RUN_CANCELLED   ? OUTCOME_CANCELLED
                                : ending_get(reason)->state == RUN_TIMED_OUT ? OUTCOME_TIMED_OUT
                                                                             : OUTCOME_ERRORED;
    if (db_lock_totals(store, run, &totals, error) < 0 ||
        db_end_tasks(store, run, outcome, reason, error) < 0)
        return -1;
    for (int i = 0; i < run->task_count; i++) {
        if (uuid_is_null(&run->tasks[i].dispatch_id))
            continue;
        struct worker *worker = run->tasks[i].worker;
        lane_cancel(brain, &run->tasks[i]);
        if (worker == NULL)
            continue;
        worker->sync_due_ms = 0; /* a lost cancel is healed at once */
        /* Its slot is taken until the worker says that it is free again. */
        worker->free_slots -= run->tasks[i].listed ? 0 : 1;
    }
    return close_run(brain, store, run, &totals, reason, detail, actor, error);
}

/* ---- the task --------------------------------------------------------------------------------- */

static int task_done(struct brain *brain, struct store *store, struct task *task,
                     enum task_outcome outcome, enum reason reason, const char *detail,
                     const char *dispatch_ended, struct error *error)
{
    struct run *run = task->run;
    if (db_task_done(store, task, outcome, reason, detail, dispatch_ended, error) < 0)
        return -1;
    move_task(task, TASK_DONE);
    task_unbind(brain, task);
    run->done_count++;
    run->pool->dirty = true;
    if (run->done_count < run->task_count || (run->is_uploaded && !run->is_complete))
        return 0;
    return decide_run(brain, store, run, error);
}

int ending_run_complete(struct brain *brain, struct store *store, struct run *run,
                        struct error *error)
{
    run->is_complete = true;
    return run->done_count < run->task_count ? 0 : decide_run(brain, store, run, error);
}

int ending_task_started(struct brain *brain, struct store *store, struct task *task,
                        struct error *error)
{
    struct run *run = task->run;
    if (task->state != TASK_DISPATCHED)
        return 0;
    move_task(task, TASK_RUNNING);
    run_wait(run, WAIT_TESTS, "tests are running");
    if (run->state != RUN_QUEUED && run->state != RUN_DRAFT)
        return 0;
    move_run(run, RUN_RUNNING);
    run->wait_dirty = false; /* written with the state */
    if (db_run_started(store, run, error) < 0)
        return -1;
    return event_run(brain, store, run, "run.started", NULL, REASON_NONE, NULL, error);
}

/* Takes out of the task's cases those that have a result. Where all have one, all are run again: how their
 * process ends was not seen, and a verdict needs it. */
static int remove_recorded(struct store *store, struct task *task, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (task->cases == NULL)
        return 0;
    if (db_find_recorded_cases(store, task, &rows, error) < 0)
        return -1;
    AUTO(json_free) json_t *recorded = json_object(), *left = json_array();
    size_t index;
    json_t *one;
    for (int i = 0; i < rows_count(rows); i++)
        json_object_set_new(recorded, rows_text(rows, i, 0), json_true());
    json_array_foreach (task->cases, index, one)
        if (json_object_get(recorded, json_find_text(one, "key")) == NULL)
            json_array_append(left, one);
    if (json_array_size(left) == 0 || json_array_size(left) == json_array_size(task->cases))
        return 0;
    json_decref(task->cases);
    task->cases = json_incref(left);
    return db_task_cases(store, task, error);
}

/* Queued again. The statement on the task row comes first: from then on no result of the old attempt
 * commits, and only then is read what it has left. */
static int queue_again(struct brain *brain, struct store *store, struct task *task,
                       const char *dispatch_ended, struct error *error)
{
    if (db_task_queued(store, task, dispatch_ended, error) < 0 ||
        store_pipeline_run(store, false, error) < 0 || remove_recorded(store, task, error) < 0)
        return -1;
    task_unbind(brain, task);
    move_task(task, TASK_QUEUED);
    task->queued_us = monotonic_us();
    task->run->pool->dirty = true;
    return 0;
}

static int lose(struct brain *brain, struct store *store, struct task *task, bool is_poisonous,
                const char *why, struct error *error)
{
    int64_t allowed = task->run->policy.attempts;
    metric_add_labelled(&scheduler_metrics[SCHEDULER_LOST], 1,
                        (const char *[]){task->state == TASK_RUNNING ? "started" : "not_started"});
    log_warning("dispatch lost", LOG_TEXT("run_id", task->run->id.text),
                LOG_TEXT("task_id", task->id.text), LOG_TEXT("dispatch_id", task->dispatch_id.text),
                LOG_INT("attempt", task->attempt), LOG_TEXT("reason", why));
    task->losses++;
    task->losses_started += is_poisonous ? 1 : 0;
    lane_cancel(brain, task);
    if (task->losses_started >= LOSSES_STARTED_MAX && allowed >= LOSSES_STARTED_MAX)
        return task_done(brain, store, task, OUTCOME_ERRORED, REASON_WORKER_LOST, why, "lost",
                         error);
    if (task->losses >= allowed)
        return task_done(brain, store, task, OUTCOME_ERRORED, REASON_RESULTS_LOST, why, "lost",
                         error);
    return queue_again(brain, store, task, "lost", error);
}

int ending_task_lost(struct brain *brain, struct store *store, struct task *task, const char *why,
                     struct error *error)
{
    return lose(brain, store, task, task->state == TASK_RUNNING, why, error);
}

static const struct {
    enum ending_kind ending;
    enum task_outcome outcome;
    enum reason reason;
} ends[] = {
    {ENDED_EXITED, OUTCOME_FINISHED, REASON_NONE},
    {ENDED_SIGNALLED, OUTCOME_FINISHED, REASON_NONE},
    {ENDED_TIMED_OUT, OUTCOME_TIMED_OUT, REASON_TASK_TIMEOUT},
    {ENDED_SOURCE_FAILED, OUTCOME_ERRORED, REASON_SOURCE_FAILED},
    {ENDED_EXEC_FAILED, OUTCOME_ERRORED, REASON_EXEC_FAILED},
    {ENDED_LIMIT_EXCEEDED, OUTCOME_ERRORED, REASON_LIMIT_EXCEEDED},
};

int ending_task_recorded(struct brain *brain, struct store *store, struct task *task,
                         enum ending_kind ending, const char *detail, struct error *error)
{
    /* A run that was cancelled is final, and has no task any more. */
    if (ending == ENDED_CANCELLED)
        return lose(brain, store, task, false, "its worker ended it and nobody had asked", error);
    if (ending == ENDED_HANDED_BACK && task->attempt < HAND_BACKS_MAX)
        return queue_again(brain, store, task, "recorded", error);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (ends[i].ending == ending)
            return task_done(brain, store, task, ends[i].outcome, ends[i].reason, detail,
                             "recorded", error);
    return task_done(brain, store, task, OUTCOME_ERRORED, REASON_RESULTS_LOST,
                     "handed back too often", "recorded", error);
}

int ending_task_overdue(struct brain *brain, struct store *store, struct task *task,
                        struct error *error)
{
    lane_cancel(brain, task);
    return task_done(brain, store, task, OUTCOME_TIMED_OUT, REASON_TASK_TIMEOUT,
                     task->run->is_uploaded ? "an upload was begun, and not ended in time"
                                            : "its worker did not end it in time",
                     "cancelled", error);
}

int ending_task_refused(struct brain *brain, struct store *store, struct task *task,
                        const char *detail, struct error *error)
{
    return task_done(brain, store, task, OUTCOME_ERRORED, REASON_EXEC_FAILED, detail, "refused",
                     error);
}
