/* SPDX-License-Identifier: Apache-2.0 */
/* SQL that the owners of what a run is made of share. */
#pragma once

/* The oldest of those runs that somebody removed and of which something may be left, as x: few enough that one statement
 * can look after all of them. $1 timestamptz: removed before. */
#define REMOVED_RUNS                                                                               \
    "(SELECT run_id, removed_at FROM api.removed_run WHERE removed_at < $1::timestamptz"           \
    " ORDER BY run_id LIMIT 1000) AS x"

/* For struct retention_step: they need not be of any age. */
#define REMOVED_KEPT_MS 1
