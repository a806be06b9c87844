/* SPDX-License-Identifier: Apache-2.0 */
/* Suite specifications: fields and the rules between them. */
#include "model/suite.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/frameworks.h"
#include "model/labels.h"
#include "model/limits.h"

#define SHA256_HEX_BYTES 64

static const char *const source_kind_list[] = {"path", "git", "upload", "bundle"};
const struct names source_kind_names = NAMES("source kind", source_kind_list);

static const char *const report_format_list[] = {"auto",    "junit", "tap",    "ctrf",
                                                 "go-json", "trx",   "allure", "none"};
const struct names report_format_names = NAMES("report format", report_format_list);

static const struct field source_list[] = {
    {.name = "kind",
     .type = FIELD_ENUM,
     .offset = offsetof(struct suite_source, kind),
     .names = &source_kind_names},
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_source, path),
     .optional = true,
     .max = 4096},
    {.name = "url",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_source, url),
     .optional = true,
     .max = 2048},
    {.name = "bundle",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_source, bundle),
     .optional = true,
     .max = SHA256_HEX_BYTES},
    {.name = "ref",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_source, ref),
     .optional = true,
     .max = 255},
    {.name = "pinned",
     .type = FIELD_BOOL,
     .offset = offsetof(struct suite_source, pinned),
     .optional = true},
};
static const struct fields source_fields = FIELDS(struct suite_source, source_list);

static const struct field report_list[] = {
    {.name = "format",
     .type = FIELD_ENUM,
     .offset = offsetof(struct suite_report, format),
     .optional = true,
     .names = &report_format_names},
    {.name = "path",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_report, path),
     .optional = true,
     .max = 4096},
};
static const struct fields report_fields = FIELDS(struct suite_report, report_list);

static const struct field limits_list[] = {
    {.name = "cpu_seconds",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_limits, cpu_seconds),
     .optional = true,
     .min = 0,
     .max = 14 * 86400},
    {.name = "memory_mb",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_limits, memory_mb),
     .optional = true,
     .min = 0,
     .max = 16 * 1024 * 1024},
    {.name = "open_files",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_limits, open_files),
     .optional = true,
     .min = 0,
     .max = 1 << 20},
    {.name = "processes",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_limits, processes),
     .optional = true,
     .min = 0,
     .max = 1 << 20},
    {.name = "output_bytes",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_limits, output_bytes),
     .optional = true,
     .min = 0,
     .max = LIMIT_LOG_BYTES_PER_TASK},
    {.name = "file_mb",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_limits, file_mb),
     .optional = true,
     .min = 0,
     .max = 1 << 20},
};
static const struct fields limits_fields = FIELDS(struct suite_limits, limits_list);

static const struct field suite_list[] = {
    {.name = "framework",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_spec, framework),
     .max = 63},
    {.name = "source",
     .type = FIELD_RECORD,
     .offset = offsetof(struct suite_spec, source),
     .of = &source_fields},
    {.name = "command",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct suite_spec, command),
     .optional = true,
     .max = LIMIT_COMMAND_ARGUMENTS},
    {.name = "arguments",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct suite_spec, arguments),
     .optional = true,
     .max = LIMIT_COMMAND_ARGUMENTS},
    {.name = "directory",
     .type = FIELD_TEXT,
     .offset = offsetof(struct suite_spec, directory),
     .optional = true,
     .max = 4096},
    {.name = "report",
     .type = FIELD_RECORD,
     .offset = offsetof(struct suite_spec, report),
     .optional = true,
     .of = &report_fields},
    {.name = "environment",
     .type = FIELD_OBJECT,
     .offset = offsetof(struct suite_spec, environment),
     .optional = true},
    {.name = "secrets",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct suite_spec, secrets),
     .optional = true,
     .max = LIMIT_SECRETS},
    {.name = "requirements",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct suite_spec, requirements),
     .optional = true,
     .max = LIMIT_REQUIREMENTS},
    {.name = "limits",
     .type = FIELD_RECORD,
     .offset = offsetof(struct suite_spec, limits),
     .optional = true,
     .of = &limits_fields},
    {.name = "cases",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct suite_spec, cases),
     .optional = true,
     .max = LIMIT_CASES_PER_RUN},
    {.name = "max_tasks",
     .type = FIELD_INT,
     .offset = offsetof(struct suite_spec, max_tasks),
     .optional = true,
     .min = 0,
     .max = LIMIT_TASKS_PER_RUN},
    {.name = "artifacts",
     .type = FIELD_TEXTS,
     .offset = offsetof(struct suite_spec, artifacts),
     .optional = true,
     .max = LIMIT_ARTIFACT_PATTERNS},
    {.name = "exclusive",
     .type = FIELD_BOOL,
     .offset = offsetof(struct suite_spec, exclusive),
     .optional = true},
};
const struct fields suite_fields = FIELDS(struct suite_spec, suite_list);

