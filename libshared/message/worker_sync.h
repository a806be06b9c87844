/* SPDX-License-Identifier: Apache-2.0 */
/* Every few seconds: everything that the worker should hold (never split; what is not in it is ended), and
 * what may be trimmed from its spool. */
#pragma once

#include "message/message.h"

struct worker_sync {
    struct uuid worker_id;
    int64_t epoch;
    int64_t seq;
    int64_t incarnation;
    int64_t
        heartbeat_seq; /* the heartbeat that this set answers: a dispatch accepted later is not judged by it */
    struct texts running; /* dispatch ids */
    struct texts settled; /* dispatch ids: may be forgotten */
    struct texts
        unknown;        /* dispatch ids that the ledger has never heard of: to be kept for people */
    char *resync_token; /* send the spool again when it is a new one */
};

extern const struct message_type worker_sync_message;
