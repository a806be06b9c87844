/* SPDX-License-Identifier: Apache-2.0 */
/* A git repository: the one commit that is wanted, without hooks, prompts or the machine's configuration. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "frameworks/framework.h"
#include "sources/source.h"

/* The ledger keeps 200 bytes of it. */
#define NOT_HERE                                                                                     \
    "commit $4 of the run is not in this repository. A source that is another repository than what " \
    "is built says pinned: true."

/* $1 directory, $2 URL, $3 ref, $4 the commit that it must be; one of the last two may be empty. A server that
 * does not give single commits gives all branches and tags, and what else the ref names. */
static const char script[] =
    "set -e\n"
    "git init -q \"$1\"\n"
    "cd \"$1\"\n"
    "if git fetch -q --depth 1 -- \"$2\" \"${4:-$3}\" 2>fetch.txt; then\n"
    "    rm fetch.txt\n"
    "    git checkout -q --detach FETCH_HEAD\n"
    "    exit\n"
    "fi\n"
    "if ! git fetch -q -- \"$2\" '+refs/heads/*:refs/remotes/origin/*' "
    "'+refs/tags/*:refs/tags/*'; then exit 1; fi\n"
    "rm fetch.txt\n"
    "if [ -z \"$4\" ]; then\n"
    "    git checkout -q --detach \"$3\" -- 2>/dev/null || git checkout -q --detach "
    "\"refs/remotes/origin/$3\" --\n"
    "    exit\n"
    "fi\n"
    "if [ -n \"$3\" ]; then git fetch -q -- \"$2\" \"$3\" 2>/dev/null || true; fi\n"
    "if ! git cat-file -e \"$4^{commit}\" 2>/dev/null; then echo \"" NOT_HERE "\" >&2; exit 1; fi\n"
    "git checkout -q --detach \"$4\" --\n";

/* SHA-1, or SHA-256 in a repository that uses it. */
static bool is_full_commit(const char *text)
{
    size_t length = text == NULL ? 0 : strspn(text, "0123456789abcdefABCDEF");
    return (length == 40 || length == 64) && text[length] == '\0';
}

/* What must be tested and nothing else; "" when only the ref says it. */
static const char *wanted_commit(const struct source_task *task)
{
    const struct suite_source *source = task->source;
    if (source->pinned || is_full_commit(source->ref) || !is_full_commit(task->commit))
        return "";
    return task->commit;
}

static const char *wanted_ref(const struct source_task *task, const char *commit)
{
    if (task->source->ref != NULL || commit[0] != '\0')
        return task->source->ref == NULL ? "" : task->source->ref;
    return task->commit == NULL ? "HEAD" : task->commit;
}

static int prepare(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error)
{
    const struct suite_source *source = task->source;
    const char *commit = wanted_commit(task), *ref = wanted_ref(task, commit);
    const char *const words[] = {"/bin/sh",          "-c",        script, "git-source",
                                 task->checkout_dir, source->url, ref,    commit};
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
