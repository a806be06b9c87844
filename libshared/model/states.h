/* SPDX-License-Identifier: Apache-2.0 */
/* States of runs, tasks and results, with their names and the moves that are allowed. Only the owner
 * (the scheduler) applies them, through the *_move functions; nobody else assigns a state. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/names.h"

enum run_state {
    RUN_DRAFT,
    RUN_QUEUED,
    RUN_RUNNING,
    RUN_PASSED,
    RUN_FAILED,
    RUN_ERRORED,
    RUN_CANCELLED,
    RUN_TIMED_OUT,
};

enum task_state {
    TASK_QUEUED,
    TASK_DISPATCHED,
    TASK_RUNNING,
    TASK_DONE,
};

enum result_status {
    RESULT_PASSED,
    RESULT_FAILED,
    RESULT_ERRORED,
    RESULT_SKIPPED,
    RESULT_BLOCKED,
};
#define RESULT_STATUS_COUNT 5

enum task_kind {
    TASK_AUTOMATED,
    TASK_DISCOVERY,
    TASK_MANUAL,
    TASK_EXTERNAL,
    TASK_ACTION,
};

extern const struct names run_state_names, task_state_names, result_status_names, task_kind_names;

/* One allowed move; docs print the tables, a test walks them and compares them with the SQL. */
struct state_move {
    int from, to;
    const char *why;
};
extern const struct state_move run_moves[], task_moves[];
extern const size_t run_moves_count, task_moves_count;

bool run_state_is_final(enum run_state state);
bool run_state_can_move(enum run_state from, enum run_state to);
bool task_state_can_move(enum task_state from, enum task_state to);
