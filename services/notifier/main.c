/* SPDX-License-Identifier: Apache-2.0 */
/* notifier: keeps the event log, and tells webhooks of it. */
#include "notifier.h"
#include "notifier_metrics.h"

int main(int argc, char **argv)
{
    const struct service_description description = {
        .name = "notifier",
        .text = "keeps the event log and tells webhook endpoints what happened",
        .common = &common_settings,
        .own = &notifier_settings,
        .own_size = sizeof(struct notifier_settings),
        .metrics = notifier_metrics,
        .metrics_count = NOTIFIER_METRIC_COUNT,
        .open = notifier_open,
        .close = notifier_close,
        .readiness = notifier_readiness,
        .readiness_count = notifier_readiness_count,
        .stop = notifier_stop,
        .stop_count = notifier_stop_count,
    };
    return service_main(argc, argv, &description);
}
