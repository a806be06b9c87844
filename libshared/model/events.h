/* SPDX-License-Identifier: Apache-2.0 */
/* The closed list of event types that webhooks and live streams carry. X(name, type, text) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EVENT_TYPES(X)                                                                             \
    X(RUN_QUEUED, "run.queued", "a run was accepted by its scheduler")                             \
    X(RUN_STARTED, "run.started", "the first test process of a run was started")                   \
    X(RUN_PROGRESS, "run.progress", "totals of a running run; lossy, not for webhooks")            \
    X(RUN_FINISHED, "run.finished", "a run has its verdict")                                       \
    X(WORKER_LOST, "worker.lost", "a worker fell silent while it had work")                        \
    X(ENDPOINT_TEST, "endpoint.test", "somebody asked for a test delivery")

enum event_type_id {
#define X(name, type, text) EVENT_##name,
    EVENT_TYPES(X)
#undef X
        EVENT_TYPE_COUNT
};

struct event_type {
    const char *type;
    const char *text;
};
extern const struct event_type event_types[EVENT_TYPE_COUNT];

/* Does a subscription pattern ("run.finished", "run.*", "*") cover the type? */
bool event_pattern_covers(const char *pattern, const char *type);
bool event_pattern_is_valid(const char *pattern); /* covers at least one known type */
