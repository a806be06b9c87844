/* SPDX-License-Identifier: Apache-2.0 */
/* Who reads along what the tests of a run write. One thread with a connection of its own looks twice a second for
 * what has come, as far as each reader keeps up. */
#pragma once

#include "base/uuid.h"
#include "http/stream.h"
#include "store/store.h"

#define LOG_STREAM_BYTES ((size_t)6 * 1024 * 1024) /* that a stream of it has to take */

struct log_follow;

int log_follow_start(const struct store_settings *store, struct log_follow **follow_r,
                     struct error *error) WARN_UNUSED;
void log_follow_stop(struct log_follow **follow);

/* Sends what is there and what comes, of one task or ("") of all, until the run is final and all was sent: then
 * an event "end", and the stream ends. Takes a reference of its own. "too_many" beyond LIMIT_LOG_READERS. */
int log_follow_add(struct log_follow *follow, const struct uuid *run_id, const struct uuid *task_id,
                   struct stream *stream, struct error *error) WARN_UNUSED;
