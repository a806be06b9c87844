/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tests come from. A source is either there at once, or a process fetches it. One file per kind,
 * in the order of enum source_kind. */
#pragma once

#include "agent/plan.h"
#include "executor.h"
#include "model/suite.h"

struct source_task {
    const struct suite_source *source;
    const char *commit;       /* the run's; may be NULL */
    const char *source_roots; /* colon list */
    const char *checkout_dir; /* where a fetched one goes; does not exist yet */
    const char *cache_dir;    /* of what was fetched before; all tasks of this worker use it */
    int64_t cache_mb;         /* what it may take; 0: there is none */
    const char *temporary_dir;
    const char *api_url;
    const struct uuid *dispatch_id;
    const uint8_t *worker_key; /* MAC_KEY_BYTES */
};

struct source {
    /* *directory_r (owned) is where the tests lie. A plan with argv is executed first, in which case its
     * stderr says why it failed. */
    int (*prepare)(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error);
};

extern const struct source path_source, git_source, upload_source, bundle_source;
extern const struct source *const sources[];
