/* SPDX-License-Identifier: Apache-2.0 */
/* The executor process: its parts, and what they share. One thread uses it. */
#pragma once

#include "agent/helper.h"
#include "agent/means.h"
#include "bus/consumer.h"
#include "bus/producer.h"
#include "base/backoff.h"
#include "executor_settings.h"
#include "runners/runner.h"
#include "service/service.h"
#include "agent/remover.h"
#include "worker/flusher.h"
#include "worker/identity.h"
#include "worker/spool.h"

#define HEARTBEATS_KEPT 256

struct job;

struct executor {
    struct service *service;
    const struct executor_settings *settings;
    struct run_tools tools;
    const struct runner *runner;
    struct spool *spool;
    int work_lock_fd;
    struct means means;
    struct flusher *flusher;
    struct remover *remover;
    struct ends *ends; /* of the lanes topic; made when that is known */
    struct producer *producer;
    struct reader *reader;
    struct identity identity;
    json_t *labels;
    struct backoff connect, renew;
    char reason[ERROR_TEXT_MAX]; /* why it is not connected */
    bool connected;              /* enrolled, and the lane is read */

    struct job *jobs; /* by dispatch id: accepted, running, finished and not settled */
    uint32_t last_job;
    int running; /* jobs that hold a slot */

    int64_t epoch, lane_seq; /* the highest heard on the lane */
    int64_t heard_ms;        /* monotonic: when the scheduler last spoke to this worker */
    int64_t heartbeat_seq, heartbeat_due_ms;
    int64_t heartbeat_sent_ms[HEARTBEATS_KEPT]; /* of the last ones, by number: boot_ms() */
    char resync_token[UUID_TEXT_SIZE];
    bool draining;
    bool was_full; /* the spool's disk, at the last look */
    int64_t
        hand_back_at_ms; /* while draining: what still runs then is handed back; 0: not draining */
};

/* Forks the helper. To be called before anything else: forking from a threaded process is a trap. */
int executor_start_helper(struct error *error) WARN_UNUSED;
int executor_open(struct service *service, void **context_r, struct error *error);
void executor_close(void *context);
bool executor_is_ready(void *context, char *reason, size_t size);

/* A slot has become free, or something else that the scheduler should hear of at once. */
void executor_heartbeat_soon(struct executor *executor);
int executor_free_slots(const struct executor *executor);
/* Sends a message that carries the worker's MAC; tag 0: nobody asks what became of it. */
int executor_send(struct executor *executor, const char *topic, int partition, const char *text,
                  uint64_t tag, struct error *error) WARN_UNUSED;
