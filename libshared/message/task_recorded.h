/* SPDX-License-Identifier: Apache-2.0 */
/* A hint that task_record rows are finished: one message per commit and scheduling partition. */
#pragma once

#include "message/message.h"

struct recorded_task {
    struct uuid run_id;
    struct uuid task_id;
    struct uuid dispatch_id;
};
extern const struct fields recorded_task_fields;

struct task_recorded {
    struct records tasks; /* of struct recorded_task */
};

extern const struct message_type task_recorded_message;
