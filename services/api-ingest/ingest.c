/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes what api-ingest is made of. */
#include "ingest.h"

#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "blob/blob.h"
#include "blob_sweeper.h"
#include "base/memory.h"
#include "ingest_metrics.h"
#include "cache.h"
#include "db/retention.h"
#include "installation.h"
#include "lanes.h"
#include "limits.h"
#include "live/live.h"
#include "live/log_follow.h"
#include "log/log.h"
#include "results/uploader.h"
#include "runs/batcher.h"
#include "runs/flights.h"
#include "runs/numbers.h"

#define FLUSH_MS       5000
#define RECONNECT_MS   1000
#define OFFSET(member) offsetof(struct ingest_settings, member)

static const struct setting settings_list[] = {
    {.name = "VERDICT_API_LISTEN",
     .type = SETTING_LISTEN,
     .offset = OFFSET(listen),
     .fallback = "127.0.0.1:8080",
     .text = "address of the HTTP API"},
    {.name = "VERDICT_PUBLIC_URL",
     .type = SETTING_TEXT,
     .offset = OFFSET(public_url),
     .fallback = "http://127.0.0.1:8080",
     .text = "what links to this installation begin with"},
    {.name = "VERDICT_KEY_FILE",
     .type = SETTING_TEXT,
     .offset = OFFSET(key_file),
     .text = "file with 64 hex digits: the key that seals webhook secrets and signs links"},
    {.name = "VERDICT_REDIS_URL",
     .type = SETTING_TEXT,
     .offset = OFFSET(redis_url),
     .fallback = "redis://127.0.0.1:6379/0",
     .text = "Redis, a cache alone: redis://[:password@]host[:port][/database]"},
    {.name = "VERDICT_BLOB_URL",
     .type = SETTING_TEXT,
     .offset = OFFSET(blob_url),
     .fallback = "",
     .text =
         "where artifacts are kept: file:///DIR, or s3+https://HOST/BUCKET[/PREFIX]; empty: nowhere"},
    {.name = "VERDICT_BLOB_REGION",
     .type = SETTING_TEXT,
     .offset = OFFSET(blob_region),
     .fallback = "us-east-1",
     .text = "region of the bucket"},
    {.name = "VERDICT_BLOB_KEY_ID",
     .type = SETTING_TEXT,
     .offset = OFFSET(blob_key_id),
     .fallback = "",
     .text = "id of the bucket's key"},
    {.name = "VERDICT_BLOB_SECRET",
     .type = SETTING_SECRET,
     .offset = OFFSET(blob_secret),
     .fallback = "",
     .text = "the bucket's key"},
    {.name = "VERDICT_API_HTTP_THREADS",
     .type = SETTING_INT,
     .offset = OFFSET(http_threads),
     .fallback = "2",
     .min = 1,
     .max = 64,
     .text = "threads that speak HTTP"},
    {.name = "VERDICT_API_WORKERS",
     .type = SETTING_INT,
     .offset = OFFSET(workers),
     .fallback = "8",
     .min = 1,
     .max = 128,
     .text = "threads that run handlers, each with a connection to Postgres"},
    {.name = "VERDICT_API_CONNECTIONS",
     .type = SETTING_INT,
     .offset = OFFSET(connections),
     .fallback = "4096",
     .min = 64,
     .max = 100000,
     .text = "most open connections of clients"},
    {.name = "VERDICT_API_REQUESTS_PER_SECOND",
     .type = SETTING_INT,
     .offset = OFFSET(requests_per_second),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .text = "of one token, in the long run (twice as many at once); 0: no limit"},
    {.name = "VERDICT_API_ADDRESS_REQUESTS_PER_SECOND",
     .type = SETTING_INT,
     .offset = OFFSET(address_requests_per_second),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .text = "of one address (IPv6: one /64), whatever its tokens; 0: no limit, as behind a proxy"},
    {.name = "VERDICT_API_REQUEST_TIMEOUT",
     .type = SETTING_DURATION,
     .offset = OFFSET(request_timeout_ms),
     .fallback = "30s",
     .min = 1000,
     .max = 600000,
     .text = "from the opening of a connection, or its last answer, to a whole request"},
};
const struct settings_table ingest_settings = SETTINGS(settings_list);

