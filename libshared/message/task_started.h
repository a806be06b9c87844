/* SPDX-License-Identifier: Apache-2.0 */
/* Sent by the worker just before exec. Carries a MAC. It has no row: dispatched → running. */
#pragma once

#include "message/message.h"

struct task_started {
    struct uuid worker_id;
    struct uuid pool_id;
    int64_t incarnation;
    struct uuid run_id;
    struct uuid task_id;
    struct uuid dispatch_id;
    int64_t attempt;
};

extern const struct message_type task_started_message;
