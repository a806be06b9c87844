/* SPDX-License-Identifier: Apache-2.0 */
/* pytest, with our plugin: each case is told as it finishes. */
#include <stdlib.h>

#include "base/memory.h"
#include "frameworks/framework.h"

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    (void)error;
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
    for (size_t i = 0; i < task->case_count; i++)
        texts_add(&plan->argv, task->cases[i].selector);
    environment_add(plan, "VERDICT_STREAM", task->stream_path);
    environment_add(plan, "PYTHONPATH", task->plugin_dir);
    environment_add(plan, "PYTHONDONTWRITEBYTECODE", "1");
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework pytest_framework = {.name = "pytest", .prepare = prepare};
