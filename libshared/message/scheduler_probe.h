/* SPDX-License-Identifier: Apache-2.0 */
/* A scheduler's message to itself: while it comes back in time, silence of workers is theirs, not ours. */
#pragma once

#include "message/message.h"

struct scheduler_probe {
    char *instance;
    int64_t epoch;
    int64_t seq;
};

extern const struct message_type scheduler_probe_message;
