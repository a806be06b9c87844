/* SPDX-License-Identifier: Apache-2.0 */
/* The process: opening its parts, the pass of the loop, what they share. */
#include "executor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/job.h"
#include "agent/workspace.h"
#include "base/clock.h"
#include "base/memory.h"
#include "drain.h"
#include "executor_metrics.h"
#include "log/log.h"
#include "worker/connection.h"
#include "worker/heartbeat.h"
#include "worker/lane.h"
#include "worker/lock.h"
#include "worker/offer.h"

#define COALESCE_MS   1
#define LAST_FLUSH_MS 3000
#define ASIDE_MAX_S   (7 * 24 * 3600)

int executor_send(struct executor *executor, const char *topic, int partition, const char *text,
                  uint64_t tag, struct error *error)
{
    uint8_t mac[MAC_BYTES];
    size_t length = strlen(text);
    mac_make(executor->identity.key, text, length, mac);
    const struct outgoing message = {.topic = topic,
                                     .partition = partition,
                                     .key = executor->identity.worker_id.text,
                                     .payload = text,
                                     .payload_length = length,
                                     .worker_id = executor->identity.worker_id.text,
                                     .mac = mac,
                                     .tag = tag};
    return producer_send(executor->producer, &message, error);
}

void executor_heartbeat_soon(struct executor *executor)
{
    int64_t soon_ms = monotonic_ms() + COALESCE_MS;
    if (soon_ms < executor->heartbeat_due_ms)
        executor->heartbeat_due_ms = soon_ms;
}

/* A full disk keeps what it has, and takes nothing new; the same when a task could not begin. */
int executor_free_slots(const struct executor *executor)
{
    if (executor->draining || spool_is_full(executor->spool) || !means_are_there(&executor->means))
        return 0;
    struct job *job, *next;
    int free_slots = (int)executor->settings->slots - executor->running;
    HASH_ITER (hh, executor->jobs, job, next) {
        free_slots -= job->state == JOB_ACCEPTED ? 1 : 0;
    }
    return free_slots > 0 ? free_slots : 0;
}

/* ---- what comes back -------------------------------------------------------------------------- */

static struct job *by_number(const struct executor *executor, uint64_t tag)
{
    struct job *job, *next;
    HASH_ITER (hh, executor->jobs, job, next) {
        if (job->number == (uint32_t)(tag >> 32))
            return job;
    }
    return NULL;
}

static void on_delivery(void *context, uint64_t tag, enum delivery delivery,
                        const struct error *why)
{
    struct job *job = tag == 0 ? NULL : by_number(context, tag);
    if (delivery == DELIVERY_REFUSED)
        log_failure(LOG_LEVEL_ERROR, "a message can never be sent", why);
    if (job != NULL)
        stream_on_delivery(&job->stream, (int64_t)(uint32_t)tag, delivery);
}

static void on_flushed(void *context, uint64_t tag, bool durable)
{
    struct job *job = by_number(context, tag);
    if (job != NULL)
        stream_on_flushed(&job->stream, (int64_t)(uint32_t)tag, durable);
}

/* ---- the pass --------------------------------------------------------------------------------- */

/* A spool of an earlier life without an end is of use once: when it was delivered it goes aside. */
static bool is_spent(const struct job *job)
{
    return job->recovered && !job->whole && stream_is_delivered(&job->stream);
}

static int64_t jobs_work(struct executor *executor)
{
    struct job *job, *next;
    int64_t wait_ms = 1000;
    HASH_ITER (hh, executor->jobs, job, next) {
        int64_t wants_ms = job_work(job);
        wait_ms = wants_ms >= 0 && wants_ms < wait_ms ? wants_ms : wait_ms;
        if (!is_spent(job))
            continue;
        spool_file_put_aside(&job->stream.file);
        job_free(&job);
    }
    return wait_ms;
}

static int64_t work(void *context)
{
    struct executor *executor = context;
    int64_t wait_ms;
    producer_poll(executor->producer);
    if (!executor->connected)
        return connection_make_when_due(executor);
    lane_work(executor);
    connection_renew_when_unheard(executor);
    wait_ms = jobs_work(executor);
    int64_t hand_back_ms = drain_hand_back_when_due(executor);
    int64_t heartbeat_ms = heartbeat_work(executor);
    wait_ms = heartbeat_ms < wait_ms ? heartbeat_ms : wait_ms;
    wait_ms = hand_back_ms >= 0 && hand_back_ms < wait_ms ? hand_back_ms : wait_ms;
    if (spool_is_full(executor->spool) != executor->was_full) {
        executor->was_full = !executor->was_full;
        log_warning(executor->was_full ? spool_why_full(executor->spool)
                                       : "the spool has room again");
        executor_heartbeat_soon(executor);
    }
    if (means_came_back(&executor->means, executor->settings->work_dir)) {
        log_info("new tasks are taken again");
        executor_heartbeat_soon(executor);
    }
    metric_set(&executor_metrics[EXECUTOR_SLOTS_USED], executor->running);
    metric_set(&executor_metrics[EXECUTOR_SPOOL_BYTES], (double)spool_bytes(executor->spool));
    return wait_ms;
}

