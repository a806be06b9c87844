/* SPDX-License-Identifier: Apache-2.0 */
/* Go: its own stream of events. A list of cases becomes a call for each package, since the expression that
 * `go test` is given goes for all its packages. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "frameworks/calls.h"
#include "frameworks/framework.h"

#define EXPRESSION_MAX ((size_t)48 * 1024) /* an argument may have 128 kB */

/* "-run", "--run=x", "-test.run" */
static bool is_flag(const char *argument, const char *name)
{
    if (argument[0] != '-')
        return false;
    argument += argument[1] == '-' ? 2 : 1;
    if (text_starts(argument, "test."))
        argument += strlen("test.");
    size_t length = strcspn(argument, "=");
    return length == strlen(name) && strncmp(argument, name, length) == 0;
}

/* "-coverpkg": what stands behind such a flag is its value, as `go help build` and `go help testflag` say. */
static bool takes_value(const char *flag)
{
    static const char *const names[] = {
        "C",
        "asmflags",
        "bench",
        "benchtime",
        "blockprofile",
        "blockprofilerate",
        "buildmode",
        "compiler",
        "count",
        "covermode",
        "coverpkg",
        "coverprofile",
        "cpu",
        "cpuprofile",
        "exec",
        "fuzz",
        "fuzzminimizetime",
        "fuzztime",
        "gccgoflags",
        "gcflags",
        "installsuffix",
        "ldflags",
        "list",
        "memprofile",
        "memprofilerate",
        "mod",
        "modfile",
        "mutexprofile",
        "mutexprofilefraction",
        "o",
        "outputdir",
        "overlay",
        "p",
        "parallel",
        "pgo",
        "pkgdir",
        "run",
        "shuffle",
        "skip",
        "tags",
        "timeout",
        "toolexec",
        "trace",
        "vet",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (is_flag(flag, names[i]) && strchr(flag, '=') == NULL)
            return true;
    return false;
}

/* Also of a call for one package: then these are the ones that the suite has named. */
static bool names_packages(const char *argument)
{
    return argument[0] != '-' && (strcmp(argument, ".") == 0 || text_starts(argument, "./") ||
                                  text_starts(argument, "../") || text_ends(argument, "..."));
}

/* The suite's arguments: -C, which has to be the first flag of all, and the others. */
struct arguments {
    struct texts first, rest;
};

static void arguments_deinit(struct arguments *arguments)
{
    texts_deinit(&arguments->first);
    texts_deinit(&arguments->rest);
}

/* NULL: nowhere, as a list of cases says it. */
static struct texts *place_of(struct arguments *arguments, const char *argument, bool has_list)
{
    if (is_flag(argument, "C"))
        return &arguments->first;
    if (has_list && (is_flag(argument, "run") || names_packages(argument)))
        return NULL;
    return &arguments->rest;
}

static void arguments_take(struct arguments *arguments, const struct texts *words, bool has_list)
{
    bool is_tests_own = false, is_value = false;
    struct texts *place = &arguments->rest;
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->list[i];
        is_tests_own |= !is_value && is_flag(word, "args");
        if (is_tests_own)
            place = &arguments->rest;
        else if (!is_value)
            place = place_of(arguments, word, has_list);
        if (place != NULL)
            texts_add(place, word);
        is_value = !is_value && takes_value(word);
    }
}

static void add_all(struct texts *argv, const struct texts *words)
{
    for (size_t i = 0; i < words->count; i++)
        texts_add(argv, words->list[i]);
}

static void add_command(const struct framework_task *task, const struct arguments *arguments,
                        struct texts *argv)
{
    if (task->suite->command.count == 0) {
        texts_add(argv, "go");
        texts_add(argv, "test");
    }
    add_all(argv, &task->suite->command);
    add_all(argv, &arguments->first);
    texts_add(argv, "-json");
}

/* "TestA/some/part" → ^TestA$/^some$/^part$ */
static void add_expression(struct buffer *expression, const char *name)
{
    if (expression->length > 0)
        buffer_add_char(expression, '|');
    buffer_add_char(expression, '^');
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '/') {
            buffer_add_text(expression, "$/^");
            continue;
        }
        if (strchr("\\.+*?()|[]{}^$", *c) != NULL)
            buffer_add_char(expression, '\\');
        buffer_add_char(expression, *c);
    }
    buffer_add_char(expression, '$');
}

/* What stands behind -args is the tests' own: so package and expression come first. */
static void add_call(const struct framework_task *task, struct calls *calls, const char *package,
                     const char *expression)
{
    AUTO(texts_deinit) struct texts argv = {0};
    AUTO(arguments_deinit) struct arguments arguments = {0};
    arguments_take(&arguments, &task->suite->arguments, true);
    add_command(task, &arguments, &argv);
    texts_add(&argv, "-run");
    texts_add(&argv, expression);
    texts_add(&argv, package);
    add_all(&argv, &arguments.rest);
    calls_add(calls, &argv);
}

static int compare_selectors(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that a package's cases follow each other. */
static const char **sorted_selectors(const struct framework_task *task)
{
    const char **selectors = xcalloc(task->case_count, sizeof *selectors);
    for (size_t i = 0; i < task->case_count; i++)
        selectors[i] = task->cases[i].selector;
    qsort(selectors, task->case_count, sizeof *selectors, compare_selectors);
    return selectors;
}

static size_t package_length(const char *selector)
{
    return strcspn(selector, " ");
}

static bool is_same_package(const char *a, const char *b)
{
    size_t length = package_length(a);
    return length == package_length(b) && strncmp(a, b, length) == 0;
}

static void add_calls(const struct framework_task *task, struct calls *calls)
{
    const char **selectors = sorted_selectors(task);
    AUTO(buffer_deinit) struct buffer expression;
    buffer_init(&expression, 2 * EXPRESSION_MAX);
    for (size_t i = 0; i < task->case_count; i++) {
        const char *selector = selectors[i];
        size_t length = package_length(selector);
        bool is_last = i + 1 == task->case_count || !is_same_package(selector, selectors[i + 1]);
        add_expression(&expression, selector[length] == ' ' ? selector + length + 1 : selector);
        if (!is_last && expression.length < EXPRESSION_MAX)
            continue;
        AUTO(text_free) char *package = xstrndup(selector, length);
        add_call(task, calls, package, buffer_text(&expression));
        buffer_clear(&expression);
    }
    free((void *)selectors);
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    *report_r = (struct report_plan){.source = REPORT_FROM_STDOUT, .reader = "go-json"};
    if (task->case_count > 0) {
        AUTO(calls_free) struct calls *calls = calls_new(task);
        add_calls(task, calls);
        return calls_finish(calls, plan, error);
    }
    AUTO(arguments_deinit) struct arguments arguments = {0};
    arguments_take(&arguments, &task->suite->arguments, false);
    add_command(task, &arguments, &plan->argv);
    add_all(&plan->argv, &arguments.rest);
    if (task->suite->arguments.count == 0)
        texts_add(&plan->argv, "./...");
    return 0;
}

const struct framework go_test_framework = {.name = "go-test", .prepare = prepare};
