/* SPDX-License-Identifier: Apache-2.0 */
/* How a job ends: the `finished` item, the last of its stream. The slot is free then, and what running took is
 * gone. */
#pragma once

#include "agent/job.h"
#include "agent/plan.h"
#include "agent/reports.h"

/* detail: for people, secrets in it are masked; NULL: none. */
void finish_job(struct job *job, enum ending_kind ending, const char *detail,
                enum report_state report);
/* It could not begin. What this worker lacks (NO_MEANS) is no fault of the tests: then it is handed back. */
void finish_failed(struct job *job, enum ending_kind ending, const struct error *why);
/* … since the plan's program could not be executed: an errno. */
void finish_exec_failed(struct job *job, enum ending_kind ending, const struct process_plan *plan,
                        int error_number);
/* The processes are gone: reads what they have left, a piece at a time. The last call finishes the job. */
void finish_from_reports(struct job *job);
