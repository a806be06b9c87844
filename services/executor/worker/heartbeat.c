/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats. */
#include "worker/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#include "agent/job.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"
#include "log/log.h"
#include "message/worker_heartbeat.h"

/* What an earlier life has left unfinished is not named: so the scheduler knows at once that it is lost. */
static bool is_held(const struct job *job)
{
    return !job->recovered || job->whole;
}

static const int held_states[] = {[JOB_ACCEPTED] = HELD_ACCEPTED,
                                  [JOB_RUNNING] = HELD_RUNNING,
                                  [JOB_READING] = HELD_RUNNING,
                                  [JOB_KEEPING] = HELD_RUNNING,
                                  [JOB_FINISHED] = HELD_FINISHED};

static void add_jobs(struct executor *executor, struct worker_heartbeat *heartbeat)
{
    struct job *job, *next;
    HASH_ITER (hh, executor->jobs, job, next) {
        if (!is_held(job))
            continue;
        struct held_dispatch *held = records_add(&heartbeat->dispatches, sizeof *held);
        held->dispatch_id = job->dispatch_id;
        held->state = held_states[job->state];
        if (job->listed_seq == 0)
            job->listed_seq = heartbeat->seq;
    }
}

static int send(struct executor *executor, struct error *error)
{
    const struct identity *identity = &executor->identity;
    AUTO(text_free) char *text = NULL;
    struct worker_heartbeat heartbeat = {.worker_id = identity->worker_id,
                                         .pool_id = identity->pool_id,
                                         .name = executor->settings->worker_name,
                                         .incarnation = identity->incarnation,
                                         .seq = ++executor->heartbeat_seq,
                                         .epoch = executor->epoch,
                                         .lane = identity->lane,
                                         .slots = executor->settings->slots,
                                         .free_slots = executor_free_slots(executor),
                                         .draining = executor->draining,
                                         .software = (char *)(uintptr_t)verdict_version,
                                         .labels = executor->labels,
                                         .resync_token = executor->resync_token};
    add_jobs(executor, &heartbeat);
    executor->heartbeat_sent_ms[heartbeat.seq % HEARTBEATS_KEPT] = boot_ms();
    int status = message_encode(&worker_heartbeat_message, &heartbeat, &text, error);
    free(heartbeat.dispatches.list);
    if (status < 0)
        return -1;
    return executor_send(executor, identity->scheduling_topic, identity->scheduling_partition, text,
                         0, error);
}

int64_t heartbeat_sent_ms(const struct executor *executor, int64_t seq)
{
    bool is_kept = seq > 0 && seq <= executor->heartbeat_seq &&
                   executor->heartbeat_seq - seq < HEARTBEATS_KEPT;
    return is_kept ? executor->heartbeat_sent_ms[seq % HEARTBEATS_KEPT] : 0;
}

int64_t heartbeat_work(struct executor *executor)
{
    struct error error;
    int64_t now_ms = monotonic_ms();
    if (now_ms < executor->heartbeat_due_ms)
        return executor->heartbeat_due_ms - now_ms;
    executor->heartbeat_due_ms = now_ms + executor->settings->heartbeat_ms;
    if (send(executor, &error) < 0) {
        log_failure(LOG_LEVEL_WARNING, "heartbeat", &error);
        executor->heartbeat_due_ms = now_ms + 200;
    }
    return executor->heartbeat_due_ms - now_ms;
}
