/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit on what users control, with its default: one list, printed to docs/generated/limits.md.
 * X(name, unit, text) */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The values as constants, which the table takes. */
#define LIMIT_MESSAGE_BYTES         ((int64_t)900 * 1000)
#define LIMIT_TASK_SPEC_BYTES       ((int64_t)256 * 1024)
#define LIMIT_BODY_BYTES            ((int64_t)1024 * 1024)
#define LIMIT_JSON_DEPTH            ((int64_t)32)
#define LIMIT_CASES_PER_RUN         ((int64_t)100000)
#define LIMIT_LOG_BYTES_PER_TASK    ((int64_t)4 * 1024 * 1024)
#define LIMIT_LOG_CHUNK_BYTES       ((int64_t)32 * 1024)
#define LIMIT_RESULT_MESSAGE_BYTES  ((int64_t)4 * 1024)
#define LIMIT_RESULT_TRACE_BYTES    ((int64_t)64 * 1024)
#define LIMIT_CASE_NAME_BYTES       ((int64_t)1024)
#define LIMIT_REPORT_BYTES          ((int64_t)1024 * 1024 * 1024)
#define LIMIT_TITLE_BYTES           ((int64_t)200)
#define LIMIT_TEXT_BYTES            ((int64_t)1024)
#define LIMIT_PARAMETERS            ((int64_t)64)
#define LIMIT_REQUIREMENTS          ((int64_t)32)
#define LIMIT_LABELS                ((int64_t)64)
#define LIMIT_SECRETS               ((int64_t)32)
#define LIMIT_SECRET_BYTES          ((int64_t)64 * 1024)
#define LIMIT_COMMAND_ARGUMENTS     ((int64_t)256)
#define LIMIT_TASKS_PER_RUN         ((int64_t)1000)
#define LIMIT_ATTEMPTS              ((int64_t)10)
#define LIMIT_EPOCH                 (((int64_t)1 << 53) - 1)
#define LIMIT_EPOCH_LEAP            ((int64_t)1000000)
#define LIMIT_SLOTS_PER_WORKER      ((int64_t)256)
#define LIMIT_WAIT_MS               ((int64_t)60 * 1000)
#define LIMIT_PAGE_ENTRIES          ((int64_t)200)
#define LIMIT_IDEMPOTENCY_KEY_BYTES ((int64_t)255)
#define LIMIT_IDEMPOTENCY_KEY_DAYS  ((int64_t)7)
#define LIMIT_RETENTION_DAYS        ((int64_t)90)
#define LIMIT_QUEUE_TIMEOUT_MS      ((int64_t)30 * 60 * 1000)
#define LIMIT_TASK_TIMEOUT_MS       ((int64_t)60 * 60 * 1000)
#define LIMIT_RUN_TIMEOUT_MS        ((int64_t)6 * 60 * 60 * 1000)
#define LIMIT_TIMEOUT_MAX_MS        ((int64_t)14 * 24 * 60 * 60 * 1000)
#define LIMIT_SHARE_LINK_MAX_MS     ((int64_t)30 * 24 * 60 * 60 * 1000)
#define LIMIT_TOKEN_CACHE_MS        ((int64_t)5000)
#define LIMIT_WEBHOOK_BODY_BYTES    ((int64_t)64 * 1024)
#define LIMIT_WEBHOOK_ENDPOINTS     ((int64_t)50)
#define LIMIT_RETRY_AFTER_MS        ((int64_t)24 * 60 * 60 * 1000)
#define LIMIT_OPEN_RUNS_WINDOW      ((int64_t)10000)
#define LIMIT_MARKDOWN_BYTES        ((int64_t)1000 * 1000)
#define LIMIT_LOG_READERS           200
#define LIMIT_LINK_READERS          200
#define LIMIT_LINK_RUNS             ((int64_t)10000)
#define LIMIT_DEAD_LETTER_BYTES     ((int64_t)64 * 1024)
#define LIMIT_ARTIFACT_BYTES        ((int64_t)256 * 1024 * 1024)
#define LIMIT_ARTIFACTS_PER_TASK    ((int64_t)1000)
#define LIMIT_ARTIFACTS_TASK_BYTES  ((int64_t)1024 * 1024 * 1024)
#define LIMIT_ARTIFACT_PATTERNS     ((int64_t)64)
#define LIMIT_UPLOADS_PER_RUN       ((int64_t)1000)
#define LIMIT_VARIANT_BYTES         ((int64_t)100)
#define LIMIT_BUNDLE_BYTES          ((int64_t)256 * 1024 * 1024)
#define LIMIT_BUNDLE_TREE_BYTES     ((int64_t)4 * 1024 * 1024 * 1024)
#define LIMIT_BUNDLE_ENTRIES        ((int64_t)100000)

