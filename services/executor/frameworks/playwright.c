/* SPDX-License-Identifier: Apache-2.0 */
/* Playwright Test, with our reporter. It runs a list of cases as we name them. */
#include "base/memory.h"
#include "frameworks/framework.h"

static void add_command(const struct framework_task *task, struct process_plan *plan)
{
    argv_add_all(plan, &task->suite->command);
    if (task->suite->command.count > 0)
        return;
    texts_add(&plan->argv, "node_modules/.bin/playwright");
    texts_add(&plan->argv, "test");
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free)
    char *reporter =
        xasprintf("--reporter=list,%s/javascript/verdict_playwright.cjs", task->plugin_dir);
    AUTO(text_free) char *list = cases_path(task);
    add_command(task, plan);
    texts_add(&plan->argv, reporter);
    texts_add(&plan->argv, "--pass-with-no-tests");
    if (task->case_count > 0) {
        if (cases_list(task, plan, error) < 0)
            return -1;
        texts_add(&plan->argv, "--test-list");
        texts_add(&plan->argv, list);
    }
    argv_add_all(plan, &task->suite->arguments);
    environment_add(plan, "VERDICT_STREAM", task->stream_path);
    *report_r = (struct report_plan){.source = REPORT_FROM_STREAM};
    return 0;
}

const struct framework playwright_framework = {.name = "playwright", .prepare = prepare};
