/* SPDX-License-Identifier: Apache-2.0 */
/* CI servers as a table of variables. */
#include "ci.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Of each list the first variable that is set counts. */
struct provider {
    const char *name;
    const char *marker; /* set: it is this one */
    const char *build[2], *branch[3], *commit[1], *pull_request[1], *url[2], *actor[2];
};

static const struct provider providers[] = {
    {.name = "github",
     .marker = "GITHUB_ACTIONS",
     .build = {"GITHUB_RUN_NUMBER"},
     .branch = {"GITHUB_HEAD_REF", "GITHUB_REF_NAME"},
     .commit = {"GITHUB_SHA"},
     .actor = {"GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"}},
    {.name = "gitlab",
     .marker = "GITLAB_CI",
     .build = {"CI_PIPELINE_IID", "CI_PIPELINE_ID"},
     .branch = {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME"},
     .commit = {"CI_COMMIT_SHA"},
     .pull_request = {"CI_MERGE_REQUEST_IID"},
     .url = {"CI_JOB_URL", "CI_PIPELINE_URL"},
     .actor = {"GITLAB_USER_LOGIN"}},
    {.name = "buildkite",
     .marker = "BUILDKITE",
     .build = {"BUILDKITE_BUILD_NUMBER"},
     .branch = {"BUILDKITE_BRANCH"},
     .commit = {"BUILDKITE_COMMIT"},
     .pull_request = {"BUILDKITE_PULL_REQUEST"}, /* "false" when it is none */
     .url = {"BUILDKITE_BUILD_URL"},
     .actor = {"BUILDKITE_BUILD_CREATOR"}},
    {.name = "jenkins",
     .marker = "JENKINS_URL",
     .build = {"BUILD_NUMBER"},
     .branch = {"CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"},
     .commit = {"GIT_COMMIT"},
     .pull_request = {"CHANGE_ID"},
     .url = {"BUILD_URL"},
     .actor = {"CHANGE_AUTHOR", "BUILD_USER_ID"}},
};

static const char *first(ci_get *get, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count && names[i] != NULL; i++) {
        const char *value = get(names[i]);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return NULL;
}
#define FIRST(list) first(get, (list), ARRAY_SIZE(list))

/* GitHub has the number in GITHUB_REF ("refs/pull/17/merge") and the URL in three parts. */
static void read_github(ci_get *get, struct ci *ci)
{
    static const char prefix[] = "refs/pull/";
    const char *ref = get("GITHUB_REF"), *server = get("GITHUB_SERVER_URL");
    const char *repository = get("GITHUB_REPOSITORY"), *run = get("GITHUB_RUN_ID");
    if (ref != NULL && text_starts(ref, prefix))
        snprintf(ci->pull_request, sizeof ci->pull_request, "%.*s",
                 (int)strspn(ref + sizeof prefix - 1, "0123456789"), ref + sizeof prefix - 1);
    if (server != NULL && repository != NULL && run != NULL)
        snprintf(ci->url, sizeof ci->url, "%s/%s/actions/runs/%s", server, repository, run);
}

void ci_read(ci_get *get, struct ci *ci)
{
    *ci = (struct ci){.provider = NULL};
    for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
        const struct provider *provider = &providers[i];
        const char *marker = get(provider->marker);
        if (marker == NULL || marker[0] == '\0' || strcmp(marker, "false") == 0)
            continue;
        const char *pull_request = FIRST(provider->pull_request), *url = FIRST(provider->url);
        ci->provider = provider->name;
        ci->build = FIRST(provider->build);
        ci->branch = FIRST(provider->branch);
        ci->commit = FIRST(provider->commit);
        ci->actor = FIRST(provider->actor);
        if (ci->branch != NULL && text_starts(ci->branch, "origin/"))
            ci->branch += strlen("origin/");
        if (pull_request != NULL && isdigit((unsigned char)pull_request[0]))
            snprintf(ci->pull_request, sizeof ci->pull_request, "%s", pull_request);
        if (url != NULL)
            snprintf(ci->url, sizeof ci->url, "%s", url);
        if (strcmp(provider->name, "github") == 0)
            read_github(get, ci);
        return;
    }
}

static void put(json_t *object, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_object_set_new(object, name, json_string(value));
}

json_t *ci_trigger(const struct ci *ci)
{
    json_t *trigger = json_object();
    put(trigger, "provider", ci->provider);
    put(trigger, "build_url", ci->url);
    put(trigger, "pull_request", ci->pull_request);
    put(trigger, "actor", ci->actor);
    return trigger;
}
