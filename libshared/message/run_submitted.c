/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of run.submitted. */
#include "message/run_submitted.h"

static const struct field run_submitted_list[] = {
    {.name = "run_id", .type = FIELD_UUID, .offset = offsetof(struct run_submitted, run_id)},
    {.name = "pool_id", .type = FIELD_UUID, .offset = offsetof(struct run_submitted, pool_id)},
};
static const struct fields run_submitted_fields = FIELDS(struct run_submitted, run_submitted_list);

const struct message_type run_submitted_message = {
    .name = "run.submitted",
    .version = 1,
    .fields = &run_submitted_fields,
    .topic = "scheduling",
    .text = "a run was accepted: read it from Postgres",
};
