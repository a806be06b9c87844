/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/states.h"

static void every_run_state_but_final_ones_can_be_left(void **state)
{
    (void)state;
    for (int from = 0; from < run_state_names.count; from++) {
        int moves = 0;
        for (int to = 0; to < run_state_names.count; to++)
            moves += run_state_can_move((enum run_state)from, (enum run_state)to);
        if (run_state_is_final((enum run_state)from))
            assert_int_equal(moves, 0);
        else
            assert_true(moves > 0);
    }
}

static void every_open_run_can_be_cancelled(void **state)
{
    (void)state;
    for (int from = RUN_QUEUED; from <= RUN_RUNNING; from++) {
        assert_true(run_state_can_move((enum run_state)from, RUN_CANCELLED));
        assert_true(run_state_can_move((enum run_state)from, RUN_TIMED_OUT));
        assert_true(run_state_can_move((enum run_state)from, RUN_ERRORED));
    }
}

static void a_task_that_is_done_stays_done(void **state)
{
    (void)state;
    for (int to = 0; to < task_state_names.count; to++)
        assert_false(task_state_can_move(TASK_DONE, (enum task_state)to));
    for (int from = 0; from < TASK_DONE; from++)
        assert_true(task_state_can_move((enum task_state)from, TASK_DONE));
}

static void nothing_runs_that_was_not_dispatched(void **state)
{
    (void)state;
    assert_false(task_state_can_move(TASK_QUEUED, TASK_RUNNING));
    assert_true(task_state_can_move(TASK_QUEUED, TASK_DISPATCHED));
    assert_true(task_state_can_move(TASK_DISPATCHED, TASK_RUNNING));
}

static void check_moves(const struct state_move *moves, size_t count, const struct names *names)
{
    for (size_t i = 0; i < count; i++) {
        assert_in_range(moves[i].from, 0, names->count - 1);
        assert_in_range(moves[i].to, 0, names->count - 1);
        assert_int_not_equal(moves[i].from, moves[i].to);
        assert_non_null(moves[i].why);
        for (size_t other = 0; other < i; other++)
            assert_false(moves[i].from == moves[other].from && moves[i].to == moves[other].to);
    }
}

static void every_move_is_there_once_and_has_a_reason(void **state)
{
    (void)state;
    check_moves(run_moves, run_moves_count, &run_state_names);
    check_moves(task_moves, task_moves_count, &task_state_names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_state_but_final_ones_can_be_left),
        cmocka_unit_test(every_open_run_can_be_cancelled),
        cmocka_unit_test(a_task_that_is_done_stays_done),
        cmocka_unit_test(nothing_runs_that_was_not_dispatched),
        cmocka_unit_test(every_move_is_there_once_and_has_a_reason),
    };
    return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
