/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "service/loop.h"

struct watcher {
    struct loop *loop;
    int fd, events;
    bool removes_itself;
};

static void on_event(void *context)
{
    struct watcher *watcher = context;
    uint64_t value;
    assert_int_equal(read(watcher->fd, &value, sizeof value), sizeof value);
    watcher->events++;
    if (watcher->removes_itself)
        loop_remove_fd(watcher->loop, watcher->fd);
}

static void ring(int fd)
{
    assert_int_equal(eventfd_write(fd, 1), 0);
}

static struct watcher watch(struct loop *loop)
{
    return (struct watcher){.loop = loop, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
}

static void a_descriptor_ends_the_wait_and_is_served(void **state)
{
    AUTO(loop_free) struct loop *loop = loop_new();
    struct watcher watcher = watch(loop);
    (void)state;
    loop_add_fd(loop, watcher.fd, POLLIN, on_event, &watcher);

    loop_pass(loop, 0);
    assert_int_equal(watcher.events, 0);
    ring(watcher.fd);
    loop_pass(loop, 60000);
    assert_int_equal(watcher.events, 1);
    close(watcher.fd);
}

static void one_that_is_not_asked_for_is_not_served(void **state)
{
    AUTO(loop_free) struct loop *loop = loop_new();
    struct watcher watcher = watch(loop);
    (void)state;
    loop_add_fd(loop, watcher.fd, POLLIN, on_event, &watcher);
    ring(watcher.fd);

    loop_set_events(loop, watcher.fd, 0);
    loop_pass(loop, 0);
    assert_int_equal(watcher.events, 0);
    loop_set_events(loop, watcher.fd, POLLIN);
    loop_pass(loop, 0);
    assert_int_equal(watcher.events, 1);
    close(watcher.fd);
}

static void a_handler_may_remove_itself(void **state)
{
    AUTO(loop_free) struct loop *loop = loop_new();
    struct watcher first = watch(loop), second = watch(loop);
    (void)state;
    first.removes_itself = true;
    loop_add_fd(loop, first.fd, POLLIN, on_event, &first);
    loop_add_fd(loop, second.fd, POLLIN, on_event, &second);
    ring(first.fd);
    ring(second.fd);

    loop_pass(loop, 0);
    loop_pass(loop, 0);
    assert_int_equal(first.events, 1);
    assert_int_equal(second.events, 1);
    ring(first.fd);
    loop_pass(loop, 0);
    assert_int_equal(first.events, 1);
    close(first.fd);
    close(second.fd);
}

struct worker {
    int calls;
    int64_t wants_ms;
};

static int64_t work(void *context)
{
    struct worker *worker = context;
    worker->calls++;
    return worker->wants_ms;
}

static void work_is_called_on_each_pass_and_the_earliest_decides(void **state)
{
    AUTO(loop_free) struct loop *loop = loop_new();
    struct worker soon = {.wants_ms = 5}, never = {.wants_ms = -1}, late = {.wants_ms = 60000};
    int64_t began_ms = monotonic_ms();
    (void)state;
    loop_add_work(loop, work, &never);
    loop_add_work(loop, work, &soon);
    loop_add_work(loop, work, &late);

    loop_pass(loop, 60000);

    assert_int_equal(soon.calls + never.calls + late.calls, 3);
    assert_in_range(monotonic_ms() - began_ms, 4, 30000);
}

static void the_time_of_the_last_pass_is_known(void **state)
{
    AUTO(loop_free) struct loop *loop = loop_new();
    int64_t before_ms = monotonic_ms();
    (void)state;
    loop_pass(loop, 0);
    assert_in_range(loop_last_pass_ms(loop), before_ms, monotonic_ms());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor_ends_the_wait_and_is_served),
        cmocka_unit_test(one_that_is_not_asked_for_is_not_served),
        cmocka_unit_test(a_handler_may_remove_itself),
        cmocka_unit_test(work_is_called_on_each_pass_and_the_earliest_decides),
        cmocka_unit_test(the_time_of_the_last_pass_is_known),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
