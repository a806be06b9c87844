/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of event. */
#include "message/event.h"

static const struct field event_list[] = {
    {.name = "id", .type = FIELD_UUID, .offset = offsetof(struct event, id)},
    {.name = "event", .type = FIELD_TEXT, .offset = offsetof(struct event, event), .max = 63},
    {.name = "project_id", .type = FIELD_UUID, .offset = offsetof(struct event, project_id)},
    {.name = "run_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct event, run_id),
     .optional = true},
    {.name = "run_version",
     .type = FIELD_INT,
     .offset = offsetof(struct event, run_version),
     .optional = true},
    {.name = "at", .type = FIELD_INT, .offset = offsetof(struct event, at)},
    {.name = "data", .type = FIELD_OBJECT, .offset = offsetof(struct event, data)},
};
static const struct fields event_fields = FIELDS(struct event, event_list);

const struct message_type event_message = {
    .name = "event",
    .version = 1,
    .fields = &event_fields,
    .topic = "events",
    .text = "what the world may know",
};
