/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/runs: triggers, one run, lists, cancel. */
#pragma once

#include "routes.h"

route_handler runs_create, runs_list, runs_get, runs_cancel;
