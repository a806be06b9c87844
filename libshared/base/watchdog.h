/* SPDX-License-Identifier: Apache-2.0 */
/* A time limit for calls into libraries that may hang: when it is over the process says which one it
 * was and ends, to be started again. */
#pragma once

#include <stdint.h>

struct watchdog;

struct watchdog *watchdog_start(const char *what, int64_t limit_ms);
void watchdog_stop(struct watchdog **watchdog);
