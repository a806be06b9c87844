/* SPDX-License-Identifier: Apache-2.0 */
/* What the notifier counts, beside what its ledger does. */
#pragma once

#include "metrics/metrics.h"

enum notifier_metric {
    METRIC_EVENTS_RECORDED,
    METRIC_DELIVERIES,
    METRIC_ATTEMPTS,
    METRIC_ATTEMPT_SECONDS,
    METRIC_FIRST_ATTEMPT_SECONDS,
    METRIC_QUEUE_AGE,
    METRIC_FLYING,
    METRIC_ENDPOINTS_DISABLED,
    NOTIFIER_METRIC_COUNT
};
extern struct metric notifier_metrics[NOTIFIER_METRIC_COUNT];
