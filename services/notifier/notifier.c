/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes what the notifier is made of. */
#include "notifier.h"

#include <poll.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/memory.h"
#include "db/retention.h"
#include "housekeeping.h"
#include "inbox.h"
#include "sender.h"

#define BATCH_RECORDS  500
#define BATCH_BYTES    ((int64_t)4 * 1024 * 1024)
#define LOG_CHECK_MS   10000
#define FLUSH_MS       2000
#define OFFSET(member) offsetof(struct notifier_settings, member)

static const struct setting settings_list[] = {
    {.name = "VERDICT_KEY_FILE",
     .type = SETTING_TEXT,
     .offset = OFFSET(key_file),
     .text = "file with 64 hex digits: the key that api-ingest seals webhook secrets with"},
    {.name = "VERDICT_WEBHOOK_ALLOW_PRIVATE",
     .type = SETTING_BOOL,
     .offset = OFFSET(allow_private),
     .fallback = "false",
     .text = "send also to addresses that are not public (loopback, private networks)"},
    {.name = "VERDICT_WEBHOOK_TIMEOUT",
     .type = SETTING_DURATION,
     .offset = OFFSET(timeout_ms),
     .fallback = "15s",
     .min = 100,
     .max = 120000,
     .text = "of one request to a receiver, from connecting to its whole answer"},
    {.name = "VERDICT_WEBHOOK_SCHEDULE",
     .type = SETTING_TEXT,
     .offset = OFFSET(schedule),
     .fallback = "0s,5s,5m,30m,2h,5h,10h,14h,20h,24h",
     .text = "the wait before each attempt; after the last one a delivery is exhausted"},
    {.name = "VERDICT_WEBHOOK_IN_FLIGHT",
     .type = SETTING_INT,
     .offset = OFFSET(in_flight),
     .fallback = "256",
     .min = 1,
     .max = 10000,
     .text = "requests at once"},
    {.name = "VERDICT_WEBHOOK_PER_HOST",
     .type = SETTING_INT,
     .offset = OFFSET(per_host),
     .fallback = "16",
     .min = 1,
     .max = 1000,
     .text = "requests at once to one host and port"},
    {.name = "VERDICT_WEBHOOK_PER_ENDPOINT",
     .type = SETTING_INT,
     .offset = OFFSET(per_endpoint),
     .fallback = "4",
     .min = 1,
     .max = 1000,
     .text = "requests at once to one endpoint; one while it fails"},
};
const struct settings_table notifier_settings = SETTINGS(settings_list);

struct notifier {
    const struct common_settings *common;
    struct ledger_handlers handlers;
    struct inbox inbox;
    struct ledger *ledger;
    char dead_letters_topic[TOPIC_NAME_SIZE]; /* the ledger borrows it */
    struct sender *sender;
    struct housekeeping *housekeeping;
    struct retention *retention;
    int64_t give_up_ms; /* stopping: requests in flight are left then; monotonic */
};

static void on_recorded(void *context)
{
    struct notifier *notifier = context;
    sender_wake(notifier->sender);
}

static int64_t work(void *context)
{
    struct notifier *notifier = context;
    int64_t wait_ms = ledger_work(notifier->ledger);
    int64_t sender_ms = sender_work(notifier->sender);
    int64_t housekeeping_ms = housekeeping_work(notifier->housekeeping);
    wait_ms = sender_ms < wait_ms ? sender_ms : wait_ms;
    return housekeeping_ms < wait_ms ? housekeeping_ms : wait_ms;
}

static int open_sender(struct notifier *notifier, struct service *service, struct error *error)
{
    const struct notifier_settings *own = service_own(service);
    struct sender_settings settings = {.instance_id = notifier->common->instance_id,
                                       .store = service_store(service),
                                       .transport = {.timeout_ms = own->timeout_ms,
                                                     .per_host = (int)own->per_host,
                                                     .allow_private = own->allow_private},
                                       .in_flight = (int)own->in_flight,
                                       .per_endpoint = (int)own->per_endpoint};
    if (schedule_parse(own->schedule, &settings.schedule, error) < 0)
        return error_wrap(error, "VERDICT_WEBHOOK_SCHEDULE");
    if (seal_key_read(own->key_file, settings.key, error) < 0)
        return -1;
    notifier->inbox.first_wait_ms = settings.schedule.waits_ms[0];
    int status = sender_open(service_loop(service), &settings, &notifier->sender, error);
    sodium_memzero(settings.key, sizeof settings.key);
    return status;
}

