/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka: its own JUnit output, a file per group. */
#include <stdlib.h>

#include "base/memory.h"
#include "frameworks/framework.h"

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free) char *files = xasprintf("%s/%%g.xml", task->report_dir);
    AUTO(text_free) char *pattern = xasprintf("%s/**/*.xml", task->report_dir);
    (void)error;
    argv_add_all(plan, &task->suite->command);
    argv_add_all(plan, &task->suite->arguments);
    environment_add(plan, "CMOCKA_MESSAGE_OUTPUT", "xml");
    environment_add(plan, "CMOCKA_XML_FILE", files);
    environment_add(plan, "VERDICT_REPORT_DIR", task->report_dir);
    report_files(task, report_r, pattern);
    return 0;
}

const struct framework cmocka_framework = {.name = "cmocka", .prepare = prepare};
