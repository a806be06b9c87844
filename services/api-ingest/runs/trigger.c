/* SPDX-License-Identifier: Apache-2.0 */
/* One request to trigger a run: its key, its answer. What its body means is found in trigger_fill.c. */
#include "runs/trigger.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/suite_version.h"
#include "db/run_batch.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "model/limits.h"
#include "runs/batcher.h"
#include "runs/run_links.h"
#include "runs/trigger_body.h"
#include "tenancy.h"
#include "trace/trace.h"

void trigger_free(struct trigger **trigger_)
{
    struct trigger *trigger = TAKE(*trigger_);
    if (trigger == NULL)
        return;
    char *const owned[] = {trigger->key,
                           trigger->suite_slug,
                           trigger->title,
                           trigger->branch,
                           trigger->commit,
                           trigger->build_version,
                           trigger->parameters,
                           trigger->traceparent,
                           trigger->requirements,
                           trigger->metadata,
                           trigger->policy,
                           trigger->rerun,
                           trigger->answered_rerun,
                           trigger->bundle};
    for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
        free(owned[i]);
    suite_draft_free(&trigger->draft);
    free(trigger);
}

/* ---- what is read of the request itself ----------------------------------------------------------- */

static int read_key(const struct request *request, char **key_r, struct error *error)
{
    const char *key = request_header(request, "Idempotency-Key");
    if (key == NULL)
        return 0;
    size_t length = strlen(key);
    if (length == 0 || length > (size_t)LIMIT_IDEMPOTENCY_KEY_BYTES)
        return error_field(error, "Idempotency-Key", "Idempotency-Key must be 1 to %lld bytes",
                           (long long)LIMIT_IDEMPOTENCY_KEY_BYTES);
    for (size_t i = 0; i < length; i++)
        if (key[i] < ' ' || key[i] > '~')
            return error_field(error, "Idempotency-Key", "Idempotency-Key must be printable ASCII");
    *key_r = xstrdup(key);
    return 0;
}

/* Bodies are the same when they say the same, however their members are ordered. */
static void hash_body(const json_t *json, uint8_t hash_r[TRIGGER_HASH_BYTES])
{
    AUTO(text_free) char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    crypto_generichash(hash_r, TRIGGER_HASH_BYTES, (const unsigned char *)text, strlen(text), NULL,
                       0);
}

/* The caller's trace, or one that begins here, with the span of this request. */
static void take_trace(struct trigger *trigger)
{
    const char *said = request_traceparent(trigger->request);
    char begun[TRACEPARENT_SIZE], span_id[SPAN_ID_SIZE];
    if (said != NULL) {
        trigger->traceparent = xstrdup(said);
        traceparent_span_id(said, trigger->caller_span);
        return;
    }
    span_id_of(&trigger->run_id, SPAN_OF_TRIGGER, span_id);
    traceparent_begin(begun);
    traceparent_below(begun, span_id, begun);
    trigger->traceparent = xstrdup(begun);
}

static void add_span(const struct trigger *trigger)
{
    if (!trace_wants(trigger->traceparent))
        return;
    struct span span = span_new("trigger", SPAN_SERVER, trigger->traceparent);
    span_id_of(&trigger->run_id, SPAN_OF_TRIGGER, span.id);
    memcpy(span.parent_id, trigger->caller_span, sizeof span.parent_id);
    span.start_us = trigger->began_us;
    span.end_us = monotonic_us();
    span_text(&span, "http.request.method", request_method(trigger->request));
    span_number(&span, "http.response.status_code", 201);
    span_text(&span, "verdict.run.id", trigger->run_id.text);
    span_number(&span, "verdict.run.number", trigger->number);
    span_text(&span, "verdict.suite", trigger->suite_slug);
    trace_add(&span);
}

/* ---- reading ------------------------------------------------------------------------------------ */

