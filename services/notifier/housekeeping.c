/* SPDX-License-Identifier: Apache-2.0 */
/* A table of jobs and how often each is done. A job that fails is tried again at its next turn. */
#include "housekeeping.h"

#include "base/clock.h"
#include "base/memory.h"
#include "db/delivery.h"
#include "ledger/outbox.h"
#include "log/log.h"

typedef int job(struct housekeeping *housekeeping, struct store *store, struct error *error);

static int disable(struct housekeeping *housekeeping, struct store *store, struct error *error)
{
    (void)housekeeping;
    return delivery_db_disable(store, error);
}

static job remind;

static const struct {
    const char *name;
    int64_t every_ms;
    job *job;
} jobs[] = {
    {"ending deliveries of disabled endpoints", 5000, disable},
    {"asking again for requested deliveries", 30000, remind},
};

struct housekeeping {
    struct inbox *inbox;
    struct sender *sender;
    int64_t due_ms[ARRAY_SIZE(jobs)]; /* monotonic */
};

static int remind_all(struct housekeeping *housekeeping, struct store *store,
                      const struct rows *rows, struct error *error)
{
    if (store_begin(store, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        const struct uuid request_id = rows_uuid(rows, i, 0), project_id = rows_uuid(rows, i, 1);
        if (inbox_remind(housekeeping->inbox, store, &request_id, &project_id, error) < 0)
            return -1;
    }
    return store_commit(store, error);
}

static int remind(struct housekeeping *housekeeping, struct store *store, struct error *error)
{
    struct outbox *outbox = ledger_outbox(housekeeping->inbox->ledger);
    AUTO(rows_free) struct rows *rows = NULL;
    if (delivery_db_unanswered(store, &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    if (remind_all(housekeeping, store, rows, error) < 0) {
        store_rollback(store);
        outbox_rolled_back(outbox, store);
        return -1;
    }
    outbox_committed(outbox, store);
    return 0;
}

int64_t housekeeping_work(struct housekeeping *housekeeping)
{
    int64_t now_ms = monotonic_ms(), wait_ms = jobs[0].every_ms;
    struct store *store = sender_store(housekeeping->sender);
    struct error error;
    for (size_t i = 0; store != NULL && i < ARRAY_SIZE(jobs); i++) {
        int64_t left_ms = housekeeping->due_ms[i] - now_ms;
        if (left_ms > 0) {
            wait_ms = left_ms < wait_ms ? left_ms : wait_ms;
            continue;
        }
        housekeeping->due_ms[i] = now_ms + jobs[i].every_ms;
        if (jobs[i].job(housekeeping, store, &error) < 0)
            log_failure(LOG_LEVEL_WARNING, jobs[i].name, &error);
        store = sender_store(housekeeping->sender);
    }
    return wait_ms;
}

struct housekeeping *housekeeping_new(struct inbox *inbox, struct sender *sender)
{
    struct housekeeping *housekeeping = xcalloc(1, sizeof *housekeeping);
    housekeeping->inbox = inbox;
    housekeeping->sender = sender;
    return housekeeping;
}

void housekeeping_free(struct housekeeping **housekeeping)
{
    memory_free(housekeeping);
}
