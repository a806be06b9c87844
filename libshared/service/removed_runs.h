/* SPDX-License-Identifier: Apache-2.0 */
/* SQL that the owners of what a run is made of share, for steps that are RETENTION_OF_REMOVED_RUNS. */
#pragma once

/* Some notes of runs that somebody removed, behind one of them, by run: a statement looks at no more of them,
 * however many there are. $1 timestamptz: removed before; $2 uuid: behind this run (NULL: from the first);
 * $3 integer: rows. */
#define REMOVED_RUNS_ORDERED                                                                       \
    " FROM api.removed_run WHERE emptied_at IS NULL AND removed_at < $1::timestamptz"              \
    " AND run_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY run_id"
#define REMOVED_RUNS_LOOKED_AT "4 * $3::integer"
#define REMOVED_RUNS                                                                               \
    "(SELECT run_id, removed_at" REMOVED_RUNS_ORDERED " LIMIT " REMOVED_RUNS_LOOKED_AT ") AS x"

/* What a table has of those runs, as t; condition begins with AND, or is empty. Runs of which it has nothing
 * (any more), or nothing that can go yet, take no place of others'. From the notes to the rows, whatever the
 * planner thinks. */
#define OF_REMOVED_RUNS(columns, table, condition)                                                 \
    REMOVED_RUNS                                                                                   \
    " CROSS JOIN LATERAL (SELECT " columns " FROM " table                                          \
    " AS t WHERE t.run_id = x.run_id" condition " LIMIT $3::integer) AS t"

/* For struct retention_step: they need not be of any age. */
#define REMOVED_KEPT_MS 1
