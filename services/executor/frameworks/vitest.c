/* SPDX-License-Identifier: Apache-2.0 */
/* Vitest, with our reporter. */
#include "base/memory.h"
#include "frameworks/framework.h"
#include "frameworks/titles.h"

static void add_command(const struct framework_task *task, struct process_plan *plan)
{
    argv_add_all(plan, &task->suite->command);
    if (task->suite->command.count > 0)
        return;
    texts_add(&plan->argv, "node_modules/.bin/vitest");
    texts_add(&plan->argv, "run");
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free)
    char *reporter = xasprintf("--reporter=%s/javascript/verdict_vitest.mjs", task->plugin_dir);
    AUTO(titles_deinit) struct titles titles = {.expression = NULL};
    if (task->case_count > 0 && titles_select(task, plan, &titles, error) < 0)
        return -1;
    add_command(task, plan);
    texts_add(&plan->argv, "--reporter=default");
    texts_add(&plan->argv, reporter);
    texts_add(&plan->argv, "--passWithNoTests");
    argv_add_all(plan, &task->suite->arguments);
    if (titles.expression != NULL) {
        texts_add(&plan->argv, "--testNamePattern");
        texts_add(&plan->argv, titles.expression);
    }
    argv_add_all(plan, &titles.files);
    environment_add(plan, "VERDICT_STREAM", task->stream_path);
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework vitest_framework = {.name = "vitest", .prepare = prepare};
