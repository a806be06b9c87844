/* SPDX-License-Identifier: Apache-2.0 */
#include "notifier_metrics.h"

struct metric notifier_metrics[NOTIFIER_METRIC_COUNT] = {
    [METRIC_EVENTS_RECORDED] = {.name = "verdict_events_recorded_total",
                                .type = METRIC_COUNTER,
                                .help = "Events read and in the log."},
    [METRIC_DELIVERIES] = {.name = "verdict_webhook_deliveries_total",
                           .type = METRIC_COUNTER,
                           .help = "Deliveries that came to their end, by how.",
                           .labels = {"state"}},
    [METRIC_ATTEMPTS] = {.name = "verdict_webhook_attempts_total",
                         .type = METRIC_COUNTER,
                         .help = "Requests sent to receivers, by the class of the answer.",
                         .labels = {"answer"}},
    [METRIC_ATTEMPT_SECONDS] = {.name = "verdict_webhook_attempt_seconds",
                                .type = METRIC_HISTOGRAM,
                                .help = "From sending a request to its answer or failure."},
    [METRIC_FIRST_ATTEMPT_SECONDS] = {.name = "verdict_webhook_first_attempt_delay_seconds",
                                      .type = METRIC_HISTOGRAM,
                                      .help =
                                          "From recording an event to sending its first request."},
    [METRIC_QUEUE_AGE] = {.name = "verdict_webhook_queue_age_seconds",
                          .type = METRIC_GAUGE,
                          .help = "How long the oldest due delivery has been due."},
    [METRIC_FLYING] = {.name = "verdict_webhook_requests_in_flight",
                       .type = METRIC_GAUGE,
                       .help = "Requests that wait for their answer."},
    [METRIC_ENDPOINTS_DISABLED] = {.name = "verdict_webhook_endpoints_disabled_total",
                                   .type = METRIC_COUNTER,
                                   .help = "Endpoints that answered 410 Gone."},
};
