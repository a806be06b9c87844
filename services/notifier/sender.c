/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a delivery: claimed → flying → answered → recorded. What is answered keeps its place until
 * it is recorded, so a Postgres that is away bounds what is sent. */
#include "sender.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/delivery.h"
#include "log/log.h"
#include "notifier_metrics.h"
#include "payload.h"
#include "signature.h"
#include "trace/trace.h"

#define CLAIMANT_SIZE     256
#define LEASE_EXTRA_MS    30000 /* beyond the time-out of a request */
#define BLOCKED_MS        200   /* due, but its endpoint or host has its share: look again after */
#define IDLE_MS           1000
#define TRACE_HEADER_SIZE 80
#define RECORD_MOST       200 /* attempts of one transaction */

struct flight {
    struct sender *sender;
    struct sending sending;
    struct outcome outcome;
    long status;
    char *error, *response;
    int64_t duration_ms;
    struct span span; /* no name: none is wanted */
    TAILQ_ENTRY(flight) link;
};
TAILQ_HEAD(flights, flight);

struct sender {
    struct sender_settings settings;
    char claimant[CLAIMANT_SIZE];
    struct transport *transport;
    struct store *store;
    struct backoff reconnect;
    bool took_back; /* what an earlier process of this instance had claimed */
    bool claiming;
    int64_t claim_due_ms; /* monotonic */
    struct flights flying, answered;
    int count; /* of both */
    char reason[ERROR_TEXT_MAX];
};

static int64_t min_wait_ms(int64_t a, int64_t b)
{
    return b >= 0 && b < a ? b : a;
}

/* ---- flights ------------------------------------------------------------------------------------- */

static void flight_free(struct flight *flight)
{
    sending_deinit(&flight->sending);
    text_free(&flight->error);
    text_free(&flight->response);
    free(flight);
}

static const char *answer_class(long status)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    return status >= 0 && status < 600 ? classes[status / 100] : "none";
}

static void measure(const struct flight *flight)
{
    metric_add_labelled(&notifier_metrics[METRIC_ATTEMPTS], 1,
                        (const char *const[]){answer_class(flight->status)});
    metric_observe(&notifier_metrics[METRIC_ATTEMPT_SECONDS], (double)flight->duration_ms / 1000.0);
}

/* The attempt's span, below that of its run. */
static void begin_span(struct flight *flight)
{
    const struct sending *sending = &flight->sending;
    if (!trace_wants(sending->traceparent))
        return;
    flight->span = span_new("deliver", SPAN_CLIENT, sending->traceparent);
    span_id_of(&sending->run_id, SPAN_OF_RUN, flight->span.parent_id);
    span_text(&flight->span, "verdict.run.id", sending->run_id.text);
    span_text(&flight->span, "verdict.event", sending->event_type);
    span_text(&flight->span, "verdict.delivery.id", sending->id.text);
    span_number(&flight->span, "verdict.attempt", sending->attempts + 1);
}

static void end_span(struct flight *flight)
{
    struct span *span = &flight->span;
    if (span->name == NULL)
        return;
    span->end_us = monotonic_us();
    if (flight->status > 0)
        span_number(span, "http.response.status_code", flight->status);
    if (flight->outcome.state != DELIVERY_DELIVERED)
        span_fail(span, flight->error);
    trace_add(span);
}

/* The attempt is over: what it means is decided here, and recorded with the next transaction. */
static void answered(struct flight *flight, long status, const char *error, int64_t retry_after_s)
{
    struct sender *sender = flight->sender;
    flight->status = status;
    if (status >= 300 && status <= 399)
        error = "redirects are not followed";
    flight->error = error == NULL ? NULL : utf8_clean(error, strlen(error));
    flight->outcome = outcome_of(&sender->settings.schedule, flight->sending.attempts + 1, status,
                                 retry_after_s, (uint16_t)randombytes_uniform(UINT16_MAX + 1));
    TAILQ_REMOVE(&sender->flying, flight, link);
    TAILQ_INSERT_TAIL(&sender->answered, flight, link);
    measure(flight);
    end_span(flight);
}

static void on_answer(void *context, const struct transport_answer *answer)
{
    struct flight *flight = context;
    flight->duration_ms = answer->duration_ms;
    flight->response = utf8_clean(answer->response, answer->response_length);
    answered(flight, answer->status, answer->error, answer->retry_after_s);
}

