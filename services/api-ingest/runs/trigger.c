/* SPDX-License-Identifier: Apache-2.0 */
/* From the body of a trigger to a run: fields, names, what the suite and the template say already. */
#include "runs/trigger.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/names.h"
#include "db/suite_version.h"
#include "db/trigger.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest.h"
#include "ingest_metrics.h"
#include "model/labels.h"
#include "model/limits.h"
#include "model/policy.h"
#include "runs/run_links.h"
#include "suite_version.h"
#include "tenancy.h"

#define NAME_BYTES       63
#define DRAFT_CASES      100 /* of a new suite that is stored in the transaction of many triggers */
#define NO_PRIORITY      (-1)
#define PRIORITY_DEFAULT 50
#define TRACEPARENT_MAX  55

enum relation { RELATION_RERUN = 1, RELATION_RETRY, RELATION_PROMOTION };
static const char *const relation_list[] = {"", "rerun", "retry", "promotion"};
static const struct names relation_names = NAMES("relation", relation_list);

struct trigger_body {
    char *project, *template, *environment, *pool, *build_version, *branch, *commit, *title,
        *parent;
    json_t *suite, *parameters, *metadata, *policy, *requirements;
    int64_t priority;
    int relation;
};

#define OFFSET(member) offsetof(struct trigger_body, member)
#define TEXT(name_, member_, max_)                                                                 \
    {                                                                                              \
        .name = (name_), .type = FIELD_TEXT, .offset = OFFSET(member_), .optional = true,          \
        .max = (max_)                                                                              \
    }
#define JSON(name_, type_, member_)                                                                \
    {                                                                                              \
        .name = (name_), .type = (type_), .offset = OFFSET(member_), .optional = true              \
    }
static const struct field body_list[] = {
    TEXT("project", project, NAME_BYTES),
    TEXT("template", template, NAME_BYTES),
    JSON("suite", FIELD_JSON, suite),
    TEXT("environment", environment, NAME_BYTES),
    TEXT("pool", pool, NAME_BYTES),
    TEXT("build_version", build_version, LIMIT_TEXT_BYTES),
    TEXT("branch", branch, LIMIT_TEXT_BYTES),
    TEXT("commit", commit, LIMIT_TEXT_BYTES),
    TEXT("title", title, LIMIT_TITLE_BYTES),
    {.name = "priority",
     .type = FIELD_INT,
     .offset = OFFSET(priority),
     .optional = true,
     .min = 0,
     .max = 100,
     .fallback = NO_PRIORITY},
    JSON("parameters", FIELD_OBJECT, parameters),
    JSON("trigger", FIELD_OBJECT, metadata),
    JSON("policy", FIELD_OBJECT, policy),
    JSON("requirements", FIELD_JSON, requirements),
    TEXT("parent_run", parent, NAME_BYTES),
    {.name = "relation",
     .type = FIELD_ENUM,
     .offset = OFFSET(relation),
     .optional = true,
     .names = &relation_names},
};
static const struct fields body_fields = FIELDS(struct trigger_body, body_list);

