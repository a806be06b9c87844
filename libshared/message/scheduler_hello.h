/* SPDX-License-Identifier: Apache-2.0 */
/* A new owner of the pool's partition greets everyone on the lane, and is answered by heartbeats. */
#pragma once

#include "message/message.h"

struct scheduler_hello {
    struct uuid pool_id;
    int64_t epoch;
    char *instance;
};

extern const struct message_type scheduler_hello_message;
