/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that are named by a file and titles ("test/a.test.js > group > test"), as files and one expression: what
 * runs them, and perhaps a namesake in another of the files. */
#pragma once

#include "frameworks/framework.h"

struct titles {
    struct texts files; /* each once */
    char *expression;   /* over titles with a space between; NULL: the files as a whole */
};

/* Also writes the list, by which our reporters know what is wanted. -1 when this worker has no room for it. */
int titles_select(const struct framework_task *task, struct process_plan *plan,
                  struct titles *titles_r, struct error *error) WARN_UNUSED;
void titles_deinit(struct titles *titles);
