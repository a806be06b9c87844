/* SPDX-License-Identifier: Apache-2.0 */
#include "db/log_news.h"

#include "base/memory.h"

static const char list_sql[] =
    "SELECT d.id, t.id, t.ordinal, l.attempt, l.seq, l.stream, api.utc(l.at), l.text"
    " FROM scheduling.dispatch d JOIN scheduling.task t ON t.id = d.task_id"
    " LEFT JOIN unnest($3::uuid[], $4::bigint[]) AS had (id, seq) ON had.id = d.id"
    " JOIN LATERAL (SELECT c.* FROM results.log_chunk c WHERE c.run_id = $1"
    "  AND c.dispatch_id = d.id AND c.seq > coalesce(had.seq, -1) ORDER BY c.seq LIMIT $5) l ON true"
    " WHERE d.run_id = $1 AND ($2::uuid IS NULL OR t.id = $2)"
    " ORDER BY t.ordinal, d.attempt, l.seq LIMIT $5";

int log_news_db_list(struct store *store, const struct uuid *run_id, const struct uuid *task_id,
                     const struct log_had *had, int had_count, int64_t limit, struct rows **rows_r,
                     struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    AUTO(array_param_free) struct array_param *seqs = array_param_new();
    for (int i = 0; i < had_count; i++) {
        array_param_add(ids, had[i].dispatch_id.text);
        array_param_add_int(seqs, had[i].seq);
    }
    return store_query(store, list_sql,
                       PARAMS(param_uuid(run_id), param_uuid(task_id), array_param_get(ids),
                              array_param_get(seqs), param_int(limit)),
                       rows_r, error);
}
