/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of task.recorded. */
#include "message/task_recorded.h"

static const struct field recorded_task_list[] = {
    {.name = "run_id", .type = FIELD_UUID, .offset = offsetof(struct recorded_task, run_id)},
    {.name = "task_id", .type = FIELD_UUID, .offset = offsetof(struct recorded_task, task_id)},
    {.name = "dispatch_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct recorded_task, dispatch_id)},
};
const struct fields recorded_task_fields = FIELDS(struct recorded_task, recorded_task_list);

static const struct field task_recorded_list[] = {
    {.name = "tasks",
     .type = FIELD_RECORDS,
     .offset = offsetof(struct task_recorded, tasks),
     .of = &recorded_task_fields,
     .max = 4000},
};
static const struct fields task_recorded_fields = FIELDS(struct task_recorded, task_recorded_list);

const struct message_type task_recorded_message = {
    .name = "task.recorded",
    .version = 1,
    .fields = &task_recorded_fields,
    .topic = "scheduling",
    .text = "the streams of these dispatches are complete in the ledger",
};
