/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2) over a list of descriptors, and work that says when it wants to be called again. */
#include "service/loop.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

struct watched {
    loop_on_event *on_event;
    void *context;
};

struct work {
    loop_work *work;
    void *context;
};

struct loop {
    struct pollfd *fds;
    struct watched *watched; /* beside fds, by index */
    size_t count, fd_capacity, watched_capacity;
    struct work *work;
    size_t work_count, work_capacity;
    _Atomic int64_t last_pass_ms; /* read by the health endpoint's thread */
};

struct loop *loop_new(void)
{
    struct loop *loop = xcalloc(1, sizeof *loop);
    loop->last_pass_ms = monotonic_ms();
    return loop;
}

void loop_free(struct loop **loop)
{
    if (*loop != NULL) {
        free((*loop)->fds);
        free((*loop)->watched);
        free((*loop)->work);
    }
    memory_free(loop);
}

static size_t find(const struct loop *loop, int fd)
{
    size_t i = 0;
    while (i < loop->count && loop->fds[i].fd != fd)
        i++;
    return i;
}

void loop_add_fd(struct loop *loop, int fd, short events, loop_on_event *on_event, void *context)
{
    loop->fds = array_reserve(loop->fds, &loop->fd_capacity, loop->count, sizeof *loop->fds);
    loop->watched =
        array_reserve(loop->watched, &loop->watched_capacity, loop->count, sizeof *loop->watched);
    loop->fds[loop->count] = (struct pollfd){.fd = fd, .events = events};
    loop->watched[loop->count++] = (struct watched){.on_event = on_event, .context = context};
}

void loop_set_events(struct loop *loop, int fd, short events)
{
    size_t i = find(loop, fd);
    if (i < loop->count)
        loop->fds[i].events = events;
}

void loop_remove_fd(struct loop *loop, int fd)
{
    size_t i = find(loop, fd);
    if (i == loop->count)
        return;
    loop->fds[i] = loop->fds[--loop->count];
    loop->watched[i] = loop->watched[loop->count];
}

void loop_add_work(struct loop *loop, loop_work *work, void *context)
{
    loop->work =
        array_reserve(loop->work, &loop->work_capacity, loop->work_count, sizeof *loop->work);
    loop->work[loop->work_count++] = (struct work){.work = work, .context = context};
}

/* Handlers may add and remove descriptors: one that moved into a seen place waits for the next pass. */
static void serve(struct loop *loop)
{
    for (size_t i = 0; i < loop->count; i++) {
        if (loop->fds[i].revents == 0)
            continue;
        loop->fds[i].revents = 0;
        if (loop->watched[i].on_event != NULL)
            loop->watched[i].on_event(loop->watched[i].context);
    }
}

void loop_pass(struct loop *loop, int64_t max_wait_ms)
{
    int64_t wait_ms = max_wait_ms;
    for (size_t i = 0; i < loop->work_count; i++) {
        int64_t wants_ms = loop->work[i].work(loop->work[i].context);
        if (wants_ms >= 0 && wants_ms < wait_ms)
            wait_ms = wants_ms;
    }
    loop->last_pass_ms = monotonic_ms();
    if (poll(loop->fds, (nfds_t)loop->count, (int)wait_ms) > 0)
        serve(loop);
}

int64_t loop_last_pass_ms(const struct loop *loop)
{
    return loop->last_pass_ms;
}