static void connect_loop_store(struct ingest *ingest)
{
    struct error error;
    if (ingest->loop_store != NULL && store_is_broken(ingest->loop_store))
        store_close(&ingest->loop_store);
    if (ingest->loop_store != NULL || !backoff_is_due(&ingest->loop_reconnect))
        return;
    if (store_open(&ingest->store, &ingest->loop_store, &error) < 0) {
        backoff_failed(&ingest->loop_reconnect);
        log_failure(LOG_LEVEL_WARNING, "no connection to postgres", &error);
        return;
    }
    backoff_succeeded(&ingest->loop_reconnect);
}

static void show_dependency(const char *name, bool is_up)
{
    metric_set_labelled(&ingest_metrics[METRIC_DEPENDENCY_UP], is_up ? 1 : 0,
                        (const char *const[]){name});
}

static int64_t work_outbox(void *context)
{
    struct ingest *ingest = context;
    char reason[200];
    connect_loop_store(ingest);
    int64_t wait_ms = outbox_work(ingest->outbox, ingest->loop_store);
    int64_t connect_ms = backoff_wait_ms(&ingest->loop_reconnect);
    if (ingest->loop_store == NULL && connect_ms < wait_ms)
        wait_ms = connect_ms;
    show_dependency("postgres", ingest->loop_store != NULL);
    show_dependency("kafka", outbox_is_healthy(ingest->outbox, reason, sizeof reason));
    return wait_ms < 0 || wait_ms > RECONNECT_MS ? RECONNECT_MS : wait_ms;
}

static void on_outbox(void *context)
{
    (void)work_outbox(context);
}

static int open_outbox(struct ingest *ingest, struct error *error)
{
    if (outbox_open("api", &ingest->bus, &ingest->outbox, error) < 0)
        return -1;
    struct loop *loop = service_loop(ingest->service);
    loop_add_fd(loop, outbox_fd(ingest->outbox), POLLIN, on_outbox, ingest);
    loop_add_work(loop, work_outbox, ingest);
    return 0;
}

static int open_blobs(struct ingest *ingest, struct error *error)
{
    const struct ingest_settings *settings = ingest->settings;
    const struct blob_settings blob_settings = {.url = settings->blob_url,
                                                .region = settings->blob_region,
                                                .key_id = settings->blob_key_id,
                                                .secret = settings->blob_secret};
    if (blob_store_open(&blob_settings, &ingest->blobs, error) < 0)
        return -1;
    return blob_sweeper_start(&ingest->store, ingest->blobs, &ingest->sweeper, error);
}

static int open_http(struct ingest *ingest, struct error *error)
{
    const struct ingest_settings *settings = ingest->settings;
    return http_server_start(
        &(struct http_settings){.listen = settings->listen,
                                .threads = (int)settings->http_threads,
                                .workers = (int)settings->workers,
                                .connections = (int)settings->connections,
                                .request_timeout_ms = settings->request_timeout_ms,
                                .store = ingest->store,
                                .limits = ingest->limits},
        ingest, &ingest->http, error);
}

