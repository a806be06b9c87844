/* SPDX-License-Identifier: Apache-2.0 */
/* Executes nothing: every plan has started and ended well on the loop's next pass. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <poll.h>

#include "base/memory.h"
#include "runners/runner.h"

struct execution {
    struct loop *loop;
    struct run_handlers handlers;
    int fd; /* an eventfd that is readable from the start */
};

static void on_pass(void *context)
{
    struct execution *execution = context;
    loop_remove_fd(execution->loop, execution->fd);
    execution->handlers.on_started(execution->handlers.context);
    execution->handlers.on_end(execution->handlers.context, &(struct process_end){.status = 0});
}

static int null_start(const struct run_tools *tools, const struct process_plan *plan,
                      const struct run_handlers *handlers, struct execution **execution_r,
                      struct error *error)
{
    struct execution *execution = xcalloc(1, sizeof *execution);
    (void)plan;
    *execution = (struct execution){
        .loop = tools->loop, .handlers = *handlers, .fd = eventfd(1, EFD_CLOEXEC)};
    if (execution->fd < 0) {
        free(execution);
        return error_set(error, "unavailable", "no eventfd");
    }
    loop_add_fd(tools->loop, execution->fd, POLLIN, on_pass, execution);
    *execution_r = execution;
    return 0;
}

static void null_stop(struct execution *execution, int64_t grace_ms)
{
    (void)execution;
    (void)grace_ms;
}

static void null_free(struct execution **execution)
{
    if (*execution == NULL)
        return;
    loop_remove_fd((*execution)->loop, (*execution)->fd);
    fd_close(&(*execution)->fd);
    memory_free(execution);
}

const struct runner null_runner = {
    .name = "null", .start = null_start, .stop = null_stop, .free = null_free};
