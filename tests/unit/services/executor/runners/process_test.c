/* SPDX-License-Identifier: Apache-2.0 */
/* Real processes under a real helper and warden. */
#include "runners/runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"

#define DEADLINE_MS 30000

struct seen {
    struct buffer out, err;
    bool started, ended;
    struct process_end end;
};

static struct run_tools tools;
static struct helper *the_helper;

static void on_started(void *context)
{
    ((struct seen *)context)->started = true;
}

static void on_output(void *context, enum run_output stream, const char *bytes, size_t length)
{
    struct seen *seen = context;
    buffer_add(stream == RUN_STDOUT ? &seen->out : &seen->err, bytes, length);
}

static void on_end(void *context, const struct process_end *end)
{
    struct seen *seen = context;
    seen->ended = true;
    seen->end = *end;
}

static struct execution *start(struct seen *seen, const struct process_plan *plan)
{
    struct execution *execution = NULL;
    struct error error;
    const struct run_handlers handlers = {
        .on_started = on_started, .on_output = on_output, .on_end = on_end, .context = seen};
    *seen = (struct seen){.ended = false};
    buffer_init(&seen->out, 1024 * 1024);
    buffer_init(&seen->err, 1024 * 1024);
    assert_int_equal(process_runner.start(&tools, plan, &handlers, &execution, &error), 0);
    return execution;
}

static void wait_until(const bool *flag)
{
    int64_t deadline_ms = monotonic_ms() + DEADLINE_MS;
    while (!*flag && monotonic_ms() < deadline_ms)
        loop_pass(tools.loop, 50);
    assert_true(*flag);
}

static void wait_for_output(const struct seen *seen, const char *text)
{
    int64_t deadline_ms = monotonic_ms() + DEADLINE_MS;
    while (strstr(buffer_text(&seen->out), text) == NULL && monotonic_ms() < deadline_ms)
        loop_pass(tools.loop, 50);
    assert_non_null(strstr(buffer_text(&seen->out), text));
}

static struct process_plan shell(const char *script)
{
    struct process_plan plan = {.directory = "/", .grace_ms = 200};
    texts_add(&plan.argv, "sh");
    texts_add(&plan.argv, "-c");
    texts_add(&plan.argv, script);
    texts_add(&plan.environment, "PATH=/usr/bin:/bin");
    return plan;
}

static void plan_deinit(struct process_plan *plan)
{
    texts_deinit(&plan->argv);
    texts_deinit(&plan->environment);
}

static void finish(struct seen *seen, struct execution **execution)
{
    process_runner.free(execution);
    buffer_deinit(&seen->out);
    buffer_deinit(&seen->err);
}

static void run(struct seen *seen, struct process_plan *plan)
{
    struct execution *execution = start(seen, plan);
    wait_until(&seen->ended);
    process_runner.free(&execution);
    plan_deinit(plan);
}

static void deinit(struct seen *seen)
{
    buffer_deinit(&seen->out);
    buffer_deinit(&seen->err);
}

static void output_and_status_come_back(void **state)
{
    struct seen seen;
    struct process_plan plan = shell("echo out; echo err >&2; exit 7");
    (void)state;
    run(&seen, &plan);
    assert_string_equal(buffer_text(&seen.out), "out\n");
    assert_string_equal(buffer_text(&seen.err), "err\n");
    assert_true(seen.started);
    assert_int_equal(WEXITSTATUS(seen.end.status), 7);
    assert_int_equal(seen.end.strays, 0);
    deinit(&seen);
}

static void the_environment_is_the_plans_and_nothing_else(void **state)
{
    struct seen seen;
    struct process_plan plan = shell("env | sort");
    (void)state;
    setenv("SECRET_OF_THE_EXECUTOR", "x", 1);
    run(&seen, &plan);
    assert_null(strstr(buffer_text(&seen.out), "SECRET"));
    assert_non_null(strstr(buffer_text(&seen.out), "PATH=/usr/bin:/bin\n"));
    deinit(&seen);
}

