/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of worker.sync. */
#include "message/worker_sync.h"

#include "model/limits.h"

static const struct field worker_sync_list[] = {
    {.name = "worker_id", .type = FIELD_UUID, .offset = offsetof(struct worker_sync, worker_id)},
    {.name = "epoch",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_sync, epoch),
     .min = 0,
     .max = LIMIT_EPOCH},
    {.name = "seq", .type = FIELD_INT, .offset = offsetof(struct worker_sync, seq)},
    {.name = "incarnation", .type = FIELD_INT, .offset = offsetof(struct worker_sync, incarnation)},
    {.name = "heartbeat_seq",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_sync, heartbeat_seq)},
    {.name = "running",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct worker_sync, running),
     .max = 10000},
    {.name = "settled",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct worker_sync, settled),
     .optional = true,
     .max = 10000},
    {.name = "unknown",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct worker_sync, unknown),
     .optional = true,
     .max = 10000},
    {.name = "resync_token",
     .type = FIELD_TEXT,
     .offset = offsetof(struct worker_sync, resync_token),
     .optional = true,
     .max = 63},
};
static const struct fields worker_sync_fields = FIELDS(struct worker_sync, worker_sync_list);

const struct message_type worker_sync_message = {
    .name = "worker.sync",
    .version = 1,
    .fields = &worker_sync_fields,
    .topic = "lanes.<pool>",
    .text = "the full set that a worker should be running, and what is settled",
};