/* ---- sending ------------------------------------------------------------------------------------- */

static int sign(const struct flight *flight, const char *body, int64_t now_s,
                char signature_r[SIGNATURE_SIZE], struct error *error)
{
    const struct sending *sending = &flight->sending;
    char secret[SEAL_TEXT_MAX + 1];
    if (unseal_text(flight->sender->settings.key, sending->sealed, sending->sealed_length, secret,
                    error) < 0)
        return -1;
    int status = signature_make(secret, sending->event_id.text, now_s, body, strlen(body),
                                signature_r, error);
    sodium_memzero(secret, sizeof secret);
    return status;
}

static void write_trace_header(const struct flight *flight, char header_r[TRACE_HEADER_SIZE])
{
    const char *traceparent = flight->sending.traceparent;
    char below[TRACEPARENT_SIZE];
    if (flight->span.name != NULL) {
        traceparent_below(traceparent, flight->span.id, below);
        traceparent = below;
    }
    snprintf(header_r, TRACE_HEADER_SIZE, "traceparent: %s",
             traceparent == NULL ? "" : traceparent);
}

static int post(struct flight *flight, struct error *error)
{
    const struct sending *sending = &flight->sending;
    const int64_t now_s = wall_ms() / 1000;
    char signature[SIGNATURE_SIZE], id_header[80], time_header[64], signature_header[96];
    char trace_header[TRACE_HEADER_SIZE];
    AUTO(text_free)
    char *body = payload_text(sending->event_type, sending->event_at, sending->event_id.text,
                              sending->run_version, sending->data);
    if (sign(flight, body, now_s, signature, error) < 0)
        return -1;
    snprintf(id_header, sizeof id_header, "webhook-id: %s", sending->event_id.text);
    snprintf(time_header, sizeof time_header, "webhook-timestamp: %lld", (long long)now_s);
    snprintf(signature_header, sizeof signature_header, "webhook-signature: %s", signature);
    begin_span(flight);
    write_trace_header(flight, trace_header);
    const struct transport_post request = {
        .url = sending->url,
        .headers = (const char *const[]){id_header, time_header, signature_header,
                                         sending->traceparent == NULL ? NULL : trace_header, NULL},
        .body = body,
        .body_length = strlen(body)};
    return transport_send(flight->sender->transport, &request, on_answer, flight, error);
}

static void postpone(struct flight *flight)
{
    struct sender *sender = flight->sender;
    struct error error;
    if (delivery_db_postpone(sender->store, &flight->sending.id, BLOCKED_MS, &error) < 0)
        log_failure(LOG_LEVEL_WARNING, "a claim could not be given back", &error);
    TAILQ_REMOVE(&sender->flying, flight, link);
    sender->count--;
    flight_free(flight);
}

/* Takes over the sending's memory. */
static void on_claimed(void *context, struct sending *sending)
{
    struct sender *sender = context;
    struct flight *flight = xcalloc(1, sizeof *flight);
    flight->sender = sender;
    flight->sending = *sending;
    TAILQ_INSERT_TAIL(&sender->flying, flight, link);
    sender->count++;
}

static void launch(struct flight *flight)
{
    struct error error;
    if (flight->sending.attempts == 0)
        metric_observe(&notifier_metrics[METRIC_FIRST_ATTEMPT_SECONDS],
                       (double)flight->sending.age_ms / 1000.0);
    if (post(flight, &error) == 0)
        return;
    if (error_is(&error, "busy"))
        postpone(flight);
    else
        answered(flight, 0, error.text, -1);
}

static void count_busy(const struct flights *flights, struct claim *claim)
{
    const struct flight *flight;
    TAILQ_FOREACH (flight, flights, link)
        array_param_add(claim->busy_endpoints, flight->sending.endpoint_id.text);
}

