/* SPDX-License-Identifier: Apache-2.0 */
/* A static member of a consumer group on one topic. The group only says which partitions are ours; what
 * is read of them, and from where, the owner decides by consumer_start. */
#include "bus/consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/watchdog.h"
#include "bus/client.h"
#include "log/log.h"

#define CLOSE_TIMEOUT_MS 10000

struct consumer {
    struct bus_settings settings;
    const struct consumer_handlers *handlers;
    char *brokers, *client_id, *topic;
    rd_kafka_t *client;
    rd_kafka_topic_t *topic_handle;
    rd_kafka_queue_t *queue;
    struct ends *ends;
    int fd;
};

static void each_partition(struct consumer *consumer, const rd_kafka_topic_partition_list_t *list,
                           void (*handler)(void *, int32_t))
{
    for (int i = 0; i < list->cnt; i++)
        if (strcmp(list->elems[i].topic, consumer->topic) == 0)
            handler(consumer->handlers->context, list->elems[i].partition);
}

/* Assigned, but paused: nothing is fetched until the owner has taken the partition over. */
static void assign_paused(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        list->elems[i].offset = RD_KAFKA_OFFSET_END;
    rd_kafka_assign(client, list);
    rd_kafka_pause_partitions(client, list);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct consumer *consumer = opaque;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign_paused(client, list);
        each_partition(consumer, list, consumer->handlers->on_assigned);
        return;
    }
    each_partition(consumer, list, consumer->handlers->on_revoked);
    rd_kafka_assign(client, NULL);
}

static const char *error_code(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        return "fatal";
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return "offset_out_of_range";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return "unknown_topic";
    default:
        return "unavailable";
    }
}

static void report(struct consumer *consumer, int32_t partition, rd_kafka_resp_err_t code,
                   const char *text)
{
    struct error error;
    error_set(&error, error_code(code), "kafka: %s", text == NULL ? rd_kafka_err2str(code) : text);
    consumer->handlers->on_error(consumer->handlers->context, partition, &error);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)client;
    report(opaque, -1, (rd_kafka_resp_err_t)code, reason);
}

static int configure(struct consumer *consumer, const char *group, const char *instance_id,
                     rd_kafka_conf_t **configuration_r, struct error *error)
{
    char session[24], heartbeat[24];
    snprintf(session, sizeof session, "%lld", (long long)consumer->settings.session_timeout_ms);
    snprintf(heartbeat, sizeof heartbeat, "%lld",
             (long long)consumer->settings.heartbeat_interval_ms);
    const struct client_option options[] = {
        {"group.id", group},
        {"group.instance.id", instance_id},
        {"partition.assignment.strategy", "range"},
        {"session.timeout.ms", session},
        {"heartbeat.interval.ms", heartbeat},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"queued.max.messages.kbytes", "8192"},
        {"fetch.wait.max.ms", "100"},
        {"fetch.error.backoff.ms", "50"},
        {NULL, NULL},
    };
    if (client_configure(&consumer->settings, options, configuration_r, error) < 0)
        return -1;
    rd_kafka_conf_set_rebalance_cb(*configuration_r, on_rebalance);
    rd_kafka_conf_set_error_cb(*configuration_r, on_error);
    rd_kafka_conf_set_opaque(*configuration_r, consumer);
    return 0;
}

static int subscribe(struct consumer *consumer, struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, consumer->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(error, "unavailable", "kafka: subscribing to %s: %s", consumer->topic,
                         rd_kafka_err2str(code));
    return 0;
}

