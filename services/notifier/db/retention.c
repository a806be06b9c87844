/* SPDX-License-Identifier: Apache-2.0 */
#include "db/retention.h"

#include "base/memory.h"
#include "service/removed_runs.h"

/* Not before the request that it answers, which api-ingest removes: it would be answered once more. */
static const char deliveries_sql[] =
    "WITH old AS (SELECT d.id FROM notify.delivery d WHERE d.id < $1::uuid"
    "  AND d.finished_at < $2::timestamptz"
    "  AND NOT EXISTS (SELECT FROM api.delivery_request r WHERE r.id = d.request_id)"
    "  ORDER BY d.id LIMIT $3::integer FOR UPDATE SKIP LOCKED),"
    " attempts AS (DELETE FROM notify.delivery_attempt WHERE delivery_id IN (SELECT id FROM old))"
    " DELETE FROM notify.delivery WHERE id IN (SELECT id FROM old)";

/* Not before what is still to be sent of it, nor before its run: nobody reads half a history. */
static const char events_sql[] =
    "DELETE FROM notify.event WHERE id IN (SELECT e.id FROM notify.event e WHERE e.id < $1::uuid"
    "  AND e.recorded_at < $2::timestamptz"
    "  AND NOT EXISTS (SELECT FROM api.run r WHERE r.id = e.run_id)"
    "  AND NOT EXISTS (SELECT FROM notify.delivery d WHERE d.event_id = e.id"
    "   AND d.state = 'pending')"
    "  ORDER BY e.id LIMIT $3::integer FOR UPDATE SKIP LOCKED)";

/* Of runs that somebody removed, with their deliveries. What is still to be sent is sent. */
#define NOTHING_TO_SEND                                                                            \
    " AND NOT EXISTS (SELECT FROM notify.delivery d WHERE d.event_id = t.id"                       \
    "  AND (d.state = 'pending'"                                                                   \
    "   OR EXISTS (SELECT FROM api.delivery_request r WHERE r.id = d.request_id)))"
#define EVENTS_OF_REMOVED OF_REMOVED_RUNS("t.id", "notify.event", NOTHING_TO_SEND)
static const char removed_runs_sql[] =
    "WITH old AS (SELECT t.id FROM " EVENTS_OF_REMOVED
    "  LIMIT $3::integer FOR UPDATE OF t SKIP LOCKED),"
    " deliveries AS (DELETE FROM notify.delivery WHERE event_id IN (SELECT id FROM old)"
    "  RETURNING id),"
    " attempts AS (DELETE FROM notify.delivery_attempt"
    "  WHERE delivery_id IN (SELECT id FROM deliveries))"
    " DELETE FROM notify.event WHERE id IN (SELECT id FROM old)";

static const char dead_letters_sql[] =
    "DELETE FROM notify.dead_letter WHERE id IN (SELECT id FROM notify.dead_letter"
    " WHERE at < $1::timestamptz ORDER BY at LIMIT $2::integer)";

static const struct retention_step steps[] = {
    {.table = "notify.delivery", .key = RETENTION_BY_ID_AND_TIME, .sql = deliveries_sql},
    {.table = "notify.event", .key = RETENTION_BY_ID_AND_TIME, .sql = events_sql},
    {.table = "notify.event",
     .key = RETENTION_OF_REMOVED_RUNS,
     .kept_ms = REMOVED_KEPT_MS,
     .sql = removed_runs_sql},
    {.table = "notify.dead_letter", .key = RETENTION_BY_TIME, .sql = dead_letters_sql},
};
const struct retention_plan notify_retention = {steps, ARRAY_SIZE(steps)};
