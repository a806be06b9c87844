/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tokens.h"

#include <sodium.h>

#include "api/checks.h"
#include "auth.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/audit.h"
#include "db/token.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "model/limits.h"
#include "tenancy.h"

#define EXPIRY_MIN_MS ((int64_t)60 * 1000)
#define EXPIRY_MAX_MS ((int64_t)10 * 365 * 86400 * 1000)

struct token_body {
    char *name, *project, *expires_in;
    json_t *scopes;
};

#define OFFSET(member) offsetof(struct token_body, member)
static const struct field body_list[] = {
    {.name = "name", .type = FIELD_TEXT, .offset = OFFSET(name), .max = 120},
    {.name = "scopes", .type = FIELD_JSON, .offset = OFFSET(scopes)},
    {.name = "project", .type = FIELD_TEXT, .offset = OFFSET(project), .optional = true, .max = 63},
    {.name = "expires_in",
     .type = FIELD_TEXT,
     .offset = OFFSET(expires_in),
     .optional = true,
     .max = 32},
};
const struct fields token_fields = FIELDS(struct token_body, body_list);

int tokens_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        token_db_list(store, &request_principal(request)->project_id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int check_body(const struct token_body *body, int64_t *expires_in_ms_r, struct error *error)
{
    unsigned scopes;
    *expires_in_ms_r = 0;
    if (check_title("name", body->name, error) < 0)
        return -1;
    if (!json_is_array(body->scopes) || json_array_size(body->scopes) == 0 ||
        json_array_size(body->scopes) > SCOPE_COUNT)
        return error_field(error, "scopes", "scopes must be a list of 1 to %d names", SCOPE_COUNT);
    if (auth_scopes_parse(body->scopes, &scopes, error) < 0)
        return -1;
    struct error inner;
    if (body->expires_in != NULL &&
        duration_parse(body->expires_in, EXPIRY_MIN_MS, EXPIRY_MAX_MS, expires_in_ms_r, &inner) < 0)
        return error_field(error, "expires_in", "expires_in %s", inner.text);
    return 0;
}

/* A bound token makes tokens of its own project alone. */
static int find_project(struct request *request, const struct token_body *body,
                        struct uuid *project_id_r, struct error *error)
{
    struct project_ref project = {.slug = ""};
    bool needs_one = body->project != NULL || principal_is_bound(request_principal(request));
    if (needs_one && tenancy_project_or_bound(request, body->project, &project, error) < 0)
        return -1;
    *project_id_r = project.id;
    return 0;
}

static int add_token(struct request *request, const struct token_body *body,
                     const char text[TOKEN_TEXT_SIZE], struct uuid *id_r, struct error *error)
{
    struct store *store;
    uint8_t hash[TOKEN_HASH_BYTES];
    token_hash(text, hash);
    struct new_token token = {.id = uuid_v7(),
                              .name = body->name,
                              .hash = hash,
                              .scopes = body->scopes,
                              .created_by = request_principal(request)->id};
    if (check_body(body, &token.expires_in_ms, error) < 0 ||
        find_project(request, body, &token.project_id, error) < 0 ||
        request_begin(request, &store, error) < 0 || token_db_add(store, &token, error) < 0 ||
        audit_add(store, request, &token.project_id, "token.create", &token.id,
                  json_pack("{s:s, s:O}", "name", body->name, "scopes", body->scopes), error) < 0)
        return -1;
    *id_r = token.id;
    return request_commit(request, error);
}

static int answer_token(struct request *request, struct response *response, const struct uuid *id,
                        const char *secret, struct error *error)
{
    struct store *store;
    json_t *token;
    if (request_store(request, &store, error) < 0 ||
        token_db_get(store, &request_principal(request)->project_id, id, &token, error) < 0)
        return -1;
    if (token == NULL)
        return no_such("token", id->text, error);
    if (secret != NULL)
        json_object_set_new(token, "token", json_string(secret));
    response_json(response, secret == NULL ? 200 : 201, token);
    return 0;
}

int tokens_create(struct request *request, struct response *response, struct error *error)
{
    struct token_body body;
    struct uuid id;
    char text[TOKEN_TEXT_SIZE];
    if (request_decode(request, &token_fields, &body, error) < 0)
        return -1;
    token_make("vd", text);
    int status = add_token(request, &body, text, &id, error);
    fields_free(&token_fields, &body);
    if (status == 0) {
        auth_forget(request_ingest(request)->auth);
        status = answer_token(request, response, &id, text, error);
    }
    sodium_memzero(text, sizeof text);
    return status;
}

int tokens_get(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "token");
    struct uuid id;
    if (uuid_parse(name, &id, NULL) < 0)
        return no_such("token", name, error);
    return answer_token(request, response, &id, NULL, error);
}

int tokens_revoke(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "token");
    const struct uuid *only = &request_principal(request)->project_id;
    AUTO(json_free) json_t *token = NULL;
    struct store *store;
    struct uuid id;
    if (uuid_parse(name, &id, NULL) < 0)
        return no_such("token", name, error);
    if (request_begin(request, &store, error) < 0 ||
        token_db_get(store, only, &id, &token, error) < 0)
        return -1;
    if (token == NULL)
        return no_such("token", name, error);
    struct uuid project_id = {.text = ""};
    const char *project = json_find_text(json_object_get(token, "project"), "id");
    if (project != NULL && uuid_parse(project, &project_id, error) < 0)
        return -1;
    if (token_db_revoke(store, &id, error) < 0 ||
        audit_add(store, request, &project_id, "token.revoke", &id, NULL, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    auth_forget(request_ingest(request)->auth);
    return answer_token(request, response, &id, NULL, error);
}
