/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a service: settings → open → serve → stop, step by step, within the grace. */
#include "service/service.h"

#include <jansson.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/version.h"
#include "ledger/metrics.h"
#include "log/log.h"
#include "service/health.h"
#include "service/retention.h"
#include "service/signals.h"
#include "trace/trace.h"

#define MAX_WAIT_MS        1000
#define READINESS_EVERY_MS 100
#define REASON_SIZE        500

enum exit_status {
    EXIT_STOPPED = 0,
    EXIT_OPEN_FAILED = 1,
    EXIT_BAD_SETTINGS = 2,
    EXIT_NOT_GRACEFUL = 3
};

struct service {
    const struct service_description *description;
    struct common_settings common;
    void *own;
    void *context; /* what open made */
    struct loop *loop;
    struct health *health;
    int64_t readiness_due_ms;
    bool was_ready;
    bool stopping;
    int64_t stop_deadline_ms;
    size_t stop_step;
    bool step_begun;
};

/* ---- command line and settings ----------------------------------------------------------------- */

static void print_help(const struct service_description *description)
{
    printf("verdict-%s: %s\n\nUsage: verdict-%s [--help | --version | --docs-settings | "
           "--docs-metrics]\n\n"
           "Settings come from the environment; NAME_FILE gives the file that holds NAME.\n",
           description->name, description->text, description->name);
    settings_print_help(description->common, stdout);
    if (description->own != NULL)
        settings_print_help(description->own, stdout);
}

static void print_docs_settings(const struct service_description *description)
{
    settings_print_markdown(description->common, stdout);
    if (description->own == NULL)
        return;
    printf("\n");
    settings_print_markdown(description->own, stdout);
}

static void print_docs_metrics(const struct service_description *description)
{
    metrics_register(description->metrics, description->metrics_count);
    if (description->common == &common_settings)
        ledger_metrics_register();
    if (description->common == &common_settings)
        retention_metrics_register();
    trace_metrics_register();
    metrics_print_markdown(stdout);
}

static void print_version(const struct service_description *description)
{
    printf("verdict-%s %s (%s)\n", description->name, verdict_version, verdict_commit);
}

static const struct {
    const char *flag;
    void (*print)(const struct service_description *);
} flags[] = {{"--help", print_help},
             {"--version", print_version},
             {"--docs-settings", print_docs_settings},
             {"--docs-metrics", print_docs_metrics}};

/* -1: go on; otherwise the exit status. */
static int run_flag(int argc, char **argv, const struct service_description *description)
{
    if (argc == 1)
        return -1;
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(flags); i++) {
        if (strcmp(argv[1], flags[i].flag) != 0)
            continue;
        flags[i].print(description);
        return EXIT_STOPPED;
    }
    fprintf(stderr, "verdict-%s: unknown argument %s; try --help\n", description->name, argv[1]);
    return EXIT_BAD_SETTINGS;
}

static int load_settings(struct service *service)
{
    const struct service_description *description = service->description;
    int status = settings_load(description->common, &service->common, stderr);
    if (description->own != NULL && settings_load(description->own, service->own, stderr) < 0)
        status = -1;
    if (status < 0)
        return -1;
    if (service->common.instance_id[0] == '\0') {
        char host[256] = "";
        gethostname(host, sizeof host - 1);
        text_free(&service->common.instance_id);
        service->common.instance_id = xasprintf("%s-%s", description->name, host);
    }
    return 0;
}

/* ---- readiness, stopping ------------------------------------------------------------------------ */

/* Closing may wait for servers that are away: no longer than what is left of the grace, and a second. */
static void bound_closing(const struct service *service)
{
    signals_end_within(service->stop_deadline_ms - monotonic_ms());
}

static void on_signal(void *context)
{
    int number = signals_stop();
    if (number != 0)
        service_stop(context, strsignal(number));
}

void service_stop(struct service *service, const char *reason)
{
    if (service->stopping)
        return;
    log_info("stopping", LOG_TEXT("reason", reason));
    service->stopping = true;
    service->stop_deadline_ms = monotonic_ms() + service->common.stop_grace_ms;
    service->readiness_due_ms = 0;
}

static json_t *unready_reasons(const struct service *service)
{
    json_t *reasons = json_array();
    for (size_t i = 0; i < service->description->readiness_count; i++) {
        const struct readiness *readiness = &service->description->readiness[i];
        char reason[REASON_SIZE] = "";
        if (!readiness->check(service->context, reason, sizeof reason))
            json_array_append_new(reasons, json_pack("{s:s, s:o}", "what", readiness->what,
                                                     "reason", json_lossy(reason, strlen(reason))));
    }
    if (service->stopping)
        json_array_append_new(reasons,
                              json_pack("{s:s, s:s}", "what", "service", "reason", "stopping"));
    return reasons;
}

