/* SPDX-License-Identifier: Apache-2.0 */
/* CTest: a list of cases becomes one anchored expression. */
#include <ctype.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "frameworks/framework.h"

#define EXPRESSION_BYTES_MAX (1024 * 1024)

static char *expression(const struct framework_task *task)
{
    struct buffer text;
    buffer_init(&text, EXPRESSION_BYTES_MAX);
    buffer_add_text(&text, "^(");
    for (size_t i = 0; i < task->case_count; i++) {
        if (i > 0)
            buffer_add_char(&text, '|');
        for (const char *c = task->cases[i].selector; *c != '\0'; c++) {
            if (!isalnum((unsigned char)*c) && *c != '_')
                buffer_add_char(&text, '\\');
            buffer_add_char(&text, *c);
        }
    }
    buffer_add_text(&text, ")$");
    return buffer_take(&text);
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free) char *file = xasprintf("%s/ctest.xml", task->report_dir);
    (void)error;
    if (task->suite->command.count > 0)
        argv_add_all(plan, &task->suite->command);
    else
        texts_add(&plan->argv, "ctest");
    texts_add(&plan->argv, "--output-junit");
    texts_add(&plan->argv, file);
    texts_add(&plan->argv, "--no-tests=ignore");
    if (task->case_count > 0) {
        AUTO(text_free) char *selected = expression(task);
        texts_add(&plan->argv, "-R");
        texts_add(&plan->argv, selected);
    }
    argv_add_all(plan, &task->suite->arguments);
    report_files(task, report_r, file);
    return 0;
}

/* CTest repeats the name as class name, and a name may hold anything. */
static void identify(const struct reported_case *reported, struct case_name *name_r)
{
    *name_r = (struct case_name){
        .class = xstrdup(""), .name = xstrdup(reported->name), .parameters = xstrdup("")};
}

const struct framework ctest_framework = {
    .name = "ctest", .identify = identify, .prepare = prepare};
