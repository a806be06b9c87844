/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of task.started. */
#include "message/task_started.h"

static const struct field task_started_list[] = {
    {.name = "worker_id", .type = FIELD_UUID, .offset = offsetof(struct task_started, worker_id)},
    {.name = "pool_id", .type = FIELD_UUID, .offset = offsetof(struct task_started, pool_id)},
    {.name = "incarnation",
     .type = FIELD_INT,
     .offset = offsetof(struct task_started, incarnation),
     .min = 1,
     .max = INT64_MAX},
    {.name = "run_id", .type = FIELD_UUID, .offset = offsetof(struct task_started, run_id)},
    {.name = "task_id", .type = FIELD_UUID, .offset = offsetof(struct task_started, task_id)},
    {.name = "dispatch_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct task_started, dispatch_id)},
    {.name = "attempt",
     .type = FIELD_INT,
     .offset = offsetof(struct task_started, attempt),
     .min = 1,
     .max = 1000000},
};
static const struct fields task_started_fields = FIELDS(struct task_started, task_started_list);

const struct message_type task_started_message = {
    .name = "task.started",
    .version = 1,
    .fields = &task_started_fields,
    .topic = "scheduling",
    .text = "the first test process of a dispatch is about to be executed",
};