int consumer_open(const struct bus_settings *settings, const char *group, const char *instance_id,
                  const char *topic, const struct consumer_handlers *handlers,
                  struct consumer **consumer_r, struct error *error)
{
    struct consumer *consumer = xcalloc(1, sizeof *consumer);
    rd_kafka_conf_t *configuration;
    char text[256];
    consumer->brokers = xstrdup(settings->brokers);
    consumer->client_id = xstrdup(settings->client_id);
    consumer->topic = xstrdup(topic);
    consumer->settings = *settings;
    consumer->settings.brokers = consumer->brokers;
    consumer->settings.client_id = consumer->client_id;
    consumer->handlers = handlers;
    consumer->fd = client_fd_new();
    if (ends_open(settings, topic, consumer->fd, &consumer->ends, error) < 0) {
        consumer_close(&consumer);
        return -1;
    }
    if (configure(consumer, group, instance_id, &configuration, error) < 0) {
        consumer_close(&consumer);
        return -1;
    }
    consumer->client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, text, sizeof text);
    if (consumer->client == NULL) {
        rd_kafka_conf_destroy(configuration);
        consumer_close(&consumer);
        return error_set(error, "invalid", "kafka: %s", text);
    }
    rd_kafka_poll_set_consumer(consumer->client);
    consumer->topic_handle = rd_kafka_topic_new(consumer->client, topic, NULL);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->client);
    client_fd_enable(consumer->queue, consumer->fd);
    if (subscribe(consumer, error) < 0) {
        consumer_close(&consumer);
        return -1;
    }
    *consumer_r = consumer;
    return 0;
}

/* Closing and destroying can hang in the library: then the process ends instead, and is started again. */
void consumer_close(struct consumer **consumer_p)
{
    struct consumer *consumer = *consumer_p;
    if (consumer == NULL)
        return;
    if (consumer->client != NULL) {
        struct watchdog *watchdog = watchdog_start("closing a consumer", CLOSE_TIMEOUT_MS);
        if (consumer->queue != NULL) {
            rd_kafka_queue_io_event_enable(consumer->queue, -1, NULL, 0);
            rd_kafka_queue_destroy(consumer->queue);
        }
        rd_kafka_consumer_close(consumer->client);
        if (consumer->topic_handle != NULL)
            rd_kafka_topic_destroy(consumer->topic_handle);
        rd_kafka_destroy(consumer->client);
        watchdog_stop(&watchdog);
    }
    ends_close(&consumer->ends);
    fd_close(&consumer->fd);
    free(consumer->brokers);
    free(consumer->client_id);
    free(consumer->topic);
    free(consumer);
    *consumer_p = NULL;
}

int consumer_fd(const struct consumer *consumer)
{
    return consumer->fd;
}

struct record *consumer_poll(struct consumer *consumer)
{
    client_fd_clear(consumer->fd);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, 0);
        if (message == NULL)
            return NULL;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return client_record(message);
        if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
            report(consumer, message->rkt == NULL ? -1 : message->partition, message->err,
                   rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
}

static rd_kafka_topic_partition_list_t *one(const struct consumer *consumer, int32_t partition,
                                            int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, consumer->topic, partition)->offset = offset;
    return list;
}

static int partition_failed(struct error *error, int32_t partition, rd_kafka_resp_err_t code)
{
    return error_set(error, error_code(code), "kafka: partition %d: %s", partition,
                     rd_kafka_err2str(code));
}

int consumer_start(struct consumer *consumer, int32_t partition, int64_t offset,
                   struct error *error)
{
    rd_kafka_topic_partition_list_t *list = one(consumer, partition, offset);
    rd_kafka_resp_err_t code = rd_kafka_seek(consumer->topic_handle, partition, offset, 0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = rd_kafka_resume_partitions(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : partition_failed(error, partition, code);
}

int consumer_pause(struct consumer *consumer, int32_t partition, struct error *error)
{
    rd_kafka_topic_partition_list_t *list = one(consumer, partition, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t code = rd_kafka_pause_partitions(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : partition_failed(error, partition, code);
}

int consumer_commit(struct consumer *consumer, int32_t partition, int64_t offset,
                    struct error *error)
{
    rd_kafka_topic_partition_list_t *list = one(consumer, partition, offset);
    rd_kafka_resp_err_t code = rd_kafka_commit(consumer->client, list, 0);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : partition_failed(error, partition, code);
}

int64_t consumer_known_end(struct consumer *consumer, int32_t partition)
{
    int64_t low, high;
    rd_kafka_resp_err_t code =
        rd_kafka_get_watermark_offsets(consumer->client, consumer->topic, partition, &low, &high);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

int consumer_ends(struct consumer *consumer, int32_t partition, struct log_ends *ends_r,
                  struct error *error)
{
    return ends_take(consumer->ends, partition, ends_r, error);
}

void consumer_forget_ends(struct consumer *consumer, int32_t partition)
{
    ends_forget(consumer->ends, partition);
}
