/* SPDX-License-Identifier: Apache-2.0 */
/* A git repository: the one commit that is wanted, without hooks, prompts or the machine's configuration. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "frameworks/framework.h"
#include "sources/source.h"

/* The ledger keeps 200 bytes of it. */
#define NOT_HERE                                                                                     \
    "commit $4 of the run is not in this repository. A source that is another repository than what " \
    "is built says pinned: true."

#define NAME_BYTES 16 /* of the hash of a URL or a ref */

/* What is fetched is kept in a bare repository per URL, whose configuration knows nothing of that. It is not
 * trusted: tests of this worker could have written there, and disks fail. Commits come out of it by a fetch,
 * which hashes all that it takes over, and what a full commit names is compared. One that cannot give what a
 * new one can is replaced by that; where neither can, the fetching that knows no cache has the word.
 * $5 the cache, $6 the limit of all of them in KiB, $7 the name there of what is wanted, $8 "yes" where that is
 * a full commit: then what is there is as good as the server's. */
static const char cached_script[] =
    "want=${4:-$3} caches=${5%/*} mine=${5##*/} lock_s=60\n"
    "in_cache() { git -C \"$cache\" rev-parse -q --verify \"refs/verdict/$7^{commit}\" >/dev/null; }\n"
    "into_cache() {\n"
    "    [ -d \"$cache\" ] || git init -q --bare \"$cache\" || return 1\n"
    "    if [ \"$8\" = yes ] && in_cache \"$@\"; then return 0; fi\n"
    "    git -C \"$cache\" fetch -q --no-write-fetch-head --no-tags --depth 1 -- \"$2\" "
    "\"+$want:refs/verdict/$7\"\n"
    "}\n"
    "out_of_cache() {\n"
    "    git init -q \"$1\" && git -C \"$1\" fetch -q --depth 1 -- \"$cache\" \"refs/verdict/$7\" "
    "|| return 1\n"
    "    commit=$(git -C \"$1\" rev-parse -q --verify 'FETCH_HEAD^{commit}') || return 1\n"
    "    [ \"$8\" = no ] || [ \"$commit\" = \"$(git -C \"$1\" rev-parse -q --verify \"$want^{commit}\")\" ] "
    "|| return 1\n"
    "    git -C \"$1\" checkout -q --detach FETCH_HEAD\n"
    "}\n"
    "through() { cache=$9; into_cache \"$@\" && out_of_cache \"$@\"; }\n"
    "limit_caches() {\n"
    "    for old in $(cd \"$caches\" && ls -1dtr -- */); do\n"
    "        [ \"$(du -sk \"$caches\" | cut -f1)\" -gt \"$6\" ] || return 0\n"
    "        ( [ \"$old\" = \"$mine/\" ] || flock -n 8 || exit 0\n"
    "          rm -rf \"$caches/$old\" ) 8>\"$caches/${old%/}.lock\"\n"
    "    done\n"
    "}\n"
    "cached() {\n"
    "    mkdir -p \"$caches\" && exec 9>\"$5.lock\" && flock -w $lock_s 9 || return 1\n"
    "    [ -d \"$5\" ] && was_there=yes || was_there=no\n"
    "    if ! through \"$@\" \"$5\"; then\n"
    "        rm -rf \"$1\" \"$5.new\"\n"
    "        if [ $was_there = no ]; then rm -rf \"$5\"; return 1; fi\n"
    "        if ! through \"$@\" \"$5.new\"; then rm -rf \"$1\" \"$5.new\"; return 1; fi\n"
    "        rm -rf \"$5\" && mv \"$5.new\" \"$5\"\n"
    "    fi\n"
    "    touch \"$5\"\n"
    "    limit_caches \"$@\"\n"
    "    return 0\n"
    "}\n"
    "if [ \"$6\" != 0 ] && ( cached \"$@\" ) 2>/dev/null; then exit; fi\n";

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

static void name_of(const char *text, char name_r[2 * NAME_BYTES + 1])
{
    unsigned char hash[NAME_BYTES];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
    sodium_bin2hex(name_r, 2 * NAME_BYTES + 1, hash, sizeof hash);
}

static int prepare(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error)
{
    const struct suite_source *source = task->source;
    const char *commit = wanted_commit(task), *ref = wanted_ref(task, commit);
    const char *wanted = commit[0] == '\0' ? ref : commit;
    char of_url[2 * NAME_BYTES + 1], of_wanted[2 * NAME_BYTES + 1], limit_kb[24];
    name_of(source->url, of_url);
    name_of(wanted, of_wanted);
    snprintf(limit_kb, sizeof limit_kb, "%lld", (long long)task->cache_mb * 1024);
    AUTO(text_free) char *cache = xasprintf("%s/%s", task->cache_dir, of_url);
    AUTO(text_free) char *both = xasprintf("%s\n%s", cached_script, script);
    const char *const words[] = {"/bin/sh",
                                 "-c",
                                 both,
                                 "git-source",
                                 task->checkout_dir,
                                 source->url,
                                 ref,
                                 commit,
                                 cache,
                                 limit_kb,
                                 of_wanted,
                                 is_full_commit(wanted) ? "yes" : "no"};
    (void)error;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        texts_add(&plan->argv, words[i]);
    environment_add(plan, "GIT_TERMINAL_PROMPT", "0");
    environment_add(plan, "GIT_CONFIG_NOSYSTEM", "1");
    environment_add(plan, "GIT_CONFIG_GLOBAL", "/dev/null");
    environment_add(plan, "GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
    environment_add(plan, "GIT_CONFIG_COUNT", "3");
    environment_add(plan, "GIT_CONFIG_KEY_0", "core.hooksPath");
    environment_add(plan, "GIT_CONFIG_VALUE_0", "/dev/null");
    environment_add(plan, "GIT_CONFIG_KEY_1", "safe.directory");
    environment_add(plan, "GIT_CONFIG_VALUE_1", "*");
    environment_add(plan, "GIT_CONFIG_KEY_2",
                    "gc.auto"); /* it would go on behind us, with the lock */
    environment_add(plan, "GIT_CONFIG_VALUE_2", "0");
    *directory_r = source->path == NULL ? xstrdup(task->checkout_dir)
                                        : xasprintf("%s/%s", task->checkout_dir, source->path);
    return 0;
}

const struct source git_source = {.prepare = prepare};
