/* SPDX-License-Identifier: Apache-2.0 */
/* The process: ledger, partitions and progress, tied to the service's loop. */
#pragma once

#include "bus/topics.h"
#include "ledger/ledger.h"
#include "ledger/worker_keys.h"
#include "partitions.h"
#include "progress.h"
#include "service/service.h"
#include "statistics.h"
#include "write.h"

struct collector_settings {
    int64_t batch_records;
    int64_t log_check_ms;
};
extern const struct settings_table collector_settings;

struct collector {
    struct ledger *ledger;
    struct worker_keys *keys;
    struct partitions *partitions;
    struct progress *progress;
    struct statistics *statistics;
    struct retention *retention;
    struct outcome outcome; /* of the transaction that is open, until it is committed or dropped */
    char results_topic[TOPIC_NAME_SIZE], scheduling_topic[TOPIC_NAME_SIZE];
    char events_topic[TOPIC_NAME_SIZE], dead_letters_topic[TOPIC_NAME_SIZE];
};

int collector_open(struct service *service, void **context_r, struct error *error) WARN_UNUSED;
void collector_close(void *context);

extern const struct readiness collector_readiness[];
extern const size_t collector_readiness_count;
extern const struct stop_step collector_stop[];
extern const size_t collector_stop_count;
