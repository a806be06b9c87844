/* SPDX-License-Identifier: Apache-2.0 */
/* api-ingest: the HTTP API, and whatever users may write.
 *   ingest.c      the process: settings, parts          routes.c         which function answers what
 *   http/         requests, workers, responses          dispatch.c       what comes before a handler
 *   api/          one file per resource                 auth.c tenancy.c   who asks, for which project
 *   runs/         triggers, and how runs are told:
 *                 trigger.c trigger_fill.c trigger_suite.c   one request, understood
 *                 batcher.c   many of them, committed together
 *   live/         long polls and event streams          cache.c          what Redis keeps of runs
 *   results/      reports of tests that ran elsewhere
 *   report/       the page of a run                     suite_version.c  suites by what they hold
 *   lanes.c installation.c   where messages go          db/              its SQL
 */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "openapi/document.h"
#include "routes.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--docs-routes") == 0) {
        routes_print_markdown(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--docs-openapi") == 0) {
        AUTO(text_free) char *text = openapi_text();
        return puts(text) < 0 ? 1 : 0;
    }
    const struct service_description description = {
        .name = "api-ingest",
        .text = "the HTTP API of Verdict: takes triggers, answers what came of them",
        .common = &common_settings,
        .own = &ingest_settings,
        .own_size = sizeof(struct ingest_settings),
        .metrics = ingest_metrics,
        .metrics_count = INGEST_METRIC_COUNT,
        .open = ingest_open,
        .close = ingest_close,
        .readiness = ingest_readiness,
        .readiness_count = ingest_readiness_count,
        .stop = ingest_stop,
        .stop_count = ingest_stop_count,
    };
    return service_main(argc, argv, &description);
}
