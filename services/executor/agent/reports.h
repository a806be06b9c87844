/* SPDX-License-Identifier: Apache-2.0 */
/* From what a framework tells (a named pipe, files, stdout) to cases, whatever the format. */
#pragma once

#include "frameworks/framework.h"
#include "message/task_stream.h"
#include "report/reader.h"
#include "runners/runner.h"

struct reports;

struct reports_handlers {
    void (*on_planned)(void *context, int64_t count);
    void (*on_result)(void *context, const struct stream_result *result); /* borrowed */
    void *context;
};

/* Before the tests begin: report files that are there already are not theirs. */
struct reports *reports_new(const struct report_plan *plan, const char *suite_slug,
                            const char *framework, const char *directory,
                            const struct reports_handlers *handlers);
void reports_free(struct reports **reports);

void reports_feed_stream(struct reports *reports, const char *bytes,
                         size_t length); /* of the named pipe */
void reports_feed_output(struct reports *reports, enum run_output stream, const char *bytes,
                         size_t length);

/* The processes are gone: reads a piece of the files; true when there is no more. */
bool reports_read_files(struct reports *reports);

/* How whole the report was. status: of the command, where that is the one case. */
enum report_state reports_finish(struct reports *reports, bool succeeded, const char *how,
                                 int64_t duration_ms, struct error *why_r);
