/* SPDX-License-Identifier: Apache-2.0 */
/* A hint that a run was accepted. The row api.run decides. */
#pragma once

#include "message/message.h"

struct run_submitted {
    struct uuid run_id;
    struct uuid pool_id;
};

extern const struct message_type run_submitted_message;
