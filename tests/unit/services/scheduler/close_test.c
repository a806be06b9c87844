/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the table of endings that a run's results and records decide, and their precedence. */
#include "close.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

struct row {
    const char *what;
    struct closed_run run;   /* tasks are filled in */
    struct closed_task task; /* the only one */
    enum reason reason;
    const char *detail; /* part of it; NULL: any */
};

#define FINE(p, f, e, s, b)                                                                        \
    {                                                                                              \
        .has_record = true, .report = REPORT_IS_COMPLETE, .passed = (p), .failed = (f),            \
        .errored = (e), .skipped = (s), .blocked = (b)                                             \
    }
#define TOTAL(n, p, f, e, s, b)                                                                    \
    {                                                                                              \
        .planned = (n), .passed = (p), .failed = (f), .errored = (e), .skipped = (s),              \
        .blocked = (b)                                                                             \
    }

static const struct row rows[] = {
    {"all passed", TOTAL(2, 2, 0, 0, 0, 0), FINE(2, 0, 0, 0, 0), REASON_NONE, NULL},
    {"passed and skipped", TOTAL(2, 1, 0, 0, 1, 0), FINE(1, 0, 0, 1, 0), REASON_NONE, NULL},
    {"planned was never known", TOTAL(-1, 3, 0, 0, 0, 0), FINE(3, 0, 0, 0, 0), REASON_NONE, NULL},
    {"one failed", TOTAL(2, 1, 1, 0, 0, 0), FINE(1, 1, 0, 0, 0), REASON_CASES_FAILED, "1 of 2"},
    {"one errored, whatever else failed", TOTAL(3, 1, 1, 1, 0, 0), FINE(1, 1, 1, 0, 0),
     REASON_CASES_ERRORED, "1 of 3"},
    {"one blocked", TOTAL(2, 1, 0, 0, 0, 1), FINE(1, 0, 0, 0, 1), REASON_CASES_BLOCKED, NULL},
    {"one not run", TOTAL(3, 2, 0, 0, 0, 0), FINE(2, 0, 0, 0, 0), REASON_CASES_NOT_RUN, "1 of 3"},
    {"nothing ran", TOTAL(-1, 0, 0, 0, 0, 0), FINE(0, 0, 0, 0, 0), REASON_NO_TESTS, "no case"},
    {"all skipped", TOTAL(2, 0, 0, 0, 2, 0), FINE(0, 0, 0, 2, 0), REASON_NO_TESTS, "skipped"},
    {"nothing ran, and that is allowed",
     {.planned = -1, .allow_empty = true},
     FINE(0, 0, 0, 0, 0),
     REASON_NONE,
     NULL},
    {"nothing ran as its framework says it",
     {.planned = -1, .allow_empty = true, .empty_status = 5},
     {.has_record = true, .report = REPORT_IS_COMPLETE, .exit_status = 5},
     REASON_NONE,
     NULL},
    {"nothing ran, which is allowed, since it broke",
     {.planned = -1, .allow_empty = true, .empty_status = 5},
     {.has_record = true, .report = REPORT_IS_COMPLETE, .exit_status = 2},
     REASON_EXIT_CONTRADICTS_REPORT,
     "exit status 2"},
    {"exit status contradicts the report",
     TOTAL(1, 1, 0, 0, 0, 0),
     {.has_record = true, .exit_status = 7, .passed = 1},
     REASON_EXIT_CONTRADICTS_REPORT,
     "exit status 7"},
    {"a signal contradicts the report",
     TOTAL(1, 1, 0, 0, 0, 0),
     {.has_record = true, .ending = ENDED_SIGNALLED, .signal = 11, .exit_status = -1, .passed = 1},
     REASON_EXIT_CONTRADICTS_REPORT,
     "signal 11"},
    {"exit status agrees with a failure",
     TOTAL(2, 1, 1, 0, 0, 0),
     {.has_record = true, .exit_status = 1, .passed = 1, .failed = 1},
     REASON_CASES_FAILED,
     NULL},
    {"a failure that an earlier attempt has passed is not green",
     TOTAL(2, 2, 0, 0, 0, 0),
     {.has_record = true, .exit_status = 1, .passed = 1, .failed = 1},
     REASON_EXIT_CONTRADICTS_REPORT,
     "1 cases failed"},
    {"nor where its process ends with 0",
     TOTAL(2, 2, 0, 0, 0, 0),
     {.has_record = true, .passed = 1, .errored = 1},
     REASON_EXIT_CONTRADICTS_REPORT,
     "1 cases failed"},
    {"no report",
     TOTAL(-1, 0, 0, 0, 0, 0),
     {.has_record = true, .report = REPORT_IS_MISSING},
     REASON_NO_REPORT,
     "exit status 0"},
    {"half a report",
     TOTAL(-1, 4, 0, 0, 0, 0),
     {.has_record = true, .report = REPORT_IS_TRUNCATED, .passed = 4},
     REASON_REPORT_TRUNCATED,
     "4 whole cases"},
    {"the command alone is the case, and failed",
     TOTAL(1, 0, 1, 0, 0, 0),
     {.has_record = true, .report = REPORT_NOT_EXPECTED, .exit_status = 3, .failed = 1},
     REASON_CASES_FAILED,
     NULL},
    {"task timed out",
     TOTAL(-1, 1, 1, 0, 0, 0),
     {.outcome = OUTCOME_TIMED_OUT, .reason = REASON_TASK_TIMEOUT},
     REASON_TASK_TIMEOUT,
     NULL},
    {"source failed, with git's words",
     TOTAL(-1, 0, 0, 0, 0, 0),
     {.outcome = OUTCOME_ERRORED,
      .reason = REASON_SOURCE_FAILED,
      .reason_detail = "fatal: no such remote"},
     REASON_SOURCE_FAILED,
     "no such remote"},
    {"exec failed",
     TOTAL(-1, 0, 0, 0, 0, 0),
     {.outcome = OUTCOME_ERRORED, .reason = REASON_EXEC_FAILED},
     REASON_EXEC_FAILED,
     NULL},
    {"limit",
     TOTAL(-1, 0, 0, 0, 0, 0),
     {.outcome = OUTCOME_ERRORED, .reason = REASON_LIMIT_EXCEEDED},
     REASON_LIMIT_EXCEEDED,
     NULL},
    {"worker lost twice",
     TOTAL(3, 1, 0, 0, 0, 0),
     {.outcome = OUTCOME_ERRORED, .reason = REASON_WORKER_LOST},
     REASON_WORKER_LOST,
     NULL},
    {"no attempt left",
     TOTAL(3, 1, 0, 0, 0, 0),
     {.outcome = OUTCOME_ERRORED, .reason = REASON_RESULTS_LOST},
     REASON_RESULTS_LOST,
     NULL},
    {"cancelled beats all",
     TOTAL(3, 1, 1, 1, 0, 0),
     {.outcome = OUTCOME_CANCELLED, .reason = REASON_CANCELLED},
     REASON_CANCELLED,
     NULL},
    {"all its cases came with earlier attempts",
     TOTAL(2, 2, 0, 0, 0, 0),
     {.outcome = OUTCOME_FINISHED},
     REASON_NONE,
     NULL},
};

