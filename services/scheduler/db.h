/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's SQL: one function per statement. Writes are queued into the transaction's pipeline; reads
 * send what is queued first. */
#pragma once

#include "brain.h"
#include "close.h"
#include "plan.h"
#include "store/store.h"

/* ---- runs ---- */
/* Makes run_state of runs that were asked for, in the state queued; *ids_r are those that had none. */
int db_adopt_runs(struct store *store, struct array_param *ids, int partition, struct texts *ids_r,
                  struct error *error) WARN_UNUSED;
/* Everything of open runs that memory holds: these ids, or (NULL) what the window holds, by priority. */
int db_load_runs(struct brain *brain, struct store *store, struct array_param *ids,
                 struct error *error) WARN_UNUSED;
int db_load_tasks(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;
/* Of an open run that cannot be worked on just what its end needs; adopts it where nobody did. Nothing is
 * added when it is final. */
int db_load_bare_run(struct brain *brain, struct store *store, const struct uuid *run_id,
                     struct error *error) WARN_UNUSED;
int db_run_started(struct store *store, const struct run *run, struct error *error) WARN_UNUSED;
int db_run_planned(struct store *store, const struct run *run, struct error *error) WARN_UNUSED;
int db_run_closed(struct store *store, const struct run *run, const struct closed_run *totals,
                  enum reason reason, const char *detail, const struct uuid *actor,
                  struct error *error) WARN_UNUSED;
int db_add_event(struct store *store, const struct run *run, const struct uuid *event_id,
                 const char *type, const char *data, struct error *error) WARN_UNUSED;
/* Of at most so many runs whose reason has changed. */
int db_write_waits(struct brain *brain, struct store *store, int most,
                   struct error *error) WARN_UNUSED;
/* Events of open runs and of those finished lately, to be emitted again after a resync. */
int db_find_events(struct store *store, int partition, struct rows **rows_r,
                   struct error *error) WARN_UNUSED;
/* Of a page (0: of all) of runs with an id above `since`: id, and whether the scheduler has not seen it.
 * The page's last one is told in any case. */
int db_find_unseen_runs(struct store *store, struct array_param *pools, const struct uuid *since,
                        int page, struct rows **rows_r, struct error *error) WARN_UNUSED;
/* What was asked of open runs: of these, or (NULL) of all of the partition. */
int db_find_requests(struct store *store, int partition, struct array_param *run_ids,
                     struct rows **rows_r, struct error *error) WARN_UNUSED;
int db_find_overdue_runs(struct store *store, int partition, struct rows **rows_r,
                         struct error *error) WARN_UNUSED;
int db_find_overdue_tasks(struct store *store, int partition, struct rows **rows_r,
                          struct error *error) WARN_UNUSED;

/* ---- totals: the named exception to one writer per table ---- */
int db_add_totals(struct store *store, const struct run *run, struct error *error) WARN_UNUSED;
/* Takes the locks of these runs in the order that everybody keeps: before any of their tasks. */
int db_lock_runs(struct store *store, struct array_param *ids, struct error *error) WARN_UNUSED;
/* Locks and reads them into *closed_r; makes them where the run was never planned. */
int db_lock_totals(struct store *store, const struct run *run, struct closed_run *closed_r,
                   struct error *error) WARN_UNUSED;
int db_close_totals(struct store *store, const struct run *run, struct error *error) WARN_UNUSED;

/* ---- tasks and dispatches ---- */
/* With how long each is expected to take, as plan.h has it. Both are the caller's. */
int db_load_cases(struct store *store, const struct run *run, json_t **cases_r,
                  int64_t **expected_ms_r, struct error *error) WARN_UNUSED;
int db_add_task(struct store *store, const struct task *task, struct error *error) WARN_UNUSED;
/* The row of its attempt that now counts, by the task's worker. */
int db_add_dispatch(struct store *store, const struct task *task, bool has_started,
                    struct error *error) WARN_UNUSED;
int db_task_dispatched(struct store *store, const struct task *task, int64_t slack_ms,
                       struct error *error) WARN_UNUSED;
int db_task_started(struct store *store, const struct task *task, struct error *error) WARN_UNUSED;
/* The dispatch is over and the task waits again, with the cases that are left. */
int db_task_queued(struct store *store, const struct task *task, const char *dispatch_ended,
                   struct error *error) WARN_UNUSED;
int db_task_cases(struct store *store, const struct task *task, struct error *error) WARN_UNUSED;
int db_task_done(struct store *store, const struct task *task, enum task_outcome outcome,
                 enum reason reason, const char *detail, const char *dispatch_ended,
                 struct error *error) WARN_UNUSED;
/* All open tasks and dispatches of a run that ends before them. */
int db_end_tasks(struct store *store, const struct run *run, enum task_outcome outcome,
                 enum reason reason, struct error *error) WARN_UNUSED;
int db_find_recorded_cases(struct store *store, const struct task *task, struct rows **rows_r,
                           struct error *error) WARN_UNUSED;
/* Finished records of these dispatches, or (NULL) of all open tasks of the partition. */
int db_find_records(struct store *store, int partition, struct array_param *dispatches,
                    struct rows **rows_r, struct error *error) WARN_UNUSED;
/* Of uploads: each variant has all cases that are declared. The totals must be locked. */
int db_plan_variants(struct store *store, const struct run *run, struct closed_run *closed,
                     struct error *error) WARN_UNUSED;
/* Cases that failed in the deciding report of a task, and count by what another one told first. */
int db_find_contradicted(struct store *store, const struct run *run, struct closed_run *closed,
                         struct error *error) WARN_UNUSED;
int db_load_closed_tasks(struct store *store, const struct run *run, struct closed_task **tasks_r,
                         int *count_r, struct error *error) WARN_UNUSED;
/* Which of these are not the dispatch of an open task, and whether the ledger has ever heard of it: the spool
 * of those may go, that of the others is put aside. */
int db_find_settled(struct store *store, struct array_param *dispatches, struct rows **rows_r,
                    struct error *error) WARN_UNUSED;

/* ---- uploads ---- */
/* Run, upload, uploader: of these runs, or (NULL) of all open ones of the partition, what has no task yet. */
int db_find_uploads(struct store *store, int partition, struct array_param *run_ids,
                    struct rows **rows_r, struct error *error) WARN_UNUSED;
/* Open runs of which somebody has said that all is uploaded. */
int db_find_completed(struct store *store, int partition, struct array_param *run_ids,
                      struct rows **rows_r, struct error *error) WARN_UNUSED;
/* A task that is running from the beginning, with its dispatch. */
int db_add_upload(struct store *store, const struct task *task, int64_t slack_ms,
                  struct error *error) WARN_UNUSED;

/* ---- workers, pools, ownership ---- */
int db_load_pools(struct store *store, struct rows **rows_r, struct error *error) WARN_UNUSED;
int db_load_workers(struct brain *brain, struct store *store, struct error *error) WARN_UNUSED;
int db_save_worker(struct store *store, const struct worker *worker, const char *state,
                   const char *version, struct error *error) WARN_UNUSED;
/* brain->resync_token, which the partition's next owner must know too. */
int db_save_resync_token(struct store *store, const struct brain *brain,
                         struct error *error) WARN_UNUSED;
int db_load_resync_token(struct store *store, struct brain *brain, struct error *error) WARN_UNUSED;
int db_say_alive(struct store *store, const struct brain *brain, const char *instance,
                 struct error *error) WARN_UNUSED;
