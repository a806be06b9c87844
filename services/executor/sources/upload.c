/* SPDX-License-Identifier: Apache-2.0 */
/* What is uploaded is never dispatched: the null variant. */
#include "sources/source.h"

static int prepare(const struct source_task *task, struct process_plan *plan, char **directory_r,
                   struct error *error)
{
    (void)task;
    (void)plan;
    (void)directory_r;
    return error_set(error, "source_failed", "its results are uploaded: there is nothing to run");
}

const struct source upload_source = {.prepare = prepare};
