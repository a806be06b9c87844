/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler process: its ledger, its settings, and one brain per partition that it owns. */
#pragma once

#include "ledger/ledger.h"
#include "ledger/worker_keys.h"
#include "measure.h"
#include "service/service.h"

struct scheduler_settings {
    int64_t suspect_ms, lost_ms;
    int64_t dispatch_ack_ms;
    int64_t sync_interval_ms;
    int64_t reaper_interval_ms;
    int64_t task_slack_ms;
    int64_t log_check_ms;
    char *public_url;
};

struct aside;
struct retention;

struct scheduler {
    struct service *service;
    const struct scheduler_settings *settings;
    const char *topic_prefix;
    struct ledger *ledger;
    struct ledger_handlers handlers;
    struct worker_keys *keys;
    char scheduling_topic[128], events_topic[128], dead_letters_topic[128];
    struct gauges *gauges;
    struct retention *retention;
    int64_t measure_due_ms;
    struct aside *aside;      /* runs that cannot be worked on: see aside.h */
    int64_t careful_until_ms; /* statements are about one run each until then */
    /* Every lane message has a higher number than those before, also after a reload. It begins at the time of
     * day: a database that was put back may give a later process the epoch of an earlier one, and workers
     * drop what is numbered below what they have seen in an epoch. */
    int64_t lane_seq;
    int64_t probe_seq; /* of the process as well */
};

int scheduler_open(struct service *service, void **context_r, struct error *error);
void scheduler_close(void *context);

extern const struct settings_table scheduler_settings;
extern const struct stop_step scheduler_stop[];
extern const size_t scheduler_stop_count;
