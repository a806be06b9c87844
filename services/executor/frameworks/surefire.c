/* SPDX-License-Identifier: Apache-2.0 */
/* Maven Surefire, and Failsafe: a JUnit file for each class, when it has ended. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/means.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "frameworks/framework.h"

#define REPORTS     "**/target/*-reports/TEST-*.xml"
#define CHOICES_MAX ((size_t)100 * 1024) /* an argument may have 128 kB */
#define ALL_MAX     ((size_t)64 * 1024 * 1024)

/* "org.example.CalcTest#adds(int)[2]" is selected by its method, with the other parameters. Sorted, each once. */
static void list_methods(const struct framework_task *task, struct texts *methods_r)
{
    for (size_t i = 0; i < task->case_count; i++) {
        const char *selector = task->cases[i].selector, *hash = strchr(selector, '#');
        size_t class = hash == NULL ? strlen(selector) : (size_t)(hash + 1 - selector);
        AUTO(text_free)
        char *method = xstrndup(selector, class + strcspn(selector + class, "([{"));
        texts_add(methods_r, method);
    }
    texts_keep_each_once(methods_r);
}

/* "A#a+b", "B#c": one for each class. */
static void join_methods(const struct texts *methods, char between, struct buffer *choices)
{
    size_t class = 0; /* length of the last one's, with its # */
    for (size_t i = 0; i < methods->count; i++) {
        const char *method = methods->list[i], *hash = strchr(method, '#');
        if (class > 0 && strncmp(method, methods->list[i - 1], class) == 0) {
            buffer_addf(choices, "+%s", method + class);
            continue;
        }
        class = hash == NULL ? 0 : (size_t)(hash + 1 - method);
        if (i > 0)
            buffer_add_char(choices, between);
        buffer_add_text(choices, method);
    }
}

/* Surefire runs unit tests, Failsafe integration tests, each by properties of its own. */
struct plugin {
    const char *name;      /* of its properties */
    const char *selection; /* the option that names methods */
    const char *none;      /* the option by which it runs nothing */
};
static const struct plugin surefire = {"surefire", "-Dtest=", "-Dtest=NoneOfThem"};
static const struct plugin failsafe = {"failsafe", "-Dit.test=", "-DskipITs"};

/* What the build's own configuration includes stays included then. */
static int add_file(const struct framework_task *task, const struct plugin *plugin,
                    const struct texts *methods, struct process_plan *plan, struct error *error)
{
    AUTO(text_free) char *cases = cases_path(task);
    AUTO(text_free) char *path = xasprintf("%s.%s", cases, plugin->name);
    AUTO(text_free) char *option = xasprintf("-D%s.includesFile=%s", plugin->name, path);
    AUTO(buffer_deinit) struct buffer choices;
    FILE *file = fopen(path, "we");
    buffer_init(&choices, ALL_MAX);
    join_methods(methods, '\n', &choices);
    if (file != NULL)
        fprintf(file, "%s\n", buffer_text(&choices));
    if (file == NULL || fclose(file) != 0)
        return error_set(error, means_code(errno, "unavailable"),
                         "cannot write the list of cases: %s", strerror(errno));
    texts_add(&plan->argv, option);
    return 0;
}

static int add_plugin(const struct framework_task *task, const struct plugin *plugin,
                      const struct texts *methods, struct process_plan *plan, struct error *error)
{
    AUTO(buffer_deinit) struct buffer choices;
    buffer_init(&choices, CHOICES_MAX);
    if (methods->count == 0) {
        texts_add(&plan->argv, plugin->none);
        return 0;
    }
    buffer_add_text(&choices, plugin->selection);
    join_methods(methods, ',', &choices);
    if (choices.overflowed)
        return add_file(task, plugin, methods, plan, error);
    texts_add(&plan->argv, buffer_text(&choices));
    return 0;
}

/* The phases in which Failsafe is, and what is behind them, or its own goals. */
static bool is_of_failsafe(const char *word)
{
    static const char *const phases[] = {"integration-test", "post-integration-test", "verify",
                                         "install", "deploy"};
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
        if (strcmp(word, phases[i]) == 0)
            return true;
    return text_starts(word, "failsafe:") || strstr(word, ":maven-failsafe-plugin:") != NULL;
}

static bool runs_failsafe(const struct texts *words)
{
    for (size_t i = 0; i < words->count; i++)
        if (is_of_failsafe(words->list[i]))
            return true;
    return false;
}

/* By Failsafe's own patterns: IT*, *IT and *ITCase are names of its classes. A nested class goes with its outer one. */
static bool is_integration_test(const char *method)
{
    const size_t qualified = strcspn(method, "#$");
    size_t simple = qualified;
    while (simple > 0 && method[simple - 1] != '.')
        simple--;
    AUTO(text_free) char *name = xstrndup(method + simple, qualified - simple);
    return text_starts(name, "IT") || text_ends(name, "IT") || text_ends(name, "ITCase");
}

static int add_both(const struct framework_task *task, const struct texts *methods,
                    struct process_plan *plan, struct error *error)
{
    AUTO(texts_deinit) struct texts units = {0};
    AUTO(texts_deinit) struct texts integrations = {0};
    for (size_t i = 0; i < methods->count; i++)
        texts_add(is_integration_test(methods->list[i]) ? &integrations : &units, methods->list[i]);
    texts_add(&plan->argv, "-Dfailsafe.failIfNoSpecifiedTests=false");
    if (add_plugin(task, &surefire, &units, plan, error) < 0)
        return -1;
    return add_plugin(task, &failsafe, &integrations, plan, error);
}

static int add_selection(const struct framework_task *task, struct process_plan *plan,
                         struct error *error)
{
    AUTO(texts_deinit) struct texts methods = {0};
    list_methods(task, &methods);
    texts_add(&plan->argv, "-Dsurefire.failIfNoSpecifiedTests=false"); /* in each module */
    if (runs_failsafe(&task->suite->command) || runs_failsafe(&task->suite->arguments))
        return add_both(task, &methods, plan, error);
    return add_plugin(task, &surefire, &methods, plan, error);
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    static const char *const words[] = {"mvn", "--batch-mode", "--fail-at-end", "test"};
    const char *path = task->suite->report.path;
    argv_add_all(plan, &task->suite->command);
    for (size_t i = 0; task->suite->command.count == 0 && i < ARRAY_SIZE(words); i++)
        texts_add(&plan->argv, words[i]);
    if (task->case_count > 0 && add_selection(task, plan, error) < 0)
        return -1;
    argv_add_all(plan, &task->suite->arguments);
    *report_r = (struct report_plan){.source = REPORT_FROM_FILES,
                                     .reader = "surefire",
                                     .pattern = xstrdup(path == NULL ? REPORTS : path)};
    return 0;
}

const struct framework surefire_framework = {.name = "surefire", .prepare = prepare};
