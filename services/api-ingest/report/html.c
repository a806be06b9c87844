/* SPDX-License-Identifier: Apache-2.0 */
/* One self-contained page: failures first, as plain HTML; the list of all results as data that page.js
 * draws piece by piece. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "db/result.h"
#include "model/states.h"
#include "report/assets.h"
#include "report/frame.h"
#include "report/markup.h"
#include "report/report.h"

#define FAILURES_MAX   1000                       /* in full; the list has all */
#define TRACES_BYTES   ((int64_t)6 * 1024 * 1024) /* of all traces together */
#define TRACE_BYTES    ((size_t)24 * 1024)        /* of one */
#define MESSAGE_BYTES  ((size_t)300)              /* in the list */
#define LOGS_MAX       5                          /* tasks whose output is shown */
#define LOG_TAIL_BYTES 8192

static const char *const parts[] = {"passed", "failed", "errored", "skipped", "blocked", "not_run"};

/* ---- head ------------------------------------------------------------------------------------------- */

static void write_head(const struct report *report, FILE *out)
{
    const json_t *run = report->run->json;
    AUTO(text_free)
    char *title = xasprintf("%s: run %lld, %s", json_text_of(run, "state"),
                            (long long)json_find_int(run, "number", 0), json_text_of(run, "title"));
    frame_begin(out, title, report->nonce, "results");
}

static void write_reason(const json_t *run, FILE *out)
{
    const json_t *wait = json_object_get(run, "wait");
    const char *detail = json_text_of(run, "reason_detail");
    const char *reason =
        json_is_object(wait) ? json_text_of(wait, "text") : json_text_of(run, "reason_text");
    fputs("<p id=\"reason\" role=\"status\">", out);
    if (strcmp(reason, json_text_of(run, "state")) != 0) /* "cancelled" need not be said twice */
        markup_text(out, reason);
    if (detail[0] != '\0') {
        fputs(": ", out);
        markup_text(out, detail);
    }
    fputs("</p>", out);
}

static void write_verdict(const struct report *report, FILE *out)
{
    const json_t *run = report->run->json;
    fputs("<header><p class=\"crumb\">", out);
    markup_text(out, json_text_of(json_object_get(run, "project"), "slug"));
    fputs(" / ", out);
    markup_text(out, json_text_of(json_object_get(run, "suite"), "slug"));
    fprintf(out, " / run %lld</p><h1>", (long long)json_find_int(run, "number", 0));
    markup_text(out, json_text_of(run, "title"));
    fputs("</h1><div class=\"verdict\">", out);
    frame_badge(out, json_text_of(run, "state"), "state");
    write_reason(run, out);
    fputs("</div></header>\n<main>", out);
}

