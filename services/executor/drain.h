/* SPDX-License-Identifier: Apache-2.0 */
/* A graceful stop: takes nothing more, waits for what runs, tells the scheduler. */
#pragma once

#include "executor.h"

extern const struct stop_step executor_stop[];
extern const size_t executor_stop_count;

/* Near the end of the grace what still runs is handed back. Returns ms until then; -1: never, or it was. */
int64_t drain_hand_back_when_due(struct executor *executor);
