/* SPDX-License-Identifier: Apache-2.0 */
/* End a dispatch: TERM, grace, KILL. The stream is finished with the ending `cancelled`. */
#pragma once

#include "message/message.h"

struct task_cancel {
    struct uuid worker_id;
    int64_t epoch;
    int64_t seq;
    int64_t incarnation;
    struct uuid dispatch_id;
    int64_t grace_ms;
};

extern const struct message_type task_cancel_message;
