/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that services have in common, those of the executor without a database. */
#include <stddef.h>

#include "log/log.h"
#include "service/service.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

#define COMMON(field) offsetof(struct common_settings, field)
#define COMMON_SETTINGS                                                                            \
    {.name = "VERDICT_KAFKA_BROKERS",                                                              \
     .type = SETTING_TEXT,                                                                         \
     .offset = COMMON(kafka_brokers),                                                              \
     .min = 1,                                                                                     \
     .max = 2048,                                                                                  \
     .text = "Kafka's brokers: host:port, host:port …"},                                           \
        {.name = "VERDICT_TOPIC_PREFIX",                                                           \
         .type = SETTING_TEXT,                                                                     \
         .offset = COMMON(topic_prefix),                                                           \
         .fallback = "verdict",                                                                    \
         .min = 1,                                                                                 \
         .max = 40,                                                                                \
         .text = "what the names of all topics begin with"},                                       \
        {.name = "VERDICT_INSTANCE_ID",                                                            \
         .type = SETTING_TEXT,                                                                     \
         .offset = COMMON(instance_id),                                                            \
         .fallback = "",                                                                           \
         .max = 200,                                                                               \
         .text = "stable name of this instance, unique per service; none: the service and the "    \
                 "host's name"},                                                                   \
        {.name = "VERDICT_HEALTH_LISTEN",                                                          \
         .type = SETTING_LISTEN,                                                                   \
         .offset = COMMON(health_listen),                                                          \
         .fallback = "127.0.0.1:9464",                                                             \
         .text = "where /livez, /readyz, /metrics and /version are"},                              \
        {.name = "VERDICT_LOG_LEVEL",                                                              \
         .type = SETTING_ENUM,                                                                     \
         .offset = COMMON(log_level),                                                              \
         .fallback = "info",                                                                       \
         .names = &log_level_names,                                                                \
         .text = "least important lines that are written"},                                        \
        {.name = "VERDICT_SESSION_TIMEOUT",                                                        \
         .type = SETTING_DURATION,                                                                 \
         .offset = COMMON(session_timeout_ms),                                                     \
         .fallback = "30s",                                                                        \
         .min = 1000,                                                                              \
         .max = 300000,                                                                            \
         .text = "silence after which the group gives a member's partitions to others"},           \
        {.name = "VERDICT_GROUP_HEARTBEAT",                                                        \
         .type = SETTING_DURATION,                                                                 \
         .offset = COMMON(group_heartbeat_ms),                                                     \
         .fallback = "500ms",                                                                      \
         .min = 50,                                                                                \
         .max = 60000,                                                                             \
         .text = "how often a group member says that it is there"},                                \
        {.name = "VERDICT_OTLP_ENDPOINT",                                                          \
         .type = SETTING_TEXT,                                                                     \
         .offset = COMMON(otlp_endpoint),                                                          \
         .fallback = "",                                                                           \
         .max = 2048,                                                                              \
         .text =                                                                                   \
             "where spans are sent by OTLP/HTTP (JSON): a base URL such as "                       \
             "http://127.0.0.1:4318, without credentials (they are headers), "                     \
             "/v1/traces is put behind it; the same for all services; none: no spans are made"},   \
        {.name = "VERDICT_OTLP_HEADERS",                                                           \
         .type = SETTING_SECRET,                                                                   \
         .offset = COMMON(otlp_headers),                                                           \
         .fallback = "",                                                                           \
         .max = 8192,                                                                              \
         .text = "headers of each request there, such as Authorization=Bearer%20TOKEN: "           \
                 "NAME=VALUE with commas between, values percent-encoded"},                        \
    {                                                                                              \
        .name = "VERDICT_STOP_GRACE", .type = SETTING_DURATION, .offset = COMMON(stop_grace_ms),   \
        .fallback = "30s", .min = 0, .max = 3600000, .text = "a graceful stop takes no longer"     \
    }

static const struct setting common_list[] = {
    {.name = "VERDICT_POSTGRES_URL",
     .type = SETTING_SECRET,
     .offset = COMMON(postgres_url),
     .min = 1,
     .max = 4096,
     .text = "Postgres: postgresql://user:password@host:port/database"},
    {.name = "VERDICT_RETENTION",
     .type = SETTING_DURATION,
     .offset = COMMON(retention_ms),
     .fallback = "90d",
     .min = 1 * DAY_MS,
     .max = 3650 * DAY_MS,
     .text =
         "so long runs, their results and what was told of them are kept, counted from their end; "
         "the same for all services"},
    COMMON_SETTINGS,
};
const struct settings_table common_settings = SETTINGS(common_list);

static const struct setting worker_list[] = {COMMON_SETTINGS};
const struct settings_table worker_settings = SETTINGS(worker_list);
