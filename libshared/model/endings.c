/* SPDX-License-Identifier: Apache-2.0 */
/* The table of endings. */
#include "model/endings.h"

#include <assert.h>

static const char *const reason_list[REASON_COUNT] = {
    [REASON_NONE] = "",
    [REASON_CASES_FAILED] = "cases_failed",
    [REASON_CASES_ERRORED] = "cases_errored",
    [REASON_CASES_BLOCKED] = "cases_blocked",
    [REASON_CASES_NOT_RUN] = "cases_not_run",
    [REASON_EXIT_CONTRADICTS_REPORT] = "exit_contradicts_report",
    [REASON_NO_REPORT] = "no_report",
    [REASON_REPORT_TRUNCATED] = "report_truncated",
    [REASON_NO_TESTS] = "no_tests",
    [REASON_TASK_TIMEOUT] = "task_timeout",
    [REASON_NO_CAPABLE_WORKER] = "no_capable_worker",
    [REASON_QUEUE_TIMEOUT] = "queue_timeout",
    [REASON_SOURCE_FAILED] = "source_failed",
    [REASON_EXEC_FAILED] = "exec_failed",
    [REASON_LIMIT_EXCEEDED] = "limit_exceeded",
    [REASON_RESULTS_LOST] = "results_lost",
    [REASON_WORKER_LOST] = "worker_lost",
    [REASON_CANCELLED] = "cancelled",
    [REASON_SUPERSEDED] = "superseded",
    [REASON_RUN_TIMEOUT] = "run_timeout",
    [REASON_INTERNAL_ERROR] = "internal_error",
};
const struct names reason_names = NAMES("reason", reason_list);

/* Within one state the more fundamental cause has the lower number. */
static const struct ending endings[REASON_COUNT] = {
    [REASON_NONE] = {REASON_NONE, RUN_PASSED, EXIT_PASSED, 99, "all cases passed or were skipped"},
    [REASON_CASES_FAILED] = {REASON_CASES_FAILED, RUN_FAILED, EXIT_CASES_FAILED, 80,
                             "cases failed"},
    [REASON_CASES_ERRORED] = {REASON_CASES_ERRORED, RUN_ERRORED, EXIT_RUN_ERRORED, 60,
                              "cases could not be executed properly (set-up or fixture)"},
    [REASON_CASES_BLOCKED] = {REASON_CASES_BLOCKED, RUN_ERRORED, EXIT_RUN_ERRORED, 61,
                              "cases are blocked"},
    [REASON_CASES_NOT_RUN] = {REASON_CASES_NOT_RUN, RUN_ERRORED, EXIT_RUN_ERRORED, 62,
                              "planned cases did not run"},
    [REASON_EXIT_CONTRADICTS_REPORT] =
        {REASON_EXIT_CONTRADICTS_REPORT, RUN_ERRORED, EXIT_RUN_ERRORED, 55,
         "the exit status is not 0 though the report says that all passed"},
    [REASON_NO_REPORT] = {REASON_NO_REPORT, RUN_ERRORED, EXIT_RUN_ERRORED, 52,
                          "the tests left no report"},
    [REASON_REPORT_TRUNCATED] = {REASON_REPORT_TRUNCATED, RUN_ERRORED, EXIT_RUN_ERRORED, 53,
                                 "the report ends in the middle"},
    [REASON_NO_TESTS] = {REASON_NO_TESTS, RUN_ERRORED, EXIT_NO_TESTS, 63, "no test ran"},
    [REASON_TASK_TIMEOUT] = {REASON_TASK_TIMEOUT, RUN_TIMED_OUT, EXIT_RUN_ERRORED, 22,
                             "a task was over its time limit"},
    [REASON_NO_CAPABLE_WORKER] = {REASON_NO_CAPABLE_WORKER, RUN_ERRORED, EXIT_RUN_ERRORED, 40,
                                  "no worker can run it"},
    [REASON_QUEUE_TIMEOUT] = {REASON_QUEUE_TIMEOUT, RUN_TIMED_OUT, EXIT_RUN_ERRORED, 21,
                              "workers that could run it were busy until the queue time-out"},
    [REASON_SOURCE_FAILED] = {REASON_SOURCE_FAILED, RUN_ERRORED, EXIT_RUN_ERRORED, 41,
                              "the source could not be fetched"},
    [REASON_EXEC_FAILED] = {REASON_EXEC_FAILED, RUN_ERRORED, EXIT_RUN_ERRORED, 42,
                            "the command could not be started"},
    [REASON_LIMIT_EXCEEDED] = {REASON_LIMIT_EXCEEDED, RUN_ERRORED, EXIT_RUN_ERRORED, 43,
                               "a resource limit ended the tests"},
    [REASON_RESULTS_LOST] = {REASON_RESULTS_LOST, RUN_ERRORED, EXIT_RUN_ERRORED, 51,
                             "results are missing and no attempt is left"},
    [REASON_WORKER_LOST] = {REASON_WORKER_LOST, RUN_ERRORED, EXIT_RUN_ERRORED, 50,
                            "workers were lost while they ran it"},
    [REASON_CANCELLED] = {REASON_CANCELLED, RUN_CANCELLED, EXIT_RUN_CANCELLED, 10, "cancelled"},
    [REASON_SUPERSEDED] = {REASON_SUPERSEDED, RUN_CANCELLED, EXIT_RUN_CANCELLED, 11,
                           "superseded by a newer run of the branch"},
    [REASON_RUN_TIMEOUT] = {REASON_RUN_TIMEOUT, RUN_TIMED_OUT, EXIT_RUN_ERRORED, 20,
                            "the run was over its time limit"},
    [REASON_INTERNAL_ERROR] = {REASON_INTERNAL_ERROR, RUN_ERRORED, EXIT_RUN_ERRORED, 30,
                               "Verdict itself could not work on it, through a fault of its own"},
};

const struct ending *ending_get(enum reason reason)
{
    assert(reason < REASON_COUNT);
    return &endings[reason];
}

enum reason reason_stronger(enum reason a, enum reason b)
{
    return endings[a].precedence <= endings[b].precedence ? a : b;
}
