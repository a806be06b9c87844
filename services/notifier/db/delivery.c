/* SPDX-License-Identifier: Apache-2.0 */
#include "db/delivery.h"

#include "base/json.h"
#include "base/memory.h"
#include "db/sql.h"

void sending_deinit(struct sending *sending)
{
    text_free(&sending->url);
    text_free(&sending->event_type);
    text_free(&sending->event_at);
    text_free(&sending->traceparent);
    json_free(&sending->data);
}

static const char wish_sql[] =
    "WITH wish AS ("
    " SELECT r.id, r.kind, r.endpoint_id, coalesce(r.event_id, r.id) AS event_id, w.project_id"
    " FROM api.delivery_request r JOIN api.webhook_endpoint w ON w.id = r.endpoint_id"
    " WHERE r.id = $1),"
    " test AS ("
    " INSERT INTO notify.event (id, project_id, type, generation, \"offset\", at, data)"
    " SELECT id, project_id, 'endpoint.test', $2, $3, now(),"
    "  jsonb_build_object('endpoint_id', endpoint_id, 'message', 'A test delivery from Verdict.')"
    " FROM wish WHERE kind = 'test' ON CONFLICT (id) DO NOTHING)"
    " INSERT INTO notify.delivery"
    "  (id, event_id, endpoint_id, project_id, request_id, event_type, state, next_attempt_at)"
    " SELECT " SQL_UUID_V7 ", wish.event_id, endpoint_id, wish.project_id, wish.id,"
    "  coalesce(e.type, 'endpoint.test'), 'pending', now()"
    " FROM wish LEFT JOIN notify.event e ON e.id = wish.event_id"
    "  AND e.project_id = wish.project_id"
    " WHERE kind = 'test' OR e.id IS NOT NULL"
    " ON CONFLICT (event_id, endpoint_id, request_id) DO NOTHING";

int delivery_db_wish(struct store *store, const struct uuid *request_id, int64_t generation,
                     int64_t offset, struct error *error)
{
    return store_query(store, wish_sql,
                       PARAMS(param_uuid(request_id), param_int(generation), param_int(offset)),
                       NULL, error);
}

/* Per endpoint by index, so that the backlog of one hides nobody else's. */
static const char claim_sql[] =
    "WITH busy AS (SELECT endpoint_id, count(*) AS flying"
    "  FROM unnest($1::uuid[]) AS b(endpoint_id) GROUP BY endpoint_id),"
    " due AS ("
    " SELECT d.id, d.next_attempt_at,"
    "  row_number() OVER (PARTITION BY w.id ORDER BY d.next_attempt_at) AS nth,"
    "  CASE WHEN coalesce(s.failures, 0) > 0 THEN 1 ELSE $2::int END - coalesce(b.flying, 0)"
    "   AS room"
    " FROM api.webhook_endpoint w LEFT JOIN notify.endpoint_state s ON s.endpoint_id = w.id"
    " LEFT JOIN busy b ON b.endpoint_id = w.id CROSS JOIN LATERAL ("
    "  SELECT p.id, p.next_attempt_at FROM notify.delivery p WHERE p.endpoint_id = w.id"
    "  AND p.state = 'pending' AND p.next_attempt_at <= now()"
    "  AND (p.request_id IS NOT NULL OR coalesce(s.hold_until <= now(), true))"
    "  AND (p.request_id IS NOT NULL OR " SQL_ENDPOINT_ENABLED ")"
    "  ORDER BY p.next_attempt_at LIMIT $2::int FOR UPDATE SKIP LOCKED) d),"
    " claimed AS ("
    " UPDATE notify.delivery d SET claimed_by = $3, next_attempt_at = now() + $4 * interval '1 ms'"
    "  FROM (SELECT id FROM due WHERE nth <= room ORDER BY next_attempt_at LIMIT $5) t"
    "  WHERE d.id = t.id RETURNING d.*)"
    " SELECT c.id, c.event_id, c.endpoint_id, c.attempts,"
    "  (extract(epoch FROM now() - c.created_at) * 1000)::bigint, w.url,"
    "  w.secret_sealed, e.type,"
    "  to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'),"
    "  e.run_version, e.data, r.traceparent, r.id"
    " FROM claimed c JOIN api.webhook_endpoint w ON w.id = c.endpoint_id"
    " JOIN notify.event e ON e.id = c.event_id LEFT JOIN api.run r ON r.id = e.run_id";

