/* SPDX-License-Identifier: Apache-2.0 */
/* How long a worker has been silent, on our own monotonic clock, and whether that may be held against it.
 * Pure: time is an argument. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LEASE_STEP_MAX_MS  1000 /* one pass ages a lease by no more: our own pauses are ours */
#define PROBE_PATIENCE_MS  2000 /* our own message comes back within it, or the log is late */
#define FREEZE_MAX_MS      (10 * 60 * 1000) /* silence of most of a pool is forgiven no longer */
#define FREEZE_WORKERS_MIN 4

struct lease {
    int64_t silent_ms;
};

/* elapsed_ms since the last pass; log_moves: our probe came back in time. */
void lease_age(struct lease *lease, int64_t elapsed_ms, bool log_moves);
void lease_renew(struct lease *lease);

/* Most of a pool silent at once is the broker, not the workers. */
struct freeze {
    bool frozen; /* most of the pool is silent */
    bool holds;  /* and not for too long yet: nobody may be lost */
    int64_t since_ms;
};

/* Sets `holds`, and returns it. *thawed_r: it has just ended, everyone gets a full lease. */
bool freeze_update(struct freeze *freeze, int workers, int silent, int64_t now_ms, bool *thawed_r);
