/* SPDX-License-Identifier: Apache-2.0 */
/* The idempotent producer, which survives its own fatal errors: librdkafka may declare itself dead when it
 * cannot keep its promise; then a new client is made and everything in flight is reported as failed. */
#include "bus/producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bus/client.h"
#include "log/log.h"

#define ASK_EVERY_MS   2000
#define ASK_TIMEOUT_MS 200 /* it holds the caller up */

struct producer {
    struct bus_settings settings;
    char *brokers, *client_id;
    producer_on_delivery *on_delivery;
    void *context;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    int fd;
    bool fatal;
    bool last_failed;
    bool brokers_down;
    int64_t ask_due_ms;
};

static enum delivery to_delivery(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return DELIVERY_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return DELIVERY_REFUSED;
    default:
        return DELIVERY_FAILED;
    }
}

static void on_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct producer *producer = opaque;
    struct error why;
    enum delivery delivery = to_delivery(message->err);
    (void)client;
    error_set(&why, "kafka", "kafka: %s", rd_kafka_err2str(message->err));
    producer->last_failed = delivery == DELIVERY_FAILED;
    if (delivery == DELIVERY_OK)
        producer->brokers_down = false;
    producer->on_delivery(producer->context, (uint64_t)(uintptr_t)message->_private, delivery,
                          delivery == DELIVERY_OK ? NULL : &why);
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct producer *producer = opaque;
    (void)client;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        producer->fatal = true;
        log_warning("the producer is rebuilt after a fatal error", LOG_TEXT("reason", reason));
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        producer->brokers_down = true;
    }
}

static int build(struct producer *producer, struct error *error)
{
    const struct client_option options[] = {
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"linger.ms", "0"},
        {"message.timeout.ms", "300000"},
        {"message.max.bytes", "1000000"},
        {"queue.buffering.max.messages", "100000"},
        {"queue.buffering.max.kbytes", "65536"},
        {"compression.codec", "lz4"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *configuration;
    char text[256];
    if (client_configure(&producer->settings, options, &configuration, error) < 0)
        return -1;
    rd_kafka_conf_set_dr_msg_cb(configuration, on_report);
    rd_kafka_conf_set_error_cb(configuration, on_error);
    rd_kafka_conf_set_opaque(configuration, producer);
    producer->client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, text, sizeof text);
    if (producer->client == NULL) {
        rd_kafka_conf_destroy(configuration);
        return error_set(error, "invalid", "kafka: %s", text);
    }
    producer->queue = rd_kafka_queue_get_main(producer->client);
    producer->fatal = false;
    client_fd_enable(producer->queue, producer->fd);
    return 0;
}

