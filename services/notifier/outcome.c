/* SPDX-License-Identifier: Apache-2.0 */
/* 2xx is success, 410 disables, all else is tried again while the schedule lasts; redirects are not
 * followed, so they are failures. */
#include "outcome.h"

#define STATUS_GONE 410

static const char *const delivery_states[] = {
    [DELIVERY_PENDING] = "pending",
    [DELIVERY_DELIVERED] = "delivered",
    [DELIVERY_EXHAUSTED] = "exhausted",
    [DELIVERY_DISABLED] = "disabled",
};
const struct names delivery_state_names = NAMES("delivery state", delivery_states);

struct outcome outcome_of(const struct schedule *schedule, int attempts, long status,
                          int64_t retry_after_s, uint16_t jitter)
{
    if (status >= 200 && status <= 299)
        return (struct outcome){.state = DELIVERY_DELIVERED};
    if (status == STATUS_GONE)
        return (struct outcome){.state = DELIVERY_DISABLED, .disables_endpoint = true};
    const int64_t hold_ms = schedule_hold_ms(retry_after_s);
    if (!schedule_has_next(schedule, attempts))
        return (struct outcome){.state = DELIVERY_EXHAUSTED, .hold_ms = hold_ms};
    return (struct outcome){.state = DELIVERY_PENDING,
                            .hold_ms = hold_ms,
                            .wait_ms = schedule_wait_ms(schedule, attempts, jitter, retry_after_s)};
}
