/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of run.request. */
#include "message/run_request.h"

static const struct field run_request_list[] = {
    {.name = "run_id", .type = FIELD_UUID, .offset = offsetof(struct run_request, run_id)},
    {.name = "pool_id", .type = FIELD_UUID, .offset = offsetof(struct run_request, pool_id)},
};
static const struct fields run_request_fields = FIELDS(struct run_request, run_request_list);

const struct message_type run_request_message = {
    .name = "run.request",
    .version = 1,
    .fields = &run_request_fields,
    .topic = "scheduling",
    .text = "somebody asked something of a run, or uploaded results: read it from Postgres",
};
