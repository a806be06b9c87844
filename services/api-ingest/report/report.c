/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/states.h"

#define PAGE_ROWS 250

static const struct report_format *const formats[] = {&report_html, &report_junit, &report_json,
                                                      &report_markdown, &report_ctrf};

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

const char *report_format_list(void)
{
    return "html, junit, json, markdown, ctrf";
}

static int write_in_snapshot(const struct report_format *format, const struct report *report,
                             FILE *out, struct error *error)
{
    if (store_begin_snapshot(report->store, error) < 0)
        return -1;
    int status = format->write(report, out, error);
    store_rollback(report->store);
    return status;
}

int report_write(const struct report_format *format, const struct report *report, int *fd_r,
                 struct error *error)
{
    FILE *out = tmpfile();
    int fd = -1;
    if (out == NULL)
        return error_set(error, "internal", "a temporary file: %s", strerror(errno));
    int status = write_in_snapshot(format, report, out, error);
    if (status == 0 && (fflush(out) != 0 || ferror(out) || (fd = dup(fileno(out))) < 0))
        status = error_set(error, "internal", "a temporary file: %s", strerror(errno));
    fclose(out);
    if (status == 0)
        *fd_r = fd;
    return status;
}

int report_each(const struct report *report, enum report_rows which, report_on_result *on_result,
                void *context, struct error *error)
{
    AUTO(rows_free) struct rows *keys = NULL;
    if (report_db_keys(report->store, &report->run->id, which, &keys, error) < 0)
        return -1;
    for (int from = 0; from < rows_count(keys); from += PAGE_ROWS) {
        json_t *results;
        int count = rows_count(keys) - from < PAGE_ROWS ? rows_count(keys) - from : PAGE_ROWS;
        if (report_db_page(report->store, &report->run->id, keys, from, count, &results, error) < 0)
            return -1;
        for (size_t i = 0; i < json_array_size(results); i++)
            on_result(context, json_array_get(results, i));
        json_decref(results);
    }
    return 0;
}

int report_count(const struct report *report, struct report_counts *counts_r, struct error *error)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct report_counts counts = {.total = 0};
    int64_t *const places[RESULT_STATUS_COUNT] = {
        [RESULT_PASSED] = &counts.passed,   [RESULT_FAILED] = &counts.failed,
        [RESULT_ERRORED] = &counts.errored, [RESULT_SKIPPED] = &counts.skipped,
        [RESULT_BLOCKED] = &counts.blocked,
    };
    if (report_db_counts(report->store, &report->run->id, &rows, error) < 0)
        return -1;
    for (int row = 0; row < rows_count(rows); row++) {
        int status = names_find(&result_status_names, rows_text(rows, row, 0));
        if (status >= 0)
            *places[status] = rows_int(rows, row, 1);
        counts.total += rows_int(rows, row, 1);
        counts.duration_ms += rows_int(rows, row, 2);
    }
    *counts_r = counts;
    return 0;
}

bool report_needs_verdict(const struct report *report, const struct report_counts *counts)
{
    const char *state = json_find_text(report->run->json, "state");
    return report->run->is_final && strcmp(state, "passed") != 0 &&
           counts->failed + counts->errored + counts->blocked == 0;
}

char *report_case_name(const json_t *result)
{
    const char *parameters = json_text_of(result, "parameters"),
               *variant = json_text_of(result, "variant");
    return xasprintf("%s%s%s%s%s%s%s", json_text_of(result, "name"), parameters[0] ? "[" : "",
                     parameters, parameters[0] ? "]" : "", variant[0] ? " (" : "", variant,
                     variant[0] ? ")" : "");
}
