/* SPDX-License-Identifier: Apache-2.0 */
#include "api/run_why.h"

#include "api/run_lookup.h"
#include "base/json.h"
#include "base/memory.h"
#include "db/run_why.h"
#include "http/response.h"
#include "ingest.h"
#include "installation.h"
#include "runs/why.h"

/* Everything that is read; owned. */
struct answer {
    struct run_ref run;
    struct run_view view;
    struct why_owner owner;
    struct why_workers workers;
    struct why_queue queue;
    json_t *requests;
};

static void answer_deinit(struct answer *answer)
{
    run_view_deinit(&answer->view);
    json_free(&answer->owner.json);
    json_free(&answer->workers.unmet);
    json_free(&answer->requests);
}

static int read_workers(struct store *store, struct answer *answer, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(requirements_free) struct requirements *requirements = NULL;
    if (requirements_parse(json_object_get(answer->view.json, "requirements"), &requirements,
                           error) < 0 ||
        why_db_workers(store, &answer->run.pool_id, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        AUTO(json_free) json_t *labels = rows_json(rows, row, 1);
        why_workers_add(&answer->workers, requirements, rows_text(rows, row, 0), labels,
                        rows_int(rows, row, 2), rows_int(rows, row, 3));
    }
    return 0;
}

static int read_all(struct request *request, struct answer *answer, struct error *error)
{
    struct ingest *ingest = request_ingest(request);
    struct store *store;
    char topic[TOPIC_NAME_SIZE];
    int partition;
    if (request_store(request, &store, error) < 0 ||
        run_lookup(request, store, &answer->run, error) < 0 ||
        run_db_get(store, &answer->run.project_id, answer->run.id.text, &answer->view, error) < 0 ||
        why_db_requests(store, &answer->run.id, &answer->requests, error) < 0)
        return -1;
    if (answer->view.is_final)
        return 0;
    if (installation_address(ingest->installation, store, TOPIC_SCHEDULING,
                             answer->run.pool_id.text, topic, &partition, error) < 0 ||
        why_db_owner(store, partition, &answer->owner, error) < 0 ||
        why_db_queue(store, &answer->run.id, &answer->run.pool_id, &answer->queue, error) < 0)
        return -1;
    return read_workers(store, answer, error);
}

static json_t *workers_json(const struct why_workers *workers)
{
    return json_pack("{s:i, s:i, s:i, s:I, s:I, s:O?}", "total", workers->total, "reachable",
                     workers->reachable, "capable", workers->capable, "slots",
                     (json_int_t)workers->slots, "free_slots", (json_int_t)workers->free_slots,
                     "unmet", workers->unmet);
}

static json_t *open_parts(const struct answer *answer)
{
    return json_pack("{s:O?, s:o, s:{s:I, s:I, s:I}}", "scheduler", answer->owner.json, "workers",
                     workers_json(&answer->workers), "queue", "ahead_same_project",
                     (json_int_t)answer->queue.ahead_same_project, "ahead_other_projects",
                     (json_int_t)answer->queue.ahead_other_projects, "open_other_projects",
                     (json_int_t)answer->queue.open_other_projects);
}

int run_why(struct request *request, struct response *response, struct error *error)
{
    static const char *const shown[] = {"number", "state",          "reason",      "reason_text",
                                        "wait",   "queue_deadline", "run_deadline"};
    AUTO(answer_deinit) struct answer answer = {.requests = NULL};
    if (read_all(request, &answer, error) < 0)
        return -1;
    const json_t *run = answer.view.json;
    const struct why_facts facts = {
        .run = run,
        .is_final = answer.view.is_final,
        .owner_is_known = answer.owner.is_known,
        .owner_is_alive = answer.owner.is_alive,
        .pool = json_find_text(run, "pool"),
        .owner_alive_at =
            answer.owner.is_known ? json_find_text(answer.owner.json, "alive_at") : NULL,
        .workers = &answer.workers,
        .ahead_same_project = answer.queue.ahead_same_project,
        .ahead_other_projects = answer.queue.ahead_other_projects,
        .requests = answer.requests};
    json_t *reasons = why_reasons(&facts);
    json_t *json = answer.view.is_final ? json_object() : open_parts(&answer);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        json_object_set(json, shown[i], json_object_get(run, shown[i]));
    json_object_set_new(json, "run_id", json_string(answer.run.id.text));
    json_object_set(json, "text", json_object_get(json_array_get(reasons, 0), "text"));
    json_object_set_new(json, "reasons", reasons);
    json_object_set(json, "requests", answer.requests);
    response_json(response, 200, json);
    return 0;
}
