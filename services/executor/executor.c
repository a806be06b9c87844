/* SPDX-License-Identifier: Apache-2.0 */
/* The process: settings, connecting, the pass of the loop, draining. */
#include "executor.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <errno.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/remover.h"
#include "agent/workspace.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "log/log.h"
#include "model/labels.h"
#include "model/limits.h"
#include "worker/heartbeat.h"
#include "worker/lane.h"
#include "worker/lock.h"

#define KAFKA_TIMEOUT_MS  3000
#define COALESCE_MS       1
#define ANSWER_WAIT_MS    200  /* an answer rings before */
#define HAND_BACK_MS      5000 /* before the grace is over: time to end what runs and to tell it */
#define LAST_GRACE_MS     500
#define LAST_FLUSH_MS     3000
#define SILENT_HEARTBEATS 12
#define RENEW_MAX_FACTOR  10
#define FORBIDDEN_MS      15000
#define ASIDE_MAX_S       (7 * 24 * 3600)

#define OWN(field) offsetof(struct executor_settings, field)
static const struct setting list[] = {
    {.name = "VERDICT_API_URL",
     .type = SETTING_TEXT,
     .offset = OWN(api_url),
     .min = 1,
     .max = 1024,
     .text = "api-ingest, for enrolment"},
    {.name = "VERDICT_JOIN_TOKEN",
     .type = SETTING_SECRET,
     .offset = OWN(join_token),
     .min = 1,
     .max = 200,
     .text = "the pool's join token (vdj_…)"},
    {.name = "VERDICT_WORKER_NAME",
     .type = SETTING_TEXT,
     .offset = OWN(worker_name),
     .fallback = "",
     .max = 200,
     .text = "stable name of this worker in its pool; none: the instance id"},
    {.name = "VERDICT_SLOTS",
     .type = SETTING_INT,
     .offset = OWN(slots),
     .fallback = "1",
     .min = 1,
     .max = LIMIT_SLOTS_PER_WORKER,
     .text = "how many tasks run at once"},
    {.name = "VERDICT_LABELS",
     .type = SETTING_TEXT,
     .offset = OWN(labels),
     .fallback = "",
     .max = 4096,
     .text =
         "what this worker offers beyond os, arch, cpu and memory_mb: gpu=cuda,browser=firefox"},
    {.name = "VERDICT_SPOOL_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(spool_dir),
     .min = 1,
     .max = 1024,
     .text = "where results are kept until they are settled; must survive a restart"},
    {.name = "VERDICT_WORK_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(work_dir),
     .min = 1,
     .max = 1024,
     .text = "where tasks get their directories"},
    {.name = "VERDICT_GIT_CACHE_MB",
     .type = SETTING_INT,
     .offset = OWN(git_cache_mb),
     .fallback = "2048",
     .min = 0,
     .max = 1024 * 1024,
     .text =
         "what fetched git repositories may take below the work directory; the one that was used "
         "longest ago goes first. 0: each task fetches anew"},
    {.name = "VERDICT_SECRETS_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(secrets_dir),
     .fallback = "",
     .max = 1024,
     .text = "a file per secret; suites name those that they need"},
    {.name = "VERDICT_SOURCE_ROOTS",
     .type = SETTING_TEXT,
     .offset = OWN(source_roots),
     .fallback = "",
     .max = 8192,
     .text = "directories below which sources of kind path may lie, separated by colons"},
    {.name = "VERDICT_PLUGIN_DIR",
     .type = SETTING_TEXT,
     .offset = OWN(plugin_dir),
     .fallback = "",
     .max = 1024,
     .text = "where verdict_pytest.py lies; none: beside the program"},
    {.name = "VERDICT_TEST_PATH",
     .type = SETTING_TEXT,
     .offset = OWN(path),
     .fallback = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
     .min = 1,
     .max = 8192,
     .text = "PATH of the tests"},
    {.name = "VERDICT_RUNNER",
     .type = SETTING_TEXT,
     .offset = OWN(runner),
     .fallback = "process",
     .min = 1,
     .max = 63,
     .text = "how tests are run: process"},
    {.name = "VERDICT_HEARTBEAT",
     .type = SETTING_DURATION,
     .offset = OWN(heartbeat_ms),
     .fallback = "5s",
     .min = 50,
     .max = 60000,
     .text = "how often the scheduler hears that this worker is alive"},
    {.name = "VERDICT_RESEND",
     .type = SETTING_DURATION,
     .offset = OWN(resend_ms),
     .fallback = "30s",
     .min = 500,
     .max = 600000,
     .text = "a stream that is not settled within it is sent again; doubles to 10 min"},
    {.name = "VERDICT_ENROL_AGAIN",
     .type = SETTING_DURATION,
     .offset = OWN(enrol_again_ms),
     .fallback = "30s",
     .min = 500,
     .max = 600000,
     .text =
         "a worker that no scheduler has answered for so long, and for 12 heartbeats, enrols "
         "again; repeated ever more rarely, at most ten times as long apart; each 15 s or sooner "
         "while it is revoked"},
};
const struct settings_table executor_settings = SETTINGS(list);

