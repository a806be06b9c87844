/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of task.cancel. */
#include "message/task_cancel.h"

#include "model/limits.h"

static const struct field task_cancel_list[] = {
    {.name = "worker_id", .type = FIELD_UUID, .offset = offsetof(struct task_cancel, worker_id)},
    {.name = "epoch",
     .type = FIELD_INT,
     .offset = offsetof(struct task_cancel, epoch),
     .min = 0,
     .max = LIMIT_EPOCH},
    {.name = "seq", .type = FIELD_INT, .offset = offsetof(struct task_cancel, seq)},
    {.name = "incarnation", .type = FIELD_INT, .offset = offsetof(struct task_cancel, incarnation)},
    {.name = "dispatch_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct task_cancel, dispatch_id)},
    {.name = "grace_ms", .type = FIELD_INT, .offset = offsetof(struct task_cancel, grace_ms)},
};
static const struct fields task_cancel_fields = FIELDS(struct task_cancel, task_cancel_list);

const struct message_type task_cancel_message = {
    .name = "task.cancel",
    .version = 1,
    .fields = &task_cancel_fields,
    .topic = "lanes.<pool>",
    .text = "end this dispatch",
};
