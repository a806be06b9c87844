/* SPDX-License-Identifier: Apache-2.0 */
/* What an executor counts. */
#pragma once

#include "metrics/metrics.h"

enum executor_metric {
    EXECUTOR_SLOTS,
    EXECUTOR_SLOTS_USED,
    EXECUTOR_TASKS,
    EXECUTOR_TASK_SECONDS,
    EXECUTOR_ITEMS_SENT,
    EXECUTOR_SPOOL_BYTES,
    EXECUTOR_LANE_DROPPED,
    EXECUTOR_METRIC_COUNT
};
extern struct metric executor_metrics[EXECUTOR_METRIC_COUNT];
