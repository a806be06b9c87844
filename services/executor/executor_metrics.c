/* SPDX-License-Identifier: Apache-2.0 */
#include "executor_metrics.h"

struct metric executor_metrics[EXECUTOR_METRIC_COUNT] = {
    [EXECUTOR_SLOTS] = {.name = "verdict_executor_slots",
                        .type = METRIC_GAUGE,
                        .help = "Tasks that may run at once."},
    [EXECUTOR_SLOTS_USED] = {.name = "verdict_executor_slots_used",
                             .type = METRIC_GAUGE,
                             .help = "Tasks that run."},
    [EXECUTOR_TASKS] = {.name = "verdict_executor_tasks_total",
                        .type = METRIC_COUNTER,
                        .help = "Tasks by how they ended.",
                        .labels = {"ending"}},
    [EXECUTOR_TASK_SECONDS] = {.name = "verdict_executor_task_seconds",
                               .type = METRIC_HISTOGRAM,
                               .help = "From acceptance to the end of a task."},
    [EXECUTOR_ITEMS_SENT] = {.name = "verdict_executor_items_sent_total",
                             .type = METRIC_COUNTER,
                             .help = "Items of streams handed to Kafka, repeated ones too."},
    [EXECUTOR_SPOOL_BYTES] = {.name = "verdict_executor_spool_bytes",
                              .type = METRIC_GAUGE,
                              .help = "What the spool takes on disk."},
    [EXECUTOR_LANE_DROPPED] = {.name = "verdict_executor_lane_dropped_total",
                               .type = METRIC_COUNTER,
                               .help = "Lane messages that were out of date or wrong."},
};
