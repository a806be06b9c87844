/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: whether this machine, with these settings, can have tests run. Each finding says what is wrong and
 * what to do about it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "auth/token.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/version.h"
#include "http/loopback.h"
#include "output.h"

#define CHECK_TIMEOUT_MS 10000
#define CLOCK_DRIFT_MS   5000

struct doctor {
    struct cli *cli;
    json_t *findings; /* [{"name", "status", "text", "advice"}] */
    json_t *server;   /* what it says of itself; NULL: it was not reached */
    json_t *me;       /* whose token it is; NULL: nobody's */
    bool has_token;
    int64_t began_ms, took_ms; /* the question for `server` */
    int exit_status;
};

enum health { WELL, WARNING, BAD, NOT_LOOKED_AT };
static const char *const health_list[] = {"ok", "warning", "bad", "skipped"};

/* `advice` is NULL where nothing is to be done. */
static void find(struct doctor *doctor, enum health health, const char *advice, const char *format,
                 ...) __attribute__((format(printf, 4, 5)));
static void find(struct doctor *doctor, enum health health, const char *advice, const char *format,
                 ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    text_vformat(text, sizeof text, format, args);
    va_end(args);
    json_array_append_new(doctor->findings,
                          json_pack("{s:s, s:o, s:s?}", "status", health_list[health], "text",
                                    json_lossy(text, strlen(text)), "advice", advice));
    if (health == BAD && doctor->exit_status == EXIT_PASSED)
        doctor->exit_status = EXIT_USAGE;
}

static int ask(struct doctor *doctor, const char *path, json_t **answer_r, struct error *error)
{
    doctor->cli->deadline_ms = monotonic_ms() + CHECK_TIMEOUT_MS;
    return api_call(doctor->cli, "GET", path, NULL, answer_r, error);
}

/* The checks behind it go on with what there is. */
static void check_settings(struct doctor *doctor)
{
    struct cli *cli = doctor->cli;
    if (cli->config_error.code[0] != '\0')
        find(doctor, BAD, "mend that file, or name another one", "%s", cli->config_error.text);
    else
        find(doctor, WELL, NULL, "from %s",
             cli->config == NULL ? "the environment"
                                 : "the configuration file and the environment");
    cli->config_error = (struct error){.code = ""};
    doctor->has_token = cli->options.token != NULL;
    if (!doctor->has_token)
        cli->options.token = ""; /* the server is asked for its version all the same */
}

static void report_unreached(struct doctor *doctor, const struct error *error)
{
    const char *advice =
        "see that VERDICT_URL is right, that the server is up, and that no firewall "
        "or proxy (https_proxy, no_proxy) stands between";
    if (doctor->cli->has_answered)
        advice = "something else answers there: VERDICT_URL is what stands before /v1";
    find(doctor, BAD, advice, "%s", error->text);
    doctor->exit_status = EXIT_UNREACHABLE;
}

static bool is_open_to_others(const char *url)
{
    return text_starts(url, "http://") && !url_is_loopback(url);
}

static void check_server(struct doctor *doctor)
{
    const char *url = doctor->cli->options.url;
    struct error error;
    if (url == NULL) {
        find(doctor, BAD, "set VERDICT_URL, give --url, or write url: into the configuration file",
             "the server is not known");
        return;
    }
    doctor->began_ms = wall_ms();
    int64_t began_ms = monotonic_ms();
    if (ask(doctor, "/v1/version", &doctor->server, &error) < 0) {
        report_unreached(doctor, &error);
        return;
    }
    doctor->took_ms = monotonic_ms() - began_ms;
    if (strcmp(json_text_of(doctor->server, "name"), "verdict") != 0) {
        json_decref(TAKE(doctor->server));
        error_set(&error, "unreachable", "%s answers, but not as Verdict does", url);
        report_unreached(doctor, &error);
    } else if (is_open_to_others(url)) {
        find(doctor, WARNING, "use https://", "%s answers; the token goes there unencrypted", url);
    } else {
        find(doctor, WELL, NULL, "%s answers within %" PRId64 " ms", url, doctor->took_ms);
    }
}

