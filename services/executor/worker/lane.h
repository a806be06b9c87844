/* SPDX-License-Identifier: Apache-2.0 */
/* What the scheduler says on this worker's lane, and what of it is still true: an older epoch, a lower
 * number or another incarnation is dropped. */
#pragma once

#include "executor.h"

/* Whether a message is not older than what was heard, which it then becomes; an epoch that is far beyond what
 * was heard is nobody's, and is not taken. numbered: it is for this
 * worker alone, so its number and incarnation count as well. */
bool lane_is_current(struct executor *executor, const json_t *json, bool numbered);

/* All that waits. */
void lane_work(struct executor *executor);
