/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine must have for any task to begin: descriptors, processes, memory, room. A task that cannot
 * begin for the lack of it says nothing about its tests: it is handed back, and nothing new is taken until
 * there is enough again. */
#pragma once

#include "base/backoff.h"
#include "base/error.h"

/* The code of errors that come from such a lack. */
#define NO_MEANS "no_means"

bool means_are_lacking(int error_number);
/* NO_MEANS when errno says so, else the code that is given. */
const char *means_code(int error_number, const char *otherwise);

/* As means_code, of what a child's execve said: NO_MEANS or "exec_failed". */
const char *means_code_of_exec(int error_number);

/* False: opening some would fail now. */
bool means_have_descriptors(int count);
/* As many descriptors as this process may have. Processes that were forked before keep their limit. */
void means_raise_limits(void);

struct means {
    struct backoff retry;
    char why[ERROR_TEXT_MAX]; /* the last task could not begin; "" when there is enough */
};

void means_init(struct means *means);
void means_lacked(struct means *means, const char *why);
/* Looks again when it is due: whether a task could begin now. Says true once, when that is so again. */
bool means_came_back(struct means *means, const char *work_dir);
bool means_are_there(const struct means *means);
