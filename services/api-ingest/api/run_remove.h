/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE /v1/runs/{run}, and of all runs of a project that have ended. */
#pragma once

#include "routes.h"

route_handler runs_remove, projects_remove_runs;
