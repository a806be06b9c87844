/* SPDX-License-Identifier: Apache-2.0 */
/* Is the log of an owned partition the log that its offset was taken from? (What tells two logs apart is in
 * identity.h.) Only libshared/ledger includes this. */
#pragma once

#include "ledger/partition.h"

/* Where the log begins and ends. 1: the answer of the broker; 0: it is not there yet; -1: it was refused. A
 * partition whose broker does not answer is not ready. */
int verify_ask_ends(struct ledger_partition *partition, struct log_ends *ends_r,
                    struct error *error) WARN_UNUSED;

/* The last record that was taken is what the log is known by from now on. */
void verify_drop_anchor(struct ledger_partition *partition);

/* Reads the anchor, to compare it with what we remember of it: VERIFYING then, or OWNED where there is
 * nothing to remember. */
int verify_start(struct ledger_partition *partition, struct error *error) WARN_UNUSED;
/* The step of VERIFYING; never more to do at once. */
bool verify_step(struct ledger_partition *partition);
/* The record that reading gave first: OWNED when it is the anchor, RESETTING when it is another. Borrowed. */
void verify_record(struct ledger_partition *partition, const struct record *record);
/* The broker has nothing at our offset: is it gone by retention, or is it another log? True when that is
 * judged. */
bool verify_range(struct ledger_partition *partition);
/* Nothing was ever taken, so there is no record to compare: see at least that what is there does come. */
void verify_progress(struct ledger_partition *partition);
void verify_on_log_error(struct ledger_partition *partition, const struct error *error);
