/* SPDX-License-Identifier: Apache-2.0 */
/* Jest, with our reporter. */
#include "base/memory.h"
#include "frameworks/framework.h"
#include "frameworks/titles.h"

static void add_selection(const struct titles *titles, struct process_plan *plan)
{
    if (titles->expression != NULL) {
        texts_add(&plan->argv, "--testNamePattern");
        texts_add(&plan->argv, titles->expression);
    }
    texts_add(&plan->argv, "--runTestsByPath");
    argv_add_all(plan, &titles->files);
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free)
    char *reporter = xasprintf("--reporters=%s/javascript/verdict_jest.cjs", task->plugin_dir);
    AUTO(titles_deinit) struct titles titles = {.expression = NULL};
    if (task->case_count > 0 && titles_select(task, plan, &titles, error) < 0)
        return -1;
    if (task->suite->command.count > 0)
        argv_add_all(plan, &task->suite->command);
    else
        texts_add(&plan->argv, "node_modules/.bin/jest");
    texts_add(&plan->argv, "--reporters=default");
    texts_add(&plan->argv, reporter);
    texts_add(&plan->argv, "--passWithNoTests");
    argv_add_all(plan, &task->suite->arguments);
    if (task->case_count > 0)
        add_selection(&titles, plan);
    environment_add(plan, "VERDICT_STREAM", task->stream_path);
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework jest_framework = {.name = "jest", .prepare = prepare};
