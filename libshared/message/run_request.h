/* SPDX-License-Identifier: Apache-2.0 */
/* A hint that a row of api.run_request is there. The row decides. */
#pragma once

#include "message/message.h"

struct run_request {
    struct uuid run_id;
    struct uuid pool_id;
};

extern const struct message_type run_request_message;
