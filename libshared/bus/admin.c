/* SPDX-License-Identifier: Apache-2.0 */
/* Topics by librdkafka's admin API. */
#include "bus/admin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bus/client.h"

static void client_free(rd_kafka_t **client)
{
    if (*client != NULL)
        rd_kafka_destroy(*client);
    *client = NULL;
}

static int open_client(const struct bus_settings *settings, rd_kafka_t **client_r,
                       struct error *error)
{
    const struct client_option options[] = {{NULL, NULL}};
    rd_kafka_conf_t *configuration;
    char text[256];
    if (client_configure(settings, options, &configuration, error) < 0)
        return -1;
    *client_r = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, text, sizeof text);
    if (*client_r != NULL)
        return 0;
    rd_kafka_conf_destroy(configuration);
    return error_set(error, "invalid", "kafka: %s", text);
}

static int partitions_of(rd_kafka_t *client, const char *topic, int64_t timeout_ms,
                         int *partitions_r, struct error *error)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, handle, &metadata, (int)timeout_ms);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(error, "unavailable", "kafka at its brokers: %s", rd_kafka_err2str(code));
    bool there = metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    *partitions_r = there ? metadata->topics[0].partition_cnt : 0;
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

int bus_topic_partitions(const struct bus_settings *settings, const char *topic, int64_t timeout_ms,
                         int *partitions_r, struct error *error)
{
    AUTO(client_free) rd_kafka_t *client = NULL;
    if (open_client(settings, &client, error) < 0)
        return -1;
    return partitions_of(client, topic, timeout_ms, partitions_r, error);
}

static int judge(rd_kafka_event_t *event, const char *topic, struct error *error)
{
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    size_t count = 0;
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR || result == NULL)
        return error_set(error, "unavailable", "kafka: creating %s: %s", topic,
                         rd_kafka_event_error_string(event));
    const rd_kafka_topic_result_t **list = rd_kafka_CreateTopics_result_topics(result, &count);
    rd_kafka_resp_err_t code =
        count == 1 ? rd_kafka_topic_result_error(list[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return 0;
    return error_set(error, "unavailable", "kafka: creating %s: %s", topic, rd_kafka_err2str(code));
}

static int create(rd_kafka_t *client, const char *topic, int partitions, int64_t retention_ms,
                  int64_t timeout_ms, struct error *error)
{
    char text[256], retention[24];
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, text, sizeof text);
    if (wanted == NULL)
        return error_set(error, "invalid", "kafka: topic %s: %s", topic, text);
    snprintf(retention, sizeof retention, "%lld", (long long)retention_ms);
    rd_kafka_NewTopic_set_config(wanted, "retention.ms", retention);
    rd_kafka_NewTopic_set_config(wanted, "cleanup.policy", "delete");
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &wanted, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, (int)timeout_ms);
    int status = event == NULL ? error_set(error, "unavailable",
                                           "kafka: creating %s: no answer in time", topic)
                               : judge(event, topic, error);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
    return status;
}

int bus_topic_create(const struct bus_settings *settings, const char *topic, int partitions,
                     int64_t retention_ms, int64_t timeout_ms, struct error *error)
{
    AUTO(client_free) rd_kafka_t *client = NULL;
    int actual = 0;
    int64_t deadline_ms = monotonic_ms() + timeout_ms;
    if (open_client(settings, &client, error) < 0 ||
        partitions_of(client, topic, timeout_ms, &actual, error) < 0)
        return -1;
    if (actual > 0)
        return 0;
    return create(client, topic, partitions, retention_ms, deadline_ms - monotonic_ms(), error);
}
