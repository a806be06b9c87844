/* SPDX-License-Identifier: Apache-2.0 */
#include "collector_metrics.h"

#define COUNTER(name_, help_)                                                                      \
    {                                                                                              \
        .name = (name_), .type = METRIC_COUNTER, .help = (help_)                                   \
    }

struct metric collector_metrics[COLLECTOR_METRIC_COUNT] = {
    [RESULTS_INGESTED] = COUNTER("verdict_results_ingested_total", "Results counted"),
    [RESULTS_DUPLICATE] = COUNTER("verdict_results_duplicate_total",
                                  "Results and other items that the ledger had already"),
    [RESULTS_STALE] =
        COUNTER("verdict_results_stale_total", "Results of another attempt than the task's"),
    [RESULTS_LATE] =
        COUNTER("verdict_results_late_total", "Results that came after the run's verdict"),
    [ITEMS_REJECTED] = COUNTER("verdict_stream_items_rejected_total",
                               "Items that broke a bound; a result among them counts as errored"),
    [STREAM_ITEMS] = COUNTER("verdict_stream_items_total", "Items taken from streams"),
    [STREAM_GAPS] = COUNTER("verdict_stream_gaps_total",
                            "Messages ignored because something before them is missing"),
    [STREAMS_FINISHED] = COUNTER("verdict_streams_finished_total", "Streams that are complete"),
    [LOG_BYTES] = COUNTER("verdict_log_bytes_total", "Bytes of output kept"),
    [PROGRESS_EVENTS] = COUNTER("verdict_progress_events_total", "Progress events sent"),
    [RESULT_PARTITIONS] = {.name = "verdict_result_partitions",
                           .type = METRIC_GAUGE,
                           .help = "Months of results that are there, the ones to come included"},
};
