/* SPDX-License-Identifier: Apache-2.0 */
/* How this worker comes to be one of its installation: enrolled, and its lane read; and how it finds back where no
 * scheduler answers it. */
#pragma once

#include "executor.h"

void connection_init(struct executor *executor);
/* For a worker that is not connected. Returns ms until it is to be called again; 0: it is connected. */
int64_t connection_make_when_due(struct executor *executor);
/* For one that is connected: enrols again, ever more rarely. It may have to connect again afterwards. */
void connection_renew_when_unheard(struct executor *executor);
/* No scheduler has answered for longer than it takes when all is well. */
bool connection_is_unheard(const struct executor *executor);