static int claim(struct sender *sender, struct error *error)
{
    AUTO(array_param_free) struct array_param *endpoints = array_param_new();
    struct claim wanted = {.claimant = sender->claimant,
                           .lease_ms = sender->settings.transport.timeout_ms + LEASE_EXTRA_MS,
                           .per_endpoint = sender->settings.per_endpoint,
                           .most = sender->settings.in_flight - sender->count,
                           .busy_endpoints = endpoints};
    struct flights before = TAILQ_HEAD_INITIALIZER(before);
    struct flight *flight, *next;
    count_busy(&sender->flying, &wanted);
    count_busy(&sender->answered, &wanted);
    TAILQ_CONCAT(&before, &sender->flying, link);
    int status = delivery_db_claim(sender->store, &wanted, on_claimed, sender, error);
    for (flight = TAILQ_FIRST(&sender->flying); flight != NULL; flight = next) {
        next = TAILQ_NEXT(flight, link);
        launch(flight);
    }
    TAILQ_CONCAT(&sender->flying, &before, link);
    return status;
}

/* When to look again: at once while there is more, else when the next one is due. */
static int plan_next_claim(struct sender *sender, bool claimed_some, struct error *error)
{
    bool any;
    int64_t due_ms, wait_ms = IDLE_MS;
    if (delivery_db_next(sender->store, &any, &due_ms, error) < 0)
        return -1;
    if (any && due_ms > 0)
        wait_ms = min_wait_ms(IDLE_MS, due_ms);
    else if (any)
        wait_ms = claimed_some ? 0 : BLOCKED_MS;
    metric_set(&notifier_metrics[METRIC_QUEUE_AGE],
               any && due_ms < 0 ? (double)-due_ms / 1000.0 : 0);
    sender->claim_due_ms = monotonic_ms() + wait_ms;
    return 0;
}

static int claim_when_due(struct sender *sender, struct error *error)
{
    int before = sender->count;
    if (!sender->claiming || sender->claim_due_ms > monotonic_ms() ||
        sender->count >= sender->settings.in_flight)
        return 0;
    if (claim(sender, error) < 0)
        return -1;
    return plan_next_claim(sender, sender->count > before, error);
}

/* ---- recording ----------------------------------------------------------------------------------- */

static int queue_record(struct sender *sender, const struct flight *flight, struct error *error)
{
    const struct attempt attempt = {.sending = &flight->sending,
                                    .claimant = sender->claimant,
                                    .outcome = flight->outcome,
                                    .status = flight->status,
                                    .error = flight->error,
                                    .response = flight->response,
                                    .duration_ms = flight->duration_ms};
    return delivery_db_record(sender->store, &attempt, error);
}

/* Endpoints' rows are locked in one order, or two notifiers would wait for each other. */
static int by_endpoint(const void *a, const void *b)
{
    const struct flight *left = *(struct flight *const *)a, *right = *(struct flight *const *)b;
    int order = strcmp(left->sending.endpoint_id.text, right->sending.endpoint_id.text);
    return order != 0 ? order : strcmp(left->sending.id.text, right->sending.id.text);
}

