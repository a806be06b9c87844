/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the topics. How many partitions each has is stored once: keys are sent by it for ever. */
#include "bus/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "admin_topics.h"
#include "base/memory.h"
#include "base/text.h"
#include "bus/admin.h"

#define PARTITIONS_MAX 1024
#define TIMEOUT_MS     15000

/* "scheduling=4,lanes=8" */
int partitions_parse(const char *text, int counts[TOPIC_COUNT], struct error *error)
{
    AUTO(text_free) char *copy = xstrdup(text == NULL ? "" : text);
    char *state = NULL;
    for (char *part = strtok_r(copy, ",", &state); part != NULL;
         part = strtok_r(NULL, ",", &state)) {
        char *equals = strchr(part, '=');
        struct error inner;
        int64_t count;
        int topic = 0;
        if (equals != NULL)
            *equals = '\0';
        while (topic < TOPIC_COUNT && strcmp(topics[topic].suffix, part) != 0)
            topic++;
        if (topic == TOPIC_COUNT || equals == NULL)
            return error_set(error, "usage", "--partitions: \"%s\" is no topic=number", part);
        if (int_parse(equals + 1, 1, PARTITIONS_MAX, &count, &inner) < 0)
            return error_set(error, "usage", "--partitions: %s %s", part, inner.text);
        counts[topic] = (int)count;
    }
    return 0;
}

/* The stored number; the wanted one (or the default) where none is stored yet. */
static int store_count(struct store *store, enum topic topic, int wanted, int *count_r,
                       struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const char *key = topics[topic].installation_key;
    int first = wanted > 0 ? wanted : topics[topic].default_partitions;
    if (store_query(
            store,
            "INSERT INTO api.installation (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            PARAMS(param_text(key), param_int(first)), NULL, error) < 0 ||
        store_query(store, "SELECT value FROM api.installation WHERE name = $1",
                    PARAMS(param_text(key)), &rows, error) < 0)
        return -1;
    *count_r = (int)rows_int(rows, 0, 0);
    if (wanted > 0 && wanted != *count_r)
        return error_set(error, "invalid",
                         "%s was made with %d partitions; that cannot be changed to %d",
                         topics[topic].suffix, *count_r, wanted);
    return 0;
}

int topic_make(const struct admin_options *options, enum topic topic, const char *pool_id,
               int partitions, struct error *error)
{
    const struct bus_settings bus = admin_bus(options);
    char name[TOPIC_NAME_SIZE];
    int actual;
    topic_name(topic, options->topic_prefix, pool_id, name);
    if (bus_topic_create(&bus, name, partitions, topics[topic].retention_ms, TIMEOUT_MS, error) <
            0 ||
        bus_topic_partitions(&bus, name, TIMEOUT_MS, &actual, error) < 0)
        return -1;
    if (actual != 0 && actual != partitions)
        return error_set(
            error, "invalid",
            "topic %s has %d partitions where %d belong: partitions must never be added", name,
            actual, partitions);
    printf("%s %d\n", name, partitions);
    return 0;
}

static int make_lanes(const struct admin_options *options, struct store *store, int lanes,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, "SELECT id FROM api.pool ORDER BY id", NO_PARAMS, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++)
        if (topic_make(options, TOPIC_LANES, rows_text(rows, i, 0), lanes, error) < 0)
            return -1;
    return 0;
}

int run_topics(const struct admin_options *options, struct error *error)
{
    AUTO(store_close) struct store *store = NULL;
    int wanted[TOPIC_COUNT] = {0}, count;
    if (options->kafka_brokers == NULL)
        return error_set(error, "usage", "VERDICT_KAFKA_BROKERS is missing");
    if (partitions_parse(options->partitions, wanted, error) < 0 ||
        admin_api_store(options, &store, error) < 0)
        return -1;
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        if (store_count(store, (enum topic)topic, wanted[topic], &count, error) < 0)
            return -1;
        int status = topic == TOPIC_LANES
                         ? make_lanes(options, store, count, error)
                         : topic_make(options, (enum topic)topic, NULL, count, error);
        if (status < 0)
            return -1;
    }
    return 0;
}
