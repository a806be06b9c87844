/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of all topics. */
#include "bus/topics.h"

#include <assert.h>
#include <stdio.h>

#include "base/text.h"

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

const struct topic_facts topics[TOPIC_COUNT] = {
    [TOPIC_SCHEDULING] =
        {.suffix = "scheduling",
         .default_partitions = 4,
         .retention_ms = 7 * DAY_MS,
         .partition_by = "crc32(pool id)",
         .writers = "api-ingest, result-collector, executors, scheduler",
         .readers = "scheduler (group)",
         .carries = "run.submitted, run.request, task.recorded, worker.heartbeat, task.started, "
                    "scheduler.probe, resync",
         .installation_key = "scheduling_partitions"},
    [TOPIC_LANES] = {.suffix = "lanes",
                     .default_partitions = 8,
                     .retention_ms = HOUR_MS,
                     .partition_by = "crc32(worker id); one topic per pool",
                     .writers = "scheduler",
                     .readers = "executors (assign)",
                     .carries = "task.dispatch, task.cancel, worker.sync, scheduler.hello",
                     .installation_key = "lanes"},
    [TOPIC_RESULTS] = {.suffix = "results",
                       .default_partitions = 4,
                       .retention_ms = 7 * DAY_MS,
                       .partition_by = "crc32(dispatch id), fixed at dispatch",
                       .writers = "executors",
                       .readers = "result-collector (group)",
                       .carries = "task.stream",
                       .installation_key = "results_partitions"},
    [TOPIC_EVENTS] = {.suffix = "events",
                      .default_partitions = 4,
                      .retention_ms = 7 * DAY_MS,
                      .partition_by = "crc32(project id)",
                      .writers = "scheduler, result-collector, api-ingest",
                      .readers = "notifier (group), api-ingest (assign, every replica)",
                      .carries = "event, delivery.request",
                      .installation_key = "events_partitions"},
    [TOPIC_DEAD_LETTERS] = {.suffix = "dead-letters",
                            .default_partitions = 1,
                            .retention_ms = 30 * DAY_MS,
                            .partition_by = "one",
                            .writers = "any inbox",
                            .readers = "people",
                            .carries = "a copy of what was rejected, cut to 64 KiB",
                            .installation_key = "dead_letters_partitions"},
};

const char *topic_name(enum topic topic, const char *prefix, const char *pool_id,
                       char name[TOPIC_NAME_SIZE])
{
    assert((topic == TOPIC_LANES) == (pool_id != NULL));
    snprintf(name, TOPIC_NAME_SIZE, "%s.%s%s%s", prefix, topics[topic].suffix,
             pool_id == NULL ? "" : ".", pool_id == NULL ? "" : pool_id);
    return name;
}

int topic_partition(const char *key, int partitions)
{
    assert(partitions > 0);
    return (int)(text_crc32(key) % (uint32_t)partitions);
}