struct metric executor_metrics[EXECUTOR_METRIC_COUNT] = {
    [EXECUTOR_SLOTS] = {.name = "verdict_executor_slots",
                        .type = METRIC_GAUGE,
                        .help = "Tasks that may run at once."},
    [EXECUTOR_SLOTS_USED] = {.name = "verdict_executor_slots_used",
                             .type = METRIC_GAUGE,
                             .help = "Tasks that run."},
    [EXECUTOR_TASKS] = {.name = "verdict_executor_tasks_total",
                        .type = METRIC_COUNTER,
                        .help = "Tasks by how they ended.",
                        .labels = {"ending"}},
    [EXECUTOR_TASK_SECONDS] = {.name = "verdict_executor_task_seconds",
                               .type = METRIC_HISTOGRAM,
                               .help = "From acceptance to the end of a task."},
    [EXECUTOR_ITEMS_SENT] = {.name = "verdict_executor_items_sent_total",
                             .type = METRIC_COUNTER,
                             .help = "Items of streams handed to Kafka, repeated ones too."},
    [EXECUTOR_SPOOL_BYTES] = {.name = "verdict_executor_spool_bytes",
                              .type = METRIC_GAUGE,
                              .help = "What the spool takes on disk."},
    [EXECUTOR_LANE_DROPPED] = {.name = "verdict_executor_lane_dropped_total",
                               .type = METRIC_COUNTER,
                               .help = "Lane messages that were out of date or wrong."},
};

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

/* ---- connecting ------------------------------------------------------------------------------- */

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

static bool is_unheard(const struct executor *executor)
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

/* Nobody answers though the broker takes our heartbeats: there may be no scheduler, or the ledger does not
 * know this worker's key any more (an older database was put back, the worker was revoked). A new enrolment
 * mends what can be mended, and says what cannot. */
static void renew_when_unheard(struct executor *executor)
{
    struct error error;
    int lane = executor->identity.lane;
    if (!is_unheard(executor)) {
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

static int64_t connect_when_due(struct executor *executor)
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

/* ---- the pass --------------------------------------------------------------------------------- */

static int64_t hand_back_when_due(struct executor *executor)
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
        return connect_when_due(executor);
    lane_work(executor);
    renew_when_unheard(executor);
    wait_ms = jobs_work(executor);
    int64_t hand_back_ms = hand_back_when_due(executor);
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
    if (is_unheard(executor)) {
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

/* ---- stopping --------------------------------------------------------------------------------- */

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

static struct helper *early_helper; /* made before any thread, taken by executor_open */

int executor_start_helper(struct error *error)
{
    if (helper_start(&early_helper, error) < 0)
        return -1;
    means_raise_limits(); /* our own, and not that of the tests, which the helper forks */
    return 0;
}

/* ---- opening ---------------------------------------------------------------------------------- */

static json_t *machine_labels(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    return json_pack("{s:s, s:s, s:I, s:I}", "os", "linux", "arch",
#if defined(__x86_64__)
                     "x86_64",
#elif defined(__aarch64__)
                     "aarch64",
#else
                     "other",
#endif
                     "cpu", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_mb",
                     (json_int_t)((int64_t)pages * page / (1024 * 1024)));
}

/* "gpu=cuda,slots=4,fast": numbers become numbers, a name alone is true. */
static int add_labels(json_t *labels, const char *text, struct error *error)
{
    AUTO(text_free) char *copy = xstrdup(text);
    char *state = NULL;
    for (char *part = strtok_r(copy, ",", &state); part != NULL;
         part = strtok_r(NULL, ",", &state)) {
        char *equals = strchr(part, '='), *end = NULL;
        if (equals == NULL) {
            json_object_set_new(labels, part, json_true());
            continue;
        }
        *equals = '\0';
        long long number = strtoll(equals + 1, &end, 10);
        bool is_number = equals[1] != '\0' && *end == '\0';
        json_object_set_new(labels, part,
                            is_number ? json_integer(number) : json_string(equals + 1));
    }
    if (labels_check(labels, error) < 0)
        return error_wrap(error, "VERDICT_LABELS");
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

static void fill_settings(struct executor *executor, struct executor_settings *settings)
{
    char program[1024];
    if (settings->worker_name[0] == '\0') {
        text_free(&settings->worker_name);
        settings->worker_name = xstrdup(service_common(executor->service)->instance_id);
    }
    if (settings->plugin_dir[0] != '\0')
        return;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    const char *const beside[] = {"../share/verdict/pytest", "../../integrations/pytest"};
    for (size_t i = 0; slash != NULL && i < ARRAY_SIZE(beside); i++) {
        AUTO(text_free)
        char *path = xasprintf("%.*s/%s", (int)(slash - program), program, beside[i]);
        char *real = realpath(path, NULL);
        if (real == NULL)
            continue;
        text_free(&settings->plugin_dir);
        settings->plugin_dir = real;
        return;
    }
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
        add_labels(executor->labels, settings->labels, error) < 0 ||
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
    executor->labels = machine_labels();
    executor->work_lock_fd = -1;
    means_init(&executor->means);
    backoff_init(&executor->connect, 100, 5000);
    set_pace(executor, false);
    fill_settings(executor, (struct executor_settings *)(uintptr_t)executor->settings);
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
