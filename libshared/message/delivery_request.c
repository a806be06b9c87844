/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of delivery.request. */
#include "message/delivery_request.h"

static const struct field delivery_request_list[] = {
    {.name = "request_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct delivery_request, request_id)},
    {.name = "project_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct delivery_request, project_id)},
};
static const struct fields delivery_request_fields =
    FIELDS(struct delivery_request, delivery_request_list);

const struct message_type delivery_request_message = {
    .name = "delivery.request",
    .version = 1,
    .fields = &delivery_request_fields,
    .topic = "events",
    .text = "test or repeat a webhook delivery: read the row from Postgres",
};
