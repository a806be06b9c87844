/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as tools wrote them (tests/data/junit/tools): the same cases, keys and messages as were looked at once.
 * What is read instead is left in build/golden. */
#include "agent/reports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define TOOLS    "tests/data/junit/tools"
#define FILE_MAX ((size_t)1024 * 1024)

static void on_planned(void *context, int64_t count)
{
    (void)context;
    (void)count;
}

static void on_result(void *context, const struct stream_result *result)
{
    json_array_append_new(
        context, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s*}", "status",
                           names_get(&result_status_names, result->status), "key", result->key,
                           "file", result->file, "class", result->class, "name", result->name,
                           "parameters", result->parameters, "duration_ms",
                           (json_int_t)result->duration_ms, "message", result->message));
}

static char *read_file(const char *path, size_t *length_r)
{
    FILE *file = fopen(path, "re");
    char *bytes = xcalloc(1, FILE_MAX);
    *length_r = file == NULL ? 0 : fread(bytes, 1, FILE_MAX - 1, file);
    if (file != NULL)
        fclose(file);
    return bytes;
}

/* By the framework whose name the file's name begins with, where it knows how its cases are named. */
static const char *framework_of(const char *name)
{
    return text_starts(name, "ctest")    ? "ctest"
           : text_starts(name, "cmocka") ? "cmocka"
                                         : "command";
}

/* The cases as JSON text. Owned by the caller. */
static char *read_cases(const char *name)
{
    size_t length;
    struct error why;
    AUTO(text_free) char *path = xasprintf(TOOLS "/%s", name);
    AUTO(text_free) char *bytes = read_file(path, &length);
    AUTO(json_free) json_t *cases = json_array();
    const struct report_plan plan = {.source = REPORT_FROM_STDOUT, .reader = "junit"};
    const struct reports_handlers handlers = {on_planned, on_result, cases};
    AUTO(reports_free)
    struct reports *reports = reports_new(&plan, "suite", framework_of(name), "/src", &handlers);
    reports_feed_output(reports, RUN_STDOUT, bytes, length);
    assert_int_equal(reports_finish(reports, true, "", 0, &why), REPORT_IS_COMPLETE);
    char *text = json_dumps(cases, JSON_INDENT(1)), *line = xasprintf("%s\n", text);
    free(text);
    return line;
}

static bool is_as_expected(const char *name)
{
    size_t length;
    AUTO(text_free) char *stem = xstrndup(name, strlen(name) - 4);
    AUTO(text_free) char *path = xasprintf(TOOLS "/%s.json", stem);
    AUTO(text_free) char *left = xasprintf("build/golden/%s.json", stem);
    AUTO(text_free) char *expected = read_file(path, &length);
    AUTO(text_free) char *cases = read_cases(name);
    if (strcmp(cases, expected) == 0)
        return true;
    mkdir("build/golden", 0777);
    FILE *file = fopen(left, "we");
    if (file != NULL) {
        fputs(cases, file);
        fclose(file);
    }
    print_message("%s and %s differ\n", path, left);
    return false;
}

static void reports_of_real_tools_are_read_as_before(void **state)
{
    DIR *directory = opendir(TOOLS);
    const struct dirent *entry;
    int count = 0, as_expected = 0;
    (void)state;
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (!text_ends(entry->d_name, ".xml"))
            continue;
        count++;
        as_expected += is_as_expected(entry->d_name);
    }
    closedir(directory);
    assert_int_equal(as_expected, count);
    assert_true(count >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_real_tools_are_read_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
