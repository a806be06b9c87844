/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again. */
#include "base/backoff.h"

#include "base/clock.h"

void backoff_init(struct backoff *backoff, int64_t base_ms, int64_t max_ms)
{
    *backoff = (struct backoff){.base_ms = base_ms, .max_ms = max_ms};
}

bool backoff_is_due(const struct backoff *backoff)
{
    return backoff_wait_ms(backoff) == 0;
}

/* Failures that come together, of one outage, count once. */
void backoff_failed(struct backoff *backoff)
{
    if (!backoff_is_due(backoff))
        return;
    backoff->next_ms =
        monotonic_ms() + backoff_ms(backoff->attempts, backoff->base_ms, backoff->max_ms);
    if (backoff->attempts < 32)
        backoff->attempts++;
}

void backoff_succeeded(struct backoff *backoff)
{
    backoff->attempts = 0;
    backoff->next_ms = 0;
}

int64_t backoff_wait_ms(const struct backoff *backoff)
{
    int64_t left_ms = backoff->next_ms - monotonic_ms();
    return left_ms > 0 ? left_ms : 0;
}
