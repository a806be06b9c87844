/* SPDX-License-Identifier: Apache-2.0 */
/* What the scheduler says on this worker's lane, and what of it is still true: an older epoch, a lower
 * number or another incarnation is dropped. */
#pragma once

#include "executor.h"

/* All that waits. */
void lane_work(struct executor *executor);