static void write_totals(const json_t *run, FILE *out)
{
    const json_t *totals = json_object_get(run, "totals");
    fputs("<div class=\"bar\" id=\"bar\" role=\"img\" aria-label=\"totals\">", out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        fprintf(out, "<span id=\"bar-%s\" class=\"is-%s\"%s></span>", parts[i], parts[i],
                json_find_int(totals, parts[i], 0) > 0 ? "" : " hidden");
    fputs("</div>\n<ul class=\"counts\">", out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int64_t count = json_find_int(totals, parts[i], 0);
        fprintf(out, "<li%s><b class=\"is-%s\" id=\"count-%s\">%lld</b>",
                count == 0 && i > 0 ? " hidden" : "", parts[i], parts[i], (long long)count);
        fputs(strcmp(parts[i], "not_run") == 0 ? "not run" : parts[i], out);
        fputs("</li>", out);
    }
    fputs("</ul>\n", out);
}

/* ---- facts ------------------------------------------------------------------------------------------ */

static void write_fact(FILE *out, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(out, "<div><dt>%s</dt><dd>", name);
    markup_text(out, text);
    fputs("</dd></div>", out);
}

/* "2026-11-24T10:57:54.123Z" for people. */
static void write_time(FILE *out, const char *name, const char *time)
{
    char text[TIME_TEXT_SIZE];
    if (strlen(time) < strlen("2026-11-24T10:57:54"))
        return;
    snprintf(text, sizeof text, "%.10s %.8s UTC", time, time + 11);
    write_fact(out, name, text);
}

static void write_texts(const json_t *run, FILE *out)
{
    static const struct {
        const char *name, *member;
    } facts[] = {
        {"Environment", "environment"}, {"Build", "build_version"}, {"Branch", "branch"},
        {"Commit", "commit"},           {"Pool", "pool"},           {"Template", "template"}};
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        write_fact(out, facts[i].name, json_text_of(run, facts[i].member));
    write_time(out, "Triggered", json_text_of(run, "created_at"));
    write_time(out, "Started", json_text_of(run, "started_at"));
    write_time(out, "Finished", json_text_of(run, "finished_at"));
    write_fact(out, "By", json_text_of(json_object_get(run, "created_by"), "name"));
    write_fact(out, "Cancelled by", json_text_of(json_object_get(run, "actor"), "name"));
}

static void write_objects(const json_t *run, FILE *out)
{
    static const char *const objects[] = {"trigger", "parameters"};
    const char *name;
    json_t *value;
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
        json_object_foreach (json_object_get(run, objects[i]), name, value) {
            AUTO(text_free)
            char *text =
                json_is_string(value) ? xstrdup(json_string_value(value)) : json_text(value);
            fputs("<div><dt>", out);
            markup_text(out, name);
            fputs("</dt><dd>", out);
            markup_text(out, text);
            fputs("</dd></div>", out);
        }
}

static void write_facts(const json_t *run, FILE *out)
{
    fputs("<dl class=\"facts\">", out);
    write_texts(run, out);
    fputs("<div><dt>Time in tests</dt><dd>", out);
    markup_duration(out, json_find_int(json_object_get(run, "totals"), "duration_ms", 0));
    fputs("</dd></div>", out);
    write_objects(run, out);
    fputs("</dl>\n", out);
}

/* ---- failures --------------------------------------------------------------------------------------- */

struct failures {
    FILE *out;
    int64_t shown, left_out, traces_bytes;
    struct uuid tasks[LOGS_MAX];
    int task_count;
};

static const char *where_of(const json_t *result)
{
    const char *class = json_text_of(result, "class");
    return class[0] == '\0' ? json_text_of(result, "file") : class;
}

static void write_trace(struct failures *failures, const json_t *result)
{
    const char *trace = json_text_of(result, "trace"), *message = json_text_of(result, "message");
    if (trace[0] == '\0')
        trace = message;
    if (trace[0] == '\0' || failures->traces_bytes > TRACES_BYTES)
        return;
    failures->traces_bytes += (int64_t)strlen(trace);
    fputs("<pre tabindex=\"0\">", failures->out);
    markup_cut(failures->out, trace, TRACE_BYTES);
    fputs("</pre>", failures->out);
}

static void remember_task(struct failures *failures, const json_t *result)
{
    struct uuid id;
    if (failures->task_count == LOGS_MAX ||
        uuid_parse(json_text_of(result, "task_id"), &id, NULL) < 0)
        return;
    for (int i = 0; i < failures->task_count; i++)
        if (uuid_equal(&failures->tasks[i], &id))
            return;
    failures->tasks[failures->task_count++] = id;
}

static void write_failure(struct failures *failures, const json_t *result)
{
    FILE *out = failures->out;
    const char *status = json_text_of(result, "status"), *message = json_text_of(result, "message");
    AUTO(text_free) char *name = report_case_name(result);
    fprintf(out, "<details class=\"case c-%s\"%s><summary><span class=\"status is-%s\">%s</span>",
            status, failures->shown < 3 ? " open" : "", status, status);
    fputs("<span class=\"name\">", out);
    markup_text(out, name);
    fputs("</span><span class=\"where\">", out);
    markup_text(out, where_of(result));
    fputs("</span><span class=\"time\">", out);
    markup_duration(out, json_find_int(result, "duration_ms", 0));
    fputs("</span>", out);
    if (message[0] != '\0') {
        fputs("<span class=\"message\">", out);
        markup_cut(out, message, MESSAGE_BYTES);
        fputs("</span>", out);
    }
    fputs("</summary>", out);
    write_trace(failures, result);
    fputs("</details>\n", out);
}

static void on_failure(void *context, const json_t *result)
{
    struct failures *failures = context;
    if (failures->shown == FAILURES_MAX) {
        failures->left_out++;
        return;
    }
    write_failure(failures, result);
    remember_task(failures, result);
    failures->shown++;
}

static int write_logs(const struct report *report, struct failures *failures, struct error *error)
{
    FILE *out = failures->out;
    for (int i = 0; i < failures->task_count; i++) {
        AUTO(text_free) char *text = NULL;
        if (log_db_tail(report->store, &report->run->id, &failures->tasks[i], LOG_TAIL_BYTES, &text,
                        error) < 0)
            return -1;
        if (text[0] == '\0')
            continue;
        fputs("<details class=\"case c-log\"><summary><span class=\"name\">End of the output of "
              "task ",
              out);
        fprintf(out, "%s</span></summary><pre tabindex=\"0\">", failures->tasks[i].text);
        markup_text(out, text);
        fputs("</pre></details>\n", out);
    }
    return 0;
}

static int write_failures(const struct report *report, FILE *out, struct error *error)
{
    struct failures failures = {.out = out};
    struct report_counts counts;
    if (report_count(report, &counts, error) < 0)
        return -1;
    if (counts.failed + counts.errored + counts.blocked == 0)
        return 0;
    fputs("<section aria-labelledby=\"failures\"><h2 id=\"failures\">Failures</h2>\n", out);
    if (report_each(report, REPORT_ROWS_FAILURES, on_failure, &failures, error) < 0 ||
        write_logs(report, &failures, error) < 0)
        return -1;
    if (failures.left_out > 0)
        fprintf(out, "<p class=\"hint\">%lld more stand in the list below.</p>",
                (long long)failures.left_out);
    fputs("</section>\n", out);
    return 0;
}

/* ---- the list --------------------------------------------------------------------------------------- */

struct list {
    FILE *out;
    bool has_some;
};

static void on_row(void *context, const json_t *result)
{
    struct list *list = context;
    AUTO(text_free) char *name = report_case_name(result);
    const char *message = json_text_of(result, "message");
    size_t length = utf8_cut(message, strlen(message), MESSAGE_BYTES);
    json_t *row = json_pack(
        "[i, s, s, I, s%]", names_find(&result_status_names, json_text_of(result, "status")), name,
        where_of(result), (json_int_t)json_find_int(result, "duration_ms", 0), message, length);
    fputs(list->has_some ? ",\n" : "\n", list->out);
    markup_script_json(list->out, row);
    json_decref(row);
    list->has_some = true;
}

static void write_tools(FILE *out)
{
    fputs("<section aria-labelledby=\"results\"><h2 id=\"results\">All results</h2>"
          "<noscript><p class=\"hint\">The list is drawn by a script, which this browser does not "
          "run. Ask for format=json or format=junit instead.</p></noscript>"
          "<div class=\"tools\"><input id=\"search\" type=\"search\" placeholder=\"Search names, "
          "files, messages\" aria-label=\"Search in the results\">"
          "<button type=\"button\" data-status=\"-1\" aria-pressed=\"true\">all</button>",
          out);
    for (int i = 0; i < RESULT_STATUS_COUNT; i++)
        fprintf(out,
                "<button type=\"button\" class=\"is-%s\" data-status=\"%d\" aria-pressed=\"false\">"
                "%s</button>",
                names_get(&result_status_names, i), i, names_get(&result_status_names, i));
    fputs("</div><p class=\"hint\" id=\"newer\" hidden><span id=\"newer-count\"></span> have come "
          "since: <button type=\"button\" id=\"reload\">show them</button></p>"
          "<table><caption id=\"found\" aria-live=\"polite\"></caption><thead><tr>"
          "<th scope=\"col\">Status</th><th scope=\"col\">Case</th><th scope=\"col\">Time</th></tr>"
          "</thead><tbody id=\"rows\"></tbody></table>"
          "<button type=\"button\" id=\"more\" hidden>Show more</button></section>\n",
          out);
}

static int write_list(const struct report *report, FILE *out, struct error *error)
{
    struct list list = {.out = out};
    fprintf(out,
            "<script type=\"application/json\" id=\"page-data\" nonce=\"%s\">{\"final\":%s,"
            "\"version\":%lld,",
            report->nonce, report->run->is_final ? "true" : "false",
            (long long)report->run->version);
    fputs("\"totals\":", out);
    markup_script_json(out, json_object_get(report->run->json, "totals"));
    fputs(",\"results\":[", out);
    if (report_each(report, REPORT_ROWS_FAILURES_FIRST, on_row, &list, error) < 0)
        return -1;
    fprintf(out, "]}</script>\n<script nonce=\"%s\">\n", report->nonce);
    fputs(report_js, out);
    fputs("</script>\n</body></html>\n", out);
    return 0;
}

static int write_html(const struct report *report, FILE *out, struct error *error)
{
    const json_t *run = report->run->json;
    write_head(report, out);
    write_verdict(report, out);
    write_totals(run, out);
    write_facts(run, out);
    if (write_failures(report, out, error) < 0)
        return -1;
    write_tools(out);
    fprintf(out, "</main><footer>Verdict, run %s</footer></div>\n", report->run->id.text);
    return write_list(report, out, error);
}

const struct report_format report_html = {.name = "html",
                                          .content_type = "text/html; charset=utf-8",
                                          .extension = "html",
                                          .is_page = true,
                                          .write = write_html};
