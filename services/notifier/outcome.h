/* SPDX-License-Identifier: Apache-2.0 */
/* What one attempt means for its delivery. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"
#include "schedule.h"

enum delivery_state {
    DELIVERY_PENDING,   /* another attempt is due */
    DELIVERY_DELIVERED, /* answered 2xx */
    DELIVERY_EXHAUSTED, /* the schedule is over */
    DELIVERY_DISABLED,  /* its endpoint is: by its owner, by 410, or it was removed */
};
extern const struct names delivery_state_names;

struct outcome {
    enum delivery_state state;
    int64_t wait_ms;        /* pending: until the next attempt */
    int64_t hold_ms;        /* its endpoint has asked to be left alone for so long; 0: it has not */
    bool disables_endpoint; /* 410 Gone */
};

/* attempts: made, this one included; status: of the answer, 0 when there was none; retry_after_s: -1 when
 * there was none. */
struct outcome outcome_of(const struct schedule *schedule, int attempts, long status,
                          int64_t retry_after_s, uint16_t jitter);
