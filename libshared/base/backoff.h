/* SPDX-License-Identifier: Apache-2.0 */
/* When to try again: exponential, with jitter, reset by success. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct backoff {
    unsigned attempts;
    int64_t next_ms; /* monotonic; 0: at once */
    int64_t base_ms, max_ms;
};

void backoff_init(struct backoff *backoff, int64_t base_ms, int64_t max_ms);
bool backoff_is_due(const struct backoff *backoff);
void backoff_failed(struct backoff *backoff);
void backoff_succeeded(struct backoff *backoff);
int64_t backoff_wait_ms(const struct backoff *backoff); /* 0 when due */