int ingest_open(struct service *service, void **context_r, struct error *error)
{
    struct ingest *ingest = xcalloc(1, sizeof *ingest);
    *context_r = ingest; /* also half open: ingest_close is called */
    ingest->service = service;
    ingest->settings = service_own(service);
    ingest->common = service_common(service);
    ingest->bus = service_bus(service);
    ingest->store = service_store(service);
    backoff_init(&ingest->loop_reconnect, 100, 5000);
    if (sodium_init() < 0)
        return error_set(error, "unavailable", "libsodium cannot start");
    if (seal_key_read(ingest->settings->key_file, ingest->key, error) < 0)
        return -1;
    ingest->auth = auth_new();
    ingest->limits = limits_new(ingest->settings->requests_per_second,
                                ingest->settings->address_requests_per_second);
    ingest->installation = installation_new(ingest->common->topic_prefix);
    ingest->lanes = lanes_new();
    ingest->flights = flights_new();
    ingest->numbers = numbers_new();
    if (cache_new(ingest->settings->redis_url, ingest->common->topic_prefix,
                  ingest->common->retention_ms, &ingest->cache, error) < 0 ||
        open_outbox(ingest, error) < 0 ||
        batcher_start(&ingest->store, ingest->outbox, ingest->installation, &ingest->batcher,
                      error) < 0 ||
        live_start(ingest, &ingest->live, error) < 0 ||
        log_follow_start(&ingest->store, &ingest->log_follow, error) < 0 ||
        retention_start(&ingest->store, ingest->common->retention_ms, &api_retention,
                        &ingest->retention, error) < 0 ||
        uploader_start(ingest, &ingest->uploader, error) < 0 || open_blobs(ingest, error) < 0)
        return -1;
    return open_http(ingest, error);
}

void ingest_close(void *context)
{
    struct ingest *ingest = context;
    if (ingest == NULL)
        return;
    batcher_stop(ingest->batcher); /* answers what it has, while the server still can */
    uploader_stop(ingest->uploader);
    live_stop(ingest->live);
    log_follow_stop(&ingest->log_follow);
    retention_stop(&ingest->retention);
    blob_sweeper_stop(&ingest->sweeper);
    http_server_free(&ingest->http);
    blob_store_close(&ingest->blobs);
    batcher_free(&ingest->batcher);
    uploader_free(&ingest->uploader);
    live_free(&ingest->live);
    flights_free(&ingest->flights);
    numbers_free(&ingest->numbers);
    cache_free(&ingest->cache);
    outbox_close(&ingest->outbox, FLUSH_MS);
    store_close(&ingest->loop_store);
    lanes_free(&ingest->lanes);
    installation_free(&ingest->installation);
    auth_free(&ingest->auth);
    limits_free(&ingest->limits);
    sodium_memzero(ingest->key, sizeof ingest->key);
    memory_free(&ingest);
}

static bool is_postgres_ready(void *context, char *reason, size_t size)
{
    struct ingest *ingest = context;
    if (ingest->loop_store != NULL && !store_is_broken(ingest->loop_store))
        return true;
    snprintf(reason, size, "no connection to postgres");
    return false;
}

/* Without Kafka triggers are accepted all the same: the outbox keeps them. */
const struct readiness ingest_readiness[] = {
    {.what = "postgres", .check = is_postgres_ready},
};
const size_t ingest_readiness_count = ARRAY_SIZE(ingest_readiness);

static void stop_accepting(void *context)
{
    struct ingest *ingest = context;
    http_server_close_door(ingest->http);
}

static void end_streams(void *context)
{
    struct ingest *ingest = context;
    live_drain(ingest->live);
    http_server_end_streams(ingest->http);
}

static bool is_idle(void *context)
{
    struct ingest *ingest = context;
    return http_server_is_idle(ingest->http);
}

const struct stop_step ingest_stop[] = {
    {.name = "stop accepting", .begin = stop_accepting},
    {.name = "end streams and wait for requests", .begin = end_streams, .done = is_idle},
};
const size_t ingest_stop_count = ARRAY_SIZE(ingest_stop);

char *ingest_url(const struct ingest *ingest, const char *path)
{
    size_t length = strlen(ingest->settings->public_url);
    while (length > 0 && ingest->settings->public_url[length - 1] == '/')
        length--;
    return xasprintf("%.*s%s", (int)length, ingest->settings->public_url, path);
}
