/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "manifest.h"
#include "yaml_json.h"

static char folder[] = "/tmp/verdict-manifest-XXXXXX";
static char *file;

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    file = xasprintf("%s/verdict.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(file);
    rmdir(folder);
    text_free(&file);
    return 0;
}

static int load(const char *text, json_t **manifest, struct error *error)
{
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return manifest_load(file, manifest, error);
}

static void a_whole_file_is_read(void **state)
{
    AUTO(json_free) json_t *manifest = NULL;
    struct error error = {.text = ""};
    (void)state;

    int status = load("project: shop\n"
                      "title: Shop\n"
                      "environments:\n"
                      "  staging: {title: Staging, url: https://s.example, position: 1}\n"
                      "suites:\n"
                      "  unit:\n"
                      "    framework: pytest\n"
                      "    source: {path: .}\n"
                      "    environment: {TZ: UTC, N: '1'}\n"
                      "    limits: {memory_mb: 512}\n"
                      "  remote:\n"
                      "    framework: ctest\n"
                      "    source: {url: 'https://g.example/x.git', ref: main}\n"
                      "templates:\n"
                      "  nightly:\n"
                      "    suite: unit\n"
                      "    policy: {task_timeout: 10m, cancel_superseded: true}\n"
                      "webhooks:\n"
                      "  - {url: https://h.example, events: [run.finished]}\n",
                      &manifest, &error);
    if (status < 0)
        fail_msg("%s", error.text);

    const json_t *suites = json_object_get(manifest, "suites");
    const json_t *source = json_object_get(json_object_get(suites, "unit"), "source");
    const json_t *remote = json_object_get(json_object_get(suites, "remote"), "source");
    const json_t *nightly = json_object_get(json_object_get(manifest, "templates"), "nightly");
    const json_t *policy = json_object_get(nightly, "policy");
    assert_string_equal(json_find_text(source, "kind"), "path");
    assert_string_equal(json_find_text(source, "path"), folder);
    assert_string_equal(json_find_text(remote, "kind"), "git");
    assert_int_equal(json_find_int(policy, "task_timeout_ms", 0), 600000);
    assert_null(json_object_get(policy, "task_timeout"));
    assert_true(json_find_bool(policy, "cancel_superseded", false));
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    static const char *const rows[][2] = {
        {"", "empty"},
        {"- a\n", "mapping"},
        {"title: x\n", "project"},
        {"project: Not A Slug\n", "project"},
        {"project: shop\nprojekt: x\n", "projekt"},
        {"project: shop\nproject: shop\n", "line 2"},
        {"project: shop\nsuites: {unit: {framwork: pytest}}\n", "suites.unit.framwork"},
        {"project: shop\nsuites: {unit: {framework: pytest}}\n", "suites.unit.source"},
        {"project: shop\nsuites: {unit: {framework: pytest, source: {kind: path, pth: .}}}\n",
         "suites.unit.source.pth"},
        {"project: shop\nsuites: {unit: {framework: pytest, source: {path: nowhere}}}\n",
         "nowhere"},
        {"project: shop\nsuites: {Unit: {}}\n", "suites.Unit"},
        {"project: shop\nsuites: [a]\n", "suites"},
        {"project: shop\ntemplates: {n: {suite: a, policy: {task_timeout: soon}}}\n",
         "templates.n.policy.task_timeout"},
        {"project: shop\ntemplates: {n: {suite: a, policy: {retries: 3}}}\n",
         "templates.n.policy.retries"},
        {"project: shop\nwebhooks: [{uri: x}]\n", "webhooks[0].uri"},
        {"project: shop\nwebhooks: {a: b}\n", "webhooks"},
        {"project: [\n", "line"},
        {"a: &x {b: c}\nproject: *x\n", "aliases"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_t *manifest = NULL;
        struct error error = {.text = ""};
        if (load(rows[i][0], &manifest, &error) == 0)
            fail_msg("%s was taken", rows[i][0]);
        assert_string_equal(error.code, "usage");
        if (strstr(error.text, rows[i][1]) == NULL)
            fail_msg("%s: %s", rows[i][0], error.text);
    }
}

static void a_file_that_is_not_there_is_named(void **state)
{
    json_t *manifest = NULL;
    struct error error;
    (void)state;
    assert_int_equal(manifest_load("/nonexistent/verdict.yaml", &manifest, &error), -1);
    assert_non_null(strstr(error.text, "/nonexistent/verdict.yaml"));
}

static void plain_scalars_have_types_and_versions_are_texts(void **state)
{
    AUTO(json_free) json_t *manifest = NULL;
    struct error error;
    (void)state;
    FILE *out = fopen(file, "we");
    assert_non_null(out);
    fputs("{a: 1, b: true, c: null, d: 1.10, e: '1', f: yes, g: ~, h: -3}", out);
    fclose(out);

    assert_int_equal(yaml_load(file, &manifest, &error), 0);

    AUTO(json_free)
    json_t *expected = json_pack("{s:i, s:b, s:n, s:s, s:s, s:s, s:n, s:i}", "a", 1, "b", 1, "c",
                                 "d", "1.10", "e", "1", "f", "yes", "g", "h", -3);
    assert_true(json_equal(manifest, expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(what_is_wrong_is_named_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(plain_scalars_have_types_and_versions_are_texts),
    };
    return cmocka_run_group_tests_name("verdict.yaml", tests, set_up, tear_down);
}
