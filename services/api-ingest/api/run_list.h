/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/projects/{project}/share: links to the page of a project's runs, and what those open. */
#pragma once

#include "routes.h"

route_handler projects_share, projects_unshare, shared_runs;