/* The answer's Date is of some moment between question and answer, and has no fraction of a second. */
static void check_clock(struct doctor *doctor)
{
    char span[SPAN_TEXT_SIZE];
    if (doctor->cli->last_date_s < 0) {
        find(doctor, NOT_LOOKED_AT, NULL, "the server does not say what time it is");
        return;
    }
    int64_t there_ms = doctor->cli->last_date_s * 1000 + 500;
    int64_t drift_ms = doctor->began_ms + doctor->took_ms / 2 - there_ms;
    if (llabs((long long)drift_ms) <= CLOCK_DRIFT_MS + doctor->took_ms)
        find(doctor, WELL, NULL, "as the server's, within seconds");
    else
        find(doctor, BAD, "let both machines follow a time server (timedatectl, chronyc tracking)",
             "this clock is %s %s the server's", span_format(llabs((long long)drift_ms), span),
             drift_ms > 0 ? "ahead of" : "behind");
}

/* Up to and without the dot of that number. */
static bool is_same_to_dot(const char *one, const char *other, int dots)
{
    for (; *one == *other; one++, other++)
        if (*one == '\0' || (*one == '.' && --dots == 0))
            return true;
    return false;
}

static void check_versions(struct doctor *doctor)
{
    const char *there = json_text_of(doctor->server, "version");
    const char *advice = "install the verdict that belongs to the server";
    if (is_same_to_dot(verdict_version, there, 2))
        find(doctor, WELL, NULL, "%s (%s) here, %s (%s) there", verdict_version, verdict_commit,
             there, json_text_of(doctor->server, "commit"));
    else
        find(doctor, is_same_to_dot(verdict_version, there, 1) ? WARNING : BAD, advice,
             "this client is %s, the server %s", verdict_version, there);
}

static void check_token(struct doctor *doctor)
{
    struct error error;
    if (!doctor->has_token) {
        find(
            doctor, BAD,
            "set VERDICT_TOKEN or VERDICT_TOKEN_FILE; who administers the server makes one: verdict "
            "token create",
            "the token is not known");
    } else if (ask(doctor, "/v1/me", &doctor->me, &error) == 0) {
        find(doctor, WELL, NULL, "\"%s\" (from %s), for %s", json_text_of(doctor->me, "name"),
             doctor->cli->token_from,
             json_find_text(doctor->me, "project_id") == NULL ? "all projects" : "one project");
    } else if (error_is(&error, "unreachable") || error_is(&error, "wait_over")) {
        find(doctor, BAD, "the server cannot answer now: try again, then ask who administers it",
             "%s", error.text);
        doctor->exit_status = EXIT_UNREACHABLE;
    } else {
        find(doctor, BAD,
             token_is_well_formed(doctor->cli->options.token)
                 ? "it was revoked, is over, or belongs to another server: verdict token create, "
                   "with a token of an administrator"
                 : "it was not copied as a whole: take it again from where it is kept",
             "what %s holds is refused: %s", doctor->cli->token_from, error.text);
    }
}

static bool may(const struct doctor *doctor, enum token_scope scope)
{
    const json_t *entry;
    size_t index;
    json_array_foreach ((json_t *)(uintptr_t)json_object_get(doctor->me, "scopes"), index, entry)
        if (strcmp(json_string_value(entry), names_get(&token_scope_names, (int)scope)) == 0)
            return true;
    return false;
}

static void check_scopes(struct doctor *doctor)
{
    AUTO(text_free) char *scopes = member_text(doctor->me, "scopes");
    if (may(doctor, SCOPE_RUN_WRITE) && may(doctor, SCOPE_RUN_READ))
        find(doctor, WELL, NULL, "%s", scopes);
    else
        find(doctor, BAD,
             "verdict token create --scopes runs:write,runs:read, with a token of an administrator",
             "%s: verdict run needs runs:write and runs:read", scopes);
}

