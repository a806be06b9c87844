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
    report_files(task, report_r, pattern);
    return 0;
}

/* The group is the class. */
static void identify(const struct reported_case *reported, struct case_name *name_r)
{
    *name_r = (struct case_name){.class = xstrdup(reported->suite == NULL ? "" : reported->suite),
                                 .name = xstrdup(reported->name),
                                 .parameters = xstrdup("")};
}

const struct framework cmocka_framework = {
    .name = "cmocka", .identify = identify, .prepare = prepare};
