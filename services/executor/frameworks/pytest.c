/* SPDX-License-Identifier: Apache-2.0 */
/* pytest, with our plugin: each case is told as it finishes. */
#include "base/memory.h"
#include "frameworks/framework.h"

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free) char *library = xasprintf("%s/pytest", task->plugin_dir);
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
    environment_add_path(plan, "PYTHONPATH", library);
    /* The plugin picks the cases out of what was collected: so their number has no limit of a command line,
     * and one that is not there any more does not keep the others from running. */
    if (task->case_count > 0 && cases_list(task, plan, error) < 0)
        return -1;
    environment_add(plan, "PYTHONDONTWRITEBYTECODE", "1");
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework pytest_framework = {.name = "pytest", .prepare = prepare};
