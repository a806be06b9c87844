/* SPDX-License-Identifier: Apache-2.0 */
/* When a delivery is tried, and when it is given up: a list of waits, one before each attempt. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define SCHEDULE_ATTEMPTS_MAX 32
#define SCHEDULE_JITTER_PARTS 10 /* a wait is up to a tenth shorter or longer */

struct schedule {
    int64_t waits_ms[SCHEDULE_ATTEMPTS_MAX];
    int attempts;
};

/* "0s,5s,5m,30m,2h": one wait before each attempt. */
int schedule_parse(const char *text, struct schedule *schedule_r, struct error *error) WARN_UNUSED;

/* May there be another attempt after `made` ones? */
bool schedule_has_next(const struct schedule *schedule, int made);

/* How long the receiver has asked to be left alone (retry_after_s; -1: it has not), capped. */
int64_t schedule_hold_ms(int64_t retry_after_s);

/* The wait before the attempt that follows `made` ones, moved by jitter (0 … 65535: from a tenth less to
 * a tenth more), and at least what the receiver asked for (retry_after_s; -1: nothing), capped. */
int64_t schedule_wait_ms(const struct schedule *schedule, int made, uint16_t jitter,
                         int64_t retry_after_s);
