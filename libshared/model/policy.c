/* SPDX-License-Identifier: Apache-2.0 */
/* The policy's fields, bounds and defaults. */
#include "model/policy.h"

#include "model/limits.h"

static const struct field list[] = {
    {.name = "queue_timeout_ms", .type = FIELD_INT, .offset = offsetof(struct policy, queue_timeout_ms),
     .optional = true, .min = 100, .max = LIMIT_TIMEOUT_MAX_MS, .fallback = LIMIT_QUEUE_TIMEOUT_MS},
    {.name = "task_timeout_ms", .type = FIELD_INT, .offset = offsetof(struct policy, task_timeout_ms),
     .optional = true, .min = 100, .max = LIMIT_TIMEOUT_MAX_MS, .fallback = LIMIT_TASK_TIMEOUT_MS},
    {.name = "run_timeout_ms", .type = FIELD_INT, .offset = offsetof(struct policy, run_timeout_ms),
     .optional = true, .min = 100, .max = LIMIT_TIMEOUT_MAX_MS, .fallback = LIMIT_RUN_TIMEOUT_MS},
    {.name = "grace_ms", .type = FIELD_INT, .offset = offsetof(struct policy, grace_ms),
     .optional = true, .min = 0, .max = 600000, .fallback = 10000},
    {.name = "attempts", .type = FIELD_INT, .offset = offsetof(struct policy, attempts),
     .optional = true, .min = 1, .max = LIMIT_ATTEMPTS, .fallback = 3},
    {.name = "allow_empty", .type = FIELD_BOOL, .offset = offsetof(struct policy, allow_empty), .optional = true},
    {.name = "cancel_superseded", .type = FIELD_BOOL, .offset = offsetof(struct policy, cancel_superseded),
     .optional = true},
};
const struct fields policy_fields = FIELDS(struct policy, list);
