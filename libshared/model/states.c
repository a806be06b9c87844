/* SPDX-License-Identifier: Apache-2.0 */
/* State tables of runs and tasks. */
#include "model/states.h"

#include "base/memory.h"

static const char *const run_state_list[] = {"draft",  "queued",  "running",   "passed",
                                             "failed", "errored", "cancelled", "timed_out"};
static const char *const task_state_list[] = {"queued", "dispatched", "running", "done"};
static const char *const result_status_list[] = {"passed", "failed", "errored", "skipped",
                                                 "blocked"};
static const char *const task_kind_list[] = {"automated", "discovery", "manual", "external",
                                             "action"};

const struct names run_state_names = NAMES("run state", run_state_list);
const struct names task_state_names = NAMES("task state", task_state_list);
const struct names result_status_names = NAMES("result status", result_status_list);
const struct names task_kind_names = NAMES("task kind", task_kind_list);

const struct state_move run_moves[] = {
    {RUN_DRAFT, RUN_QUEUED, "what it waits for is there"},
    {RUN_DRAFT, RUN_CANCELLED, "a request to cancel"},
    {RUN_DRAFT, RUN_TIMED_OUT, "the run's deadline"},
    {RUN_QUEUED, RUN_RUNNING, "its first task was started"},
    {RUN_QUEUED, RUN_ERRORED, "nothing can run it, or its tasks ended before any was started"},
    {RUN_QUEUED, RUN_PASSED,
     "every task was recorded before a start was heard of, or nothing had to run"},
    {RUN_QUEUED, RUN_FAILED, "every task was recorded before a start was heard of"},
    {RUN_QUEUED, RUN_CANCELLED, "a request to cancel"},
    {RUN_QUEUED, RUN_TIMED_OUT, "the queue's or the run's deadline"},
    {RUN_RUNNING, RUN_PASSED, "all counted cases passed or were skipped, at least one passed"},
    {RUN_RUNNING, RUN_FAILED, "a counted case failed"},
    {RUN_RUNNING, RUN_ERRORED, "see the table of endings"},
    {RUN_RUNNING, RUN_CANCELLED, "a request to cancel"},
    {RUN_RUNNING, RUN_TIMED_OUT, "the run's or a task's deadline"},
};
const size_t run_moves_count = ARRAY_SIZE(run_moves);

const struct state_move task_moves[] = {
    {TASK_QUEUED, TASK_DISPATCHED, "sent to a worker with a free slot"},
    {TASK_QUEUED, TASK_DONE, "cancelled, timed out, or no attempt is left"},
    {TASK_DISPATCHED, TASK_RUNNING, "the worker said task.started"},
    {TASK_DISPATCHED, TASK_QUEUED, "worker lost, refused or handed back: attempt + 1"},
    {TASK_DISPATCHED, TASK_DONE, "recorded, cancelled or timed out"},
    {TASK_RUNNING, TASK_QUEUED, "worker lost or handed back: attempt + 1"},
    {TASK_RUNNING, TASK_DONE, "recorded, cancelled or timed out"},
};
const size_t task_moves_count = ARRAY_SIZE(task_moves);

static bool can_move(const struct state_move *moves, size_t count, int from, int to)
{
    for (size_t i = 0; i < count; i++)
        if (moves[i].from == from && moves[i].to == to)
            return true;
    return false;
}

bool run_state_is_final(enum run_state state)
{
    return state >= RUN_PASSED;
}

bool run_state_can_move(enum run_state from, enum run_state to)
{
    return can_move(run_moves, run_moves_count, (int)from, (int)to);
}

bool task_state_can_move(enum task_state from, enum task_state to)
{
    return can_move(task_moves, task_moves_count, (int)from, (int)to);
}