static void row_to_sending(const struct rows *rows, int row, struct sending *sending_r)
{
    *sending_r = (struct sending){.id = rows_uuid(rows, row, 0),
                                  .event_id = rows_uuid(rows, row, 1),
                                  .endpoint_id = rows_uuid(rows, row, 2),
                                  .attempts = (int)rows_int(rows, row, 3),
                                  .age_ms = rows_int(rows, row, 4),
                                  .url = rows_copy(rows, row, 5),
                                  .event_type = rows_copy(rows, row, 7),
                                  .event_at = rows_copy(rows, row, 8),
                                  .run_version = rows_int(rows, row, 9),
                                  .data = rows_json(rows, row, 10),
                                  .traceparent = rows_copy(rows, row, 11),
                                  .run_id = rows_uuid(rows, row, 12)};
    sending_r->sealed_length = rows_bytes(rows, row, 6, sending_r->sealed, DELIVERY_SEALED_MAX);
}

int delivery_db_claim(struct store *store, const struct claim *claim,
                      void (*on_sending)(void *context, struct sending *sending), void *context,
                      struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, claim_sql,
                    PARAMS(array_param_get(claim->busy_endpoints), param_int(claim->per_endpoint),
                           param_text(claim->claimant), param_int(claim->lease_ms),
                           param_int(claim->most)),
                    &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct sending sending;
        row_to_sending(rows, i, &sending);
        on_sending(context, &sending);
    }
    return 0;
}

static const char postpone_sql[] =
    "UPDATE notify.delivery SET claimed_by = NULL, next_attempt_at = now() + $2 * interval '1 ms'"
    " WHERE id = $1 AND state = 'pending'";

int delivery_db_postpone(struct store *store, const struct uuid *id, int64_t wait_ms,
                         struct error *error)
{
    return store_query(store, postpone_sql, PARAMS(param_uuid(id), param_int(wait_ms)), NULL,
                       error);
}

static const char release_sql[] =
    "UPDATE notify.delivery SET claimed_by = NULL, next_attempt_at = now() WHERE claimed_by = $1";

int delivery_db_release(struct store *store, const char *claimant, struct error *error)
{
    return store_query(store, release_sql, PARAMS(param_text(claimant)), NULL, error);
}

/* A claimant is "<instance>/<uuid of the process>". */
static const char take_back_sql[] =
    "UPDATE notify.delivery SET claimed_by = NULL, next_attempt_at = now()"
    " WHERE claimed_by IS NOT NULL AND left(claimed_by, -37) = $1";

int delivery_db_take_back(struct store *store, const char *instance, struct error *error)
{
    return store_query(store, take_back_sql, PARAMS(param_text(instance)), NULL, error);
}

static const char finish_sql[] =
    "UPDATE notify.delivery SET state = $2::text, attempts = greatest(attempts, $3),"
    " claimed_by = NULL,"
    " next_attempt_at = CASE WHEN $2::text = 'pending' THEN now() + $4 * interval '1 ms' END,"
    " finished_at = CASE WHEN $2::text <> 'pending' THEN now() END"
    " WHERE id = $1 AND state = 'pending' AND (claimed_by = $5 OR $2::text = 'delivered')";

static const char attempt_sql[] =
    "INSERT INTO notify.delivery_attempt"
    " (delivery_id, attempt, at, duration_ms, status_code, error, response)"
    " VALUES ($1, $2, now() - $3::float8 * interval '1 ms', $3, $4, $5, $6)"
    " ON CONFLICT (delivery_id, attempt) DO NOTHING";

/* One that was on its way when the endpoint was disabled does not enable it again. */
static const char success_sql[] =
    "INSERT INTO notify.endpoint_state AS s (endpoint_id, last_success_at) VALUES ($1, now())"
    " ON CONFLICT (endpoint_id) DO UPDATE SET last_success_at = now(), failures = 0,"
    " hold_until = NULL,"
    " disabled_at = CASE WHEN s.disabled_at > now() - $2 * interval '1 ms' THEN s.disabled_at END,"
    " disabled_reason ="
    "  CASE WHEN s.disabled_at > now() - $2 * interval '1 ms' THEN s.disabled_reason END";

/* Retry-After is said of the endpoint, not of the one delivery that was answered with it. */
static const char failure_sql[] =
    "INSERT INTO notify.endpoint_state AS s (endpoint_id, last_failure_at, failures, hold_until)"
    " VALUES ($1, now(), 1, now() + $2 * interval '1 ms')"
    " ON CONFLICT (endpoint_id) DO UPDATE SET last_failure_at = now(), failures = s.failures + 1,"
    " hold_until = greatest(s.hold_until, excluded.hold_until)";