static int record_batch(struct sender *sender, struct flight **batch, int count,
                        struct error *error)
{
    if (store_begin(sender->store, error) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (queue_record(sender, batch[i], error) < 0)
            return -1;
    return store_commit(sender->store, error);
}

static void log_recorded(const struct flight *flight)
{
    const char *state = names_get(&delivery_state_names, flight->outcome.state);
    if (flight->outcome.state != DELIVERY_PENDING)
        metric_add_labelled(&notifier_metrics[METRIC_DELIVERIES], 1, (const char *const[]){state});
    if (flight->outcome.disables_endpoint)
        metric_add(&notifier_metrics[METRIC_ENDPOINTS_DISABLED], 1);
    log_debug("webhook attempt", LOG_TEXT("delivery_id", flight->sending.id.text),
              LOG_TEXT("event_id", flight->sending.event_id.text),
              LOG_TEXT("endpoint_id", flight->sending.endpoint_id.text),
              LOG_INT("attempt", flight->sending.attempts + 1), LOG_INT("status", flight->status),
              LOG_TEXT("error", flight->error), LOG_TEXT("state", state));
}

static int record_answered(struct sender *sender, struct error *error)
{
    struct flight *batch[RECORD_MOST], *flight;
    int count = 0;
    TAILQ_FOREACH (flight, &sender->answered, link)
        if (count < RECORD_MOST)
            batch[count++] = flight;
    if (count == 0)
        return 0;
    qsort(batch, (size_t)count, sizeof batch[0], by_endpoint);
    if (record_batch(sender, batch, count, error) < 0) {
        store_rollback(sender->store);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        log_recorded(batch[i]);
        TAILQ_REMOVE(&sender->answered, batch[i], link);
        flight_free(batch[i]);
    }
    sender->count -= count;
    sender_wake(sender);
    return 0;
}

/* ---- the pass ------------------------------------------------------------------------------------ */

static int need_store(struct sender *sender, struct error *error)
{
    if (sender->store != NULL && store_is_broken(sender->store))
        store_close(&sender->store);
    if (sender->store == NULL && store_open(&sender->settings.store, &sender->store, error) < 0)
        return -1;
    if (!sender->took_back &&
        delivery_db_take_back(sender->store, sender->settings.instance_id, error) < 0)
        return -1;
    sender->took_back = true;
    return 0;
}

static void use_store(struct sender *sender)
{
    struct error error;
    if (!backoff_is_due(&sender->reconnect))
        return;
    if (need_store(sender, &error) == 0 && record_answered(sender, &error) == 0 &&
        claim_when_due(sender, &error) == 0) {
        backoff_succeeded(&sender->reconnect);
        sender->reason[0] = '\0';
        return;
    }
    backoff_failed(&sender->reconnect);
    if (strcmp(sender->reason, error.text) != 0)
        log_failure(LOG_LEVEL_WARNING, "deliveries wait for postgres", &error);
    snprintf(sender->reason, sizeof sender->reason, "%s", error.text);
}

int64_t sender_work(struct sender *sender)
{
    use_store(sender);
    int64_t wait_ms = min_wait_ms(IDLE_MS, transport_work(sender->transport));
    metric_set(&notifier_metrics[METRIC_FLYING], sender->count);
    if (!backoff_is_due(&sender->reconnect))
        return min_wait_ms(wait_ms, backoff_wait_ms(&sender->reconnect));
    if (!TAILQ_EMPTY(&sender->answered))
        return 0;
    if (!sender->claiming || sender->count >= sender->settings.in_flight)
        return wait_ms;
    int64_t claim_ms = sender->claim_due_ms - monotonic_ms();
    return min_wait_ms(wait_ms, claim_ms > 0 ? claim_ms : 0);
}

void sender_wake(struct sender *sender)
{
    sender->claim_due_ms = monotonic_ms();
}

struct store *sender_store(struct sender *sender)
{
    return sender->store != NULL && !store_is_broken(sender->store) ? sender->store : NULL;
}

void sender_stop_claiming(struct sender *sender)
{
    sender->claiming = false;
}

bool sender_is_idle(const struct sender *sender)
{
    return sender->count == 0;
}

bool sender_is_ready(const struct sender *sender, char *reason, size_t size)
{
    if (sender->store != NULL && sender->reason[0] == '\0')
        return true;
    snprintf(reason, size, "%s", sender->reason[0] == '\0' ? "connecting" : sender->reason);
    return false;
}

int sender_open(struct loop *loop, const struct sender_settings *settings, struct sender **sender_r,
                struct error *error)
{
    const struct uuid process = uuid_v7();
    struct sender *sender = xcalloc(1, sizeof *sender);
    sender->settings = *settings;
    sender->claiming = true;
    TAILQ_INIT(&sender->flying);
    TAILQ_INIT(&sender->answered);
    backoff_init(&sender->reconnect, 100, 5000);
    snprintf(sender->claimant, sizeof sender->claimant, "%.200s/%s", settings->instance_id,
             process.text);
    sender->transport = transport_new(loop, &settings->transport, error);
    if (sender->transport == NULL) {
        sender_close(&sender);
        return -1;
    }
    *sender_r = sender;
    return 0;
}

void sender_close(struct sender **sender_p)
{
    struct sender *sender = *sender_p;
    struct flight *flight;
    struct error error;
    if (sender == NULL)
        return;
    transport_free(&sender->transport);
    if (sender_store(sender) != NULL &&
        (record_answered(sender, &error) < 0 ||
         delivery_db_release(sender->store, sender->claimant, &error) < 0))
        log_failure(LOG_LEVEL_WARNING, "claims could not be given back", &error);
    TAILQ_CONCAT(&sender->flying, &sender->answered, link);
    while ((flight = TAILQ_FIRST(&sender->flying)) != NULL) {
        TAILQ_REMOVE(&sender->flying, flight, link);
        flight_free(flight);
    }
    store_close(&sender->store);
    sodium_memzero(sender->settings.key, sizeof sender->settings.key);
    free(sender);
    *sender_p = NULL;
}