void trigger_free(struct trigger **trigger_)
{
    struct trigger *trigger = TAKE(*trigger_);
    if (trigger == NULL)
        return;
    char *const owned[] = {trigger->key,        trigger->suite_slug,  trigger->title,
                           trigger->branch,     trigger->commit,      trigger->build_version,
                           trigger->parameters, trigger->traceparent, trigger->requirements,
                           trigger->metadata,   trigger->policy};
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

static char *read_traceparent(const struct request *request)
{
    const char *text = request_header(request, "traceparent");
    bool is_one = text != NULL && strlen(text) == TRACEPARENT_MAX &&
                  strspn(text, "0123456789abcdef-") == TRACEPARENT_MAX;
    return is_one ? xstrdup(text) : NULL;
}

/* ---- the suite ------------------------------------------------------------------------------------ */

/* In a transaction of its own. */
static int store_version(struct request *request, struct trigger *trigger, const char *slug,
                         const struct suite_spec *spec, struct error *error)
{
    struct store *store;
    struct suite_version_ref version;
    if (request_begin(request, &store, error) < 0 ||
        suite_version_ensure(store, &trigger->project_id, slug, spec, &version, error) < 0 ||
        request_commit(request, error) < 0)
        return -1;
    metric_add(&ingest_metrics[METRIC_TRIGGER_COMMITS], 1);
    trigger->suite_version_id = version.id;
    return 0;
}

/* A version that is there already, as it mostly is, is named; a new one is stored with the run, unless it
 * is so large that others would wait for it. */
static int find_version(struct request *request, struct trigger *trigger, const char *slug,
                        const struct suite_spec *spec, struct error *error)
{
    struct suite_version_row row = {.project_id = &trigger->project_id, .slug = slug};
    struct store *store;
    suite_digest(spec, row.digest);
    if (request_store(request, &store, error) < 0 ||
        suite_version_db_find(store, &row, &trigger->suite_version_id, error) < 0)
        return -1;
    if (!uuid_is_null(&trigger->suite_version_id))
        return 0;
    if (spec->cases.count > DRAFT_CASES)
        return store_version(request, trigger, slug, spec, error);
    return suite_draft_make(slug, spec, &trigger->draft, error);
}

/* The text member of an inline suite that is no part of the specification. */
static int read_head(const json_t *json, const char *name, size_t max, const char **text_r,
                     struct error *error)
{
    const json_t *value = json_object_get(json, name);
    *text_r = json_string_value(value);
    if (value == NULL || json_is_null(value))
        return 0;
    if (*text_r == NULL || json_string_length(value) > max)
        return error_field(error, name, "suite.%s must be a text of at most %zu bytes", name, max);
    return 0;
}

static int take_inline_suite(struct request *request, const json_t *json, struct trigger *trigger,
                             json_t *requirements, struct error *error)
{
    AUTO(suite_deinit) struct suite_spec spec = {.framework = NULL};
    const char *slug, *title;
    if (read_head(json, "slug", NAME_BYTES, &slug, error) < 0 ||
        read_head(json, "title", (size_t)LIMIT_TITLE_BYTES, &title, error) < 0)
        return error_in(error, "suite");
    if (slug == NULL)
        return error_field(error, "suite.slug", "suite.slug is missing");
    if (check_slug("slug", slug, error) < 0 || suite_decode(json, &spec, error) < 0 ||
        find_version(request, trigger, slug, &spec, error) < 0)
        return error->field[0] == '\0' ? -1 : error_in(error, "suite");
    trigger->cases = (int64_t)spec.cases.count;
    trigger->suite_slug = xstrdup(slug);
    if (trigger->title == NULL)
        trigger->title = xstrdup(title == NULL || title[0] == '\0' ? slug : title);
    for (size_t i = 0; i < spec.requirements.count; i++)
        json_array_append_new(requirements, json_string(spec.requirements.list[i]));
    return 0;
}

static void take_stored_suite(const struct trigger_parts *parts, struct trigger *trigger,
                              json_t *requirements)
{
    trigger->suite_id = parts->suite_id;
    trigger->suite_version_id = parts->suite_version_id;
    trigger->cases = parts->cases;
    trigger->suite_slug = xstrdup(parts->suite_slug);
    if (trigger->title == NULL)
        trigger->title = xstrdup(parts->suite_title);
    if (json_is_array(parts->requirements))
        json_array_extend(requirements, parts->requirements);
}

/* ---- what the template, the suite and the body say together ---------------------------------------- */

static void add_new(json_t *list, const json_t *more)
{
    size_t i;
    json_t *entry;
    json_array_foreach (more, i, entry) {
        bool is_there = false;
        for (size_t k = 0; k < json_array_size(list) && !is_there; k++)
            is_there = json_equal(json_array_get(list, k), entry) != 0;
        if (!is_there)
            json_array_append(list, entry);
    }
}

/* Stated ones are checked alone first, so that an error names the entry as the user wrote it. */
static int join_requirements(const struct trigger_body *body, const json_t *defaults, json_t *list,
                             struct trigger *trigger, struct error *error)
{
    AUTO(requirements_free) struct requirements *own = NULL;
    AUTO(requirements_free) struct requirements *all = NULL;
    AUTO(json_free) json_t *joined = json_array();
    if (body->requirements != NULL && requirements_parse(body->requirements, &own, error) < 0)
        return error->field[0] == '\0' ? error_field(error, "requirements", "%s", error->text) : -1;
    add_new(joined, list);
    add_new(joined, json_object_get(defaults, "requirements"));
    add_new(joined, body->requirements);
    if (requirements_parse(joined, &all, error) < 0)
        return error_field(error, "requirements",
                           "requirements of the suite, the template and the run together: %s",
                           error->text);
    trigger->requirements = json_text(joined);
    return 0;
}

/* Members of the body win over those of the template. */
static json_t *join_objects(const json_t *defaults, const char *name, const json_t *own)
{
    json_t *joined = json_object();
    const json_t *base = json_object_get(defaults, name);
    if (json_is_object(base))
        json_object_update(joined, (json_t *)(uintptr_t)base);
    if (own != NULL)
        json_object_update(joined, (json_t *)(uintptr_t)own);
    return joined;
}

static int join_policy(const struct trigger_body *body, const json_t *defaults,
                       struct trigger *trigger, struct error *error)
{
    AUTO(json_free) json_t *joined = join_objects(defaults, "policy", body->policy);
    struct policy policy;
    if (fields_decode(&policy_fields, joined, &policy, error) < 0)
        return error_in(error, "policy");
    AUTO(json_free) json_t *complete = fields_encode(&policy_fields, &policy);
    trigger->policy = json_text(complete);
    trigger->cancel_superseded = policy.cancel_superseded;
    fields_free(&policy_fields, &policy);
    return 0;
}

static int join_parameters(const struct trigger_body *body, const json_t *defaults,
                           struct trigger *trigger, struct error *error)
{
    AUTO(json_free) json_t *joined = join_objects(defaults, "parameters", body->parameters);
    AUTO(json_free) json_t *none = json_object();
    if (check_parameters("parameters", body->parameters, error) < 0 ||
        check_parameters("parameters", joined, error) < 0 ||
        check_parameters("trigger", body->metadata, error) < 0)
        return -1;
    trigger->parameters = json_text(joined);
    trigger->metadata = json_text(body->metadata == NULL ? none : body->metadata);
    return 0;
}

static int join_rest(struct trigger_body *body, const json_t *defaults, struct trigger *trigger,
                     struct error *error)
{
    const char *title = json_find_text(defaults, "title");
    if (body->title != NULL && check_title("title", body->title, error) < 0)
        return -1;
    trigger->title = body->title != NULL                 ? TAKE(body->title)
                     : title != NULL && title[0] != '\0' ? xstrdup(title)
                                                         : NULL;
    trigger->priority = body->priority != NO_PRIORITY
                            ? body->priority
                            : json_find_int(defaults, "priority", PRIORITY_DEFAULT);
    trigger->build_version = TAKE(body->build_version);
    trigger->branch = TAKE(body->branch);
    trigger->commit = TAKE(body->commit);
    if (body->relation != 0 || body->parent != NULL)
        trigger->relation = relation_list[body->relation == 0 ? RELATION_RERUN : body->relation];
    return 0;
}

/* ---- names ---------------------------------------------------------------------------------------- */

static int check_names(const struct trigger_body *body, struct error *error)
{
    bool has_suite = body->suite != NULL;
    if (has_suite && !json_is_string(body->suite) && !json_is_object(body->suite))
        return error_field(error, "suite",
                           "suite must be the slug of a suite, or an object that describes one");
    if (has_suite && body->template != NULL)
        return error_field(error, "template", "give either a template or a suite, not both");
    if (!has_suite && body->template == NULL)
        return error_field(error, "suite", "a template or a suite is needed");
    if (body->relation != 0 && body->parent == NULL)
        return error_field(error, "parent_run", "relation needs a parent_run");
    return 0;
}

static int missing(const char *field, const char *what, const char *name, struct error *error)
{
    return error_field(error, field, "there is no %s %.100s in this project", what, name);
}

static int check_parts(const struct trigger_body *body, const struct trigger_parts *parts,
                       struct error *error)
{
    const char *suite = json_string_value(body->suite);
    if (body->template != NULL && uuid_is_null(&parts->template_id))
        return missing("template", "template", body->template, error);
    if (suite != NULL && uuid_is_null(&parts->suite_id))
        return missing("suite", "suite", suite, error);
    if (body->environment != NULL && uuid_is_null(&parts->environment_id))
        return missing("environment", "environment", body->environment, error);
    if (uuid_is_null(&parts->pool_id))
        return error_field(error, "pool", "there is no pool %.100s that the project may use",
                           body->pool == NULL ? "of the template" : body->pool);
    if (body->parent != NULL && uuid_is_null(&parts->parent_id))
        return missing("parent_run", "run", body->parent, error);
    return 0;
}

static int find_parts(struct request *request, const struct trigger_body *body,
                      struct trigger *trigger, struct trigger_parts *parts_r, struct error *error)
{
    struct store *store;
    const struct trigger_names names = {.template = body->template,
                                        .suite = json_string_value(body->suite),
                                        .environment = body->environment,
                                        .pool = body->pool,
                                        .parent = body->parent};
    if (check_names(body, error) < 0 || request_store(request, &store, error) < 0 ||
        trigger_db_find_parts(store, &trigger->project_id, &names, parts_r, error) < 0)
        return -1;
    trigger->template_id = parts_r->template_id;
    trigger->environment_id = parts_r->environment_id;
    trigger->pool_id = parts_r->pool_id;
    trigger->parent_id = parts_r->parent_id;
    return check_parts(body, parts_r, error);
}

static int fill(struct request *request, struct trigger_body *body, struct trigger *trigger,
                struct error *error)
{
    AUTO(trigger_parts_deinit) struct trigger_parts parts = {.cases = 0};
    AUTO(json_free) json_t *requirements = json_array();
    if (find_parts(request, body, trigger, &parts, error) < 0 ||
        join_policy(body, parts.defaults, trigger, error) < 0 ||
        join_parameters(body, parts.defaults, trigger, error) < 0 ||
        join_rest(body, parts.defaults, trigger, error) < 0)
        return -1;
    if (!json_is_object(body->suite))
        take_stored_suite(&parts, trigger, requirements);
    else if (take_inline_suite(request, body->suite, trigger, requirements, error) < 0)
        return -1;
    return join_requirements(body, parts.defaults, requirements, trigger, error);
}

/* Names are looked up only for a key that is new: an answer that was given once is given again whatever
 * has become of them. Two of a key that is under way meet in the batch. */
static int find_key(struct request *request, const struct trigger_body *body,
                    struct trigger *trigger, struct error *error)
{
    struct project_ref project;
    struct store *store;
    if (tenancy_project_or_bound(request, body->project, &project, error) < 0 ||
        request_store(request, &store, error) < 0)
        return -1;
    trigger->project_id = project.id;
    return trigger->key == NULL ? 0 : trigger_db_find_key(store, trigger, error);
}

int trigger_read(struct request *request, struct trigger **trigger_r, struct error *error)
{
    AUTO(trigger_free) struct trigger *trigger = xcalloc(1, sizeof *trigger);
    AUTO(json_free) json_t *json = NULL;
    struct trigger_body body;
    if (read_key(request, &trigger->key, error) < 0 || request_json(request, &json, error) < 0)
        return -1;
    if (!json_is_object(json))
        return error_set(error, "invalid", "the body must be a JSON object");
    if (fields_decode(&body_fields, json, &body, error) < 0)
        return -1;
    hash_body(json, trigger->body_hash);
    trigger->request = request;
    trigger->run_id = uuid_v7();
    trigger->created_by = request_principal(request)->id;
    trigger->traceparent = read_traceparent(request);
    int status = find_key(request, &body, trigger, error);
    if (status == 0 && trigger->outcome == TRIGGER_OPEN)
        status = fill(request, &body, trigger, error);
    fields_free(&body_fields, &body);
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
    response_json(response, 201,
                  json_pack("{s:s, s:I, s:s, s:o, s:o}", "id", trigger->answered_id.text, "number",
                            (json_int_t)trigger->number, "state", "queued", "planned", planned,
                            "links", links));
    response_headerf(response, "Location", "/v1/runs/%s", trigger->answered_id.text);
    if (trigger->outcome == TRIGGER_REPLAYED)
        response_header(response, "Idempotency-Replayed", "true");
}

void trigger_answer(struct trigger *trigger)
{
    trigger_respond(trigger);
    request_complete(trigger->request);
}
