/* SPDX-License-Identifier: Apache-2.0 */
/* The retry schedule: waits, jitter, Retry-After. */
#include "schedule.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/limits.h"

#define WAIT_TEXT_SIZE 24
#define WAIT_MAX_MS    ((int64_t)7 * 24 * 3600 * 1000)

int schedule_parse(const char *text, struct schedule *schedule_r, struct error *error)
{
    struct schedule schedule = {.attempts = 0};
    const char *rest = text;
    while (rest != NULL) {
        char wait[WAIT_TEXT_SIZE];
        const char *comma = strchr(rest, ',');
        size_t length = comma == NULL ? strlen(rest) : (size_t)(comma - rest);
        if (schedule.attempts == SCHEDULE_ATTEMPTS_MAX)
            return error_set(error, "invalid", "a schedule has at most %d attempts",
                             SCHEDULE_ATTEMPTS_MAX);
        snprintf(wait, sizeof wait, "%.*s", (int)length, rest);
        if (duration_parse(wait, 0, WAIT_MAX_MS, &schedule.waits_ms[schedule.attempts], error) < 0)
            return error_wrap(error, "wait %d of the schedule", schedule.attempts + 1);
        schedule.attempts++;
        rest = comma == NULL ? NULL : comma + 1;
    }
    *schedule_r = schedule;
    return 0;
}

bool schedule_has_next(const struct schedule *schedule, int made)
{
    return made < schedule->attempts;
}

static int64_t with_jitter(int64_t wait_ms, uint16_t jitter)
{
    int64_t part_ms = wait_ms / SCHEDULE_JITTER_PARTS;
    return wait_ms - part_ms + 2 * part_ms * jitter / UINT16_MAX;
}

int64_t schedule_hold_ms(int64_t retry_after_s)
{
    if (retry_after_s <= 0)
        return 0;
    return retry_after_s < LIMIT_RETRY_AFTER_MS / 1000 ? retry_after_s * 1000
                                                       : LIMIT_RETRY_AFTER_MS;
}

int64_t schedule_wait_ms(const struct schedule *schedule, int made, uint16_t jitter,
                         int64_t retry_after_s)
{
    assert(schedule_has_next(schedule, made));
    int64_t wait_ms = with_jitter(schedule->waits_ms[made], jitter);
    int64_t asked_ms = schedule_hold_ms(retry_after_s);
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}
