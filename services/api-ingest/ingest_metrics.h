/* SPDX-License-Identifier: Apache-2.0 */
/* The metrics of api-ingest. */
#pragma once

#include "metrics/metrics.h"

enum ingest_metric {
    METRIC_REQUESTS,
    METRIC_REQUEST_SECONDS,
    METRIC_CONNECTIONS,
    METRIC_QUEUED,
    METRIC_PARKED,
    METRIC_TOKEN_CHECKS,
    METRIC_DEPENDENCY_UP,
    METRIC_TRIGGERS,
    METRIC_TRIGGER_COMMITS,
    METRIC_LIVE_READS,
    METRIC_LIVE_SKIPPED,
    METRIC_LIVE_FOLLOWED,
    METRIC_RUN_CACHE,
    METRIC_RUN_NUMBERS,
    METRIC_UPLOADS,
    INGEST_METRIC_COUNT
};
extern struct metric ingest_metrics[INGEST_METRIC_COUNT];