static void no_descriptor_but_the_three_is_inherited(void **state)
{
    struct seen seen;
    struct process_plan plan = shell("ls /proc/self/fd | wc -l");
    (void)state;
    run(&seen, &plan);
    assert_string_equal(buffer_text(&seen.out), "4\n"); /* and the directory that ls reads */
    deinit(&seen);
}

static void a_command_that_is_not_there_says_why(void **state)
{
    struct seen seen;
    struct process_plan plan = {.directory = "/"}, nowhere = shell("true");
    (void)state;
    texts_add(&plan.argv, "/no/such/program");
    run(&seen, &plan);
    assert_false(seen.started);
    assert_int_equal(seen.end.exec_errno, ENOENT);
    deinit(&seen);
    nowhere.directory = "/no/such/directory";
    run(&seen, &nowhere);
    assert_int_equal(seen.end.exec_errno, ENOENT);
    deinit(&seen);
}

static void arguments_of_many_megabytes_are_handed_over(void **state)
{
    struct seen seen;
    struct process_plan plan = {.directory = "/"};
    AUTO(text_free) char *word = xcalloc(1, 100001);
    (void)state;
    memset(word, 'x', 100000);
    texts_add(&plan.argv, "/bin/sh");
    texts_add(&plan.argv, "-c");
    texts_add(&plan.argv, "echo $#");
    for (int i = 0; i < 15; i++)
        texts_add(&plan.argv, word);
    run(&seen, &plan);
    assert_string_equal(buffer_text(&seen.out), "14\n");
    deinit(&seen);
}

static bool is_alive(long pid)
{
    return kill((pid_t)pid, 0) == 0;
}

static void a_stop_reaches_everything_that_ignores_it(void **state)
{
    struct seen seen;
    struct process_plan plan =
        shell("trap '' TERM; (setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done') & "
              "while :; do sleep 1; done");
    struct execution *execution = start(&seen, &plan);
    (void)state;
    wait_for_output(&seen, "\n");
    long pid = strtol(buffer_text(&seen.out), NULL, 10);
    int64_t asked_ms = monotonic_ms();
    process_runner.stop(execution, 300);
    wait_until(&seen.ended);
    assert_true(monotonic_ms() - asked_ms >= 290);
    assert_true(WIFSIGNALED(seen.end.status));
    assert_false(is_alive(pid));
    finish(&seen, &execution);
    plan_deinit(&plan);
}

static void a_stop_that_is_heeded_needs_no_kill(void **state)
{
    struct seen seen;
    struct process_plan plan =
        shell("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done");
    struct execution *execution = start(&seen, &plan);
    (void)state;
    wait_for_output(&seen, "ready");
    process_runner.stop(execution, 20000);
    wait_until(&seen.ended);
    assert_non_null(strstr(buffer_text(&seen.out), "bye"));
    assert_int_equal(WEXITSTATUS(seen.end.status), 3);
    finish(&seen, &execution);
    plan_deinit(&plan);
}

static void a_daemon_that_stays_behind_is_counted_and_ended(void **state)
{
    struct seen seen;
    struct process_plan plan = shell("(setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; "
                                     "done' &) ; sleep 0.3; exit 0");
    (void)state;
    run(&seen, &plan);
    long pid = strtol(buffer_text(&seen.out), NULL, 10);
    assert_int_equal(WEXITSTATUS(seen.end.status), 0);
    assert_true(seen.end.strays >= 1);
    assert_true(pid > 1);
    assert_false(is_alive(pid));
    deinit(&seen);
}

