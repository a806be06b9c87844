/* SPDX-License-Identifier: Apache-2.0 */
#include "losses.h"

#include "base/clock.h"
#include "base/memory.h"
#include "db.h"
#include "dispatch.h"
#include "events.h"
#include "hints.h"
#include "lanes.h"
#include "log/log.h"
#include "scheduler.h"

#define SENDS_MAX    3
#define FORGET_TIMES 10 /* a lost worker, after so many times the silence that made it lost */

/* Dispatches that nobody acknowledged: the same again. Those sent often enough are lost (below). */
void losses_resend(struct brain *brain, int64_t now_ms)
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

void losses_age_leases(struct brain *brain, int64_t now_ms)
{
    struct pool *pool, *next_pool;
    struct worker *worker, *next;
    int64_t elapsed_ms = now_ms - brain->last_pass_ms;
    int64_t forget_ms = FORGET_TIMES * brain->scheduler->settings->lost_ms;
    bool moves = brain_log_moves(brain);
    HASH_ITER (hh, brain->pools, pool, next_pool) {
        HASH_ITER (hh, pool->workers, worker, next) {
            lease_age(&worker->lease, elapsed_ms, moves);
            if (worker->lost && LIST_EMPTY(&worker->tasks) && worker->lease.silent_ms > forget_ms)
                pool_remove_worker(pool, worker);
        }
    }
}

/* Tasks whose worker is not known since the take-over: it gets a lease, and may come back within it. */
void losses_adopt_orphans(struct brain *brain)
{
    struct task *task, *next;
    HASH_ITER (hh, brain->by_dispatch, task, next) {
        if (task->worker != NULL || task->run->is_uploaded)
            continue;
        struct worker *worker = pool_find_worker(task->run->pool, &task->worker_id);
        if (worker == NULL)
            worker = lane_add_worker(brain, task->run->pool, &task->worker_id);
        task->worker = worker; /* its lease begins now */
        LIST_INSERT_HEAD(&worker->tasks, task, of_worker);
    }
}

static bool is_unacknowledged(const struct brain *brain, const struct task *task, int64_t now_ms)
{
    return task->state == TASK_DISPATCHED && !task->listed && task->worker != NULL &&
           task->worker->heard && task->sends >= SENDS_MAX &&
           now_ms - task->sent_ms > brain->scheduler->settings->dispatch_ack_ms;
}

int lose_unacknowledged(struct brain *brain, struct store *store, struct error *error)
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

bool losses_any_unacknowledged(const struct brain *brain, int64_t now_ms)
{
    struct task *task, *next;
    HASH_ITER (hh, brain->by_dispatch, task, next) {
        if (is_unacknowledged(brain, task, now_ms))
            return true;
    }
    return false;
}

static bool is_silent(const struct brain *brain, const struct worker *worker)
{
    return !worker->lost && worker->lease.silent_ms >= brain->scheduler->settings->lost_ms;
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

int lose_silent(struct brain *brain, struct store *store, struct error *error)
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
bool losses_look_at_leases(struct brain *brain, int64_t now_ms)
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

/* Silent for long enough to get no work: shown, and nothing else yet. */
int losses_say_suspects(struct brain *brain, struct store *store, struct error *error)
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
