/* SPDX-License-Identifier: Apache-2.0 */
/* A run and all of its results as one document. Rows are read page by page and written to a file, so a
 * report of any length costs the memory of a page. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "db/report.h"
#include "db/run.h"
#include "store/store.h"

struct ingest;

struct report {
    struct store *store;
    const struct ingest *ingest;
    const struct run_view *run; /* its JSON with links */
    const char *link;           /* that opens its page */
    bool without_results;       /* the run alone */
    char nonce[33];             /* of this answer: what inline code and styles are allowed by */
};

/* Formats are one file each. */
struct report_format {
    const char *name, *content_type, *extension;
    bool is_page; /* a browser runs it: it gets a policy of what it may load */
    int (*write)(const struct report *report, FILE *out, struct error *error);
};
const struct report_format *report_format_find(const char *name); /* NULL when unknown */
const char *report_format_list(void);                             /* "html, junit, …" */

extern const struct report_format report_html, report_junit, report_json, report_markdown,
    report_ctrf;

/* Writes to a nameless file: *fd_r is the caller's. One snapshot: counts and rows agree. */
int report_write(const struct report_format *format, const struct report *report, int *fd_r,
                 struct error *error) WARN_UNUSED;

/* Calls on_result for each deciding result, a member of db/result.h's list each. */
typedef void report_on_result(void *context, const json_t *result);
int report_each(const struct report *report, enum report_rows which, report_on_result *on_result,
                void *context, struct error *error) WARN_UNUSED;

/* "name[parameters] (variant)" of a result. Caller frees. */
char *report_case_name(const json_t *result);

/* Deciding results, counted from the rows themselves. */
struct report_counts {
    int64_t passed, failed, errored, skipped, blocked, total, duration_ms;
};
int report_count(const struct report *report, struct report_counts *counts_r,
                 struct error *error) WARN_UNUSED;
/* A run that is not passed must not look green to who reads the counts alone: formats that have nothing but
 * cases write what ended it as one. */
bool report_needs_verdict(const struct report *report, const struct report_counts *counts);
