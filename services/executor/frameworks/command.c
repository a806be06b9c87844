/* SPDX-License-Identifier: Apache-2.0 */
/* Any command: it writes JUnit or TAP, or its exit status is the one case. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "frameworks/framework.h"

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    const struct suite_report *report = &task->suite->report;
    (void)error;
    argv_add_all(plan, &task->suite->command);
    argv_add_all(plan, &task->suite->arguments);
    bool is_tap =
        report->format == REPORT_TAP ||
        (report->format == REPORT_AUTO && report->path != NULL && text_ends(report->path, ".tap"));
    if (report->format == REPORT_NONE || (report->format == REPORT_AUTO && report->path == NULL)) {
        *report_r = (struct report_plan){.source = REPORT_FROM_STATUS};
    } else if (is_tap && report->path == NULL) {
        *report_r = (struct report_plan){.source = REPORT_FROM_STDOUT, .reader = "tap"};
    } else {
        report_files(task, report_r, "**/*.xml");
        report_r->reader = is_tap ? "tap" : "junit";
    }
    return 0;
}

const struct framework command_framework = {.name = "command", .prepare = prepare};
