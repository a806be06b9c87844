/* SPDX-License-Identifier: Apache-2.0 */
/* A run again, or the part of it that did not pass: exactly those cases where each can be named, otherwise
 * the whole suite, and why. */
#pragma once

#include "base/names.h"
#include "db/run.h"
#include "runs/trigger.h"

enum rerun_cases {
    RERUN_NOT_PASSED, /* failed, errored, blocked, and what did not run */
    RERUN_FAILED,     /* failed, errored, blocked */
    RERUN_ALL,
};
extern const struct names rerun_cases_names;

/* Makes the trigger one that repeats the run, which is final. "unprocessable": there is nothing to repeat. */
int rerun_fill(struct trigger *trigger, const struct run_ref *run, enum rerun_cases cases,
               struct error *error) WARN_UNUSED;
