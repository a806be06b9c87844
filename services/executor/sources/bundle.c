/* SPDX-License-Identifier: Apache-2.0 */
/* Files that were sent along with the run: this very program, in a process of its own, fetches and unpacks them. */
#include "auth/link.h"
#include "base/clock.h"
#include "base/memory.h"
#include "frameworks/framework.h"
#include "sources/bundle_fetch.h"
#include "sources/source.h"

#define TOKEN_S 3600

static int prepare(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error)
{
    const struct suite_source *source = task->source;
    char token[LINK_TEXT_SIZE];
    AUTO(text_free)
    char *url = xasprintf("%s/v1/dispatches/%s/bundle", task->api_url, task->dispatch_id->text);
    const char *const words[] = {"/proc/self/exe", BUNDLE_FETCH, url, source->bundle,
                                 task->checkout_dir};
    (void)error;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        texts_add(&plan->argv, words[i]);
    link_make(task->worker_key, task->dispatch_id, wall_ms() / 1000 + TOKEN_S, token);
    environment_add(plan, BUNDLE_FETCH_TOKEN, token);
    environment_add(plan, "TMPDIR", task->temporary_dir);
    *directory_r = source->path == NULL ? xstrdup(task->checkout_dir)
                                        : xasprintf("%s/%s", task->checkout_dir, source->path);
    return 0;
}

const struct source bundle_source = {.prepare = prepare};
