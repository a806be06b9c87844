/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's metrics. */
#include "ledger/metrics.h"

#include <stdbool.h>

struct metric ledger_metrics[LEDGER_METRIC_COUNT] = {
    [LEDGER_RECORDS] = {.name = "verdict_ledger_records_total",
                        .type = METRIC_COUNTER,
                        .help = "Records taken from the log and committed."},
    [LEDGER_BATCHES] = {.name = "verdict_ledger_batches_total",
                        .type = METRIC_COUNTER,
                        .help = "Transactions that took records."},
    [LEDGER_BATCH_SECONDS] = {.name = "verdict_ledger_batch_seconds",
                              .type = METRIC_HISTOGRAM,
                              .help = "From the fence to COMMIT of a batch."},
    [LEDGER_RETRIES] = {.name = "verdict_ledger_retries_total",
                        .type = METRIC_COUNTER,
                        .help = "Batches put back because of the infrastructure."},
    [LEDGER_FENCED] = {.name = "verdict_ledger_fenced_total",
                       .type = METRIC_COUNTER,
                       .help = "Transactions refused because another owner has taken over."},
    [LEDGER_TAKE_OVERS] = {.name = "verdict_ledger_take_overs_total",
                           .type = METRIC_COUNTER,
                           .help = "Partitions taken over."},
    [LEDGER_RESYNCS] = {.name = "verdict_ledger_resyncs_total",
                        .type = METRIC_COUNTER,
                        .help = "Logs found to be not the log that they were."},
    [LEDGER_DEAD_LETTERS] = {.name = "verdict_dead_letters_total",
                             .type = METRIC_COUNTER,
                             .help = "Messages rejected and kept for people."},
    [LEDGER_LAG] = {.name = "verdict_lag_records",
                    .type = METRIC_GAUGE,
                    .help = "Records in the owned partitions that are not taken yet."},
    [LEDGER_QUEUE_AGE] = {.name = "verdict_queue_age_seconds",
                          .type = METRIC_GAUGE,
                          .help = "Age of the oldest record fetched and not taken yet."},
    [LEDGER_OWNED] = {.name = "verdict_owned_partitions",
                      .type = METRIC_GAUGE,
                      .help = "Partitions that this instance owns."},
    [OUTBOX_ROWS] = {.name = "verdict_outbox_rows",
                     .type = METRIC_GAUGE,
                     .help = "Messages that were not handed to Kafka yet."},
    [OUTBOX_AGE] = {.name = "verdict_outbox_oldest_age_seconds",
                    .type = METRIC_GAUGE,
                    .help = "Age of the oldest of them."},
    [OUTBOX_SWEPT] = {.name = "verdict_outbox_swept_total",
                      .type = METRIC_COUNTER,
                      .help = "Messages sent by the sweeper, not by who made them."},
};

void ledger_metrics_register(void)
{
    static bool done;
    if (!done)
        metrics_register(ledger_metrics, LEDGER_METRIC_COUNT);
    done = true;
}
