/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest_metrics.h"

struct metric ingest_metrics[INGEST_METRIC_COUNT] = {
    [METRIC_REQUESTS] = {.name = "verdict_http_requests_total",
                         .type = METRIC_COUNTER,
                         .help = "Requests answered, by route and status",
                         .labels = {"route", "status"}},
    [METRIC_REQUEST_SECONDS] = {.name = "verdict_http_request_seconds",
                                .type = METRIC_HISTOGRAM,
                                .help = "From the first header to the answer; waits included"},
    [METRIC_CONNECTIONS] = {.name = "verdict_http_connections",
                            .type = METRIC_GAUGE,
                            .help = "Open connections"},
    [METRIC_QUEUED] = {.name = "verdict_http_queued_requests",
                       .type = METRIC_GAUGE,
                       .help = "Requests that wait for a worker thread"},
    [METRIC_PARKED] = {.name = "verdict_http_parked_requests",
                       .type = METRIC_GAUGE,
                       .help = "Requests that wait for something to happen"},
    [METRIC_TOKEN_CHECKS] = {.name = "verdict_token_checks_total",
                             .type = METRIC_COUNTER,
                             .help = "Tokens checked: from the cache, in Postgres, refused",
                             .labels = {"outcome"}},
    [METRIC_DEPENDENCY_UP] = {.name = "verdict_dependency_up",
                              .type = METRIC_GAUGE,
                              .help = "1 while the part answers; without Kafka and Redis we go on",
                              .labels = {"dependency"}},
};
