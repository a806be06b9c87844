/* SPDX-License-Identifier: Apache-2.0 */
/* Says that this worker is alive, and all that it holds. */
#pragma once

#include "executor.h"

/* Sends one when it is due. Returns ms until the next. */
int64_t heartbeat_work(struct executor *executor);
/* When that one was sent, by boot_ms(); 0 when it is not known any more. */
int64_t heartbeat_sent_ms(const struct executor *executor, int64_t seq);
