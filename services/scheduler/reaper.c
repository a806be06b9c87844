/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of a partition. What only sends (probe, full sets, repeated dispatches) needs no transaction; what
 * changes a row is done under the fence. */
#include "reaper.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aside.h"
#include "base/clock.h"
#include "base/memory.h"
#include "bus/topics.h"
#include "db.h"
#include "dispatch.h"
#include "ending.h"
#include "events.h"
#include "handlers.h"
#include "lanes.h"
#include "log/log.h"
#include "message/scheduler_probe.h"
#include "model/limits.h"
#include "scheduler.h"

#define PASS_MS          100
#define PROBE_MS         500
#define ALIVE_MS         2000
#define WAITS_MS         1000
#define DEEP_MS          3000 /* rows that a lost hint has not told */
#define SENDS_MAX        3
#define FORGET_TIMES     10 /* a lost worker, after so many times the silence that made it lost */
#define UNSEEN_RECENT_MS (5 * 60 * 1000)
#define PAST_PAGE        10000
#define ADOPT_MAX        1000 /* runs in one transaction */
#define WAITS_MAX        INT_MAX

typedef int timer_work(struct brain *brain, struct store *store, struct error *error);

static bool log_moves(const struct brain *brain)
{
    return monotonic_ms() - brain->probe_heard_ms < PROBE_PATIENCE_MS;
}

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

static void age_leases(struct brain *brain, int64_t now_ms)
{
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    int64_t elapsed_ms = now_ms - brain->last_pass_ms;
    int64_t forget_ms = FORGET_TIMES * brain->scheduler->settings->lost_ms;
    bool moves = log_moves(brain);
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        HASH_ITER (hh, pool->workers, worker, next) {
            lease_age(&worker->lease, elapsed_ms, moves);
            if (worker->lost && LIST_EMPTY(&worker->tasks) && worker->lease.silent_ms > forget_ms)
                pool_remove_worker(pool, worker);
        }
    }
}

/* Dispatches that nobody acknowledged: the same again. Those sent often enough are lost (below). */
static void resend(struct brain *brain, int64_t now_ms)
{
    struct task *task, *next;
    HASH_ITER (hh, brain->by_dispatch, task, next) {
        struct error error;
        bool due = task->state == TASK_DISPATCHED && !task->listed && task->worker != NULL &&
                   task->worker->heard && task->sends < SENDS_MAX &&
                   now_ms - task->sent_ms > brain->scheduler->settings->dispatch_ack_ms;
        if (!due)
            continue;
        metric_add(&scheduler_metrics[SCHEDULER_RESENDS], 1);
        if (lane_dispatch(brain, task, &error) < 0)
            log_failure(LOG_LEVEL_ERROR, "a dispatch cannot be sent again", &error);
    }
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

static int lose_dispatches(struct brain *brain, struct store *store, struct texts *lost,
                           const char *why, struct error *error)
{
    AUTO(array_param_free) struct array_param *runs = array_param_new();
    for (size_t i = 0; i < lost->count; i++) {
        struct uuid id = {""};
        struct task *task =
            uuid_parse(lost->list[i], &id, error) < 0 ? NULL : brain_find_dispatch(brain, &id);
        if (task != NULL)
            array_param_add(runs, task->run->id.text);
    }
    if (lost->count > 0 && db_lock_runs(store, runs, error) < 0)
        return -1;
    for (size_t i = 0; i < lost->count; i++) {
        struct uuid id = {""};
        if (uuid_parse(lost->list[i], &id, error) < 0)
            return -1;
        struct task *task = brain_find_dispatch(brain, &id);
        if (task != NULL && ending_task_lost(brain, store, task, why, error) < 0)
            return -1;
    }
    return 0;
}

static bool is_unacknowledged(const struct brain *brain, const struct task *task, int64_t now_ms)
{
    return task->state == TASK_DISPATCHED && !task->listed && task->worker != NULL &&
           task->worker->heard && task->sends >= SENDS_MAX &&
           now_ms - task->sent_ms > brain->scheduler->settings->dispatch_ack_ms;
}

static int lose_unacknowledged(struct brain *brain, struct store *store, struct error *error)
{
    struct texts lost = {0};
    struct task *task, *next;
    int64_t now_ms = monotonic_ms();
    HASH_ITER (hh, brain->by_dispatch, task, next) {
        if (is_unacknowledged(brain, task, now_ms))
            texts_add(&lost, task->dispatch_id.text);
    }
    int status = lose_dispatches(brain, store, &lost, "its worker did not acknowledge it", error);
    texts_deinit(&lost);
    return status < 0 ? -1 : dispatch_all(brain, store, error);
}

static int lose_worker(struct brain *brain, struct store *store, struct worker *worker,
                       struct error *error)
{
    struct texts lost = {0};
    struct task *task;
    int status = 0;
    log_warning("worker lost", LOG_TEXT("worker_id", worker->id.text),
                LOG_TEXT("worker", worker->name), LOG_INT("silent_ms", worker->lease.silent_ms));
    worker->lost = true;
    LIST_FOREACH (task, &worker->tasks, of_worker) {
        texts_add(&lost, task->dispatch_id.text);
        if (status == 0)
            status = event_worker_lost(brain, store, task->run, worker, error);
    }
    if (status == 0)
        status = lose_dispatches(brain, store, &lost, "its worker fell silent", error);
    texts_deinit(&lost);
    return status < 0 ? -1 : db_save_worker(store, worker, "lost", NULL, error);
}

/* Tasks whose worker is not known since the take-over: it gets a lease, and may come back within it. */
static void adopt_orphans(struct brain *brain)
{
    struct task *task, *next;
    HASH_ITER (hh, brain->by_dispatch, task, next) {
        if (task->worker != NULL)
            continue;
        struct worker *worker = pool_find_worker(task->run->pool, &task->worker_id);
        if (worker == NULL)
            worker = lane_add_worker(brain, task->run->pool, &task->worker_id);
        task->worker = worker; /* its lease begins now */
        LIST_INSERT_HEAD(&worker->tasks, task, of_worker);
    }
}

static bool is_silent(const struct brain *brain, const struct worker *worker)
{
    return !worker->lost && worker->lease.silent_ms >= brain->scheduler->settings->lost_ms;
}

static int lose_silent(struct brain *brain, struct store *store, struct error *error)
{
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        if (pool->freeze.holds)
            continue;
        HASH_ITER (hh, pool->workers, worker, next) {
            if (is_silent(brain, worker) && lose_worker(brain, store, worker, error) < 0)
                return -1;
        }
    }
    return dispatch_all(brain, store, error);
}

