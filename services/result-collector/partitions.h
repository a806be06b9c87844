/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the months of results: makes partitions from the oldest month that is kept to three months
 * ahead, drops those whose whole month is older than the retention and has no run any more. On start and
 * every hour. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "store/store.h"

#define PARTITION_MONTHS_AHEAD 3

struct partitions;

struct partitions *partitions_new(const struct store_settings *store, int64_t retention_ms);
void partitions_free(struct partitions **partitions);

/* Does what is due. Returns ms until it wants to be called again. */
int64_t partitions_work(struct partitions *partitions);

/* Nothing can be written before they are made for the first time. */
bool partitions_are_ready(const struct partitions *partitions, char *reason, size_t size);

/* Is there a partition for this run? One that is open keeps its month, however old; of others a month that is
 * older than what is kept may be dropped at any time, by another instance too. */
bool partitions_cover(const struct partitions *partitions, const struct uuid *run_id, bool is_open);

/* Is it so old that it may have been removed? */
bool partitions_are_past(const struct partitions *partitions, const struct uuid *run_id);
