/* SPDX-License-Identifier: Apache-2.0 */
/* How runs end: the closed list of reasons, and the one table that gives the state, the exit code of
 * `verdict` and a sentence for people. docs/generated/endings.md is printed from it. */
#pragma once

#include "base/names.h"
#include "model/states.h"

enum reason {
    REASON_NONE, /* "" : a passed run has no reason */
    REASON_CASES_FAILED,
    REASON_CASES_ERRORED,
    REASON_CASES_BLOCKED,
    REASON_CASES_NOT_RUN,
    REASON_EXIT_CONTRADICTS_REPORT,
    REASON_NO_REPORT,
    REASON_REPORT_TRUNCATED,
    REASON_NO_TESTS,
    REASON_TASK_TIMEOUT,
    REASON_NO_CAPABLE_WORKER,
    REASON_QUEUE_TIMEOUT,
    REASON_SOURCE_FAILED,
    REASON_EXEC_FAILED,
    REASON_LIMIT_EXCEEDED,
    REASON_RESULTS_LOST,
    REASON_WORKER_LOST,
    REASON_CANCELLED,
    REASON_SUPERSEDED,
    REASON_RUN_TIMEOUT,
    REASON_INTERNAL_ERROR,
    REASON_COUNT
};

extern const struct names reason_names;

/* Exit codes of `verdict`. Those of final runs come from the table of endings. */
enum exit_code {
    EXIT_PASSED = 0,
    EXIT_CASES_FAILED = 1,
    EXIT_USAGE = 2, /* also: the server refuses (token, name), and would again (the CLI alone) */
    EXIT_RUN_ERRORED = 3,
    EXIT_RUN_CANCELLED = 4,
    EXIT_NO_TESTS = 5,
    EXIT_UNREACHABLE = 6, /* the server cannot be reached, or not answer now (the CLI alone) */
    EXIT_WAIT_OVER = 124, /* the wait is over, the run goes on (the CLI alone) */
};

struct ending {
    enum reason reason;
    enum run_state state;
    int exit_code;
    int precedence; /* several hold: the lower one wins: cancelled, timed_out, errored, failed, passed */
    const char *text; /* for people */
};

/* The row of a reason; never NULL. */
const struct ending *ending_get(enum reason reason);

/* The one of two that wins when both hold. */
enum reason reason_stronger(enum reason a, enum reason b);
