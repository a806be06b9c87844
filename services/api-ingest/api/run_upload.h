/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/runs/{run}/results: a report of tests that ran elsewhere. */
#pragma once

#include "routes.h"

route_handler run_upload_admit, run_upload;
