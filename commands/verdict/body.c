/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of triggers. */
#include "body.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "base/json.h"
#include "base/memory.h"
#include "bundle_send.h"
#include "inline_suite.h"
#include "manifest.h"

static void put(json_t *object, const char *name, const char *said, const char *fallback)
{
    const char *value = said != NULL ? said : fallback;
    if (value != NULL && value[0] != '\0')
        json_object_set_new(object, name, json_lossy(value, strlen(value)));
}

static json_t *policy_json(const struct cli_options *options)
{
    json_t *policy = json_object();
    if (options->queue_timeout_ms > 0)
        json_object_set_new(policy, "queue_timeout_ms", json_integer(options->queue_timeout_ms));
    if (options->task_timeout_ms > 0)
        json_object_set_new(policy, "task_timeout_ms", json_integer(options->task_timeout_ms));
    if (options->run_timeout_ms > 0)
        json_object_set_new(policy, "run_timeout_ms", json_integer(options->run_timeout_ms));
    if (options->allow_empty)
        json_object_set_new(policy, "allow_empty", json_true());
    if (options->cancel_superseded)
        json_object_set_new(policy, "cancel_superseded", json_true());
    return policy;
}

static int parameters_json(const struct texts *parameters, json_t **object_r, struct error *error)
{
    AUTO(json_free) json_t *object = json_object();
    for (size_t i = 0; i < parameters->count; i++) {
        const char *text = parameters->list[i], *equals = strchr(text, '=');
        if (equals == NULL || equals == text)
            return usage_error(error, "--param %s: must be NAME=VALUE", text);
        AUTO(text_free) char *name = xstrndup(text, (size_t)(equals - text));
        json_object_set_new(object, name, json_lossy(equals + 1, strlen(equals + 1)));
    }
    *object_r = TAKE(object);
    return 0;
}

/* Objects and lists that say nothing are left out: then the template's or the default counts. */
static void put_unless_empty(json_t *body, const char *name, json_t *value)
{
    if (json_object_size(value) > 0 || json_array_size(value) > 0)
        json_object_set_new(body, name, value);
    else
        json_decref(value);
}

int body_encode(const struct cli_options *options, const struct ci *ci, const char *project,
                json_t *suite, json_t **body_r, struct error *error)
{
    json_t *parameters = NULL, *requirements = json_array();
    AUTO(json_free) json_t *body = json_object();
    for (size_t i = 0; i < options->requirements.count; i++)
        json_array_append_new(requirements, json_string(options->requirements.list[i]));
    put_unless_empty(body, "requirements", requirements);
    if (parameters_json(&options->parameters, &parameters, error) < 0)
        return -1;
    put_unless_empty(body, "parameters", parameters);
    put_unless_empty(body, "policy", policy_json(options));
    put_unless_empty(body, "trigger", ci_trigger(ci));
    put(body, "project", project, NULL);
    put(body, "template", options->template, NULL);
    put(body, "environment", options->environment, NULL);
    put(body, "pool", options->pool, NULL);
    put(body, "title", options->title, NULL);
    put(body, "build_version", options->build, ci->build);
    put(body, "branch", options->branch, ci->branch);
    put(body, "commit", options->commit, ci->commit);
    if (options->priority >= 0)
        json_object_set_new(body, "priority", json_integer(options->priority));
    if (suite != NULL)
        json_object_set(body, "suite", suite);
    *body_r = TAKE(body);
    return 0;
}

/* The file that was named, or the one that lies here, unless it is of another project than the one that was
 * typed. For a command it says no more than the project: there it is not read where that is known. *manifest_r
 * may be NULL. */
static int find_manifest(const struct cli *cli, json_t **manifest_r, struct error *error)
{
    const struct cli_options *options = &cli->options;
    AUTO(json_free) json_t *manifest = NULL;
    *manifest_r = NULL;
    if (options->file != NULL)
        return manifest_load(options->file, manifest_r, error);
    if (access("verdict.yaml", R_OK) != 0)
        return 0;
    if (options->has_command && cli->project_from >= FROM_ENVIRONMENT)
        return 0;
    if (manifest_load("verdict.yaml", &manifest, error) < 0)
        return -1;
    if (cli->project_from < FROM_COMMAND_LINE ||
        strcmp(json_find_text(manifest, "project"), options->project) == 0)
        *manifest_r = TAKE(manifest);
    return 0;
}

