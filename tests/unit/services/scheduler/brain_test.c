/* SPDX-License-Identifier: Apache-2.0 */
/* What memory holds, and what it lets go of. */
#include "brain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "scheduler.h"

static struct scheduler scheduler = {.topic_prefix = "test"};

static struct run *add_run(struct brain *brain, struct pool *pool, int number, int priority)
{
    struct run *run = xcalloc(1, sizeof *run);
    run->id = uuid_v7();
    run->project_id = pool->id;
    run->pool = pool;
    run->number = number;
    run->priority = priority;
    brain_add_run(brain, run);
    return run;
}

static void add_task(struct run *run)
{
    run->planned = true;
    run->task_count = 1;
    run->tasks = xcalloc(1, sizeof *run->tasks);
    run->tasks[0].run = run;
    run->tasks[0].state = TASK_DISPATCHED;
}

static int set_up(void **state)
{
    *state = brain_new(&scheduler, NULL);
    return 0;
}

static int tear_down(void **state)
{
    struct brain *brain = *state;
    brain_free(&brain);
    return 0;
}

static void a_slot_that_was_sent_something_is_not_free_though_the_worker_has_not_said_so(
    void **state)
{
    struct brain *brain = *state;
    struct uuid id = uuid_v7(), dispatch = uuid_random();
    struct pool *pool = brain_pool(brain, &id);
    struct worker *worker = pool_add_worker(pool, &id);
    struct run *run = add_run(brain, pool, 1, 50);
    add_task(run);
    worker->free_slots = 2;

    task_bind(brain, &run->tasks[0], worker, &dispatch);
    assert_int_equal(worker_free(worker), 1);
    run->tasks[0].state = TASK_RUNNING;
    assert_int_equal(worker_free(worker), 1);

    run->tasks[0].listed = true;
    worker->free_slots = 1;
    assert_int_equal(worker_free(worker), 1);
    assert_int_equal(run->project->running, 1);

    task_unbind(brain, &run->tasks[0]);
    assert_int_equal(run->project->running, 0);
    assert_null(brain_find_dispatch(brain, &dispatch));
}

static void the_window_lets_go_of_what_would_go_last_and_never_of_what_is_planned(void **state)
{
    struct brain *brain = *state;
    struct uuid id = uuid_v7();
    struct pool *pool = brain_pool(brain, &id);
    add_task(add_run(brain, pool, 9, 0));
    struct uuid planned = brain->runs->id;
    struct uuid urgent = add_run(brain, pool, 8, 90)->id;
    struct uuid early = add_run(brain, pool, 1, 50)->id;
    struct uuid late = add_run(brain, pool, 2, 50)->id;

    brain_trim(brain, 4);
    assert_false(brain->more_runs);

    brain_trim(brain, 3);
    assert_true(brain->more_runs);
    assert_null(brain_find_run(brain, &late));
    assert_non_null(brain_find_run(brain, &early));

    brain_trim(brain, 0);
    assert_null(brain_find_run(brain, &urgent));
    assert_non_null(brain_find_run(brain, &planned));
}

static void a_reason_to_wait_is_written_when_it_changes(void **state)
{
    struct brain *brain = *state;
    struct uuid id = uuid_v7();
    struct run *run = add_run(brain, brain_pool(brain, &id), 1, 50);

    run_wait(run, WAIT_BUSY, "%d slots", 3);
    assert_true(run->wait_dirty);
    run->wait_dirty = false;
    run_wait(run, WAIT_BUSY, "%d slots", 3);
    assert_false(run->wait_dirty);
    run_wait(run, WAIT_BUSY, "%d slots", 4);
    assert_true(run->wait_dirty);
}

static void a_worker_gets_work_only_when_it_was_heard_of_since_the_take_over(void **state)
{
    struct brain *brain = *state;
    struct uuid id = uuid_v7();
    struct worker *worker = pool_add_worker(brain_pool(brain, &id), &id);

    assert_false(worker_is_available(worker, 1000));
    worker->heard = true;
    assert_true(worker_is_available(worker, 1000));
    worker->lease.silent_ms = 1000;
    assert_false(worker_is_available(worker, 1000));
    worker->lease.silent_ms = 0;
    worker->draining = true;
    assert_false(worker_is_available(worker, 1000));
}

static void uploads_are_found_by_their_dispatch_however_many_there_are(void **state)
{
    enum { COUNT = 40 };
    struct brain *brain = *state;
    struct uuid id = uuid_v7(), dispatches[COUNT];
    struct run *run = add_run(brain, brain_pool(brain, &id), 1, 50);

    for (int i = 0; i < COUNT; i++) {
        dispatches[i] = uuid_random();
        task_bind(brain, brain_add_task(brain, run), NULL, &dispatches[i]);
    }

    assert_int_equal(run->task_count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        struct task *task = brain_find_dispatch(brain, &dispatches[i]);
        assert_ptr_equal(task, &run->tasks[i]);
        assert_int_equal(task->ordinal, i);
        assert_ptr_equal(task->run, run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_slot_that_was_sent_something_is_not_free_though_the_worker_has_not_said_so, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            the_window_lets_go_of_what_would_go_last_and_never_of_what_is_planned, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_reason_to_wait_is_written_when_it_changes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_worker_gets_work_only_when_it_was_heard_of_since_the_take_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(uploads_are_found_by_their_dispatch_however_many_there_are,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests_name("brain", tests, NULL, NULL);
}