static int64_t publish_readiness(void *context)
{
    struct service *service = context;
    int64_t now_ms = monotonic_ms();
    if (now_ms < service->readiness_due_ms)
        return service->readiness_due_ms - now_ms;
    json_t *reasons = unready_reasons(service);
    bool ready = json_array_size(reasons) == 0;
    AUTO(json_free) json_t *answer = json_pack("{s:b, s:o}", "ready", ready, "reasons", reasons);
    AUTO(text_free) char *text = json_text(answer);
    health_publish(service->health, ready, text);
    if (ready != service->was_ready)
        log_info(ready ? "ready" : "not ready", LOG_TEXT("readiness", text));
    service->was_ready = ready;
    service->readiness_due_ms = now_ms + READINESS_EVERY_MS;
    return READINESS_EVERY_MS;
}

/* One look at the visible list; true when all of it is done. */
static bool stop_further(struct service *service)
{
    const struct service_description *description = service->description;
    while (service->stop_step < description->stop_count) {
        const struct stop_step *step = &description->stop[service->stop_step];
        if (!service->step_begun) {
            log_info("stop", LOG_TEXT("step", step->name));
            if (step->begin != NULL)
                step->begin(service->context);
            service->step_begun = true;
        }
        if (step->done != NULL && !step->done(service->context))
            return false;
        service->stop_step++;
        service->step_begun = false;
    }
    return true;
}

static int serve(struct service *service)
{
    while (!service->stopping)
        loop_pass(service->loop, MAX_WAIT_MS);
    while (!stop_further(service)) {
        if (monotonic_ms() > service->stop_deadline_ms) {
            log_warning("the grace is over",
                        LOG_TEXT("step", service->description->stop[service->stop_step].name));
            return EXIT_NOT_GRACEFUL;
        }
        loop_pass(service->loop, 20);
    }
    return EXIT_STOPPED;
}

/* ---- the whole life ---------------------------------------------------------------------------- */

static int open_all(struct service *service, struct error *error)
{
    const struct service_description *description = service->description;
    service->loop = loop_new();
    loop_add_fd(service->loop, signals_fd(), POLLIN, on_signal, service);
    metrics_register(description->metrics, description->metrics_count);
    trace_metrics_register();
    if (trace_open(service->common.otlp_endpoint, service->common.otlp_headers, description->name,
                   service->common.instance_id, error) < 0)
        return -1;
    if (health_open(&service->common.health_listen, description->name, service->loop,
                    &service->health, error) < 0)
        return -1;
    if (description->open(service, &service->context, error) < 0)
        return -1;
    loop_add_work(service->loop, publish_readiness, service);
    return 0;
}

static int live(struct service *service)
{
    struct error error;
    int status = EXIT_OPEN_FAILED;
    if (open_all(service, &error) < 0) {
        log_failure(LOG_LEVEL_ERROR, "cannot start", &error);
    } else {
        log_info("started", LOG_TEXT("version", verdict_version),
                 LOG_TEXT("commit", verdict_commit));
        status = serve(service);
        bound_closing(service);
    }
    service->description->close(service->context);
    trace_close();
    health_close(&service->health);
    loop_free(&service->loop);
    log_info("stopped", LOG_INT("status", status));
    return status;
}

int service_main(int argc, char **argv, const struct service_description *description)
{
    struct service service = {.description = description};
    int status = run_flag(argc, argv, description);
    if (status >= 0)
        return status;
    if (sodium_init() < 0)
        return EXIT_OPEN_FAILED;
    json_object_seed(0);
    service.own = xcalloc(1, description->own_size);
    signals_take(EXIT_NOT_GRACEFUL);
    if (load_settings(&service) < 0) {
        status = EXIT_BAD_SETTINGS;
    } else {
        log_init(description->name, service.common.instance_id,
                 (enum log_level)service.common.log_level);
        status = live(&service);
    }
    if (description->own != NULL)
        settings_free(description->own, service.own);
    settings_free(description->common, &service.common);
    free(service.own);
    signals_close();
    return status;
}

struct loop *service_loop(struct service *service)
{
    return service->loop;
}

const struct common_settings *service_common(const struct service *service)
{
    return &service->common;
}

const void *service_own(const struct service *service)
{
    return service->own;
}

struct bus_settings service_bus(const struct service *service)
{
    return (struct bus_settings){.brokers = service->common.kafka_brokers,
                                 .client_id = service->common.instance_id,
                                 .session_timeout_ms = service->common.session_timeout_ms,
                                 .heartbeat_interval_ms = service->common.group_heartbeat_ms};
}

struct store_settings service_store(const struct service *service)
{
    struct store_settings settings = store_defaults;
    settings.url = service->common.postgres_url;
    settings.application_name = service->common.instance_id;
    settings.by_index = true;
    return settings;
}

bool service_is_stopping(const struct service *service)
{
    return service->stopping;
}
