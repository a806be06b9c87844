/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of one task on this worker, and the environment that its tests see. */
#pragma once

#include "agent/masks.h"
#include "agent/plan.h"
#include "agent/remover.h"
#include "executor.h"
#include "message/task_dispatch.h"
#include "model/suite.h"

struct workspace {
    char *root, *home, *temporary, *reports, *checkout, *stream;
    int stream_fd; /* our end of the named pipe; -1 while there is none */
};

int workspace_make(struct remover *remover, const char *work_dir, const char *name,
                   struct workspace *workspace_r, struct error *error) WARN_UNUSED;
/* Closes it; what tests have left in it goes by and by. */
void workspace_remove(struct remover *remover, struct workspace *workspace);
/* What an earlier life had no time to remove. */
void workspace_remove_old(struct remover *remover, const char *work_dir);

/* A clean environment, the suite's own, the run's parameters, and the secrets that it names; these are masked
 * from then on. */
int workspace_environment(const struct executor *executor, const struct workspace *workspace,
                          const struct task_dispatch *dispatch, const struct suite_spec *suite,
                          struct process_plan *plan, struct masks *masks,
                          struct error *error) WARN_UNUSED;
