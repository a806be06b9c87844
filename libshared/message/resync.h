/* SPDX-License-Identifier: Apache-2.0 */
/* Asked for when a topic is not the log that it was. The scheduler hands the token on to its workers. */
#pragma once

#include "message/message.h"

struct resync {
    struct uuid token; /* acted upon once */
    char *topic;       /* which log was lost */
};

extern const struct message_type resync_message;