int trigger_begin(struct request *request, const json_t *said, struct trigger **trigger_r,
                  struct error *error)
{
    AUTO(trigger_free) struct trigger *trigger = xcalloc(1, sizeof *trigger);
    if (read_key(request, &trigger->key, error) < 0)
        return -1;
    hash_body(said, trigger->body_hash);
    trigger->request = request;
    trigger->run_id = uuid_v7();
    trigger->created_by = request_principal(request)->id;
    trigger->began_us = monotonic_us();
    take_trace(trigger);
    *trigger_r = TAKE(trigger);
    return 0;
}

int trigger_find_key(struct trigger *trigger, struct error *error)
{
    struct store *store;
    if (trigger->key == NULL)
        return 0;
    if (request_store(trigger->request, &store, error) < 0)
        return -1;
    return run_batch_db_find_key(store, trigger, error);
}

/* An answer that was given once is given again whatever has become of the names in the body: where they mean
 * nothing any more, the key is looked up. Where they do, the batch sees whether it is known. */
static int fill(struct request *request, struct trigger_body *body, struct trigger *trigger,
                struct error *error)
{
    struct project_ref project;
    struct error why;
    if (tenancy_project_or_bound(request, body->project, &project, error) < 0)
        return -1;
    trigger->project_id = project.id;
    if (trigger_fill(request, body, trigger, &why) == 0)
        return 0;
    if (trigger_find_key(trigger, error) < 0)
        return -1;
    if (trigger->outcome != TRIGGER_OPEN)
        return 0;
    *error = why;
    return -1;
}

int trigger_read(struct request *request, struct trigger **trigger_r, struct error *error)
{
    AUTO(trigger_free) struct trigger *trigger = NULL;
    AUTO(json_free) json_t *json = NULL;
    struct trigger_body body;
    if (request_json(request, &json, error) < 0)
        return -1;
    if (!json_is_object(json))
        return error_set(error, "invalid", "the body must be a JSON object");
    if (trigger_begin(request, json, &trigger, error) < 0 ||
        fields_decode(&trigger_body_fields, json, &body, error) < 0)
        return -1;
    const int status = fill(request, &body, trigger, error);
    fields_free(&trigger_body_fields, &body);
    if (status < 0)
        return -1;
    *trigger_r = TAKE(trigger);
    return 0;
}

/* ---- the answer ----------------------------------------------------------------------------------- */

void trigger_respond(struct trigger *trigger)
{
    const struct ingest *ingest = request_ingest(trigger->request);
    struct response *response = request_response(trigger->request);
    if (trigger->outcome == TRIGGER_REFUSED) {
        response_problem(response, &trigger->error);
        return;
    }
    json_t *planned =
        trigger->answered_cases > 0 ? json_integer(trigger->answered_cases) : json_null();
    json_t *links = run_links(ingest, &trigger->answered_id);
    AUTO(text_free) char *html = run_link_signed(ingest, &trigger->answered_id, 0);
    json_object_set_new(links, "html", json_string(html));
    json_t *run = json_pack("{s:s, s:I, s:s, s:o, s:o}", "id", trigger->answered_id.text, "number",
                            (json_int_t)trigger->number, "state", "queued", "planned", planned,
                            "links", links);
    if (trigger->answered_rerun != NULL)
        json_object_set_new(run, "rerun",
                            json_loads(trigger->answered_rerun, JSON_REJECT_DUPLICATES, NULL));
    response_json(response, 201, run);
    response_headerf(response, "Location", "/v1/runs/%s", trigger->answered_id.text);
    if (trigger->outcome == TRIGGER_REPLAYED)
        response_header(response, "Idempotency-Replayed", "true");
    else
        add_span(trigger);
}

void trigger_answer(struct trigger *trigger)
{
    trigger_respond(trigger);
    request_complete(trigger->request);
}

static void free_trigger(void *data)
{
    struct trigger *trigger = data;
    trigger_free(&trigger);
}

int trigger_submit(struct trigger *trigger, struct error *error)
{
    struct request *request = trigger->request;
    request_set_data(request, trigger, free_trigger);
    if (trigger->outcome != TRIGGER_OPEN) {
        metric_add(&ingest_metrics[METRIC_TRIGGERS], 1);
        trigger_respond(trigger);
        return 0;
    }
    request_park(request);
    return batcher_submit(request_ingest(request)->batcher, trigger, error);
}
