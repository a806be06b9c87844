/* SPDX-License-Identifier: Apache-2.0 */
/* The routes, and finding one. */
#include "routes.h"

#include <string.h>

#include "api/about.h"
#include "api/badges.h"
#include "api/cases.h"
#include "api/artifacts.h"
#include "api/bundles.h"
#include "api/deliveries.h"
#include "api/environments.h"
#include "api/pools.h"
#include "api/projects.h"
#include "api/reference.h"
#include "api/run_events.h"
#include "api/run_list.h"
#include "api/run_log_stream.h"
#include "api/run_parts.h"
#include "api/run_why.h"
#include "api/run_remove.h"
#include "api/run_report.h"
#include "api/run_rerun.h"
#include "api/run_upload.h"
#include "api/runs.h"
#include "api/suites.h"
#include "api/templates.h"
#include "api/tokens.h"
#include "api/webhooks.h"
#include "api/workers.h"
#include "base/memory.h"
#include "base/names.h"
#include "model/limits.h"

#define SUITE_BODY_BYTES ((size_t)16 * 1024 * 1024)

#define ROUTE(method_, pattern_, scope_, handler_, text_, ...)                                     \
    {                                                                                              \
        .door = "api", .method = (method_), .pattern = (pattern_), .scope = (scope_),              \
        .handler = (handler_), .text = (text_), __VA_ARGS__                                        \
    }
#define API(...)             ROUTE(__VA_ARGS__, .body_max = 0)
#define API_LARGE(...)       ROUTE(__VA_ARGS__, .body_max = SUITE_BODY_BYTES)
#define API_NEW_PROJECT(...) ROUTE(__VA_ARGS__, .may_make_project = true)
#define API_FILE(method_, pattern_, scope_, admit_, handler_, bytes_, text_)                       \
    ROUTE(method_, pattern_, scope_, handler_, text_, .admit = (admit_),                           \
          .body_max = (size_t)(bytes_))
#define API_INSTALLATION(...) ROUTE(__VA_ARGS__, .installation = true)

