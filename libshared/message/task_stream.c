/* SPDX-License-Identifier: Apache-2.0 */
/* Field table of task.stream. */
#include "message/task_stream.h"

#include "base/memory.h"

static const char *const item_kind_list[] = {"result", "log", "planned", "finished"};
const struct names item_kind_names = NAMES("kind of item", item_kind_list);
static const char *const log_stream_list[] = {"stdout", "stderr", "verdict"};
const struct names log_stream_names = NAMES("log stream", log_stream_list);
static const char *const ending_kind_list[] = {"exited",         "signalled",     "timed_out",
                                               "cancelled",      "source_failed", "exec_failed",
                                               "limit_exceeded", "handed_back"};
const struct names ending_kind_names = NAMES("ending", ending_kind_list);
static const char *const report_state_list[] = {"complete", "truncated", "missing",
                                                "none_expected"};
const struct names report_state_names = NAMES("state of a report", report_state_list);

static const struct field stream_result_list[] = {
    {.name = "key", .type = FIELD_TEXT, .offset = offsetof(struct stream_result, key), .max = 32},
    {.name = "file",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_result, file),
     .optional = true,
     .max = LIMIT_CASE_NAME_BYTES},
    {.name = "class",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_result, class),
     .optional = true,
     .max = LIMIT_CASE_NAME_BYTES},
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_result, name),
     .max = LIMIT_CASE_NAME_BYTES},
    {.name = "parameters",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_result, parameters),
     .optional = true,
     .max = LIMIT_CASE_NAME_BYTES},
    {.name = "try",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_result, try),
     .optional = true,
     .min = 1,
     .max = 1000,
     .fallback = 1},
    {.name = "status",
     .type = FIELD_ENUM,
     .offset = offsetof(struct stream_result, status),
     .names = &result_status_names},
    {.name = "duration_ms",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_result, duration_ms),
     .optional = true,
     .min = 0,
     .max = INT64_MAX},
    {.name = "message",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_result, message),
     .optional = true,
     .max = LIMIT_RESULT_MESSAGE_BYTES},
    {.name = "trace",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_result, trace),
     .optional = true,
     .max = LIMIT_RESULT_TRACE_BYTES},
    {.name = "started_at",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_result, started_at),
     .optional = true},
};
const struct fields stream_result_fields = FIELDS(struct stream_result, stream_result_list);

static const struct field stream_log_list[] = {
    {.name = "stream",
     .type = FIELD_ENUM,
     .offset = offsetof(struct stream_log, stream),
     .names = &log_stream_names},
    {.name = "text", .type = FIELD_TEXT, .offset = offsetof(struct stream_log, text)},
    {.name = "at", .type = FIELD_INT, .offset = offsetof(struct stream_log, at)},
};
const struct fields stream_log_fields = FIELDS(struct stream_log, stream_log_list);

static const struct field stream_planned_list[] = {
    {.name = "count",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_planned, count),
     .min = 0,
     .max = LIMIT_CASES_PER_RUN},
};
const struct fields stream_planned_fields = FIELDS(struct stream_planned, stream_planned_list);

static const struct field stream_finished_list[] = {
    {.name = "ending",
     .type = FIELD_ENUM,
     .offset = offsetof(struct stream_finished, ending),
     .names = &ending_kind_names},
    {.name = "exit_status",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, exit_status),
     .optional = true},
    {.name = "signal",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, signal),
     .optional = true},
    {.name = "detail",
     .type = FIELD_TEXT,
     .offset = offsetof(struct stream_finished, detail),
     .optional = true},
    {.name = "report",
     .type = FIELD_ENUM,
     .offset = offsetof(struct stream_finished, report),
     .names = &report_state_names},
    {.name = "passed",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, passed),
     .optional = true},
    {.name = "failed",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, failed),
     .optional = true},
    {.name = "errored",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, errored),
     .optional = true},
    {.name = "skipped",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, skipped),
     .optional = true},
    {.name = "blocked",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, blocked),
     .optional = true},
    {.name = "log_bytes",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, log_bytes),
     .optional = true},
    {.name = "log_truncated",
     .type = FIELD_BOOL,
     .offset = offsetof(struct stream_finished, log_truncated),
     .optional = true},
    {.name = "started_at",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, started_at),
     .optional = true},
    {.name = "finished_at",
     .type = FIELD_INT,
     .offset = offsetof(struct stream_finished, finished_at)},
};
const struct fields stream_finished_fields = FIELDS(struct stream_finished, stream_finished_list);

static const struct field stream_item_list[] = {
    {.name = "kind",
     .type = FIELD_ENUM,
     .offset = offsetof(struct stream_item, kind),
     .names = &item_kind_names},
    {.name = "body", .type = FIELD_OBJECT, .offset = offsetof(struct stream_item, body)},
};
const struct fields stream_item_fields = FIELDS(struct stream_item, stream_item_list);

static const struct field task_stream_list[] = {
    {.name = "worker_id", .type = FIELD_UUID, .offset = offsetof(struct task_stream, worker_id)},
    {.name = "run_id", .type = FIELD_UUID, .offset = offsetof(struct task_stream, run_id)},
    {.name = "task_id", .type = FIELD_UUID, .offset = offsetof(struct task_stream, task_id)},
    {.name = "attempt",
     .type = FIELD_INT,
     .offset = offsetof(struct task_stream, attempt),
     .min = 1,
     .max = 1000000},
    {.name = "dispatch_id",
     .type = FIELD_UUID,
     .offset = offsetof(struct task_stream, dispatch_id)},
    {.name = "variant",
     .type = FIELD_TEXT,
     .offset = offsetof(struct task_stream, variant),
     .optional = true},
    {.name = "first_seq",
     .type = FIELD_INT,
     .offset = offsetof(struct task_stream, first_seq),
     .min = 1,
     .max = INT64_MAX},
    {.name = "items",
     .type = FIELD_RECORDS,
     .offset = offsetof(struct task_stream, items),
     .of = &stream_item_fields,
     .min = 1,
     .max = STREAM_ITEMS_MAX},
};
static const struct fields task_stream_fields = FIELDS(struct task_stream, task_stream_list);

/* Without the items, which come last. */
static const struct fields task_stream_head_fields = {.list = task_stream_list,
                                                      .count = ARRAY_SIZE(task_stream_list) - 1,
                                                      .size = sizeof(struct task_stream)};

const struct message_type task_stream_message = {
    .name = "task.stream",
    .version = 1,
    .fields = &task_stream_fields,
    .topic = "results",
    .text = "numbered items of one dispatch: results, output, its end",
};

const struct message_type task_stream_head_message = {
    .name = "task.stream",
    .version = 1,
    .fields = &task_stream_head_fields,
    .topic = "results",
    .text = "task.stream without its items",
};