/* Purged messages get their (failed) reports before the client goes. */
static void tear_down(struct producer *producer)
{
    if (producer->client == NULL)
        return;
    rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(producer->client, 500);
    rd_kafka_queue_io_event_enable(producer->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(producer->queue);
    rd_kafka_destroy_flags(producer->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    producer->client = NULL;
}

int producer_open(const struct bus_settings *settings, producer_on_delivery *on_delivery,
                  void *context, struct producer **producer_r, struct error *error)
{
    struct producer *producer = xcalloc(1, sizeof *producer);
    producer->brokers = xstrdup(settings->brokers);
    producer->client_id = xstrdup(settings->client_id);
    producer->settings = *settings;
    producer->settings.brokers = producer->brokers;
    producer->settings.client_id = producer->client_id;
    producer->on_delivery = on_delivery;
    producer->context = context;
    producer->fd = client_fd_new();
    if (build(producer, error) < 0) {
        producer_close(&producer, 0);
        return -1;
    }
    *producer_r = producer;
    return 0;
}

void producer_close(struct producer **producer_p, int64_t flush_ms)
{
    struct producer *producer = *producer_p;
    if (producer == NULL)
        return;
    if (producer->client != NULL && flush_ms > 0)
        rd_kafka_flush(producer->client, (int)flush_ms);
    tear_down(producer);
    fd_close(&producer->fd);
    free(producer->brokers);
    free(producer->client_id);
    free(producer);
    *producer_p = NULL;
}

static rd_kafka_headers_t *make_headers(const struct outgoing *message)
{
    bool traced = message->traceparent != NULL && message->traceparent[0] != '\0';
    if (!traced && message->mac == NULL)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(3);
    if (traced)
        rd_kafka_header_add(headers, "traceparent", -1, message->traceparent, -1);
    if (message->mac != NULL) {
        rd_kafka_header_add(headers, "worker", -1, message->worker_id, -1);
        rd_kafka_header_add(headers, "mac", -1, message->mac, 32);
    }
    return headers;
}

static int send_failed(struct producer *producer, rd_kafka_resp_err_t code, struct error *error)
{
    if (to_delivery(code) == DELIVERY_REFUSED)
        return error_set(error, "refused", "kafka: %s", rd_kafka_err2str(code));
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        producer->fatal = true;
    return error_set(error, "busy", "kafka: %s", rd_kafka_err2str(code));
}

int producer_send(struct producer *producer, const struct outgoing *message, struct error *error)
{
    if (producer->client == NULL || producer->fatal)
        return error_set(error, "busy", "kafka: the producer is being rebuilt");
    rd_kafka_headers_t *headers = make_headers(message);
    size_t key_length = message->key == NULL ? 0 : strlen(message->key);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        producer->client, RD_KAFKA_V_TOPIC(message->topic),
        RD_KAFKA_V_PARTITION(message->partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)message->payload, message->payload_length),
        RD_KAFKA_V_KEY((void *)(uintptr_t)message->key, key_length),
        RD_KAFKA_V_OPAQUE((void *)(uintptr_t)message->tag), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    return send_failed(producer, code, error);
}

int producer_fd(const struct producer *producer)
{
    return producer->fd;
}

/* librdkafka tells when brokers go, not when they are back: one that has nothing to send has to ask. */
static void ask_for_brokers(struct producer *producer)
{
    const struct rd_kafka_metadata *metadata;
    bool is_latched = producer->brokers_down || producer->last_failed;
    if (producer->client == NULL || !is_latched || monotonic_ms() < producer->ask_due_ms ||
        rd_kafka_outq_len(producer->client) > 0)
        return;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(producer->client, 0, NULL, &metadata, ASK_TIMEOUT_MS);
    producer->ask_due_ms = monotonic_ms() + ASK_EVERY_MS;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_metadata_destroy(metadata);
    producer->brokers_down = producer->last_failed = false;
}

void producer_poll(struct producer *producer)
{
    struct error error;
    client_fd_clear(producer->fd);
    while (producer->client != NULL && rd_kafka_poll(producer->client, 0) > 0)
        ;
    ask_for_brokers(producer);
    if (producer->client != NULL && !producer->fatal)
        return;
    tear_down(producer);
    if (build(producer, &error) < 0)
        log_failure(LOG_LEVEL_ERROR, "rebuilding the producer", &error);
}

int producer_warm_up(struct producer *producer, const char *topic, int64_t timeout_ms,
                     struct error *error)
{
    const struct rd_kafka_metadata *metadata;
    if (producer->client == NULL)
        return error_set(error, "unavailable", "kafka: no producer");
    rd_kafka_topic_t *handle = rd_kafka_topic_new(producer->client, topic, NULL);
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(producer->client, 0, handle, &metadata, (int)timeout_ms);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return error_set(error, "unavailable", "kafka: %s", rd_kafka_err2str(code));
    rd_kafka_metadata_destroy(metadata);
    producer->brokers_down = false;
    return 0;
}

bool producer_is_healthy(const struct producer *producer)
{
    return producer->client != NULL && !producer->fatal && !producer->last_failed &&
           !producer->brokers_down;
}