/* Typed or in the environment, else the file's, else the configuration's. NULL when nobody says. */
static const char *choose_project(const struct cli *cli, const json_t *manifest)
{
    const char *written = json_find_text(manifest, "project");
    return written != NULL && cli->project_from < FROM_ENVIRONMENT ? written : cli->options.project;
}

/* A token that is bound to a project needs no guess: then *slug_r is NULL. Caller frees. */
static int guess_project(struct cli *cli, char **slug_r, struct error *error)
{
    AUTO(json_free) json_t *me = NULL;
    *slug_r = NULL;
    if (api_call(cli, "GET", "/v1/me", NULL, &me, error) < 0)
        return -1;
    if (json_find_text(me, "project_id") == NULL)
        *slug_r = inline_project(&cli->options);
    return 0;
}

/* A suite that the file describes goes along, so that the run is of what the file says now. */
static json_t *suite_of(const json_t *manifest, const char *slug)
{
    const json_t *written = json_object_get(json_object_get(manifest, "suites"), slug);
    if (written == NULL)
        return json_string(slug);
    json_t *suite = json_deep_copy(written);
    json_object_set_new(suite, "slug", json_string(slug));
    return suite;
}

/* Names of files and folders are no promise: the project is made when it is not there. Whether a token that
 * may not look may trigger, only the trigger tells. */
static int ensure_project(struct cli *cli, const char *slug, const char *title, struct error *error)
{
    AUTO(text_free) char *path = api_path("/v1/projects/%s", slug);
    struct error inner;
    if (api_call(cli, "GET", path, NULL, NULL, &inner) == 0)
        return 0;
    if (error_is(&inner, "refused") && cli->last_status == 403)
        return 0;
    if (!error_is(&inner, "not_found")) {
        *error = inner;
        return -1;
    }
    AUTO(json_free) json_t *body = json_pack("{s:s}", "title", title == NULL ? slug : title);
    if (api_call(cli, "PUT", path, body, NULL, &inner) == 0)
        return 0;
    *error = inner;
    return error_wrap(
        error, "there is no project \"%s\", and it cannot be made (name one by --project)", slug);
}

static int choose_suite(const struct cli_options *options, const json_t *manifest, json_t **suite_r,
                        struct error *error)
{
    const json_t *suites = json_object_get(manifest, "suites");
    *suite_r = NULL;
    if (options->has_command)
        return inline_suite(options, suite_r, error);
    if (options->suite != NULL)
        *suite_r = suite_of(manifest, options->suite);
    else if (options->template == NULL && json_object_size(suites) == 1)
        *suite_r =
            suite_of(manifest, json_object_iter_key(json_object_iter((json_t *)(uintptr_t)suites)));
    else if (options->template == NULL)
        return usage_error(error, "what is to run? --template, --suite, or -- COMMAND");
    if (options->bundle != NULL && !json_is_object(*suite_r))
        return usage_error(error,
                           "--bundle goes with -- COMMAND, or a suite that verdict.yaml describes");
    return 0;
}

/* may_guess: where nobody names the project, the folder does. */
static int make_body(struct cli *cli, const json_t *manifest, json_t *suite, bool may_guess,
                     json_t **body_r, struct error *error)
{
    AUTO(text_free) char *guessed = NULL;
    struct ci ci;
    ci_read((ci_get *)getenv, &ci);
    const char *project = choose_project(cli, manifest);
    if (project == NULL && may_guess) {
        if (guess_project(cli, &guessed, error) < 0)
            return -1;
        project = guessed;
    }
    if (project != cli->options.project &&
        ensure_project(cli, project, json_find_text(manifest, "title"), error) < 0)
        return -1;
    if (cli->options.bundle != NULL && bundle_send(cli, project, suite, error) < 0)
        return -1;
    return body_encode(&cli->options, &ci, project, suite, body_r, error);
}

