/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers of the ledger. One message is one of few kinds; what a batch means is written at its end by
 * few statements. */
#include "inbox.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "db/delivery.h"
#include "db/event.h"
#include "ledger/outbox.h"
#include "message/delivery_request.h"
#include "message/event.h"
#include "message/resync.h"
#include "model/events.h"
#include "notifier_metrics.h"

struct partition_state {
    int64_t generation;
    int recorded; /* by the open transaction */
};

struct wish {
    struct uuid request_id;
    int64_t offset;
};

/* What a batch is gathered into. */
struct gathering {
    struct event_batch *events;
    struct wish *wishes;
    size_t wish_count, wish_capacity;
};

/* ---- messages ------------------------------------------------------------------------------------ */

static int on_event(struct gathering *gathering, const struct record *record, const json_t *json,
                    struct error *error)
{
    struct event event;
    if (message_decode(&event_message, json, &event, error) < 0)
        return -1;
    /* Progress is for live streams only. */
    if (strcmp(event.event, event_types[EVENT_RUN_PROGRESS].type) != 0)
        event_batch_add(gathering->events, &event, record->offset);
    message_free(&event_message, &event);
    return 0;
}

static int on_delivery_request(struct gathering *gathering, const struct record *record,
                               const json_t *json, struct error *error)
{
    struct delivery_request request;
    if (message_decode(&delivery_request_message, json, &request, error) < 0)
        return -1;
    gathering->wishes = array_reserve(gathering->wishes, &gathering->wish_capacity,
                                      gathering->wish_count, sizeof *gathering->wishes);
    gathering->wishes[gathering->wish_count++] =
        (struct wish){.request_id = request.request_id, .offset = record->offset};
    message_free(&delivery_request_message, &request);
    return 0;
}

static const struct {
    const struct message_type *type;
    int (*on_message)(struct gathering *gathering, const struct record *record, const json_t *json,
                      struct error *error);
} kinds[] = {{&event_message, on_event}, {&delivery_request_message, on_delivery_request}};

static int gather(struct gathering *gathering, const struct record *record, struct error *error)
{
    AUTO(json_free) json_t *json = NULL;
    const char *type;
    if (message_parse(record->payload, record->payload_length, &json, &type, error) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kinds[i].type->name, type) == 0)
            return kinds[i].on_message(gathering, record, json, error);
    return error_field(error, "type", "type %s does not belong into the topic of events", type);
}

/* ---- a batch ------------------------------------------------------------------------------------- */

static int write_down(const struct inbox *inbox, struct partition_state *state, struct store *store,
                      struct gathering *gathering, struct error *error)
{
    if (event_batch_count(gathering->events) > 0 &&
        event_db_add(store, gathering->events, state->generation, inbox->first_wait_ms, error) < 0)
        return -1;
    for (size_t i = 0; i < gathering->wish_count; i++)
        if (delivery_db_wish(store, &gathering->wishes[i].request_id, state->generation,
                             gathering->wishes[i].offset, error) < 0)
            return -1;
    state->recorded = event_batch_count(gathering->events);
    return 0;
}

static enum verdict_of_handler handle(void *context, struct ledger_partition *partition,
                                      struct store *store, const struct record *const *records,
                                      struct judgement *judgements, int count, struct error *error)
{
    struct gathering gathering = {.events = event_batch_new()};
    for (int i = 0; i < count; i++)
        if (gather(&gathering, records[i], &judgements[i].why) < 0)
            judgements[i].verdict = REJECTED;

    int status = write_down(context, ledger_partition_state(partition), store, &gathering, error);

    event_batch_free(&gathering.events);
    memory_free(&gathering.wishes);
    return status == 0 ? HANDLED : RETRY;
}

static void committed(void *context, struct ledger_partition *partition)
{
    const struct inbox *inbox = context;
    struct partition_state *state = ledger_partition_state(partition);
    metric_add(&notifier_metrics[METRIC_EVENTS_RECORDED], state->recorded);
    state->recorded = 0;
    inbox->on_recorded(inbox->context);
}

/* ---- the life of a partition --------------------------------------------------------------------- */

static int load(void *context, struct ledger_partition *partition, struct store *store,
                struct error *error)
{
    int64_t generation;
    (void)context;
    if (event_db_load_generation(store, ledger_partition_number(partition), &generation, error) < 0)
        return -1;
    struct partition_state *state = xcalloc(1, sizeof *state);
    state->generation = generation;
    ledger_partition_set_state(partition, state);
    return 0;
}

static void drop(void *context, struct ledger_partition *partition)
{
    struct partition_state *state = ledger_partition_state(partition);
    (void)context;
    memory_free(&state);
    ledger_partition_set_state(partition, NULL);
}

/* Offsets begin anew, so a new generation of them does. The schedulers emit again what was lost. */
static int resync(void *context, struct ledger_partition *partition, struct store *store,
                  struct error *error)
{
    struct inbox *inbox = context;
    const struct resync resync = {.token = uuid_v7(), .topic = inbox->events_topic};
    AUTO(text_free) char *payload = NULL;
    if (event_db_raise_generation(store, ledger_partition_number(partition), error) < 0 ||
        message_encode(&resync_message, &resync, &payload, error) < 0)
        return -1;
    int partitions = ledger_installation(inbox->ledger, topics[TOPIC_SCHEDULING].installation_key);
    for (int i = 0; i < partitions; i++) {
        const struct outbox_message message = {.topic = inbox->scheduling_topic,
                                               .partition = i,
                                               .key = resync.token.text,
                                               .payload = payload};
        if (outbox_add(ledger_outbox(inbox->ledger), store, &message, error) < 0)
            return -1;
    }
    return 0;
}

const struct ledger_handlers inbox_handlers = {
    .load = load, .drop = drop, .handle = handle, .committed = committed, .resync = resync};

int inbox_remind(struct inbox *inbox, struct store *store, const struct uuid *request_id,
                 const struct uuid *project_id, struct error *error)
{
    const struct delivery_request hint = {.request_id = *request_id, .project_id = *project_id};
    AUTO(text_free) char *payload = NULL;
    int partitions = ledger_installation(inbox->ledger, topics[TOPIC_EVENTS].installation_key);
    if (partitions < 1)
        return error_set(error, "unavailable", "the topics are not known yet");
    if (message_encode(&delivery_request_message, &hint, &payload, error) < 0)
        return -1;
    const struct outbox_message message = {.topic = inbox->events_topic,
                                           .partition =
                                               topic_partition(project_id->text, partitions),
                                           .key = project_id->text,
                                           .payload = payload};
    return outbox_add(ledger_outbox(inbox->ledger), store, &message, error);
}
