/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's metrics: what they are, and the gauges that are counted from memory now and then. */
#pragma once

#include "ledger/ledger.h"
#include "metrics/metrics.h"

enum scheduler_metric {
    SCHEDULER_RUNS_OPEN,
    SCHEDULER_RUNS_FINISHED,
    SCHEDULER_DISPATCHES,
    SCHEDULER_RESENDS,
    SCHEDULER_LOST,
    SCHEDULER_DEMAND,
    SCHEDULER_WORKERS,
    SCHEDULER_SLOTS_FREE,
    SCHEDULER_SET_ASIDE,
    SCHEDULER_METRIC_COUNT
};
extern struct metric scheduler_metrics[SCHEDULER_METRIC_COUNT];

struct gauges;
struct gauges *gauges_new(void);
void gauges_free(struct gauges **gauges);
/* Counts over all partitions that we own. */
void gauges_update(struct gauges *gauges, struct ledger *ledger, int64_t suspect_ms);
