/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "model/suite.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text;
    const char *field; /* that is refused; NULL: it is taken */
} rows[] = {
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/srv/shop'}}", NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': 'shop'}}", "source.path"},
    {"{'framework': 'pytest', 'source': {'kind': 'path'}}", "source.path"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a', 'url': 'https://x'}}",
     "source"},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x/y.git', 'ref': 'main'}}",
     NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x/y.git', 'path': 'sub'}}",
     NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x/y.git', 'path': "
     "'../sub'}}",
     "source.path"},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x/y.git', 'path': '/sub'}}",
     "source.path"},
    {"{'framework': 'pytest', 'source': {'kind': 'git'}}", "source.url"},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': '--upload-pack=x'}}", "source.url"},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x', 'ref': '-x'}}",
     "source.ref"},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x', 'ref': 'main', "
     "'pinned': true}}",
     NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'https://x', 'pinned': true}}",
     "source.pinned"},
    {"{'framework': 'command', 'source': {'kind': 'upload'}, 'cases': ['a', 'b']}", NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'upload', 'path': '/srv'}}", "source"},
    {"{'framework': 'pytest', 'source': {'kind': 'upload'}, 'command': ['pytest']}", "command"},
    {"{'framework': 'pytest', 'source': {'kind': 'upload'}, 'requirements': ['os=linux']}",
     "requirements"},
    {"{'framework': 'pytest', 'source': {'kind': 'bundle', 'bundle': '" SHA "', 'path': 'sub'}}",
     NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'bundle', 'bundle': '" SHA "', 'path': '../x'}}",
     "source.path"},
    {"{'framework': 'pytest', 'source': {'kind': 'bundle'}}", "source.bundle"},
    {"{'framework': 'pytest', 'source': {'kind': 'bundle', 'bundle': '../../etc/passwd'}}",
     "source.bundle"},
    {"{'framework': 'pytest', 'source': {'kind': 'bundle', 'bundle': '" SHA "', 'url': 'x'}}",
     "source"},
    {"{'framework': 'pytest', 'source': {'kind': 'git', 'url': 'x', 'bundle': '" SHA "'}}",
     "source.bundle"},
    {"{'framework': 'pytest', 'source': {'kind': 'ftp', 'url': 'x'}}", "source.kind"},
    {"{'framework': 'pytest'}", "source"},
    {"{'framework': 'nose', 'source': {'kind': 'path', 'path': '/a'}}", "framework"},
    {"{'framework': 'command', 'source': {'kind': 'path', 'path': '/a'}}", "command"},
    {"{'framework': 'command', 'source': {'kind': 'path', 'path': '/a'}, 'command': ['true'], "
     "'report': {'format': 'none'}}",
     NULL},
    {"{'framework': 'command', 'source': {'kind': 'path', 'path': '/a'}, 'command': ['true'], "
     "'cases': ['x']}",
     "cases"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'report': {'format': "
     "'none'}}",
     "report.format"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'report': {'path': "
     "'../r.xml'}}",
     "report.path"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'directory': '..'}",
     "directory"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'directory': 'a/../b'}",
     "directory"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'directory': 'a/..b/...'}",
     NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'environment': {'A=B': "
     "'x'}}",
     "environment"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'environment': {'A': 1}}",
     "environment"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'environment': {'A': 'x'}}",
     NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'requirements': ['gpu', "
     "'os=']}",
     "requirements[1]"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'cases': ['']}", "cases"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'max_tasks': 1001}",
     "max_tasks"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'exclusive': true}", NULL},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'exclusive': 'yes'}",
     "exclusive"},
    {"{'framework': 'pytest', 'source': {'kind': 'path', 'path': '/a'}, 'limits': {'memory_mb': "
     "-1}}",
     "limits.memory_mb"},
};

static void suites_are_taken_or_refused_by_the_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(text_free) char *text = xstrdup(rows[i].text);
        struct suite_spec suite;
        struct error error = {.field = ""};
        for (char *c = text; *c != '\0'; c++)
            *c = *c == '\'' ? '"' : *c;
        AUTO(json_free) json_t *json = json_loads(text, 0, NULL);
        assert_non_null(json);
        int status = suite_decode(json, &suite, &error);
        if (status == 0)
            suite_deinit(&suite);
        if ((status == 0) != (rows[i].field == NULL))
            fail_msg("%s: %s", rows[i].text, status == 0 ? "was taken" : error.text);
        if (rows[i].field != NULL)
            assert_string_equal(error.field, rows[i].field);
    }
}

static void what_is_encoded_is_the_same_suite(void **state)
{
    AUTO(json_free)
    json_t *json =
        json_pack("{s:s, s:{s:s, s:s, s:b}, s:[s, s], s:{s:s}, s:[s], s:i}", "framework", "pytest",
                  "source", "kind", "path", "path", "/srv", "pinned", 0, "arguments", "-x",
                  "--tb=long", "environment", "TZ", "UTC", "cases", "a.py::b", "max_tasks", 4);
    struct suite_spec suite;
    struct error error;
    (void)state;
    assert_int_equal(suite_decode(json, &suite, &error), 0);

    AUTO(json_free) json_t *again = fields_encode(&suite_fields, &suite);

    assert_true(json_equal(json_object_get(again, "source"), json_object_get(json, "source")));
    assert_true(
        json_equal(json_object_get(again, "arguments"), json_object_get(json, "arguments")));
    assert_true(
        json_equal(json_object_get(again, "environment"), json_object_get(json, "environment")));
    assert_true(json_equal(json_object_get(again, "cases"), json_object_get(json, "cases")));
    assert_int_equal(json_find_int(again, "max_tasks", 0), 4);
    suite_deinit(&suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suites_are_taken_or_refused_by_the_field),
        cmocka_unit_test(what_is_encoded_is_the_same_suite),
    };
    return cmocka_run_group_tests_name("suite", tests, NULL, NULL);
}
