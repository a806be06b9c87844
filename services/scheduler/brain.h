/* SPDX-License-Identifier: Apache-2.0 */
/* What a scheduler keeps in memory of one partition: open runs with their tasks, pools with their workers.
 * A copy of Postgres, changed only inside a ledger transaction; when one fails all of it is dropped and
 * loaded again. What is to be sent waits in `outgoing` until COMMIT. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uthash.h>

#include "base/uuid.h"
#include "ledger/ledger.h"
#include "lease.h"
#include "message/message.h"
#include "model/endings.h"
#include "model/labels.h"
#include "model/policy.h"
#include "model/states.h"
#include "model/wait.h"

#define NEVER_MS (-((int64_t)1 << 60)) /* on the monotonic clock */

struct scheduler;
struct run;
struct worker;

/* For fair share between projects. */
struct project {
    struct uuid id;
    int running; /* tasks that a worker has */
    UT_hash_handle hh;
};

struct task {
    struct uuid id;
    struct run *run;
    int ordinal;
    enum task_state state;
    int64_t attempt;
    struct uuid dispatch_id; /* of the current attempt; null while queued */
    struct worker
        *worker; /* who has it; NULL when queued, done, or not heard of since a take-over */
    struct uuid worker_id;
    int results_partition;
    json_t *cases; /* [{"key","selector"}]; NULL: the whole suite */
    int losses, losses_started;
    /* A heartbeat has named it: acknowledged, and in that worker's own count of free slots. */
    bool listed;
    bool held_finished; /* its worker has ended it, and its items are on their way */
    int missing;        /* heartbeats since that did not name it */
    int sends;          /* how often the dispatch was sent */
    int64_t sent_ms;
    int64_t queued_us; /* monotonic; 0: before a take-over */
    UT_hash_handle hh; /* of brain.by_dispatch */
    LIST_ENTRY(task) of_worker;
};
LIST_HEAD(task_list, task);

struct run {
    struct uuid id, project_id;
    struct pool *pool;
    struct project *project;
    int64_t number;
    enum run_state state;
    int64_t version;
    int priority;
    struct policy policy;
    struct requirements *requirements;
    json_t *suite; /* specification without its cases */
    char *suite_slug;
    struct uuid suite_version_id;
    int64_t declared; /* cases of the suite version */
    json_t *facts; /* what every event and dispatch says of it: project, suite, title, build … */
    json_t *parameters;
    char *traceparent;
    int64_t triggered_at_us;
    bool planned;
    bool is_uploaded; /* no worker runs it: each upload of results is a task */
    bool is_complete; /* … and somebody has said that there will be no more */
    struct task *tasks;
    size_t task_capacity; /* of an uploaded one */
    int task_count, done_count;
    enum wait_class wait;
    char wait_text[300];
    bool wait_dirty;
    UT_hash_handle hh;
};

struct worker {
    struct uuid id;
    struct pool *pool;
    char *name;
    json_t *labels;
    int slots, free_slots;
    int64_t incarnation, seq; /* of its last heartbeat */
    int lane;
    bool heard;                   /* a heartbeat from behind the log's end at the take-over */
    bool draining, suspect, lost; /* suspect: its row says so */
    struct lease lease;
    struct task_list tasks;            /* dispatched to it */
    struct texts settled, unknown;     /* to say with the next sync */
    char resync_token[UUID_TEXT_SIZE]; /* the last one that it has acted on */
    int64_t sync_due_ms;
    bool row_dirty;
    int64_t row_due_ms;
    UT_hash_handle hh;
};

struct pool {
    struct uuid id;
    char lanes_topic[128];
    struct freeze freeze;
    struct worker *workers;
    bool dirty; /* something changed that may let a task go out */
    UT_hash_handle hh;
};

/* One message for a lane, sent after COMMIT. */
struct outgoing_lane {
    char *topic, *text;
    int lane;
    char run_id[UUID_TEXT_SIZE], dispatch_id[UUID_TEXT_SIZE]; /* of a dispatch */
    STAILQ_ENTRY(outgoing_lane) link;
};

struct brain {
    struct scheduler *scheduler;
    struct ledger_partition *partition;
    struct pool *pools;
    struct project *projects;
    struct run *runs;
    bool more_runs; /* open runs wait in Postgres for room in the window */
    struct task *by_dispatch;
    STAILQ_HEAD(, outgoing_lane) outgoing;
    STAILQ_HEAD(, kept_span) spans;
    char resync_token[UUID_TEXT_SIZE];
    bool hello_due;
    int64_t seen_epoch; /* higher than ours: raise it after this transaction */
    int64_t probe_due_ms, probe_heard_ms;
    int64_t probe_seq;   /* of the last one that was sent */
    int64_t probe_first; /* those up to this one are of before the load, and show nothing */
    int64_t last_pass_ms, reap_due_ms, deep_reap_due_ms, alive_due_ms, wait_due_ms;
    struct uuid searched_to; /* the past was searched to here for runs that nobody told us of */
};

struct brain *brain_new(struct scheduler *scheduler, struct ledger_partition *partition);
void brain_free(struct brain **brain);

/* Our own probes come back: what the log has not told has not happened. */
bool brain_log_moves(const struct brain *brain);

bool run_is_exclusive(const struct run *run); /* its tasks never run beside their successors */

struct pool *brain_pool(struct brain *brain, const struct uuid *id); /* made on first use */
struct run *brain_find_run(const struct brain *brain, const struct uuid *id);
struct task *brain_find_dispatch(const struct brain *brain, const struct uuid *dispatch_id);
struct worker *pool_find_worker(const struct pool *pool, const struct uuid *id);
struct worker *pool_add_worker(struct pool *pool, const struct uuid *id);
void pool_remove_worker(struct pool *pool, struct worker *worker); /* which has no task */

void brain_add_run(struct brain *brain, struct run *run);
/* Frees it, takes its tasks from workers. */
void brain_remove_run(struct brain *brain, struct run *run);
/* One more task, of an uploaded run: the others of that run move, those of no other do. */
struct task *brain_add_task(struct brain *brain, struct run *run);
/* Lets go of runs of least priority that nothing was done for, until the window holds. */
void brain_trim(struct brain *brain, unsigned window);
/* Gives a task its dispatch, and takes it back. */
void task_bind(struct brain *brain, struct task *task, struct worker *worker,
               const struct uuid *dispatch_id);
void task_unbind(struct brain *brain, struct task *task);

void run_free(struct run **run);
void run_wait(struct run *run, enum wait_class wait, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Slots that the worker has announced, less what was sent and not yet named by a heartbeat. */
int worker_free(const struct worker *worker);
bool worker_is_available(const struct worker *worker, int64_t suspect_ms);