static void freeing_it_ends_it(void **state)
{
    struct seen seen;
    struct process_plan plan = shell("echo $$; exec sleep 100");
    struct execution *execution = start(&seen, &plan);
    int64_t deadline_ms = monotonic_ms() + DEADLINE_MS;
    (void)state;
    wait_for_output(&seen, "\n");
    long pid = strtol(buffer_text(&seen.out), NULL, 10);
    process_runner.free(&execution);
    while (is_alive(pid) && monotonic_ms() < deadline_ms)
        loop_pass(tools.loop, 10);
    assert_false(is_alive(pid));
    deinit(&seen);
    plan_deinit(&plan);
}

static void limits_end_it_and_are_named(void **state)
{
    static const struct {
        struct process_limits limits;
        const char *script;
        enum process_limit limit;
    } rows[] = {
        {{.cpu_seconds = 1}, "while :; do :; done", PROCESS_LIMIT_CPU},
        {{.file_bytes = 1000}, "exec head -c 5000 /dev/zero >\"$(mktemp)\"", PROCESS_LIMIT_FILE},
        {{.processes = 3}, "for i in 1 2 3 4 5; do sleep 50 & done; wait", PROCESS_LIMIT_PROCESSES},
        {{.memory_bytes = 30000000},
         "x=$(head -c 90000000 /dev/zero | tr '\\0' x); sleep 50",
         PROCESS_LIMIT_MEMORY},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct seen seen;
        struct process_plan plan = shell(rows[i].script);
        plan.limits = rows[i].limits;
        run(&seen, &plan);
        assert_int_equal(seen.end.limit, rows[i].limit);
        deinit(&seen);
    }
}

static void many_at_once_do_not_mix(void **state)
{
    struct seen seen[8];
    struct execution *executions[8];
    struct process_plan plans[8];
    (void)state;
    for (int i = 0; i < 8; i++) {
        AUTO(text_free) char *script = xasprintf("sleep 0.0%d; echo %d; exit %d", i, i, i);
        plans[i] = shell(script);
        executions[i] = start(&seen[i], &plans[i]);
    }
    for (int i = 0; i < 8; i++) {
        wait_until(&seen[i].ended);
        assert_int_equal(WEXITSTATUS(seen[i].end.status), i);
        assert_int_equal(strtol(buffer_text(&seen[i].out), NULL, 10), i);
        finish(&seen[i], &executions[i]);
        plan_deinit(&plans[i]);
    }
}

static void the_null_runner_ends_well(void **state)
{
    struct seen seen = {.ended = false};
    struct execution *execution = NULL;
    struct error error;
    const struct process_plan plan = {.directory = "/"};
    const struct run_handlers handlers = {
        .on_started = on_started, .on_output = on_output, .on_end = on_end, .context = &seen};
    (void)state;
    assert_int_equal(null_runner.start(&tools, &plan, &handlers, &execution, &error), 0);
    assert_false(seen.ended);
    wait_until(&seen.ended);
    assert_int_equal(seen.end.status, 0);
    null_runner.free(&execution);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_status_come_back),
        cmocka_unit_test(the_environment_is_the_plans_and_nothing_else),
        cmocka_unit_test(no_descriptor_but_the_three_is_inherited),
        cmocka_unit_test(a_command_that_is_not_there_says_why),
        cmocka_unit_test(arguments_of_many_megabytes_are_handed_over),
        cmocka_unit_test(a_stop_reaches_everything_that_ignores_it),
        cmocka_unit_test(a_stop_that_is_heeded_needs_no_kill),
        cmocka_unit_test(a_daemon_that_stays_behind_is_counted_and_ended),
        cmocka_unit_test(freeing_it_ends_it),
        cmocka_unit_test(limits_end_it_and_are_named),
        cmocka_unit_test(many_at_once_do_not_mix),
        cmocka_unit_test(the_null_runner_ends_well),
    };
    struct error error;
    if (helper_start(&the_helper, &error) < 0)
        return 1;
    tools = (struct run_tools){.loop = loop_new(), .helper = the_helper};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    loop_free(&tools.loop);
    helper_stop(&the_helper);
    return failed;
}
