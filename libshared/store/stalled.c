/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of a client that stands still. Between two statements idle_in_transaction_session_timeout ends its
 * session; in the middle of a pipeline whose rest never comes no time-out of the server runs (before
 * transaction_timeout of Postgres 17), and the network of a process that is merely stopped goes on answering.
 * So whoever has waited in vain looks for such sessions and ends them: they count as active, and have waited
 * for their client for longer than a transaction may be idle. */
#include "base/memory.h"
#include "log/log.h"
#include "store/connection.h"

/* COPY waits for its client as a matter of course: somebody restores a backup. */
static const char END_STALLED[] =
    "SELECT application_name, pid, pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() "
    "AND state = 'active' AND wait_event_type = 'Client' AND wait_event = 'ClientRead' "
    "AND backend_xid IS NOT NULL "
    "AND state_change < clock_timestamp() - $1::bigint * interval '1 ms' "
    "AND query !~* '^\\s*copy\\M'";

void store_end_stalled(struct store *store)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct error error;
    if (store_query(store, END_STALLED, PARAMS(param_int(store->stalled_ms)), &rows, &error) < 0) {
        store->broken = true; /* whoever could not even ask connects anew */
        return;
    }
    for (int i = 0; i < rows_count(rows); i++)
        log_warning("ended a session that held locks while its client stood still",
                    LOG_TEXT("client", rows_text(rows, i, 0)),
                    LOG_INT("server_pid", rows_int(rows, i, 1)));
}
