/* SPDX-License-Identifier: Apache-2.0 */
/* The executor: runs tests.
 *   executor.c     the process: its parts, the pass     drain.c        a graceful stop
 *   executor_settings.c, executor_metrics.c   tables
 * worker/, the scheduler's view:
 *   connection.c   enrolled, the lane read              identity.c     what enrolment gave
 *   lane.c         what the scheduler says              heartbeat.c    what it hears
 *   offer.c        what this worker offers              stream.c       items on their way
 *   spool.c flusher.c lock.c   items on disk until they are settled
 * agent/, the machine's view:
 *   job.c          the life of a dispatch               exclusive.c    one that must be alone
 *   work.c         made ready                           workspace.c remover.c   its directories
 *   fetch.c        its source is fetched                means.c        what any task needs to begin
 *   tests.c        its tests run                        helper.c warden.c wire.c tree.c   processes
 *   items.c        what goes into its stream            output.c masks.c   what they print
 *   finish.c       how it ended                         reports.c report_files.c   what they report
 * and three tables of interchangeable parts: runners/, sources/, frameworks/. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "drain.h"
#include "executor.h"
#include "executor_metrics.h"
#include "sources/bundle_fetch.h"

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
    if (argc > 1 && strcmp(argv[1], BUNDLE_FETCH) == 0)
        return bundle_fetch_main(argc, argv);
    if (executor_start_helper(&error) < 0) {
        fprintf(stderr, "verdict-executor: %s\n", error.text);
        return 1;
    }
    return service_main(argc, argv, &description);
}
