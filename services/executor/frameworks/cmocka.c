/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka: its own JUnit output, out of what the programs print. Its files cannot be used: their names know
 * no more than the group, so of several programs with a group of one name ("tests" is the usual one) the
 * later ones find a file that is there, and cmocka writes into none that it has not made. */
#include <stdlib.h>

#include "base/memory.h"
#include "frameworks/framework.h"

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    (void)error;
    argv_add_all(plan, &task->suite->command);
    argv_add_all(plan, &task->suite->arguments);
    environment_add(plan, "CMOCKA_MESSAGE_OUTPUT", "xml");
    if (task->suite->report.path != NULL) { /* the programs name their files themselves */
        report_files(task, report_r, task->suite->report.path);
        return 0;
    }
    /* A file that is there: cmocka writes to stderr, at once and not when the program ends. So nothing is
     * lost with a program that is killed, and nothing is written twice by one that forks. */
    environment_add(plan, "CMOCKA_XML_FILE", "/dev/null");
    *report_r = (struct report_plan){.source = REPORT_FROM_OUTPUT, .reader = "cmocka"};
    return 0;
}

const struct framework cmocka_framework = {.name = "cmocka", .prepare = prepare};
