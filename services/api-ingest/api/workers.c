/* SPDX-License-Identifier: Apache-2.0 */
#include "api/workers.h"

#include <sodium.h>

#include "api/checks.h"
#include "auth.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/audit.h"
#include "db/pool.h"
#include "db/worker.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "installation.h"
#include "lanes.h"
#include "model/labels.h"
#include "model/limits.h"

#define WORKER_NAME_BYTES 120

struct enrol_body {
    char *name;
    json_t *labels;
    int64_t slots;
};

static const struct field enrol_list[] = {
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct enrol_body, name),
     .max = WORKER_NAME_BYTES},
    {.name = "labels",
     .type = FIELD_OBJECT,
     .offset = offsetof(struct enrol_body, labels),
     .optional = true},
    {.name = "slots",
     .type = FIELD_INT,
     .offset = offsetof(struct enrol_body, slots),
     .optional = true,
     .min = 1,
     .max = LIMIT_SLOTS_PER_WORKER,
     .fallback = 1},
};
const struct fields enrol_fields = FIELDS(struct enrol_body, enrol_list);

int workers_list(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    struct page page;
    json_t *items;
    if (page_read(request, &page, error) < 0 || request_store(request, &store, error) < 0 ||
        worker_db_list(store, &request_principal(request)->project_id,
                       request_query(request, "pool"), request_query(request, "state"), &page,
                       &items, error) < 0)
        return -1;
    page_answer(response, &page, items);
    return 0;
}

static int find_worker(struct request *request, struct store *store, json_t **worker_r,
                       struct uuid *id_r, struct error *error)
{
    const char *name = request_param(request, "worker");
    if (uuid_parse(name, id_r, NULL) < 0)
        return no_such("worker", name, error);
    if (worker_db_get(store, &request_principal(request)->project_id, id_r, worker_r, error) < 0)
        return -1;
    return *worker_r == NULL ? no_such("worker", name, error) : 0;
}

int workers_get(struct request *request, struct response *response, struct error *error)
{
    struct store *store;
    json_t *worker;
    struct uuid id;
    if (request_store(request, &store, error) < 0 ||
        find_worker(request, store, &worker, &id, error) < 0)
        return -1;
    response_json(response, 200, worker);
    return 0;
}

int workers_revoke(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *before = NULL;
    json_t *worker;
    struct store *store;
    struct uuid id;
    if (request_begin(request, &store, error) < 0 ||
        find_worker(request, store, &before, &id, error) < 0 ||
        worker_db_revoke(store, &id, error) < 0 ||
        audit_add(store, request, NULL, "worker.revoke", &id, NULL, error) < 0 ||
        request_commit(request, error) < 0 || find_worker(request, store, &worker, &id, error) < 0)
        return -1;
    response_json(response, 200, worker);
    return 0;
}

/* A key that nobody has: whoever took the old one is not let back with the worker. */
int workers_restore(struct request *request, struct response *response, struct error *error)
{
    AUTO(json_free) json_t *before = NULL;
    uint8_t key[MAC_KEY_BYTES];
    json_t *worker;
    struct store *store;
    struct uuid id;
    randombytes_buf(key, sizeof key);
    if (request_begin(request, &store, error) < 0 ||
        find_worker(request, store, &before, &id, error) < 0 ||
        worker_db_restore(store, &id, key, error) < 0 ||
        audit_add(store, request, NULL, "worker.restore", &id, NULL, error) < 0 ||
        request_commit(request, error) < 0 || find_worker(request, store, &worker, &id, error) < 0)
        return -1;
    sodium_memzero(key, sizeof key);
    response_json(response, 200, worker);
    return 0;
}

struct pool_ref {
    struct uuid id;
    char slug[64];
};

static int find_pool(struct request *request, struct store *store, struct pool_ref *pool_r,
                     struct error *error)
{
    const char *token;
    uint8_t hash[TOKEN_HASH_BYTES];
    if (auth_read_bearer(request_header(request, "Authorization"), &token, error) < 0)
        return -1;
    token_hash(token, hash);
    if (pool_db_find_by_join_token(store, hash, &pool_r->id, pool_r->slug, error) < 0)
        return -1;
    if (uuid_is_null(&pool_r->id))
        return error_set(error, "unauthorized", "no pool has this join token");
    return 0;
}

