/* SPDX-License-Identifier: Apache-2.0 */
#include "api/pools.h"

#include <sodium.h>
#include <string.h>

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/pool.h"
#include "http/request.h"
#include "http/response.h"
#include "lanes.h"
#include "log/log.h"
#include "model/limits.h"
#include "patch.h"
#include "precondition.h"

#define DEFAULT_POOL "default"

#define OFFSET(member) offsetof(struct pool_body, member)
static const struct field body_list[] = {
    {.name = "slug", .type = FIELD_TEXT, .offset = OFFSET(slug), .optional = true, .max = 63},
    {.name = "title",
     .type = FIELD_TEXT,
     .offset = OFFSET(title),
     .optional = true,
     .max = LIMIT_TITLE_BYTES},
    {.name = "all_projects", .type = FIELD_BOOL, .offset = OFFSET(all_projects), .optional = true},
};
const struct fields pool_fields = FIELDS(struct pool_body, body_list);

int pools_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        pool_db_list(store, &request_principal(request)->project_id, &page, &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int find_pool(struct request *request, struct store *store, json_t **pool_r,
                     struct uuid *id_r, struct error *error)
{
    const char *name = request_param(request, "pool");
    AUTO(json_free) json_t *pool = NULL;
    if (pool_db_get(store, &request_principal(request)->project_id, name, &pool, error) < 0)
        return -1;
    if (pool == NULL)
        return no_such("pool", name, error);
    if (uuid_parse(json_find_text(pool, "id"), id_r, error) < 0)
        return -1;
    if (pool_r != NULL)
        *pool_r = TAKE(pool);
    return 0;
}

static int answer_pool(struct request *request, struct response *response, int status,
                       const char *name, struct error *error)
{
    struct store *store;
    json_t *pool;
    if (request_store(request, &store, error) < 0 ||
        pool_db_get(store, &request_principal(request)->project_id, name, &pool, error) < 0)
        return -1;
    if (pool == NULL)
        return no_such("pool", name, error);
    response_json(response, status, pool);
    return 0;
}

/* Without Kafka the pool is made all the same: the first worker that enrols makes the topic. */
static void make_lanes(struct request *request, const struct uuid *pool_id)
{
    struct store *store;
    struct error error;
    if (request_store(request, &store, &error) < 0 ||
        lanes_ensure(request, store, pool_id, &error) < 0)
        log_failure(LOG_LEVEL_WARNING, "lanes of a new pool", &error);
}

static int add_pool(struct request *request, const struct pool_body *body, struct error *error)
{
    struct store *store;
    struct uuid id;
    if (check_slug("slug", body->slug, error) < 0 ||
        (body->title != NULL && check_title("title", body->title, error) < 0) ||
        request_begin(request, &store, error) < 0 ||
        pool_db_add(store, body, &request_principal(request)->id, &id, error) < 0 ||
        precondition_check_new(request, !uuid_is_null(&id), error) < 0)
        return -1;
    if (uuid_is_null(&id))
        return error_set(error, "conflict", "there is a pool %s already", body->slug);
    if (audit_add(store, request, NULL, "pool.create", &id, fields_encode(&pool_fields, body),
                  error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    make_lanes(request, &id);
    return 0;
}

int pools_create(struct request *request, struct response *response, struct error *error)
{
    struct pool_body body;
    if (request_decode(request, &pool_fields, &body, error) < 0)
        return -1;
    int status = body.slug == NULL ? error_field(error, "slug", "slug is missing")
                                   : add_pool(request, &body, error);
    if (status == 0)
        status = answer_pool(request, response, 201, body.slug, error);
    fields_free(&pool_fields, &body);
    return status;
}

int pools_get(struct request *request, struct response *response, struct error *error)
{
    return answer_pool(request, response, 200, request_param(request, "pool"), error);
}

static int set_pool(struct request *request, const struct pool_body *body, const struct uuid *id,
                    struct error *error)
{
    struct store *store;
    if ((body->title != NULL && check_title("title", body->title, error) < 0) ||
        request_begin(request, &store, error) < 0 || pool_db_set(store, id, body, error) < 0 ||
        audit_add(store, request, NULL, "pool.update", id, fields_encode(&pool_fields, body),
                  error) < 0)
        return -1;
    return request_commit(request, error);
}

int pools_put(struct request *request, struct response *response, struct error *error)
{
    const char *name = request_param(request, "pool");
    AUTO(json_free) json_t *there = NULL;
    AUTO(text_free) char *slug = NULL;
    struct pool_body body;
    struct store *store;
    struct uuid id;
    if (request_store(request, &store, error) < 0 ||
        pool_db_get(store, &request_principal(request)->project_id, name, &there, error) < 0 ||
        put_slug("pool", there, name, &slug, error) < 0 ||
        request_decode(request, &pool_fields, &body, error) < 0)
        return -1;
    int status = take_slug(&body.slug, &slug, error);
    if (status == 0)
        status = there == NULL ? add_pool(request, &body, error)
                               : uuid_parse(json_find_text(there, "id"), &id, error);
    if (status == 0 && there != NULL)
        status = set_pool(request, &body, &id, error);
    if (status == 0)
        status = answer_pool(request, response, there == NULL ? 201 : 200, body.slug, error);
    fields_free(&pool_fields, &body);
    return status;
}

static int check_unused(struct store *store, const json_t *pool, const struct uuid *id,
                        struct error *error)
{
    const char *slug = json_find_text(pool, "slug");
    bool has_runs;
    if (strcmp(slug, DEFAULT_POOL) == 0)
        return error_set(error, "conflict", "the pool %s stays: runs that name none take it", slug);
    if (json_find_int(pool, "workers", 0) > 0)
        return error_set(error, "conflict", "workers of this pool are there: stop them first");
    if (pool_db_has_runs(store, id, &has_runs, error) < 0)
        return -1;
    return has_runs ? error_set(error, "conflict", "runs name this pool: it stays with them") : 0;
}

/* As a project's (api/projects.c). */
static int lock_unused(struct store *store, const json_t *pool, const struct uuid *id,
                       struct error *error)
{
    bool is_there;
    if (check_unused(store, pool, id, error) < 0 || pool_db_lock(store, id, &is_there, error) < 0)
        return -1;
    if (!is_there)
        return no_such("pool", json_find_text(pool, "slug"), error);
    return check_unused(store, pool, id, error);
}

/* Workers that were of it are not let in any more. */
int pools_remove(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *pool = NULL;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        find_pool(request, store, &pool, &id, error) < 0 ||
        lock_unused(store, pool, &id, error) < 0 || pool_db_remove(store, &id, error) < 0 ||
        audit_add(store, request, NULL, "pool.remove", &id,
                  json_pack("{s:s}", "slug", json_find_text(pool, "slug")), error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_empty(response, 204);
    return 0;
}

int pools_join_token(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *pool = NULL;
    struct store *store;
    struct uuid id;
    char text[TOKEN_TEXT_SIZE];
    uint8_t hash[TOKEN_HASH_BYTES];
    token_make("vdj", text);
    token_hash(text, hash);
    if (request_begin(request, &store, error) < 0 ||
        find_pool(request, store, &pool, &id, error) < 0 ||
        pool_db_set_join_token(store, &id, hash, error) < 0 ||
        audit_add(store, request, NULL, "pool.join_token", &id, NULL, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    response_json(response, 201,
                  json_pack("{s:s, s:s, s:s}", "pool_id", id.text, "pool",
                            json_find_text(pool, "slug"), "join_token", text));
    sodium_memzero(text, sizeof text);
    return 0;
}

typedef int change_grant(struct store *store, const struct request *request,
                         const struct uuid *pool_id, struct error *error);

static int grant(struct store *store, const struct request *request, const struct uuid *pool_id,
                 struct error *error)
{
    return pool_db_grant(store, pool_id, &request_project(request)->id,
                         &request_principal(request)->id, error);
}

static int take_back(struct store *store, const struct request *request, const struct uuid *pool_id,
                     struct error *error)
{
    return pool_db_take_back(store, pool_id, &request_project(request)->id, error);
}

static int with_pool(struct request *request, struct response *response, change_grant *change,
                     const char *action, struct error *error)
{
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        find_pool(request, store, NULL, &id, error) < 0 || change(store, request, &id, error) < 0 ||
        audit_add(store, request, &request_project(request)->id, action, &id, NULL, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    return answer_pool(request, response, 200, id.text, error);
}

int pools_grant(struct request *request, struct response *response, struct error *error)
{
    return with_pool(request, response, grant, "pool.grant", error);
}

int pools_take_back(struct request *request, struct response *response, struct error *error)
{
    return with_pool(request, response, take_back, "pool.take_back", error);
}

int pools_patch(struct request *request, struct response *response, struct error *error)
{
    static const struct patch_kind kind = {
        .get = pools_get, .put = pools_put, .fields = &pool_fields};
    return patch_apply(&kind, request, response, error);
}
