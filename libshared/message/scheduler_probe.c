/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of scheduler.probe. */
#include "message/scheduler_probe.h"

#include "model/limits.h"

static const struct field scheduler_probe_list[] = {
    {.name = "instance",
     .type = FIELD_TEXT,
     .offset = offsetof(struct scheduler_probe, instance),
     .max = 255},
    {.name = "epoch",
     .type = FIELD_INT,
     .offset = offsetof(struct scheduler_probe, epoch),
     .min = 0,
     .max = LIMIT_EPOCH},
    {.name = "seq", .type = FIELD_INT, .offset = offsetof(struct scheduler_probe, seq)},
};
static const struct fields scheduler_probe_fields =
    FIELDS(struct scheduler_probe, scheduler_probe_list);

const struct message_type scheduler_probe_message = {
    .name = "scheduler.probe",
    .version = 1,
    .fields = &scheduler_probe_fields,
    .topic = "scheduling",
    .text = "a scheduler measures that its own partition moves",
};
