/* SPDX-License-Identifier: Apache-2.0 */
/* The members of verdict.yaml. */
#include "manifest.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"
#include "model/policy.h"
#include "model/suite.h"
#include "yaml_json.h"

/* Kinds of things below a project, and what each may say; suites have suite_fields besides. */
struct section {
    const char *name;
    const char *const *members;
    const struct fields *fields;
    bool by_slug;
};

static const char *const environment_members[] = {"title", "url", "position", NULL};
static const char *const suite_members[] = {"title", NULL};
static const char *const template_members[] = {
    "title",        "suite",      "environment", "pool",     "run_title",
    "requirements", "parameters", "policy",      "priority", NULL};
static const char *const webhook_members[] = {"url", "description", "events", "enabled", NULL};

static const struct section sections[] = {
    {"environments", environment_members, NULL, true},
    {"suites", suite_members, &suite_fields, true},
    {"templates", template_members, NULL, true},
    {"webhooks", webhook_members, NULL, false},
};

static bool is_listed(const char *const *members, const char *name)
{
    for (; members != NULL && *members != NULL; members++)
        if (strcmp(*members, name) == 0)
            return true;
    return false;
}

static const struct field *find_field(const struct fields *fields, const char *name)
{
    for (size_t i = 0; fields != NULL && i < fields->count; i++)
        if (strcmp(fields->list[i].name, name) == 0)
            return &fields->list[i];
    return NULL;
}

static int check_members(const json_t *object, const char *path, const char *const *members,
                         const struct fields *fields, struct error *error)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return error_set(error, "usage", "%s must be a mapping", path);
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        const struct field *field = find_field(fields, name);
        AUTO(text_free) char *inner = xasprintf("%s.%s", path, name);
        if (field == NULL && !is_listed(members, name))
            return error_set(error, "usage", "%s: there is no such member", inner);
        if (field != NULL && field->type == FIELD_RECORD &&
            check_members(value, inner, NULL, field->of, error) < 0)
            return -1;
    }
    return 0;
}

/* "task_timeout: 10m" is "task_timeout_ms: 600000". */
static int read_policy(json_t *policy, const char *path, struct error *error)
{
    static const char *const spans[] = {"queue_timeout", "task_timeout", "run_timeout", "grace"};
    for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
        const json_t *value = json_object_get(policy, spans[i]);
        AUTO(text_free)
        char *given = json_is_integer(value)
                          ? xasprintf("%lld", json_integer_value(value))
                          : xstrdup(json_is_string(value) ? json_string_value(value) : "");
        AUTO(text_free) char *member = xasprintf("%s_ms", spans[i]);
        struct error inner;
        int64_t ms;
        if (value == NULL)
            continue;
        if (duration_parse(given, 100, LIMIT_TIMEOUT_MAX_MS, &ms, &inner) < 0)
            return error_set(error, "usage", "%s.%s %s", path, spans[i], inner.text);
        json_object_set_new(policy, member, json_integer(ms));
        json_object_del(policy, spans[i]);
    }
    return check_members(policy, path, NULL, &policy_fields, error);
}

static int read_source(json_t *suite, const char *path, const char *folder, struct error *error)
{
    json_t *source = json_object_get(suite, "source");
    const char *given = json_find_text(source, "path");
    char absolute[PATH_MAX];
    if (source == NULL)
        return error_set(error, "usage", "%s.source is missing", path);
    if (json_object_get(source, "kind") == NULL)
        json_object_set_new(source, "kind",
                            json_string(json_find_text(source, "url") != NULL ? "git" : "path"));
    const char *kind = json_find_text(source, "kind");
    if (kind == NULL || strcmp(kind, "path") != 0 || given == NULL || given[0] == '/')
        return 0;
    AUTO(text_free) char *joined = xasprintf("%s/%s", folder, given);
    if (realpath(joined, absolute) == NULL)
        return error_set(error, "usage", "%s.source.path: %s: %s", path, joined, strerror(errno));
    json_object_set_new(source, "path", json_lossy(absolute, strlen(absolute)));
    return 0;
}

static int read_entry(const struct section *section, json_t *entry, const char *path,
                      const char *folder, struct error *error)
{
    json_t *policy = json_object_get(entry, "policy");
    if (check_members(entry, path, section->members, section->fields, error) < 0)
        return -1;
    AUTO(text_free) char *policy_path = xasprintf("%s.policy", path);
    if (policy != NULL && read_policy(policy, policy_path, error) < 0)
        return -1;
    return section->fields == &suite_fields ? read_source(entry, path, folder, error) : 0;
}

static int read_by_slug(const struct section *section, json_t *all, const char *folder,
                        struct error *error)
{
    const char *slug;
    json_t *entry;
    if (!json_is_object(all))
        return error_set(error, "usage", "%s must be a mapping by slug", section->name);
    json_object_foreach (all, slug, entry) {
        AUTO(text_free) char *path = xasprintf("%s.%s", section->name, slug);
        if (!slug_is_valid(slug))
            return error_set(error, "usage",
                             "%s: a slug has lower-case letters, digits and single inner dashes",
                             path);
        if (read_entry(section, entry, path, folder, error) < 0)
            return -1;
    }
    return 0;
}

static int read_list(const struct section *section, json_t *all, const char *folder,
                     struct error *error)
{
    size_t index;
    json_t *entry;
    if (!json_is_array(all))
        return error_set(error, "usage", "%s must be a list", section->name);
    json_array_foreach (all, index, entry) {
        AUTO(text_free) char *path = xasprintf("%s[%zu]", section->name, index);
        if (read_entry(section, entry, path, folder, error) < 0)
            return -1;
    }
    return 0;
}

int manifest_check(json_t *manifest, const char *folder, struct error *error)
{
    static const char *const top_members[] = {
        "project", "title", "environments", "suites", "templates", "webhooks", NULL};
    if (check_members(manifest, "verdict.yaml", top_members, NULL, error) < 0)
        return -1;
    const char *project = json_find_text(manifest, "project");
    if (project == NULL || !slug_is_valid(project))
        return error_set(error, "usage", "project must be a slug");
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        json_t *all = json_object_get(manifest, sections[i].name);
        if (all == NULL || json_is_null(all))
            continue;
        int status = sections[i].by_slug ? read_by_slug(&sections[i], all, folder, error)
                                         : read_list(&sections[i], all, folder, error);
        if (status < 0)
            return -1;
    }
    return 0;
}

int manifest_load(const char *path, json_t **manifest_r, struct error *error)
{
    AUTO(json_free) json_t *manifest = NULL;
    AUTO(text_free) char *copy = xstrdup(path);
    if (yaml_load(path, &manifest, error) < 0)
        return -1;
    if (manifest_check(manifest, dirname(copy), error) < 0)
        return error_wrap(error, "%s", path);
    *manifest_r = TAKE(manifest);
    return 0;
}
