/* SPDX-License-Identifier: Apache-2.0 */
/* What time brings: leases, lost acknowledgements, deadlines, and all that a lost hint has not told. */
#pragma once

#include "brain.h"

/* One pass of the loop over a brain. Returns ms until it wants the next. */
int64_t reaper_pass(struct brain *brain);
