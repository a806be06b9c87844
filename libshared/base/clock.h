/* SPDX-License-Identifier: Apache-2.0 */
/* Two clocks: monotonic for leases and time-outs inside a process, wall for display and tokens.
 * Persisted deadlines use neither: they are set and compared in SQL. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t monotonic_ms(void);
int64_t monotonic_us(void);
/* The moment so many ms from now, on the monotonic clock: what pthread_cond_timedwait is given. */
struct timespec monotonic_in(int64_t ms);
int64_t boot_ms(void); /* as monotonic_ms, but it goes on while the machine is suspended */
int64_t wall_ms(void); /* unix time */
int64_t wall_us(void);

#define TIME_TEXT_SIZE 32
/* "2026-11-24T10:57:54.123Z" (RFC 3339, UTC, milliseconds) into text. Returns text. */
const char *time_format(int64_t unix_ms, char text[TIME_TEXT_SIZE]);

/* Exponential backoff with full jitter: between base/2 and min(base · 2^attempt, max). */
int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t max_ms);
