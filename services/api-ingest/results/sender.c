/* SPDX-License-Identifier: Apache-2.0 */
#include "results/sender.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "bus/producer.h"

#define ITEMS_BYTES   ((size_t)500 * 1024) /* of a message, where its last item is not longer */
#define UNDER_WAY_MAX 8                    /* messages */
#define PATIENCE_MS   20000                /* without any delivery */
#define LOOK_MS       50

struct sender {
    const struct bus_settings *bus;
    struct producer *producer; /* NULL: not open */
    struct sent_stream stream;
    struct buffer items;
    int64_t first_seq, next_seq;
    int count;      /* of items that wait */
    uint64_t round; /* tells this stream's deliveries from those of one that was given up */
    int under_way;
    bool has_failed;
    int64_t heard_ms;
};

struct sender *sender_new(const struct bus_settings *bus)
{
    struct sender *sender = xcalloc(1, sizeof *sender);
    sender->bus = bus;
    buffer_init(&sender->items, (size_t)LIMIT_MESSAGE_BYTES);
    return sender;
}

void sender_free(struct sender **sender)
{
    if (*sender == NULL)
        return;
    producer_close(&(*sender)->producer, 0);
    buffer_deinit(&(*sender)->items);
    memory_free(sender);
}

static void on_delivery(void *context, uint64_t tag, enum delivery delivery,
                        const struct error *why)
{
    struct sender *sender = context;
    (void)why;
    if (tag != sender->round)
        return;
    sender->under_way--;
    sender->heard_ms = monotonic_ms();
    sender->has_failed = sender->has_failed || delivery != DELIVERY_OK;
}

int sender_begin(struct sender *sender, const struct sent_stream *stream, struct error *error)
{
    if (sender->producer == NULL &&
        producer_open(sender->bus, on_delivery, sender, &sender->producer, error) < 0)
        return -1;
    sender->stream = *stream;
    sender->round++;
    sender->under_way = 0;
    sender->has_failed = false;
    sender->first_seq = sender->next_seq = 1;
    sender->count = 0;
    buffer_clear(&sender->items);
    return 0;
}

/* Until no more than so many messages are under way. */
static int wait_for_deliveries(struct sender *sender, int most, struct error *error)
{
    sender->heard_ms = monotonic_ms();
    producer_poll(sender->producer);
    while (sender->under_way > most && !sender->has_failed &&
           monotonic_ms() - sender->heard_ms < PATIENCE_MS) {
        struct pollfd ready = {.fd = producer_fd(sender->producer), .events = POLLIN};
        (void)poll(&ready, 1, LOOK_MS);
        producer_poll(sender->producer);
    }
    if (sender->has_failed || sender->under_way > most)
        return error_set(error, "unavailable",
                         "Kafka does not take the results just now: upload them again");
    return 0;
}

static char *make_message(const struct sender *sender)
{
    const struct sent_stream *stream = &sender->stream;
    return xasprintf("{\"version\":%d,\"type\":\"%s\",\"worker_id\":\"%s\",\"run_id\":\"%s\","
                     "\"task_id\":\"%s\",\"attempt\":1,\"dispatch_id\":\"%s\","
                     "\"first_seq\":%" PRId64 ",\"items\":[%s]}",
                     task_stream_message.version, task_stream_message.name, stream->worker_id.text,
                     stream->run_id.text, stream->task_id.text, stream->dispatch_id.text,
                     sender->first_seq, sender->items.data);
}

static int send_items(struct sender *sender, struct error *error)
{
    if (sender->count == 0)
        return 0;
    AUTO(text_free) char *text = make_message(sender);
    size_t length = strlen(text);
    uint8_t mac[MAC_BYTES];
    mac_make(sender->stream.key, text, length, mac);
    const struct outgoing message = {.topic = sender->stream.topic,
                                     .partition = sender->stream.partition,
                                     .payload = text,
                                     .payload_length = length,
                                     .worker_id = sender->stream.worker_id.text,
                                     .mac = mac,
                                     .tag = sender->round};
    if (wait_for_deliveries(sender, UNDER_WAY_MAX - 1, error) < 0 ||
        producer_send(sender->producer, &message, error) < 0)
        return -1;
    sender->under_way++;
    sender->first_seq = sender->next_seq;
    sender->count = 0;
    buffer_clear(&sender->items);
    return 0;
}

static int add(struct sender *sender, enum item_kind kind, const struct fields *fields,
               const void *body, struct error *error)
{
    if (sender->next_seq <= sender->stream.received) {
        sender->first_seq = ++sender->next_seq;
        return 0;
    }
    AUTO(json_free)
    json_t *json = json_pack("{s:s, s:o}", "kind", names_get(&item_kind_names, (int)kind), "body",
                             fields_encode(fields, body));
    AUTO(text_free) char *text = json_text(json);
    if ((sender->items.length + strlen(text) > ITEMS_BYTES || sender->count == STREAM_ITEMS_MAX) &&
        send_items(sender, error) < 0)
        return -1;
    if (sender->count > 0)
        buffer_add_char(&sender->items, ',');
    buffer_add_text(&sender->items, text);
    sender->count++;
    sender->next_seq++;
    return 0;
}

int sender_add_result(struct sender *sender, const struct stream_result *result,
                      struct error *error)
{
    return add(sender, ITEM_RESULT, &stream_result_fields, result, error);
}

int sender_finish(struct sender *sender, const struct stream_finished *finished,
                  struct error *error)
{
    if (add(sender, ITEM_FINISHED, &stream_finished_fields, finished, error) < 0 ||
        send_items(sender, error) < 0)
        return -1;
    return wait_for_deliveries(sender, 0, error);
}
