/* SPDX-License-Identifier: Apache-2.0 */
/* Says that this worker is alive, and all that it holds. */
#pragma once

#include "executor.h"

/* Sends one when it is due. Returns ms until the next. */
int64_t heartbeat_work(struct executor *executor);
