/* SPDX-License-Identifier: Apache-2.0 */
/* One warden per task: a single-threaded process that is the subreaper of everything the task starts,
 * so that what belongs to the task is known, watched, and ended to the last daemon. When the executor
 * dies, the control socket ends and the warden ends the tree. */
#pragma once

#include "agent/wire.h"

/* Runs the plan and tells what happened over the control socket. Takes all descriptors; ends the
 * calling process. */
void warden_run(const int descriptors[WIRE_DESCRIPTORS]) __attribute__((noreturn));