int body_make(struct cli *cli, json_t **body_r, struct error *error)
{
    const struct cli_options *options = &cli->options;
    AUTO(json_free) json_t *manifest = NULL, *suite = NULL;
    if (options->template != NULL && (options->suite != NULL || options->has_command))
        return usage_error(error, "--template already says which suite");
    if (find_manifest(cli, &manifest, error) < 0 ||
        choose_suite(options, manifest, &suite, error) < 0)
        return -1;
    return make_body(cli, manifest, suite, options->has_command, body_r, error);
}

static int check_uploaded(const json_t *suite, const char *slug, struct error *error)
{
    const char *kind = json_find_text(json_object_get(suite, "source"), "kind");
    if (kind != NULL && strcmp(kind, "upload") == 0)
        return 0;
    return usage_error(error,
                       "suite %s: workers run it: results are uploaded where its source is "
                       "{kind: upload} (or give them another --suite)",
                       slug);
}

/* One of verdict.yaml's, or *is_made_r: all that is known of it is what the options say. */
static int uploaded_suite(const struct cli_options *options, const json_t *manifest,
                          json_t **suite_r, bool *is_made_r, struct error *error)
{
    const char *named = options->suite;
    *is_made_r =
        named == NULL || json_object_get(json_object_get(manifest, "suites"), named) == NULL;
    if (!*is_made_r) {
        *suite_r = suite_of(manifest, named);
        return check_uploaded(*suite_r, named, error);
    }
    AUTO(text_free) char *folder = inline_project(options);
    AUTO(text_free) char *slug = slug_from(named == NULL ? folder : named);
    *suite_r = json_pack("{s:s, s:s, s:{s:s}}", "slug", slug, "framework",
                         options->framework == NULL ? "command" : options->framework, "source",
                         "kind", "upload");
    return 0;
}

/* Cases that the project's suite declares count as not run when no report tells of them, so what is stored is used
 * where it is there. A token that may not look triggers by its name first, see *otherwise_r. */
static int prefer_stored(struct cli *cli, json_t *body, json_t **otherwise_r, struct error *error)
{
    json_t *made = json_object_get(body, "suite");
    const char *slug = json_find_text(made, "slug"), *project = json_find_text(body, "project");
    AUTO(json_free) json_t *stored = NULL;
    AUTO(text_free)
    char *suites = api_path("/v1/projects/%s/suites", project == NULL ? "" : project);
    AUTO(text_free) char *path = xasprintf("%s/%s", suites, slug);
    struct error inner;
    if (project != NULL && api_call(cli, "GET", path, NULL, &stored, &inner) < 0) {
        if (error_is(&inner, "not_found"))
            return 0;
        if (!error_is(&inner, "refused") || cli->last_status != 403) {
            *error = inner;
            return -1;
        }
    }
    if (stored != NULL && check_uploaded(json_object_get(stored, "spec"), slug, error) < 0)
        return -1;
    *otherwise_r = stored == NULL ? json_incref(made) : NULL;
    json_object_set_new(body, "suite", json_string(slug));
    return 0;
}

/* Where only the server knows the suite, it refuses what would be a run of workers, or of another framework. */
static void expect_uploaded(const struct cli_options *options, json_t *body)
{
    json_t *expect = json_pack("{s:s}", "source", "upload");
    if (options->framework != NULL)
        json_object_set_new(expect, "framework", json_string(options->framework));
    json_object_set_new(body, "expect", expect);
}

int body_make_uploaded(struct cli *cli, json_t **body_r, json_t **otherwise_r, struct error *error)
{
    const struct cli_options *options = &cli->options;
    AUTO(json_free) json_t *manifest = NULL, *suite = NULL, *body = NULL, *otherwise = NULL;
    bool is_made = false;
    if (options->template != NULL && options->suite != NULL)
        return usage_error(error, "--template already says which suite");
    if (find_manifest(cli, &manifest, error) < 0)
        return -1;
    if (options->template == NULL && uploaded_suite(options, manifest, &suite, &is_made, error) < 0)
        return -1;
    if (make_body(cli, manifest, suite, true, &body, error) < 0 ||
        (is_made && prefer_stored(cli, body, &otherwise, error) < 0))
        return -1;
    expect_uploaded(options, body);
    *body_r = TAKE(body);
    *otherwise_r = TAKE(otherwise);
    return 0;
}