/* What a worker must know: topics, its lane, and where to send. */
static int answer_enrolment(struct request *request, struct response *response, struct store *store,
                            const struct pool_ref *pool, const struct enrolled *enrolled,
                            const uint8_t key[MAC_KEY_BYTES], struct error *error)
{
    struct installation *installation = request_ingest(request)->installation;
    char lanes[TOPIC_NAME_SIZE], scheduling[TOPIC_NAME_SIZE], results[TOPIC_NAME_SIZE];
    char key_text[2 * MAC_KEY_BYTES + 1];
    int partition, results_partitions;
    if (installation_address(installation, store, TOPIC_SCHEDULING, pool->id.text, scheduling,
                             &partition, error) < 0 ||
        installation_partitions(installation, store, TOPIC_RESULTS, &results_partitions, error) < 0)
        return -1;
    sodium_bin2hex(key_text, sizeof key_text, key, MAC_KEY_BYTES);
    json_t *topics_of_worker = json_pack(
        "{s:s, s:s, s:s}", "lanes",
        installation_topic(installation, TOPIC_LANES, pool->id.text, lanes), "scheduling",
        scheduling, "results", installation_topic(installation, TOPIC_RESULTS, NULL, results));
    response_json(response, 200,
                  json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:i, s:i}", "worker_id",
                            enrolled->worker_id.text, "pool_id", pool->id.text, "pool", pool->slug,
                            "key", key_text, "lane", enrolled->lane, "incarnation",
                            (json_int_t)enrolled->incarnation, "topics", topics_of_worker,
                            "scheduling_partition", partition, "results_partitions",
                            results_partitions));
    sodium_memzero(key_text, sizeof key_text);
    return 0;
}

static int write_enrolment(struct request *request, struct store *store,
                           const struct pool_ref *pool, const char *name,
                           const uint8_t key[MAC_KEY_BYTES], struct enrolled *enrolled_r,
                           struct error *error)
{
    const struct uuid id = uuid_v7();
    int lanes;
    if (installation_partitions(request_ingest(request)->installation, store, TOPIC_LANES, &lanes,
                                error) < 0 ||
        store_begin(store, error) < 0 ||
        worker_db_enrol(store, &id, &pool->id, name, key, topic_partition(id.text, lanes),
                        enrolled_r, error) < 0)
        return -1;
    if (enrolled_r->is_refused)
        return error_set(error, "forbidden",
                         "the worker %s of this pool was revoked; an operator can restore it",
                         name);
    if (audit_add(store, request, NULL, "worker.enrol", &enrolled_r->worker_id,
                  json_pack("{s:s, s:s}", "pool", pool->slug, "name", name), error) < 0)
        return -1;
    return request_commit(request, error);
}

static int enrol(struct request *request, struct response *response, const struct enrol_body *body,
                 struct error *error)
{
    struct store *store;
    struct pool_ref pool;
    struct enrolled enrolled;
    uint8_t key[MAC_KEY_BYTES];
    if (check_title("name", body->name, error) < 0 ||
        (body->labels != NULL && labels_check(body->labels, error) < 0) ||
        request_store(request, &store, error) < 0 || find_pool(request, store, &pool, error) < 0 ||
        lanes_ensure(request, store, &pool.id, error) < 0)
        return -1;
    randombytes_buf(key, sizeof key);
    if (write_enrolment(request, store, &pool, body->name, key, &enrolled, error) < 0)
        return -1;

    int status = answer_enrolment(request, response, store, &pool, &enrolled, key, error);
    sodium_memzero(key, sizeof key);
    return status;
}

int workers_enrol(struct request *request, struct response *response, struct error *error)
{
    struct enrol_body body;
    if (request_decode(request, &enrol_fields, &body, error) < 0)
        return -1;
    int status = enrol(request, response, &body, error);
    fields_free(&enrol_fields, &body);
    return status;
}
