/* SPDX-License-Identifier: Apache-2.0 */
/* The executor: runs tests. Two parts:
 *   worker/   the scheduler's view: identity, lane, heartbeats, spool, streams
 *   agent/    the machine's view: jobs, processes, limits, output
 * and three tables of interchangeable parts: runners/, sources/, frameworks/. */
#include <stdio.h>

#include "base/memory.h"
#include "executor.h"

static const struct readiness readiness[] = {{"worker", executor_is_ready}};

int main(int argc, char **argv)
{
    const struct service_description description = {
        .name = "executor",
        .text = "runs tests, and streams what happens to them",
        .common = &worker_settings,
        .own = &executor_settings,
        .own_size = sizeof(struct executor_settings),
        .metrics = executor_metrics,
        .metrics_count = EXECUTOR_METRIC_COUNT,
        .open = executor_open,
        .close = executor_close,
        .readiness = readiness,
        .readiness_count = ARRAY_SIZE(readiness),
        .stop = executor_stop,
        .stop_count = executor_stop_count,
    };
    struct error error;
    if (executor_start_helper(&error) < 0) {
        fprintf(stderr, "verdict-executor: %s\n", error.text);
        return 1;
    }
    return service_main(argc, argv, &description);
}
