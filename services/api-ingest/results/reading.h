/* SPDX-License-Identifier: Apache-2.0 */
/* One reading of an uploaded report: the same bytes give the same results in the same order each time, in memory
 * that does not grow with them. */
#pragma once

#include "message/task_stream.h"
#include "report/identify.h"

struct reading {
    int fd; /* borrowed, read from its start on */
    const struct report_reader_ops *format;
    const struct framework_facts *framework;
    const char *suite;
    /* NULL: it is only counted. The result is borrowed. -1 ends the reading. */
    int (*on_result)(void *context, const struct stream_result *result, struct error *error);
    void *context;
};

struct read_counts {
    int64_t cases, by_status[RESULT_STATUS_COUNT];
};

/* "invalid", with the place, where the report is not whole. */
int reading_run(const struct reading *reading, struct read_counts *counts_r,
                struct error *error) WARN_UNUSED;
