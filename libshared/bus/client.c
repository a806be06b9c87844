/* SPDX-License-Identifier: Apache-2.0 */
/* Common configuration of librdkafka's clients, and records made of its messages. */
#include "bus/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

#include "base/memory.h"
#include "bus/consumer.h"
#include "log/log.h"

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    /* Brokers that go away are retried by the library and said by readiness: no alarm here. */
    log_write(level <= LOG_CRIT ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, text,
              (const struct log_field[]){LOG_TEXT("facility", facility), {.name = NULL}});
}

static int set(rd_kafka_conf_t *configuration, const char *name, const char *value,
               struct error *error)
{
    char text[256];
    if (value == NULL ||
        rd_kafka_conf_set(configuration, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return 0;
    return error_set(error, "invalid", "kafka setting %s: %s", name, text);
}

int client_configure(const struct bus_settings *settings, const struct client_option *options,
                     rd_kafka_conf_t **configuration_r, struct error *error)
{
    const struct client_option common[] = {
        {"bootstrap.servers", settings->brokers},
        {"client.id", settings->client_id},
        {"socket.timeout.ms", "6000"}, /* what a question to the broker may take at most */
        {"socket.nagle.disable", "true"},
        {"socket.keepalive.enable", "true"},
        {"reconnect.backoff.ms", "20"},
        {"reconnect.backoff.max.ms", "200"},
        {"topic.metadata.refresh.interval.ms", "10000"},
        {"allow.auto.create.topics", "false"},
        {"log.connection.close", "false"},
    };
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(configuration, on_log);
    int status = 0;
    for (size_t i = 0; i < ARRAY_SIZE(common) && status == 0; i++)
        status = set(configuration, common[i].name, common[i].value, error);
    for (size_t i = 0; options[i].name != NULL && status == 0; i++)
        status = set(configuration, options[i].name, options[i].value, error);
    if (status < 0) {
        rd_kafka_conf_destroy(configuration);
        return -1;
    }
    *configuration_r = configuration;
    return 0;
}

int client_fd_new(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        abort();
    return fd;
}

void client_fd_enable(rd_kafka_queue_t *queue, int fd)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof one);
}

void client_fd_clear(int fd)
{
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}

static void read_header(const rd_kafka_headers_t *headers, const char *name, void *out, size_t size,
                        size_t *length_r)
{
    const void *value;
    size_t length;
    *length_r = 0;
    if (rd_kafka_header_get_last(headers, name, &value, &length) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        length > size)
        return;
    memcpy(out, value, length);
    *length_r = length;
}

static void read_headers(rd_kafka_message_t *message, struct record *record)
{
    rd_kafka_headers_t *headers;
    size_t length;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    read_header(headers, "worker", record->worker_id, sizeof record->worker_id - 1, &length);
    read_header(headers, "traceparent", record->traceparent, sizeof record->traceparent - 1,
                &length);
    read_header(headers, "mac", record->mac, sizeof record->mac, &length);
    record->has_mac = length == sizeof record->mac;
}

struct record *client_record(rd_kafka_message_t *message)
{
    struct record *record = xcalloc(1, sizeof *record);
    record->topic = rd_kafka_topic_name(message->rkt);
    record->partition = message->partition;
    record->offset = message->offset;
    record->key = message->key;
    record->key_length = message->key_len;
    record->payload = message->payload;
    record->payload_length = message->len;
    record->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
    record->handle = message;
    read_headers(message, record);
    return record;
}

void record_free(struct record **record)
{
    if (*record != NULL && (*record)->handle != NULL)
        rd_kafka_message_destroy((*record)->handle);
    memory_free(record);
}
