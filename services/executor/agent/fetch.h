/* SPDX-License-Identifier: Apache-2.0 */
/* The first process of a job whose source has to be fetched. */
#pragma once

#include "agent/job.h"

/* Begins the tests when it has succeeded; else finishes the job, with what was said. */
void fetch_start(struct job *job);
