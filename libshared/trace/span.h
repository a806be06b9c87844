/* SPDX-License-Identifier: Apache-2.0 */
/* A span: one piece of work in a trace, as OpenTelemetry has it. A value: copied, and nothing in it is owned. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/traceparent.h"

#define SPAN_ATTRIBUTES_MAX 8
#define SPAN_TEXT_SIZE      80 /* longer ones are cut between two characters */

/* Words of span_id_of, for those spans that other processes have as their parents. A run's trace:
 *   (caller) ─ trigger ─ run ┬ plan
 *                            ├ dispatch ┬ attempt ─ (its tests)
 *                            │          └ record
 *                            └ deliver ─ (its receiver) */
#define SPAN_OF_TRIGGER  "trigger"  /* by the run's id */
#define SPAN_OF_RUN      "run"      /* by the run's id */
#define SPAN_OF_DISPATCH "dispatch" /* by the dispatch's id */
#define SPAN_OF_ATTEMPT  "attempt"  /* by the dispatch's id */

/* Numbers of the protocol. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3, SPAN_CONSUMER = 5 };

struct span_attribute {
    const char *name; /* a literal */
    bool is_number;
    int64_t number;
    char text[SPAN_TEXT_SIZE];
};

struct span {
    const char *name; /* a literal */
    enum span_kind kind;
    char trace_id[TRACE_ID_SIZE], id[SPAN_ID_SIZE];
    char parent_id[SPAN_ID_SIZE]; /* "": none */
    int64_t start_us, end_us;     /* monotonic; an end before the start is the start */
    bool failed;
    char message[SPAN_TEXT_SIZE]; /* why it failed */
    struct span_attribute attributes[SPAN_ATTRIBUTES_MAX];
    size_t attribute_count;
};

/* A span of that trace, with a random id and without a parent, that starts now. */
struct span span_new(const char *name, enum span_kind kind, const char *traceparent);
void span_fail(struct span *span, const char *why);
/* One attribute more. NULL is left out. */
void span_text(struct span *span, const char *name, const char *text);
void span_number(struct span *span, const char *name, int64_t number);
