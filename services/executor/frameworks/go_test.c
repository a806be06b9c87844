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
    if (flag[0] != '-')
        return false;
    const char *name = flag + (flag[1] == '-' ? 2 : 1);
    if (text_starts(name, "test."))
        name += strlen("test.");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Also of a call for one package: then these are the ones that the suite has named. */
static bool names_packages(const char *argument)
{
    return argument[0] != '-' && (strcmp(argument, ".") == 0 || text_starts(argument, "./") ||
                                  text_starts(argument, "../") || text_ends(argument, "..."));
}

static void add_command(const struct framework_task *task, struct texts *argv)
{
    if (task->suite->command.count == 0) {
        texts_add(argv, "go");
        texts_add(argv, "test");
    }
    for (size_t i = 0; i < task->suite->command.count; i++)
        texts_add(argv, task->suite->command.list[i]);
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
    bool is_tests_own = false, is_value = false;
    add_command(task, &argv);
    texts_add(&argv, "-run");
    texts_add(&argv, expression);
    texts_add(&argv, package);
    for (size_t i = 0; i < task->suite->arguments.count; i++) {
        const char *argument = task->suite->arguments.list[i];
        is_tests_own |= strcmp(argument, "-args") == 0 || strcmp(argument, "--args") == 0;
        if (is_tests_own || is_value || !names_packages(argument))
            texts_add(&argv, argument);
        is_value = !is_value && takes_value(argument);
    }
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
    add_command(task, &plan->argv);
    argv_add_all(plan, &task->suite->arguments);
    if (task->suite->arguments.count == 0)
        texts_add(&plan->argv, "./...");
    return 0;
}

const struct framework go_test_framework = {.name = "go-test", .prepare = prepare};
