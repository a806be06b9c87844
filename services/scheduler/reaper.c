/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a partition. What only sends (probe, full sets, repeated dispatches) needs no transaction; what
 * changes a row is done under the fence. */
#include "reaper.h"

#include <limits.h>
#include <string.h>

#include "aside.h"
#include "base/clock.h"
#include "base/memory.h"
#include "db.h"
#include "dispatch.h"
#include "ending.h"
#include "hints.h"
#include "lanes.h"
#include "losses.h"
#include "log/log.h"
#include "message/scheduler_probe.h"
#include "scheduler.h"
#include "search.h"
#include "uploads.h"

#define PASS_MS   100
#define PROBE_MS  500
#define ALIVE_MS  2000
#define WAITS_MS  1000
#define DEEP_MS   3000 /* rows that a lost hint has not told */
#define WAITS_MAX INT_MAX

typedef int timer_work(struct brain *brain, struct store *store, struct error *error);

/* ---- without a transaction -------------------------------------------------------------------- */

static void send_probe(struct brain *brain, int64_t now_ms)
{
    struct scheduler *scheduler = brain->scheduler;
    AUTO(text_free) char *text = NULL;
    struct error error;
    if (now_ms < brain->probe_due_ms)
        return;
    brain->probe_due_ms = now_ms + PROBE_MS;
    const struct scheduler_probe probe = {.instance =
                                              service_common(scheduler->service)->instance_id,
                                          .epoch = ledger_partition_epoch(brain->partition),
                                          .seq = scheduler->probe_seq + 1};
    if (message_encode(&scheduler_probe_message, &probe, &text, &error) < 0)
        return;
    brain->probe_seq = ++scheduler->probe_seq;
    const struct outgoing message = {.topic = scheduler->scheduling_topic,
                                     .partition = ledger_partition_number(brain->partition),
                                     .payload = text,
                                     .payload_length = strlen(text)};
    if (producer_send(ledger_producer(scheduler->ledger), &message, &error) < 0)
        log_failure(LOG_LEVEL_DEBUG, "probe", &error);
}

static void send_syncs(struct brain *brain, int64_t now_ms)
{
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        if (brain->hello_due)
            lane_hello(brain, pool);
        HASH_ITER (hh, pool->workers, worker, next) {
            /* Before it was heard we do not know what it should be running. */
            if (worker->heard && !worker->lost && now_ms >= worker->sync_due_ms)
                lane_sync(brain, worker);
        }
    }
    brain->hello_due = false;
}

/* ---- under the fence -------------------------------------------------------------------------- */

static int run_work(struct brain *brain, timer_work *work)
{
    struct ledger_partition *partition = brain->partition;
    struct store *store;
    struct error error;
    if (ledger_begin(partition, &store, &error) < 0)
        return -1; /* the ledger has dropped this brain */
    if (work(brain, store, &error) < 0) {
        ledger_abandon(partition, &error);
        return -1;
    }
    if (ledger_commit(partition, &error) < 0)
        return -1;
    lanes_flush(brain);
    return 0;
}

/* Locks what the reaper is about to end, as the collector does: totals first, in the order of ids. */
static int lock_runs_of(struct brain *brain, struct store *store, const struct rows *rows,
                        bool are_dispatches, struct error *error)
{
    AUTO(array_param_free) struct array_param *runs = array_param_new();
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        const struct task *task = are_dispatches ? brain_find_dispatch(brain, &id) : NULL;
        if (task != NULL)
            array_param_add(runs, task->run->id.text);
        else if (!are_dispatches)
            array_param_add(runs, id.text);
    }
    return rows_count(rows) == 0 ? 0 : db_lock_runs(store, runs, error);
}

/* What has ended, or was to be ended, before its deadline is over goes first: that may have happened while
 * there was no scheduler, and its message may lie in a log that is not read yet. */
static int end_what_has_ended(struct brain *brain, struct store *store, struct error *error)
{
    if (uploads_follow(brain, store, NULL, error) < 0)
        return -1;
    return hints_follow(brain, store, &(const struct hints){0}, error);
}

/* Whether it waits in a queue is known from the log, so that deadline needs one that moves. The run's own holds
 * while the log stands still, but only as long as the partition is ours: the group ends that when the broker is
 * away for longer than the session time-out, and then no deadline is looked at before the next take-over. */
