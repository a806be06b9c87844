/* SPDX-License-Identifier: Apache-2.0 */
/* Locks of a client that stands still. Between two statements idle_in_transaction_session_timeout ends its
 * session; in the middle of a pipeline whose rest never comes no time-out of the server runs (before
 * transaction_timeout of Postgres 17), and the network of a process that is merely stopped goes on answering.
 * So whoever has waited for most of a statement's time asks, on a connection of its own, who holds what it
 * waits for; the database ends those that stand still (migrations/0025_end_stalled.sql says which). */
#include <stdio.h>
#include <stdlib.h>

#include "log/log.h"
#include "store/connection.h"

static const char END_STALLED[] =
    "SELECT client, server_pid FROM public.verdict_end_stalled($1::integer, $2::bigint)";

#define MAX_OPTIONS 64

/* Another connection to where the waiting one is, with its settings; NULL: there is none now. */
static PGconn *connect_beside(PGconn *waiting)
{
    const char *names[MAX_OPTIONS + 1] = {NULL}, *values[MAX_OPTIONS + 1] = {NULL};
    PQconninfoOption *options = PQconninfo(waiting);
    size_t count = 0;
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL && count < MAX_OPTIONS;
         o++) {
        if (o->val == NULL)
            continue;
        names[count] = o->keyword;
        values[count++] = o->val;
    }
    PGconn *beside = PQconnectdbParams(names, values, 0);
    PQconninfoFree(options);
    if (PQstatus(beside) == CONNECTION_OK)
        return beside;
    PQfinish(beside);
    return NULL;
}

void store_end_stalled(struct store *store)
{
    PGconn *beside = connect_beside(store->connection);
    if (beside == NULL)
        return; /* the wait has an end of its own */
    char waiter[16], stalled_ms[24];
    snprintf(waiter, sizeof waiter, "%d", PQbackendPID(store->connection));
    snprintf(stalled_ms, sizeof stalled_ms, "%lld", (long long)store->stalled_ms);
    PGresult *ended = PQexecParams(beside, END_STALLED, 2, NULL,
                                   (const char *const[]){waiter, stalled_ms}, NULL, NULL, 0);
    if (PQresultStatus(ended) != PGRES_TUPLES_OK)
        log_warning("cannot ask who holds a lock", LOG_TEXT("error", PQerrorMessage(beside)));
    for (int i = 0; i < PQntuples(ended); i++)
        log_warning("ended a session that held locks while its client stood still",
                    LOG_TEXT("client", PQgetvalue(ended, i, 0)),
                    LOG_INT("server_pid", strtol(PQgetvalue(ended, i, 1), NULL, 10)));
    PQclear(ended);
    PQfinish(beside);
}
