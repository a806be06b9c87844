/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/version.h"
#include "http/client.h"
#include "http/url.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "trace/otlp.h"
#include "trace/otlp_headers.h"

#define EVERY_MS     1000 /* what has come by then is sent */
#define TIMEOUT_MS   5000 /* of one request */
#define STOP_MS      1000 /* for what is left; a request that is under way ends within a second more */
#define SAY_EVERY_MS 60000 /* that spans are dropped */
#define ANSWER_MAX   ((size_t)64 * 1024)

enum { EXPORTED, DROPPED };
static struct metric trace_metrics[] = {
    [EXPORTED] = {.name = "verdict_spans_exported_total",
                  .type = METRIC_COUNTER,
                  .help = "Spans that the endpoint of traces has taken."},
    [DROPPED] = {.name = "verdict_spans_dropped_total",
                 .type = METRIC_COUNTER,
                 .help =
                     "Spans that were not sent: more than fit, or the endpoint did not take them."},
};

struct trace {
    char *url, *service, *instance;
    struct texts headers;     /* ours, and those that were given */
    const char **header_list; /* the same, NULL-ended */
    struct http_client *client;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t changed;
    struct span *ring; /* TRACE_QUEUE_MAX */
    size_t first, count;
    bool stopping;
    int64_t stop_deadline_ms;
    /* The thread's own. */
    struct span batch[TRACE_BATCH_MAX];
    int64_t unsaid; /* dropped since the last line */
    int64_t say_due_ms;
};

static struct trace *trace; /* NULL: no endpoint */

void trace_metrics_register(void)
{
    static bool done;
    if (!done)
        metrics_register(trace_metrics, ARRAY_SIZE(trace_metrics));
    done = true;
}

/* ---- the queue ---------------------------------------------------------------------------------- */

bool trace_wants(const char *traceparent)
{
    return trace != NULL && traceparent != NULL && traceparent_is_valid(traceparent) &&
           traceparent_is_sampled(traceparent);
}

void trace_add(const struct span *span)
{
    if (trace == NULL)
        return;
    pthread_mutex_lock(&trace->mutex);
    bool fits = trace->count < TRACE_QUEUE_MAX;
    if (fits)
        trace->ring[(trace->first + trace->count++) % TRACE_QUEUE_MAX] = *span;
    if (trace->count == TRACE_BATCH_MAX)
        pthread_cond_signal(&trace->changed);
    pthread_mutex_unlock(&trace->mutex);
    if (!fits)
        metric_add(&trace_metrics[DROPPED], 1);
}

/* Waits for a full batch, for its time, or for the end. Returns how many spans it has put into `batch`; none
 * and *last_r: it is over. */
static size_t take_batch(bool *last_r)
{
    const struct timespec due = monotonic_in(EVERY_MS);
    int status = 0;
    pthread_mutex_lock(&trace->mutex);
    while (status == 0 && !trace->stopping && trace->count < TRACE_BATCH_MAX)
        status = pthread_cond_timedwait(&trace->changed, &trace->mutex, &due);
    size_t count = trace->count < TRACE_BATCH_MAX ? trace->count : TRACE_BATCH_MAX;
    for (size_t i = 0; i < count; i++)
        trace->batch[i] = trace->ring[(trace->first + i) % TRACE_QUEUE_MAX];
    trace->first = (trace->first + count) % TRACE_QUEUE_MAX;
    trace->count -= count;
    *last_r = trace->stopping && trace->count == 0;
    pthread_mutex_unlock(&trace->mutex);
    return count;
}

/* ---- the thread --------------------------------------------------------------------------------- */

/* Until a stop is over; what a request may take when there is none. */
static int64_t left_ms(void)
{
    pthread_mutex_lock(&trace->mutex);
    int64_t left = trace->stopping ? trace->stop_deadline_ms - monotonic_ms() : TIMEOUT_MS;
    pthread_mutex_unlock(&trace->mutex);
    return left;
}

static int on_tick(void *context)
{
    (void)context;
    return left_ms() <= 0;
}

static void dropped(size_t count, const char *why)
{
    int64_t now_ms = monotonic_ms();
    if (count == 0)
        return;
    metric_add(&trace_metrics[DROPPED], (double)count);
    trace->unsaid += (int64_t)count;
    if (now_ms < trace->say_due_ms)
        return;
    log_warning("spans were dropped", LOG_INT("spans", trace->unsaid), LOG_TEXT("reason", why));
    trace->unsaid = 0;
    trace->say_due_ms = now_ms + SAY_EVERY_MS;
}

