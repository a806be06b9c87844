/* SPDX-License-Identifier: Apache-2.0 */
/* pytest, with our plugin: each case is told as it finishes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/means.h"
#include "base/memory.h"
#include "frameworks/framework.h"

/* The plugin picks the cases out of what was collected: so their number has no limit of a command line,
 * and one that is not there any more does not keep the others from running. */
static int select_cases(const struct framework_task *task, struct process_plan *plan,
                        struct error *error)
{
    AUTO(text_free) char *path = xasprintf("%s/../cases", task->report_dir);
    FILE *file = fopen(path, "we");
    for (size_t i = 0; file != NULL && i < task->case_count; i++)
        fprintf(file, "%s\n", task->cases[i].selector);
    if (file == NULL || fclose(file) != 0)
        return error_set(error, means_code(errno, "unavailable"),
                         "cannot write the list of cases: %s", strerror(errno));
    environment_add(plan, "VERDICT_CASES", path);
    return 0;
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    if (task->suite->command.count > 0) {
        argv_add_all(plan, &task->suite->command);
    } else {
        texts_add(&plan->argv, "python3");
        texts_add(&plan->argv, "-m");
        texts_add(&plan->argv, "pytest");
    }
    texts_add(&plan->argv, "-p");
    texts_add(&plan->argv, "verdict_pytest");
    argv_add_all(plan, &task->suite->arguments);
    environment_add(plan, "VERDICT_STREAM", task->stream_path);
    environment_add_path(plan, "PYTHONPATH", task->plugin_dir);
    if (task->case_count > 0 && select_cases(task, plan, error) < 0)
        return -1;
    environment_add(plan, "PYTHONDONTWRITEBYTECODE", "1");
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework pytest_framework = {.name = "pytest", .prepare = prepare};
