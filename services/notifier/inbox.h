/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from the topic of events: recorded in the event log, and made into deliveries. */
#pragma once

#include "bus/topics.h"
#include "ledger/ledger.h"

struct inbox {
    struct ledger *ledger;       /* set when it is open */
    int64_t first_wait_ms;       /* from an event to the first attempt */
    void (*on_recorded)(void *); /* deliveries may be due */
    void *context;
    char events_topic[TOPIC_NAME_SIZE], scheduling_topic[TOPIC_NAME_SIZE];
};

/* handlers->context is the inbox. */
extern const struct ledger_handlers inbox_handlers;

/* A hint for a request of which nothing has come: as api-ingest has sent it. The row decides. */
int inbox_remind(struct inbox *inbox, struct store *store, const struct uuid *request_id,
                 const struct uuid *project_id, struct error *error) WARN_UNUSED;
