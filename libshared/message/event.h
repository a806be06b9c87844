/* SPDX-License-Identifier: Apache-2.0 */
/* What the world may know: recorded by the notifier, streamed live by api-ingest. `id` was made by the
 * writer. Progress (`run.progress`) is lossy and has no version. */
#pragma once

#include "message/message.h"

struct event {
    struct uuid id;
    char *event; /* "run.finished" …: a name of model/events */
    struct uuid project_id;
    struct uuid run_id;
    int64_t run_version;
    int64_t at; /* unix ms */
    json_t *data;
};

extern const struct message_type event_message;