/* True when somebody is to be declared lost. */
static bool look_at_leases(struct brain *brain, int64_t now_ms)
{
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    bool any = false;
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        int workers = 0, silent = 0, over = 0;
        bool thawed;
        HASH_ITER (hh, pool->workers, worker, next) {
            workers += worker->lost ? 0 : 1;
            silent +=
                !worker->lost && worker->lease.silent_ms >= brain->scheduler->settings->suspect_ms
                    ? 1
                    : 0;
            over += is_silent(brain, worker) ? 1 : 0;
        }
        bool frozen = freeze_update(&pool->freeze, workers, silent, now_ms, &thawed);
        if (thawed) {
            HASH_ITER (hh, pool->workers, worker, next) {
                lease_renew(&worker->lease);
            }
        }
        any = any || (!frozen && !thawed && over > 0);
    }
    return any;
}

static bool any_unacknowledged(const struct brain *brain, int64_t now_ms)
{
    struct task *task, *next;
    HASH_ITER (hh, brain->by_dispatch, task, next) {
        if (is_unacknowledged(brain, task, now_ms))
            return true;
    }
    return false;
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
    return handlers_end(brain, store, &(const struct hints){0}, error);
}

/* Whether it waits in a queue is known from the log, so that deadline needs one that moves; the run's own
 * holds in any case. */
