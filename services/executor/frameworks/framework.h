/* SPDX-License-Identifier: Apache-2.0 */
/* How each framework is run, and where its report lies. One file each, all listed in `frameworks`. */
#pragma once

#include "agent/plan.h"
#include "message/task_dispatch.h"
#include "model/frameworks.h"
#include "model/suite.h"
#include "report/reader.h"

/* What a framework may look at. */
struct framework_task {
    const struct suite_spec *suite;
    const struct dispatched_case *cases; /* exactly these; count 0: the whole suite */
    size_t case_count;
    const char *report_dir;  /* an empty directory of this task's own */
    const char *stream_path; /* a named pipe for results case by case */
    const char *plugin_dir;  /* our parts of the tools, a directory for each */
};

enum report_source {
    REPORT_FROM_STREAM, /* lines of JSON through the named pipe */
    REPORT_FROM_FILES,  /* by pattern, when the processes are gone */
    REPORT_FROM_STDOUT, /* TAP */
    REPORT_FROM_OUTPUT, /* stdout and stderr, each by itself: cmocka */
    REPORT_FROM_STATUS, /* the command itself is the one case */
};

struct report_plan {
    enum report_source source;
    const char *reader; /* of libshared/report */
    char *
        directory; /* owned; FROM_FILES: what the pattern is relative to; NULL: the working directory */
    char *pattern; /* owned; FROM_FILES: relative, or absolute */
};

struct framework {
    const char *name;
    /* Fills argv, adds to the environment. -1 when it cannot be run so. */
    int (*prepare)(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error);
};

extern const struct framework pytest_framework, cmocka_framework, ctest_framework,
    go_test_framework, jest_framework, vitest_framework, playwright_framework, surefire_framework,
    nextest_framework, prove_framework, command_framework;
extern const struct framework *const frameworks[];
const struct framework *executor_framework_find(const char *name);

/* Shared by the files: */
void argv_add_all(struct process_plan *plan, const struct texts *words);
void environment_add(struct process_plan *plan, const char *name, const char *value);
/* Puts an entry in front of a list like PATH. */
void environment_add_path(struct process_plan *plan, const char *name, const char *entry);
void report_files(const struct framework_task *task, struct report_plan *report,
                  const char *fallback);
/* The selectors, one a line, in a file that VERDICT_CASES names to our plugins. -1 when this worker has no room. */
int cases_list(const struct framework_task *task, struct process_plan *plan,
               struct error *error) WARN_UNUSED;
char *cases_path(const struct framework_task *task); /* of that file; caller frees */
