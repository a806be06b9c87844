/* SPDX-License-Identifier: Apache-2.0 */
/* Items of one dispatch's numbered stream: first_seq, first_seq + 1 … The last item of a stream is
 * `finished`. Carries a MAC. An item is {kind, body}; the body is a struct stream_<kind>. */
#pragma once

#include "message/message.h"
#include "model/limits.h"
#include "model/states.h"

enum item_kind { ITEM_RESULT, ITEM_LOG, ITEM_PLANNED, ITEM_FINISHED };
enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_VERDICT };

/* How a dispatch ended, as the worker saw it. */
enum ending_kind {
    ENDED_EXITED,
    ENDED_SIGNALLED,
    ENDED_TIMED_OUT,
    ENDED_CANCELLED,
    ENDED_SOURCE_FAILED,
    ENDED_EXEC_FAILED,
    ENDED_LIMIT_EXCEEDED,
    ENDED_HANDED_BACK, /* a draining worker gives it back: not a loss */
};

enum report_state {
    REPORT_IS_COMPLETE,
    REPORT_IS_TRUNCATED,
    REPORT_IS_MISSING,
    REPORT_NOT_EXPECTED
};

extern const struct names item_kind_names, log_stream_names, ending_kind_names, report_state_names;

/* What happened to one case. */
struct stream_result {
    char *key; /* hex of case_key */
    char *file;
    char *class;
    char *name;
    char *parameters;
    int64_t try;
    int status; /* enum result_status */
    int64_t duration_ms;
    char *message;
    char *trace;
    int64_t started_at; /* unix ms; 0 when unknown */
};
extern const struct fields stream_result_fields;

/* A piece of output. */
struct stream_log {
    int stream; /* enum log_stream */
    char *text;
    int64_t at; /* unix ms */
};
extern const struct fields stream_log_fields;

/* How many cases the framework has found. */
struct stream_planned {
    int64_t count;
};
extern const struct fields stream_planned_fields;

/* The end of the stream. */
struct stream_finished {
    int ending;          /* enum ending_kind */
    int64_t exit_status; /* -1 when none */
    int64_t signal;
    char *detail;
    int report; /* enum report_state */
    int64_t passed;
    int64_t failed;
    int64_t errored;
    int64_t skipped;
    int64_t blocked;
    int64_t log_bytes;
    bool log_truncated;
    int64_t started_at;  /* unix ms of the first exec */
    int64_t finished_at; /* unix ms */
};
extern const struct fields stream_finished_fields;

#define STREAM_ITEMS_MAX 10000 /* of one message */
struct stream_item {
    int kind; /* enum item_kind */
    json_t *body;
};
extern const struct fields stream_item_fields;

struct task_stream {
    struct uuid worker_id;
    struct uuid run_id;
    struct uuid task_id;
    int64_t attempt;
    struct uuid dispatch_id;
    char *variant;
    int64_t first_seq;
    struct records items; /* of struct stream_item */
};

extern const struct message_type task_stream_message;

/* The same message for who reads the items from its JSON by himself: they are many, and copying each one
 * costs as much as parsing it. */
extern const struct message_type task_stream_head_message;
