/* SPDX-License-Identifier: Apache-2.0 */
/* How a partition becomes ours, and is made ours again: raising the epoch, loading the owner's state, starting
 * another log from its beginning. One step function per state; true when there is more to do at once. Only
 * libshared/ledger includes this. */
#pragma once

#include "ledger/partition.h"

bool take_over_step(struct ledger_partition *partition);           /* of TAKING */
bool take_over_step_reloading(struct ledger_partition *partition); /* same epoch */
bool take_over_step_resetting(struct ledger_partition *partition); /* the log is another one */
bool take_over_step_raising(struct ledger_partition *partition);   /* above seen_epoch */
/* Another owner has taken it over; TAKING when the group still gives it to us. */
bool take_over_step_fenced(struct ledger_partition *partition);
