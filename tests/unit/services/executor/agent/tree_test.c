/* SPDX-License-Identifier: Apache-2.0 */
/* The processes below one process: real ones. */
#include "agent/tree.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/memory.h"

#define MEMORY_BYTES ((size_t)32 * 1024 * 1024)

static bool lists(pid_t root, pid_t pid)
{
    AUTO(process_list_deinit) struct process_list below = {.list = NULL};
    tree_list(root, &below);
    for (size_t i = 0; i < below.count; i++)
        if (below.list[i] == pid)
            return true;
    return false;
}

/* In a child: it and each below it but the last fork one more; all tell their pids from the top down, and
 * wait to be killed. */
static void go_down(int count, int fd)
{
    bool is_new = true;
    for (int i = 0; i < count && is_new; i++) {
        pid_t self = getpid();
        if (write(fd, &self, sizeof self) != sizeof self)
            _exit(1);
        is_new = i + 1 < count && fork() == 0;
    }
    for (;;)
        pause();
}

struct chain {
    pid_t pids[3]; /* each the parent of the next */
};

static int start_chain(void **state)
{
    struct chain *chain = xcalloc(1, sizeof *chain);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    if (fork() == 0)
        go_down((int)ARRAY_SIZE(chain->pids), fds[1]);
    for (size_t i = 0; i < ARRAY_SIZE(chain->pids); i++)
        assert_int_equal(read(fds[0], &chain->pids[i], sizeof chain->pids[i]), sizeof(pid_t));
    close(fds[0]);
    close(fds[1]);
    *state = chain;
    return 0;
}

static int end_chain(void **state)
{
    struct chain *chain = *state;
    for (size_t i = ARRAY_SIZE(chain->pids); i-- > 0;)
        kill(chain->pids[i], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    free(chain);
    return 0;
}

static void every_descendant_is_listed_and_the_root_is_not(void **state)
{
    const struct chain *chain = *state;

    for (size_t i = 0; i < ARRAY_SIZE(chain->pids); i++)
        assert_true(lists(getpid(), chain->pids[i]));

    assert_false(lists(getpid(), getpid()));
}

static void what_is_beside_or_above_is_not_listed(void **state)
{
    const struct chain *chain = *state;

    assert_false(lists(chain->pids[1], chain->pids[0]));
    assert_false(lists(chain->pids[1], chain->pids[1]));
    assert_true(lists(chain->pids[1], chain->pids[2]));
    assert_false(lists(chain->pids[2], chain->pids[1]));
}

static void a_zombie_is_left_out(void **state)
{
    const struct chain *chain = *state;
    siginfo_t info;
    kill(chain->pids[0], SIGKILL);

    /* It has ended, and stays a zombie until somebody takes its status. */
    assert_int_equal(waitid(P_PID, (id_t)chain->pids[0], &info, WEXITED | WNOWAIT), 0);

    assert_false(lists(getpid(), chain->pids[0]));
}

static void a_signal_reaches_all_below_and_not_the_root(void **state)
{
    const struct chain *chain = *state;
    int status;

    tree_signal(getpid(), SIGTERM); /* it would end this test */

    for (size_t i = 0; i < ARRAY_SIZE(chain->pids); i++) {
        assert_int_equal(waitpid(chain->pids[i], &status, 0), chain->pids[i]);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    }
}

/* In a child: uses memory and processor time, tells, waits to be killed. */
static void use_up(int fd)
{
    char *memory = malloc(MEMORY_BYTES);
    volatile unsigned turns = 0;
    memset(memory, 1, MEMORY_BYTES);
    while (clock() < CLOCKS_PER_SEC / 10)
        turns++;
    if (write(fd, &memory[turns % 2], 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void memory_and_processor_time_are_those_below(void **state)
{
    const struct chain *chain = *state;
    int64_t before_bytes, before_ms = tree_cpu_ms(getpid());
    size_t before, count;
    int fds[2];
    char told;
    before_bytes = tree_memory_bytes(getpid(), &before);
    assert_int_equal(before, ARRAY_SIZE(chain->pids));

    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0)
        use_up(fds[1]);
    assert_int_equal(read(fds[0], &told, 1), 1);

    assert_true(tree_memory_bytes(getpid(), &count) - before_bytes >= (int64_t)MEMORY_BYTES);
    assert_int_equal(count, before + 1);
    assert_true(tree_cpu_ms(getpid()) - before_ms >= 50);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(fds[0]);
    close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_chain, end_chain)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_descendant_is_listed_and_the_root_is_not),
        TEST(what_is_beside_or_above_is_not_listed),
        TEST(a_zombie_is_left_out),
        TEST(a_signal_reaches_all_below_and_not_the_root),
        TEST(memory_and_processor_time_are_those_below),
    };
    /* Those whose parent has ended are ours to wait for. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return 1;
    return tree_is_visible() ? cmocka_run_group_tests(tests, NULL, NULL) : 0;
}
