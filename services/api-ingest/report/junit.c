/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit XML, as most readers take it: one suite, a case each; a blocked case is an error of type blocked. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "report/markup.h"
#include "report/report.h"

static const char *classname(const json_t *result)
{
    const char *class = json_find_text(result, "class"), *file = json_find_text(result, "file");
    return class != NULL && class[0] != '\0' ? class : file;
}

static void write_problem(FILE *out, const char *element, const char *type, const json_t *result)
{
    fprintf(out, "\n      <%s", element);
    markup_attribute(out, "message", json_find_text(result, "message"));
    markup_attribute(out, "type", type);
    fputc('>', out);
    markup_text(out, json_find_text(result, "trace"));
    fprintf(out, "</%s>\n    ", element);
}

static void on_result(void *context, const json_t *result)
{
    FILE *out = context;
    const char *status = json_find_text(result, "status"), *file = json_find_text(result, "file");
    AUTO(text_free) char *name = report_case_name(result);
    fputs("    <testcase", out);
    markup_attribute(out, "classname", classname(result));
    markup_attribute(out, "name", name);
    if (file != NULL && file[0] != '\0')
        markup_attribute(out, "file", file);
    fputs(" time=\"", out);
    markup_seconds(out, json_find_int(result, "duration_ms", 0));
    fputs("\">", out);
    if (strcmp(status, "failed") == 0)
        write_problem(out, "failure", "failed", result);
    else if (strcmp(status, "errored") == 0 || strcmp(status, "blocked") == 0)
        write_problem(out, "error", status, result);
    else if (strcmp(status, "skipped") == 0) {
        fputs("<skipped", out);
        markup_attribute(out, "message", json_find_text(result, "message"));
        fputs("/>", out);
    }
    fputs("</testcase>\n", out);
}

static void write_counts(FILE *out, const struct report_counts *counts)
{
    fprintf(out, " tests=\"%lld\" failures=\"%lld\" errors=\"%lld\" skipped=\"%lld\" time=\"",
            (long long)counts->total, (long long)counts->failed,
            (long long)(counts->errored + counts->blocked), (long long)counts->skipped);
    markup_seconds(out, counts->duration_ms);
    fputc('"', out);
}

static void write_properties(FILE *out, const json_t *run)
{
    static const char *const names[] = {"id",     "state",       "reason",        "branch",
                                        "commit", "environment", "build_version", "pool"};
    fputs("    <properties>\n", out);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = json_find_text(run, names[i]);
        if (value == NULL || value[0] == '\0')
            continue;
        fprintf(out, "      <property name=\"verdict.%s\"", names[i]);
        markup_attribute(out, "value", value);
        fputs("/>\n", out);
    }
    fputs("    </properties>\n", out);
}

static void write_verdict_case(FILE *out, const json_t *run)
{
    fputs("    <testcase classname=\"verdict\" name=\"run\" time=\"0\">\n      <error", out);
    markup_attribute(out, "message", json_find_text(run, "reason_text"));
    markup_attribute(out, "type", json_find_text(run, "reason"));
    fputc('>', out);
    markup_text(out, json_find_text(run, "reason_detail"));
    fputs("</error>\n    </testcase>\n", out);
}

static int write_junit(const struct report *report, FILE *out, struct error *error)
{
    const json_t *run = report->run->json;
    struct report_counts counts;
    if (report_count(report, &counts, error) < 0)
        return -1;
    bool has_verdict_case = report_needs_verdict(report, &counts);
    if (has_verdict_case) {
        counts.errored++;
        counts.total++;
    }
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
    markup_attribute(out, "name", json_find_text(run, "title"));
    write_counts(out, &counts);
    fputs(">\n  <testsuite", out);
    markup_attribute(out, "name", json_find_text(json_object_get(run, "suite"), "slug"));
    write_counts(out, &counts);
    markup_attribute(out, "timestamp", json_find_text(run, "created_at"));
    fputs(">\n", out);
    write_properties(out, run);
    if (has_verdict_case)
        write_verdict_case(out, run);
    if (report_each(report, REPORT_ROWS_BY_NAME, on_result, out, error) < 0)
        return -1;
    fputs("  </testsuite>\n</testsuites>\n", out);
    return 0;
}

const struct report_format report_junit = {.name = "junit",
                                           .content_type = "application/xml; charset=utf-8",
                                           .extension = "xml",
                                           .write = write_junit};
