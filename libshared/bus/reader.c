/* SPDX-License-Identifier: Apache-2.0 */
/* Reading partitions that were assigned by hand: lanes and live events. No group, no stored offset. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/watchdog.h"
#include "bus/client.h"
#include "bus/consumer.h"
#include "log/log.h"

#define CLOSE_TIMEOUT_MS 10000

struct reader {
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *assignment;
    rd_kafka_queue_t *queue;
    int fd;
    uint64_t resets;
    bool *reached; /* partitions assigned at their end, once that is known */
    int ends;
};

int reader_open(const struct bus_settings *settings, struct reader **reader_r, struct error *error)
{
    const struct client_option options[] = {
        {"group.id", "verdict-reader"}, /* the library wants one; it is never joined */
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"},
        {"enable.partition.eof", "true"}, /* an empty end has no record to show where it is */
        {"queued.max.messages.kbytes", "8192"},
        {"fetch.wait.max.ms", "100"},
        {"fetch.error.backoff.ms", "50"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *configuration;
    char text[256];
    if (client_configure(settings, options, &configuration, error) < 0)
        return -1;
    struct reader *reader = xcalloc(1, sizeof *reader);
    reader->client = rd_kafka_new(RD_KAFKA_CONSUMER, configuration, text, sizeof text);
    if (reader->client == NULL) {
        rd_kafka_conf_destroy(configuration);
        free(reader);
        return error_set(error, "invalid", "kafka: %s", text);
    }
    reader->assignment = rd_kafka_topic_partition_list_new(4);
    reader->fd = client_fd_new();
    rd_kafka_poll_set_consumer(reader->client);
    reader->queue = rd_kafka_queue_get_consumer(reader->client);
    client_fd_enable(reader->queue, reader->fd);
    *reader_r = reader;
    return 0;
}

void reader_close(struct reader **reader_p)
{
    struct reader *reader = *reader_p;
    if (reader == NULL)
        return;
    struct watchdog *watchdog = watchdog_start("closing a reader", CLOSE_TIMEOUT_MS);
    rd_kafka_queue_io_event_enable(reader->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(reader->queue);
    rd_kafka_consumer_close(reader->client);
    rd_kafka_destroy(reader->client);
    watchdog_stop(&watchdog);
    rd_kafka_topic_partition_list_destroy(reader->assignment);
    fd_close(&reader->fd);
    free(reader->reached);
    free(reader);
    *reader_p = NULL;
}

int reader_fd(const struct reader *reader)
{
    return reader->fd;
}

/* Messages with holes behind them are not ours to mend: who reads a lane re-reads Postgres or is synced. */
struct record *reader_poll(struct reader *reader)
{
    client_fd_clear(reader->fd);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reader->client, 0);
        if (message == NULL)
            return NULL;
        bool has_position = message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                            message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (has_position && message->partition < reader->ends)
            reader->reached[message->partition] = true;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return client_record(message);
        if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
            message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
            reader->resets++;
        rd_kafka_message_destroy(message);
    }
}

/* Assigning anew keeps the others where they are: behind what was read, or where they were to begin. */
static void keep_positions(struct reader *reader)
{
    rd_kafka_topic_partition_list_t *read = rd_kafka_topic_partition_list_copy(reader->assignment);
    rd_kafka_position(reader->client, read);
    for (int i = 0; i < read->cnt; i++)
        if (read->elems[i].offset >= 0)
            reader->assignment->elems[i].offset = read->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(read);
}

int reader_assign(struct reader *reader, const char *topic, int32_t partition, int64_t offset,
                  struct error *error)
{
    rd_kafka_topic_partition_list_t *old = rd_kafka_topic_partition_list_copy(reader->assignment);
    rd_kafka_topic_partition_list_t *positions = reader->assignment;
    rd_kafka_topic_partition_list_del(positions, topic, partition);
    keep_positions(reader);
    rd_kafka_topic_partition_list_add(positions, topic, partition)->offset = offset;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->client, positions);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_destroy(reader->assignment);
        reader->assignment = old;
        return error_set(error, "unavailable", "kafka: %s partition %d: %s", topic, partition,
                         rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(old);
    return 0;
}

int reader_assign_ends(struct reader *reader, const char *topic, int partitions,
                       struct error *error)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->client, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_destroy(list);
        return error_set(error, "unavailable", "kafka: %s: %s", topic, rd_kafka_err2str(code));
    }
    rd_kafka_topic_partition_list_destroy(reader->assignment);
    reader->assignment = list;
    free(reader->reached);
    reader->reached = xcalloc((size_t)partitions, sizeof *reader->reached);
    reader->ends = partitions;
    return 0;
}

bool reader_is_at_ends(const struct reader *reader)
{
    for (int i = 0; i < reader->ends; i++)
        if (!reader->reached[i])
            return false;
    return reader->ends > 0;
}

uint64_t reader_resets(const struct reader *reader)
{
    return reader->resets;
}
