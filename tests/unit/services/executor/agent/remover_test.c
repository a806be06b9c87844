/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/remover.h"
#include "base/clock.h"
#include "base/memory.h"

#define DEADLINE_MS 20000

static char folder[] = "/tmp/verdict-remover-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

/* A directory that its owner cannot enter, one with a file, and a link that leads out. */
static char *make_tree(const char *outside)
{
    char *root = xasprintf("%s/tree", folder);
    AUTO(text_free) char *closed = xasprintf("%s/closed", root);
    AUTO(text_free) char *inside = xasprintf("%s/closed/file", root);
    AUTO(text_free) char *link = xasprintf("%s/link", root);
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(mkdir(closed, 0700), 0);
    make_file(inside);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(chmod(closed, 0), 0);
    return root;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void wait_gone(const char *path)
{
    int64_t deadline_ms = monotonic_ms() + DEADLINE_MS;
    while (is_there(path) && monotonic_ms() < deadline_ms)
        poll(NULL, 0, 2);
    assert_false(is_there(path));
}

static void what_tests_have_left_goes_whatever_its_rights_and_nothing_else(void **state)
{
    struct remover *remover = NULL;
    AUTO(text_free) char *outside = xasprintf("%s/outside", folder);
    AUTO(text_free) char *kept = xasprintf("%s/outside/kept", folder);
    (void)state;
    assert_int_equal(mkdir(outside, 0700), 0);
    make_file(kept);
    AUTO(text_free) char *root = make_tree(outside);
    assert_int_equal(remover_open(&remover, NULL), 0);

    remover_add(remover, root);
    wait_gone(root);
    assert_true(is_there(kept));

    remover_add(remover, outside);
    wait_gone(outside);
    remover_close(&remover);
    assert_null(remover);
}

static void an_open_end_is_left_to_the_next_life(void **state)
{
    struct remover *remover = NULL;
    (void)state;
    assert_int_equal(remover_open(&remover, NULL), 0);
    remover_add(remover, "/nowhere/at/all");
    remover_close(&remover);
    assert_null(remover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_tests_have_left_goes_whatever_its_rights_and_nothing_else),
        cmocka_unit_test(an_open_end_is_left_to_the_next_life),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