static const char gone_sql[] =
    "UPDATE notify.endpoint_state SET disabled_at = now(), disabled_reason = 'it answered 410 Gone'"
    " WHERE endpoint_id = $1";

static int record_endpoint(struct store *store, const struct attempt *attempt, struct error *error)
{
    const struct param endpoint = param_uuid(&attempt->sending->endpoint_id);
    const bool is_success = attempt->outcome.state == DELIVERY_DELIVERED;
    const int status =
        is_success
            ? store_pipeline_add(store, success_sql,
                                 PARAMS(endpoint, param_int(attempt->duration_ms)), -1, error)
            : store_pipeline_add(store, failure_sql,
                                 PARAMS(endpoint, param_int(attempt->outcome.hold_ms)), -1, error);
    if (status < 0)
        return -1;
    if (!attempt->outcome.disables_endpoint)
        return 0;
    return store_pipeline_add(store, gone_sql, &endpoint, 1, -1, error);
}

int delivery_db_record(struct store *store, const struct attempt *attempt, struct error *error)
{
    const struct sending *sending = attempt->sending;
    const int number = sending->attempts + 1;
    const char *state = names_get(&delivery_state_names, attempt->outcome.state);
    if (store_pipeline_add(store, finish_sql,
                           PARAMS(param_uuid(&sending->id), param_text(state), param_int(number),
                                  param_int(attempt->outcome.wait_ms),
                                  param_text(attempt->claimant)),
                           -1, error) < 0)
        return -1;
    if (store_pipeline_add(store, attempt_sql,
                           PARAMS(param_uuid(&sending->id), param_int(number),
                                  param_int(attempt->duration_ms),
                                  attempt->status == 0 ? param_null() : param_int(attempt->status),
                                  param_text(attempt->error), param_text(attempt->response)),
                           -1, error) < 0)
        return -1;
    return record_endpoint(store, attempt, error);
}

static const char next_sql[] =
    "SELECT (extract(epoch FROM min(next_attempt_at) - now()) * 1000)::bigint"
    " FROM notify.delivery WHERE state = 'pending' AND claimed_by IS NULL";

int delivery_db_next(struct store *store, bool *any_r, int64_t *due_ms_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (store_query(store, next_sql, NO_PARAMS, &rows, error) < 0)
        return -1;
    *any_r = !rows_is_null(rows, 0, 0);
    *due_ms_r = rows_int(rows, 0, 0);
    return 0;
}

static const char disable_sql[] =
    "UPDATE notify.delivery SET state = 'disabled', claimed_by = NULL, next_attempt_at = NULL,"
    " finished_at = now() WHERE id IN ("
    "  SELECT p.id FROM notify.delivery p"
    "  LEFT JOIN api.webhook_endpoint w ON w.id = p.endpoint_id"
    "  LEFT JOIN notify.endpoint_state s ON s.endpoint_id = p.endpoint_id"
    "  WHERE p.state = 'pending' AND p.claimed_by IS NULL AND (w.id IS NULL OR"
    "  (p.request_id IS NULL AND NOT " SQL_ENDPOINT_ENABLED "))"
    "  LIMIT 1000 FOR UPDATE OF p SKIP LOCKED)";

int delivery_db_disable(struct store *store, struct error *error)
{
    return store_query(store, disable_sql, NO_PARAMS, NULL, error);
}

static const char unanswered_sql[] =
    "SELECT r.id, w.project_id FROM api.delivery_request r"
    " JOIN api.webhook_endpoint w ON w.id = r.endpoint_id"
    " WHERE r.created_at BETWEEN now() - interval '7 days' AND now() - interval '30 seconds'"
    " AND (r.event_id IS NULL OR EXISTS (SELECT FROM notify.event e WHERE e.id = r.event_id"
    "  AND e.project_id = w.project_id))"
    " AND NOT EXISTS (SELECT FROM notify.delivery d WHERE d.endpoint_id = r.endpoint_id"
    "  AND d.event_id = coalesce(r.event_id, r.id) AND d.request_id = r.id)"
    " ORDER BY r.id LIMIT 100";

int delivery_db_unanswered(struct store *store, struct rows **rows_r, struct error *error)
{
    return store_query(store, unanswered_sql, NO_PARAMS, rows_r, error);
}
