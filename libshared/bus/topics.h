/* SPDX-License-Identifier: Apache-2.0 */
/* One table of all topics: their names, partitions, retention, who writes and who reads. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum topic {
    TOPIC_SCHEDULING, /* partition: crc32(pool id) mod P */
    TOPIC_LANES,      /* one topic per pool; partition: crc32(worker id) mod L */
    TOPIC_RESULTS,    /* partition: a number fixed at dispatch */
    TOPIC_EVENTS,     /* partition: crc32(project id) mod E */
    TOPIC_DEAD_LETTERS,
    TOPIC_COUNT
};

struct topic_facts {
    const char *suffix; /* "scheduling": the name is <prefix>.<suffix>[.<pool id>] */
    int default_partitions;
    int64_t retention_ms;
    const char *partition_by, *writers, *readers, *carries; /* for docs */
    const char *installation_key; /* api.installation row that stores the number of partitions */
};
extern const struct topic_facts topics[TOPIC_COUNT];

#define TOPIC_NAME_SIZE 128
/* "<prefix>.<suffix>", for lanes with ".<pool id>" behind it. Returns name. */
const char *topic_name(enum topic topic, const char *prefix, const char *pool_id,
                       char name[TOPIC_NAME_SIZE]);

/* crc32(key) mod partitions. */
int topic_partition(const char *key, int partitions);