static int end_overdue_runs(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    bool moves = brain_log_moves(brain);
    if (db_find_overdue_runs(store, ledger_partition_number(brain->partition), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    if (brain_need_runs(brain, store, rows, error) < 0 ||
        end_what_has_ended(brain, store, error) < 0 ||
        lock_runs_of(brain, store, rows, false, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        struct run *run = brain_find_run(brain, &id);
        if (run == NULL || (!moves && !rows_bool(rows, i, 1)))
            continue;
        enum reason reason = rows_bool(rows, i, 1)             ? REASON_RUN_TIMEOUT
                             : dispatch_is_capable(brain, run) ? REASON_QUEUE_TIMEOUT
                                                               : REASON_NO_CAPABLE_WORKER;
        AUTO(text_free) char *waited = xstrdup(run->wait_text);
        if (ending_run(brain, store, run, reason, waited, NULL, error) < 0)
            return -1;
    }
    return 0;
}

/* A worker that has finished it has only not got its results through; while the log stands still we would
 * not hear of that. The run's own deadline holds in both cases. */
static bool may_be_overdue(const struct task *task)
{
    return task != NULL && !(task->held_finished && task->worker != NULL && !task->worker->lost);
}

static int end_overdue_tasks(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!brain_log_moves(brain))
        return 0;
    if (db_find_overdue_tasks(store, ledger_partition_number(brain->partition), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    if (end_what_has_ended(brain, store, error) < 0 ||
        lock_runs_of(brain, store, rows, true, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        struct task *task = brain_find_dispatch(brain, &id);
        if (may_be_overdue(task) && ending_task_overdue(brain, store, task, error) < 0)
            return -1;
    }
    return 0;
}

static int say_alive(struct brain *brain, struct store *store, int64_t now_ms, struct error *error)
{
    if (now_ms < brain->alive_due_ms)
        return 0;
    brain->alive_due_ms = now_ms + ALIVE_MS;
    return db_say_alive(store, brain, service_common(brain->scheduler->service)->instance_id,
                        error);
}

static int reap(struct brain *brain, struct store *store, struct error *error)
{
    int64_t now_ms = monotonic_ms();
    bool deep = now_ms >= brain->deep_reap_due_ms;
    if (say_alive(brain, store, now_ms, error) < 0 ||
        losses_say_suspects(brain, store, error) < 0 || end_overdue_runs(brain, store, error) < 0 ||
        end_overdue_tasks(brain, store, error) < 0)
        return -1;
    if (deep) {
        brain->deep_reap_due_ms = now_ms + DEEP_MS;
        if (search_untold(brain, store, error) < 0 || end_what_has_ended(brain, store, error) < 0)
            return -1;
    }
    return dispatch_all(brain, store, error);
}

static int write_waits(struct brain *brain, struct store *store, struct error *error)
{
    return db_write_waits(brain, store, aside_is_careful(brain->scheduler) ? 1 : WAITS_MAX, error);
}

static bool explain(struct brain *brain)
{
    struct pool *pool, *next_pool;
    struct run *run, *next;
    bool any = false;
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        dispatch_explain(brain, pool);
    }
    HASH_ITER (hh, brain->runs, run, next) {
        any = any || run->wait_dirty;
    }
    return any;
}

/* ---- runs that cannot be worked on -------------------------------------------------------------- */

static int end_aside(struct brain *brain)
{
    struct ledger_partition *partition = brain->partition;
    struct scheduler *scheduler = brain->scheduler;
    const struct uuid *next = aside_next(scheduler, ledger_partition_number(partition));
    struct store *store;
    struct error error;
    if (next == NULL)
        return 0;
    struct uuid run_id = *next;
    if (ledger_begin(partition, &store, &error) < 0)
        return -1;
    if (aside_end(brain, store, &run_id, &error) < 0) {
        ledger_abandon(partition, &error);
        return -1;
    }
    if (ledger_commit(partition, &error) < 0)
        return -1;
    aside_remove(scheduler, &run_id);
    lanes_flush(brain);
    return 0;
}

/* ---- the pass --------------------------------------------------------------------------------- */

/* The brain may be gone after any step that returns -1: nothing of it is touched then. */
int64_t reaper_pass(struct brain *brain)
{
    int64_t now_ms = monotonic_ms();
    if (brain->seen_epoch > ledger_partition_epoch(brain->partition)) {
        ledger_raise_epoch(brain->partition, brain->seen_epoch);
        return 0;
    }
    losses_adopt_orphans(brain);
    losses_age_leases(brain, now_ms);
    brain->last_pass_ms = now_ms;
    send_probe(brain, now_ms);
    if (brain_log_moves(brain))
        losses_resend(brain, now_ms);
    send_syncs(brain, now_ms);
    lanes_flush(brain);
    if (brain_log_moves(brain) && losses_any_unacknowledged(brain, now_ms) &&
        run_work(brain, lose_unacknowledged) < 0)
        return PASS_MS;
    if (losses_look_at_leases(brain, now_ms) && run_work(brain, lose_silent) < 0)
        return PASS_MS;
    if (end_aside(brain) < 0)
        return PASS_MS;
    if (now_ms >= brain->reap_due_ms) {
        brain->reap_due_ms = now_ms + brain->scheduler->settings->reaper_interval_ms;
        if (run_work(brain, reap) < 0)
            return PASS_MS;
    }
    if (now_ms >= brain->wait_due_ms) {
        brain->wait_due_ms = now_ms + WAITS_MS;
        if (explain(brain) && run_work(brain, write_waits) < 0)
            return PASS_MS;
    }
    return PASS_MS;
}
