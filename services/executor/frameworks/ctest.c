/* SPDX-License-Identifier: Apache-2.0 */
/* CTest: a list of cases becomes anchored expressions, one call of ctest for each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "agent/means.h"
#include "base/memory.h"
#include "frameworks/framework.h"

/* CTest compiles an expression into 64 kB, and finds no test at all with one that is larger. A name takes
 * its length and EACH_NAME, a character that must be escaped ends one run of characters and begins another. */
#define COMPILED_BYTES_MAX 48000
#define EACH_NAME          12
#define EACH_ESCAPE        10

/* $1 the directory for reports, $2 the expressions' file, one a line; then the command. */
static const char script[] = "reports=$1 expressions=$2 status=0 number=0\n"
                             "shift 2\n"
                             "while IFS= read -r expression <&3; do\n"
                             "    number=$((number + 1))\n"
                             "    \"$@\" --output-junit \"$reports/ctest-$number.xml\" "
                             "-R \"$expression\" 3<&- || status=$?\n"
                             "done 3<\"$expressions\"\n"
                             "exit \"$status\"\n";

static bool is_special(char c)
{
    return strchr("^$.[]()|?+*\\", c) != NULL;
}

static size_t compiled_bytes(const char *name)
{
    size_t bytes = EACH_NAME;
    for (const char *c = name; *c != '\0'; c++)
        bytes += is_special(*c) ? EACH_ESCAPE : 1;
    return bytes;
}

static void write_name(FILE *file, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (is_special(*c))
            fputc('\\', file);
        fputc(*c, file);
    }
}

static void write_expressions(FILE *file, const struct framework_task *task)
{
    size_t compiled = 0;
    for (size_t i = 0; i < task->case_count; i++) {
        const char *name = task->cases[i].selector;
        size_t bytes = compiled_bytes(name);
        bool is_first = i == 0 || compiled + bytes > COMPILED_BYTES_MAX;
        if (is_first && i > 0)
            fputs(")$\n", file);
        fputs(is_first ? "^(" : "|", file);
        write_name(file, name);
        compiled = is_first ? bytes : compiled + bytes;
    }
    fputs(")$\n", file);
}

static int select_cases(const struct framework_task *task, struct process_plan *plan,
                        struct error *error)
{
    AUTO(text_free) char *path = xasprintf("%s/../cases", task->report_dir);
    const char *const words[] = {"/bin/sh", "-c", script, "ctest", task->report_dir, path};
    FILE *file = fopen(path, "we");
    if (file != NULL)
        write_expressions(file, task);
    if (file == NULL || fclose(file) != 0)
        return error_set(error, means_code(errno, "unavailable"),
                         "cannot write the list of cases: %s", strerror(errno));
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        texts_add(&plan->argv, words[i]);
    return 0;
}

static int prepare(const struct framework_task *task, struct process_plan *plan,
                   struct report_plan *report_r, struct error *error)
{
    AUTO(text_free) char *file = xasprintf("%s/ctest.xml", task->report_dir);
    if (task->case_count > 0 && select_cases(task, plan, error) < 0)
        return -1;
    if (task->suite->command.count > 0)
        argv_add_all(plan, &task->suite->command);
    else
        texts_add(&plan->argv, "ctest");
    texts_add(&plan->argv, "--no-tests=ignore");
    argv_add_all(plan, &task->suite->arguments);
    if (task->case_count == 0) {
        texts_add(&plan->argv, "--output-junit");
        texts_add(&plan->argv, file);
    }
    report_files(task, report_r, "*.xml");
    return 0;
}

const struct framework ctest_framework = {.name = "ctest", .prepare = prepare};
