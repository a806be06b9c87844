/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/memory.h"
#include "model/endings.h"

/* The table of the data model, row by row. */
static const struct {
    const char *reason, *state;
    int exit_code;
} rows[] = {
    {"", "passed", 0},
    {"cases_failed", "failed", 1},
    {"cases_errored", "errored", 3},
    {"cases_blocked", "errored", 3},
    {"cases_not_run", "errored", 3},
    {"exit_contradicts_report", "errored", 3},
    {"no_report", "errored", 3},
    {"report_truncated", "errored", 3},
    {"no_tests", "errored", 5},
    {"task_timeout", "timed_out", 3},
    {"no_capable_worker", "errored", 3},
    {"queue_timeout", "timed_out", 3},
    {"source_failed", "errored", 3},
    {"exec_failed", "errored", 3},
    {"limit_exceeded", "errored", 3},
    {"results_lost", "errored", 3},
    {"worker_lost", "errored", 3},
    {"cancelled", "cancelled", 4},
    {"superseded", "cancelled", 4},
    {"run_timeout", "timed_out", 3},
    {"internal_error", "errored", 3},
};

static void every_reason_ends_as_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_SIZE(rows), REASON_COUNT);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int reason = names_find(&reason_names, rows[i].reason);
        assert_true(reason >= 0);
        const struct ending *ending = ending_get((enum reason)reason);
        assert_int_equal(ending->reason, reason);
        assert_string_equal(names_get(&run_state_names, (int)ending->state), rows[i].state);
        assert_int_equal(ending->exit_code, rows[i].exit_code);
        assert_true(strlen(ending->text) > 0);
        assert_true(run_state_is_final(ending->state));
    }
}

/* cancelled, timed_out, errored, failed, passed */
static int rank(enum run_state state)
{
    static const enum run_state order[] = {RUN_CANCELLED, RUN_TIMED_OUT, RUN_ERRORED, RUN_FAILED,
                                           RUN_PASSED};
    for (int i = 0; i < (int)ARRAY_SIZE(order); i++)
        if (order[i] == state)
            return i;
    return -1;
}

static void the_state_of_higher_precedence_wins(void **state)
{
    (void)state;
    for (int a = 0; a < REASON_COUNT; a++) {
        for (int b = 0; b < REASON_COUNT; b++) {
            enum reason winner = reason_stronger((enum reason)a, (enum reason)b);
            int rank_a = rank(ending_get((enum reason)a)->state);
            int rank_b = rank(ending_get((enum reason)b)->state);
            assert_int_equal(rank(ending_get(winner)->state), rank_a < rank_b ? rank_a : rank_b);
            assert_int_equal(winner, reason_stronger((enum reason)b, (enum reason)a));
        }
    }
}

static void only_a_passed_run_exits_with_zero(void **state)
{
    (void)state;
    for (int i = 0; i < REASON_COUNT; i++) {
        const struct ending *ending = ending_get((enum reason)i);
        assert_true((ending->exit_code == 0) == (ending->state == RUN_PASSED));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_ends_as_the_table_says),
        cmocka_unit_test(the_state_of_higher_precedence_wins),
        cmocka_unit_test(only_a_passed_run_exits_with_zero),
    };
    return cmocka_run_group_tests_name("endings", tests, NULL, NULL);
}
