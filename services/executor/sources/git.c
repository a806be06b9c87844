/* SPDX-License-Identifier: Apache-2.0 */
/* A git repository: the one commit that is wanted, without hooks, prompts or the machine's configuration. */
#include <stdlib.h>

#include "base/memory.h"
#include "frameworks/framework.h"
#include "sources/source.h"

/* $1 directory, $2 URL, $3 ref. A server that does not give single commits gives all branches and tags. */
static const char script[] =
    "set -e\n"
    "git init -q \"$1\"\n"
    "cd \"$1\"\n"
    "if git fetch -q --depth 1 -- \"$2\" \"$3\" 2>fetch.txt; then\n"
    "    rm fetch.txt\n"
    "    git checkout -q --detach FETCH_HEAD\n"
    "else\n"
    "    if ! git fetch -q -- \"$2\" '+refs/heads/*:refs/remotes/origin/*' "
    "'+refs/tags/*:refs/tags/*'; then exit 1; fi\n"
    "    rm fetch.txt\n"
    "    git checkout -q --detach \"$3\" -- 2>/dev/null || git checkout -q --detach "
    "\"refs/remotes/origin/$3\" --\n"
    "fi\n";

static int prepare(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error)
{
    const struct suite_source *source = task->source;
    const char *ref = source->ref != NULL    ? source->ref
                      : task->commit != NULL ? task->commit
                                             : "HEAD";
    const char *const words[] = {"/bin/sh",          "-c",        script, "git-source",
                                 task->checkout_dir, source->url, ref};
    (void)error;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        texts_add(&plan->argv, words[i]);
    environment_add(plan, "GIT_TERMINAL_PROMPT", "0");
    environment_add(plan, "GIT_CONFIG_NOSYSTEM", "1");
    environment_add(plan, "GIT_CONFIG_GLOBAL", "/dev/null");
    environment_add(plan, "GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
    environment_add(plan, "GIT_CONFIG_COUNT", "2");
    environment_add(plan, "GIT_CONFIG_KEY_0", "core.hooksPath");
    environment_add(plan, "GIT_CONFIG_VALUE_0", "/dev/null");
    environment_add(plan, "GIT_CONFIG_KEY_1", "safe.directory");
    environment_add(plan, "GIT_CONFIG_VALUE_1", "*");
    *directory_r = source->path == NULL ? xstrdup(task->checkout_dir)
                                        : xasprintf("%s/%s", task->checkout_dir, source->path);
    return 0;
}

const struct source git_source = {.prepare = prepare};
