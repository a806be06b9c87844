/* SPDX-License-Identifier: Apache-2.0 */
/* CTRF (ctrf.io). It knows neither errored nor blocked: both are failed there, rawStatus tells. */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/version.h"
#include "report/report.h"

struct writing {
    FILE *out;
    bool has_some;
};

static void write_json(FILE *out, json_t *json)
{
    AUTO(text_free) char *text = json_text(json);
    fputs(text, out);
    json_decref(json);
}

/* "2026-11-24T10:57:54.123Z" → milliseconds; 0 when it is not said. */
static int64_t read_time(const json_t *run, const char *name)
{
    const char *text = json_find_text(run, name);
    struct tm tm = {.tm_isdst = 0};
    const char *rest = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int ms = 0;
    if (rest == NULL)
        return 0;
    (void)sscanf(rest, ".%3d", &ms);
    return (int64_t)timegm(&tm) * 1000 + ms;
}

static void set_text(json_t *object, const char *member, const json_t *from, const char *name)
{
    const char *text = json_find_text(from, name);
    if (text != NULL && text[0] != '\0')
        json_object_set_new(object, member, json_string(text));
}

static void add_test(struct writing *writing, json_t *test)
{
    fputs(writing->has_some ? ",\n" : "\n", writing->out);
    write_json(writing->out, test);
    writing->has_some = true;
}

static void on_result(void *context, const json_t *result)
{
    AUTO(text_free) char *name = report_case_name(result);
    const char *status = json_find_text(result, "status");
    bool is_known = strcmp(status, "passed") == 0 || strcmp(status, "skipped") == 0;
    json_t *test = json_pack("{s:s, s:s, s:s, s:I}", "name", name, "status",
                             is_known ? status : "failed", "rawStatus", status, "duration",
                             (json_int_t)json_find_int(result, "duration_ms", 0));
    int64_t tries = json_find_int(result, "try", 1);
    set_text(test, "suite", result, "class");
    set_text(test, "filePath", result, "file");
    set_text(test, "message", result, "message");
    set_text(test, "trace", result, "trace");
    if (tries > 1)
        json_object_set_new(test, "retries", json_integer(tries - 1));
    add_test(context, test);
}

/* A run that is not passed must not look green to who reads the counts alone: what ended it is a test. */
static void add_verdict(struct writing *writing, const json_t *run)
{
    json_t *test =
        json_pack("{s:s, s:s, s:I}", "name", "run", "status", "failed", "duration", (json_int_t)0);
    json_object_set_new(test, "suite", json_string("verdict"));
    set_text(test, "rawStatus", run, "reason");
    set_text(test, "message", run, "reason_text");
    set_text(test, "trace", run, "reason_detail");
    add_test(writing, test);
}

static json_t *environment_of(const json_t *run)
{
    json_t *environment = json_object();
    set_text(environment, "testEnvironment", run, "environment");
    set_text(environment, "buildName", run, "title");
    set_text(environment, "buildNumber", run, "build_version");
    set_text(environment, "branchName", run, "branch");
    set_text(environment, "commit", run, "commit");
    return environment;
}

static json_t *summary_of(const struct report *report, const struct report_counts *counts)
{
    const json_t *run = report->run->json;
    int64_t start_ms = read_time(run, "started_at"), stop_ms = read_time(run, "finished_at");
    if (start_ms == 0)
        start_ms = read_time(run, "created_at");
    int64_t failed = counts->failed + counts->errored + counts->blocked;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "tests", (json_int_t)counts->total,
                     "passed", (json_int_t)counts->passed, "failed", (json_int_t)failed, "pending",
                     (json_int_t)0, "skipped", (json_int_t)counts->skipped, "other", (json_int_t)0,
                     "start", (json_int_t)start_ms, "stop",
                     (json_int_t)(stop_ms == 0 ? start_ms : stop_ms));
}

static int write_ctrf(const struct report *report, FILE *out, struct error *error)
{
    struct writing writing = {.out = out};
    struct report_counts counts;
    if (report_count(report, &counts, error) < 0)
        return -1;
    bool has_verdict = report_needs_verdict(report, &counts);
    if (has_verdict) {
        counts.errored++;
        counts.total++;
    }
    fprintf(out, "{\"reportFormat\":\"CTRF\",\"specVersion\":\"0.0.0\",\"results\":{\"tool\":");
    write_json(out, json_pack("{s:s, s:s}", "name", "verdict", "version", verdict_version));
    fputs(",\"summary\":", out);
    write_json(out, summary_of(report, &counts));
    fputs(",\"environment\":", out);
    write_json(out, environment_of(report->run->json));
    fputs(",\"tests\":[", out);
    if (has_verdict)
        add_verdict(&writing, report->run->json);
    if (report_each(report, REPORT_ROWS_BY_NAME, on_result, &writing, error) < 0)
        return -1;
    fputs("]}}\n", out);
    return 0;
}

const struct report_format report_ctrf = {.name = "ctrf",
                                          .content_type = "application/json",
                                          .extension = "ctrf.json",
                                          .write = write_ctrf};