static void on_helper_gone(void *context)
{
    struct executor *executor = context;
    loop_remove_fd(service_loop(executor->service), helper_fd(executor->tools.helper));
    log_error("the helper that starts processes is gone: stopping, to be started again");
    service_stop(executor->service, "the helper is gone");
}

bool executor_is_ready(void *context, char *reason, size_t size)
{
    const struct executor *executor = context;
    if (!executor->connected) {
        snprintf(reason, size, "%s", executor->reason[0] == '\0' ? "connecting" : executor->reason);
        return false;
    }
    if (!producer_is_healthy(executor->producer)) {
        snprintf(reason, size, "kafka takes no messages; results wait in the spool");
        return false;
    }
    if (connection_is_unheard(executor)) {
        snprintf(reason, size, "no scheduler has answered for %lld s%s%s",
                 (long long)(monotonic_ms() - executor->heard_ms) / 1000,
                 executor->reason[0] == '\0' ? "" : "; ", executor->reason);
        return false;
    }
    if (spool_is_full(executor->spool)) {
        snprintf(reason, size, "%s: no new task is taken", spool_why_full(executor->spool));
        return false;
    }
    if (!means_are_there(&executor->means)) {
        snprintf(reason, size, "%s: no new task is taken", executor->means.why);
        return false;
    }
    return true;
}

/* ---- opening ---------------------------------------------------------------------------------- */

static struct helper *early_helper; /* made before any thread, taken by executor_open */

int executor_start_helper(struct error *error)
{
    if (helper_start(&early_helper, error) < 0)
        return -1;
    means_raise_limits(); /* our own, and not that of the tests, which the helper forks */
    return 0;
}

static int on_spool_file(void *context, const char *name, const char *header,
                         struct spool_file *file, struct error *error)
{
    return job_recover(context, name, header, file, error);
}

/* What is in it belongs to the executor that runs: another one would remove it. */
static int open_work_dir(struct executor *executor, struct error *error)
{
    const char *path = executor->settings->work_dir;
    AUTO(text_free) char *what = xasprintf("VERDICT_WORK_DIR %s", path);
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set(error, "invalid", "%s: %s", what, strerror(errno));
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_set(error, "invalid", "%s: %s", what, strerror(errno));
    return lock_take(fd, what, &executor->work_lock_fd, error);
}

static int open_parts(struct executor *executor, struct error *error)
{
    const struct executor_settings *settings = executor->settings;
    const struct bus_settings bus = service_bus(executor->service);
    if (open_work_dir(executor, error) < 0)
        return -1;
    executor->runner = runner_find(settings->runner);
    if (executor->runner == NULL)
        return error_set(error, "invalid", "VERDICT_RUNNER %s is not known: process",
                         settings->runner);
    executor->tools.helper = TAKE(early_helper);
    if (spool_open(settings->spool_dir, &executor->spool, error) < 0 ||
        offer_labels(settings->labels, &executor->labels, error) < 0 ||
        flusher_open(executor->tools.loop, on_flushed, executor, &executor->flusher, error) < 0 ||
        remover_open(&executor->remover, error) < 0 ||
        producer_open(&bus, on_delivery, executor, &executor->producer, error) < 0)
        return -1;
    return reader_open(&bus, &executor->reader, error);
}

int executor_open(struct service *service, void **context_r, struct error *error)
{
    struct executor *executor = xcalloc(1, sizeof *executor);
    struct loop *loop = service_loop(service);
    *context_r = executor;
    executor->service = service;
    executor->settings = service_own(service);
    executor->tools.loop = loop;
    executor->work_lock_fd = -1;
    means_init(&executor->means);
    connection_init(executor);
    executor_settings_complete((struct executor_settings *)(uintptr_t)executor->settings,
                               service_common(service)->instance_id);
    if (open_parts(executor, error) < 0)
        return -1;
    spool_clean_aside(executor->spool, ASIDE_MAX_S);
    workspace_remove_old(executor->remover, executor->settings->work_dir);
    if (spool_load(executor->spool, on_spool_file, executor, error) < 0)
        return -1;
    metric_set(&executor_metrics[EXECUTOR_SLOTS], (double)executor->settings->slots);
    loop_add_fd(loop, producer_fd(executor->producer), POLLIN, NULL, NULL);
    loop_add_fd(loop, reader_fd(executor->reader), POLLIN, NULL, NULL);
    loop_add_fd(loop, helper_fd(executor->tools.helper), POLLIN, on_helper_gone, executor);
    loop_add_work(loop, work, executor);
    return 0;
}

void executor_close(void *context)
{
    struct executor *executor = context;
    struct job *job, *next;
    if (executor == NULL)
        return;
    HASH_ITER (hh, executor->jobs, job, next) {
        job_free(&job);
    }
    if (executor->flusher != NULL)
        flusher_close(&executor->flusher);
    remover_close(&executor->remover);
    ends_close(&executor->ends);
    producer_close(&executor->producer, LAST_FLUSH_MS);
    reader_close(&executor->reader);
    helper_stop(&executor->tools.helper);
    spool_close(&executor->spool);
    fd_close(&executor->work_lock_fd);
    json_decref(executor->labels);
    free(executor);
}
