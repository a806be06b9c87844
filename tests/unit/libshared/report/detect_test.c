/* SPDX-License-Identifier: Apache-2.0 */
#include "report/detect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"

static void a_format_is_told_by_the_first_bytes(void **state)
{
    static const struct {
        const char *text, *format;
    } rows[] = {
        {"<?xml version=\"1.0\"?>\n<testsuites/>", "junit"},
        {"\xef\xbb\xbf <testsuite name=\"a\">", "junit"},
        {"<?xml version=\"1.0\"?><TestRun xmlns=\"x\">", "trx"},
        {"{\"Time\":\"2026\",\"Action\":\"run\",\"Package\":\"a\"}\n{", "go-json"},
        {"{\"ImportPath\":\"a\",\"Action\":\"build-output\"}", "go-json"},
        {"{\n \"reportFormat\": \"CTRF\", \"results\": {\"tool\": {}}", "ctrf"},
        {"{\"results\": {\"tool\": {\"name\": \"jest\"}", "ctrf"},
        {"{\"uuid\": \"1\", \"historyId\": \"2\", \"name\": \"a\"}", "allure"},
        {"{\"uuid\": \"1\", \"parameters\": [{\"name\": \"results\", \"results\": {}}]}", "allure"},
        {"{\"parameters\": [{\"results\": 1}], \"stage\": \"finished\"}{\"results\": {}}",
         "allure"},
        {"{\"labels\": [{\"uuid\": \"1\"}], \"results\": {}}", "ctrf"},
        {"{\"a\": {\"results\": {}}}", NULL},
        {"TAP version 14\n1..1\n", "tap"},
        {"1..2\nok 1\n", "tap"},
        {"building\nrunning\nnot ok 1 - x\n", "tap"},
        {"{\"a\": 1}", NULL},
        {"okay then\n", NULL},
        {"", NULL},
        {"  \n", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct report_reader_ops *format = report_detect(rows[i].text, strlen(rows[i].text));
        if (rows[i].format == NULL)
            assert_null(format);
        else
            assert_string_equal(format->name, rows[i].format);
    }
}

static void utf_16_is_xml(void **state)
{
    (void)state;
    assert_ptr_equal(report_detect("\xff\xfe<\0", 4), &junit_reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_format_is_told_by_the_first_bytes),
        cmocka_unit_test(utf_16_is_xml),
    };
    return cmocka_run_group_tests_name("detect", tests, NULL, NULL);
}
