/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/runs/{run}/logs/stream. */
#pragma once

#include "routes.h"

route_handler run_log_stream;
