/* SPDX-License-Identifier: Apache-2.0 */
#include "api/webhooks.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "api/checks.h"
#include "api/deliveries.h"
#include "auth/seal.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/webhook.h"
#include "http/request.h"
#include "http/response.h"
#include "http/url.h"
#include "ingest.h"
#include "model/events.h"
#include "model/limits.h"
#include "patch.h"

#define SECRET_BYTES  32
#define SECRET_PREFIX "whsec_"
#define SECRET_SIZE   64
#define EVENTS_MAX    20

struct webhook_body {
    char *url, *description;
    json_t *events;
    bool enabled;
};

#define OFFSET(member) offsetof(struct webhook_body, member)
static const struct field body_list[] = {
    {.name = "url", .type = FIELD_TEXT, .offset = OFFSET(url), .max = LIMIT_TEXT_BYTES},
    {.name = "description",
     .type = FIELD_TEXT,
     .offset = OFFSET(description),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
    {.name = "events", .type = FIELD_JSON, .offset = OFFSET(events), .optional = true},
    {.name = "enabled",
     .type = FIELD_BOOL,
     .offset = OFFSET(enabled),
     .optional = true,
     .fallback = true},
};
const struct fields webhook_fields = FIELDS(struct webhook_body, body_list);

int webhooks_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        webhook_db_list(store, &request_project(request)->id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int check_events(const json_t *events, struct error *error)
{
    size_t index;
    json_t *pattern;
    if (!json_is_array(events) || json_array_size(events) == 0 ||
        json_array_size(events) > EVENTS_MAX)
        return error_field(error, "events", "events must be a list of 1 to %d patterns",
                           EVENTS_MAX);
    json_array_foreach (events, index, pattern) {
        char field[32];
        snprintf(field, sizeof field, "events[%zu]", index);
        if (!json_is_string(pattern) || !event_pattern_is_valid(json_string_value(pattern)))
            return error_field(error, field,
                               "%s must be the type of an event, like run.finished, run.* or *",
                               field);
    }
    return 0;
}

/* Fills in what may be left out. */
static int read_body(struct request *request, struct webhook_body *body, struct error *error)
{
    if (request_decode(request, &webhook_fields, body, error) < 0)
        return -1;
    if (body->events == NULL)
        body->events = json_pack("[s]", event_types[EVENT_RUN_FINISHED].type);
    if (body->description == NULL)
        body->description = xstrdup("");
    if (url_check("url", body->url, error) == 0 && check_events(body->events, error) == 0)
        return 0;
    fields_free(&webhook_fields, body);
    return -1;
}

static int find_webhook(struct request *request, struct store *store, json_t **webhook_r,
                        struct uuid *id_r, struct error *error)
{
    const char *name = request_param(request, "webhook");
    if (uuid_parse(name, id_r, NULL) < 0)
        return no_such("webhook", name, error);
    if (webhook_db_get(store, &request_project(request)->id, id_r, webhook_r, error) < 0)
        return -1;
    return *webhook_r == NULL ? no_such("webhook", name, error) : 0;
}

static void make_secret(char secret_r[SECRET_SIZE])
{
    uint8_t bytes[SECRET_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    memcpy(secret_r, SECRET_PREFIX, sizeof SECRET_PREFIX);
    sodium_bin2base64(secret_r + strlen(SECRET_PREFIX), SECRET_SIZE - strlen(SECRET_PREFIX), bytes,
                      sizeof bytes, sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(bytes, sizeof bytes);
}

static struct webhook_row row_of(const struct request *request, const struct webhook_body *body,
                                 const struct uuid *id)
{
    return (struct webhook_row){.id = id,
                                .project_id = &request_project(request)->id,
                                .created_by = &request_principal(request)->id,
                                .url = body->url,
                                .description = body->description,
                                .events = body->events,
                                .enabled = body->enabled};
}

static int add(struct request *request, const struct webhook_body *body, const struct uuid *id,
               const char *secret, struct error *error)
{
    const struct uuid *project_id = &request_project(request)->id;
    const struct webhook_row row = row_of(request, body, id);
    uint8_t sealed[SECRET_SIZE + SEAL_ADDED_BYTES];
    size_t length = seal_text(request_ingest(request)->key, secret, sealed);
    struct store *store;
    int64_t count;
    if (request_begin(request, &store, error) < 0 ||
        webhook_db_count(store, project_id, &count, error) < 0)
        return -1;
    if (count >= LIMIT_WEBHOOK_ENDPOINTS)
        return error_set(error, "unprocessable", "a project may have %lld webhook endpoints",
                         (long long)LIMIT_WEBHOOK_ENDPOINTS);
    if (webhook_db_add(store, &row, sealed, length, error) < 0 ||
        audit_add(store, request, project_id, "webhook.create", id,
                  fields_encode(&webhook_fields, body), error) < 0)
        return -1;
    return request_commit(request, error);
}

static int answer_with_secret(struct request *request, struct response *response, int status,
                              const struct uuid *id, const char *secret, struct error *error)
{
    const struct project_ref *project = request_project(request);
    struct store *store;
    json_t *webhook;
    if (request_store(request, &store, error) < 0 ||
        webhook_db_get(store, &project->id, id, &webhook, error) < 0)
        return -1;
    if (webhook == NULL)
        return no_such("webhook", id->text, error);
    json_object_set_new(webhook, "secret", json_string(secret));
    response_json(response, status, webhook);
    if (status == 201)
        response_headerf(response, "Location", "/v1/projects/%s/webhooks/%s", project->slug,
                         id->text);
    return 0;
}

int webhooks_create(struct request *request, struct response *response, struct error *error)
{
    struct webhook_body body;
    const struct uuid id = uuid_v7();
    char secret[SECRET_SIZE];
    if (read_body(request, &body, error) < 0)
        return -1;
    make_secret(secret);
    int status = add(request, &body, &id, secret, error);
    fields_free(&webhook_fields, &body);
    if (status == 0)
        status = answer_with_secret(request, response, 201, &id, secret, error);
    sodium_memzero(secret, sizeof secret);
    return status;
}

int webhooks_get(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    json_t *webhook;
    struct uuid id;
    if (request_store(request, &store, error) < 0 ||
        find_webhook(request, store, &webhook, &id, error) < 0)
        return -1;
    response_json(response, 200, webhook);
    return 0;
}

static int set(struct request *request, const struct webhook_body *body, struct error *error)
{
    AUTO(json_free) json_t *there = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        find_webhook(request, store, &there, &id, error) < 0)
        return -1;
    const struct webhook_row row = row_of(request, body, &id);
    if (webhook_db_set(store, &row, error) < 0 ||
        audit_add(store, request, row.project_id, "webhook.update", &id,
                  fields_encode(&webhook_fields, body), error) < 0)
        return -1;
    return request_commit(request, error);
}

int webhooks_put(struct request *request, struct response *response, struct error *error)
{
    struct webhook_body body;
    if (read_body(request, &body, error) < 0)
        return -1;
    int status = set(request, &body, error);
    fields_free(&webhook_fields, &body);
    return status < 0 ? -1 : webhooks_get(request, response, error);
}

static int set_secret(struct request *request, const char *secret, struct uuid *id_r,
                      struct error *error)
{
    AUTO(json_free) json_t *there = NULL;
    uint8_t sealed[SECRET_SIZE + SEAL_ADDED_BYTES];
    size_t length = seal_text(request_ingest(request)->key, secret, sealed);
    struct store *store;
    if (request_begin(request, &store, error) < 0 ||
        find_webhook(request, store, &there, id_r, error) < 0 ||
        webhook_db_set_secret(store, id_r, sealed, length, error) < 0 ||
        audit_add(store, request, &request_project(request)->id, "webhook.secret", id_r, NULL,
                  error) < 0)
        return -1;
    return request_commit(request, error);
}

int webhooks_rotate(struct request *request, struct response *response, struct error *error)
{
    struct uuid id;
    char secret[SECRET_SIZE];
    make_secret(secret);
    int status = set_secret(request, secret, &id, error);
    if (status == 0)
        status = answer_with_secret(request, response, 200, &id, secret, error);
    sodium_memzero(secret, sizeof secret);
    return status;
}

int webhooks_remove(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *there = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        find_webhook(request, store, &there, &id, error) < 0 ||
        webhook_db_remove(store, &id, error) < 0 ||
        audit_add(store, request, &request_project(request)->id, "webhook.remove", &id, NULL,
                  error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_empty(response, 204);
    return 0;
}

int webhooks_test(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *there = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        find_webhook(request, store, &there, &id, error) < 0)
        return -1;
    const struct delivery_wish wish = {
        .action = "webhook.test", .project_id = request_project(request)->id, .endpoint_id = id};
    return deliveries_wish(request, response, store, &wish, error);
}

int webhooks_patch(struct request *request, struct response *response, struct error *error)
{
    static const struct patch_kind kind = {
        .get = webhooks_get, .put = webhooks_put, .fields = &webhook_fields};
    return patch_apply(&kind, request, response, error);
}
