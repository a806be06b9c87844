/* SPDX-License-Identifier: Apache-2.0 */
/* What the body, the template and the suite say together. */
#include <string.h>

#include "api/checks.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/names.h"
#include "db/trigger_parts.h"
#include "http/request.h"
#include "model/labels.h"
#include "model/limits.h"
#include "model/policy.h"
#include "runs/trigger_body.h"

#define NO_PRIORITY      (-1)
#define PRIORITY_DEFAULT 50

enum relation { RELATION_RERUN = 1, RELATION_RETRY, RELATION_PROMOTION };
static const char *const relation_list[] = {"", "rerun", "retry", "promotion"};
static const struct names relation_names = NAMES("relation", relation_list);

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
    JSON("expect", FIELD_OBJECT, expect),
    TEXT("parent_run", parent, NAME_BYTES),
    {.name = "relation",
     .type = FIELD_ENUM,
     .offset = OFFSET(relation),
     .optional = true,
     .names = &relation_names},
};
const struct fields trigger_body_fields = FIELDS(struct trigger_body, body_list);

/* What the suite must be, or there is no run. */
struct expected {
    char *source, *framework;
};
static const struct field expected_list[] = {
    {.name = "source",
     .type = FIELD_TEXT,
     .offset = offsetof(struct expected, source),
     .optional = true,
     .max = NAME_BYTES},
    {.name = "framework",
     .type = FIELD_TEXT,
     .offset = offsetof(struct expected, framework),
     .optional = true,
     .max = NAME_BYTES},
};
static const struct fields expected_fields = FIELDS(struct expected, expected_list);

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

static int check_same(const char *what, const char *expected, const char *is, struct error *error)
{
    if (expected == NULL || is == NULL || strcmp(expected, is) == 0)
        return 0;
    return error_set(error, "conflict", "the suite's %s is %s, and %s was expected", what, is,
                     expected);
}

static int check_expected(const struct trigger_body *body, const struct trigger_parts *parts,
                          struct error *error)
{
    struct expected expected;
    const bool is_inline = json_is_object(body->suite);
    if (body->expect == NULL)
        return 0;
    if (fields_decode(&expected_fields, body->expect, &expected, error) < 0)
        return error_in(error, "expect");
    int status = check_same(
        "source", expected.source,
        is_inline ? json_find_text(json_object_get(body->suite, "source"), "kind") : parts->source,
        error);
    if (status == 0)
        status = check_same("framework", expected.framework,
                            is_inline ? json_find_text(body->suite, "framework") : parts->framework,
                            error);
    fields_free(&expected_fields, &expected);
    return status;
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
        trigger_parts_db_find(store, &trigger->project_id, &names, parts_r, error) < 0)
        return -1;
    trigger->template_id = parts_r->template_id;
    trigger->environment_id = parts_r->environment_id;
    trigger->pool_id = parts_r->pool_id;
    trigger->parent_id = parts_r->parent_id;
    if (check_parts(body, parts_r, error) < 0)
        return -1;
    return check_expected(body, parts_r, error);
}

/* ---- joining -------------------------------------------------------------------------------------- */

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

int trigger_fill(struct request *request, struct trigger_body *body, struct trigger *trigger,
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
    else if (trigger_take_inline_suite(body->suite, trigger, requirements, error) < 0)
        return -1;
    return join_requirements(body, parts.defaults, requirements, trigger, error);
}
