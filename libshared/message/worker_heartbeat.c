/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of worker.heartbeat. */
#include "message/worker_heartbeat.h"

#include "model/limits.h"

static const char *const held_state_list[] = {"accepted", "running", "finished"};
const struct names held_state_names = NAMES("state of a held dispatch", held_state_list);

static const struct field held_dispatch_list[] = {
    {.name = "dispatch_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct held_dispatch, dispatch_id)},
    {.name = "state",
     .type = FIELD_ENUM,
     .offset = offsetof(struct held_dispatch, state),
     .names = &held_state_names},
};
const struct fields held_dispatch_fields = FIELDS(struct held_dispatch, held_dispatch_list);

static const struct field worker_heartbeat_list[] = {
    {.name = "worker_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct worker_heartbeat, worker_id)},
    {.name = "pool_id", .type = FIELD_UUID, .offset = offsetof(struct worker_heartbeat, pool_id)},
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct worker_heartbeat, name),
     .max = 255},
    {.name = "incarnation",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_heartbeat, incarnation),
     .min = 1,
     .max = INT64_MAX},
    {.name = "seq",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_heartbeat, seq),
     .min = 1,
     .max = INT64_MAX},
    {.name = "epoch",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_heartbeat, epoch),
     .min = 0,
     .max = LIMIT_EPOCH},
    {.name = "lane",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_heartbeat, lane),
     .min = 0,
     .max = 65535},
    {.name = "slots",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_heartbeat, slots),
     .min = 0,
     .max = 256},
    {.name = "free_slots",
     .type = FIELD_INT,
     .offset = offsetof(struct worker_heartbeat, free_slots),
     .min = 0,
     .max = 256},
    {.name = "draining",
     .type = FIELD_BOOL,
     .offset = offsetof(struct worker_heartbeat, draining),
     .optional = true},
    {.name = "software",
     .type = FIELD_TEXT,
     .offset = offsetof(struct worker_heartbeat, software),
     .optional = true},
    {.name = "labels", .type = FIELD_OBJECT, .offset = offsetof(struct worker_heartbeat, labels)},
    {.name = "dispatches",
     .type = FIELD_RECORDS,
     .offset = offsetof(struct worker_heartbeat, dispatches),
     .of = &held_dispatch_fields,
     .max = 10000},
    {.name = "resync_token",
     .type = FIELD_TEXT,
     .offset = offsetof(struct worker_heartbeat, resync_token),
     .optional = true,
     .max = 63},
};
static const struct fields worker_heartbeat_fields =
    FIELDS(struct worker_heartbeat, worker_heartbeat_list);

const struct message_type worker_heartbeat_message = {
    .name = "worker.heartbeat",
    .version = 1,
    .fields = &worker_heartbeat_fields,
    .topic = "scheduling",
    .text = "a worker is alive, and all that it holds",
};
