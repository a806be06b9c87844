/* SPDX-License-Identifier: Apache-2.0 */
/* Messages are hints, and may be lost: what is there in Postgres though nobody told us. */
#pragma once

#include "brain.h"

/* Pools of our partition, runs that were asked for (of the last minutes, and once after a take-over of all of
 * the past), and open runs that wait for room in the window. */
int search_untold(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;
