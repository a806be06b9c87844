/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector counts; lag, batches and their durations are the ledger's. */
#pragma once

#include "metrics/metrics.h"

enum collector_metric {
    RESULTS_INGESTED,
    RESULTS_DUPLICATE,
    RESULTS_STALE,
    RESULTS_LATE,
    ITEMS_REJECTED,
    STREAM_ITEMS,
    STREAM_GAPS,
    STREAMS_FINISHED,
    LOG_BYTES,
    PROGRESS_EVENTS,
    RESULT_PARTITIONS,
    COLLECTOR_METRIC_COUNT
};
extern struct metric collector_metrics[COLLECTOR_METRIC_COUNT];