/* clang-format off */
const struct route routes[] = {
    API("GET", "/v1/version", ROUTE_OPEN, about_version, "what runs here"),
    API("GET", "/v1/me", ROUTE_TOKEN, about_me, "whose token this is, and what it may"),
    API("GET", "/v1/openapi.json", ROUTE_OPEN, reference_openapi, "this API as an OpenAPI 3.1 document"),
    API("GET", "/v1/docs", ROUTE_OPEN, reference_page, "the same as a page to read"),

    API("GET", "/v1/projects", SCOPE_CONFIG_READ, projects_list, "projects that the token may see"),
    API_INSTALLATION("POST", "/v1/projects", SCOPE_ADMIN, projects_create, "makes a project"),
    API("GET", "/v1/projects/{project}", SCOPE_CONFIG_READ, projects_get, "one project"),
    API_NEW_PROJECT("PUT", "/v1/projects/{project}", SCOPE_ADMIN, projects_put, "makes or changes a project"),
    API("PATCH", "/v1/projects/{project}", SCOPE_ADMIN, projects_patch, "changes what is named of it"),
    API_INSTALLATION("DELETE", "/v1/projects/{project}", SCOPE_ADMIN, projects_remove, "removes a project without runs, with all that was set up in it; its tokens are void"),
    API("DELETE", "/v1/projects/{project}/runs", SCOPE_ADMIN, projects_remove_runs, "removes the oldest 500 of its runs that have ended, as DELETE of each does; says whether there are more"),
    API("GET", "/v1/projects/{project}/audit", SCOPE_ADMIN, projects_audit, "who changed what"),
    API("POST", "/v1/projects/{project}/share", SCOPE_RUN_WRITE, projects_share, "a link to the page of its runs, and from there to their reports, for whoever holds it, until it expires"),
    API("DELETE", "/v1/projects/{project}/share", SCOPE_RUN_WRITE, projects_unshare, "takes all links to that page back"),
    API("GET", "/v1/shared-runs/{link}", ROUTE_OPEN, shared_runs, "the page behind such a link, by state, suite and branch"),
    API_INSTALLATION("GET", "/v1/audit", SCOPE_ADMIN, audit_list, "who changed what, in all projects and beside them"),

    API("GET", "/v1/projects/{project}/environments", SCOPE_CONFIG_READ, environments_list, "environments"),
    API("POST", "/v1/projects/{project}/environments", SCOPE_CONFIG_WRITE, environments_create, "makes an environment, or answers the one that is there"),
    API("GET", "/v1/projects/{project}/environments/{environment}", SCOPE_CONFIG_READ, environments_get, "one environment"),
    API("PUT", "/v1/projects/{project}/environments/{environment}", SCOPE_CONFIG_WRITE, environments_put, "makes or changes an environment"),
    API("PATCH", "/v1/projects/{project}/environments/{environment}", SCOPE_CONFIG_WRITE, environments_patch, "changes what is named of it"),
    API("DELETE", "/v1/projects/{project}/environments/{environment}", SCOPE_CONFIG_WRITE, environments_remove, "removes an environment that no template and no run names"),

    API("GET", "/v1/projects/{project}/suites", SCOPE_CONFIG_READ, suites_list, "suites"),
    API_LARGE("POST", "/v1/projects/{project}/suites", SCOPE_CONFIG_WRITE, suites_create, "makes a suite"),
    API("GET", "/v1/projects/{project}/suites/{suite}", SCOPE_CONFIG_READ, suites_get, "one suite, at its current version"),
    API_LARGE("PUT", "/v1/projects/{project}/suites/{suite}", SCOPE_CONFIG_WRITE, suites_put, "makes or changes a suite"),
    API_LARGE("PATCH", "/v1/projects/{project}/suites/{suite}", SCOPE_CONFIG_WRITE, suites_patch, "changes what is named of it: a new version"),
    API("DELETE", "/v1/projects/{project}/suites/{suite}", SCOPE_CONFIG_WRITE, suites_remove, "removes a suite that no template names; its runs stay"),
    API("GET", "/v1/projects/{project}/suites/{suite}/cases", SCOPE_CONFIG_READ, suites_cases, "its declared cases"),

    API("POST", "/v1/projects/{project}/suites/{suite}/badge", SCOPE_CONFIG_WRITE, badges_create, "links to a badge of the suite, of one branch or any, for whoever holds them"),
    API("GET", "/v1/badges/{link}", ROUTE_OPEN, badges_get, "how its last run ended, as SVG or ?format=shields"),
    API("GET", "/v1/cases", SCOPE_RUN_READ, cases_list, "cases that are known of a project, by last status, suite and words in their names: ?project="),
    API("GET", "/v1/cases/{key}", SCOPE_RUN_READ, cases_get, "a case over its suite's runs, and how flaky it is: ?project=, ?branch="),

    API("GET", "/v1/projects/{project}/templates", SCOPE_CONFIG_READ, templates_list, "templates"),
    API("POST", "/v1/projects/{project}/templates", SCOPE_CONFIG_WRITE, templates_create, "makes a template"),
    API("GET", "/v1/projects/{project}/templates/{template}", SCOPE_CONFIG_READ, templates_get, "one template"),
    API("PUT", "/v1/projects/{project}/templates/{template}", SCOPE_CONFIG_WRITE, templates_put, "makes or changes a template"),
    API("DELETE", "/v1/projects/{project}/templates/{template}", SCOPE_CONFIG_WRITE, templates_remove, "removes a template; its runs stay"),

    API("GET", "/v1/projects/{project}/webhooks", SCOPE_CONFIG_READ, webhooks_list, "webhook endpoints"),
    API("POST", "/v1/projects/{project}/webhooks", SCOPE_CONFIG_WRITE, webhooks_create, "adds an endpoint; its secret is shown once"),
    API("GET", "/v1/projects/{project}/webhooks/{webhook}", SCOPE_CONFIG_READ, webhooks_get, "one endpoint, and how it does"),
    API("PUT", "/v1/projects/{project}/webhooks/{webhook}", SCOPE_CONFIG_WRITE, webhooks_put, "changes an endpoint"),
    API("PATCH", "/v1/projects/{project}/webhooks/{webhook}", SCOPE_CONFIG_WRITE, webhooks_patch, "changes what is named of it"),
    API("DELETE", "/v1/projects/{project}/webhooks/{webhook}", SCOPE_CONFIG_WRITE, webhooks_remove, "removes an endpoint"),
    API("POST", "/v1/projects/{project}/webhooks/{webhook}/secret", SCOPE_CONFIG_WRITE, webhooks_rotate, "a new secret, shown once; the old one is void"),
    API("POST", "/v1/projects/{project}/webhooks/{webhook}/test", SCOPE_CONFIG_WRITE, webhooks_test, "sends it an endpoint.test"),
    API("GET", "/v1/projects/{project}/deliveries", SCOPE_CONFIG_READ, deliveries_list, "deliveries, by state, event and webhook"),
    API("GET", "/v1/deliveries/{delivery}", SCOPE_CONFIG_READ, deliveries_get, "one delivery, with its attempts"),
    API("POST", "/v1/deliveries/{delivery}/redeliver", SCOPE_CONFIG_WRITE, deliveries_redeliver, "sends the event once more"),

    API_LARGE("POST", "/v1/runs", SCOPE_RUN_WRITE, runs_create, "triggers a run; an Idempotency-Key makes it safe to repeat"),
    API("GET", "/v1/runs", SCOPE_RUN_READ, runs_list, "runs, by project, states, suite, branch, commit, build, environment, pool, template and time"),
    API("GET", "/v1/runs/{run}", SCOPE_RUN_READ, runs_get, "one run, by id or number"),
    API("DELETE", "/v1/runs/{run}", SCOPE_ADMIN, runs_remove, "removes a run that has ended, with its results, logs, artifacts and events"),
    API("POST", "/v1/runs/{run}/rerun", SCOPE_RUN_WRITE, runs_rerun, "a new run of its cases that did not pass, failed, or of all; an Idempotency-Key makes it safe to repeat"),
    API("GET", "/v1/runs/{run}/results", SCOPE_RUN_READ, run_results, "its results, by status, task and words in their names; ?tries=all with those that were tried again"),
    API_FILE("POST", "/v1/runs/{run}/results", SCOPE_RUN_WRITE, run_upload_admit, run_upload, LIMIT_REPORT_BYTES, "takes a report of tests that ran elsewhere; ?complete=true (also without a body): nothing more will come"),
    API("GET", "/v1/runs/{run}/tasks", SCOPE_RUN_READ, run_tasks, "the pieces that it was cut into, and where they ran"),
    API("GET", "/v1/runs/{run}/logs", SCOPE_RUN_READ, run_logs, "what the tests wrote: text, or page by page with ?format=json; ?task="),
    API("GET", "/v1/runs/{run}/artifacts", SCOPE_RUN_READ, artifacts_list, "files that its tests left, and their coverage"),
    API("GET", "/v1/runs/{run}/artifacts/{artifact}", SCOPE_RUN_READ, artifacts_get, "one of them, byte for byte"),
    API_FILE("PUT", "/v1/dispatches/{dispatch}/artifacts", ROUTE_OPEN, artifacts_admit, artifacts_put, LIMIT_ARTIFACT_BYTES, "a worker keeps a file of what it runs, by a token of that dispatch; ?path=, ?kind=report"),
    API("GET", "/v1/bundles/{bundle}", SCOPE_RUN_WRITE, bundles_get, "is this bundle of files there? It then stays for an hour; ?project="),
    API_FILE("PUT", "/v1/bundles/{bundle}", SCOPE_RUN_WRITE, bundles_admit, bundles_put, LIMIT_BUNDLE_BYTES, "sends files for runs to run on, as one archive (tar, gzip) that is named by its SHA-256; ?project="),
    API("GET", "/v1/dispatches/{dispatch}/bundle", ROUTE_OPEN, dispatch_bundle, "a worker fetches the files of what it runs, by a token of that dispatch"),
    API("GET", "/v1/runs/{run}/logs/stream", SCOPE_RUN_READ, run_log_stream, "what the tests write, as text/event-stream while they do; ?task="),
    API("GET", "/v1/runs/{run}/why", SCOPE_RUN_READ, run_why, "why it is not further, or ended as it did"),
    API("GET", "/v1/runs/{run}/report", SCOPE_RUN_READ, run_report, "all of it in one document: ?format=html, junit, json, markdown or ctrf"),
    API("POST", "/v1/runs/{run}/share", SCOPE_RUN_WRITE, run_share, "a link to the report for whoever holds it, until it expires"),
    API("GET", "/v1/shared/{link}", ROUTE_OPEN, shared_report, "the report behind such a link"),
    API("GET", "/v1/shared/{link}/events", ROUTE_OPEN, shared_events, "the events of its run as text/event-stream, as long as the link is good"),
    API("GET", "/v1/runs/{run}/events", SCOPE_RUN_READ, runs_events, "its events as text/event-stream, from Last-Event-ID on"),
    API("POST", "/v1/runs/{run}/cancel", SCOPE_RUN_WRITE, runs_cancel, "asks for its end; what won is answered"),

    API("GET", "/v1/workers", SCOPE_WORKER_READ, workers_list, "workers of the pools that the token may use"),
    API("GET", "/v1/workers/{worker}", SCOPE_WORKER_READ, workers_get, "one worker"),
    API("POST", "/v1/workers/enrol", ROUTE_OPEN, workers_enrol, "a worker joins a pool, by the pool's join token"),
    API_INSTALLATION("DELETE", "/v1/workers/{worker}", SCOPE_ADMIN, workers_revoke, "takes a worker's key away; it cannot enrol again"),
    API_INSTALLATION("POST", "/v1/workers/{worker}/restore", SCOPE_ADMIN, workers_restore, "lets a revoked worker enrol again"),

    API("GET", "/v1/pools", SCOPE_WORKER_READ, pools_list, "pools that the token may use"),
    API_INSTALLATION("POST", "/v1/pools", SCOPE_ADMIN, pools_create, "makes a pool"),
    API("GET", "/v1/pools/{pool}", SCOPE_WORKER_READ, pools_get, "one pool"),
    API_INSTALLATION("PUT", "/v1/pools/{pool}", SCOPE_ADMIN, pools_put, "makes or changes a pool"),
    API_INSTALLATION("PATCH", "/v1/pools/{pool}", SCOPE_ADMIN, pools_patch, "changes what is named of it"),
    API_INSTALLATION("DELETE", "/v1/pools/{pool}", SCOPE_ADMIN, pools_remove, "removes a pool that no template, no run and no running worker is of"),
    API_INSTALLATION("POST", "/v1/pools/{pool}/join-token", SCOPE_ADMIN, pools_join_token, "a new join token, shown once; the old one is void"),
    API_INSTALLATION("PUT", "/v1/pools/{pool}/projects/{project}", SCOPE_ADMIN, pools_grant, "lets a project use the pool"),
    API_INSTALLATION("DELETE", "/v1/pools/{pool}/projects/{project}", SCOPE_ADMIN, pools_take_back, "takes that back"),

    API("GET", "/v1/tokens", SCOPE_ADMIN, tokens_list, "tokens, without their secrets"),
    API("POST", "/v1/tokens", SCOPE_ADMIN, tokens_create, "makes a token, shown once"),
    API("GET", "/v1/tokens/{token}", SCOPE_ADMIN, tokens_get, "one token, without its secret"),
    API("DELETE", "/v1/tokens/{token}", SCOPE_ADMIN, tokens_revoke, "revokes a token"),
};
/* clang-format on */
const size_t routes_count = ARRAY_SIZE(routes);

