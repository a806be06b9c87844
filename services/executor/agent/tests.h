/* SPDX-License-Identifier: Apache-2.0 */
/* The process that runs the tests: its output and its pipe are read while it lives. */
#pragma once

#include "agent/job.h"

/* The job is JOB_READING when its processes are gone; one that cannot be started is finished. */
void tests_start(struct job *job);
