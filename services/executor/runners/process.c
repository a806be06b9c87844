/* SPDX-License-Identifier: Apache-2.0 */
/* Executes a plan as a process tree of its own, under a warden that the helper makes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/means.h"
#include "base/memory.h"
#include "runners/runner.h"

#define READ_BYTES 65536

struct output_pipe {
    struct execution *execution;
    enum run_output stream;
    int fd;
};

struct execution {
    struct loop *loop;
    struct run_handlers handlers;
    struct process_end end;
    bool started;
    int control;
    struct output_pipe outputs[2];
};

static void close_watched(struct loop *loop, int *fd)
{
    if (*fd >= 0)
        loop_remove_fd(loop, *fd);
    fd_close(fd);
}

/* One read; false when nothing more is to be had now. */
static bool read_output(struct output_pipe *output)
{
    static char bytes[READ_BYTES];
    const struct run_handlers *handlers = &output->execution->handlers;
    ssize_t length = output->fd < 0 ? 0 : read(output->fd, bytes, sizeof bytes);
    if (length > 0)
        handlers->on_output(handlers->context, output->stream, bytes, (size_t)length);
    else if (length == 0 || (errno != EAGAIN && errno != EINTR))
        close_watched(output->execution->loop, &output->fd);
    return length > 0;
}

static void on_output(void *context)
{
    read_output(context);
}

/* Everybody who could write is dead: what the pipes still hold is all. */
static void finish(struct execution *execution)
{
    close_watched(execution->loop, &execution->control);
    for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++) {
        while (read_output(&execution->outputs[i]))
            ;
        close_watched(execution->loop, &execution->outputs[i].fd);
    }
    execution->handlers.on_end(execution->handlers.context, &execution->end);
}

static void on_exec_failed(struct execution *execution, const struct warden_report *report)
{
    execution->end.exec_errno = report->error_number;
    finish(execution);
}

static void on_started(struct execution *execution, const struct warden_report *report)
{
    (void)report;
    execution->started = true;
    execution->handlers.on_started(execution->handlers.context);
}

static void on_exited(struct execution *execution, const struct warden_report *report)
{
    execution->end.status = report->status;
    execution->end.limit = report->limit;
    execution->end.cpu_ms = report->cpu_ms;
    execution->end.strays = report->strays;
    execution->end.lost = false;
}

static void on_gone(struct execution *execution, const struct warden_report *report)
{
    (void)report;
    finish(execution);
}

/* Killed, in which case `lost` stays as it is; or there was no process to be had for it. */
static void on_warden_gone(struct execution *execution)
{
    if (!execution->started)
        execution->end.exec_errno = EAGAIN;
    finish(execution);
}

static void (*const on_said[])(struct execution *, const struct warden_report *) = {
    [WARDEN_STARTED] = on_started,
    [WARDEN_EXEC_FAILED] = on_exec_failed,
    [WARDEN_EXITED] = on_exited,
    [WARDEN_GONE] = on_gone,
};

static void on_control(void *context)
{
    struct execution *execution = context;
    struct warden_report report;
    ssize_t length = recv(execution->control, &report, sizeof report, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length == (ssize_t)sizeof report && report.kind >= 0 &&
        (size_t)report.kind < ARRAY_SIZE(on_said))
        on_said[report.kind](execution, &report);
    else
        on_warden_gone(execution);
}

static void process_free(struct execution **execution_p)
{
    struct execution *execution = *execution_p;
    if (execution == NULL)
        return;
    close_watched(execution->loop, &execution->control);
    for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++)
        close_watched(execution->loop, &execution->outputs[i].fd);
    memory_free(execution_p);
}

static void process_stop(struct execution *execution, int64_t grace_ms)
{
    const struct warden_order order = {.grace_ms = grace_ms};
    if (execution->control >= 0)
        send(execution->control, &order, sizeof order, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Our ends of control and outputs; theirs go into descriptors. */
static int make_channels(struct execution *execution, int descriptors[])
{
    int pair[2], out[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    execution->control = pair[0];
    descriptors[WIRE_CONTROL] = pair[1];
    for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++) {
        if (pipe2(out, O_CLOEXEC) < 0)
            return -1;
        fcntl(out[0], F_SETFL, O_NONBLOCK);
        execution->outputs[i].fd = out[0];
        descriptors[i == 0 ? WIRE_STDOUT : WIRE_STDERR] = out[1];
    }
    return 0;
}

static int request(const struct run_tools *tools, const struct process_plan *plan,
                   struct execution *execution, struct error *error)
{
    int descriptors[WIRE_DESCRIPTORS] = {-1, -1, -1, -1};
    int status = -1;
    if (make_channels(execution, descriptors) < 0)
        error_set(error, means_code(errno, "unavailable"), "no pipes for a new process: %s",
                  strerror(errno));
    else if (wire_plan_write(plan, &descriptors[WIRE_PLAN], error) == 0)
        status = helper_request(tools->helper, descriptors, error);
    for (int i = 0; i < WIRE_DESCRIPTORS; i++)
        fd_close(&descriptors[i]);
    return status;
}

static int process_start(const struct run_tools *tools, const struct process_plan *plan,
                         const struct run_handlers *handlers, struct execution **execution_r,
                         struct error *error)
{
    AUTO(process_free) struct execution *execution = xcalloc(1, sizeof *execution);
    *execution = (struct execution){
        .loop = tools->loop, .handlers = *handlers, .control = -1, .end.lost = true};
    for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++)
        execution->outputs[i] =
            (struct output_pipe){.execution = execution, .stream = (enum run_output)i, .fd = -1};
    if (request(tools, plan, execution, error) < 0)
        return -1;
    loop_add_fd(tools->loop, execution->control, POLLIN, on_control, execution);
    for (size_t i = 0; i < ARRAY_SIZE(execution->outputs); i++)
        loop_add_fd(tools->loop, execution->outputs[i].fd, POLLIN, on_output,
                    &execution->outputs[i]);
    *execution_r = TAKE(execution);
    return 0;
}

const struct runner process_runner = {
    .name = "process", .start = process_start, .stop = process_stop, .free = process_free};
