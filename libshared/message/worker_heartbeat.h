/* SPDX-License-Identifier: Apache-2.0 */
/* A worker says that it is alive and everything that it holds. Sent every few seconds and at once when a
 * slot frees. Carries a MAC. Lower (incarnation, seq) is dropped. */
#pragma once

#include "message/message.h"

enum held_state { HELD_ACCEPTED, HELD_RUNNING, HELD_FINISHED };
extern const struct names held_state_names;

struct held_dispatch {
    struct uuid dispatch_id;
    int state; /* enum held_state */
};
extern const struct fields held_dispatch_fields;

struct worker_heartbeat {
    struct uuid worker_id;
    struct uuid pool_id;
    char *name;
    int64_t incarnation; /* counts the starts of this worker, fsynced beside its spool */
    int64_t seq;         /* counts its heartbeats within the incarnation */
    int64_t epoch;       /* the highest that it has seen on its lane */
    int64_t lane;        /* its partition of the pool's lanes topic */
    int64_t slots;
    int64_t free_slots; /* its credits: so many tasks may be sent */
    bool draining;
    char *software; /* version of the executor */
    json_t *labels;
    struct records
        dispatches; /* of struct held_dispatch; accepted, running, or finished and not settled */
    char *resync_token; /* the last one that it has acted on */
};

extern const struct message_type worker_heartbeat_message;
