/* SPDX-License-Identifier: Apache-2.0 */
/* SQL that the owners of what a run is made of share. */
#pragma once

/* What a table has of runs that somebody removed, as t; condition begins with AND, or is empty. Runs of which
 * it has nothing (any more), or nothing that can go yet, take no place of others'. From the notes to the rows,
 * whatever the planner thinks. $1 timestamptz: removed before; $2 integer: rows. */
#define OF_REMOVED_RUNS(columns, table, condition)                                                 \
    "(SELECT run_id FROM api.removed_run WHERE emptied_at IS NULL"                                 \
    " AND removed_at < $1::timestamptz ORDER BY run_id) AS x"                                      \
    " CROSS JOIN LATERAL (SELECT " columns " FROM " table                                          \
    " AS t WHERE t.run_id = x.run_id" condition " LIMIT $2::integer) AS t"

/* For struct retention_step: they need not be of any age. */
#define REMOVED_KEPT_MS 1
