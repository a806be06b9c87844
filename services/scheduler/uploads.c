/* SPDX-License-Identifier: Apache-2.0 */
#include "uploads.h"

#include "base/memory.h"
#include "bus/topics.h"
#include "db.h"
#include "ending.h"
#include "hints.h"
#include "scheduler.h"
#include "spans.h"

/* Its task has the upload's id, so neither can be there twice. */
static int take_up(struct brain *brain, struct store *store, struct run *run,
                   const struct uuid *upload_id, const struct uuid *worker_id, struct error *error)
{
    const struct uuid dispatch_id = uuid_random();
    struct task *task = brain_add_task(brain, run);
    task->id = *upload_id;
    task->attempt = 1;
    task->state = TASK_DISPATCHED;
    task->worker_id = *worker_id;
    task->results_partition = topic_partition(
        dispatch_id.text, ledger_installation(brain->scheduler->ledger, "results_partitions"));
    task_bind(brain, task, NULL, &dispatch_id);
    if (!run->planned && db_add_totals(store, run, error) < 0)
        return -1;
    run->planned = true;
    if (db_run_planned(store, run, error) < 0 ||
        db_add_upload(store, task, brain->scheduler->settings->task_slack_ms, error) < 0)
        return -1;
    metric_add(&scheduler_metrics[SCHEDULER_DISPATCHES], 1);
    spans_add_dispatch(brain, task);
    return ending_task_started(brain, store, task, error);
}

static int take_up_all(struct brain *brain, struct store *store, const struct rows *uploads,
                       struct error *error)
{
    for (int i = 0; i < rows_count(uploads); i++) {
        struct uuid run_id = rows_uuid(uploads, i, 0), id = rows_uuid(uploads, i, 1),
                    worker_id = rows_uuid(uploads, i, 2);
        struct run *run = brain_find_run(brain, &run_id);
        if (run != NULL && run->is_uploaded &&
            take_up(brain, store, run, &id, &worker_id, error) < 0)
            return -1;
    }
    return 0;
}

static int complete_all(struct brain *brain, struct store *store, const struct rows *completed,
                        struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    for (int i = 0; i < rows_count(completed); i++)
        array_param_add(ids, rows_text(completed, i, 0));
    if (rows_count(completed) > 0 && db_lock_runs(store, ids, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(completed); i++) {
        struct uuid id = rows_uuid(completed, i, 0);
        struct run *run = brain_find_run(brain, &id);
        if (run != NULL && run->is_uploaded && ending_run_complete(brain, store, run, error) < 0)
            return -1;
    }
    return 0;
}

/* What is complete is read first: what was uploaded before that was said is then among what is taken up. */
int uploads_follow(struct brain *brain, struct store *store, struct array_param *run_ids,
                   struct error *error)
{
    AUTO(rows_free) struct rows *completed = NULL;
    AUTO(rows_free) struct rows *uploads = NULL;
    int partition = ledger_partition_number(brain->partition);
    if (db_find_completed(store, partition, run_ids, &completed, error) < 0 ||
        db_find_uploads(store, partition, run_ids, &uploads, error) < 0 ||
        brain_need_runs(brain, store, completed, error) < 0 ||
        brain_need_runs(brain, store, uploads, error) < 0 ||
        take_up_all(brain, store, uploads, error) < 0)
        return -1;
    return complete_all(brain, store, completed, error);
}