/* Tests never run with another directory's rights: no path leads out of the source. */
bool path_stays_inside(const char *path)
{
    if (path[0] == '/')
        return false;
    for (const char *part = path; part != NULL; part = strchr(part, '/')) {
        part += *part == '/' ? 1 : 0;
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

static int check_bundle(const struct suite_source *source, struct error *error)
{
    const char *bundle = source->bundle;
    if (source->kind != SOURCE_BUNDLE)
        return bundle == NULL ? 0
                              : error_field(error, "source.bundle",
                                            "source.bundle goes with kind bundle only");
    if (bundle == NULL || strlen(bundle) != SHA256_HEX_BYTES ||
        strspn(bundle, "0123456789abcdef") != SHA256_HEX_BYTES)
        return error_field(error, "source.bundle",
                           "source.bundle must be the SHA-256 of a bundle, in %d hex digits",
                           SHA256_HEX_BYTES);
    if (source->url != NULL || source->ref != NULL)
        return error_field(error, "source", "source.url and source.ref go with kind git only");
    return 0;
}

static int check_source(const struct suite_source *source, struct error *error)
{
    if (source->kind == SOURCE_PATH && (source->path == NULL || source->path[0] != '/'))
        return error_field(error, "source.path",
                           "source.path must be an absolute path on the worker");
    if (source->kind == SOURCE_UPLOAD &&
        (source->path != NULL || source->url != NULL || source->ref != NULL || source->pinned ||
         source->bundle != NULL))
        return error_field(error, "source", "source.kind upload has no other members");
    if (source->kind == SOURCE_PATH && (source->url != NULL || source->ref != NULL))
        return error_field(error, "source", "source.url and source.ref go with kind git only");
    if (source->kind == SOURCE_GIT && source->url == NULL)
        return error_field(error, "source.url", "source.url is missing (kind git)");
    if (source->kind == SOURCE_GIT && source->url[0] == '-')
        return error_field(error, "source.url", "source.url must not begin with -");
    if (source->pinned && source->ref == NULL)
        return error_field(error, "source.pinned", "source.pinned goes with source.ref only");
    if (source->ref != NULL && source->ref[0] == '-')
        return error_field(error, "source.ref", "source.ref must not begin with -");
    if (source->kind != SOURCE_PATH && source->path != NULL && !path_stays_inside(source->path))
        return error_field(error, "source.path",
                           "source.path must be relative and stay inside the checkout");
    return check_bundle(source, error);
}

static int check_environment(const json_t *environment, struct error *error)
{
    const char *name;
    const json_t *value;
    if (json_object_size(environment) > (size_t)LIMIT_PARAMETERS)
        return error_field(error, "environment", "environment has more than %d entries",
                           (int)LIMIT_PARAMETERS);
    json_object_foreach ((json_t *)(uintptr_t)environment, name, value) {
        if (name[0] == '\0' || strchr(name, '=') != NULL)
            return error_field(error, "environment", "environment: \"%.80s\" is no variable's name",
                               name);
        if (!json_is_string(value))
            return error_field(error, "environment", "environment.%.80s must be a string", name);
    }
    return 0;
}

static int check_requirements(const struct texts *requirements, struct error *error)
{
    for (size_t i = 0; i < requirements->count; i++) {
        struct predicate *predicate = NULL;
        struct error inner;
        char field[40];
        snprintf(field, sizeof field, "requirements[%zu]", i);
        if (predicate_parse(requirements->list[i], &predicate, &inner) < 0)
            return error_field(error, field, "%s: %s", field, inner.text);
        predicate_free(&predicate);
    }
    return 0;
}

/* Nobody would look at them. */
static int check_uploaded(const struct suite_spec *suite, struct error *error)
{
    const struct {
        const char *name;
        const struct texts *texts;
    } lists[] = {{"command", &suite->command},
                 {"arguments", &suite->arguments},
                 {"secrets", &suite->secrets},
                 {"requirements", &suite->requirements},
                 {"artifacts", &suite->artifacts}};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        if (lists[i].texts->count > 0)
            return error_field(error, lists[i].name,
                               "%s is for what workers run: the results of this suite are uploaded",
                               lists[i].name);
    return 0;
}

static int check_framework(const struct suite_spec *suite, struct error *error)
{
    const struct framework_facts *framework = framework_find(suite->framework);
    if (framework == NULL)
        return error_field(error, "framework", "framework \"%.63s\" is not known: one of %s",
                           suite->framework, framework_list());
    if (suite->source.kind == SOURCE_UPLOAD)
        return check_uploaded(suite, error);
    if (framework->needs_command && suite->command.count == 0)
        return error_field(error, "command", "command is missing: framework %s needs it",
                           framework->name);
    if (suite->cases.count > 0 && !framework->selects_cases)
        return error_field(error, "cases",
                           "cases cannot be declared: framework %s cannot select them",
                           framework->name);
    if (suite->report.format == REPORT_NONE && strcmp(framework->name, "command") != 0)
        return error_field(error, "report.format",
                           "report.format none goes with framework command only");
    return 0;
}

static int suite_check(const struct suite_spec *suite, struct error *error)
{
    if (check_framework(suite, error) < 0 || check_source(&suite->source, error) < 0 ||
        check_environment(suite->environment, error) < 0 ||
        check_requirements(&suite->requirements, error) < 0)
        return -1;
    if (suite->directory != NULL && !path_stays_inside(suite->directory))
        return error_field(error, "directory",
                           "directory must be relative and stay inside the source");
    if (suite->report.path != NULL && !path_stays_inside(suite->report.path))
        return error_field(error, "report.path",
                           "report.path must be relative and stay inside the working directory");
    for (size_t i = 0; i < suite->artifacts.count; i++)
        if (suite->artifacts.list[i][0] == '\0' || !path_stays_inside(suite->artifacts.list[i]))
            return error_field(error, "artifacts",
                               "artifacts[%zu] must be relative and stay inside the working "
                               "directory",
                               i);
    for (size_t i = 0; i < suite->cases.count; i++)
        if (suite->cases.list[i][0] == '\0' ||
            strlen(suite->cases.list[i]) > 2 * LIMIT_CASE_NAME_BYTES)
            return error_field(error, "cases", "cases[%zu] must have 1 to %d bytes", i,
                               (int)(2 * LIMIT_CASE_NAME_BYTES));
    return 0;
}

int suite_decode(const json_t *json, struct suite_spec *suite_r, struct error *error)
{
    struct suite_spec suite;
    if (fields_decode(&suite_fields, json, &suite, error) < 0)
        return -1;
    if (suite_check(&suite, error) < 0) {
        suite_deinit(&suite);
        return -1;
    }
    *suite_r = suite;
    return 0;
}

bool suite_is_uploaded(const json_t *spec)
{
    const char *kind = json_find_text(json_object_get(spec, "source"), "kind");
    return kind != NULL && strcmp(kind, names_get(&source_kind_names, SOURCE_UPLOAD)) == 0;
}

void suite_deinit(struct suite_spec *suite)
{
    fields_free(&suite_fields, suite);
}
