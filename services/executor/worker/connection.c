/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolment, the lane, and enrolling again when nobody answers. */
#include "worker/connection.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "log/log.h"

#define KAFKA_TIMEOUT_MS  3000
#define ANSWER_WAIT_MS    200 /* an answer rings before */
#define SILENT_HEARTBEATS 12
#define RENEW_MAX_FACTOR  10
#define FORBIDDEN_MS      15000

/* The lane's end is a number before anybody knows of this life: no dispatch can be missed. 1: the lane is
 * read; 0: the broker has not answered yet; -1: failed. */
static int read_lane(struct executor *executor, struct error *error)
{
    const struct identity *identity = &executor->identity;
    const struct bus_settings bus = service_bus(executor->service);
    struct log_ends ends;
    if (executor->ends == NULL &&
        ends_open(&bus, identity->lanes_topic, reader_fd(executor->reader), &executor->ends,
                  error) < 0)
        return -1;
    int status = ends_take(executor->ends, identity->lane, &ends, error);
    if (status <= 0)
        return status;
    return reader_assign(executor->reader, identity->lanes_topic, identity->lane, ends.high,
                         error) < 0
               ? -1
               : 1;
}

typedef int identity_call(const struct enrolment *enrolment, struct identity *identity,
                          struct error *error);

static int with_enrolment(struct executor *executor, identity_call *call, struct error *error)
{
    AUTO(text_free) char *labels = json_text(executor->labels);
    const struct enrolment enrolment = {.api_url = executor->settings->api_url,
                                        .join_token = executor->settings->join_token,
                                        .name = executor->settings->worker_name,
                                        .labels = labels,
                                        .slots = executor->settings->slots,
                                        .directory_fd = spool_directory_fd(executor->spool)};
    return call(&enrolment, &executor->identity, error);
}

/* As read_lane. */
static int connect(struct executor *executor, struct error *error)
{
    if (executor->identity.incarnation == 0 && with_enrolment(executor, identity_open, error) < 0)
        return -1;
    int status = read_lane(executor, error);
    if (status <= 0)
        return status;
    return producer_warm_up(executor->producer, executor->identity.scheduling_topic,
                            KAFKA_TIMEOUT_MS, error) < 0
               ? -1
               : 1;
}

static int64_t silence_limit_ms(const struct executor *executor)
{
    int64_t beats_ms = SILENT_HEARTBEATS * executor->settings->heartbeat_ms;
    int64_t least_ms = executor->settings->enrol_again_ms;
    return beats_ms > least_ms ? beats_ms : least_ms;
}

bool connection_is_unheard(const struct executor *executor)
{
    return monotonic_ms() - executor->heard_ms > silence_limit_ms(executor);
}

/* Who was revoked is back soon after it was restored; else there is no scheduler, or the API is away, and all
 * the workers of an installation ask. */
static void set_pace(struct executor *executor, bool forbidden)
{
    int64_t base_ms = executor->settings->enrol_again_ms;
    if (forbidden && base_ms > FORBIDDEN_MS)
        base_ms = FORBIDDEN_MS;
    executor->renew.base_ms = base_ms;
    executor->renew.max_ms = forbidden ? base_ms : RENEW_MAX_FACTOR * base_ms;
}

void connection_init(struct executor *executor)
{
    backoff_init(&executor->connect, 100, 5000);
    set_pace(executor, false);
}

/* Nobody answers though the broker takes our heartbeats: there may be no scheduler, or the ledger does not
 * know this worker's key any more (an older database was put back, the worker was revoked). A new enrolment
 * mends what can be mended, and says what cannot. */
void connection_renew_when_unheard(struct executor *executor)
{
    struct error error;
    int lane = executor->identity.lane;
    if (!connection_is_unheard(executor)) {
        executor->reason[0] = '\0';
        backoff_succeeded(&executor->renew);
        return;
    }
    if (!producer_is_healthy(executor->producer) || !backoff_is_due(&executor->renew))
        return;
    int status = with_enrolment(executor, identity_renew, &error);
    set_pace(executor, status < 0 && error_is(&error, ENROLMENT_FORBIDDEN));
    backoff_failed(&executor->renew); /* not again at once, however this ended */
    if (status < 0) {
        snprintf(executor->reason, sizeof executor->reason, "%s", error.text);
        log_failure(LOG_LEVEL_WARNING, "no scheduler answers; enrolling again", &error);
        return;
    }
    executor->reason[0] = '\0';
    log_info("no scheduler answers; enrolled again");
    executor->connected = executor->identity.lane == lane; /* another one is to be found first */
    executor_heartbeat_soon(executor);
}

int64_t connection_make_when_due(struct executor *executor)
{
    struct error error;
    if (!backoff_is_due(&executor->connect))
        return backoff_wait_ms(&executor->connect);
    int status = connect(executor, &error);
    if (status == 0)
        return ANSWER_WAIT_MS;
    if (status < 0) {
        if (strncmp(executor->reason, error.text, sizeof executor->reason - 1) != 0)
            log_failure(LOG_LEVEL_WARNING, "connecting", &error);
        snprintf(executor->reason, sizeof executor->reason, "%s", error.text);
        backoff_failed(&executor->connect);
        return backoff_wait_ms(&executor->connect);
    }
    executor->connected = true;
    executor->reason[0] = '\0';
    executor->heard_ms = monotonic_ms();
    executor->heartbeat_due_ms = 0;
    log_info("connected", LOG_TEXT("worker_id", executor->identity.worker_id.text),
             LOG_INT("lane", executor->identity.lane),
             LOG_INT("incarnation", executor->identity.incarnation));
    return 0;
}