#define LIMITS(X)                                                                                  \
    X(MESSAGE_BYTES, "bytes", "any Kafka message that we make")                                    \
    X(TASK_SPEC_BYTES, "bytes", "a task's specification inside a message")                         \
    X(BODY_BYTES, "bytes", "a request's body")                                                     \
    X(JSON_DEPTH, "levels", "nesting of JSON")                                                     \
    X(CASES_PER_RUN, "cases", "declared or reported in one run")                                   \
    X(LOG_BYTES_PER_TASK, "bytes", "output kept per attempt of a task")                            \
    X(LOG_CHUNK_BYTES, "bytes", "one piece of output in the ledger")                               \
    X(RESULT_MESSAGE_BYTES, "bytes", "the message of a result")                                    \
    X(RESULT_TRACE_BYTES, "bytes", "the trace of a result")                                        \
    X(CASE_NAME_BYTES, "bytes", "each of file, class, name and parameters of a case")              \
    X(REPORT_BYTES, "bytes", "a report file that the executor reads, or that is uploaded")         \
    X(TITLE_BYTES, "bytes", "a title")                                                             \
    X(TEXT_BYTES, "bytes", "branch, build version, URL and other short texts")                     \
    X(PARAMETERS, "entries", "parameters and trigger metadata of a run")                           \
    X(REQUIREMENTS, "entries", "label predicates of a suite or run")                               \
    X(LABELS, "entries", "labels of a worker")                                                     \
    X(SECRETS, "entries", "secrets that a suite names")                                            \
    X(SECRET_BYTES, "bytes", "a secret")                                                           \
    X(COMMAND_ARGUMENTS, "entries", "arguments of a command")                                      \
    X(TASKS_PER_RUN, "tasks", "pieces that a run is cut into")                                     \
    X(ATTEMPTS, "attempts", "of one task, at the most")                                            \
    X(EPOCH, "epochs", "an epoch; each take-over of a partition raises it by one")                 \
    X(EPOCH_LEAP, "epochs", "an epoch in a message, above the one that its reader knows")          \
    X(SLOTS_PER_WORKER, "slots", "of one worker")                                                  \
    X(WAIT_MS, "ms", "a long-poll's ?wait")                                                        \
    X(PAGE_ENTRIES, "entries", "one page of a list")                                               \
    X(IDEMPOTENCY_KEY_BYTES, "bytes", "an Idempotency-Key")                                        \
    X(IDEMPOTENCY_KEY_DAYS, "days", "how long an Idempotency-Key is remembered")                   \
    X(RETENTION_DAYS, "days", "how long runs and results are kept")                                \
    X(QUEUE_TIMEOUT_MS, "ms", "default: a run waits for a worker")                                 \
    X(TASK_TIMEOUT_MS, "ms", "default: a task runs")                                               \
    X(RUN_TIMEOUT_MS, "ms", "default: a run, from trigger to verdict")                             \
    X(TIMEOUT_MAX_MS, "ms", "any time-out")                                                        \
    X(SHARE_LINK_MAX_MS, "ms", "how long a share link may be good")                                \
    X(TOKEN_CACHE_MS, "ms", "how long a checked token is trusted without asking again")            \
    X(WEBHOOK_BODY_BYTES, "bytes", "what is read of a receiver's answer")                          \
    X(WEBHOOK_ENDPOINTS, "endpoints", "of one project")                                            \
    X(RETRY_AFTER_MS, "ms", "what is honoured of a receiver's Retry-After")                        \
    X(OPEN_RUNS_WINDOW, "runs", "open runs that a scheduler partition keeps in memory")            \
    X(MARKDOWN_BYTES, "bytes", "a report as Markdown: build pages take a mebibyte")                \
    X(LOG_READERS, "streams", "of logs that one api-ingest serves at once")                        \
    X(LINK_READERS, "streams", "of events that one api-ingest serves by share links at once")      \
    X(LINK_RUNS, "runs", "that the page of a project's runs looks through at once")                \
    X(DEAD_LETTER_BYTES, "bytes", "what is kept of a rejected message")                            \
    X(ARTIFACT_BYTES, "bytes", "one artifact")                                                     \
    X(ARTIFACTS_PER_TASK, "files", "artifacts of one attempt at a task")                           \
    X(ARTIFACTS_TASK_BYTES, "bytes", "... and all of them together")                               \
    X(ARTIFACT_PATTERNS, "patterns", "by which a suite names its artifacts")                       \
    X(UPLOADS_PER_RUN, "files", "of results, uploaded to one run")                                 \
    X(VARIANT_BYTES, "bytes", "the name of an upload's variant")                                   \
    X(BUNDLE_BYTES, "bytes", "a bundle of files, packed")                                          \
    X(BUNDLE_TREE_BYTES, "bytes", "... and unpacked")                                              \
    X(BUNDLE_ENTRIES, "entries", "files, directories and links in a bundle")

enum limit_id {
#define X(name, unit, text) LIMIT_ID_##name,
    LIMITS(X)
#undef X
        LIMIT_COUNT
};

struct limit {
    const char *name;
    int64_t value;
    const char *unit;
    const char *text;
};
extern const struct limit limits[LIMIT_COUNT];
