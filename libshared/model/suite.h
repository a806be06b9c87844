/* SPDX-License-Identifier: Apache-2.0 */
/* A suite's specification as users write it and as it travels to the executor: which framework, where
 * the source is, what to run, where the report lies, what it needs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fields.h"

enum source_kind {
    SOURCE_PATH,   /* a directory on the worker, below one of its source roots */
    SOURCE_GIT,    /* a URL and a ref */
    SOURCE_UPLOAD, /* nowhere: the tests run elsewhere, and their reports are uploaded */
    SOURCE_BUNDLE, /* files that were sent along with the run */
};
extern const struct names source_kind_names;

struct suite_source {
    int kind;
    char *path;   /* path: absolute; git, bundle: directory inside it, NULL for its root */
    char *url;    /* git */
    char *bundle; /* bundle: SHA-256 of the archive, in hex */
    char *
        ref; /* git: branch, tag or commit; NULL: the remote's HEAD. A run's full commit goes before it */
    bool
        pinned; /* git: the ref it is, whatever the run's commit: the tests are another repository */
};

enum report_format {
    REPORT_AUTO, /* the framework's own */
    REPORT_JUNIT,
    REPORT_TAP,
    REPORT_CTRF,
    REPORT_GO_JSON,
    REPORT_TRX,
    REPORT_ALLURE,
    REPORT_NONE, /* `command` only: the command itself is the one case, by its exit status */
};
extern const struct names report_format_names;

struct suite_report {
    int format;
    char *
        path; /* relative to the working directory, may hold * and **; NULL: the framework's, or stdout for TAP and go-json */
};

/* 0 means the executor's own default for each. */
struct suite_limits {
    int64_t cpu_seconds;
    int64_t memory_mb;
    int64_t open_files;
    int64_t processes;
    int64_t output_bytes; /* of log kept; more is cut with a mark, not killed */
    int64_t file_mb;      /* a single file's size */
};

struct suite_spec {
    char *framework; /* "pytest", "ctest", "command", …: a name of model/frameworks */
    struct suite_source source;
    struct texts
        command; /* argv; required for `command` and cmocka, optional prefix or override else */
    struct texts arguments; /* added behind what the framework makes */
    char *directory;        /* working directory, relative to the source; NULL: its root */
    struct suite_report report;
    json_t *environment;       /* object of texts, owned; NULL when none */
    struct texts secrets;      /* names; their values are the worker's */
    struct texts requirements; /* label predicates */
    struct suite_limits limits;
    struct texts cases; /* declared selectors in the framework's own words; none: the whole suite */
    int64_t
        max_tasks; /* how many pieces declared cases may be cut into; 0: the scheduler decides */
    struct texts artifacts; /* files to keep: patterns below the working directory; none: no file */
    bool exclusive;         /* a task never runs beside its own successor: see agent/exclusive.h */
};

extern const struct fields suite_fields;

/* Relative, and without a step upwards? */
bool path_stays_inside(const char *path);

/* Decodes and checks what no field table says: which members go together. */
int suite_decode(const json_t *json, struct suite_spec *suite_r, struct error *error) WARN_UNUSED;
/* Do its tests run elsewhere? Of a specification as it is stored. */
bool suite_is_uploaded(const json_t *spec);
void suite_deinit(struct suite_spec *suite);
