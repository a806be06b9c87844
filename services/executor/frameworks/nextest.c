/* SPDX-License-Identifier: Apache-2.0 */
/* cargo-nextest: its stream of events. A list of cases becomes filtersets, of which a test has to meet one. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "frameworks/framework.h"

#define FILTER_MAX ((size_t)48 * 1024) /* an argument may have 128 kB */

static void add_matcher(struct buffer *filter, const char *predicate, const char *text,
                        size_t length)
{
    buffer_addf(filter, "%s(=", predicate);
    for (size_t i = 0; i < length; i++) {
        if (strchr("\\),", text[i]) != NULL) /* an escaped ( is refused */
            buffer_add_char(filter, '\\');
        buffer_add_char(filter, text[i]);
    }
    buffer_add_char(filter, ')');
}

/* "my-calc" is the binary of that name, or the library: then it is my_calc. "my-calc::whole" is another one. */
static void add_binary(struct buffer *filter, const char *class)
{
    const char *colons = strstr(class, "::");
    size_t package = colons == NULL ? strlen(class) : (size_t)(colons - class);
    add_matcher(filter, "package", class, package);
    buffer_add_text(filter, " & ");
    if (colons != NULL) {
        add_matcher(filter, "binary", colons + 2, strlen(colons + 2));
        return;
    }
    AUTO(text_free) char *library = xstrdup(class);
    for (char *c = library; *c != '\0'; c++)
        if (*c == '-')
            *c = '_';
    buffer_add_char(filter, '(');
    add_matcher(filter, "binary", class, package);
    buffer_add_text(filter, " | ");
    add_matcher(filter, "binary", library, package);
    buffer_add_char(filter, ')');
}

struct choice {
    char *class, *name;
};

static int compare_choices(const void *a, const void *b)
{
    return strcmp(((const struct choice *)a)->class, ((const struct choice *)b)->class);
}

/* Sorted, so that a binary's cases follow each other. */
static struct choice *read_choices(const struct framework_task *task)
{
    const struct framework_facts *facts = framework_find("nextest");
    struct choice *choices = xcalloc(task->case_count, sizeof *choices);
    for (size_t i = 0; i < task->case_count; i++) {
        AUTO(text_free) char *file = NULL, *parameters = NULL;
        facts->read_selector(task->cases[i].selector, &file, &choices[i].class, &choices[i].name,
                             &parameters);
    }
    qsort(choices, task->case_count, sizeof *choices, compare_choices);
    return choices;
}

static void add_filter(struct process_plan *plan, struct buffer *filter)
{
    buffer_add_char(filter, ')');
    texts_add(&plan->argv, "-E");
    texts_add(&plan->argv, buffer_text(filter));
    buffer_clear(filter);
}

static void add_selection(const struct framework_task *task, struct process_plan *plan)
{
    struct choice *choices = read_choices(task);
    AUTO(buffer_deinit) struct buffer filter;
    buffer_init(&filter, 2 * FILTER_MAX);
    for (size_t i = 0; i < task->case_count; i++) {
        const char *class = choices[i].class;
        bool is_last = i + 1 == task->case_count || strcmp(class, choices[i + 1].class) != 0;
        if (filter.length > 0) {
            buffer_add_text(&filter, " | ");
        } else {
            if (class[0] != '\0') {
                add_binary(&filter, class);
                buffer_add_text(&filter, " & ");
            }
            buffer_add_char(&filter, '(');
        }
        add_matcher(&filter, "test", choices[i].name, strlen(choices[i].name));
        if (is_last || filter.length > FILTER_MAX)
            add_filter(plan, &filter);
    }
    for (size_t i = 0; i < task->case_count; i++) {
        free(choices[i].class);
        free(choices[i].name);
    }
    free(choices);
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    static const char *const words[] = {"cargo", "nextest", "run"};
    static const char *const ours[] = {"--no-fail-fast", "--no-tests=pass", "--message-format",
                                       "libtest-json-plus"};
    (void)error;
    argv_add_all(plan, &task->suite->command);
    for (size_t i = 0; task->suite->command.count == 0 && i < ARRAY_SIZE(words); i++)
        texts_add(&plan->argv, words[i]);
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        texts_add(&plan->argv, ours[i]);
    if (task->case_count > 0)
        add_selection(task, plan);
    argv_add_all(plan, &task->suite->arguments);
    environment_add(plan, "NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1");
    *report_r = (struct report_plan){.source = REPORT_FROM_STDOUT, .reader = "libtest"};
    return 0;
}

const struct framework nextest_framework = {.name = "nextest", .prepare = prepare};
