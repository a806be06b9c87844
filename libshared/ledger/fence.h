/* SPDX-License-Identifier: Apache-2.0 */
/* The one fence: the row of inbox_offset. Its SQL and nothing else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ledger/identity.h"
#include "store/store.h"

struct fence; /* the statements for one schema, group and topic */

struct fence *fence_new(const char *schema, const char *group, const char *topic);
void fence_free(struct fence **fence);

/* A record that the log is known by. It was taken before the last check, or was the last at the take-over: a
 * log that was made again since then, and has grown beyond our offset, has another one in its place. */
struct anchor {
    int64_t offset;
    struct record_hash hash; /* unknown: nothing was ever taken */
};

struct fence_row {
    int64_t epoch;
    int64_t next_offset;
    struct record_hash hash; /* of the record at next_offset - 1 */
    struct anchor anchor;
};

/* Raises the epoch and commits that; a partition seen for the first time begins at first_offset. */
int fence_take(const struct fence *fence, struct store *store, int32_t partition, const char *owner,
               int64_t first_offset, struct fence_row *row_r, struct error *error) WARN_UNUSED;

/* Reads the row inside the caller's snapshot. Code "fenced" when the epoch is not `epoch`. */
int fence_read(const struct fence *fence, struct store *store, int32_t partition, int64_t epoch,
               struct fence_row *row_r, struct error *error) WARN_UNUSED;

/* BEGIN and compare-and-set in one round trip: from row to next_offset and hash; row's anchor is written with
 * it, for the next owner. Code "fenced" (the
 * transaction is rolled back) when another owner has been there. */
int fence_begin_batch(const struct fence *fence, struct store *store, int32_t partition,
                      const struct fence_row *row, int64_t next_offset,
                      const struct record_hash *hash, struct error *error) WARN_UNUSED;

/* BEGIN and the same comparison under a row lock, with nothing to set: for timers. */
int fence_begin_timer(const struct fence *fence, struct store *store, int32_t partition,
                      const struct fence_row *row, struct error *error) WARN_UNUSED;

/* BEGIN and a compare-and-set to another log's start, with the epoch raised: resync follows. */
int fence_begin_reset(const struct fence *fence, struct store *store, int32_t partition,
                      const struct fence_row *row, int64_t log_start,
                      struct error *error) WARN_UNUSED;

/* Compare-and-set of the own epoch to one above `seen`, committed. */
int fence_raise(const struct fence *fence, struct store *store, int32_t partition,
                const struct fence_row *row, int64_t seen, struct error *error) WARN_UNUSED;
