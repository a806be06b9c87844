/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of test reports: bytes are pushed in as they arrive, cases come out as soon as they are whole,
 * in constant memory. One file per format, all listed in `report_readers`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/states.h"

/* One case as the report tells it. Valid UTF-8, cut at the model's limits; NULL where the report is
 * silent. Valid during the call. */
struct reported_case {
    const char *suite; /* the innermost enclosing group, where there is one */
    const char *file;
    const char *class;
    const char *name;
    const char *parameters; /* where the report has them beside the name */
    enum result_status status;
    int64_t duration_ms;
    int64_t started_at; /* unix ms; 0 when unknown */
    const char *message;
    const char *trace;
};

struct report_handlers {
    void (*on_planned)(void *context, int64_t count); /* told before the cases, at most once */
    void (*on_case)(void *context, const struct reported_case *reported);
    void *context;
    /* No exit status stands beside the report. Failures that it counts though it tells of no bad case are then an
     * errored case of its own, "(suite)" or "(run)"; else counts are not looked at. */
    bool is_alone;
};

/* What the report was, once its bytes are over. */
enum report_wholeness {
    REPORT_WHOLE,
    REPORT_CUT,   /* its whole cases have been given all the same */
    REPORT_EMPTY, /* not a single byte of a report */
};

struct report_reader;

struct report_reader_ops {
    const char *name;
    struct report_reader *(*open)(const struct report_handlers *handlers);
    /* Bytes that are no report make the rest be ignored, and finish say REPORT_CUT. */
    void (*feed)(struct report_reader *reader, const char *bytes, size_t length);
    /* Another file of the same report begins; NULL where each file is a report by itself. */
    void (*next)(struct report_reader *reader);
    /* why_r (may be NULL): what is wrong with it, when it is not whole. */
    enum report_wholeness (*finish)(struct report_reader *reader, struct error *why_r);
    void (*free)(struct report_reader **reader);
};

extern const struct report_reader_ops junit_reader, tap_reader, cmocka_reader, ctrf_reader,
    go_json_reader, libtest_reader, surefire_reader, trx_reader, allure_reader, null_reader;
extern const struct report_reader_ops *const report_readers[];
const struct report_reader_ops *report_reader_find(const char *name); /* NULL when there is none */