static void each_row_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct closed_run run = rows[i].run;
        char detail[CLOSE_DETAIL_SIZE];
        run.tasks = &rows[i].task;
        run.task_count = 1;

        enum reason reason = close_decide(&run, detail);

        if (reason != rows[i].reason)
            fail_msg("%s: %s", rows[i].what, names_get(&reason_names, (int)reason));
        if (rows[i].detail != NULL && strstr(detail, rows[i].detail) == NULL)
            fail_msg("%s: detail is \"%s\"", rows[i].what, detail);
    }
}

static void one_bad_task_among_good_ones_decides(void **state)
{
    const struct closed_task tasks[] = {FINE(2, 0, 0, 0, 0),
                                        {.has_record = true, .exit_status = 9, .passed = 1},
                                        FINE(1, 0, 0, 0, 0)};
    const struct closed_run run = {.planned = 4, .passed = 4, .tasks = tasks, .task_count = 3};
    char detail[CLOSE_DETAIL_SIZE];
    (void)state;
    assert_int_equal(close_decide(&run, detail), REASON_EXIT_CONTRADICTS_REPORT);
}

static void what_nobody_uploaded_is_never_green(void **state)
{
    struct closed_run run = {.planned = -1, .is_uploaded = true, .allow_empty = true};
    char detail[CLOSE_DETAIL_SIZE];
    (void)state;

    enum reason reason = close_decide(&run, detail);

    assert_int_equal(reason, REASON_NO_REPORT);
    assert_string_equal(detail, "nothing was uploaded");
}

static void uploads_that_contradict_each_other_are_not_green(void **state)
{
    const struct closed_task tasks[] = {{.has_record = true, .passed = 1},
                                        {.has_record = true, .failed = 1}};
    struct closed_run run = {.planned = 1,
                             .passed = 1,
                             .is_uploaded = true,
                             .tasks = tasks,
                             .task_count = ARRAY_SIZE(tasks)};
    char detail[CLOSE_DETAIL_SIZE];
    (void)state;

    enum reason reason = close_decide(&run, detail);

    assert_int_equal(reason, REASON_EXIT_CONTRADICTS_REPORT);
    assert_string_equal(detail, "1 cases failed in one upload that another upload has passed");
    assert_true(close_is_contradicted(&run));

    run.contradicted = 3;
    strcpy(run.contradicted_case, "shop.adds");
    strcpy(run.contradicted_as, "passed");
    (void)close_decide(&run, detail);
    assert_string_equal(detail, "shop.adds failed, and passed in another upload (and 2 more)");

    run.contradicted = 1;
    run.failed = 1;
    run.planned = 2;
    assert_false(close_is_contradicted(&run));
    assert_int_equal(close_decide(&run, detail), REASON_CASES_FAILED);
    assert_string_equal(detail, "1 of 2; shop.adds failed, and passed in another upload");
}

static void precedence_is_cancelled_timed_out_errored_failed(void **state)
{
    static const enum reason order[] = {REASON_CANCELLED, REASON_TASK_TIMEOUT, REASON_SOURCE_FAILED,
                                        REASON_CASES_ERRORED, REASON_CASES_FAILED};
    (void)state;
    for (size_t i = 0; i + 1 < ARRAY_SIZE(order); i++) {
        assert_int_equal(reason_stronger(order[i], order[i + 1]), order[i]);
        assert_int_equal(reason_stronger(order[i + 1], order[i]), order[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_its_reason),
        cmocka_unit_test(one_bad_task_among_good_ones_decides),
        cmocka_unit_test(what_nobody_uploaded_is_never_green),
        cmocka_unit_test(uploads_that_contradict_each_other_are_not_green),
        cmocka_unit_test(precedence_is_cancelled_timed_out_errored_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