static int open_ledger(struct notifier *notifier, struct service *service, struct error *error)
{
    const char *prefix = notifier->common->topic_prefix;
    struct inbox *inbox = &notifier->inbox;
    inbox->on_recorded = on_recorded;
    inbox->context = notifier;
    topic_name(TOPIC_EVENTS, prefix, NULL, inbox->events_topic);
    topic_name(TOPIC_SCHEDULING, prefix, NULL, inbox->scheduling_topic);
    topic_name(TOPIC_DEAD_LETTERS, prefix, NULL, notifier->dead_letters_topic);
    notifier->handlers = inbox_handlers;
    notifier->handlers.context = inbox;
    const struct ledger_settings settings = {.schema = "notify",
                                             .group = inbox->events_topic,
                                             .instance_id = notifier->common->instance_id,
                                             .topic = inbox->events_topic,
                                             .dead_letters_topic = notifier->dead_letters_topic,
                                             .partitions_key =
                                                 topics[TOPIC_EVENTS].installation_key,
                                             .batch_records = BATCH_RECORDS,
                                             .batch_bytes = BATCH_BYTES,
                                             .log_check_ms = LOG_CHECK_MS,
                                             .store = service_store(service),
                                             .bus = service_bus(service)};
    if (ledger_open(&settings, &notifier->handlers, &notifier->ledger, error) < 0)
        return -1;
    inbox->ledger = notifier->ledger;
    return 0;
}

int notifier_open(struct service *service, void **context_r, struct error *error)
{
    struct notifier *notifier = xcalloc(1, sizeof *notifier);
    *context_r = notifier; /* also half open: notifier_close is called */
    notifier->common = service_common(service);
    if (open_sender(notifier, service, error) < 0 || open_ledger(notifier, service, error) < 0)
        return -1;
    notifier->housekeeping = housekeeping_new(&notifier->inbox, notifier->sender);
    loop_add_fd(service_loop(service), ledger_fd(notifier->ledger), POLLIN, NULL, NULL);
    loop_add_work(service_loop(service), work, notifier);
    const struct store_settings store = service_store(service);
    return retention_start(&store, notifier->common->retention_ms, &notify_retention,
                           &notifier->retention, error);
}

void notifier_close(void *context)
{
    struct notifier *notifier = context;
    if (notifier == NULL)
        return;
    retention_stop(&notifier->retention);
    housekeeping_free(&notifier->housekeeping);
    ledger_close(&notifier->ledger, FLUSH_MS);
    sender_close(&notifier->sender);
    memory_free(&notifier);
}

static bool is_ledger_ready(void *context, char *reason, size_t size)
{
    const struct notifier *notifier = context;
    return ledger_is_ready(notifier->ledger, reason, size);
}

static bool is_sender_ready(void *context, char *reason, size_t size)
{
    const struct notifier *notifier = context;
    return sender_is_ready(notifier->sender, reason, size);
}

const struct readiness notifier_readiness[] = {
    {.what = "ledger", .check = is_ledger_ready},
    {.what = "deliveries", .check = is_sender_ready},
};
const size_t notifier_readiness_count = ARRAY_SIZE(notifier_readiness);

/* The last part of the grace is for giving back what was not answered. */
static void stop_claiming(void *context)
{
    struct notifier *notifier = context;
    ledger_stop(notifier->ledger);
    sender_stop_claiming(notifier->sender);
    notifier->give_up_ms = monotonic_ms() + notifier->common->stop_grace_ms * 3 / 4;
}

static bool is_idle(void *context)
{
    const struct notifier *notifier = context;
    return sender_is_idle(notifier->sender) || monotonic_ms() > notifier->give_up_ms;
}

const struct stop_step notifier_stop[] = {
    {.name = "take no more events, claim no more deliveries", .begin = stop_claiming},
    {.name = "wait for requests in flight", .done = is_idle},
};
const size_t notifier_stop_count = ARRAY_SIZE(notifier_stop);
