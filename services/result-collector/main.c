/* SPDX-License-Identifier: Apache-2.0 */
/* The result-collector: writes what happened, once.
 *   collector.c  the process: ledger, loop, settings        batch.c       one batch, taken apart
 *   intake.c     from records to a batch                    write.c, db/  from a batch into the ledger
 *   progress.c   how far runs are, for who watches          partitions.c  months come and go
 *   statistics.c how cases fare over all runs
 *   stream.c item.c totals.c month.c   decisions, without I/O
 */
#include "collector.h"
#include "collector_metrics.h"

int main(int argc, char **argv)
{
    const struct service_description description = {
        .name = "result-collector",
        .text = "writes what happened: results, totals, output, each once",
        .common = &common_settings,
        .own = &collector_settings,
        .own_size = sizeof(struct collector_settings),
        .metrics = collector_metrics,
        .metrics_count = COLLECTOR_METRIC_COUNT,
        .open = collector_open,
        .close = collector_close,
        .readiness = collector_readiness,
        .readiness_count = collector_readiness_count,
        .stop = collector_stop,
        .stop_count = collector_stop_count,
    };
    return service_main(argc, argv, &description);
}
