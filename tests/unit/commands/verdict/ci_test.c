/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "ci.h"

/* NAME=VALUE, ended by NULL. */
static const char *const *environment;

static const char *get(const char *name)
{
    size_t length = strlen(name);
    for (const char *const *entry = environment; *entry != NULL; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

static const char *const github[] = {"GITHUB_ACTIONS=true",
                                     "GITHUB_RUN_NUMBER=17",
                                     "GITHUB_HEAD_REF=feature",
                                     "GITHUB_REF_NAME=5/merge",
                                     "GITHUB_REF=refs/pull/5/merge",
                                     "GITHUB_SHA=abc",
                                     "GITHUB_SERVER_URL=https://github.example",
                                     "GITHUB_REPOSITORY=o/r",
                                     "GITHUB_RUN_ID=99",
                                     "GITHUB_ACTOR=ann",
                                     NULL};
static const char *const github_push[] = {"GITHUB_ACTIONS=true",
                                          "GITHUB_HEAD_REF=", "GITHUB_REF_NAME=main",
                                          "GITHUB_REF=refs/heads/main", NULL};
static const char *const gitlab[] = {"GITLAB_CI=true",
                                     "CI_PIPELINE_IID=18",
                                     "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME=feature",
                                     "CI_COMMIT_REF_NAME=x",
                                     "CI_COMMIT_SHA=abc",
                                     "CI_MERGE_REQUEST_IID=6",
                                     "CI_JOB_URL=https://gitlab.example/j/1",
                                     "GITLAB_USER_LOGIN=bob",
                                     NULL};
static const char *const jenkins[] = {"JENKINS_URL=https://j.example",  "BUILD_NUMBER=19",
                                      "GIT_BRANCH=origin/main",         "GIT_COMMIT=abc",
                                      "BUILD_URL=https://j.example/19", NULL};
static const char *const buildkite[] = {"BUILDKITE=true",
                                        "BUILDKITE_BUILD_NUMBER=20",
                                        "BUILDKITE_BRANCH=main",
                                        "BUILDKITE_COMMIT=abc",
                                        "BUILDKITE_PULL_REQUEST=false",
                                        "BUILDKITE_BUILD_URL=https://b.example/20",
                                        NULL};
static const char *const none[] = {"BUILD_NUMBER=1", "BRANCH_NAME=x", NULL};

static void each_server_is_understood(void **state)
{
    static const struct {
        const char *const *environment;
        const char *provider, *build, *branch, *commit, *pull_request, *url, *actor;
    } rows[] = {
        {github, "github", "17", "feature", "abc", "5",
         "https://github.example/o/r/actions/runs/99", "ann"},
        {github_push, "github", NULL, "main", NULL, "", "", NULL},
        {gitlab, "gitlab", "18", "feature", "abc", "6", "https://gitlab.example/j/1", "bob"},
        {jenkins, "jenkins", "19", "main", "abc", "", "https://j.example/19", NULL},
        {buildkite, "buildkite", "20", "main", "abc", "", "https://b.example/20", NULL},
        {none, NULL, NULL, NULL, NULL, "", "", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct ci ci;
        environment = rows[i].environment;
        ci_read(get, &ci);
        const char *const have[] = {ci.provider, ci.build, ci.branch, ci.commit, ci.actor};
        const char *const want[] = {rows[i].provider, rows[i].build, rows[i].branch, rows[i].commit,
                                    rows[i].actor};
        for (size_t part = 0; part < ARRAY_SIZE(have); part++) {
            assert_int_equal(have[part] == NULL, want[part] == NULL);
            if (want[part] != NULL)
                assert_string_equal(have[part], want[part]);
        }
        assert_string_equal(ci.pull_request, rows[i].pull_request);
        assert_string_equal(ci.url, rows[i].url);
    }
}

static void the_trigger_holds_what_is_known(void **state)
{
    struct ci ci;
    (void)state;
    environment = buildkite;
    ci_read(get, &ci);

    AUTO(json_free) json_t *trigger = ci_trigger(&ci);

    assert_int_equal(json_object_size(trigger), 2);
    assert_string_equal(json_find_text(trigger, "provider"), "buildkite");
    assert_string_equal(json_find_text(trigger, "build_url"), "https://b.example/20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_is_understood),
        cmocka_unit_test(the_trigger_holds_what_is_known),
    };
    return cmocka_run_group_tests_name("verdict CI", tests, NULL, NULL);
}
