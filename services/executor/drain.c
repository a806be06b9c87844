/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of stopping: what runs may come to its end within the grace, the rest is handed back. */
#include "drain.h"

#include "agent/job.h"
#include "base/clock.h"
#include "base/memory.h"
#include "worker/heartbeat.h"

#define HAND_BACK_MS  5000 /* before the grace is over: time to end what runs and to tell it */
#define LAST_GRACE_MS 500

static void begin_drain(void *context)
{
    struct executor *executor = context;
    int64_t grace_ms = service_common(executor->service)->stop_grace_ms;
    struct job *job, *next;
    executor->draining = true;
    HASH_ITER (hh, executor->jobs, job, next) {
        if (job->state == JOB_ACCEPTED)
            job_stop(job, ENDED_HANDED_BACK, "its worker is being stopped", 0);
    }
    executor->hand_back_at_ms =
        monotonic_ms() + (grace_ms > HAND_BACK_MS ? grace_ms - HAND_BACK_MS : 1);
    executor_heartbeat_soon(executor);
}

static bool is_idle(void *context)
{
    const struct executor *executor = context;
    return executor->running == 0;
}

static bool is_told(void *context)
{
    const struct executor *executor = context;
    struct job *job, *next;
    if (!executor->connected || !producer_is_healthy(executor->producer))
        return true; /* the spool keeps it for the next life */
    HASH_ITER (hh, executor->jobs, job, next) {
        if (!stream_is_delivered(&job->stream))
            return false;
    }
    return true;
}

static void last_heartbeat(void *context)
{
    struct executor *executor = context;
    executor->heartbeat_due_ms = 0;
    if (executor->connected)
        heartbeat_work(executor);
}

const struct stop_step executor_stop[] = {
    {"say that no new task is taken", begin_drain, NULL},
    {"finish what runs, or hand it back", NULL, is_idle},
    {"deliver what is not delivered", NULL, is_told},
    {"last heartbeat", last_heartbeat, NULL},
};
const size_t executor_stop_count = ARRAY_SIZE(executor_stop);

int64_t drain_hand_back_when_due(struct executor *executor)
{
    struct job *job, *next;
    int64_t left_ms = executor->hand_back_at_ms - monotonic_ms();
    if (executor->hand_back_at_ms == 0)
        return -1;
    if (left_ms > 0)
        return left_ms;
    HASH_ITER (hh, executor->jobs, job, next) {
        if (job_is_open(job))
            job_stop(job, ENDED_HANDED_BACK, "its worker is being stopped", LAST_GRACE_MS);
    }
    return -1;
}