/* *refused_r: of those, what the endpoint did not want. */
static int send_batch(size_t count, size_t *refused_r, struct error *error)
{
    const struct otlp_resource resource = {
        .service = trace->service, .instance = trace->instance, .version = verdict_version};
    /* Durations are those of the monotonic clock, whatever becomes of the other meanwhile. */
    AUTO(text_free)
    char *body = otlp_text(&resource, trace->batch, count, wall_us() - monotonic_us());
    const struct http_request request = {.method = "POST",
                                         .url = trace->url,
                                         .headers = trace->header_list,
                                         .body = body,
                                         .body_length = strlen(body),
                                         .timeout_ms = left_ms(),
                                         .answer_max = ANSWER_MAX,
                                         .on_tick = on_tick};
    struct http_answer answer = {0};
    if (request.timeout_ms <= 0)
        return error_set(error, "stopped", "there was no time left to send them");
    if (http_send(trace->client, &request, &answer, error) < 0)
        return -1;
    long status = answer.status;
    int64_t refused = otlp_rejected(answer.body, answer.length);
    http_answer_deinit(&answer);
    if (status < 200 || status > 299)
        return error_set(error, "refused", "%s answered %ld", trace->url, status);
    *refused_r = refused < (int64_t)count ? (size_t)refused : count;
    return 0;
}

static void *work(void *context)
{
    bool last = false;
    (void)context;
    while (!last) {
        struct error error;
        size_t refused = 0, count = take_batch(&last);
        if (count == 0)
            continue;
        if (send_batch(count, &refused, &error) < 0) {
            dropped(count, error.text);
            continue;
        }
        dropped(refused, "the endpoint refused a part of what it took");
        metric_add(&trace_metrics[EXPORTED], (double)(count - refused));
    }
    return NULL;
}

/* ---- open and close ----------------------------------------------------------------------------- */

static void destroy(void)
{
    http_client_free(&trace->client);
    pthread_cond_destroy(&trace->changed);
    pthread_mutex_destroy(&trace->mutex);
    free(trace->ring);
    free(trace->header_list);
    texts_deinit(&trace->headers);
    free(trace->url);
    free(trace->service);
    free(trace->instance);
    memory_free(&trace);
}

static char *traces_url(const char *endpoint)
{
    size_t length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/')
        length--;
    return xasprintf("%.*s/v1/traces", (int)length, endpoint);
}

static void list_headers(const struct texts *given)
{
    texts_add(&trace->headers, "Content-Type: application/json");
    for (size_t i = 0; i < given->count; i++)
        texts_add(&trace->headers, given->list[i]);
    trace->header_list = xcalloc(trace->headers.count + 1, sizeof *trace->header_list);
    for (size_t i = 0; i < trace->headers.count; i++)
        trace->header_list[i] = trace->headers.list[i];
}

static void init_waiting(void)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&trace->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&trace->mutex, NULL);
}

int trace_open(const char *endpoint, const char *headers, const char *service, const char *instance,
               struct error *error)
{
    AUTO(texts_deinit) struct texts given = {0};
    if (endpoint[0] == '\0')
        return 0;
    if (url_check("VERDICT_OTLP_ENDPOINT", endpoint, error) < 0 ||
        otlp_headers_read(headers, &given, error) < 0)
        return -1;
    trace = xcalloc(1, sizeof *trace);
    trace->url = traces_url(endpoint);
    trace->service = xasprintf("verdict-%s", service);
    trace->instance = xstrdup(instance);
    trace->ring = xcalloc(TRACE_QUEUE_MAX, sizeof *trace->ring);
    trace->client = http_client_new();
    list_headers(&given);
    init_waiting();
    if (pthread_create(&trace->thread, NULL, work, NULL) != 0) {
        destroy();
        return error_set(error, "unavailable", "the thread of traces cannot be started");
    }
    return 0;
}

void trace_close(void)
{
    if (trace == NULL)
        return;
    pthread_mutex_lock(&trace->mutex);
    trace->stopping = true;
    trace->stop_deadline_ms = monotonic_ms() + STOP_MS;
    pthread_cond_signal(&trace->changed);
    pthread_mutex_unlock(&trace->mutex);
    pthread_join(trace->thread, NULL);
    destroy();
}
