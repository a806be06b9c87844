/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/runs/{run}/results, /tasks and /logs. */
#pragma once

#include "routes.h"

route_handler run_results, run_tasks, run_logs;
