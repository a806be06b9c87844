/* SPDX-License-Identifier: Apache-2.0 */
/* A hint that a row of api.delivery_request is there. The row decides. */
#pragma once

#include "message/message.h"

struct delivery_request {
    struct uuid request_id;
    struct uuid project_id;
};

extern const struct message_type delivery_request_message;
