/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest service on the ledger, for tests/service/ledger_test.py. Its messages say what its handler
 * does: "count 7", "reject 7", "data", "need later", "stop 7", "out 7". It counts into schema probe. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bus/topics.h"
#include "ledger/ledger.h"
#include "ledger/metrics.h"
#include "ledger/outbox.h"
#include "service/service.h"

struct probe_settings {
    int64_t log_check_ms;
};

struct probe {
    struct ledger *ledger;
    char topic[TOPIC_NAME_SIZE], dead_letters[TOPIC_NAME_SIZE], out[TOPIC_NAME_SIZE];
    int64_t loaded; /* what load has counted: memory that must follow the ledger */
};

static int load(void *context, struct ledger_partition *partition, struct store *store,
                struct error *error)
{
    struct probe *probe = context;
    AUTO(rows_free) struct rows *rows = NULL;
    (void)partition;
    if (store_query(store, "SELECT count(*) FROM probe.seen", NO_PARAMS, &rows, error) < 0)
        return -1;
    probe->loaded = rows_int(rows, 0, 0);
    return 0;
}

static void drop(void *context, struct ledger_partition *partition)
{
    (void)context;
    (void)partition;
}

static int count(struct store *store, int64_t number, int64_t epoch, struct error *error)
{
    return store_query(store,
                       "INSERT INTO probe.seen AS s (n, epoch) VALUES ($1, $2) "
                       "ON CONFLICT (n) DO UPDATE SET times = s.times + 1",
                       PARAMS(param_int(number), param_int(epoch)), NULL, error);
}

static int send_out(struct probe *probe, struct store *store, const char *text, struct error *error)
{
    const struct outbox_message message = {
        .topic = probe->out, .partition = 0, .key = "probe", .payload = text};
    return outbox_add(ledger_outbox(probe->ledger), store, &message, error);
}

static int act(struct probe *probe, struct ledger_partition *partition, struct store *store,
               const char *text, struct judgement *judgement, struct error *error)
{
    const char *space = strchr(text, ' ');
    int64_t number = space == NULL ? 0 : atoll(space);
    int64_t epoch = ledger_partition_epoch(partition);
    if (strncmp(text, "count", 5) == 0)
        return count(store, number, epoch, error);
    if (strncmp(text, "out", 3) == 0)
        return count(store, number, epoch, error) < 0 ? -1 : send_out(probe, store, text, error);
    if (strncmp(text, "data", 4) == 0)
        return store_query(store, "SELECT 1 / 0", NO_PARAMS, NULL, error);
    if (strncmp(text, "need", 4) == 0)
        return store_query(store, "INSERT INTO probe.later VALUES (1)", NO_PARAMS, NULL, error);
    if (strncmp(text, "stop", 4) == 0) {
        if (count(store, number, epoch, error) < 0)
            return -1;
        raise(SIGSTOP);
        return 0;
    }
    judgement->verdict = REJECTED;
    error_field(&judgement->why, "text", "text is no command of the probe");
    return 0;
}

static enum verdict_of_handler handle(void *context, struct ledger_partition *partition,
                                      struct store *store, const struct record *const *records,
                                      struct judgement *judgements, int count_, struct error *error)
{
    for (int i = 0; i < count_; i++) {
        AUTO(text_free)
        char *text = xstrndup(records[i]->payload == NULL ? "" : records[i]->payload,
                              records[i]->payload_length);
        if (act(context, partition, store, text, &judgements[i], error) < 0)
            return RETRY;
    }
    return HANDLED;
}

static int resync(void *context, struct ledger_partition *partition, struct store *store,
                  struct error *error)
{
    (void)context;
    return store_query(store, "INSERT INTO probe.resync (partition, epoch) VALUES ($1, $2)",
                       PARAMS(param_int(ledger_partition_number(partition)),
                              param_int(ledger_partition_epoch(partition))),
                       NULL, error);
}

static int64_t work(void *context)
{
    struct probe *probe = context;
    return ledger_work(probe->ledger);
}

static bool is_ready(void *context, char *reason, size_t size)
{
    const struct probe *probe = context;
    return ledger_is_ready(probe->ledger, reason, size);
}

static int open_probe(struct service *service, void **context_r, struct error *error)
{
    static struct ledger_handlers handlers = {
        .load = load, .drop = drop, .handle = handle, .resync = resync};
    const struct common_settings *common = service_common(service);
    const struct probe_settings *own = service_own(service);
    struct probe *probe = xcalloc(1, sizeof *probe);
    *context_r = probe;
    handlers.context = probe;
    topic_name(TOPIC_EVENTS, common->topic_prefix, NULL, probe->topic);
    topic_name(TOPIC_DEAD_LETTERS, common->topic_prefix, NULL, probe->dead_letters);
    topic_name(TOPIC_RESULTS, common->topic_prefix, NULL, probe->out);
    const struct ledger_settings settings = {.schema = "notify",
                                             .group = probe->topic,
                                             .instance_id = common->instance_id,
                                             .topic = probe->topic,
                                             .dead_letters_topic = probe->dead_letters,
                                             .partitions_key = "events_partitions",
                                             .batch_records = 100,
                                             .batch_bytes = 1 << 20,
                                             .log_check_ms = own->log_check_ms,
                                             .store = service_store(service),
                                             .bus = service_bus(service)};
    if (ledger_open(&settings, &handlers, &probe->ledger, error) < 0)
        return -1;
    loop_add_fd(service_loop(service), ledger_fd(probe->ledger), POLLIN, NULL, NULL);
    loop_add_work(service_loop(service), work, probe);
    return 0;
}

static void close_probe(void *context)
{
    struct probe *probe = context;
    if (probe != NULL)
        ledger_close(&probe->ledger, 2000);
    free(probe);
}

static const struct setting own_list[] = {{.name = "PROBE_LOG_CHECK",
                                           .type = SETTING_DURATION,
                                           .offset = offsetof(struct probe_settings, log_check_ms),
                                           .fallback = "10s",
                                           .min = 100,
                                           .max = 60000,
                                           .text = "how often the log's identity is checked"}};
static const struct settings_table own_settings = SETTINGS(own_list);
static const struct readiness readiness[] = {{"ledger", is_ready}};
static struct metric metrics[] = {
    {.name = "verdict_probe_started", .type = METRIC_GAUGE, .help = "Is there."}};

int main(int argc, char **argv)
{
    const struct service_description description = {.name = "ledger-probe",
                                                    .text =
                                                        "counts the messages of a topic, for tests",
                                                    .common = &common_settings,
                                                    .own = &own_settings,
                                                    .own_size = sizeof(struct probe_settings),
                                                    .metrics = metrics,
                                                    .metrics_count = ARRAY_SIZE(metrics),
                                                    .open = open_probe,
                                                    .close = close_probe,
                                                    .readiness = readiness,
                                                    .readiness_count = ARRAY_SIZE(readiness)};
    return service_main(argc, argv, &description);
}
