/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: decides where tests run, and what a run's verdict is.
 *   scheduler.c    the process: ledger, settings        handlers.c    one function per message
 *   brain.c        what it remembers of a partition     heartbeat.c   what a worker says of itself
 *   dispatch.c     plan, match and send                 hints.c       rows decide what has ended
 *   lanes.c        what workers are sent                ending.c      tasks and runs come to their end
 *   reaper.c       timers and deadlines                 losses.c      silent workers, lost dispatches
 *   search.c       what lost messages have not told     aside.c       runs that cannot be worked on
 *   events.c       what others are told                 measure.c     demand, queue ages
 *   spans.c        the trace of a run
 *   plan.c match.c close.c lease.c   decisions, without I/O           db/   its SQL
 */
#include "scheduler.h"

#include "base/memory.h"

static bool ledger_ready(void *context, char *reason, size_t size)
{
    const struct scheduler *scheduler = context;
    return ledger_is_ready(scheduler->ledger, reason, size);
}

static const struct readiness readiness[] = {{"ledger", ledger_ready}};

int main(int argc, char **argv)
{
    const struct service_description description = {
        .name = "scheduler",
        .text = "decides where tests run, and what a run's verdict is",
        .common = &common_settings,
        .own = &scheduler_settings,
        .own_size = sizeof(struct scheduler_settings),
        .metrics = scheduler_metrics,
        .metrics_count = SCHEDULER_METRIC_COUNT,
        .open = scheduler_open,
        .close = scheduler_close,
        .readiness = readiness,
        .readiness_count = ARRAY_SIZE(readiness),
        .stop = scheduler_stop,
        .stop_count = scheduler_stop_count,
    };
    return service_main(argc, argv, &description);
}
