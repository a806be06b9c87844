/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of resync. */
#include "message/resync.h"

static const struct field resync_list[] = {
    {.name = "token", .type = FIELD_UUID, .offset = offsetof(struct resync, token)},
    {.name = "topic", .type = FIELD_TEXT, .offset = offsetof(struct resync, topic), .max = 255},
};
static const struct fields resync_fields = FIELDS(struct resync, resync_list);

const struct message_type resync_message = {
    .name = "resync",
    .version = 1,
    .fields = &resync_fields,
    .topic = "scheduling",
    .text = "a log was lost: workers send their spools again, owners load again",
};
