/* SPDX-License-Identifier: Apache-2.0 */
/* The list of runners. */
#include "runners/runner.h"

#include <string.h>

const struct runner *const runners[] = {&process_runner, &null_runner, NULL};

const struct runner *runner_find(const char *name)
{
    for (size_t i = 0; runners[i] != NULL; i++)
        if (strcmp(runners[i]->name, name) == 0)
            return runners[i];
    return NULL;
}
