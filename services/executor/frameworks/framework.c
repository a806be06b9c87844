/* SPDX-License-Identifier: Apache-2.0 */
/* The list of frameworks, and what they share. */
#include "frameworks/framework.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/means.h"
#include "base/memory.h"
#include "base/text.h"

const struct framework *const frameworks[] = {
    &pytest_framework,  &cmocka_framework, &ctest_framework,      &go_test_framework,
    &jest_framework,    &vitest_framework, &playwright_framework, &surefire_framework,
    &nextest_framework, &prove_framework,  &command_framework,    NULL};

const struct framework *executor_framework_find(const char *name)
{
    for (size_t i = 0; frameworks[i] != NULL; i++)
        if (strcmp(frameworks[i]->name, name) == 0)
            return frameworks[i];
    return NULL;
}

void argv_add_all(struct process_plan *plan, const struct texts *words)
{
    for (size_t i = 0; i < words->count; i++)
        texts_add(&plan->argv, words->list[i]);
}

/* A later value of the same name takes the earlier one's place. */
void environment_add(struct process_plan *plan, const char *name, const char *value)
{
    char *entry = xasprintf("%s=%s", name, value);
    size_t length = strlen(name) + 1;
    for (size_t i = 0; i < plan->environment.count; i++) {
        if (strncmp(plan->environment.list[i], entry, length) != 0)
            continue;
        free(plan->environment.list[i]);
        plan->environment.list[i] = entry;
        return;
    }
    texts_add(&plan->environment, entry);
    free(entry);
}

void environment_add_path(struct process_plan *plan, const char *name, const char *entry)
{
    size_t length = strlen(name);
    const char *before = NULL;
    for (size_t i = 0; i < plan->environment.count && before == NULL; i++)
        if (strncmp(plan->environment.list[i], name, length) == 0 &&
            plan->environment.list[i][length] == '=')
            before = plan->environment.list[i] + length + 1;
    AUTO(text_free)
    char *value =
        before == NULL || before[0] == '\0' ? xstrdup(entry) : xasprintf("%s:%s", entry, before);
    environment_add(plan, name, value);
}

void report_files(const struct framework_task *task, struct report_plan *report,
                  const char *fallback)
{
    const struct suite_report *wanted = &task->suite->report;
    report->source = REPORT_FROM_FILES;
    report->reader =
        wanted->format == REPORT_AUTO ? "junit" : names_get(&report_format_names, wanted->format);
    report->directory = wanted->path != NULL ? NULL : xstrdup(task->report_dir);
    report->pattern = xstrdup(wanted->path != NULL ? wanted->path : fallback);
}

char *cases_path(const struct framework_task *task)
{
    return xasprintf("%s/../cases", task->report_dir);
}

int cases_list(const struct framework_task *task, struct process_plan *plan, struct error *error)
{
    AUTO(text_free) char *path = cases_path(task);
    FILE *file = fopen(path, "we");
    for (size_t i = 0; file != NULL && i < task->case_count; i++)
        fprintf(file, "%s\n", task->cases[i].selector);
    if (file == NULL || fclose(file) != 0)
        return error_set(error, means_code(errno, "unavailable"),
                         "cannot write the list of cases: %s", strerror(errno));
    environment_add(plan, "VERDICT_CASES", path);
    return 0;
}
