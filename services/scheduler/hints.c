/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever gave reason to look, the rows decide what has ended. */
#include "hints.h"

#include <string.h>

#include "base/memory.h"
#include "db.h"
#include "ending.h"

void hints_init(struct hints *hints)
{
    *hints = (struct hints){.recorded = array_param_new(), .requested = array_param_new()};
}

void hints_deinit(struct hints *hints)
{
    array_param_free(&hints->recorded);
    array_param_free(&hints->requested);
    texts_deinit(&hints->lost);
    texts_deinit(&hints->reborn);
}

int brain_need_runs(struct brain *brain, struct store *store, const struct rows *rows,
                    struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    int missing = 0;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        if (brain_find_run(brain, &id) != NULL)
            continue;
        array_param_add(ids, id.text);
        missing++;
    }
    if (missing == 0)
        return 0;
    if (db_load_runs(brain, store, ids, error) < 0)
        return -1;
    return db_load_tasks(brain, store, error);
}

static void add_run_of(const struct brain *brain, const char *dispatch, struct array_param *runs)
{
    struct uuid id = {""};
    struct error error;
    struct task *task =
        uuid_parse(dispatch, &id, &error) < 0 ? NULL : brain_find_dispatch(brain, &id);
    if (task != NULL)
        array_param_add(runs, task->run->id.text);
}

static int lock_runs(const struct brain *brain, struct store *store, const struct hints *hints,
                     const struct rows *records, const struct rows *requests, struct error *error)
{
    AUTO(array_param_free) struct array_param *runs = array_param_new();
    for (int i = 0; i < rows_count(records); i++)
        add_run_of(brain, rows_text(records, i, 0), runs);
    for (int i = 0; i < rows_count(requests); i++)
        array_param_add(runs, rows_text(requests, i, 0));
    for (size_t i = 0; i < hints->lost.count; i++)
        add_run_of(brain, hints->lost.list[i], runs);
    for (size_t i = 0; i < hints->reborn.count; i++)
        add_run_of(brain, hints->reborn.list[i], runs);
    return db_lock_runs(store, runs, error);
}

static int end_recorded(struct brain *brain, struct store *store, const struct rows *records,
                        struct error *error)
{
    for (int i = 0; i < rows_count(records); i++) {
        struct uuid dispatch_id = rows_uuid(records, i, 0);
        struct task *task = brain_find_dispatch(brain, &dispatch_id);
        int ending = names_find(&ending_kind_names, rows_text(records, i, 1));
        if (task == NULL)
            continue;
        struct worker *worker = task->worker;
        if (ending_task_recorded(brain, store, task,
                                 ending < 0 ? ENDED_EXITED : (enum ending_kind)ending,
                                 rows_text(records, i, 2), error) < 0)
            return -1;
        if (worker == NULL)
            continue;
        texts_add(&worker->settled, dispatch_id.text);
        worker->sync_due_ms = 0;
    }
    return 0;
}

static int end_requested(struct brain *brain, struct store *store, const struct rows *requests,
                         struct error *error)
{
    for (int i = 0; i < rows_count(requests); i++) {
        struct uuid id = rows_uuid(requests, i, 0), actor = rows_uuid(requests, i, 2);
        struct run *run = brain_find_run(brain, &id);
        bool superseded = strcmp(rows_text(requests, i, 1), "supersede") == 0;
        if (run != NULL &&
            ending_run(brain, store, run, superseded ? REASON_SUPERSEDED : REASON_CANCELLED, NULL,
                       &actor, error) < 0)
            return -1;
    }
    return 0;
}

/* An end may end the run, which frees its other tasks: so each is looked up again. */
static int end_lost(struct brain *brain, struct store *store, const struct texts *lost,
                    const char *why, struct error *error)
{
    for (size_t i = 0; i < lost->count; i++) {
        struct uuid dispatch_id = {""};
        if (uuid_parse(lost->list[i], &dispatch_id, error) < 0)
            return -1;
        struct task *task = brain_find_dispatch(brain, &dispatch_id);
        if (task != NULL && ending_task_lost(brain, store, task, why, error) < 0)
            return -1;
    }
    return 0;
}

int hints_follow(struct brain *brain, struct store *store, const struct hints *hints,
                 struct error *error)
{
    AUTO(rows_free) struct rows *records = NULL;
    AUTO(rows_free) struct rows *requests = NULL;
    int partition = ledger_partition_number(brain->partition);
    if (db_find_records(store, partition, hints->recorded, &records, error) < 0 ||
        db_find_requests(store, partition, hints->requested, &requests, error) < 0 ||
        brain_need_runs(brain, store, requests, error) < 0)
        return -1;
    size_t lost = hints->lost.count + hints->reborn.count;
    if (rows_count(records) == 0 && rows_count(requests) == 0 && lost == 0)
        return 0;
    if (lock_runs(brain, store, hints, records, requests, error) < 0 ||
        end_recorded(brain, store, records, error) < 0 ||
        end_requested(brain, store, requests, error) < 0 ||
        end_lost(brain, store, &hints->reborn, "its worker was started anew", error) < 0)
        return -1;
    return end_lost(brain, store, &hints->lost, "its worker does not have it any more", error);
}

int lose_dispatches(struct brain *brain, struct store *store, const struct texts *lost,
                    const char *why, struct error *error)
{
    AUTO(array_param_free) struct array_param *runs = array_param_new();
    for (size_t i = 0; i < lost->count; i++)
        add_run_of(brain, lost->list[i], runs);
    if (lost->count > 0 && db_lock_runs(store, runs, error) < 0)
        return -1;
    return end_lost(brain, store, lost, why, error);
}
