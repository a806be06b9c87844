/* SPDX-License-Identifier: Apache-2.0 */
/* Any command: it writes a report of any format, or its exit status is the one case. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "frameworks/framework.h"

/* Where a report of each format lies, when the suite does not say so; and what its file's name ends with, for
 * a suite that names the file and not the format. */
static const struct place {
    int format;
    const char
        *pattern; /* in the task's directory for reports; NULL: it is what the command prints */
    const char *ending;
} places[] = {
    {REPORT_TAP, NULL, ".tap"},          {REPORT_GO_JSON, NULL, ".jsonl"},
    {REPORT_TRX, "**/*.trx", ".trx"},    {REPORT_ALLURE, "**/*-result.json", "-result.json"},
    {REPORT_CTRF, "**/*.json", ".json"}, {REPORT_JUNIT, "**/*.xml", ""},
};

/* NULL: no report is expected. */
static const struct place *place_of(const struct suite_report *wanted)
{
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        bool is_guessed = wanted->format == REPORT_AUTO && wanted->path != NULL &&
                          text_ends(wanted->path, places[i].ending);
        if (wanted->format == places[i].format || is_guessed)
            return &places[i];
    }
    return NULL;
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    const struct suite_report *wanted = &task->suite->report;
    const struct place *place = place_of(wanted);
    (void)error;
    argv_add_all(plan, &task->suite->command);
    argv_add_all(plan, &task->suite->arguments);
    if (place == NULL) {
        *report_r = (struct report_plan){.source = REPORT_FROM_STATUS};
        return 0;
    }
    if (place->pattern == NULL && wanted->path == NULL) {
        *report_r = (struct report_plan){.source = REPORT_FROM_STDOUT,
                                         .reader = names_get(&report_format_names, place->format)};
        return 0;
    }
    report_files(task, report_r, place->pattern);
    report_r->reader = names_get(&report_format_names, place->format);
    return 0;
}

const struct framework command_framework = {.name = "command", .prepare = prepare};
