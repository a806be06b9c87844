/* SPDX-License-Identifier: Apache-2.0 */
/* Markdown for a build's summary page, failures first. Such pages take a mebibyte: what does not fit is
 * counted. Names and traces stand in HTML blocks, so that nothing in them is read as markup. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/limits.h"
#include "report/markup.h"
#include "report/report.h"

#define TAIL_BYTES    2048 /* kept free for what stands behind the failures */
#define LINE_BYTES    ((size_t)300)
#define MESSAGE_BYTES ((size_t)500)
#define TRACE_BYTES   ((size_t)8 * 1024)

struct writing {
    FILE *out;
    int64_t bytes, shown, left_out;
};

/* A line break would end the HTML block that it stands in. */
static void write_line(FILE *out, const char *text, size_t max)
{
    AUTO(text_free) char *line = xstrdup(text);
    for (char *c = line; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    markup_cut(out, line, max);
}

static void write_heading(const struct report *report, FILE *out)
{
    const json_t *run = report->run->json, *wait = json_object_get(run, "wait");
    const char *reason =
        json_is_object(wait) ? json_text_of(wait, "text") : json_text_of(run, "reason_text");
    fprintf(out, "<h2>%s: ", json_text_of(run, "state"));
    write_line(out, json_text_of(run, "title"), LINE_BYTES);
    fprintf(out, " (run %lld)</h2>\n", (long long)json_find_int(run, "number", 0));
    if (reason[0] != '\0') {
        fputs("<p>", out);
        write_line(out, reason, LINE_BYTES);
        if (json_text_of(run, "reason_detail")[0] != '\0') {
            fputs(": ", out);
            write_line(out, json_text_of(run, "reason_detail"), MESSAGE_BYTES);
        }
        fputs("</p>\n", out);
    }
    fputc('\n', out);
}

static void write_totals(const json_t *run, FILE *out)
{
    static const char *const parts[] = {"passed",  "failed",  "errored",
                                        "skipped", "blocked", "not_run"};
    const json_t *totals = json_object_get(run, "totals");
    fputs("| passed | failed | errored | skipped | blocked | not run |\n"
          "|---:|---:|---:|---:|---:|---:|\n|",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        fprintf(out, " %lld |", (long long)json_find_int(totals, parts[i], 0));
    fputs("\n\n", out);
}

/* A blank line ends a block that begins with <details>; one that begins with <pre> ends only at </pre>. */
static void write_failure(FILE *out, const json_t *result)
{
    AUTO(text_free) char *name = report_case_name(result);
    const char *message = json_text_of(result, "message"), *trace = json_text_of(result, "trace");
    const char *where = json_text_of(result, "class");
    fprintf(out, "<details><summary><b>%s</b> <code>", json_text_of(result, "status"));
    write_line(out, name, LINE_BYTES);
    fputs("</code> ", out);
    write_line(out, where[0] == '\0' ? json_text_of(result, "file") : where, LINE_BYTES);
    fputs(" (", out);
    markup_duration(out, json_find_int(result, "duration_ms", 0));
    fputs(")</summary>\n\n", out);
    if (message[0] != '\0' || trace[0] != '\0') {
        fputs("<pre>", out);
        markup_cut(out, message, MESSAGE_BYTES);
        if (trace[0] != '\0' && message[0] != '\0')
            fputs("\n\n", out);
        markup_cut(out, trace, TRACE_BYTES);
        fputs("</pre>\n\n", out);
    }
    fputs("</details>\n\n", out);
}

static void on_failure(void *context, const json_t *result)
{
    struct writing *writing = context;
    AUTO(text_free) char *text = NULL;
    size_t length = 0;
    FILE *out = writing->left_out > 0 ? NULL : open_memstream(&text, &length);
    if (out != NULL) {
        write_failure(out, result);
        fclose(out);
    }
    if (out == NULL || writing->bytes + (int64_t)length > LIMIT_MARKDOWN_BYTES - TAIL_BYTES) {
        writing->left_out++;
        return;
    }
    if (writing->shown++ == 0)
        fputs("### Failures\n\n", writing->out);
    fwrite(text, 1, length, writing->out);
    writing->bytes += (int64_t)length;
}

static int write_markdown(const struct report *report, FILE *out, struct error *error)
{
    const json_t *run = report->run->json;
    write_heading(report, out);
    write_totals(run, out);
    struct writing writing = {.out = out, .bytes = ftell(out)};
    if (report_each(report, REPORT_ROWS_FAILURES, on_failure, &writing, error) < 0)
        return -1;
    if (writing.left_out > 0)
        fprintf(out, "%lld more failed and are not shown here.\n\n", (long long)writing.left_out);
    fprintf(out, "[All results](<%s>)\n", report->link);
    return 0;
}

const struct report_format report_markdown = {.name = "markdown",
                                              .content_type = "text/markdown; charset=utf-8",
                                              .extension = "md",
                                              .write = write_markdown};
