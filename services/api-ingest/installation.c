/* SPDX-License-Identifier: Apache-2.0 */
#include "installation.h"

#include <stdatomic.h>

#include "base/memory.h"

struct installation {
    const char *topic_prefix;
    atomic_int partitions[TOPIC_COUNT]; /* 0: not read yet */
};

struct installation *installation_new(const char *topic_prefix)
{
    struct installation *installation = xcalloc(1, sizeof *installation);
    installation->topic_prefix = topic_prefix;
    return installation;
}

void installation_free(struct installation **installation)
{
    memory_free(installation);
}

static const char find_sql[] = "SELECT value FROM api.installation WHERE name = $1";

static int read_partitions(struct store *store, enum topic topic, int *partitions_r,
                           struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, find_sql, PARAMS(param_text(topics[topic].installation_key)), &rows,
                    error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return error_set(error, "unavailable", "the topics are not made yet: verdict-admin topics");
    *partitions_r = (int)rows_int(rows, 0, 0);
    return 0;
}

int installation_partitions(struct installation *installation, struct store *store,
                            enum topic topic, int *partitions_r, struct error *error)
{
    int partitions = installation->partitions[topic];
    if (partitions == 0 && read_partitions(store, topic, &partitions, error) < 0)
        return -1;
    installation->partitions[topic] = partitions;
    *partitions_r = partitions;
    return 0;
}

const char *installation_topic(const struct installation *installation, enum topic topic,
                               const char *pool_id, char name[TOPIC_NAME_SIZE])
{
    return topic_name(topic, installation->topic_prefix, pool_id, name);
}

int installation_address(struct installation *installation, struct store *store, enum topic topic,
                         const char *key, char name_r[TOPIC_NAME_SIZE], int *partition_r,
                         struct error *error)
{
    int partitions;
    if (installation_partitions(installation, store, topic, &partitions, error) < 0)
        return -1;
    topic_name(topic, installation->topic_prefix, NULL, name_r);
    *partition_r = topic_partition(key, partitions);
    return 0;
}
