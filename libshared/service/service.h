/* SPDX-License-Identifier: Apache-2.0 */
/* The skeleton that all five services share: settings, log, signals, health endpoint, the loop, and the
 * graceful stop as a visible list. main.c of a service is a table of contents over it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "metrics/metrics.h"
#include "service/loop.h"
#include "settings/settings.h"
#include "store/store.h"

/* Settings that every service has. */
struct common_settings {
    char *postgres_url;   /* not for executors */
    int64_t retention_ms; /* … nor this */
    char *kafka_brokers;
    char *topic_prefix;
    char *instance_id; /* default: <service>-<host name> */
    struct listen_address health_listen;
    int log_level;
    int64_t session_timeout_ms;
    int64_t group_heartbeat_ms;
    char *otlp_endpoint;   /* of traces; "": none */
    char *otlp_headers;    /* a secret; trace/otlp_headers.h */
    int64_t stop_grace_ms; /* a graceful stop takes no longer */
};
extern const struct settings_table common_settings; /* with the Postgres URL */
extern const struct settings_table worker_settings; /* without it: for the executor */

struct service;

/* A step of stopping, in order. `done` is polled on each pass until true (NULL: at once). */
struct stop_step {
    const char *name; /* "stop taking", "wait for running work" … for the log */
    void (*begin)(void *context);
    bool (*done)(void *context);
};

struct readiness {
    const char *what; /* "postgres", "kafka", "progress" … */
    bool (*check)(void *context, char *reason, size_t size);
};

struct service_description {
    const char *name;                    /* "scheduler" */
    const char *text;                    /* one line for --help */
    const struct settings_table *common; /* &common_settings or &worker_settings */
    const struct settings_table *own;
    size_t own_size; /* of the own settings' struct */
    struct metric *metrics;
    size_t metrics_count;
    /* Opens everything in dependency order, adds fds and work to the loop. */
    int (*open)(struct service *service, void **context_r, struct error *error);
    void (*close)(void *context); /* in reverse; also of what is half open */
    const struct readiness *readiness;
    size_t readiness_count;
    const struct stop_step *stop;
    size_t stop_count;
};

/* The whole life of a service: --help, --version, --docs-settings and --docs-metrics, settings, open, serve, stop. Exit status: 0 after a
 * graceful stop; 1 when open failed for good; 2 usage or settings; 3 a second signal or the grace was over. */
int service_main(int argc, char **argv, const struct service_description *description);

struct loop *service_loop(struct service *service);
const struct common_settings *service_common(const struct service *service);
const void *service_own(const struct service *service); /* the own settings */
struct bus_settings service_bus(const struct service *service);
struct store_settings service_store(const struct service *service);
bool service_is_stopping(const struct service *service);
void service_stop(struct service *service, const char *reason); /* as SIGTERM does */
