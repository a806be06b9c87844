/* SPDX-License-Identifier: Apache-2.0 */
/* A tool that has to be called several times to run exactly a list of cases. */
#pragma once

#include "frameworks/framework.h"

struct calls;

struct calls *calls_new(const struct framework_task *task);
void calls_free(struct calls **calls);
void calls_add(struct calls *calls, const struct texts *argv);
/* Plans them, one after the other, whatever becomes of each: the last status that is not 0 is that of all. -1 when
 * this worker has no room for their list. */
int calls_finish(struct calls *calls, struct process_plan *plan, struct error *error) WARN_UNUSED;
