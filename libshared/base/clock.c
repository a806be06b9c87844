/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and backoff. */
#include "base/clock.h"

#include <sodium.h>
#include <stdio.h>

static int64_t read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t monotonic_ms(void)
{
    return monotonic_us() / 1000;
}

struct timespec monotonic_in(int64_t ms)
{
    int64_t at_ms = monotonic_ms() + ms;
    return (struct timespec){.tv_sec = (time_t)(at_ms / 1000),
                             .tv_nsec = (long)(at_ms % 1000) * 1000000};
}

int64_t boot_ms(void)
{
    return read_us(CLOCK_BOOTTIME) / 1000;
}

int64_t wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

int64_t wall_ms(void)
{
    return wall_us() / 1000;
}

const char *time_format(int64_t unix_ms, char text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t length = strftime(text, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + length, TIME_TEXT_SIZE - length, ".%03dZ", (int)(unix_ms % 1000));
    return text;
}

int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t max_ms)
{
    int64_t ceiling = base_ms;
    while (attempt-- > 0 && ceiling < max_ms)
        ceiling *= 2;
    if (ceiling > max_ms)
        ceiling = max_ms;
    int64_t floor = base_ms / 2 < ceiling ? base_ms / 2 : ceiling;
    return floor + (int64_t)randombytes_uniform((uint32_t)(ceiling - floor + 1));
}
