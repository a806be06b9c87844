/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger counts. */
#pragma once

#include "metrics/metrics.h"

enum ledger_metric {
    LEDGER_RECORDS,
    LEDGER_BATCHES,
    LEDGER_BATCH_SECONDS,
    LEDGER_RETRIES,
    LEDGER_FENCED,
    LEDGER_TAKE_OVERS,
    LEDGER_RESYNCS,
    LEDGER_DEAD_LETTERS,
    LEDGER_LAG,
    LEDGER_QUEUE_AGE,
    LEDGER_OWNED,
    OUTBOX_ROWS,
    OUTBOX_AGE,
    OUTBOX_SWEPT,
    LEDGER_METRIC_COUNT
};
extern struct metric ledger_metrics[LEDGER_METRIC_COUNT];

void ledger_metrics_register(void); /* once, however often it is called */