static void check_project(struct doctor *doctor)
{
    const char *project = doctor->cli->options.project;
    struct error error;
    if (project == NULL) {
        find(doctor, WELL, NULL,
             "none is named: verdict run takes verdict.yaml's, the token's or the folder's");
        return;
    }
    if (!may(doctor, SCOPE_RUN_READ)) {
        find(doctor, NOT_LOOKED_AT, NULL, "the token may not read runs");
        return;
    }
    AUTO(text_free) char *escaped = api_escape(project);
    AUTO(text_free) char *path = xasprintf("/v1/runs?limit=1&project=%s", escaped);
    if (ask(doctor, path, NULL, &error) == 0)
        find(doctor, WELL, NULL, "%s", project);
    else
        find(doctor, BAD,
             "verdict apply makes it, with a token that may; or name another one by --project or "
             "VERDICT_PROJECT",
             "%s", error.text);
}

static void check_workers(struct doctor *doctor)
{
    AUTO(json_free) json_t *items = NULL;
    const json_t *worker;
    size_t index, online = 0;
    struct error error;
    if (!may(doctor, SCOPE_WORKER_READ)) {
        find(doctor, NOT_LOOKED_AT, NULL, "the token may not see them (workers:read)");
        return;
    }
    doctor->cli->deadline_ms = monotonic_ms() + CHECK_TIMEOUT_MS;
    if (api_list(doctor->cli, "/v1/workers", 0, &items, &error) < 0) {
        find(doctor, BAD, "try again", "%s", error.text);
        return;
    }
    json_array_foreach (items, index, worker)
        online += strcmp(json_text_of(worker, "state"), "online") == 0;
    if (online > 0)
        find(doctor, WELL, NULL, "%zu of %zu are online", online, json_array_size(items));
    else
        find(doctor, WARNING, "start verdict-executor somewhere; verdict why RUN tells more",
             "none of %zu is online: runs wait", json_array_size(items));
}

enum need { NOTHING, THE_SERVER, THE_TOKEN };
static const struct {
    const char *name;
    enum need need;
    void (*check)(struct doctor *doctor);
} checks[] = {
    {"settings", NOTHING, check_settings}, {"server", NOTHING, check_server},
    {"clock", THE_SERVER, check_clock},    {"versions", THE_SERVER, check_versions},
    {"token", THE_SERVER, check_token},    {"scopes", THE_TOKEN, check_scopes},
    {"project", THE_TOKEN, check_project}, {"workers", THE_TOKEN, check_workers},
};

static void print_finding(const char *name, const json_t *finding)
{
    static const char *const colours[] = {"passed", "skipped", "failed", "dim"};
    AUTO(text_free) char *status = member_text(finding, "status");
    AUTO(text_free) char *text = member_text(finding, "text");
    AUTO(text_free) char *advice = member_text(finding, "advice");
    const char *colour = "";
    for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
        if (strcmp(status, health_list[i]) == 0)
            colour = colour_begin(stdout, colours[i]);
    printf("%s%-8s%s %-9s %s\n", colour, status, colour_end(stdout), name, text);
    if (advice[0] != '\0')
        printf("  %s\n", advice);
}

static void examine(struct doctor *doctor, size_t i)
{
    if ((checks[i].need == THE_SERVER && doctor->server == NULL) ||
        (checks[i].need == THE_TOKEN && doctor->me == NULL))
        find(doctor, NOT_LOOKED_AT, NULL, "%s is needed for that",
             checks[i].need == THE_SERVER ? "the server" : "a known token");
    else
        checks[i].check(doctor);
    json_t *finding = json_array_get(doctor->findings, i);
    json_object_set_new(finding, "name", json_string(checks[i].name));
    if (!doctor->cli->options.json)
        print_finding(checks[i].name, finding);
}

int cmd_doctor(struct cli *cli, struct error *error)
{
    AUTO(json_free) json_t *findings = json_array(), *answer = NULL;
    struct doctor doctor = {.cli = cli, .findings = findings, .exit_status = EXIT_PASSED};
    (void)error;
    cli->is_impatient = true;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
        examine(&doctor, i);
    answer =
        json_pack("{s:b, s:O}", "healthy", doctor.exit_status == EXIT_PASSED, "checks", findings);
    if (cli->options.json)
        print_json(answer);
    json_decref(doctor.server);
    json_decref(doctor.me);
    return doctor.exit_status;
}
