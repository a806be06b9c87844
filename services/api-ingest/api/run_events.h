/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a run, as text/event-stream: /v1/runs/{run}/events, and by a link to its report. */
#pragma once

#include "routes.h"

route_handler runs_events, shared_events;