/* The next segment of a path or pattern; NULL behind the last. */
static const char *next_segment(const char **rest, size_t *length_r)
{
    *length_r = 0;
    if (**rest != '/')
        return NULL;
    const char *segment = *rest + 1;
    *length_r = strcspn(segment, "/");
    *rest = segment + *length_r;
    return segment;
}

static bool is_parameter(const char *segment, size_t length)
{
    return length > 2 && segment[0] == '{';
}

static bool fits(const char *pattern, const char *path, struct route_match *match)
{
    const char *want, *have;
    size_t want_length, have_length;
    match->count = 0;
    for (;;) {
        want = next_segment(&pattern, &want_length);
        have = next_segment(&path, &have_length);
        if (want == NULL || have == NULL)
            return want == have && *path == '\0';
        if (!is_parameter(want, want_length)) {
            if (want_length != have_length || memcmp(want, have, want_length) != 0)
                return false;
            continue;
        }
        if (have_length == 0)
            return false;
        match->params[match->count].name = want + 1;
        match->params[match->count].name_length = want_length - 2;
        match->params[match->count].value = have;
        match->params[match->count].value_length = have_length;
        match->count++;
    }
}

bool route_patterns_overlap(const char *a, const char *b)
{
    const char *in_a, *in_b;
    size_t a_length, b_length;
    for (;;) {
        in_a = next_segment(&a, &a_length);
        in_b = next_segment(&b, &b_length);
        if (in_a == NULL || in_b == NULL)
            return in_a == in_b;
        bool same = a_length == b_length && memcmp(in_a, in_b, a_length) == 0;
        if (!same && !is_parameter(in_a, a_length) && !is_parameter(in_b, b_length))
            return false;
    }
}

