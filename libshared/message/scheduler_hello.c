/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of scheduler.hello. */
#include "message/scheduler_hello.h"

#include "model/limits.h"

static const struct field scheduler_hello_list[] = {
    {.name = "pool_id", .type = FIELD_UUID, .offset = offsetof(struct scheduler_hello, pool_id)},
    {.name = "epoch",
     .type = FIELD_INT,
     .offset = offsetof(struct scheduler_hello, epoch),
     .min = 0,
     .max = LIMIT_EPOCH},
    {.name = "instance",
     .type = FIELD_TEXT,
     .offset = offsetof(struct scheduler_hello, instance),
     .max = 255},
};
static const struct fields scheduler_hello_fields =
    FIELDS(struct scheduler_hello, scheduler_hello_list);

const struct message_type scheduler_hello_message = {
    .name = "scheduler.hello",
    .version = 1,
    .fields = &scheduler_hello_fields,
    .topic = "lanes.<pool>",
    .text = "a new owner: heartbeat now",
};