static int end_overdue_runs(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    bool moves = log_moves(brain);
    if (db_find_overdue_runs(store, ledger_partition_number(brain->partition), &rows, error) < 0)
        return -1;
    if (rows_count(rows) == 0)
        return 0;
    if (handlers_need_runs(brain, store, rows, error) < 0 ||
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
    if (!log_moves(brain))
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

static int adopt_unseen(struct brain *brain, struct store *store, const struct rows *rows,
                        struct error *error)
{
    AUTO(array_param_free) struct array_param *ids = array_param_new();
    int count = 0;
    int most = aside_is_careful(brain->scheduler) ? 1 : ADOPT_MAX;
    for (int i = 0; i < rows_count(rows) && count < most; i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        if (!rows_bool(rows, i, 1) || aside_has(brain->scheduler, &id))
            continue;
        array_param_add(ids, rows_text(rows, i, 0));
        count++;
    }
    return count == 0 ? 0 : handlers_adopt(brain, store, ids, error);
}

/* A page of the past. One that was not adopted whole is read again. */
static int search_past(struct brain *brain, struct store *store, struct array_param *pools,
                       const struct uuid *until, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct uuid from = uuid_is_null(&brain->searched_to) ? uuid_v7_least(0) : brain->searched_to;
    if (strcmp(from.text, until->text) >= 0)
        return 0;
    if (db_find_unseen_runs(store, pools, &from, PAST_PAGE, &rows, error) < 0 ||
        adopt_unseen(brain, store, rows, error) < 0)
        return -1;
    int count = rows_count(rows);
    if (count == 0)
        brain->searched_to = *until;
    else if (count <= ADOPT_MAX)
        brain->searched_to = rows_uuid(rows, count - 1, 0);
    return 0;
}

/* Runs that were asked for and that no message has told us of: those of the last minutes each time, and
 * once after a take-over all of the past, a page at a time, however long the history is. */
static int find_unseen(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(array_param_free) struct array_param *pools = array_param_new();
    struct uuid since = uuid_v7_least(wall_ms() - UNSEEN_RECENT_MS);
    struct pool *pool, *next;
    HASH_ITER (hh, brain->pools, pool, next) {
        array_param_add(pools, pool->id.text);
    }
    if (db_find_unseen_runs(store, pools, &since, 0, &rows, error) < 0 ||
        adopt_unseen(brain, store, rows, error) < 0)
        return -1;
    return search_past(brain, store, pools, &since, error);
}

static int find_pools(struct brain *brain, struct store *store, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    int partitions = ledger_installation(brain->scheduler->ledger, "scheduling_partitions");
    if (db_load_pools(store, &rows, error) < 0)
        return -1;
    for (int i = 0; i < rows_count(rows); i++) {
        struct uuid id = rows_uuid(rows, i, 0);
        if (topic_partition(id.text, partitions) == ledger_partition_number(brain->partition))
            brain_pool(brain, &id);
    }
    return 0;
}

/* Silent for long enough to get no work: shown, and nothing else yet. */
static int say_suspects(struct brain *brain, struct store *store, struct error *error)
{
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        HASH_ITER (hh, pool->workers, worker, next) {
            if (worker->lost || worker->suspect ||
                worker->lease.silent_ms < brain->scheduler->settings->suspect_ms)
                continue;
            worker->suspect = true;
            if (db_save_worker(store, worker, "suspect", NULL, error) < 0)
                return -1;
        }
    }
    return 0;
}

static int fill_window(struct brain *brain, struct store *store, struct error *error)
{
    if (!brain->more_runs || HASH_COUNT(brain->runs) > LIMIT_OPEN_RUNS_WINDOW / 4 * 3)
        return 0;
    if (db_load_runs(brain, store, NULL, error) < 0)
        return -1;
    return db_load_tasks(brain, store, error);
}

static int reap(struct brain *brain, struct store *store, struct error *error)
{
    int64_t now_ms = monotonic_ms();
    bool deep = now_ms >= brain->deep_reap_due_ms;
    if (say_alive(brain, store, now_ms, error) < 0 || say_suspects(brain, store, error) < 0 ||
        end_overdue_runs(brain, store, error) < 0 || end_overdue_tasks(brain, store, error) < 0)
        return -1;
    if (deep) {
        brain->deep_reap_due_ms = now_ms + DEEP_MS;
        if (find_pools(brain, store, error) < 0 || find_unseen(brain, store, error) < 0 ||
            fill_window(brain, store, error) < 0 || end_what_has_ended(brain, store, error) < 0)
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
    adopt_orphans(brain);
    age_leases(brain, now_ms);
    brain->last_pass_ms = now_ms;
    send_probe(brain, now_ms);
    if (log_moves(brain))
        resend(brain, now_ms);
    send_syncs(brain, now_ms);
    lanes_flush(brain);
    if (log_moves(brain) && any_unacknowledged(brain, now_ms) &&
        run_work(brain, lose_unacknowledged) < 0)
        return PASS_MS;
    if (look_at_leases(brain, now_ms) && run_work(brain, lose_silent) < 0)
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
