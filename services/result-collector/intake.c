/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

struct intake *intake_new(int count)
{
    struct intake *intake = xcalloc(1, sizeof *intake);
    intake->messages = xcalloc((size_t)count, sizeof *intake->messages);
    intake->count = count;
    return intake;
}

void intake_free(struct intake **intake)
{
    if (*intake == NULL)
        return;
    for (int i = 0; i < (*intake)->count; i++) {
        struct message *message = &(*intake)->messages[i];
        message_free(&task_stream_head_message, &message->head);
        free(message->items);
        json_free(&message->json);
    }
    batch_free(&(*intake)->batch);
    free((*intake)->messages);
    memory_free(intake);
}

static int decode(const struct record *record, struct message *message, struct error *why)
{
    const char *type;
    if (message_parse(record->payload, record->payload_length, &message->json, &type, why) < 0)
        return -1;
    if (strcmp(type, task_stream_message.name) != 0)
        return error_field(why, "type", "type: nobody expects %s on this topic", type);
    if (message_decode(&task_stream_head_message, message->json, &message->head, why) < 0)
        return -1;
    if (strcmp(message->head.worker_id.text, record->worker_id) != 0)
        return error_field(why, "worker_id", "worker_id is not the worker whose MAC it carries");
    return items_find(message->json, &message->items, &message->item_count, why);
}

static void reject(struct judgement *judgement, const struct error *why)
{
    judgement->verdict = REJECTED;
    judgement->why = *why;
}

static size_t count_items(const struct intake *intake)
{
    size_t items = 0;
    for (int i = 0; i < intake->count; i++)
        items += intake->messages[i].item_count;
    return items;
}

int intake_read(struct intake *intake, struct worker_keys *keys, struct store *store,
                const struct record *const *records, struct judgement *judgements,
                struct error *error)
{
    struct error why;
    for (int i = 0; i < intake->count; i++) {
        int checked = worker_keys_check(keys, store, records[i], &why);
        if (checked < 0 && !error_is(&why, "invalid")) {
            *error = why;
            return -1;
        }
        if (checked < 0 || decode(records[i], &intake->messages[i], &why) < 0)
            reject(&judgements[i], &why);
    }
    intake->batch = batch_new(count_items(intake));
    for (int i = 0; i < intake->count; i++) {
        struct message *message = &intake->messages[i];
        if (judgements[i].verdict == HANDLED)
            message->dispatch = batch_add_dispatch(intake->batch, &message->head);
    }
    return 0;
}

static enum batch_place place_of(const struct batch_dispatch *dispatch)
{
    const struct batch_task *task = dispatch->task;
    bool is_current = task->is_known && task->attempt == dispatch->attempt &&
                      uuid_equal(&task->dispatch_id, &dispatch->id) &&
                      uuid_equal(&task->run_id, &dispatch->run->id);
    if (dispatch->is_removed)
        return PLACE_LATE;
    if (!is_current)
        return PLACE_STALE;
    if (!dispatch->run->is_known || dispatch->run->is_closed || !dispatch->is_covered)
        return PLACE_LATE;
    return PLACE_COUNTED;
}

void intake_take(struct intake *intake, const struct partitions *partitions,
                 struct judgement *judgements)
{
    struct error why;
    for (struct batch_dispatch *d = intake->batch->dispatches; d != NULL; d = d->hh.next) {
        d->is_covered =
            partitions_cover(partitions, &d->run->id, d->run->is_known && !d->run->is_closed);
        d->is_removed =
            !d->run->is_known && !d->task->is_known && partitions_are_past(partitions, &d->run->id);
        d->place = place_of(d);
    }
    for (int i = 0; i < intake->count; i++) {
        struct message *message = &intake->messages[i];
        if (message->dispatch == NULL)
            continue;
        if (message->dispatch->is_contradicted) {
            error_field(&why, "dispatch_id",
                        "dispatch_id was given out for another run, task, attempt or worker");
            reject(&judgements[i], &why);
            continue;
        }
        if (message->dispatch->run->is_removed)
            continue;
        batch_take_items(intake->batch, message->dispatch, message->head.first_seq, message->items,
                         message->item_count);
    }
}