static void allow_method(char allow[64], const char *method)
{
    if (strstr(allow, method) != NULL)
        return;
    if (allow[0] != '\0')
        strncat(allow, ", ", 64 - strlen(allow) - 1);
    strncat(allow, method, 64 - strlen(allow) - 1);
}

int route_find(const char *method, const char *path, struct route_match *match_r, char allow[64],
               struct error *error)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    struct route_match match;
    allow[0] = '\0';
    for (size_t i = 0; i < routes_count; i++) {
        if (!fits(routes[i].pattern, path, &match))
            continue;
        if (strcmp(routes[i].method, wanted) == 0) {
            match.route = &routes[i];
            *match_r = match;
            allow[0] = '\0';
            return 0;
        }
        allow_method(allow, routes[i].method);
    }
    if (allow[0] != '\0')
        return error_set(error, "method_not_allowed", "%s is not allowed here, but %s", method,
                         allow);
    return error_set(error, "not_found", "there is nothing at %.200s", path);
}

static const char *who(const struct route *route)
{
    if (route->scope == ROUTE_OPEN)
        return "everybody";
    if (route->scope == ROUTE_TOKEN)
        return "any token";
    return names_get(&token_scope_names, route->scope);
}

void routes_print_markdown(FILE *out)
{
    fprintf(out, "| method | path | who may | what |\n|---|---|---|---|\n");
    for (size_t i = 0; i < routes_count; i++)
        fprintf(out, "| %s | `%s` | %s%s | %s |\n", routes[i].method, routes[i].pattern,
                who(&routes[i]), routes[i].installation ? " (not bound to a project)" : "",
                routes[i].text);
}
