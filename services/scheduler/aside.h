/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that Postgres refuses as data, or that cannot be read: a fault of ours, which must not stop the runs
 * beside them. They are kept out of memory, and ended as errored (`internal_error`) by statements that use
 * nothing of them but their id. One whose end is refused as well stays aside, and is tried once a minute. */
#pragma once

#include "brain.h"
#include "scheduler.h"

/* Takes the run out of the way. */
void aside_add(struct scheduler *scheduler, int32_t partition, const struct uuid *run_id,
               const struct error *why);
bool aside_has(const struct scheduler *scheduler, const struct uuid *run_id);

/* A statement about many things was refused, and it is not known which of them it was: statements are about
 * one thing each for a while. */
void aside_be_careful(struct scheduler *scheduler);
bool aside_is_careful(const struct scheduler *scheduler);

/* The partition's next run to be ended; NULL: none is due. Borrowed until aside_remove. */
const struct uuid *aside_next(struct scheduler *scheduler, int32_t partition);
/* Ends it, in the open transaction. After COMMIT: aside_remove. */
int aside_end(struct brain *brain, struct store *store, const struct uuid *run_id,
              struct error *error) WARN_UNUSED;
void aside_remove(struct scheduler *scheduler, const struct uuid *run_id);
void aside_free(struct scheduler *scheduler);
