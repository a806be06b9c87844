/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler process: its ledger, its settings, and one brain per partition that it owns. */
#pragma once

#include "ledger/ledger.h"
#include "ledger/worker_keys.h"
#include "service/service.h"

struct scheduler_settings {
    int64_t suspect_ms, lost_ms;
    int64_t dispatch_ack_ms;
    int64_t sync_interval_ms;
    int64_t reaper_interval_ms;
    int64_t log_check_ms;
    char *public_url;
};

struct scheduler {
    struct service *service;
    const struct scheduler_settings *settings;
    const char *topic_prefix;
    struct ledger *ledger;
    struct ledger_handlers handlers;
    struct worker_keys *keys;
    char scheduling_topic[128], events_topic[128], dead_letters_topic[128];
    struct demand {
        char *class; /* of requirements */
        int wanted;
    } * demand;
    int demand_count, demand_beyond;
    int64_t measure_due_ms;
    int64_t lane_seq; /* of the process: every lane message has a higher one, also after a reload */
};

int scheduler_open(struct service *service, void **context_r, struct error *error);
void scheduler_close(void *context);

extern const struct settings_table scheduler_settings;

enum scheduler_metric {
    SCHEDULER_RUNS_OPEN,
    SCHEDULER_RUNS_FINISHED,
    SCHEDULER_DISPATCHES,
    SCHEDULER_RESENDS,
    SCHEDULER_LOST,
    SCHEDULER_DEMAND,
    SCHEDULER_WORKERS,
    SCHEDULER_SLOTS_FREE,
    SCHEDULER_METRIC_COUNT
};
extern struct metric scheduler_metrics[SCHEDULER_METRIC_COUNT];
