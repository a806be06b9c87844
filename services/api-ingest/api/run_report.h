/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/runs/{run}/report, links to it for whoever holds them, and what those open. */
#pragma once

#include "routes.h"

route_handler run_report, run_share, shared_report;
