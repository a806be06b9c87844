/* SPDX-License-Identifier: Apache-2.0 */
/* {"run": …, "results": […]}: the answers of the API, in one document. */
#include "base/json.h"
#include "base/memory.h"
#include "report/report.h"

struct writing {
    FILE *out;
    bool has_some;
};

static void on_result(void *context, const json_t *result)
{
    struct writing *writing = context;
    AUTO(text_free) char *text = json_text(result);
    fputs(writing->has_some ? ",\n" : "\n", writing->out);
    fputs(text, writing->out);
    writing->has_some = true;
}

static int write_json(const struct report *report, FILE *out, struct error *error)
{
    AUTO(text_free) char *run = json_text(report->run->json);
    struct writing writing = {.out = out};
    fprintf(out, "{\"run\":%s", run);
    if (!report->without_results) {
        fputs(",\"results\":[", out);
        if (report_each(report, REPORT_ROWS_FAILURES_FIRST, on_result, &writing, error) < 0)
            return -1;
        fputs("]", out);
    }
    fputs("}\n", out);
    return 0;
}

const struct report_format report_json = {
    .name = "json", .content_type = "application/json", .extension = "json", .write = write_json};
